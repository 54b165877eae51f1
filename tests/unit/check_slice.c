/* check_slice.c: users taken out of a real engine, some at a time. */
#include "daemon/redis/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/seg.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

#define SEGMENTS 80 /* More than fit on the stack of slice.c. */
#define NOW_MS   INT64_C(1700000000000)

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct seg_decoder *decoder;
static int users;

/* Segment s<k> has everybody who did "A" at least k times, for k below
 * SEGMENTS. */
static void setup(void)
{
    struct seg_diagnostics *diagnostics;
    struct buf text;
    const char *topic = "in";
    buf_init(&text);
    for (int k = 1; k <= SEGMENTS; k++)
        buf_printf(&text,
                   "segment s%02d { when did \"A\" at least %d times }\n", k,
                   k);
    struct seg_source source = {"s.seg", buf_string(&text), text.len};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&catalogue, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
    buf_done(&text);
    struct seg_engine_options options = {
        .catalogue = catalogue, .topic_count = 1, .topics = &topic};
    ck_assert_int_eq(seg_engine_new(&engine, &options), 0);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    seg_engine_advance(engine, NOW_MS, 1000);
    users = 0;
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

/* Another user, who did "A" TIMES times. */
static void add_user(int times)
{
    static int64_t offset;
    char json[200];
    struct seg_event event;
    for (int i = 0; i < (times ? times : 1); i++) {
        int len =
            snprintf(json, sizeof(json),
                     "{\"type\":\"track\",\"event\":\"%s\",\"userId\":\"u%d\"}",
                     times ? "A" : "B", users);
        ck_assert_int_eq(seg_decode(decoder, json, (size_t)len, &event, NULL),
                         0);
        struct seg_origin origin = {0, offset++, NOW_MS};
        ck_assert_int_eq(seg_engine_apply(engine, &event, &origin), 0);
        seg_engine_outputs_clear(engine);
        seg_decoder_reset(decoder);
    }
    users++;
}

static struct seg_text word(const struct link *link,
                            const struct link_word *words, size_t i)
{
    return (struct seg_text){link->bytes.bytes + words[i].at, words[i].len};
}

/* The next slice after CURSOR, counted into SEEN by user; checks each step.
 * Returns whether there are more. */
static int take(uint64_t *cursor, int *seen, int *memberships)
{
    static const struct link_marker marker = {"R1.0"};
    struct slice *slice;
    size_t clears = 0;
    ck_assert_int_eq(slice_new(&slice, "app", 3), 0);
    slice->cursor = *cursor;
    link_guard(&slice->link, 3, &marker);
    slice_fill(slice, engine);
    const struct link *link = &slice->link;
    ck_assert_int_eq(link->failed, 0);
    for (size_t i = 0; i < link_steps(link); i++) {
        char key[64];
        struct seg_text text = word(link, link->keys, i + 1);
        snprintf(key, sizeof(key), "%.*s", (int)text.len, text.bytes);
        ck_assert_msg(!strncmp(key, "app:user:u", 10), "key %s", key);
        int user = atoi(key + 10);
        if (!word(link, link->values, 2 * i).len) {
            ck_assert_msg(slice->users[clears] == slice_hash(text_of(key + 9)),
                          "hash of %s", key);
            seen[user]++;
            clears++;
        } else {
            /* Steps of a user follow his clear. */
            ck_assert_msg(seen[user] > 0, "%s is put before he is cleared",
                          key);
            ck_assert_int_eq(word(link, link->values, 2 * i + 1).len, 13);
            (*memberships)++;
        }
    }
    ck_assert_int_eq(clears, slice->count);
    ck_assert_int_le(slice->count, SLICE_USERS_MAX);
    *cursor = slice->cursor;
    int more = slice->more;
    slice_free(slice);
    return more;
}

START_TEST(everybody_is_in_a_slice_once_though_others_come)
{
    static int seen[6 * SLICE_USERS_MAX];
    uint64_t cursor = 0;
    int memberships = 0, more = 1;
    while (users < 2 * SLICE_USERS_MAX + 5)
        add_user(users % 3);
    int before = users;
    for (int slices = 0; more; slices++) {
        ck_assert_int_lt(slices, 6);
        more = take(&cursor, seen, &memberships);
        for (int i = 0; i < 300 && slices < 3; i++)
            add_user(0);
    }
    for (int i = 0; i < before; i++)
        ck_assert_msg(seen[i] == 1, "user %d is seen %d times", i, seen[i]);
    ck_assert_int_eq(memberships, before / 3 * 3 + (before % 3 == 2));
}
END_TEST

START_TEST(users_of_many_segments_make_short_slices)
{
    static int seen[SLICE_USERS_MAX];
    uint64_t cursor = 0;
    int memberships = 0, slices = 1;
    while (users < SLICE_USERS_MAX - 10)
        add_user(SEGMENTS);
    while (take(&cursor, seen, &memberships))
        slices++;
    ck_assert_int_eq(memberships, users * SEGMENTS);
    ck_assert_int_eq(slices, users * (SEGMENTS + 1) / SLICE_STEPS_MAX + 1);
}
END_TEST

START_TEST(an_engine_without_users_makes_an_empty_slice)
{
    uint64_t cursor = 0;
    int memberships = 0;
    ck_assert_int_eq(take(&cursor, NULL, &memberships), 0);
    ck_assert_int_eq(memberships, 0);
}
END_TEST

SUITE("slice", setup, teardown,
      TEST(everybody_is_in_a_slice_once_though_others_come),
      TEST(users_of_many_segments_make_short_slices),
      TEST(an_engine_without_users_makes_an_empty_slice))
