/* snapshot_encode.c: a user to his record (snapshot.h has the format). */
#include "lib/engine/engine.h"
#include "lib/engine/record_value.h"
#include "lib/engine/snapshot.h"
#include "lib/user/attribute.h"
#include "lib/user/codec.h"
#include "lib/user/dedupe.h"
#include "lib/user/fired.h"
#include "lib/user/first_last.h"
#include "lib/user/member.h"
#include "lib/user/published.h"
#include "lib/user/times.h"
#include "lib/user/watch.h"

static void put_ms(struct buf *buf, int64_t ms)
{
    buf_u64(buf, (uint64_t)ms);
}

static void put_text(struct buf *buf, struct seg_text text)
{
    buf_varint(buf, text.len);
    buf_text(buf, text);
}

static void put_stamp(struct buf *buf, uint64_t stamp)
{
    buf_u8(buf, (uint8_t)(stamp >> STAMP_TOPIC_SHIFT));
    buf_varint(buf, stamp & STAMP_OFFSET_MASK);
}

static void put_write(struct buf *buf, const struct write *write)
{
    put_ms(buf, write->time_ms);
    put_stamp(buf, write->stamp);
    buf_u64(buf, write->owner);
    record_value_encode(buf, &write->value);
}

static void put_path(struct buf *buf, const struct path *path)
{
    buf_u8(buf, path->root == PATH_ACCOUNT);
    buf_varint(buf, (uint64_t)path->count);
    for (int i = 0; i < path->count; i++)
        put_text(buf, path->names[i]);
}

static uint64_t segment_hash(const struct seg_engine *engine, uint32_t segment)
{
    uint32_t count = engine->plan->segment_count;
    return segment < count ? engine->plan->segments[segment].key_hash
                           : engine->observed.retired[segment - count].hash;
}

static void put_members(struct seg_engine *engine, const struct user *user,
                        struct buf *buf)
{
    struct member_walk walk;
    uint32_t segment;
    int64_t entered;
    buf_u8(buf, SECTION_MEMBERS);
    buf_varint(buf, member_count(user));
    member_walk_start(user, &walk);
    while (member_walk_next(&walk, &segment, &entered)) {
        buf_u64(buf, segment_hash(engine, segment));
        put_ms(buf, entered);
    }
}

static void put_window(const struct user *user, const struct item *item,
                       struct buf *buf)
{
    int coarse = item->coarse;
    struct times times;
    uint32_t count;
    int64_t last = 0;
    if (!coarse)
        times_read(user, item, &times);
    count = coarse ? item->len / BUCKET_BYTES : times.count;
    buf_u8(buf, (uint8_t)coarse);
    buf_varint(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        int64_t time = coarse ? codec_get_i64(item->words + i * BUCKET_WORDS)
                              : times_at(&times, i);
        if (coarse || !i)
            put_ms(buf, time);
        else
            buf_varint(buf, (uint64_t)(time - last));
        if (coarse)
            buf_varint(buf, item->words[i * BUCKET_WORDS + 2]);
        last = time;
    }
}

static void put_values(struct seg_engine *engine, const struct feature *feature,
                       const struct item *item, struct buf *buf)
{
    struct seg_value value;
    uint32_t count = first_last_count(feature, item);
    buf_u8(buf, item->coarse);
    buf_varint(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        struct first_last_entry entry = first_last_at(feature, item, i);
        put_ms(buf, entry.time_ms);
        put_stamp(buf, entry.stamp);
        codec_get(entry.value, &engine->scratch, &value);
        record_value_encode(buf, &value);
    }
}

/* A kind that writes itself, with its length in front. Its topics stand in the
 * record in the order of their numbers. */
static void put_content(struct seg_engine *engine, const struct user *user,
                        const struct feature *feature, const struct item *item,
                        struct buf *buf)
{
    uint8_t places[FEATURE_TOPICS];
    struct buf *content = &engine->content;
    for (int i = 0; i < FEATURE_TOPICS; i++)
        places[i] = (uint8_t)i;
    buf_reset(content);
    feature_ops_of(feature->kind)->write(user, feature, item, content, places);
    buf->failed |= buf_failed(content);
    buf_varint(buf, content->len);
    buf_add(buf, content->bytes, content->len);
}

static void put_feature(struct seg_engine *engine, const struct user *user,
                        uint32_t id, const struct item *item, struct buf *buf)
{
    const struct feature *feature = &engine->plan->features[id];
    enum feature_kind kind = feature->kind;
    buf_u64(buf, feature->key);
    buf_u8(buf, (uint8_t)feature_code(kind));
    if (feature_ops_of(kind)->write)
        put_content(engine, user, feature, item, buf);
    else if (kind == FEATURE_TALLY)
        buf_varint(buf, codec_get_u64(item->words));
    else if (kind == FEATURE_WINDOW)
        put_window(user, item, buf);
    else if (kind == FEATURE_FIRST || kind == FEATURE_LAST)
        put_values(engine, feature, item, buf);
    else
        put_ms(buf, codec_get_i64(item->words));
}

void snapshot_feature_encode(struct seg_engine *engine, const struct user *user,
                             uint32_t id, const struct item *item,
                             struct buf *buf)
{
    arena_reset(&engine->scratch);
    put_feature(engine, user, id, item, buf);
    buf->failed |= scratch_error(engine) < 0;
}

/* How many items of USER have ids from FROM to below TO. */
static uint32_t count_items(const struct user *user, uint32_t from, uint32_t to)
{
    struct user_walk walk;
    uint32_t id, count = 0;
    user_walk_start(user, &walk);
    while (user_walk_next(user, &walk, &id).bytes && id < to)
        count += id >= from;
    return count;
}

/* Features and attributes: the items of the catalogue's sources. */
static void put_sources(struct seg_engine *engine, const struct user *user,
                        struct buf *buf)
{
    const struct plan *plan = engine->plan;
    struct user_walk walk;
    struct item item;
    struct write write;
    uint32_t id, features = count_items(user, 0, plan->feature_count);
    buf_u8(buf, SECTION_FEATURES);
    buf_varint(buf, features);
    user_walk_start(user, &walk);
    for (uint32_t i = 0; i < features; i++) {
        item = user_walk_next(user, &walk, &id);
        put_feature(engine, user, id, &item, buf);
    }
    buf_u8(buf, SECTION_ATTRIBUTES);
    buf_varint(buf, count_items(user, plan->feature_count,
                                plan_watch_source(plan, 0)));
    while (user_walk_next(user, &walk, &id).bytes &&
           plan_is_attribute(plan, id)) {
        put_path(buf, &plan->attributes[id - plan->feature_count].path);
        attribute_last(user, id, &engine->scratch, &write);
        put_write(buf, &write);
    }
}

static void put_watches(const struct plan *plan, const struct user *user,
                        struct buf *buf)
{
    uint32_t first = plan_watch_source(plan, 0);
    uint32_t count = count_items(user, first, plan->source_count);
    if (!count)
        return;
    buf_u8(buf, SECTION_WATCHES);
    buf_varint(buf, count);
    for (uint32_t i = 0; i < plan->watch_count; i++) {
        if (!user_item(user, first + i).bytes)
            continue;
        struct watch watch = watch_read(user, first + i);
        buf_u64(buf, plan->segments[plan->watches[i]].key_hash);
        put_ms(buf, watch.entered_ms);
        put_ms(buf, watch.left_ms);
    }
}

static void put_spare(const struct user *user, struct buf *buf)
{
    struct spare spare;
    struct write write;
    uint32_t count = 0, at = 0;
    if (account_last(user, &write)) {
        buf_u8(buf, SECTION_ACCOUNT);
        put_write(buf, &write);
    }
    while (spare_next(user, &at, &spare))
        count++;
    buf_u8(buf, SECTION_SPARE);
    buf_varint(buf, count);
    for (at = 0; spare_next(user, &at, &spare);) {
        buf_u8(buf, (uint8_t)spare.account);
        put_text(buf, spare.name);
        put_write(buf, &spare.write);
    }
}

static void put_history(struct seg_engine *engine, const struct user *user,
                        struct buf *buf)
{
    int64_t ms;
    buf_u8(buf, SECTION_IDS);
    buf_varint(buf, dedupe_count(user));
    for (uint32_t i = 0; i < dedupe_count(user); i++) {
        buf_u64(buf, dedupe_at(user, i, &ms));
        put_ms(buf, ms);
    }
    buf_u8(buf, SECTION_FIRED);
    buf_varint(buf, fired_count(user));
    for (uint32_t i = 0; i < fired_count(user); i++) {
        uint32_t trigger = fired_at(user, i, &ms);
        buf_u64(buf, observed_trigger_hash(engine, trigger));
        put_ms(buf, ms);
    }
}

static void put_parked(struct seg_engine *engine, const struct user *user,
                       struct buf *buf)
{
    struct update update;
    uint32_t count = 0, at = 0;
    while (parked_at(user, &at, &engine->scratch, &update) > 0)
        count++;
    buf_u8(buf, SECTION_PARKED);
    buf_varint(buf, count);
    for (at = 0; parked_at(user, &at, &engine->scratch, &update) > 0;) {
        const struct write write = {update.time_ms, update.stamp, update.owner,
                                    update.value};
        buf_u8(buf, (uint8_t)update.kind);
        if (update.kind == UPDATE_FEATURE)
            buf_u64(buf, engine->plan->features[update.target].key);
        else if (update.kind == UPDATE_ATTRIBUTE)
            put_path(buf, &engine->plan->attributes[update.target].path);
        else
            buf_u8(buf, (uint8_t)update.target);
        put_text(buf, update.name);
        put_write(buf, &write);
    }
}

/* Whether anything was ever said of USER, or may be by a sweep. */
static int is_spoken_of(const struct plan *plan, const struct user *user,
                        const struct published *published)
{
    int is = published->at_ms != PUBLISHED_NEVER;
    for (uint32_t i = 0; !is && i < plan->trait_count; i++)
        is = user_item(user, plan->features[plan->traits[i].source].item)
                 .bytes != NULL;
    return is;
}

/* Left out of a record that has no room for it, the same is published again if
 * traits ever come back. */
static void put_published(const struct seg_engine *engine,
                          const struct user *user, struct buf *buf)
{
    struct published published = published_read(user);
    if (!engine->observed.swept && /* The sweep will publish. */
        is_spoken_of(engine->plan, user, &published))
        published = published_in_doubt(published);
    if (published.at_ms == PUBLISHED_NEVER ||
        engine->options.state_version < SNAPSHOT_TRAITS)
        return;
    buf_u8(buf, SECTION_PUBLISHED);
    put_ms(buf, published.at_ms);
    buf_u64(buf, published.hash);
}

/* Lists are read into the scratch arena: whether there was memory for all of
 * them is asked at the end. */
void snapshot_encode(struct seg_engine *engine, const struct user *user,
                     const int64_t *positions, struct buf *buf)
{
    const struct changes changes = changes_of(user);
    arena_reset(&engine->scratch);
    buf_u8(buf, (uint8_t)engine->options.state_version);
    put_text(buf, user_id(user));
    buf_u8(buf, (uint8_t)engine->topics.count);
    for (uint32_t i = 0; i < engine->topics.count; i++) {
        buf_u64(buf, engine->topic_hash[i]);
        put_ms(buf, positions[i]);
    }
    put_stamp(buf, user_birth(user));
    buf_varint(buf, changes.seq);
    buf_varint(buf, changes.trigger_seq);
    put_ms(buf, changes.last_at_ms);
    put_ms(buf, timer_at(engine, user));
    buf_varint(buf, engine->observed.epoch);
    put_members(engine, user, buf);
    put_sources(engine, user, buf);
    put_spare(user, buf);
    put_history(engine, user, buf);
    put_parked(engine, user, buf);
    put_watches(engine->plan, user, buf);
    put_published(engine, user, buf);
    buf_u8(buf, SECTION_END);
    snapshot_tail_write(buf, engine->options.state_version);
    buf->failed |= scratch_error(engine) < 0;
}
