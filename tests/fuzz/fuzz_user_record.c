/* fuzz_user_record.c: any bytes as the record of one user.
 *
 * An import never crashes and never leaks; what is refused is named. What is
 * accepted is written again as a record that reads as the same user: exported,
 * imported and exported once more it has the same bytes. And such a user lives:
 * he is judged, asked about, gets messages, and time passes for him.
 *
 * The catalogue is that of tests/support/small_world.h with that of everything.h,
 * where all kinds of features are. The seeds are records of the users of both
 * and, at the limits, some laid out by hand. The unit tests write them:
 *
 *     make B=build tests
 *     for test in check_snapshot check_snapshot_limits check_snapshot_kinds; do
 *         RECORDS=tests/fuzz/corpus/fuzz_user_record build/tests/unit/$test
 *     done
 *
 * The bytes are those of lib/engine/snapshot.h. The users' ids are not hashed
 * and nothing is sealed: what a mutation reaches is not hidden behind a sum. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/engine/engine.h"
#include "tests/fuzz/require.h"
#include "tests/support/everything.h"
#include "tests/support/small_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seg_catalogue *catalogue;

/* The one user of ENGINE as a record in BUF. */
static void record_of(struct seg_engine *engine, struct buf *buf)
{
    require(engine->store.user_count == 1);
    require(user_validate(store_at(&engine->store, 0)));
    small_world_record(engine, store_at(&engine->store, 0), buf);
    require(!buf_failed(buf));
}

/* A user who came out of RECORD and is written again has the same bytes. */
static void require_same(const struct buf *record)
{
    struct seg_engine *engine = small_world_engine(catalogue);
    struct buf again;
    buf_init(&again);
    require(seg_engine_restore_user(engine, record->bytes, record->len, NULL) ==
            0);
    record_of(engine, &again);
    require(again.len == record->len &&
            memcmp(again.bytes, record->bytes, again.len) == 0);
    buf_done(&again);
    seg_engine_free(engine);
}

static void no_attribute(void *arg, const struct seg_attribute *attribute)
{
    (void)arg;
    require(attribute->value.type != SEG_MISSING);
}

static void ask(const struct seg_engine *engine)
{
    const struct seg_user *user =
        (const struct seg_user *)store_at(&engine->store, 0);
    struct seg_user_info info;
    seg_user_info(engine, user, &info);
    seg_user_attributes(engine, user, no_attribute, NULL);
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_explanation *why;
        require(seg_explain(&why, engine, user, i) == 0);
        char *text = seg_explanation_text(why);
        require(text);
        free(text);
        seg_explanation_free(why);
    }
}

#define OWN_EVENTS 20 /* Beside those of the small world. */
#define EVENTS_MAX 128

static struct seg_event events[EVENTS_MAX];
static int event_count;

static void add_event(struct seg_decoder *decoder, const char *json)
{
    require(event_count < EVENTS_MAX);
    require(seg_decode(decoder, json, strlen(json), &events[event_count++],
                       NULL) == 0);
}

/* Once: the catalogue, and the messages of both worlds, decoded for good. */
static void prepare(void)
{
    static struct seg_decoder *decoder; /* The events borrow from it. */
    static struct buf texts[OWN_EVENTS];
    struct random dice = {7};
    int64_t now_ms = SMALL_WORLD_START_MS;
    struct buf text;
    buf_init(&text);
    buf_str(&text, small_world_text);
    buf_str(&text, everything_text);
    catalogue = small_world_compile(buf_string(&text));
    buf_done(&text);
    require(seg_decoder_new(&decoder, catalogue) == 0);
    for (int i = 0; i < small_world_step_count; i++)
        add_event(decoder, small_world_steps[i].json);
    for (int i = 0; i < OWN_EVENTS; i++) {
        buf_init(&texts[i]);
        everything_message(&dice, now_ms, &texts[i]);
        add_event(decoder, buf_string(&texts[i]));
        now_ms += everything_pause(&dice);
    }
}

/* Those messages, as if they were this user's, half a day after each other. */
static void live(struct seg_engine *engine)
{
    struct user *user = store_at(&engine->store, 0);
    char id[SEG_ID_BYTES_MAX];
    size_t len = user_id(user).len;
    memcpy(id, user_id(user).bytes, len);
    for (int i = 0; i < event_count; i++) {
        struct seg_event event = events[i];
        const struct seg_origin origin = {
            i % 2, 2000 + i, SMALL_WORLD_START_MS + i * DAY_MS / 2};
        event.user_id = (struct seg_text){id, len};
        int ret = seg_engine_apply(engine, &event, &origin);
        require(ret >= 0 || ret == SEG_ERR_USER_BYTES);
        require(seg_engine_advance(engine, origin.timestamp_ms, 1000) >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seg_error detail = {0};
    struct buf record;
    if (!catalogue)
        prepare();
    struct seg_engine *engine = small_world_engine(catalogue);
    int ret =
        seg_engine_restore_user(engine, (const char *)data, size, &detail);
    require(ret == 0 || ret == SEG_ERR_RECORD || ret == SEG_ERR_RECORD_VERSION);
    require(ret == 0 || (detail.code == ret && *detail.message));
    if (ret == 0) {
        buf_init(&record);
        record_of(engine, &record);
        require_same(&record);
        buf_done(&record);
        ret = seg_engine_restore_finish(engine, SMALL_WORLD_START_MS, 10);
        require(ret == 0 || ret == SEG_ERR_RECORD); /* In what has no name. */
    }
    if (ret == 0) {
        buf_init(&record);
        ask(engine);
        live(engine);
        ask(engine);
        record_of(engine, &record);
        require_same(&record);
        buf_done(&record);
    }
    seg_engine_free(engine);
    return 0;
}
