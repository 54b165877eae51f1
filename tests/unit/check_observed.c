/* check_observed.c: the catalogue record of a partition, byte by byte, there
 * and back: what is watched since when. */
#include <stdio.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

static struct regime regime;
static struct seg_error detail;
static char bytes[4096]; /* The record under test. */
static size_t len;

static void setup(void)
{
    detail = (struct seg_error){0};
}

static void teardown(void)
{
    regime_end(&regime);
}

static void take_record(void)
{
    struct seg_text record;
    ck_assert_int_eq(seg_engine_catalogue_record(regime.engine, &record), 0);
    ck_assert_uint_le(record.len, sizeof(bytes));
    memcpy(bytes, record.bytes, record.len);
    len = record.len;
}

/* Make the sum of the record right. */
static void seal(void)
{
    uint64_t sum = hash_bytes(bytes, len - 8, 0);
    for (int i = 0; i < 8; i++)
        bytes[len - 8 + (size_t)i] = (char)(sum >> 8 * i);
}

/* What a new engine of CATALOGUE says to it; *ENGINE gets that. */
static int read_record(const struct seg_catalogue *catalogue,
                       struct seg_engine **engine)
{
    detail = (struct seg_error){0};
    *engine = regime_engine(catalogue, seg_engine_clock(regime.engine));
    int ret = seg_engine_restore_catalogue(
        *engine, bytes, len, regime.positions, INT64_MIN, &detail);
    if (ret < 0)
        ck_assert_int_eq(detail.code, ret);
    return ret;
}

static int try_record(const struct seg_catalogue *catalogue)
{
    struct seg_engine *engine;
    int ret = read_record(catalogue, &engine);
    seg_engine_free(engine);
    return ret;
}

/* ---- byte by byte ------------------------------------------------------- */

static const char first_text[] = "segment g { when did \"E\" in 7d }\n"
                                 "segment old { when user.plan = \"pro\" }\n";
static const char second_text[] =
    "segment g { when did \"E\" at least 2 times in 7d }\n"
    "segment h {\n"
    "  when did \"E\" and user.plan = \"pro\" and account.address.zip = \"1\"\n"
    "}\n";

/* What segment files, hashes or the library look like may change; these bytes
 * may not, as long as the version is 1: they stand on people's state topics. */
static const struct {
    const char *what, *hex;
} golden[] = {
    {"version", "01"},
    {"hash of the catalogue", "ec10da57b8c7db14"},
    {"epoch 2, not swept", "02 00"},
    {"topics", "02"},
    {"  app", "20c70f1af4726c5f"},
    {"  web", "1f2dfebcd08afd22"},
    {"epochs", "01"},
    {"  2, since 25 h, app 200, web 1", "02 803eafc78c010000 c801 01"},
    {"features", "02"},
    {"  E in 7d: since 2, of 1 event kept before, 2 now",
     "353ee444aa8aa99b 02 01 02"},
    {"  E: since 2, of none, 1 now", "0a2515fe62b38e63 02 00 01"},
    {"attributes", "02"},
    {"  user.plan: from the start", "3c312ac5fdb8c102 00"},
    {"  account.address.zip: since 2", "617420df052d89b5 02"},
    {"segments", "03"},
    {"  g, h, old", "01 67 01 68 03 6f6c64"},
    {"sum", "924fe2e7ca60871e"},
};

static void begin_golden(void)
{
    regime_begin(&regime, first_text);
    regime.positions[0] = 199;
    regime_did(&regime, 25, "u", "E");
    regime.positions[1] = 1;
    regime_adopt(&regime, second_text, 1);
    seg_engine_set_state_version(regime.engine, 1);
}

START_TEST(a_record_is_what_observed_h_says)
{
    size_t at = 0;
    begin_golden();
    take_record();
    for (int i = 0; i < COUNT(golden); i++)
        for (const char *hex = golden[i].hex; *hex; at++) {
            unsigned byte;
            int used;
            ck_assert_int_eq(sscanf(hex, " %2x%n", &byte, &used), 1);
            ck_assert_msg(at < len && (uint8_t)bytes[at] == byte,
                          "differs at byte %zu: %s", at, golden[i].what);
            hex += used;
        }
    ck_assert_uint_eq(at, len);
}
END_TEST

/* ---- there and back ----------------------------------------------------- */

static const char xs[] = "segment x { when did \"X\" }\n";
static const char ys[] = "segment y { when did \"Y\" in 7d and user.a = 1 }\n";
static const char zs[] = "segment x { when did \"X\" }\n"
                         "segment z { when days_since(last \"Z\") > 3 }\n";

/* Catalogues one after the other, a day apart. */
static const struct {
    const char *texts[4];
    uint32_t epochs; /* That something is observed since. */
} histories[] = {
    {{xs}, 0},
    {{xs, ys}, 1},
    {{xs, zs}, 1},
    {{xs, zs, xs}, 0},
    {{xs, zs, ys}, 1},
    {{zs, xs, zs}, 1},
    {{ys, zs, ys}, 1},
    {{xs, ys, zs, ys}, 1},
    {{ys, xs, zs}, 2},
    {{first_text, second_text}, 1},
    {{second_text, first_text}, 0},
};

static void live_through(int i)
{
    regime_begin(&regime, histories[i].texts[0]);
    for (int day = 0; day < 4 && histories[i].texts[day]; day++) {
        if (day)
            regime_adopt(&regime, histories[i].texts[day], 1);
        if (day == 1)
            regime_sweep(&regime, 100);
        regime_did(&regime, 24 * day + 1, "u", "X");
        regime_did(&regime, 24 * day + 2, "v", "Y");
        regime_pass(&regime, 24 * day + 23);
    }
}

START_TEST(a_record_comes_back_as_it_was)
{
    struct seg_engine *again;
    struct seg_text record;
    live_through(_i);
    take_record();
    ck_assert_uint_eq(regime.engine->observed.warming.epoch_count == 0,
                      histories[_i].epochs == 0);
    ck_assert_int_eq(read_record(regime.catalogue, &again), 0);
    ck_assert_uint_eq(again->observed.warming.epoch_count,
                      histories[_i].epochs);
    ck_assert_int_eq(
        seg_engine_restore_finish(again, seg_engine_clock(regime.engine), 10),
        0);
    ck_assert_uint_eq(again->observed.epoch, regime.engine->observed.epoch);
    ck_assert_int_eq(seg_engine_swept(again), seg_engine_swept(regime.engine));
    ck_assert_int_eq(seg_engine_catalogue_record(again, &record), 0);
    ck_assert_uint_eq(record.len, len);
    ck_assert_mem_eq(record.bytes, bytes, len);
    seg_engine_free(again);
}
END_TEST

/* The seeds of fuzz_catalogue_record: the record without its sum, read by
 * either of its catalogues. */
START_TEST(seeds_are_kept_if_asked_for)
{
    struct buf buf;
    static const char *const names[] = {"first", "second"};
    regime_begin(&regime, small_world_text);
    regime_pass(&regime, 5);
    for (int i = 0; i < COUNT(names); i++) {
        take_record();
        buf_init(&buf);
        buf_u8(&buf, (uint8_t)(2 + i));
        buf_add(&buf, bytes, len - 8);
        small_world_keep(&buf, names[i]);
        buf_done(&buf);
        regime_adopt(&regime,
                     "segment exporters {\n"
                     "  when did \"Report Exported\" at least 5 times in 7d\n"
                     "}\n"
                     "segment quiet { when did not any in 2d }\n",
                     1);
    }
    ck_assert_uint_gt(len, 100);
}
END_TEST

/* ---- what is no record -------------------------------------------------- */

START_TEST(no_part_of_a_record_is_one)
{
    begin_golden();
    take_record();
    for (size_t whole = len; len > 0;) {
        len--;
        ck_assert_msg(try_record(regime.catalogue) == SEG_ERR_RECORD,
                      "%zu of %zu bytes", len, whole);
    }
    ck_assert_str_eq(detail.message, "catalogue record of 0 bytes is broken");
}
END_TEST

START_TEST(a_record_with_a_byte_changed_is_none)
{
    begin_golden();
    take_record();
    for (size_t i = 1; i < len; i++) {
        bytes[i] ^= 1;
        ck_assert_msg(try_record(regime.catalogue) == SEG_ERR_RECORD,
                      "byte %zu", i);
        bytes[i] ^= 1;
    }
    bytes[len++] = 0;
    ck_assert_int_eq(try_record(regime.catalogue), SEG_ERR_RECORD);
}
END_TEST

/* Whatever is accepted leaves an engine that can live and be written. */
START_TEST(a_record_with_a_byte_changed_and_a_right_sum_does_no_harm)
{
    static const uint8_t values[] = {0, 1, 2, 0x7f, 0x80, 0xff};
    begin_golden();
    take_record();
    for (size_t i = 0; i < (len - 8) * COUNT(values); i++) {
        struct seg_engine *engine;
        char *byte = &bytes[i / COUNT(values)], old = *byte;
        *byte = (char)values[i % COUNT(values)];
        seal();
        int ret = read_record(regime.catalogue, &engine);
        ck_assert(ret == 0 || ret == SEG_ERR_RECORD ||
                  ret == SEG_ERR_RECORD_VERSION);
        if (ret == 0) {
            struct seg_text record;
            ck_assert_int_eq(
                seg_engine_restore_finish(engine, SMALL_WORLD_START_MS, 10), 0);
            ck_assert_int_eq(seg_engine_catalogue_record(engine, &record), 0);
            ck_assert_int_eq(seg_engine_sweep(engine, 10), 0);
            ck_assert_int_eq(
                seg_engine_advance(engine, SMALL_WORLD_START_MS + DAY_MS, 10),
                0);
        }
        seg_engine_free(engine);
        *byte = old;
    }
}
END_TEST

static const struct {
    uint8_t version;
    int error;
} versions[] = {
    {0, SEG_ERR_RECORD},
    {1, 0},
    {2, 0},
    {SEG_STATE_VERSION + 1, SEG_ERR_RECORD_VERSION},
    {255, SEG_ERR_RECORD_VERSION},
};

START_TEST(a_newer_version_is_told_from_a_broken_record)
{
    begin_golden();
    if (versions[_i].version == 2)
        seg_engine_set_state_version(regime.engine, 2);
    take_record();
    bytes[0] = (char)versions[_i].version;
    seal();
    ck_assert_int_eq(try_record(regime.catalogue), versions[_i].error);
}
END_TEST

/* It says that it is of this catalogue, and does not know all of that. */
START_TEST(a_record_that_misses_a_source_of_its_catalogue_is_broken)
{
    uint64_t hash;
    begin_golden();
    hash = regime.engine->plan->hash;
    regime_adopt(&regime, first_text, 1);
    take_record();
    struct seg_catalogue *second = small_world_compile(second_text);
    ck_assert_int_eq(try_record(second), 0);
    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (char)(hash >> 8 * i);
    seal();
    ck_assert_int_eq(try_record(second), SEG_ERR_RECORD);
    seg_catalogue_free(second);
}
END_TEST

/* Where `epoch 2` of the golden record is, and that of its one entry. */
enum { EPOCH_AT = 9, ENTRY_AT = 29 };

START_TEST(an_epoch_of_catalogues_to_come_is_broken)
{
    static const struct {
        uint8_t epoch, entry;
        int error;
    } rows[] = {{2, 2, 0},
                {2, 1, 0},
                {2, 3, SEG_ERR_RECORD},
                {1, 2, SEG_ERR_RECORD},
                {0, 1, SEG_ERR_RECORD},
                {2, 0, SEG_ERR_RECORD}};
    begin_golden();
    take_record();
    struct seg_catalogue *first = small_world_compile(first_text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert(i || (bytes[EPOCH_AT] == 2 && bytes[ENTRY_AT] == 2));
        bytes[EPOCH_AT] = (char)rows[i].epoch;
        bytes[ENTRY_AT] = (char)rows[i].entry;
        seal();
        ck_assert_int_eq(try_record(first), rows[i].error);
        ck_assert_int_eq(try_record(regime.catalogue), rows[i].error);
    }
    seg_catalogue_free(first);
}
END_TEST

/* ---- epochs ------------------------------------------------------------- */

static uint32_t epoch_of(const struct seg_engine *engine, uint32_t source)
{
    const struct warming *warming = &engine->observed.warming;
    uint32_t index = warming->of_source[source];
    return index ? warming->epochs[index - 1].number : 0;
}

START_TEST(another_catalogue_begins_an_epoch_at_its_positions)
{
    struct seg_engine *next;
    struct seg_catalogue *second = small_world_compile(second_text);
    regime_begin(&regime, first_text);
    take_record();
    regime.positions[0] = 7;
    regime.positions[1] = 8;
    ck_assert_int_eq(read_record(second, &next), 0);
    ck_assert_uint_eq(next->observed.epoch, 2);
    ck_assert(!seg_engine_swept(next));
    ck_assert_int_eq(
        seg_engine_restore_finish(next, SMALL_WORLD_START_MS + 5, 10), 0);
    const struct warming *warming = &next->observed.warming;
    ck_assert_uint_eq(warming->epoch_count, 1);
    ck_assert_uint_eq(warming->epochs[0].number, 2);
    ck_assert_int_eq(warming->epochs[0].since_ms, SMALL_WORLD_START_MS + 5);
    ck_assert_int_eq(warming->epochs[0].positions[0], 7);
    ck_assert_int_eq(warming->epochs[0].positions[1], 8);
    seg_engine_free(next);
    seg_catalogue_free(second);
}
END_TEST

START_TEST(what_is_left_out_and_read_again_begins_anew)
{
    regime_begin(&regime, zs);
    regime_adopt(&regime, xs, 1);
    ck_assert_uint_eq(epoch_of(regime.engine, 0), 0);
    regime_adopt(&regime, zs, 1);
    for (uint32_t i = 0; i < regime.engine->plan->feature_count; i++) {
        enum feature_kind kind = regime.engine->plan->features[i].kind;
        ck_assert_uint_eq(epoch_of(regime.engine, i),
                          kind == FEATURE_LAST_TIME ? 3 : 0);
    }
}
END_TEST

/* A window is warm when it has passed; what goes back for ever never is. */
START_TEST(what_is_warm_is_pruned)
{
    int windows = 0, others = 0;
    regime_begin(&regime, xs);
    regime_pass(&regime, 1);
    regime_adopt(
        &regime,
        "segment w { when did \"W\" in 1d and last(\"W\", p) in 1d = 1\n"
        "  and did \"V\" in 2d }\n"
        "segment f { when did \"F\" }\n"
        "segment a { when user.a = 1 }\n",
        1);
    for (int day = 0; day < 4; day++) {
        regime_pass(&regime, 24 * day + 1 - 1.0 / 3600000);
        take_record(); /* Prunes. */
        const struct seg_engine *engine = regime.engine;
        for (uint32_t s = 0; s < engine->plan->source_count; s++) {
            const struct feature *feature = &engine->plan->features[s];
            int window = s < engine->plan->feature_count &&
                         feature->from_ms != FEATURE_LIFETIME;
            int warm = window && (day - 1) * DAY_MS >= feature->from_ms;
            ck_assert_uint_eq(epoch_of(engine, s), warm ? 0 : 2);
            windows += warm;
            others += !window;
        }
    }
    ck_assert_int_eq(windows, 2 * 2 + 1);
    ck_assert_int_eq(others, 4 * 2);
    ck_assert_uint_eq(regime.engine->observed.warming.end_count, 0);
    ck_assert_uint_eq(regime.engine->observed.warming.epoch_count, 1);
}
END_TEST

/* ---- topics, users ------------------------------------------------------ */

START_TEST(positions_are_found_by_the_name_of_their_topic)
{
    static const char *const topics[] = {"api", "web"};
    struct seg_engine_options options;
    struct seg_engine *other;
    begin_golden();
    take_record();
    options = small_world_options(regime.catalogue);
    options.topics = topics;
    ck_assert_int_eq(seg_engine_new(&other, &options), 0);
    ck_assert_int_eq(seg_engine_restore_catalogue(other, bytes, len,
                                                  regime.positions, INT64_MIN,
                                                  &detail),
                     0);
    const struct warming_epoch *epoch = &other->observed.warming.epochs[0];
    ck_assert_int_eq(epoch->positions[0], 0); /* New: all of it is read. */
    ck_assert_int_eq(epoch->positions[1], 1);
    seg_engine_free(other);
}
END_TEST

START_TEST(a_user_of_a_catalogue_to_come_is_refused)
{
    struct buf user;
    struct seg_engine *other;
    buf_init(&user);
    regime_begin(&regime, first_text);
    take_record();
    regime_did(&regime, 25, "u", "E");
    regime_adopt(&regime, second_text, 1);
    small_world_record(regime.engine, store_at(&regime.engine->store, 0),
                       &user);
    regime_adopt(&regime, first_text, 1);
    other = regime_engine(regime.catalogue, SMALL_WORLD_START_MS);
    ck_assert_int_eq(
        seg_engine_restore_user(other, user.bytes, user.len, &detail), 0);
    ck_assert_int_eq(seg_engine_restore_catalogue(other, bytes, len,
                                                  regime.positions, INT64_MIN,
                                                  &detail),
                     SEG_ERR_RECORD);
    ck_assert_str_eq(detail.message, "a user was written under catalogue 2 of "
                                     "this partition, of which there were 1");
    seg_engine_free(other);
    buf_done(&user);
}
END_TEST

SUITE("observed", setup, teardown, TEST(a_record_is_what_observed_h_says),
      TABLE(a_record_comes_back_as_it_was, histories),
      TEST(seeds_are_kept_if_asked_for), TEST(no_part_of_a_record_is_one),
      TEST(a_record_with_a_byte_changed_is_none),
      TEST(a_record_with_a_byte_changed_and_a_right_sum_does_no_harm),
      TABLE(a_newer_version_is_told_from_a_broken_record, versions),
      TEST(a_record_that_misses_a_source_of_its_catalogue_is_broken),
      TEST(an_epoch_of_catalogues_to_come_is_broken),
      TEST(another_catalogue_begins_an_epoch_at_its_positions),
      TEST(what_is_left_out_and_read_again_begins_anew),
      TEST(what_is_warm_is_pruned),
      TEST(positions_are_found_by_the_name_of_their_topic),
      TEST(a_user_of_a_catalogue_to_come_is_refused))
