/* feature_size.c: how many bytes of a user a feature takes at most.
 *
 * For each kind what its file says of its item: all that it ever keeps exactly,
 * or as buckets if that is more. Two have no bound; of them the most that
 * somebody reaches in practice is taken:
 *
 *   DAYS ever        8 bytes for each 32 dates: ten years
 *   DISTINCT in W    a sliding sketch: a million values in the window, of which
 *                    each of the 2^10 registers keeps H(10^6 / 2^10) marks
 *
 * A value of FIRST, LAST is taken for a number; a text is as long as it is. */
#include "lib/base/instant.h"
#include "lib/user/attempts.h"
#include "lib/user/dial.h"
#include "lib/user/distinct.h"
#include "lib/user/feature.h"
#include "lib/user/habit.h"
#include "lib/user/score.h"
#include "lib/user/times.h"

#define SEEN_BUCKETS    (FEATURE_BUCKETS + 2) /* Those at both ends are cut. */
#define TIMES_HEAD      9
#define TIMES_LEAST     4  /* Bytes of a difference. */
#define ENTRY_BYTES     28 /* first_last.c, of a number. */
#define ENTRY_END_BYTES 4  /* Behind a row of them, where each ends, */
#define ROW_HEAD        4  /* and in front. */
#define VALUE_BYTES     12
#define CELL_BYTES      16 /* extreme.c */
#define SUM_CELL_BYTES  24 /* sum.c */
#define DATES_HEAD      4
#define DATES_BYTES     (8 * (3660 / 32 + 2))
#define PAIR_BYTES      16
#define MARK_BYTES      10
#define MARKS_BYTES     (DISTINCT_KEPT * PAIR_BYTES + 118 + 8 * 1024 * MARK_BYTES)
#define SCORE_BYTES     (24 * (SCORE_HALF_LIVES / 16 + 1))
#define SEQUENCE_HEAD   24
#define ATTEMPT_BYTES   17 /* attempts_item.c */
#define BOUNDS_BYTES    18
#define SEEN_BYTES      31
#define KEY_BYTES       8

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* A row of COUNT times within SPAN_MS. */
static uint64_t times_bytes(uint64_t count, int64_t span_ms)
{
    /* It may begin before the window, where its anchor was set. */
    uint32_t width = times_width(2 * (uint64_t)span_ms);
    return TIMES_HEAD + count * most(width, TIMES_LEAST);
}

static uint64_t window_bytes(const struct feature *feature)
{
    if (!feature->to_ms && feature->keep <= FEATURE_KEPT_MAX)
        return times_bytes(feature->keep, feature->from_ms);
    return most(times_bytes(FEATURE_EXACT_MAX, feature->from_ms),
                SEEN_BUCKETS * BUCKET_BYTES);
}

static uint64_t first_last_bytes(const struct feature *feature)
{
    int one = !feature->to_ms && (feature->from_ms == FEATURE_LIFETIME ||
                                  feature->kind == FEATURE_LAST);
    return one ? ENTRY_BYTES
               : WORD_BYTES +
                     (uint64_t)FEATURE_EXACT_MAX * (ENTRY_BYTES + WORD_BYTES);
}

static uint64_t days_bytes(const struct feature *feature)
{
    if (feature->from_ms == FEATURE_LIFETIME)
        return DATES_HEAD + DATES_BYTES;
    if (feature->to_ms && feature->from_ms - feature->to_ms < DAY_MS)
        return times_bytes(FEATURE_EXACT_MAX, feature->from_ms);
    return times_bytes((uint64_t)(feature->from_ms / DAY_MS + 2) *
                           (feature->to_ms ? 2 : 1),
                       feature->from_ms);
}

static uint64_t distinct_bytes(const struct feature *feature)
{
    if (feature->from_ms == FEATURE_LIFETIME)
        return 8 + (1u << DISTINCT_BITS) * 6 / 8;
    if (!feature->to_ms)
        return MARKS_BYTES;
    return most(FEATURE_EXACT_MAX * PAIR_BYTES,
                SEEN_BUCKETS * (UINT64_C(1) << DISTINCT_PAST_BITS) *
                    MARK_BYTES);
}

/* Of a row of so many times. */
static uint64_t dial_bytes(uint64_t times)
{
    return (times < DIAL_MAX ? times : DIAL_MAX) * DIAL_PART_BYTES + 2;
}

static uint64_t habit_bytes(const struct feature_habit *habit)
{
    uint64_t cells = (uint64_t)habit->periods + 1;
    uint64_t cap = (uint64_t)habit->low;
    if (habit->high != INT64_MAX)
        cap = (uint64_t)habit->high + 1;
    int64_t span_ms = habit->period_ms * (int64_t)cells;
    uint64_t times = 2 * cap * cells;
    if (times < HABIT_DIAL_FROM)
        return times_bytes(times, span_ms);
    if (times <= HABIT_EXACT_MAX)
        return times_bytes(times, span_ms) + dial_bytes(times);
    return most(times_bytes(HABIT_EXACT_MAX, span_ms) + dial_bytes(times),
                cells * HABIT_BUCKETS * BUCKET_BYTES);
}

/* As check_sequence.c says: whether attempts pile up. */
static int piles_up(const struct feature *feature)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    int piles = sequence->same || feature->to_ms;
    for (uint32_t i = 0; i < sequence->step_count; i++)
        piles |= sequence->steps[i].without || sequence->steps[i].after_ms > 0;
    return piles;
}

static uint64_t sequence_bytes(const struct feature *feature)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    uint64_t key = sequence->same ? KEY_BYTES : 0;
    uint64_t attempts =
        piles_up(feature) ? SEQUENCE_ATTEMPTS_ROOM : sequence->step_count;
    uint64_t bounds = attempts > ATTEMPTS_FEW
                          ? BOUNDS_BYTES * (1 + (uint64_t)sequence->step_count)
                          : 0;
    return SEQUENCE_HEAD + 2 * (bounds + attempts * (ATTEMPT_BYTES + key)) +
           SEQUENCE_TAIL_MAX * (SEEN_BYTES + key);
}

uint64_t feature_bytes_max(const struct feature *feature)
{
    int ever = feature->from_ms == FEATURE_LIFETIME;
    switch (feature->kind) {
    case FEATURE_TALLY:
    case FEATURE_FIRST_TIME:
    case FEATURE_LAST_TIME:
        return sizeof(int64_t);
    case FEATURE_WINDOW:
        return window_bytes(feature);
    case FEATURE_FIRST:
    case FEATURE_LAST:
        return first_last_bytes(feature);
    case FEATURE_SUM:
    case FEATURE_AVG:
        return ever ? SUM_CELL_BYTES
                    : 17 + (FEATURE_EXACT_MAX + 1) * (uint64_t)SUM_CELL_BYTES;
    case FEATURE_MIN:
    case FEATURE_MAX:
        return ever ? VALUE_BYTES : (uint64_t)FEATURE_EXACT_MAX * CELL_BYTES;
    case FEATURE_DAYS:
        return days_bytes(feature);
    case FEATURE_DISTINCT:
        return distinct_bytes(feature);
    case FEATURE_SCORE:
        return SCORE_BYTES;
    case FEATURE_HABIT:
        return habit_bytes(feature->of.habit);
    case FEATURE_SEQUENCE:
        return sequence_bytes(feature);
    }
    return 0;
}

int feature_holds_text(const struct feature *feature)
{
    return feature->kind == FEATURE_FIRST || feature->kind == FEATURE_LAST;
}
