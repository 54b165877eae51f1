/* check_snapshot.c: the record of one user, byte by byte, there and back.
 *
 * With RECORDS=FOLDER in the environment the records that the tests make are
 * written there: the seeds of fuzz_user_record. They also prove that records of
 * earlier builds stay readable: a change of format must keep reading them. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/engine/snapshot.h"
#include "lib/user/attribute.h"
#include "lib/user/feature.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

#define SEEDS "tests/fuzz/corpus/fuzz_user_record"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct buf record;

static void setup(void)
{
    catalogue = small_world_catalogue();
    engine = small_world_engine(catalogue);
    buf_init(&record);
}

static void teardown(void)
{
    buf_done(&record);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

static int import(struct seg_engine *to, const char *bytes, size_t len)
{
    struct seg_error detail = {0};
    int ret = seg_engine_restore_user(to, bytes, len, &detail);
    if (ret < 0)
        ck_assert_int_eq(detail.code, ret);
    for (uint32_t i = 0; i < to->store.user_count; i++)
        ck_assert(user_validate(store_at(&to->store, i)));
    return ret;
}

static void expect_bytes(const struct buf *got, const char *want, size_t len)
{
    size_t at = 0;
    while (at < len && at < got->len && got->bytes[at] == want[at])
        at++;
    ck_assert_msg(got->len == len && at == len,
                  "differs at byte %zu; %zu bytes, want %zu", at, got->len,
                  len);
}

/* ---- byte by byte ------------------------------------------------------ */

/* All of a user who did everything once, in hexadecimal. What the segment
 * files, hashes or the library look like may change; these bytes may not, as
 * long as the version is 1: they stand on people's state topics. */
static const char golden_text[] =
    "segment g {\n"
    "  when did \"E\" at least 2 times in 7d\n"
    "  on enter trigger \"t\" once\n"
    "}\n"
    "segment h {\n"
    "  when user.plan = \"pro\" and did \"E\" and last(\"E\", p) = 1\n"
    "    and days_since(first \"E\") < 3 and account.size > 1\n"
    "}\n";

static const struct small_step golden_steps[] = {
    {0, 0,
     "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
     "\"messageId\":\"m\",\"properties\":{\"p\":-2}}"},
    {1, 1,
     "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
     "\"properties\":{\"p\":[\"a\",true,1.5,null]}}"},
    {2, 0,
     "{\"type\":\"identify\",\"userId\":\"u\","
     "\"traits\":{\"plan\":\"pro\",\"x\":true}}"},
    {3, 0,
     "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"acme\","
     "\"traits\":{\"size\":300}}"},
    {60, 0,
     "{\"type\":\"identify\",\"userId\":\"u\",\"messageId\":\"m\","
     "\"traits\":{\"plan\":null,\"y\":{}}}"},
    {60, 1, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\"}"},
};

static void make_golden(struct seg_engine *to, const struct seg_catalogue *of)
{
    struct seg_decoder *decoder;
    ck_assert_int_eq(seg_decoder_new(&decoder, of), 0);
    for (int i = 0; i < COUNT(golden_steps); i++)
        ck_assert_int_eq(
            small_world_apply(to, decoder, &golden_steps[i], 200 + i), 0);
    seg_decoder_free(decoder);
}

static const struct {
    const char *what, *hex;
} golden[] = {
    {"version", "01"},
    {"user id", "01 75"},
    {"topics", "02"},
    {"  app, position 1000", "20c70f1af4726c5f e803000000000000"},
    {"  web, position 1000", "1f2dfebcd08afd22 e803000000000000"},
    {"born by app, offset 200", "00 c801"},
    {"seq, trigger seq", "01 01"},
    {"last change: 1 h", "80e288c28c010000"},
    {"next look", "00da31cf8c010000"},
    {"epoch of the catalogue", "01"},
    {"memberships", "01 01"},
    {"  g, since 1 h", "97b6f9f2dde619aa 80e288c28c010000"},
    {"features", "02 04"},
    {"  E in 7d: window", "353ee444aa8aa99b 02"},
    {"    exact, 0 h and an hour later", "00 02 00f451c28c010000 80dddb01"},
    {"  E: tally of 2", "0a2515fe62b38e63 01 02"},
    {"  last(E, p)", "f4d72419c240cabd 06"},
    {"    exact, one: 1 h, web 201", "00 01 80e288c28c010000 01 c901"},
    {"    [\"a\", true, 1.5, null]",
     "05 04 04 01 61 01 01 03 000000000000f83f 00"},
    {"  first E: time", "826f6cc26330a391 03 00f451c28c010000"},
    {"attributes", "03 02"},
    {"  user.plan", "00 01 04 706c616e"},
    {"    2 h, app 202, nobody's", "00d1bfc28c010000 00 ca01 0000000000000000"},
    {"    \"pro\"", "04 03 70726f"},
    {"  account.size", "01 01 04 73697a65"},
    {"    3 h, app 203, acme's", "80bff6c28c010000 00 cb01 e158885d6598ad44"},
    {"    300", "02 d804"},
    {"account", "04 80bff6c28c010000 00 cb01 e158885d6598ad44"},
    {"    \"acme\"", "04 04 61636d65"},
    {"spare", "05 01"},
    {"  user.x", "00 01 78 00d1bfc28c010000 00 ca01 0000000000000000"},
    {"    true", "01 01"},
    {"message ids", "06 01"},
    {"  m, 60 h", "bdf9a6591d5d95ea 00da31cf8c010000"},
    {"triggers", "07 01"},
    {"  t, 1 h", "159cc858ca78e037 80e288c28c010000"},
    {"parked", "08 06"},
    {"  attribute user.plan", "01 00 01 04 706c616e 04 706c616e"},
    {"    null", "00da31cf8c010000 00 cc01 0000000000000000 00"},
    {"  spare user.y", "03 00 01 79"},
    {"    an object", "00da31cf8c010000 00 cc01 0000000000000000 06"},
    {"  E in 7d", "00 353ee444aa8aa99b 00"},
    {"    60 h, web 205", "00da31cf8c010000 01 cd01 0000000000000000 00"},
    {"  E", "00 0a2515fe62b38e63 00"},
    {"    60 h, web 205", "00da31cf8c010000 01 cd01 0000000000000000 00"},
    {"  last(E, p), no p", "00 f4d72419c240cabd 00"},
    {"    60 h, web 205", "00da31cf8c010000 01 cd01 0000000000000000 00"},
    {"  first E", "00 826f6cc26330a391 00"},
    {"    60 h, web 205", "00da31cf8c010000 01 cd01 0000000000000000 00"},
    {"end", "00"},
};

/* The golden bytes, as far as they are the same as BUF's: the first row that is
 * not names what differs. */
static void expect_golden(const struct buf *got, struct buf *want)
{
    for (int i = 0; i < COUNT(golden); i++) {
        size_t from = want->len;
        for (const char *hex = golden[i].hex; *hex;) {
            unsigned byte;
            int used;
            ck_assert_int_eq(sscanf(hex, " %2x%n", &byte, &used), 1);
            buf_u8(want, (uint8_t)byte);
            hex += used;
        }
        ck_assert_msg(got->len >= want->len &&
                          !memcmp(got->bytes + from, want->bytes + from,
                                  want->len - from),
                      "differs at byte %zu: %s", from, golden[i].what);
    }
    ck_assert_uint_eq(got->len, want->len);
}

START_TEST(a_record_is_what_snapshot_h_says)
{
    struct seg_catalogue *of = small_world_compile(golden_text);
    struct seg_engine *to = small_world_engine(of);
    struct buf want;
    buf_init(&want);
    make_golden(to, of);
    seg_engine_set_state_version(to, 1);
    small_world_record(to, small_world_user(to, "u"), &record);
    expect_golden(&record, &want);
    seg_engine_free(to);
    to = small_world_engine(of);
    ck_assert_int_eq(import(to, want.bytes, want.len), 0);
    seg_engine_set_state_version(to, 1);
    buf_reset(&record);
    small_world_record(to, small_world_user(to, "u"), &record);
    expect_bytes(&record, want.bytes, want.len);
    buf_done(&want);
    seg_engine_free(to);
    seg_catalogue_free(of);
}
END_TEST

/* ---- there and back ---------------------------------------------------- */

static const char *const users[] = {"ada", "bob", "cid", "dan",
                                    "eve", "fay", "gus", "hal"};

/* USER visits COUNT times, and the clock goes on. */
static void visit(const char *user, int count, double hours)
{
    struct seg_decoder *decoder;
    struct seg_event event;
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    for (int i = 0; i < count; i++) {
        const struct seg_origin origin = {
            0, 5000 + i,
            SMALL_WORLD_START_MS +
                (int64_t)((hours + i * 0.1) * (double)HOUR_MS)};
        char json[128];
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"Visited\","
                 "\"properties\":{\"ref\":\"r%d\"}}",
                 user, i);
        ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL),
                         0);
        ck_assert_int_eq(seg_engine_advance(engine, origin.timestamp_ms, 1000),
                         0);
        ck_assert_int_eq(seg_engine_apply(engine, &event, &origin), 0);
        seg_decoder_reset(decoder);
    }
    seg_decoder_free(decoder);
}

/* What ada and five more did; hal, who visits as often as can be kept exactly,
 * and gus, who visits more often than that. */
static void run_world(void)
{
    struct seg_engine_stats stats;
    small_world_run(engine, catalogue);
    visit("hal", FEATURE_EXACT_MAX, 53);
    seg_engine_stats(engine, &stats);
    ck_assert_uint_eq(stats.coarse_features, 0);
    visit("gus", FEATURE_EXACT_MAX + 1, 80);
    seg_engine_stats(engine, &stats);
    ck_assert_uint_gt(stats.coarse_features, 0);
}

/* RECORD, read into a new engine and written again as of its version, is the
 * same. */
static void expect_comes_back(void)
{
    struct seg_engine *other = small_world_engine(catalogue);
    struct buf again;
    buf_init(&again);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    ck_assert_uint_eq(other->store.user_count, 1);
    seg_engine_set_state_version(other, record.bytes[0]);
    small_world_record(other, store_at(&other->store, 0), &again);
    expect_bytes(&again, record.bytes, record.len);
    buf_done(&again);
    seg_engine_free(other);
}

START_TEST(a_user_comes_back_as_he_was)
{
    char name[64];
    run_world();
    small_world_record(engine, small_world_user(engine, users[_i]), &record);
    ck_assert(!buf_failed(&record));
    snprintf(name, sizeof(name), "%s_of_version_%d", users[_i],
             SEG_STATE_VERSION);
    small_world_keep(&record, name);
    expect_comes_back();
}
END_TEST

START_TEST(a_second_record_replaces_the_first)
{
    struct seg_engine *other = small_world_engine(catalogue);
    struct buf again;
    run_world();
    buf_init(&again);
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    buf_reset(&record);
    small_world_send(engine, catalogue, 200,
                     "{\"type\":\"track\",\"userId\":\"ada\",\"event\":\"E\"}",
                     9000);
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    ck_assert_uint_eq(other->store.user_count, 1);
    small_world_record(other, store_at(&other->store, 0), &again);
    expect_bytes(&again, record.bytes, record.len);
    buf_done(&again);
    seg_engine_free(other);
}
END_TEST

/* ---- what others wrote ----------------------------------------------- */

/* The file NAME of the seeds, into RECORD. */
static void read_seed(const char *name)
{
    char path[512], bytes[4096];
    size_t len;
    snprintf(path, sizeof(path), SEEDS "/%s", name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    buf_reset(&record);
    while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&record, bytes, len);
    fclose(file);
}

START_TEST(a_user_written_by_an_earlier_build_is_read)
{
    read_seed(users[_i]);
    expect_comes_back();
}
END_TEST

/* Those of check_snapshot_limits, laid out by hand, may be written another way,
 * but only once. */
START_TEST(every_seed_is_read_and_settles)
{
    struct dirent *entry;
    DIR *folder = opendir(SEEDS);
    int count = 0;
    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        struct seg_engine *other = small_world_engine(catalogue);
        read_seed(entry->d_name);
        ck_assert_msg(import(other, record.bytes, record.len) == 0, "%s",
                      entry->d_name);
        buf_reset(&record);
        small_world_record(other, store_at(&other->store, 0), &record);
        seg_engine_free(other);
        expect_comes_back();
        count++;
    }
    closedir(folder);
    ck_assert_int_gt(count, COUNT(users));
}
END_TEST

static const struct {
    uint8_t version;
    int error;
} versions[] = {
    {0, SEG_ERR_RECORD},
    {1, 0},
    {SEG_STATE_VERSION + 1, SEG_ERR_RECORD_VERSION},
    {255, SEG_ERR_RECORD_VERSION},
};

START_TEST(a_newer_version_is_told_from_a_broken_record)
{
    struct seg_engine *other = small_world_engine(catalogue);
    run_world();
    small_world_record(engine, small_world_user(engine, "bob"), &record);
    record.bytes[0] = (char)versions[_i].version;
    ck_assert_int_eq(import(other, record.bytes, record.len),
                     versions[_i].error);
    seg_engine_free(other);
}
END_TEST

START_TEST(no_part_of_a_record_is_one)
{
    struct seg_engine *other = small_world_engine(catalogue);
    run_world();
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    for (size_t len = 0; len < record.len; len++)
        ck_assert_msg(import(other, record.bytes, len) == SEG_ERR_RECORD,
                      "%zu of %zu bytes", len, record.len);
    buf_u8(&record, 0);
    ck_assert_int_eq(import(other, record.bytes, record.len), SEG_ERR_RECORD);
    seg_engine_free(other);
}
END_TEST

/* ---- another catalogue, other topics --------------------------------- */

/* The catalogue record of ENGINE, read by TO. */
static void import_catalogue(struct seg_engine *to)
{
    static const int64_t positions[] = {1000, 1000};
    struct seg_text text;
    ck_assert_int_eq(seg_engine_catalogue_record(engine, &text), 0);
    ck_assert_int_eq(seg_engine_restore_catalogue(to, text.bytes, text.len,
                                                  positions, INT64_MIN, NULL),
                     0);
}

static const struct spare *find_spare(const struct user *user, const char *name)
{
    static struct spare spare;
    uint32_t at = 0;
    while (spare_next(user, &at, &spare))
        if (text_equal(spare.name, text_of(name)))
            return &spare;
    return NULL;
}

/* Memberships until a sweep ends them; of attributes what a spare one keeps:
 * all of user.plan, and that there is an address of which the city was known.
 */
START_TEST(what_the_catalogue_does_not_know_stays_as_far_as_it_can)
{
    struct seg_catalogue *of = small_world_compile(
        "segment paying { when user.nick = \"x\" and did \"Visited\" }\n");
    struct seg_engine *other = small_world_engine(of);
    struct seg_membership in[32], was[32];
    run_world();
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    const struct user *user = small_world_user(other, "ada");
    int count =
        seg_user_memberships(other, (const struct seg_user *)user, in, 32);
    ck_assert_int_eq(
        count, seg_user_memberships(
                   engine, seg_user_find(engine, text_of("ada")), was, 32));
    ck_assert_int_gt(count, 1);
    for (int i = 0; i < count; i++)
        ck_assert((in[i].key.bytes == NULL) == (in[i].segment > 0));
    import_catalogue(other);
    ck_assert_int_eq(
        seg_user_memberships(other, (const struct seg_user *)user, in, 32),
        count);
    for (int i = 0; i < count; i++)
        ck_assert_ptr_nonnull(in[i].key.bytes);
    ck_assert_int_eq(find_spare(user, "plan")->write.value.type, SEG_TEXT);
    ck_assert_int_eq(find_spare(user, "address")->write.value.type, SEG_OBJECT);
    seg_engine_free(other);
    seg_catalogue_free(of);
}
END_TEST

START_TEST(a_spare_attribute_that_is_read_now_becomes_one)
{
    struct seg_catalogue *of =
        small_world_compile("segment old { when user.age > 30 }\n");
    struct seg_engine *other = small_world_engine(of);
    run_world();
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    import_catalogue(other);
    ck_assert_int_eq(
        seg_engine_restore_finish(other, seg_engine_clock(engine), 10), 0);
    const struct seg_user *user = seg_user_find(other, text_of("ada"));
    struct seg_explanation *why;
    ck_assert_int_eq(seg_explain(&why, other, user, 0), 0);
    ck_assert_int_eq(seg_explanation_at(why, 0)->truth, SEG_TRUE);
    ck_assert_int_eq(seg_explanation_at(why, 0)->value.as.integer, 36);
    seg_explanation_free(why);
    seg_engine_free(other);
    seg_catalogue_free(of);
}
END_TEST

START_TEST(users_in_a_segment_that_nothing_names_are_refused)
{
    struct seg_catalogue *of =
        small_world_compile("segment old { when user.age > 30 }\n");
    struct seg_engine *other = small_world_engine(of);
    run_world();
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    ck_assert_int_eq(
        seg_engine_restore_finish(other, seg_engine_clock(engine), 10),
        SEG_ERR_RECORD);
    seg_engine_free(other);
    seg_catalogue_free(of);
}
END_TEST

START_TEST(topics_are_found_by_name_wherever_they_stand)
{
    static const char *const topics[] = {"new", "web"};
    struct seg_engine_options options = small_world_options(catalogue);
    struct seg_engine *other;
    struct write write;
    options.topics = topics;
    ck_assert_int_eq(seg_engine_new(&other, &options), 0);
    run_world();
    small_world_record(engine, small_world_user(engine, "cid"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    /* Born by web; the topic of that name stands at the same place here. */
    ck_assert_uint_eq(
        user_birth(small_world_user(other, "cid")) >> STAMP_TOPIC_SHIFT, 1);
    buf_reset(&record);
    small_world_record(engine, small_world_user(engine, "ada"), &record);
    ck_assert_int_eq(import(other, record.bytes, record.len), 0);
    /* Of app, which is gone: counts as the first. */
    ck_assert_uint_eq(
        user_birth(small_world_user(other, "ada")) >> STAMP_TOPIC_SHIFT, 0);
    ck_assert_int_eq(account_last(small_world_user(other, "ada"), &write), 1);
    ck_assert_uint_eq(write.stamp >> STAMP_TOPIC_SHIFT, 0);
    seg_engine_free(other);
}
END_TEST

SUITE("snapshot", setup, teardown, TEST(a_record_is_what_snapshot_h_says),
      TABLE(a_user_comes_back_as_he_was, users),
      TEST(a_second_record_replaces_the_first),
      TABLE(a_user_written_by_an_earlier_build_is_read, users),
      TEST(every_seed_is_read_and_settles),
      TABLE(a_newer_version_is_told_from_a_broken_record, versions),
      TEST(no_part_of_a_record_is_one),
      TEST(what_the_catalogue_does_not_know_stays_as_far_as_it_can),
      TEST(users_in_a_segment_that_nothing_names_are_refused),
      TEST(a_spare_attribute_that_is_read_now_becomes_one),
      TEST(topics_are_found_by_name_wherever_they_stand))
