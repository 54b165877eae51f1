/* habit_ask.c: whether blocks of time have as many events as wanted (habit.c),
 * and when that changes. */
#include "lib/user/habit_row.h"

#define BLOCK_COST \
    16 /* To count in a block is as much as to pass so many times. */

/* The entry from FROM on by which NUMBER events have passed; row->count if
 * there are not so many. */
static uint32_t row_nth(const struct row *row, uint32_t from, uint64_t number)
{
    if (!row->item.coarse)
        return number <= row->count - from ? from + (uint32_t)number - 1
                                           : row->count;
    uint32_t i = from;
    for (; i < row->count && row_weight(row, i) < number; i++)
        number -= row_weight(row, i);
    return i;
}

/* ---- blocks ------------------------------------------------------------- */

/* A walk over the blocks, the newest first. */
struct walk {
    const struct row *row;
    const struct feature_habit *habit;
    int64_t index;      /* The block's. */
    int64_t begin_ms;   /* It has the events later than that ... */
    uint32_t from, end; /* ... entries FROM to below END. */
    uint64_t count;
};

static void walk_start(struct walk *walk, const struct row *row,
                       const struct feature_habit *habit, int64_t now_ms)
{
    *walk = (struct walk){.row = row,
                          .habit = habit,
                          .index = -1,
                          .begin_ms = now_ms,
                          .from = row->count};
}

/* Go to the next block; 0 at the end. */
static int walk_next(struct walk *walk)
{
    if (++walk->index == walk->habit->periods)
        return 0;
    walk->begin_ms -= walk->habit->period_ms;
    walk->end = walk->from;
    walk->from = habit_row_after(walk->row, walk->begin_ms, walk->end);
    walk->count = row_sum(walk->row, walk->from, walk->end);
    return 1;
}

static int satisfies(const struct feature_habit *habit, uint64_t count)
{
    return count >= (uint64_t)habit->low && count <= (uint64_t)habit->high;
}

uint64_t habit_count(const struct row *row, const struct feature_habit *habit,
                     int64_t now_ms)
{
    struct walk walk;
    uint64_t count = 0;
    walk_start(&walk, row, habit, now_ms);
    while (walk_next(&walk)) {
        count += satisfies(habit, walk.count);
        if (!walk.from) /* All further ones are empty. */
            return count + (satisfies(habit, 0)
                                ? (uint64_t)(habit->periods - 1 - walk.index)
                                : 0);
    }
    return count;
}

/* ---- when it changes -------------------------------------------------------
 *
 * A lower bound. An event at t comes into block i at t + i P. While all blocks
 * are satisfied, one of them must first lose, or get, more events than it can
 * bear; while some are not, each of them must first get those it lacks, from
 * the blocks after it, or lose those that are too many. */

static int64_t comes_into(const struct walk *walk, uint32_t entry,
                          int64_t block)
{
    return entry < walk->row->count
               ? row_time(walk->row, entry) + block * walk->habit->period_ms
               : SEG_NEVER;
}

static int64_t satisfied_until(const struct walk *walk)
{
    const struct feature_habit *habit = walk->habit;
    uint64_t spare = walk->count - (uint64_t)habit->low;
    uint64_t room = (uint64_t)habit->high - walk->count;
    int64_t too_few = SEG_NEVER, too_many = SEG_NEVER;
    if (habit->low)
        too_few = comes_into(walk, row_nth(walk->row, walk->from, spare + 1),
                             walk->index + 1);
    if (habit->high != INT64_MAX)
        too_many = comes_into(walk, row_nth(walk->row, walk->end, room + 1),
                              walk->index);
    return too_few < too_many ? too_few : too_many;
}

static int64_t unsatisfied_until(const struct walk *walk)
{
    const struct feature_habit *habit = walk->habit;
    if (walk->count < (uint64_t)habit->low)
        return comes_into(
            walk,
            row_nth(walk->row, walk->end, (uint64_t)habit->low - walk->count),
            walk->index);
    return comes_into(
        walk,
        row_nth(walk->row, walk->from, walk->count - (uint64_t)habit->high),
        walk->index + 1);
}

/* *COUNT gets how many blocks are satisfied at NOW_MS. */
static int64_t next_of(const struct row *row, const struct feature_habit *habit,
                       int64_t now_ms, uint64_t *count)
{
    struct walk walk;
    int64_t broken = SEG_NEVER, whole = INT64_MIN;
    *count = 0;
    walk_start(&walk, row, habit, now_ms);
    while (walk_next(&walk)) {
        int good = satisfies(habit, walk.count);
        int64_t at = good ? satisfied_until(&walk) : unsatisfied_until(&walk);
        *count += (uint64_t)good;
        if (good)
            broken = at < broken ? at : broken;
        else
            whole = at > whole ? at : whole;
    }
    return whole == INT64_MIN ? broken : whole;
}

/* ---- whether all are satisfied ------------------------------------------- */

struct verdict {
    int64_t now_ms;
    int64_t bad_until_ms; /* INT64_MIN: it is not. */
    int64_t bad_from_ms;  /* Else the next instant at which it is; SEG_NEVER. */
};

/* Some block is bad from START_MS + i P to before END_MS + i P. */
static void add_bad(struct verdict *verdict, const struct feature_habit *habit,
                    int64_t start_ms, int64_t end_ms)
{
    int64_t period = habit->period_ms, last = habit->periods - 1, i = -1;
    if (verdict->now_ms >= start_ms) {
        i = (verdict->now_ms - start_ms) / period;
        i = i < last ? i : last;
    }
    if (i >= 0 && verdict->now_ms < end_ms + i * period) {
        /* One that lasts longer than P goes over into the next one. */
        int64_t until =
            end_ms + (end_ms - start_ms < period ? i : last) * period;
        if (until > verdict->bad_until_ms)
            verdict->bad_until_ms = until;
    } else if (i < last && start_ms + (i + 1) * period < verdict->bad_from_ms) {
        verdict->bad_from_ms = start_ms + (i + 1) * period;
    }
}

/* There are too few behind the newest `low` events, and before the oldest. */
static void add_ends(struct verdict *verdict, const struct row *row,
                     const struct feature_habit *habit)
{
    if (row->count < habit->low) {
        verdict->bad_until_ms = SEG_NEVER;
        return;
    }
    int64_t ends_ms = row_time(row, (uint32_t)habit->low - 1) +
                      (habit->periods - 1) * habit->period_ms;
    int64_t begins_ms =
        row_time(row, row->count - (uint32_t)habit->low) + habit->period_ms;
    if (verdict->now_ms >= begins_ms)
        verdict->bad_until_ms = SEG_NEVER;
    else if (verdict->now_ms < ends_ms)
        verdict->bad_until_ms = ends_ms;
    else
        verdict->bad_from_ms = begins_ms;
}

static void add_gaps(struct verdict *verdict, const struct row *row,
                     const struct feature_habit *habit)
{
    const struct times times = row->times;
    const int64_t period_ms = habit->period_ms;
    for (uint32_t i = 0, j = (uint32_t)habit->low; j < times.count; i++, j++) {
        int64_t start_ms = times_at(&times, i) + period_ms;
        int64_t end_ms = times_at(&times, j);
        if (start_ms < end_ms)
            add_bad(verdict, habit, start_ms, end_ms);
    }
}

static void add_crowds(struct verdict *verdict, const struct row *row,
                       const struct feature_habit *habit)
{
    const struct times times = row->times;
    const int64_t period_ms = habit->period_ms;
    for (uint64_t i = 0, j = (uint64_t)habit->high; j < times.count; i++, j++) {
        int64_t start_ms = times_at(&times, (uint32_t)j);
        int64_t end_ms = times_at(&times, (uint32_t)i) + period_ms;
        if (start_ms < end_ms)
            add_bad(verdict, habit, start_ms, end_ms);
    }
}

/* Some block is, by the dial. */
static void add_dial(struct verdict *verdict, const struct habit_row *row,
                     const struct feature_habit *habit)
{
    int64_t next_ms;
    if (dial_ask(&row->dial, habit->periods, verdict->now_ms, &next_ms))
        verdict->bad_until_ms = next_ms;
    else if (next_ms < verdict->bad_from_ms)
        verdict->bad_from_ms = next_ms;
}

/* Likewise, by all that is kept. */
static void add_all(struct verdict *verdict, const struct row *row,
                    const struct feature_habit *habit)
{
    if (habit->low)
        add_gaps(verdict, row, habit);
    if (habit->high != INT64_MAX && verdict->bad_until_ms == INT64_MIN)
        add_crowds(verdict, row, habit);
}

uint64_t habit_rough_count(const struct habit_row *row,
                           const struct feature_habit *habit, int64_t now_ms,
                           int64_t *next_ms)
{
    struct verdict verdict = {now_ms, INT64_MIN, SEG_NEVER};
    uint64_t count;
    if (row->row.item.coarse ||
        (!row->has_dial && habit->periods * BLOCK_COST < row->row.count)) {
        *next_ms = next_of(&row->row, habit, now_ms, &count);
        return count;
    }
    if (habit->low)
        add_ends(&verdict, &row->row, habit);
    if (verdict.bad_until_ms == INT64_MIN && row->has_dial)
        add_dial(&verdict, row, habit);
    else if (verdict.bad_until_ms == INT64_MIN)
        add_all(&verdict, &row->row, habit);
    int whole = verdict.bad_until_ms == INT64_MIN;
    *next_ms = whole ? verdict.bad_from_ms : verdict.bad_until_ms;
    return (uint64_t)(habit->periods - !whole);
}
