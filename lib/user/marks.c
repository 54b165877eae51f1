/* marks.c: see marks.h. */
#include "lib/user/marks.h"

#include <string.h>

#include <seg/error.h>

#include "lib/user/distinct.h"
#include "lib/user/sketch.h"
#include "lib/user/times.h"

#define MARK_BYTES 10u

/* What stands in front of the marks of a window that ends now. */
struct head {
    int64_t leave_ms;
    struct sketch sketch;
};

#define HEAD_BYTES  ((uint32_t)(sizeof(int64_t) + sizeof(struct sketch)))
#define FIRST_BYTES (MARKS_FRONT + HEAD_BYTES) /* Where marks begin. */

struct mark {
    uint16_t spot;
    int64_t time_ms;
};

_Static_assert(SKETCH_REGISTERS_MAX == 1 << DISTINCT_BITS, "registers");

static struct mark get_mark(const uint8_t *bytes)
{
    struct mark mark;
    memcpy(&mark.spot, bytes, 2);
    memcpy(&mark.time_ms, bytes + 2, 8);
    return mark;
}

static void put_mark(uint8_t *bytes, const struct mark *mark)
{
    memcpy(bytes, &mark->spot, 2);
    memcpy(bytes + 2, &mark->time_ms, 8);
}

static void head_get(const struct item *item, struct head *head)
{
    const uint8_t *at = item->bytes + MARKS_FRONT;
    memcpy(&head->leave_ms, at, 8);
    memcpy(&head->sketch, at + 8, sizeof(head->sketch));
}

static void head_put(struct item *item, const struct head *head)
{
    uint8_t *at = item->bytes + MARKS_FRONT;
    memcpy(at, &head->leave_ms, 8);
    memcpy(at + 8, &head->sketch, sizeof(head->sketch));
}

/* ---- a window that ends now --------------------------------------------- */

static uint32_t mark_count(const struct item *item)
{
    return (item->len - FIRST_BYTES) / MARK_BYTES;
}

static uint8_t *place_of(const struct item *item, uint32_t i)
{
    return item->bytes + FIRST_BYTES + i * MARK_BYTES;
}

static struct mark mark_at(const struct item *item, uint32_t i)
{
    return get_mark(place_of(item, i));
}

static int is_of(const struct item *item, uint32_t i, uint32_t number)
{
    return i < mark_count(item) &&
           spot_register(mark_at(item, i).spot) == number;
}

/* The first mark of register NUMBER or a later one. */
static uint32_t find_register(const struct item *item, uint32_t number)
{
    uint32_t low = 0, high = mark_count(item);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (spot_register(mark_at(item, middle).spot) >= number)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* What the marks after BEGIN_MS say. */
static void head_make(const struct item *item, int64_t begin_ms,
                      struct head *head)
{
    uint32_t last = SKETCH_REGISTERS_MAX;
    head->leave_ms = INT64_MAX;
    sketch_clear(&head->sketch, DISTINCT_BITS);
    for (uint32_t i = 0; i < mark_count(item); i++) {
        struct mark mark = mark_at(item, i);
        if (mark.time_ms <= begin_ms || spot_register(mark.spot) == last)
            continue;
        last = spot_register(mark.spot);
        sketch_raise(&head->sketch, 0, spot_rank(mark.spot));
        if (mark.time_ms < head->leave_ms)
            head->leave_ms = mark.time_ms;
    }
}

int marks_create(const struct marks *marks)
{
    struct head head = {.leave_ms = INT64_MAX};
    int ret = user_resize(marks->store, marks->user, marks->id, FIRST_BYTES,
                          marks->item);
    if (ret == 0)
        ret = user_set_coarse(marks->store, marks->user, marks->item, 1);
    if (ret < 0)
        return ret;
    sketch_clear(&head.sketch, DISTINCT_BITS);
    head_put(marks->item, &head);
    return 0;
}

/* Put MARK where those from FROM to below TO were. */
static int replace(const struct marks *marks, uint32_t from, uint32_t to,
                   const struct mark *mark)
{
    int32_t more = (int32_t)MARK_BYTES * (1 - (int32_t)(to - from));
    int ret = user_splice(marks->store, marks->user, marks->id,
                          FIRST_BYTES + from * MARK_BYTES, more, marks->item);
    if (ret == 0)
        put_mark(place_of(marks->item, from), mark);
    return ret;
}

int marks_add(const struct marks *marks, uint16_t spot, int64_t time_ms)
{
    struct item *item = marks->item;
    uint32_t number = spot_register(spot), rank = spot_rank(spot);
    struct head head;
    uint32_t first = find_register(item, number), from = first;
    uint32_t top =
        is_of(item, first, number) ? spot_rank(mark_at(item, first).spot) : 0;
    while (is_of(item, from, number) &&
           spot_rank(mark_at(item, from).spot) > rank)
        from++;
    uint32_t to = from;
    if (from > first && mark_at(item, from - 1).time_ms >= time_ms)
        return 0;
    if (is_of(item, from, number) && mark_at(item, from).spot == spot &&
        mark_at(item, from).time_ms >= time_ms)
        return 0;
    while (is_of(item, to, number) && mark_at(item, to).time_ms <= time_ms)
        to++;
    int ret = replace(marks, from, to, &(struct mark){spot, time_ms});
    if (ret < 0)
        return ret;
    head_get(item, &head);
    if (from == first)
        sketch_raise(&head.sketch, top, rank);
    if (time_ms < head.leave_ms)
        head.leave_ms = time_ms;
    head_put(item, &head);
    return 0;
}

int marks_prune(const struct marks *marks, int64_t begin_ms)
{
    struct item *item = marks->item;
    struct head head;
    uint32_t kept = 0;
    head_get(item, &head);
    if (head.leave_ms > begin_ms)
        return 0;
    for (uint32_t i = 0; i < mark_count(item); i++) {
        struct mark mark = mark_at(item, i);
        if (mark.time_ms > begin_ms)
            put_mark(place_of(item, kept++), &mark);
    }
    int ret = user_resize(marks->store, marks->user, marks->id,
                          FIRST_BYTES + kept * MARK_BYTES, item);
    if (ret < 0)
        return ret;
    head_make(item, begin_ms, &head);
    head_put(item, &head);
    return 0;
}

uint64_t marks_count(const struct item *item, int64_t begin_ms)
{
    struct head head;
    head_get(item, &head);
    if (head.leave_ms <= begin_ms)
        head_make(item, begin_ms, &head);
    return sketch_estimate(&head.sketch, DISTINCT_BITS);
}

int64_t marks_first(const struct item *item, int64_t begin_ms)
{
    struct head head;
    head_get(item, &head);
    if (head.leave_ms <= begin_ms)
        head_make(item, begin_ms, &head);
    return head.leave_ms;
}

/* ---- a window that ends in the past -------------------------------------- */

static uint32_t past_count(const struct item *item)
{
    return item->bytes ? item->len / MARK_BYTES : 0;
}

static struct mark past_at(const struct item *item, uint32_t i)
{
    return get_mark(item->bytes + i * MARK_BYTES);
}

/* The first mark after TIME_MS, or at it and of register NUMBER or a later one.
 */
static uint32_t past_find(const struct item *item, int64_t time_ms,
                          uint32_t number)
{
    uint32_t low = 0, high = past_count(item);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct mark mark = past_at(item, middle);
        if (mark.time_ms > time_ms ||
            (mark.time_ms == time_ms && spot_register(mark.spot) >= number))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint32_t past_after(const struct item *item, int64_t time_ms)
{
    return past_find(item, time_ms, SKETCH_REGISTERS_MAX);
}

int past_marks_add(const struct marks *marks, uint16_t spot, int64_t time_ms)
{
    struct item *item = marks->item;
    const struct mark mark = {spot, time_ms};
    uint32_t i = past_find(item, time_ms, spot_register(spot));
    if (i < past_count(item)) {
        struct mark old = past_at(item, i);
        if (old.time_ms == time_ms &&
            spot_register(old.spot) == spot_register(spot)) {
            if (spot > old.spot)
                put_mark(item->bytes + i * MARK_BYTES, &mark);
            return 0;
        }
    }
    int ret = user_splice(marks->store, marks->user, marks->id, i * MARK_BYTES,
                          MARK_BYTES, item);
    if (ret == 0)
        ret = user_set_coarse(marks->store, marks->user, item, 1);
    if (ret < 0)
        return ret;
    put_mark(item->bytes + i * MARK_BYTES, &mark);
    return 0;
}

int past_marks_prune(const struct marks *marks, int64_t begin_ms)
{
    uint32_t gone = past_after(marks->item, begin_ms);
    return user_splice(marks->store, marks->user, marks->id, 0,
                       -(int32_t)(gone * MARK_BYTES), marks->item);
}

uint64_t past_marks_count(const struct item *item, int64_t begin_ms,
                          int64_t end_ms)
{
    uint8_t tops[1 << DISTINCT_PAST_BITS] = {0};
    struct sketch sketch;
    uint32_t end = past_after(item, end_ms);
    sketch_clear(&sketch, DISTINCT_PAST_BITS);
    for (uint32_t i = past_after(item, begin_ms); i < end; i++) {
        struct mark mark = past_at(item, i);
        uint8_t *top = &tops[spot_register(mark.spot)];
        if (spot_rank(mark.spot) <= *top)
            continue;
        sketch_raise(&sketch, *top, spot_rank(mark.spot));
        *top = (uint8_t)spot_rank(mark.spot);
    }
    return sketch_estimate(&sketch, DISTINCT_PAST_BITS);
}

int64_t past_marks_first(const struct item *item, int64_t after_ms)
{
    uint32_t i = past_after(item, after_ms);
    return i < past_count(item) ? past_at(item, i).time_ms : INT64_MAX;
}

/* ---- in records --------------------------------------------------------- */

static void write_mark(struct buf *buf, struct mark mark)
{
    buf_u16(buf, mark.spot);
    buf_u64(buf, (uint64_t)mark.time_ms);
}

void marks_write(const struct item *item, struct buf *buf)
{
    buf_varint(buf, mark_count(item));
    for (uint32_t i = 0; i < mark_count(item); i++)
        write_mark(buf, mark_at(item, i));
}

void past_marks_write(const struct item *item, struct buf *buf)
{
    buf_varint(buf, past_count(item));
    for (uint32_t i = 0; i < past_count(item); i++)
        write_mark(buf, past_at(item, i));
}

static struct mark read_mark(struct reader *reader, int bits)
{
    struct mark mark = {.spot = reader_u16(reader)};
    mark.time_ms = times_read_ms(reader);
    if (spot_register(mark.spot) >> bits || !spot_rank(mark.spot) ||
        spot_rank(mark.spot) > SKETCH_RANK_MAX)
        reader->failed = 1;
    return mark;
}

/* Whether NEXT may follow MARK in a window that ends now. */
static int may_follow(const struct mark *mark, const struct mark *next)
{
    uint32_t number = spot_register(mark->spot);
    if (spot_register(next->spot) != number)
        return spot_register(next->spot) > number;
    return next->spot < mark->spot && next->time_ms > mark->time_ms;
}

static int past_may_follow(const struct mark *mark, const struct mark *next)
{
    if (next->time_ms != mark->time_ms)
        return next->time_ms > mark->time_ms;
    return spot_register(next->spot) > spot_register(mark->spot);
}

static uint64_t read_count(struct reader *reader)
{
    uint64_t count = reader_varint(reader);
    if (!count || count > reader_left(reader) / MARK_BYTES)
        reader->failed = 1;
    return reader_failed(reader) ? 0 : count;
}

int marks_read(const struct marks *marks, struct reader *reader)
{
    uint64_t count = read_count(reader);
    struct head head;
    struct mark last = {0, 0};
    int ret = count ? marks_create(marks) : SEG_ERR_RECORD;
    for (uint32_t i = 0; ret == 0 && i < count; i++) {
        struct mark mark = read_mark(reader, DISTINCT_BITS);
        if (reader_failed(reader) || (i && !may_follow(&last, &mark)))
            return SEG_ERR_RECORD;
        ret = replace(marks, i, i, &mark);
        last = mark;
    }
    if (ret < 0)
        return ret;
    head_make(marks->item, INT64_MIN, &head);
    head_put(marks->item, &head);
    return 0;
}

int past_marks_read(const struct marks *marks, struct reader *reader)
{
    uint64_t count = read_count(reader);
    struct mark last = {0, 0};
    int ret = count ? 0 : SEG_ERR_RECORD;
    for (uint32_t i = 0; ret == 0 && i < count; i++) {
        struct mark mark = read_mark(reader, DISTINCT_PAST_BITS);
        if (reader_failed(reader) || (i && !past_may_follow(&last, &mark)))
            return SEG_ERR_RECORD;
        ret = past_marks_add(marks, mark.spot, mark.time_ms);
        last = mark;
    }
    return ret;
}
