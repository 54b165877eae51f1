/* observed.c: see observed.h. */
#include "lib/engine/observed.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/base/reader.h"
#include "lib/engine/engine.h"
#include "lib/engine/snapshot.h"

#define SHADOW_MARK 1 /* No key ends so. */
#define SWEPT       1
#define FILLED      2         /* The sweep is due for a backfill. */
#define UNSETTLED   SEG_NEVER /* `since` of an epoch that begins. */

int observed_init(struct seg_engine *engine)
{
    struct observed *observed = &engine->observed;
    observed->epoch = 1;
    observed->swept = 1;
    observed->latest_ms = INT64_MIN;
    observed->warming.of_source =
        calloc(engine->plan->source_count + 1ul, sizeof(uint32_t));
    observed->warming.kept =
        calloc(engine->plan->source_count + 1ul, sizeof(uint32_t));
    return observed->warming.of_source && observed->warming.kept
               ? 0
               : SEG_ERR_NOMEM;
}

void observed_done(struct seg_engine *engine)
{
    struct observed *observed = &engine->observed;
    warming_done(&observed->warming);
    free(observed->retired);
    free(observed->triggers);
    arena_done(&observed->arena);
    buf_done(&observed->record);
}

/* ---- segments ----------------------------------------------------------- */

static int add_retired(struct seg_engine *engine, uint64_t hash)
{
    struct observed *observed = &engine->observed;
    uint32_t count = engine->plan->segment_count + observed->retired_count;
    void *retired = observed->retired;
    uint32_t *sizes =
        realloc(engine->segment_sizes, (count + 2ul) * sizeof(*sizes));
    if (!sizes)
        return SEG_ERR_NOMEM;
    engine->segment_sizes = sizes;
    if (alloc_grow(&retired, &observed->retired_cap,
                   observed->retired_count + 1ul,
                   sizeof(*observed->retired)) < 0)
        return SEG_ERR_NOMEM;
    observed->retired = retired;
    observed->retired[observed->retired_count++] =
        (struct retired){.hash = hash};
    sizes[count] = 0;
    return 0;
}

int observed_segment(struct seg_engine *engine, uint64_t hash,
                     struct seg_text key, uint32_t *segment)
{
    struct observed *observed = &engine->observed;
    uint32_t i = 0;
    *segment = plan_find(&engine->plan->segment_hashes, hash);
    if (*segment != PLAN_NONE)
        return 0;
    while (i < observed->retired_count && observed->retired[i].hash != hash)
        i++;
    if (i == observed->retired_count && add_retired(engine, hash) < 0)
        return SEG_ERR_NOMEM;
    struct retired *retired = &observed->retired[i];
    if (!retired->key.bytes && key.bytes) {
        retired->key = arena_text(&observed->arena, key);
        if (!retired->key.bytes)
            return SEG_ERR_NOMEM;
    }
    *segment = engine->plan->segment_count + i;
    return 0;
}

struct seg_text observed_key(const struct seg_engine *engine, uint32_t segment)
{
    const struct plan *plan = engine->plan;
    return segment < plan->segment_count
               ? plan->segments[segment].rule->key
               : engine->observed.retired[segment - plan->segment_count].key;
}

int observed_is_shadow(const struct seg_engine *engine, uint32_t segment)
{
    const struct plan *plan = engine->plan;
    return segment < plan->segment_count
               ? plan->segments[segment].rule->shadow
               : engine->observed.retired[segment - plan->segment_count].shadow;
}

int observed_trigger(struct seg_engine *engine, uint64_t hash,
                     uint32_t *trigger)
{
    struct observed *observed = &engine->observed;
    void *triggers = observed->triggers;
    uint32_t i = 0;
    *trigger = plan_find(&engine->plan->trigger_hashes, hash);
    if (*trigger != PLAN_NONE)
        return 0;
    while (i < observed->trigger_count && observed->triggers[i] != hash)
        i++;
    *trigger = engine->plan->trigger_count + i;
    if (i < observed->trigger_count)
        return 0;
    if (alloc_grow(&triggers, &observed->trigger_cap, i + 1ul,
                   sizeof(*observed->triggers)) < 0)
        return SEG_ERR_NOMEM;
    observed->triggers = triggers;
    observed->triggers[observed->trigger_count++] = hash;
    return 0;
}

uint64_t observed_trigger_hash(const struct seg_engine *engine,
                               uint32_t trigger)
{
    const struct plan *plan = engine->plan;
    return trigger < plan->trigger_count
               ? plan->triggers[trigger].key_hash
               : engine->observed.triggers[trigger - plan->trigger_count];
}

/* ---- writing ------------------------------------------------------------ */

static uint64_t attribute_hash(const struct plan *plan, uint32_t i)
{
    const struct path *path = &plan->attributes[i].path;
    uint64_t hash = (uint64_t)(path->root == PATH_ACCOUNT) |
                    (uint64_t)plan->attributes[i].whole << 1;
    for (int n = 0; n < path->count; n++)
        hash = hash_bytes(path->names[n].bytes, path->names[n].len, hash);
    return hash;
}

/* The number of the epoch since which SOURCE is observed: 0 also when its
 * warming is over. */
static uint32_t epoch_number(const struct seg_engine *engine, uint32_t source)
{
    const struct warming *warming = &engine->observed.warming;
    uint32_t index = warming->of_source[source];
    return index ? warming->epochs[index - 1].number : 0;
}

/* Whether some source is observed since epoch EPOCH. */
static int is_used(const struct seg_engine *engine, uint32_t epoch)
{
    for (uint32_t s = 0; s < engine->plan->source_count; s++)
        if (engine->observed.warming.of_source[s] == epoch + 1)
            return 1;
    return 0;
}

static void put_epochs(struct seg_engine *engine, struct buf *buf)
{
    const struct warming *warming = &engine->observed.warming;
    uint32_t count = 0;
    for (uint32_t i = 0; i < warming->epoch_count; i++)
        count += (uint32_t)is_used(engine, i);
    buf_varint(buf, count);
    for (uint32_t i = 0; i < warming->epoch_count; i++) {
        const struct warming_epoch *epoch = &warming->epochs[i];
        if (!is_used(engine, i))
            continue;
        buf_varint(buf, epoch->number);
        buf_u64(buf, (uint64_t)epoch->since_ms);
        for (uint32_t t = 0; t < engine->topics.count; t++)
            buf_varint(buf, (uint64_t)epoch->positions[t]);
    }
}

static void put_segments(struct seg_engine *engine, struct buf *buf)
{
    uint32_t count =
        engine->plan->segment_count + engine->observed.retired_count;
    buf_varint(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        struct seg_text key = observed_key(engine, i);
        int shadow = observed_is_shadow(engine, i);
        buf_varint(buf, key.len + (key.len && shadow));
        buf_text(buf, key);
        if (key.len && shadow)
            buf_u8(buf, SHADOW_MARK);
    }
}

static void put_watches(struct seg_engine *engine, struct buf *buf)
{
    const struct plan *plan = engine->plan;
    buf_varint(buf, plan->watch_count);
    for (uint32_t i = 0; i < plan->watch_count; i++) {
        buf_u64(buf, plan->segments[plan->watches[i]].key_hash);
        buf_varint(buf, epoch_number(engine, plan_watch_source(plan, i)));
    }
}

static uint8_t swept_mark(const struct seg_engine *engine)
{
    const struct observed *observed = &engine->observed;
    return observed->swept ? SWEPT
           : observed->backfilled &&
                   engine->options.state_version >= SNAPSHOT_WATCHES
               ? FILLED
               : 0;
}

void observed_encode(struct seg_engine *engine, struct buf *buf)
{
    const struct plan *plan = engine->plan;
    size_t start = buf->len;
    observed_prune(engine);
    buf_u8(buf, (uint8_t)engine->options.state_version);
    buf_u64(buf, plan->hash);
    buf_varint(buf, engine->observed.epoch);
    buf_u8(buf, swept_mark(engine));
    buf_u8(buf, (uint8_t)engine->topics.count);
    for (uint32_t i = 0; i < engine->topics.count; i++)
        buf_u64(buf, engine->topic_hash[i]);
    put_epochs(engine, buf);
    buf_varint(buf, plan->feature_count);
    for (uint32_t i = 0; i < plan->feature_count; i++) {
        buf_u64(buf, plan->features[i].key);
        buf_varint(buf, epoch_number(engine, i));
        buf_varint(buf, engine->observed.warming.kept[i]);
        buf_varint(buf, plan->features[i].keep);
    }
    buf_varint(buf, plan->attribute_count);
    for (uint32_t i = 0; i < plan->attribute_count; i++) {
        buf_u64(buf, attribute_hash(plan, i));
        buf_varint(buf, epoch_number(engine, plan_attribute_source(plan, i)));
    }
    if (engine->options.state_version >= SNAPSHOT_WATCHES)
        put_watches(engine, buf);
    put_segments(engine, buf);
    snapshot_tail_write(buf, engine->options.state_version);
    if (!buf_failed(buf))
        buf_u64(buf, hash_bytes(buf->bytes + start, buf->len - start, 0));
}

/* ---- going on from the catalogue before --------------------------------- */

struct continuing {
    struct seg_engine *engine;
    struct reader reader;
    const int64_t *positions;
    int same; /* It is the same catalogue. */
    struct known {
        int read;                  /* By the catalogue before. */
        uint32_t epoch;            /* Its number, 0: from the start. */
        uint32_t kept;             /* See struct warming. */
        uint32_t keep;             /* Of a feature. */
    } * known;                     /* By source. */
    uint8_t topics[UINT8_MAX + 1]; /* The record's places to the engine's. */
    uint8_t topic_count;
};

static uint64_t get_count(struct continuing *from, size_t size)
{
    uint64_t count = reader_varint(&from->reader);
    if (count > reader_left(&from->reader) / size)
        from->reader.failed = 1;
    return reader_failed(&from->reader) ? 0 : count;
}

/* Room for one epoch more. */
static struct warming_epoch *add_epoch(struct seg_engine *engine)
{
    struct warming *warming = &engine->observed.warming;
    struct warming_epoch *epochs = realloc(
        warming->epochs, (warming->epoch_count + 1ul) * sizeof(*epochs));
    if (!epochs)
        return NULL;
    warming->epochs = epochs;
    struct warming_epoch *epoch = &epochs[warming->epoch_count];
    *epoch = (struct warming_epoch){
        .positions = calloc(SEG_TOPICS_MAX, sizeof(int64_t))};
    warming->epoch_count += epoch->positions != NULL;
    return epoch->positions ? epoch : NULL;
}

static void get_topics(struct continuing *from)
{
    const struct seg_engine *engine = from->engine;
    from->topic_count = reader_u8(&from->reader);
    for (uint8_t n = 0; n < from->topic_count; n++) {
        uint64_t hash = reader_u64(&from->reader);
        from->topics[n] = UINT8_MAX;
        for (uint32_t i = 0; i < engine->topics.count; i++)
            if (engine->topic_hash[i] == hash)
                from->topics[n] = (uint8_t)i;
    }
}

/* POSITION of the record's topic N, where an epoch began: of a topic that is
 * read again from before it, there. */
static int64_t place_of(const struct continuing *from, uint8_t n,
                        uint64_t position)
{
    int64_t place = (int64_t)(position & STAMP_OFFSET_MASK);
    int64_t now = from->positions[from->topics[n]];
    return place < now ? place : now;
}

/* The epochs of a record whose catalogue began epoch NEWEST. */
static int get_epochs(struct continuing *from, uint64_t newest)
{
    uint64_t count = get_count(from, 9), last = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct warming_epoch *epoch = add_epoch(from->engine);
        if (!epoch)
            return SEG_ERR_NOMEM;
        uint64_t number = reader_varint(&from->reader);
        epoch->number = (uint32_t)number;
        epoch->since_ms = (int64_t)reader_u64(&from->reader);
        for (uint8_t n = 0; n < from->topic_count; n++) {
            uint64_t position = reader_varint(&from->reader);
            if (from->topics[n] != UINT8_MAX)
                epoch->positions[from->topics[n]] = place_of(from, n, position);
        }
        if (reader_failed(&from->reader) || number <= last || number > newest ||
            epoch->since_ms < -SNAPSHOT_MS_MAX ||
            epoch->since_ms > SNAPSHOT_MS_MAX)
            return SEG_ERR_RECORD;
        last = number;
    }
    return 0;
}

static int get_features(struct continuing *from)
{
    uint64_t count = get_count(from, 9);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t id = plan_find(&from->engine->plan->feature_hashes,
                                reader_u64(&from->reader));
        struct known known = {.read = 1};
        known.epoch = (uint32_t)reader_varint(&from->reader);
        known.kept = (uint32_t)reader_varint(&from->reader);
        known.keep = (uint32_t)reader_varint(&from->reader);
        if (id != PLAN_NONE)
            from->known[id] = known;
    }
    return reader_failed(&from->reader) ? SEG_ERR_RECORD : 0;
}

static int get_attributes(struct continuing *from)
{
    const struct plan *plan = from->engine->plan;
    uint64_t count = get_count(from, 9);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t hash = reader_u64(&from->reader);
        uint32_t number = (uint32_t)reader_varint(&from->reader);
        for (uint32_t a = 0; a < plan->attribute_count; a++)
            if (attribute_hash(plan, a) == hash)
                from->known[plan_attribute_source(plan, a)] =
                    (struct known){.read = 1, .epoch = number};
    }
    return reader_failed(&from->reader) ? SEG_ERR_RECORD : 0;
}

static int get_watches(struct continuing *from)
{
    const struct plan *plan = from->engine->plan;
    uint64_t count = get_count(from, 9);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t segment =
            plan_find(&plan->segment_hashes, reader_u64(&from->reader));
        uint32_t number = (uint32_t)reader_varint(&from->reader);
        if (segment != PLAN_NONE && plan->segments[segment].watch != PLAN_NONE)
            from->known[plan->segments[segment].watch] =
                (struct known){.read = 1, .epoch = number};
    }
    return reader_failed(&from->reader) ? SEG_ERR_RECORD : 0;
}

static int get_segments(struct continuing *from)
{
    uint64_t count = get_count(from, 1);
    uint32_t segment, listed = from->engine->plan->segment_count;
    for (uint64_t i = 0; i < count; i++) {
        struct seg_text key = reader_text(&from->reader);
        if (reader_failed(&from->reader))
            return SEG_ERR_RECORD;
        int shadow = key.len && key.bytes[key.len - 1] == SHADOW_MARK;
        key.len -= (size_t)shadow;
        if (!key.len)
            continue;
        if (observed_segment(from->engine, plan_segment_hash(key, shadow), key,
                             &segment) < 0)
            return SEG_ERR_NOMEM;
        if (segment >= listed)
            from->engine->observed.retired[segment - listed].shadow = shadow;
    }
    return 0;
}

/* The epoch that begins. */
static int begin_epoch(struct continuing *from)
{
    struct observed *observed = &from->engine->observed;
    struct warming_epoch *epoch = add_epoch(from->engine);
    if (!epoch)
        return SEG_ERR_NOMEM;
    epoch->number = observed->epoch;
    epoch->since_ms = UNSETTLED;
    memcpy(epoch->positions, from->positions,
           from->engine->topics.count * sizeof(int64_t));
    return 0;
}

/* Whether SOURCE is a window of which more events are kept than before. */
static int keeps_more(const struct continuing *from, uint32_t source)
{
    const struct plan *plan = from->engine->plan;
    return source < plan->feature_count &&
           plan->features[source].kind == FEATURE_WINDOW &&
           plan->features[source].keep > from->known[source].keep;
}

/* SOURCE goes on as it was. */
static void go_on(struct continuing *from, uint32_t source, uint32_t epochs)
{
    struct warming *warming = &from->engine->observed.warming;
    uint32_t number = from->known[source].epoch;
    for (uint32_t e = 0; number && e < epochs; e++)
        if (warming->epochs[e].number == number) {
            warming->of_source[source] = e + 1;
            warming->kept[source] = from->known[source].kept;
        }
}

/* What was kept before of SOURCE: of what is itself still warming, the less. */
static uint32_t kept_of(const struct continuing *from, uint32_t source)
{
    const struct known *known = &from->known[source];
    return known->epoch && known->kept < known->keep ? known->kept
                                                     : known->keep;
}

/* The epoch of each source, by its number; what was not known begins one. */
static int set_sources(struct continuing *from)
{
    struct warming *warming = &from->engine->observed.warming;
    uint32_t count = from->engine->plan->source_count,
             old = warming->epoch_count;
    for (uint32_t s = 0; s < count; s++) {
        if (from->known[s].read && !keeps_more(from, s)) {
            go_on(from, s, old);
            continue;
        }
        if (from->same)
            return SEG_ERR_RECORD;
        if (warming->epoch_count == old && begin_epoch(from) < 0)
            return SEG_ERR_NOMEM;
        warming->of_source[s] = warming->epoch_count;
        warming->kept[s] = from->known[s].read ? kept_of(from, s) : 0;
    }
    return 0;
}

static int get_all(struct continuing *from, int version)
{
    struct observed *observed = &from->engine->observed;
    struct reader *reader = &from->reader;
    from->same = reader_u64(reader) == from->engine->plan->hash;
    uint64_t epoch = reader_varint(reader);
    uint8_t mark = reader_u8(reader);
    observed->swept = mark == SWEPT && from->same;
    observed->backfilled = mark == FILLED && from->same;
    observed->epoch = (uint32_t)epoch + !from->same;
    get_topics(from);
    if (reader_failed(reader) || epoch < 1 || epoch >= UINT32_MAX ||
        mark > FILLED)
        return SEG_ERR_RECORD;
    int ret = get_epochs(from, epoch);
    if (ret == 0)
        ret = get_features(from);
    if (ret == 0)
        ret = get_attributes(from);
    if (ret == 0 && version >= SNAPSHOT_WATCHES)
        ret = get_watches(from);
    if (ret == 0)
        ret = get_segments(from);
    if (ret == 0 &&
        (!snapshot_tail_read(reader, version) || reader_left(reader)))
        ret = SEG_ERR_RECORD;
    return ret < 0 ? ret : set_sources(from);
}

int observed_continue(struct seg_engine *engine, struct seg_text record,
                      const int64_t *positions, struct seg_error *detail)
{
    struct continuing from = {.engine = engine, .positions = positions};
    struct reader tail;
    size_t body = record.len < 8 ? 0 : record.len - 8;
    reader_init(&tail,
                (struct seg_text){record.bytes + body, record.len - body});
    reader_init(&from.reader, (struct seg_text){record.bytes, body});
    uint8_t version = reader_u8(&from.reader);
    if (version > SEG_STATE_VERSION)
        return error_set(detail, SEG_ERR_RECORD_VERSION,
                         "catalogue record of version %d; this build reads up "
                         "to %d",
                         version, SEG_STATE_VERSION);
    from.known = calloc(engine->plan->source_count + 1ul, sizeof(*from.known));
    if (!from.known)
        return SEG_ERR_NOMEM;
    int ret = SEG_ERR_RECORD;
    if (snapshot_reads(version) && body &&
        reader_u64(&tail) == hash_bytes(record.bytes, body, 0))
        ret = get_all(&from, version);
    free(from.known);
    if (ret == SEG_ERR_RECORD)
        error_set(detail, ret, "catalogue record of %zu bytes is broken",
                  record.len);
    return ret;
}

/* Whether an epoch may say that all inputs are observed from POSITIONS. */
static int is_from_start(const struct seg_engine *engine,
                         const int64_t *positions)
{
    for (uint32_t t = 0; t < engine->topics.count; t++)
        if (positions[t])
            return 0;
    return 1;
}

/* The epoch of the catalogue in force, made if there is none yet. */
static struct warming_epoch *present_epoch(struct seg_engine *engine)
{
    struct warming *warming = &engine->observed.warming;
    uint32_t count = warming->epoch_count;
    if (count && warming->epochs[count - 1].number == engine->observed.epoch)
        return &warming->epochs[count - 1];
    struct warming_epoch *epoch = add_epoch(engine);
    if (epoch)
        epoch->number = engine->observed.epoch;
    return epoch;
}

int observed_since(struct seg_engine *engine, const uint8_t *wanted,
                   const int64_t *positions, int64_t since_ms)
{
    struct warming *warming = &engine->observed.warming;
    uint32_t index = 0;
    if (!is_from_start(engine, positions)) {
        struct warming_epoch *epoch = present_epoch(engine);
        if (!epoch)
            return SEG_ERR_NOMEM;
        epoch->since_ms = since_ms;
        memcpy(epoch->positions, positions,
               engine->topics.count * sizeof(int64_t));
        index = warming->epoch_count;
    }
    for (uint32_t s = 0; s < engine->plan->source_count; s++)
        if (wanted[s] && warming->of_source[s]) {
            warming->of_source[s] = index;
            warming->kept[s] = 0;
        }
    warming_set_bits(warming, engine->plan);
    return warming_find_ends(warming, engine->plan);
}

int observed_settle(struct seg_engine *engine)
{
    struct observed *observed = &engine->observed;
    struct warming *warming = &observed->warming;
    for (uint32_t i = 0; i < warming->epoch_count; i++)
        if (warming->epochs[i].since_ms == UNSETTLED)
            warming->epochs[i].since_ms = observed->latest_ms > engine->clock_ms
                                              ? observed->latest_ms
                                              : engine->clock_ms;
    warming_set_bits(warming, engine->plan);
    return warming_find_ends(warming, engine->plan);
}
