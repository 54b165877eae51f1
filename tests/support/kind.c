/* kind.c: see kind.h. */
#include "tests/support/kind.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

void kind_begin(struct kind *kind, int64_t now_ms)
{
    kind->count = 0;
    one_user_begin(&kind->one, now_ms);
}

void kind_end(struct kind *kind)
{
    one_user_end(&kind->one);
}

uint64_t kind_measure(struct kind *kind, int64_t now_ms)
{
    return feature_count(kind->one.user, &kind->feature, now_ms);
}

void kind_fold_only(struct kind *kind, int64_t time_ms, int64_t value,
                    int64_t now_ms)
{
    const struct fold fold = {.time_ms = time_ms,
                              .value = value_of_int(value),
                              .role = (uint32_t)value};
    const struct feature_ops *ops = feature_ops_of(kind->feature.kind);
    struct one_user *one = &kind->one;
    int good =
        time_ms <= now_ms && kind->count < KIND_EVENTS_MAX &&
        ops->fold(&one->store, &one->user, &kind->feature, &fold, now_ms,
                  &one->folded) == 0 &&
        user_validate(one->user) &&
        one->folded.next_ms == ops->next(one->user, &kind->feature, now_ms);
    if (!good) /* An assertion is a write to a pipe, also if it holds. */
        ck_abort_msg("event %d at %lld was not folded well", kind->count,
                     (long long)time_ms);
    kind->events[kind->count++] = (struct kind_event){time_ms, value};
}

static void must_measure(struct kind *kind, int64_t now_ms)
{
    uint64_t got = kind_measure(kind, now_ms), want = kind->naive(kind, now_ms);
    if (got != want)
        ck_abort_msg("at %lld: got %llu, want %llu (from %lld to %lld, %d "
                     "events)",
                     (long long)now_ms, (unsigned long long)got,
                     (unsigned long long)want, (long long)kind->feature.from_ms,
                     (long long)kind->feature.to_ms, kind->count);
}

/* Whether COUNT, which a fold told of, is as good as WANT. */
static int is_told(const struct kind *kind, uint64_t count, uint64_t want)
{
    return kind->one.folded.rough ? feature_region(&kind->feature, count) ==
                                        feature_region(&kind->feature, want)
                                  : count == want;
}

void kind_fold(struct kind *kind, int64_t time_ms, int64_t value,
               int64_t now_ms)
{
    uint64_t before = kind->naive(kind, now_ms), after;
    kind_fold_only(kind, time_ms, value, now_ms);
    after = kind->naive(kind, now_ms);
    if (!is_told(kind, kind->one.folded.before, before) ||
        !is_told(kind, kind->one.folded.after, after))
        ck_abort_msg("at %lld: got %llu, then %llu, want %llu, then %llu",
                     (long long)now_ms,
                     (unsigned long long)kind->one.folded.before,
                     (unsigned long long)kind->one.folded.after,
                     (unsigned long long)before, (unsigned long long)after);
    must_measure(kind, now_ms);
}

/* ---- edges -------------------------------------------------------------- */

int kind_window_edges(const struct kind *kind, int64_t *edges)
{
    int n = 0;
    for (int i = 0; i < kind->count; i++) {
        edges[n++] = kind->events[i].time_ms + kind->feature.to_ms;
        if (kind->feature.from_ms != FEATURE_LIFETIME)
            edges[n++] = kind->events[i].time_ms + kind->feature.from_ms;
    }
    return n;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Whether counts A and B are told apart by whoever asks. */
static int differ(const struct kind *kind, uint64_t a, uint64_t b)
{
    return kind->feature.every ? a != b
                               : feature_region(&kind->feature, a) !=
                                     feature_region(&kind->feature, b);
}

/* From NOW_MS on next() must lead, in steps that are never too far, to each
 * edge at which a change matters, and to nothing beyond the last. */
static void follow(struct kind *kind, const int64_t *edges, int count,
                   int64_t now_ms)
{
    for (int i = 0; i < count; i++) {
        int64_t at = edges[i], step = now_ms;
        uint64_t was = kind->naive(kind, now_ms);
        if (at <= now_ms || !differ(kind, was, kind->naive(kind, at)))
            continue;
        while (step < at) {
            int64_t next = one_user_next(&kind->one, &kind->feature, step);
            if (next <= step || next > at)
                ck_abort_msg("next after %lld: got %lld, want %lld (last %lld)",
                             (long long)step, (long long)next, (long long)at,
                             (long long)now_ms);
            step = next;
        }
        now_ms = at;
    }
    while (now_ms != SEG_NEVER) {
        int64_t next = one_user_next(&kind->one, &kind->feature, now_ms);
        if (next <= now_ms ||
            (next != SEG_NEVER &&
             !bsearch(&next, edges, (size_t)count, sizeof(next), by_number)))
            ck_abort_msg("next after %lld: got %lld, no edge",
                         (long long)now_ms, (long long)next);
        now_ms = next;
    }
}

void kind_compare(struct kind *kind, int64_t now_ms)
{
    static int64_t edges[KIND_EDGES_MAX];
    int count = kind->edges(kind, edges);
    qsort(edges, (size_t)count, sizeof(*edges), by_number);
    must_measure(kind, now_ms);
    for (int i = 0; i < count; i++)
        for (int64_t ms = edges[i] - 1; ms <= edges[i] + 1; ms++)
            if (ms > now_ms)
                must_measure(kind, ms);
    follow(kind, edges, count, now_ms);
}

/* ---- records ------------------------------------------------------------ */

static const uint8_t places[FEATURE_TOPICS];

void kind_write(const struct kind *kind, struct buf *buf)
{
    const struct feature *feature = &kind->feature;
    struct item item = user_item(kind->one.user, feature->item);
    ck_assert_ptr_nonnull(item.bytes);
    feature_ops_of(feature->kind)
        ->write(kind->one.user, feature, &item, buf, places);
    ck_assert(!buf_failed(buf));
}

/* Read LEN BYTES into OTHER, a new user. */
static int read_into(const struct kind *kind, struct one_user *other,
                     const char *bytes, size_t len, struct reader *reader)
{
    const struct feature *feature = &kind->feature;
    one_user_begin(other, 0);
    reader_init(reader, (struct seg_text){bytes, len});
    int ret = feature_ops_of(feature->kind)
                  ->read(&other->store, &other->user, feature, reader, places);
    if (!user_validate(other->user))
        ck_abort_msg("the block is broken");
    return ret < 0 ? ret : reader_failed(reader) ? SEG_ERR_RECORD : 0;
}

static void read_broken(const struct kind *kind, const struct buf *buf,
                        size_t at, int change)
{
    struct one_user other;
    struct reader reader;
    char *bytes = malloc(buf->len);
    size_t len = change ? buf->len : at;
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, buf->bytes, buf->len);
    if (change)
        bytes[at] = (char)(bytes[at] ^ change);
    char *exact = realloc(bytes, len ? len : 1);
    int ret = read_into(kind, &other, exact, len, &reader);
    if (ret != SEG_ERR_RECORD && (ret < 0 || !change))
        ck_abort_msg("%zu of %zu bytes: %d", at, buf->len, ret);
    /* What was believed can be asked. */
    if (ret == 0) {
        one_user_measure(&other, &kind->feature, 0);
        one_user_next(&other, &kind->feature, 0);
    }
    one_user_end(&other);
    free(exact);
}

#define BROKEN_MAX 150 /* Bytes of a record that are tried one by one. */

void kind_check_record(struct kind *kind, int64_t now_ms)
{
    struct one_user other;
    struct reader reader;
    struct buf buf, again;
    buf_init(&buf);
    buf_init(&again);
    kind_write(kind, &buf);
    ck_assert_int_eq(read_into(kind, &other, buf.bytes, buf.len, &reader), 0);
    ck_assert_uint_eq(reader_left(&reader), 0);
    struct item item = user_item(other.user, kind->feature.item);
    feature_ops_of(kind->feature.kind)
        ->write(other.user, &kind->feature, &item, &again, places);
    ck_assert_uint_eq(again.len, buf.len);
    ck_assert_mem_eq(again.bytes, buf.bytes, buf.len);
    struct seg_value a = one_user_measure(&other, &kind->feature, now_ms);
    struct seg_value b = one_user_measure(&kind->one, &kind->feature, now_ms);
    ck_assert_int_eq(a.as.integer, b.as.integer); /* Of a double: its bits. */
    if (!item.coarse) /* Of a sketch it is a bound, better when just read. */
        ck_assert_int_eq(one_user_next(&other, &kind->feature, now_ms),
                         one_user_next(&kind->one, &kind->feature, now_ms));
    one_user_end(&other);
    size_t step = buf.len > BROKEN_MAX ? buf.len / BROKEN_MAX : 1;
    for (size_t at = 0; at < buf.len; at += step) {
        read_broken(kind, &buf, at, 0);
        read_broken(kind, &buf, at, 0xff);
        read_broken(kind, &buf, at, 1 << at % 8);
    }
    buf_done(&buf);
    buf_done(&again);
}
