/* check_memory.c: how much memory the users of the process may take. */
#include "daemon/worker/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/base/process.h"
#include "tests/support/suite.h"

#define LINES_MAX 8

static struct memory *memory;
static char lines[LINES_MAX][LOG_LINE_MAX + 1];
static int line_count;
static char folder[64];

static void keep(void *arg, const char *line)
{
    (void)arg;
    ck_assert_int_lt(line_count, LINES_MAX);
    strcpy(lines[line_count++], line);
}

static void setup(void)
{
    line_count = 0;
    log_capture(keep, NULL);
    ck_assert_int_eq(memory_new(&memory, 1000, 2), 0);
    strcpy(folder, "/tmp/check_memory.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    memory_free(memory);
    log_capture(NULL, NULL);
}

/* What the two workers hold one after the other, and whether it is full then.
 */
static const struct {
    int worker, bytes, full;
} steps[] = {
    {0, 500, 0}, {1, 499, 0}, {1, 500, 1},  {0, 499, 1},  {0, 451, 1},
    {0, 450, 0}, {0, 451, 0}, {0, 499, 0},  {0, 501, 1},  {1, 0, 0},
    {1, 0, 0},   {0, 999, 0}, {0, 1000, 1}, {0, 1001, 1},
};

START_TEST(all_workers_together_reach_the_limit_and_need_some_room_again)
{
    int changes = 0, before = 0;
    for (int i = 0; i < COUNT(steps); i++) {
        const char *why = memory_note(memory, steps[i].worker, steps[i].bytes);
        ck_assert_msg((why != NULL) == steps[i].full &&
                          memory_is_full(memory) == steps[i].full,
                      "step %d: got %s", i, why ? why : "room");
        ck_assert(!why || strstr(why, "memory_max (1000 bytes)"));
        changes += before != steps[i].full;
        before = steps[i].full;
    }
    ck_assert_int_eq(line_count, changes);
    ck_assert_ptr_nonnull(strstr(lines[0], "error: memory_max is reached"));
    ck_assert_ptr_nonnull(strstr(lines[0], " bytes=1000 memory_max=1000 "));
    ck_assert_ptr_nonnull(strstr(lines[1], "info: there is memory again"));
}
END_TEST

START_TEST(both_workers_are_told_by_the_same_sentence)
{
    const char *why = memory_note(memory, 0, 1000);
    ck_assert_ptr_nonnull(why);
    ck_assert_ptr_eq(memory_note(memory, 1, 5), why);
}
END_TEST

START_TEST(without_a_limit_there_is_always_room)
{
    struct memory *none;
    ck_assert_int_eq(memory_new(&none, 0, 1), 0);
    ck_assert_ptr_null(memory_note(none, 0, INT64_MAX));
    ck_assert_int_eq(memory_is_full(none), 0);
    memory_free(none);
}
END_TEST

/* ---- the control group -------------------------------------------------- */

static void put(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/'));
         slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const struct {
    const char *member, *root, *upper, *own; /* NULL: no such file. */
    int64_t want;
} groups[] = {
    {"0::/a/b\n", NULL, "max\n", "1048576\n", 1048576},
    {"0::/a/b\n", NULL, "4096\n", "1048576\n", 4096},
    {"0::/a/b\n", "512\n", "4096\n", "max\n", 512},
    {"0::/a/b\n", NULL, "max\n", "max\n", 0},
    {"0::/a/b\n", NULL, NULL, NULL, 0},
    {"0::/\n", "8192\n", NULL, NULL, 8192},
    {"9:memory:/a/b\n0::/\n", NULL, "4096\n", "4096\n", 0},
    {"9:memory:/a/b\n", "512\n", "4096\n", "4096\n", 512},
    {NULL, NULL, "4096\n", "4096\n", 0},
};

START_TEST(the_least_of_all_groups_above_counts)
{
    char member[100], root[100];
    snprintf(member, sizeof(member), "%s/member", folder);
    snprintf(root, sizeof(root), "%s/groups", folder);
    if (groups[_i].member)
        put("member", groups[_i].member);
    if (groups[_i].root)
        put("groups/memory.max", groups[_i].root);
    if (groups[_i].upper)
        put("groups/a/memory.max", groups[_i].upper);
    if (groups[_i].own)
        put("groups/a/b/memory.max", groups[_i].own);
    ck_assert_int_eq(process_memory_max(member, root), groups[_i].want);
}
END_TEST

START_TEST(a_setting_wins_over_the_control_group)
{
    ck_assert_int_eq(memory_limit(4096), 4096);
    int64_t most = process_memory_max("/proc/self/cgroup", "/sys/fs/cgroup");
    ck_assert_int_eq(memory_limit(0), most / 4 * 3);
}
END_TEST

SUITE("memory", setup, teardown,
      TEST(all_workers_together_reach_the_limit_and_need_some_room_again),
      TEST(both_workers_are_told_by_the_same_sentence),
      TEST(without_a_limit_there_is_always_room),
      TABLE(the_least_of_all_groups_above_counts, groups),
      TEST(a_setting_wins_over_the_control_group))
