/* check_segments.c: segment files from the disk. */
#include "daemon/base/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/suite.h"

static char folder[64];
static struct segment_files files;
static struct buf errors;

static const char *at(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(at(name), "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void setup(void)
{
    strcpy(folder, "/tmp/check_segments.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    segment_files_init(&files);
    buf_init(&errors);
}

static void teardown(void)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    segment_files_done(&files);
    buf_done(&errors);
}

START_TEST(a_folder_is_all_its_segment_files_in_order)
{
    static const char *const want[] = {"a.seg", "b.seg", "sub/c.seg"};
    mkdir(at("sub"), 0700);
    mkdir(at(".git"), 0700);
    write_file("b.seg", "B");
    write_file("a.seg", "A");
    write_file("sub/c.seg", "C");
    write_file("a.seg~", "not");
    write_file(".a.seg", "not");
    write_file(".git/x.seg", "not");
    write_file("readme", "not");
    write_file(".seg", "not");
    ck_assert_int_eq(segment_files_add(&files, folder, &errors), 0);
    ck_assert_int_eq(files.count, COUNT(want));
    for (int i = 0; i < files.count; i++) {
        ck_assert_str_eq(files.sources[i].name, at(want[i]));
        ck_assert_int_eq(files.sources[i].len, 1);
        ck_assert_int_eq(files.sources[i].text[0], 'A' + i);
    }
}
END_TEST

START_TEST(a_file_that_is_named_may_have_any_name)
{
    write_file("x.txt", "text");
    ck_assert_int_eq(segment_files_add(&files, at("x.txt"), &errors), 0);
    ck_assert_int_eq(files.count, 1);
    ck_assert_str_eq(files.sources[0].text, "text");
}
END_TEST

START_TEST(an_empty_folder_and_an_empty_file_are_fine)
{
    ck_assert_int_eq(segment_files_add(&files, folder, &errors), 0);
    ck_assert_int_eq(files.count, 0);
    write_file("a.seg", "");
    ck_assert_int_eq(segment_files_add(&files, folder, &errors), 0);
    ck_assert_int_eq(files.count, 1);
    ck_assert_int_eq(files.sources[0].len, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    ck_assert_int_eq(segment_files_add(&files, at("no"), &errors),
                     SEG_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(buf_string(&errors), at("no")));
    ck_assert_ptr_nonnull(strstr(buf_string(&errors), "No such file"));
    buf_reset(&errors);
    ck_assert_int_eq(symlink("nowhere", at("a.seg")), 0);
    ck_assert_int_eq(segment_files_add(&files, folder, &errors),
                     SEG_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(buf_string(&errors), at("a.seg")));
}
END_TEST

START_TEST(a_folder_within_itself_is_an_error_and_ends)
{
    ck_assert_int_eq(symlink(".", at("self")), 0);
    ck_assert_int_eq(segment_files_add(&files, folder, &errors),
                     SEG_ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_file_has_a_largest_size)
{
    for (int over = -1; over <= 1; over++) {
        write_file("a.seg", "");
        ck_assert_int_eq(truncate(at("a.seg"), SEG_FILE_BYTES_MAX + over), 0);
        int err = segment_files_add(&files, at("a.seg"), &errors);
        ck_assert_msg(err == (over > 0 ? SEG_ERR_LIMIT : 0), "%d: got %d", over,
                      err);
    }
}
END_TEST

START_TEST(all_files_together_are_one_catalogue)
{
    struct seg_catalogue *catalogue = NULL;
    const char *paths[] = {folder};
    write_file("a.seg", "segment a { when in segment b }");
    write_file("b.seg", "segment b { when everyone }");
    int err = segments_compile(&catalogue, paths, 1, &errors, NULL);
    ck_assert_msg(!err, "%d: %s", err, buf_string(&errors));
    ck_assert_int_eq(seg_catalogue_segment_count(catalogue), 2);
    seg_catalogue_free(catalogue);
}
END_TEST

START_TEST(errors_and_warnings_are_kept_apart)
{
    struct seg_catalogue *catalogue = NULL;
    struct buf warnings;
    const char *paths[] = {folder};
    buf_init(&warnings);
    write_file("a.seg", "segment a { when in segment c }");
    ck_assert_int_eq(segments_compile(&catalogue, paths, 1, &errors, &warnings),
                     SEG_ERR_SYNTAX);
    ck_assert_ptr_null(catalogue);
    ck_assert_ptr_nonnull(strstr(buf_string(&errors), "a.seg:1:"));
    buf_reset(&errors);
    write_file("a.seg", "segment a { when everyone }"); /* Has no test. */
    ck_assert_int_eq(segments_compile(&catalogue, paths, 1, &errors, &warnings),
                     0);
    ck_assert_str_eq(buf_string(&errors), "");
    ck_assert_ptr_nonnull(strstr(buf_string(&warnings), "warning:"));
    seg_catalogue_free(catalogue);
    buf_done(&warnings);
}
END_TEST

SUITE("segments", setup, teardown,
      TEST(a_folder_is_all_its_segment_files_in_order),
      TEST(a_file_that_is_named_may_have_any_name),
      TEST(an_empty_folder_and_an_empty_file_are_fine),
      TEST(what_cannot_be_read_is_named),
      TEST(a_folder_within_itself_is_an_error_and_ends),
      TEST(a_file_has_a_largest_size),
      TEST(all_files_together_are_one_catalogue),
      TEST(errors_and_warnings_are_kept_apart))
