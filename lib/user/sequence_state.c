/* sequence_state.c: what a user has of a sequence, as bytes.
 *
 * The item: a head, then, unless settled, attempts (attempts_item.c) and numbers
 * of 7 bits a byte:
 *
 *     | head | live | frozen | edge | event ... |
 *       1      0-     1-       0-
 *
 *     head     1 settled, 2 there is an edge, 4 attempts were given up, 8 what
 *              all of it came to stands there as well, as *live* attempts
 *     edge     time beside the base, topic (1 byte), offset
 *     event    time beside the base, of all but the first after the one before;
 *              roles × 2 + 1 if of another topic (of the first: if not of topic
 *              0): then the topic (1 byte); offset, of all but the first of a
 *              topic less that of the event before, zigzag; key
 *
 * What has not changed since the item was read is copied as it stands there.
 *
 * Example: `did A without B within 1h` of a user born an hour before his A at
 * offset 1000 is 00 00  80 ba b7 03  02  e8 07: nine bytes. */
#include "lib/user/sequence_state.h"

#include <string.h>

#include <seg/error.h>

#include "lib/user/number.h"
#include "lib/user/times.h"

enum { SETTLED = 1, EDGE = 2, DROPPED = 4, LIVE = 8 };

/* ---- the item ----------------------------------------------------------- */

#define EVENT_BYTES (3 * NUMBER_BYTES + 1 + 8)
#define ITEM_BYTES                                   \
    (1 + 2 * ATTEMPTS_BYTES + 2 * NUMBER_BYTES + 1 + \
     SEQUENCE_TAIL_MAX * EVENT_BYTES)

static uint8_t *put_key(uint8_t *to, const struct feature *feature,
                        uint64_t same)
{
    if (!feature->of.sequence->same)
        return to;
    memcpy(to, &same, sizeof(same));
    return to + sizeof(same);
}

static const uint8_t *get_key(const uint8_t *from,
                              const struct feature *feature, uint64_t *same)
{
    *same = 0;
    if (!feature->of.sequence->same)
        return from;
    memcpy(same, from, sizeof(*same));
    return from + sizeof(*same);
}

static inline uint64_t zigzag(int64_t n)
{
    return (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t n)
{
    return (int64_t)(n >> 1 ^ (n & 1 ? UINT64_MAX : 0));
}

static uint8_t *put_event(uint8_t *to, const struct user *user,
                          const struct feature *feature,
                          const struct seen *seen, const struct seen *before)
{
    int topic = stamp_topic(seen->stamp);
    int other = topic != (before ? stamp_topic(before->stamp) : 0);
    int64_t offset = stamp_offset(seen->stamp);
    to = put_number(to, before ? (uint64_t)(seen->time_ms - before->time_ms)
                               : times_beside(user, seen->time_ms));
    to = put_number(to, (uint64_t)seen->roles << 1 | (uint64_t)other);
    if (other)
        *to++ = (uint8_t)topic;
    to = put_number(to, before && !other
                            ? zigzag(offset - stamp_offset(before->stamp))
                            : (uint64_t)offset);
    return put_key(to, feature, seen->same);
}

static const uint8_t *get_event(const uint8_t *from, const struct user *user,
                                const struct feature *feature,
                                const struct seen *before, struct seen *seen)
{
    uint64_t time, roles, offset;
    int topic = before ? stamp_topic(before->stamp) : 0;
    from = get_number(from, &time);
    from = get_number(from, &roles);
    if (roles & 1)
        topic = *from++;
    from = get_number(from, &offset);
    if (before && !(roles & 1))
        offset = (uint64_t)(stamp_offset(before->stamp) + unzigzag(offset));
    seen->time_ms =
        before ? before->time_ms + (int64_t)time : times_from(user, time);
    seen->roles = (uint32_t)(roles >> 1);
    seen->stamp = fold_stamp(topic, (int64_t)offset);
    return get_key(from, feature, &seen->same);
}

static const uint8_t *get_edge(const uint8_t *from, const struct user *user,
                               struct sequence_state *state)
{
    uint64_t time, offset;
    from = get_number(from, &time);
    state->edge_ms = times_from(user, time);
    int topic = *from++;
    from = get_number(from, &offset);
    state->edge_stamp = fold_stamp(topic, (int64_t)offset);
    return from;
}

static void clear(struct sequence_state *state)
{
    state->settled = state->has_edge = state->has_live = 0;
    state->tail_count = 0;
    attempts_clear(&state->frozen);
    attempts_clear(&state->live);
}

void sequence_state_read(const struct user *user, const struct feature *feature,
                         const struct item *item, struct sequence_state *state)
{
    const uint8_t *from = item->bytes;
    clear(state);
    if (!from)
        return;
    const uint8_t *end = from + item->len;
    int head = *from++;
    state->settled = head & SETTLED;
    if (state->settled)
        return;
    state->frozen.dropped = (head & DROPPED) != 0;
    state->has_live = (head & LIVE) != 0;
    if (state->has_live)
        from = attempts_get(from, user, feature, &state->live);
    from = attempts_get(from, user, feature, &state->frozen);
    state->has_edge = head & EDGE;
    if (state->has_edge)
        from = get_edge(from, user, state);
    for (struct seen *seen = state->tail; from < end; seen++) {
        seen->stored = (uint16_t)(from - item->bytes);
        from = get_event(from, user, feature,
                         state->tail_count ? seen - 1 : NULL, seen);
        seen->stored_end = (uint16_t)(from - item->bytes);
        state->tail_count++;
    }
}

void sequence_state_replay(struct sequence_state *state,
                           const struct feature *feature)
{
    attempts_copy(&state->live, &state->frozen);
    for (uint32_t i = 0; i < state->tail_count; i++)
        attempts_see(&state->live, feature, &state->tail[i]);
    state->has_live = 1;
}

void sequence_state_ask(const struct user *user, const struct feature *feature,
                        const struct item *item, struct sequence_state *state)
{
    if (item->bytes && item->bytes[0] & LIVE) {
        clear(state);
        attempts_get(item->bytes + 1, user, feature, &state->live);
        return;
    }
    sequence_state_read(user, feature, item, state);
    if (!state->settled)
        sequence_state_replay(state, feature);
}

static int head_of(const struct sequence_state *state)
{
    return (state->settled ? SETTLED : 0) | (state->has_edge ? EDGE : 0) |
           (state->frozen.dropped ? DROPPED : 0);
}

/* Event I and those behind it that stand in OLD just as they are to be: behind
 * the same one before. Returns how many, 0 if it does not. */
static uint32_t copy_events(const struct sequence_state *state, uint32_t i,
                            const uint8_t *old, uint8_t **to)
{
    const struct seen *tail = state->tail;
    uint32_t n = 0;
    while (i + n < state->tail_count && i + n > 0 && tail[i + n].stored &&
           tail[i + n].stored == tail[i + n - 1].stored_end)
        n++;
    if (n) {
        size_t len = (size_t)(tail[i + n - 1].stored_end - tail[i].stored);
        memcpy(*to, old + tail[i].stored, len);
        *to += len;
    }
    return n;
}

static uint8_t *put_events(uint8_t *to, const struct user *user,
                           const struct feature *feature,
                           const struct sequence_state *state,
                           const uint8_t *old)
{
    for (uint32_t i = 0; i < state->tail_count;) {
        uint32_t copied = copy_events(state, i, old, &to);
        i += copied;
        if (copied)
            continue;
        to = put_event(to, user, feature, &state->tail[i],
                       i ? &state->tail[i - 1] : NULL);
        i++;
    }
    return to;
}

/* STATE as the bytes of an item, which was OLD when it was read; returns how
 * many, 0: there is nothing. */
static uint32_t put_state(const struct user *user,
                          const struct feature *feature,
                          struct sequence_state *state, const uint8_t *old,
                          uint8_t bytes[ITEM_BYTES])
{
    uint8_t *to = bytes;
    if (!state->settled && !state->frozen.count && !state->tail_count)
        return 0;
    int live = !state->settled && state->tail_count >= SEQUENCE_LIVE_FROM;
    *to++ = (uint8_t)(head_of(state) | (live ? LIVE : 0));
    if (state->settled)
        return 1;
    if (live)
        to = attempts_put(to, user, feature, &state->live);
    to = attempts_put(to, user, feature, &state->frozen);
    if (state->has_edge) {
        to = put_number(to, times_beside(user, state->edge_ms));
        *to++ = (uint8_t)stamp_topic(state->edge_stamp);
        to = put_number(to, (uint64_t)stamp_offset(state->edge_stamp));
    }
    return (uint32_t)(put_events(to, user, feature, state, old) - bytes);
}

/* STATE becomes ITEM of *USER. */
int sequence_state_write(struct store *store, struct user **user,
                         const struct feature *feature,
                         struct sequence_state *state, struct item *item)
{
    uint8_t bytes[ITEM_BYTES];
    uint32_t len = put_state(*user, feature, state, item->bytes, bytes);
    int ret = user_resize(store, user, feature->item, len, item);
    if (ret < 0 || !len)
        return ret;
    memcpy(item->bytes, bytes, len);
    return user_set_coarse(store, user, item,
                           (head_of(state) & (EDGE | DROPPED)) != 0);
}

/* ---- the record -----------------------------------------------------------
 *
 *   u8 head; unless settled:
 *   n attempts   n step, ms first, n last - first, u64 key if there are keys
 *   edge         if head says so: ms, stamp
 *   n events     ms, n roles, stamp, u64 key if there are keys
 *   stamp        u8 place of the topic, n offset */

static void write_stamp(struct buf *buf, uint64_t stamp,
                        const uint8_t places[FEATURE_TOPICS])
{
    buf_u8(buf, places[stamp_topic(stamp)]);
    buf_varint(buf, (uint64_t)stamp_offset(stamp));
}

static void write_key(struct buf *buf, const struct feature *feature,
                      uint64_t same)
{
    if (feature->of.sequence->same)
        buf_u64(buf, same);
}

void sequence_state_encode(const struct user *user,
                           const struct feature *feature,
                           const struct item *item, struct buf *buf,
                           const uint8_t places[FEATURE_TOPICS])
{
    struct sequence_state state;
    sequence_state_read(user, feature, item, &state);
    buf_u8(buf, (uint8_t)head_of(&state));
    if (state.settled)
        return;
    attempts_read_all(&state.frozen);
    buf_varint(buf, state.frozen.count);
    for (uint32_t i = 0; i < state.frozen.count; i++) {
        const struct attempt *attempt = &state.frozen.items[i];
        buf_varint(buf, attempt->step);
        buf_u64(buf, (uint64_t)attempt->first_ms);
        buf_varint(buf, (uint64_t)(attempt->last_ms - attempt->first_ms));
        write_key(buf, feature, attempt->same);
    }
    if (state.has_edge) {
        buf_u64(buf, (uint64_t)state.edge_ms);
        write_stamp(buf, state.edge_stamp, places);
    }
    buf_varint(buf, state.tail_count);
    for (uint32_t i = 0; i < state.tail_count; i++) {
        const struct seen *seen = &state.tail[i];
        buf_u64(buf, (uint64_t)seen->time_ms);
        buf_varint(buf, seen->roles);
        write_stamp(buf, seen->stamp, places);
        write_key(buf, feature, seen->same);
    }
}

struct reading {
    struct reader *reader;
    const struct feature *feature;
    const uint8_t *topics;
};

static void refuse_if(const struct reading *from, int bad)
{
    from->reader->failed |= bad;
}

static int64_t read_ms(const struct reading *from)
{
    int64_t ms = (int64_t)reader_u64(from->reader);
    refuse_if(from, ms < -SEQUENCE_MS_MAX || ms > SEQUENCE_MS_MAX);
    return ms;
}

static uint64_t read_number(const struct reading *from, uint64_t max)
{
    uint64_t n = reader_varint(from->reader);
    refuse_if(from, n > max);
    return reader_failed(from->reader) ? 0 : n;
}

static uint64_t read_stamp(const struct reading *from)
{
    int topic = from->topics[reader_u8(from->reader)];
    return fold_stamp(topic, (int64_t)(reader_varint(from->reader) &
                                       ((UINT64_C(1) << 56) - 1)));
}

static uint64_t read_key(const struct reading *from)
{
    return from->feature->of.sequence->same ? reader_u64(from->reader) : 0;
}

static void read_attempts(const struct reading *from,
                          struct sequence_state *state)
{
    const struct feature_sequence *sequence = from->feature->of.sequence;
    uint32_t count = (uint32_t)read_number(from, SEQUENCE_ATTEMPTS_ROOM);
    for (uint32_t i = 0; i < count; i++) {
        struct attempt attempt = {0};
        attempt.step = (uint32_t)read_number(from, sequence->step_count - 1);
        refuse_if(from, sequence->steps[attempt.step].without);
        attempt.first_ms = read_ms(from);
        attempt.last_ms =
            attempt.first_ms + (int64_t)read_number(from, SEQUENCE_MS_MAX);
        attempt.same = read_key(from);
        attempts_append(&state->frozen, &attempt);
    }
}

/* Topics may have other numbers now, so events of one instant another order. */
static void read_events(const struct reading *from,
                        struct sequence_state *state)
{
    uint32_t count = (uint32_t)read_number(from, SEQUENCE_TAIL_MAX);
    uint32_t roles = sequence_roles(from->feature->of.sequence);
    for (uint32_t i = 0; i < count; i++) {
        struct seen seen = {.time_ms = read_ms(from)};
        seen.roles = (uint32_t)read_number(from, roles);
        refuse_if(from, !seen.roles || (seen.roles & ~roles));
        seen.stamp = read_stamp(from);
        seen.same = read_key(from);
        uint32_t at = state->tail_count++;
        for (; at > 0 && seen_before(&seen, state->tail[at - 1].time_ms,
                                     state->tail[at - 1].stamp);
             at--)
            state->tail[at] = state->tail[at - 1];
        state->tail[at] = seen;
    }
}

int sequence_state_decode(struct store *store, struct user **user,
                          const struct feature *feature, struct reader *reader,
                          const uint8_t topics[FEATURE_TOPICS])
{
    const struct reading from = {reader, feature, topics};
    struct sequence_state state;
    struct item item = user_item(*user, feature->item);
    int head = reader_u8(reader);
    clear(&state);
    state.settled = head == SETTLED;
    refuse_if(&from, state.settled ? feature->from_ms != FEATURE_LIFETIME
                                   : head & ~(EDGE | DROPPED));
    state.has_edge = (head & EDGE) != 0;
    state.frozen.dropped = (head & DROPPED) != 0;
    if (!state.settled) {
        read_attempts(&from, &state);
        if (state.has_edge) {
            state.edge_ms = read_ms(&from);
            state.edge_stamp = read_stamp(&from);
        }
        read_events(&from, &state);
        refuse_if(&from, !state.frozen.count && !state.tail_count);
    }
    if (reader_failed(reader))
        return SEG_ERR_RECORD;
    if (state.tail_count) {
        int64_t newest_ms = state.tail[state.tail_count - 1].time_ms;
        sequence_state_replay(&state, feature);
        attempts_prune(&state.live, feature, newest_ms, newest_ms);
    }
    return sequence_state_write(store, user, feature, &state, &item);
}
