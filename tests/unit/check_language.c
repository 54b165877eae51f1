/* check_language.c: the examples of the language, all in one file: they parse,
 * check, and have one spelling. tests/data/language.seg is written as people
 * write, tests/data/language.formatted.seg as `segmentctl fmt` does. */
#include <seg/catalogue.h>

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/segment/parse.h"
#include "tests/support/rule_dump.h"
#include "tests/support/suite.h"

#define WRITTEN   "tests/data/language.seg"
#define FORMATTED "tests/data/language.formatted.seg"

static struct seg_diagnostics *diagnostics;
static struct buf written, formatted;

static void read_file(struct buf *into, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t got = 1;
    ck_assert_msg(file != NULL, "cannot open %s", path);
    buf_init(into);
    while (got) {
        char *room = buf_reserve(into, 65536);
        ck_assert_ptr_nonnull(room);
        got = fread(room, 1, 65536, file);
        into->len += got;
    }
    fclose(file);
}

static void setup(void)
{
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    read_file(&written, WRITTEN);
    read_file(&formatted, FORMATTED);
}

static void teardown(void)
{
    seg_diagnostics_free(diagnostics);
    buf_done(&written);
    buf_done(&formatted);
}

/* The tree of TEXT but its comments. */
static void dump(struct buf *into, struct buf *text)
{
    struct rules rules;
    struct seg_source source = {"a.seg", buf_string(text), text->len};
    rules_init(&rules);
    ck_assert_int_eq(parse_source(&rules, &source, diagnostics), 0);
    rules.comment_count = 0;
    dump_rules(into, &rules);
    rules_done(&rules);
}

START_TEST(the_examples_parse_and_mean_the_same_when_formatted)
{
    struct buf before, after;
    buf_init(&before);
    buf_init(&after);
    dump(&before, &written);
    dump(&after, &formatted);
    ck_assert_int_eq(seg_diagnostics_count(diagnostics), 0);
    ck_assert_str_eq(buf_string(&after), buf_string(&before));
    buf_done(&before);
    buf_done(&after);
}
END_TEST

START_TEST(the_examples_have_one_spelling)
{
    struct buf *files[] = {&written, &formatted};
    for (int i = 0; i < COUNT(files); i++) {
        struct seg_source source = {"a.seg", buf_string(files[i]),
                                    files[i]->len};
        char *text = NULL;
        ck_assert_int_eq(seg_format(&text, &source, diagnostics), 0);
        /* The first line says which file it is. */
        ck_assert_str_eq(strchr(text, '\n'),
                         strchr(buf_string(&formatted), '\n'));
        free(text);
    }
}
END_TEST

/* No errors; most have no test here. */
START_TEST(the_examples_check)
{
    struct seg_source source = {"a.seg", buf_string(&written), written.len};
    seg_catalogue_check(&source, 1, diagnostics);
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *said = seg_diagnostics_at(diagnostics, i);
        ck_assert_msg(said->severity != SEG_SEVERITY_ERROR, "line %d: %s",
                      said->line, said->message);
    }
}
END_TEST

SUITE("language", setup, teardown,
      TEST(the_examples_parse_and_mean_the_same_when_formatted),
      TEST(the_examples_have_one_spelling), TEST(the_examples_check))
