/* check_names.c: the names of the events that have come in. */
#include "daemon/partition/names.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/solo.h"
#include "tests/support/suite.h"

static struct names names, others;

static void setup(void)
{
    names_init(&names, 100);
    names_init(&others, 200);
}

static void teardown(void)
{
    names_done(&names);
    names_done(&others);
}

static void see(struct names *to, const char *name, uint32_t id)
{
    const struct seg_event event = {
        .type = SEG_TRACK, .name = text_of(name), .name_id = id};
    names_see(to, &event);
}

static int has(const struct names *in, const char *name)
{
    return intern_find(&in->all, text_of(name)) != INTERN_NONE;
}

/* COUNT different names that no segment knows, each twice. */
static void see_strangers(uint32_t count)
{
    char name[20];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "Stranger %u", i);
        see(&names, name, SEG_NAME_NONE);
        see(&names, name, SEG_NAME_NONE);
    }
}

START_TEST(each_name_is_noted_once)
{
    see(&names, "Goal Used", 3);
    see(&names, "Goal Used", 3);
    see(&names, "Ape Fed", SEG_NAME_NONE);
    see(&names, "Ape Fed", SEG_NAME_NONE);
    ck_assert_uint_eq(names.all.count, 2);
    ck_assert(has(&names, "Goal Used") && has(&names, "Ape Fed"));
    ck_assert(!names.full);
}
END_TEST

static const struct limit {
    uint32_t count;
    int full;
} limits[] = {{NAMES_STRANGERS_MAX - 1, 0},
              {NAMES_STRANGERS_MAX, 0},
              {NAMES_STRANGERS_MAX + 1, 1}};

/* What no segment names is left out beyond it, and only that. */
START_TEST(strangers_have_a_limit)
{
    const struct limit *limit = &limits[_i];
    see_strangers(limit->count);
    ck_assert_int_eq(names.full, limit->full);
    ck_assert_uint_eq(names.strangers,
                      limit->full ? NAMES_STRANGERS_MAX : limit->count);
    see(&names, "Goal Used", 3);
    ck_assert(has(&names, "Goal Used"));
}
END_TEST

START_TEST(a_stranger_may_be_wanted_later)
{
    see(&names, "Ape Fed", SEG_NAME_NONE);
    see(&names, "Ape Fed", 7);
    ck_assert_uint_eq(names.all.count, 1);
}
END_TEST

START_TEST(together_they_are_as_good_as_the_worse)
{
    see(&names, "A", 1);
    see(&names, "B", 2);
    see(&others, "B", 2);
    see(&others, "C", SEG_NAME_NONE);
    ck_assert_int_eq(names_merge(&names, &others), 0);
    ck_assert_uint_eq(names.all.count, 3);
    ck_assert_int_eq(names.since_ms, 200);
    ck_assert(!names.full);
    others.full = 1;
    ck_assert_int_eq(names_merge(&names, &others), 0);
    ck_assert(names.full);
}
END_TEST

START_TEST(a_partition_notes_what_comes_in)
{
    struct solo solo;
    solo_init(&solo, 1);
    solo.options.names = &names;
    solo_start(&solo);
    solo_settle(&solo);
    for (int i = 0; i < 3; i++) {
        solo_track(&solo, 0, "u", "A", 2 * i);
        solo_track(&solo, 0, "u", "Never Asked For", 2 * i + 1);
    }
    solo_settle(&solo);
    ck_assert(has(&names, "A") && has(&names, "Never Asked For"));
    ck_assert_uint_eq(names.all.count, 2);
    ck_assert_uint_eq(names.wanted, 1);
    solo_done(&solo);
}
END_TEST

SUITE("names", setup, teardown, TEST(each_name_is_noted_once),
      TABLE(strangers_have_a_limit, limits),
      TEST(a_stranger_may_be_wanted_later),
      TEST(together_they_are_as_good_as_the_worse),
      TEST(a_partition_notes_what_comes_in))
