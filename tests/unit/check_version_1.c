/* check_version_1.c: the records of tests/data/version-1, which a build wrote
 * that knew no more than counts, first and last values (state version 1).
 *
 * It had lived through tests/support/small_world.h: a user who did the same under
 * today's build says who they must be. Under a catalogue with segments of all
 * kinds they stay who they were, what is new is unknown of them, and they are
 * written as of the version that has room for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/support/everything.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

#define FOLDER "tests/data/version-1/"
/* When they were written: gus had visited 257 times by then. */
#define CLOCK_MS (SMALL_WORLD_START_MS + INT64_C(1056) * HOUR_MS / 10)

static struct seg_catalogue *small, *large;
static struct buf file, large_text;

static void setup(void)
{
    buf_init(&file);
    buf_init(&large_text);
    buf_str(&large_text, small_world_text);
    buf_str(&large_text, everything_text);
    small = small_world_catalogue();
    large = small_world_compile(buf_string(&large_text));
}

static void teardown(void)
{
    seg_catalogue_free(small);
    seg_catalogue_free(large);
    buf_done(&file);
    buf_done(&large_text);
}

static void read_file(const char *name)
{
    char path[256], bytes[4096];
    size_t len;
    snprintf(path, sizeof(path), FOLDER "%s", name);
    FILE *from = fopen(path, "rb");
    ck_assert_msg(from != NULL, "%s", path);
    buf_reset(&file);
    while ((len = fread(bytes, 1, sizeof(bytes), from)) > 0)
        buf_add(&file, bytes, len);
    fclose(from);
    ck_assert_int_eq(file.bytes[0], 1);
}

/* The sum behind the catalogue record: it is kept without. */
static void seal(void)
{
    uint64_t sum = hash_bytes(file.bytes, file.len, 0);
    for (int i = 0; i < 8; i++)
        buf_u8(&file, (uint8_t)(sum >> 8 * i));
}

/* The USER of a record, with what a catalogue record says is OBSERVED of whom,
 * under CATALOGUE. */
static struct seg_engine *restored_from(const struct seg_catalogue *catalogue,
                                        const struct buf *user,
                                        struct seg_text observed)
{
    static const int64_t positions[] = {1000, 1000};
    struct seg_engine *engine = small_world_engine(catalogue);
    ck_assert_int_eq(
        seg_engine_restore_user(engine, user->bytes, user->len, NULL), 0);
    ck_assert_int_eq(seg_engine_restore_catalogue(engine, observed.bytes,
                                                  observed.len, positions,
                                                  CLOCK_MS, NULL),
                     0);
    ck_assert_int_eq(seg_engine_restore_finish(engine, CLOCK_MS, 10), 0);
    ck_assert(user_validate(store_at(&engine->store, 0)));
    return engine;
}

/* User NAME as the records of version 1 have him. */
static struct seg_engine *restored(const struct seg_catalogue *catalogue,
                                   const char *name)
{
    struct buf user;
    buf_init(&user);
    read_file(name);
    buf_add(&user, file.bytes, file.len);
    read_file("catalogue");
    seal();
    struct seg_engine *engine = restored_from(
        catalogue, &user, (struct seg_text){file.bytes, file.len});
    buf_done(&user);
    return engine;
}

/* SEGMENT as it is explained of user ID: the tree with its values, due instants
 * and since when. */
static char *explained(const struct seg_engine *engine, const char *id,
                       const char *segment)
{
    struct seg_explanation *why;
    int index = seg_catalogue_segment_index(engine->options.catalogue, segment);
    ck_assert_msg(index >= 0, "%s", segment);
    ck_assert_int_eq(
        seg_explain(&why, engine, seg_user_find(engine, text_of(id)), index),
        0);
    char *text = seg_explanation_text(why);
    seg_explanation_free(why);
    ck_assert_ptr_nonnull(text);
    return text;
}

static void expect_same(const struct seg_engine *got,
                        const struct seg_engine *want, const char *id)
{
    for (int i = 0; i < seg_catalogue_segment_count(small); i++) {
        struct seg_segment_info info;
        seg_catalogue_segment(small, i, &info);
        char *a = explained(got, id, info.key);
        char *b = explained(want, id, info.key);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
    }
}

static void put_attribute(void *arg, const struct seg_attribute *attribute)
{
    struct buf *to = arg;
    buf_char(to, ' ');
    buf_text(to, attribute->name);
    buf_char(to, '=');
    buf_json_value(to, &attribute->value);
}

/* Memberships with their instants, account and attributes of user ID. */
static void put_user(const struct seg_engine *engine, const char *id,
                     struct buf *to)
{
    struct seg_membership in[64];
    struct seg_user_info info;
    const struct seg_user *user = seg_user_find(engine, text_of(id));
    int count = seg_user_memberships(engine, user, in, COUNT(in));
    for (int i = 0; i < count; i++)
        buf_printf(to, "%.*s@%.1f ", (int)in[i].key.len, in[i].key.bytes,
                   (double)(in[i].entered_at_ms - SMALL_WORLD_START_MS) /
                       (double)HOUR_MS);
    seg_user_info(engine, user, &info);
    buf_text(to, info.account);
    seg_user_attributes(engine, user, put_attribute, to);
}

START_TEST(he_is_who_he_was)
{
    struct seg_engine *lived = small_world_engine(small);
    struct seg_engine *read = restored(small, "user-ada");
    struct buf got, want;
    buf_init(&got);
    buf_init(&want);
    small_world_run(lived, small);
    ck_assert_int_eq(seg_engine_advance(lived, CLOCK_MS, 1000), 0);
    put_user(lived, "ada", &want);
    put_user(read, "ada", &got);
    ck_assert_str_eq(buf_string(&got), buf_string(&want));
    expect_same(read, lived, "ada");
    buf_done(&got);
    buf_done(&want);
    seg_engine_free(lived);
    seg_engine_free(read);
}
END_TEST

/* The same in words, so that the two cannot be wrong alike. */

/* The same in words, so that the two cannot be wrong alike; and of gus, of whom
 * more is known than is kept one by one. */
static const struct {
    const char *file, *id, *memberships;
    const char *segment, *explained;
} told[] = {
    {"user-ada", "ada",
     "ads@1.0 beta@0.0 ever@3.0 exporters@26.0 friends@52.0 from_ad@1.0 "
     "lapsed@50.0 oslo@0.0 paying@52.0 quiet@77.0 stale@101.0 trial@48.0 "
     "unhappy@30.0 visits_by_mail@20.0 visits_somehow@20.0 "
     "well_known_plan@0.0 later ",
     "unhappy", "is 4.5"},
    {"user-ada", "ada", "", "exporters", "-- is 3, needs at least 3, "},
    {"user-gus", "gus", "fresh@80.0 friends@80.3 ", "lapsed",
     "may change at 2024-01-06T07:30:00.000Z"},
};

START_TEST(what_he_did_is_known)
{
    struct seg_engine *read = restored(small, told[_i].file);
    struct buf got;
    buf_init(&got);
    put_user(read, told[_i].id, &got);
    ck_assert_msg(!strncmp(buf_string(&got), told[_i].memberships,
                           strlen(told[_i].memberships)),
                  "%s", buf_string(&got));
    char *text = explained(read, told[_i].id, told[_i].segment);
    ck_assert_msg(strstr(text, told[_i].explained) != NULL, "%s", text);
    free(text);
    buf_done(&got);
    seg_engine_free(read);
}
END_TEST

/* What was observed before is, what is new is unknown: nobody comes or goes
 * because of it. */
START_TEST(new_kinds_take_nothing_away)
{
    struct seg_engine *before = restored(small, "user-ada");
    struct seg_engine *after = restored(large, "user-ada");
    size_t count;
    while (seg_engine_sweep(after, 10))
        ;
    const struct seg_output *out = seg_engine_outputs(after, &count);
    for (size_t i = 0; i < count; i++) /* Traits, and what her name decides. */
        ck_assert_msg(out[i].kind == SEG_OUTPUT_TRAITS ||
                          text_equal(out[i].segment_key, text_of("share")),
                      "%.*s", (int)out[i].segment_key.len,
                      out[i].segment_key.bytes);
    expect_same(after, before, "ada");
    char *text = explained(after, "ada", "sums");
    ck_assert_msg(strstr(text, "observed since 2024-01-05") != NULL, "%s",
                  text);
    free(text);
    seg_engine_free(before);
    seg_engine_free(after);
}
END_TEST

/* And back again, with nothing missing. */
START_TEST(he_is_written_as_of_the_version_that_is_needed)
{
    const struct seg_catalogue *catalogues[] = {small, large};
    struct seg_engine *before = restored(small, "user-ada");
    struct seg_engine *read = restored(catalogues[_i], "user-ada");
    struct buf record, got, want;
    buf_init(&record);
    buf_init(&got);
    buf_init(&want);
    seg_engine_set_state_version(read, 1);
    small_world_record(read, store_at(&read->store, 0), &record);
    ck_assert_int_eq(record.bytes[0], _i ? 2 : 1);
    struct seg_text observed;
    ck_assert_int_eq(seg_engine_catalogue_record(read, &observed), 0);
    ck_assert_int_eq(observed.bytes[0], _i ? 2 : 1);
    struct seg_engine *back = restored_from(small, &record, observed);
    put_user(before, "ada", &want);
    put_user(back, "ada", &got);
    ck_assert_str_eq(buf_string(&got), buf_string(&want));
    expect_same(back, before, "ada");
    buf_done(&record);
    buf_done(&got);
    buf_done(&want);
    seg_engine_free(before);
    seg_engine_free(read);
    seg_engine_free(back);
}
END_TEST

SUITE("version_1", setup, teardown, TEST(he_is_who_he_was),
      TABLE(what_he_did_is_known, told), TEST(new_kinds_take_nothing_away),
      TIMES(he_is_written_as_of_the_version_that_is_needed, 2))
