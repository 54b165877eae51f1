/* snapshot_decode.c: a record to a user (snapshot.h has the format). */
#include "lib/base/error.h"
#include "lib/base/reader.h"
#include "lib/engine/engine.h"
#include "lib/engine/record_value.h"
#include "lib/engine/snapshot.h"
#include "lib/user/attribute.h"
#include "lib/user/codec.h"
#include "lib/user/dedupe.h"
#include "lib/user/feature.h"
#include "lib/user/fired.h"
#include "lib/user/first_last.h"
#include "lib/user/member.h"
#include "lib/user/published.h"
#include "lib/user/times.h"
#include "lib/user/watch.h"

struct decoding {
    struct seg_engine *engine;
    struct reader reader;
    struct user *user;
    uint8_t topics[UINT8_MAX + 1]; /* The record's places to the engine's. */
};

static int64_t get_i64(struct decoding *from)
{
    return (int64_t)reader_u64(&from->reader);
}

/* An instant, or NONE, which stands for there being none. */
static int64_t get_ms_or(struct decoding *from, int64_t none)
{
    int64_t ms = get_i64(from);
    if (ms != none && (ms < -SNAPSHOT_MS_MAX || ms > SNAPSHOT_MS_MAX))
        from->reader.failed = 1;
    return reader_failed(&from->reader) ? 0 : ms;
}

static int64_t get_ms(struct decoding *from)
{
    return get_ms_or(from, 0);
}

static uint32_t get_u32(struct decoding *from)
{
    uint64_t n = reader_varint(&from->reader);
    if (n > UINT32_MAX)
        from->reader.failed = 1;
    return (uint32_t)n;
}

static struct seg_text get_name(struct decoding *from)
{
    struct seg_text name = reader_text(&from->reader);
    if (name.len > CODEC_LEN_MAX)
        from->reader.failed = 1;
    return name;
}

static uint64_t get_stamp(struct decoding *from)
{
    uint8_t topic = from->topics[reader_u8(&from->reader)];
    return (uint64_t)topic << STAMP_TOPIC_SHIFT |
           (reader_varint(&from->reader) & STAMP_OFFSET_MASK);
}

static int bad_record(const struct decoding *from)
{
    return reader_failed(&from->reader) ? SEG_ERR_RECORD : 0;
}

static int get_write(struct decoding *from, struct write *write)
{
    write->time_ms = get_ms(from);
    write->stamp = get_stamp(from);
    write->owner = reader_u64(&from->reader);
    int ret = record_value_decode(&from->reader, &from->engine->scratch,
                                  &write->value);
    return ret < 0 ? ret : bad_record(from);
}

/* A count of things of at least SIZE bytes each. */
static uint64_t get_count(struct decoding *from, size_t size)
{
    uint64_t count = reader_varint(&from->reader);
    if (count > reader_left(&from->reader) / size)
        from->reader.failed = 1;
    return reader_failed(&from->reader) ? 0 : count;
}

static int get_members(struct decoding *from)
{
    uint64_t count = get_count(from, 16);
    uint32_t known = 0;
    struct membership *all =
        arena_calloc(&from->engine->scratch, count + 1, sizeof(*all));
    if (!all)
        return SEG_ERR_NOMEM;
    for (; known < count; known++) {
        uint64_t hash = reader_u64(&from->reader);
        all[known].entered_ms = get_ms(from);
        if (bad_record(from) < 0)
            return SEG_ERR_RECORD;
        if (observed_segment(from->engine, hash, (struct seg_text){NULL, 0},
                             &all[known].segment) < 0)
            return SEG_ERR_NOMEM;
    }
    if (bad_record(from) || member_count(from->user))
        return SEG_ERR_RECORD;
    return member_fill(&from->engine->store, &from->user, all, known);
}

static int get_buckets(struct decoding *from, uint32_t id, uint64_t count)
{
    struct item item = user_item(from->user, id);
    int64_t last = INT64_MIN;
    for (uint64_t i = 0; i < count; i++) {
        int64_t start = get_ms(from);
        uint64_t number = reader_varint(&from->reader);
        if (reader_failed(&from->reader) || (i && start <= last) || !number ||
            number > INT32_MAX)
            return SEG_ERR_RECORD;
        int ret = user_splice(&from->engine->store, &from->user, id, item.len,
                              BUCKET_BYTES, &item);
        if (ret == 0)
            ret = user_set_coarse(&from->engine->store, &from->user, &item, 1);
        if (ret < 0)
            return ret;
        codec_put_i64(item.words + i * BUCKET_WORDS, start);
        item.words[i * BUCKET_WORDS + 2] = (uint32_t)number;
        last = start;
    }
    return 0;
}

static int get_window(struct decoding *from, uint32_t id)
{
    struct item item = user_item(from->user, id);
    struct times times = {.count = 0};
    int coarse = reader_u8(&from->reader);
    uint64_t count = get_count(from, 1);
    int64_t time = 0;
    if (coarse)
        return get_buckets(from, id, count);
    if (count > FEATURE_KEPT_MAX)
        return SEG_ERR_RECORD;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t difference = i ? reader_varint(&from->reader) : 0;
        if (difference > SNAPSHOT_MS_MAX)
            return SEG_ERR_RECORD;
        time = i ? time + (int64_t)difference : get_ms(from);
        if (reader_failed(&from->reader) || time > SNAPSHOT_MS_MAX)
            return SEG_ERR_RECORD;
        int ret = times_add(&from->engine->store, &from->user, id, 0,
                            (uint32_t)i, time, &item, &times);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int get_values(struct decoding *from, uint32_t id)
{
    struct seg_engine *engine = from->engine;
    /* Of a feature that is not there any more they are read all the same. */
    const struct feature gone = {
        .kind = FEATURE_FIRST, .item = id, .from_ms = 1};
    const struct feature *feature =
        id < engine->plan->feature_count ? &engine->plan->features[id] : &gone;
    struct fold fold = {0};
    int coarse = reader_u8(&from->reader);
    uint64_t count = get_count(from, 10);
    int64_t last_ms = -SNAPSHOT_MS_MAX;
    int ret = 0;
    for (uint64_t i = 0; ret == 0 && i < count; i++, last_ms = fold.time_ms) {
        fold.time_ms = get_ms(from);
        fold.stamp = get_stamp(from);
        ret = record_value_decode(&from->reader, &engine->scratch, &fold.value);
        if (ret < 0 || reader_failed(&from->reader) || fold.time_ms < last_ms)
            return ret < 0 ? ret : SEG_ERR_RECORD;
        ret = first_last_append(&engine->store, &from->user, feature, &fold);
    }
    if (ret < 0 || !count)
        return ret;
    struct item item = user_item(from->user, id);
    return user_set_coarse(&engine->store, &from->user, &item, coarse);
}

static int get_number(struct decoding *from, uint32_t id, int64_t number)
{
    struct item item = user_item(from->user, id);
    int ret = bad_record(from);
    if (ret == 0)
        ret = user_resize(&from->engine->store, &from->user, id, sizeof(number),
                          &item);
    if (ret == 0)
        codec_put_i64(item.words, number);
    return ret;
}

/* The state of a feature of one of the first kinds, into item ID. */
static int get_first_kind(struct decoding *from, uint32_t id,
                          enum feature_kind kind)
{
    if (kind == FEATURE_WINDOW)
        return get_window(from, id);
    if (kind == FEATURE_TALLY)
        return get_number(from, id, (int64_t)reader_varint(&from->reader));
    return kind == FEATURE_FIRST || kind == FEATURE_LAST
               ? get_values(from, id)
               : get_number(from, id, get_ms(from));
}

/* Read past the state of a feature that the catalogue does not have: into an
 * item that is taken away again. */
static int skip_feature(struct decoding *from, enum feature_kind kind)
{
    const uint32_t id = USER_ITEM_SPECIAL - 1;
    int ret = get_first_kind(from, id, kind);
    struct item item = user_item(from->user, id);
    user_resize(&from->engine->store, &from->user, id, 0, &item);
    return ret;
}

/* A feature of a kind that writes itself; passed over if it is unknown. */
static int get_content(struct decoding *from, uint32_t id)
{
    struct reader content;
    reader_init(&content, reader_text(&from->reader));
    if (bad_record(from) < 0)
        return SEG_ERR_RECORD;
    if (id == PLAN_NONE)
        return 0;
    const struct feature *feature = &from->engine->plan->features[id];
    int ret = feature_ops_of(feature->kind)
                  ->read(&from->engine->store, &from->user, feature, &content,
                         from->topics);
    return ret == 0 && (reader_failed(&content) || reader_left(&content))
               ? SEG_ERR_RECORD
               : ret;
}

static int get_feature(struct decoding *from)
{
    uint32_t id = plan_find(&from->engine->plan->feature_hashes,
                            reader_u64(&from->reader));
    uint8_t code = reader_u8(&from->reader);
    int kind = feature_kind_of_code(code);
    if (!code || (kind < 0 && code <= FEATURE_CODE_FIRST_MAX) ||
        (id != PLAN_NONE && (int)from->engine->plan->features[id].kind != kind))
        return SEG_ERR_RECORD;
    if (id != PLAN_NONE && user_item(from->user, id).bytes)
        return SEG_ERR_RECORD;
    if (code > FEATURE_CODE_FIRST_MAX)
        return get_content(from, id);
    return id == PLAN_NONE ? skip_feature(from, (enum feature_kind)kind)
                           : get_first_kind(from, id, (enum feature_kind)kind);
}

static int get_features(struct decoding *from)
{
    uint64_t count = get_count(from, 10);
    for (uint64_t i = 0; i < count; i++) {
        int ret = get_feature(from);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

int snapshot_feature_decode(struct seg_engine *engine, struct user **user,
                            struct seg_text bytes)
{
    struct decoding from = {.engine = engine, .user = *user};
    arena_reset(&engine->scratch);
    reader_init(&from.reader, bytes);
    for (int i = 0; i <= UINT8_MAX; i++)
        from.topics[i] = (uint8_t)i;
    int ret = get_feature(&from);
    *user = from.user;
    return ret < 0 ? ret : bad_record(&from);
}

#define PATH_NAMES_MAX 64

/* The attribute whose path stands there, PLAN_NONE if the catalogue has none;
 * its top-level name in NAME. */
static int get_path(struct decoding *from, uint32_t *number, int *account,
                    int *names, struct seg_text *name)
{
    struct seg_text texts[PATH_NAMES_MAX];
    *account = reader_u8(&from->reader) == 1;
    uint64_t count = reader_varint(&from->reader);
    if (count < 1 || count > PATH_NAMES_MAX)
        return SEG_ERR_RECORD;
    for (uint64_t i = 0; i < count; i++)
        texts[i] = get_name(from);
    struct path path = {*account ? PATH_ACCOUNT : PATH_USER, (int)count, texts};
    *number = carry_find(from->engine->plan, &path);
    *names = (int)count;
    *name = texts[0];
    return bad_record(from);
}

static int get_attributes(struct decoding *from)
{
    uint64_t count = get_count(from, 20);
    struct spare spare;
    uint32_t number;
    int names;
    for (uint64_t i = 0; i < count; i++) {
        int ret = get_path(from, &number, &spare.account, &names, &spare.name);
        if (ret == 0)
            ret = get_write(from, &spare.write);
        if (ret == 0)
            ret = carry_attribute(from->engine, &from->user, number, names == 1,
                                  &spare);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

static int get_account(struct decoding *from)
{
    struct write write;
    int ret = get_write(from, &write);
    if (ret == 0 && write.value.type != SEG_TEXT)
        return SEG_ERR_RECORD;
    if (ret == 0)
        ret = account_write(&from->engine->store, &from->user, &write);
    return ret < 0 ? ret : 0;
}

static int get_spare(struct decoding *from)
{
    uint64_t count = get_count(from, 20);
    struct spare spare;
    for (uint64_t i = 0; i < count; i++) {
        spare.account = reader_u8(&from->reader);
        spare.name = get_name(from);
        int ret = spare.account > SPARE_LOST ? SEG_ERR_RECORD
                                             : get_write(from, &spare.write);
        const struct path path = {spare.account ? PATH_ACCOUNT : PATH_USER, 1,
                                  &spare.name};
        if (ret == 0)
            ret = carry_attribute(from->engine, &from->user,
                                  carry_find(from->engine->plan, &path), 1,
                                  &spare);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

static int get_ids(struct decoding *from)
{
    uint64_t count = get_count(from, 16);
    if (count > SEG_IDS_MAX)
        return SEG_ERR_RECORD;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t hash = reader_u64(&from->reader);
        int64_t timestamp_ms = get_ms(from);
        int ret = dedupe_add(&from->engine->store, &from->user, hash,
                             timestamp_ms, DEDUPE_NEVER);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

static int get_fired(struct decoding *from)
{
    uint64_t count = get_count(from, 16);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t hash = reader_u64(&from->reader);
        int64_t at_ms = get_ms(from);
        uint32_t trigger;
        if (bad_record(from) < 0)
            return SEG_ERR_RECORD;
        int ret = observed_trigger(from->engine, hash, &trigger);
        if (ret == 0)
            ret = fired_set(&from->engine->store, &from->user, trigger, at_ms);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

/* ACCOUNT and NAMES are those of the path of an attribute. */
static int get_target(struct decoding *from, struct update *update,
                      int *account, int *names)
{
    switch (update->kind) {
    case UPDATE_FEATURE:
        update->target = plan_find(&from->engine->plan->feature_hashes,
                                   reader_u64(&from->reader));
        return bad_record(from);
    case UPDATE_ATTRIBUTE:
        return get_path(from, &update->target, account, names, &update->name);
    case UPDATE_ACCOUNT:
    case UPDATE_SPARE:
        update->target = reader_u8(&from->reader) == 1;
        return bad_record(from);
    }
    return SEG_ERR_RECORD;
}

/* Whether UPDATE may be folded: what plays a role of a score or a sequence says
 * which. */
static int has_its_roles(const struct decoding *from,
                         const struct update *update)
{
    const struct plan *plan = from->engine->plan;
    if (update->kind != UPDATE_FEATURE || update->target == PLAN_NONE)
        return 1;
    const struct feature *feature = &plan->features[update->target];
    int64_t role = update->value.as.integer;
    if (feature->kind != FEATURE_SCORE && feature->kind != FEATURE_SEQUENCE)
        return 1;
    return update->value.type == SEG_INT && role >= 0 &&
           (feature->kind == FEATURE_SEQUENCE ||
            role < feature->of.score->weight_count);
}

static int get_parked(struct decoding *from)
{
    uint64_t count = get_count(from, 20);
    for (uint64_t i = 0; i < count; i++) {
        struct update update = {.kind = reader_u8(&from->reader)};
        struct write write;
        int account = 0, names = 0;
        int ret = get_target(from, &update, &account, &names);
        struct seg_text name = get_name(from);
        if (update.kind != UPDATE_ATTRIBUTE)
            update.name = name;
        if (ret == 0)
            ret = get_write(from, &write);
        if (ret < 0)
            return ret;
        update.time_ms = write.time_ms;
        update.stamp = write.stamp;
        update.owner = write.owner;
        update.value = write.value;
        if ((update.kind == UPDATE_ACCOUNT && write.value.type != SEG_TEXT) ||
            !has_its_roles(from, &update))
            return SEG_ERR_RECORD;
        observed_note(&from->engine->observed, update.time_ms);
        ret = carry_parked(from->engine, &from->user, &update, account,
                           names == 1);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

static int get_watches(struct decoding *from)
{
    const struct plan *plan = from->engine->plan;
    uint64_t count = get_count(from, 24);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t segment =
            plan_find(&plan->segment_hashes, reader_u64(&from->reader));
        struct watch watch;
        watch.entered_ms = get_ms_or(from, WATCH_NEVER);
        watch.left_ms = get_ms_or(from, WATCH_NEVER);
        if (bad_record(from) < 0)
            return SEG_ERR_RECORD;
        if (segment == PLAN_NONE || plan->segments[segment].watch == PLAN_NONE)
            continue;
        int ret = watch_write(&from->engine->store, &from->user,
                              plan->segments[segment].watch, &watch);
        if (ret < 0)
            return ret;
    }
    return bad_record(from);
}

/* Who is in a segment entered it last when he did: nobody need have watched. */
static int watch_members(struct decoding *from)
{
    const struct plan *plan = from->engine->plan;
    int64_t entered_ms;
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < plan->watch_count; i++) {
        uint32_t source = plan_watch_source(plan, i);
        if (!user_item(from->user, source).bytes &&
            member_find(from->user, plan->watches[i], &entered_ms))
            ret = watch_note(&from->engine->store, &from->user, source, 1,
                             entered_ms);
    }
    return ret;
}

static int get_published(struct decoding *from)
{
    struct published published = {.at_ms = get_ms(from)};
    published.hash = reader_u64(&from->reader);
    return bad_record(from) < 0
               ? SEG_ERR_RECORD
               : published_write(&from->engine->store, &from->user, &published);
}

static int get_sections(struct decoding *from)
{
    static int (*const sections[])(struct decoding *) = {
        [SECTION_MEMBERS] = get_members,
        [SECTION_FEATURES] = get_features,
        [SECTION_ATTRIBUTES] = get_attributes,
        [SECTION_ACCOUNT] = get_account,
        [SECTION_SPARE] = get_spare,
        [SECTION_IDS] = get_ids,
        [SECTION_FIRED] = get_fired,
        [SECTION_PARKED] = get_parked,
        [SECTION_WATCHES] = get_watches,
        [SECTION_PUBLISHED] = get_published,
    };
    for (;;) {
        uint8_t tag = reader_u8(&from->reader);
        if (tag == SECTION_END)
            return bad_record(from) < 0 ? SEG_ERR_RECORD : watch_members(from);
        if (tag > SECTION_PUBLISHED)
            return SEG_ERR_RECORD;
        int ret = sections[tag](from);
        if (ret < 0)
            return ret;
    }
}

/* Topics of the record, and the positions of those that are inputs now. */
static int get_topics(struct decoding *from, int64_t *positions)
{
    const struct seg_engine *engine = from->engine;
    uint8_t count = reader_u8(&from->reader);
    for (uint32_t i = 0; i < engine->topics.count; i++)
        positions[i] = 0;
    for (uint8_t n = 0; n < count; n++) {
        uint64_t hash = reader_u64(&from->reader);
        int64_t position = get_i64(from);
        for (uint32_t i = 0; i < engine->topics.count; i++)
            if (engine->topic_hash[i] == hash) {
                from->topics[n] = (uint8_t)i;
                positions[i] = position;
            }
    }
    return bad_record(from);
}

/* The user of ID as if nothing were known of him. */
static int blank_user(struct seg_engine *engine, struct seg_text id,
                      struct user **user)
{
    struct store *store = &engine->store;
    uint64_t hash = store_hash(store, id);
    struct user_walk walk;
    uint32_t item_id;
    *user = store_reach(store, id, hash);
    while (*user) {
        user_walk_all(*user, &walk);
        struct item item = user_walk_next(*user, &walk, &item_id);
        if (!item.bytes)
            return 0;
        user_resize(store, user, item_id, 0, &item);
    }
    int ret = timers_reserve(&engine->timers, store->user_count + 1);
    if (ret == 0)
        ret = store_add(store, id, hash, engine->clock_ms, user);
    if (ret == 0 && intern_find(&engine->plan->listed_ids, id) != INTERN_NONE)
        (*user)->flags |= USER_LISTED;
    return ret;
}

static int get_head(struct decoding *from, int version, int64_t *row)
{
    struct seg_text id = reader_text(&from->reader);
    struct reader *reader = &from->reader;
    if (reader_failed(reader) || id.len > SEG_ID_BYTES_MAX)
        return SEG_ERR_RECORD;
    int ret = get_topics(from, row);
    if (ret == 0)
        ret = blank_user(from->engine, id, &from->user);
    if (ret < 0)
        return ret;
    ret = user_set_birth(&from->engine->store, &from->user, get_stamp(from));
    if (ret < 0)
        return ret;
    struct changes changes = {.seq = get_u32(from)};
    changes.trigger_seq = get_u32(from);
    changes.last_at_ms = get_ms_or(from, CHANGES_NONE);
    ret = changes_set(&from->engine->store, &from->user, &changes);
    if (ret < 0)
        return ret;
    /* Compared and nothing else: may lie beyond all instants. It becomes a
     * timer in the end (restore.c). */
    timer_set(from->engine, from->user, get_i64(from));
    row[from->engine->topics.count] = get_u32(from);
    row[from->engine->topics.count + 1] = version;
    return bad_record(from);
}

int snapshot_decode(struct seg_engine *engine, struct seg_text record,
                    struct user **user, int64_t *row, struct seg_error *detail)
{
    struct decoding from = {.engine = engine};
    arena_reset(&engine->scratch);
    reader_init(&from.reader, record);
    uint8_t version = reader_u8(&from.reader);
    if (version > SEG_STATE_VERSION)
        return error_set(detail, SEG_ERR_RECORD_VERSION,
                         "user record of version %d; this build reads up to %d",
                         version, SEG_STATE_VERSION);
    int ret = snapshot_reads(version) ? get_head(&from, version, row)
                                      : SEG_ERR_RECORD;
    if (ret == 0)
        ret = get_sections(&from);
    if (ret == 0 && (!snapshot_tail_read(&from.reader, version) ||
                     reader_left(&from.reader)))
        ret = SEG_ERR_RECORD;
    if (ret == SEG_ERR_RECORD)
        error_set(detail, ret, "user record of %zu bytes is broken at byte %zu",
                  record.len, record.len - reader_left(&from.reader));
    *user = from.user;
    return ret;
}
