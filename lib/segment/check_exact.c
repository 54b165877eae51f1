/* check_exact.c: to what limit each construct is exact, and what lies beyond.
 *
 * The limits are those of the files of lib/user that keep the state. Every
 * construct that has one says so: a note, since it is exact as long as a user
 * does not go beyond. Where a condition asks for more than the limit whoever
 * it selects is beyond: a warning.
 *
 *     count("A") in 7d >= 200       exact of everybody: nothing to say
 *     trait n = count("A") in 7d    note: 256 events
 *     count("A") in 7d >= 300       warning: 256 events
 */
#include "lib/segment/checker.h"

#include "lib/base/instant.h"
#include "lib/user/distinct.h"
#include "lib/user/feature.h"
#include "lib/user/habit.h"
#include "lib/user/score.h"

static int is_rolling(const struct rule_window *window)
{
    return window->kind == WINDOW_IN || window->kind == WINDOW_FROM_TO;
}

/* ---- windows whose events are kept one by one ------------------------ */

static void say_window(struct checker *checker, struct rule_pos pos,
                       const char *what, int64_t highest)
{
    check_limit(checker, pos, highest, FEATURE_EXACT_MAX,
                "%s is exact while a user has at most %d such events in it; "
                "beyond that it may be off by a 64th of the window.",
                what, FEATURE_EXACT_MAX);
}

void check_exact_count(struct checker *checker,
                       const struct rule_window *window,
                       const struct rule_pos *pos, int64_t highest)
{
    struct rule_pos at = pos ? *pos : window->pos;
    if (window->kind == WINDOW_FROM_TO)
        say_window(checker, at, "A window with two ends", highest);
    else if (window->kind == WINDOW_IN && highest > FEATURE_EXACT_MAX)
        say_window(checker, at, "This window", highest);
}

static void exact_rolling(struct checker *checker,
                          const struct rule_window *window, const char *what)
{
    if (is_rolling(window))
        say_window(checker, window->pos, what, 0);
}

/* Each date is kept exactly, but in a piece of a day. */
static void exact_days(struct checker *checker,
                       const struct rule_window *window)
{
    if (window->kind == WINDOW_FROM_TO &&
        window->from_ms - window->to_ms < DAY_MS)
        say_window(checker, window->pos, "`days` in less than a day", 0);
}

/* ---- distinct -------------------------------------------------------- */

static void exact_distinct(struct checker *checker,
                           const struct rule_measure *measure,
                           const struct rule_pos *pos, int64_t highest)
{
    struct rule_pos at = pos ? *pos : measure->pos;
    if (measure->window.kind == WINDOW_FROM_TO)
        check_limit(checker, at, highest, FEATURE_EXACT_MAX,
                    "`distinct` is exact while a user has at most %d such "
                    "events in the window; beyond that the number is an "
                    "estimate with a standard error of %s.",
                    FEATURE_EXACT_MAX, DISTINCT_PAST_ERROR);
    else if (highest > DISTINCT_EXACT_MAX)
        check_limit(checker, at, highest, DISTINCT_EXACT_MAX,
                    "`distinct` is exact up to %d values of a user; beyond "
                    "that it is an estimate with a standard error of %s%s.",
                    DISTINCT_EXACT_MAX, DISTINCT_ERROR,
                    measure->window.kind == WINDOW_IN
                        ? ", and values may leave late by a 64th of the window"
                        : "");
}

/* ---- all measures ---------------------------------------------------- */

void check_exact(struct checker *checker, const struct rule_measure *measure,
                 const struct rule_pos *pos, int64_t highest)
{
    const struct rule_window *window = &measure->window;
    switch (measure->kind) {
    case MEASURE_COUNT:
        check_exact_count(checker, window, pos, highest);
        break;
    case MEASURE_DAYS:
        exact_days(checker, window);
        break;
    case MEASURE_SUM:
    case MEASURE_AVG:
    case MEASURE_MIN:
    case MEASURE_MAX:
        exact_rolling(checker, window, "This window");
        break;
    case MEASURE_FIRST:
        exact_rolling(checker, window, "`first` in a window");
        break;
    case MEASURE_LAST:
        check_exact_count(checker, window, NULL, 0);
        break;
    case MEASURE_DISTINCT:
        exact_distinct(checker, measure, pos, highest);
        break;
    case MEASURE_DAYS_SINCE_FIRST:
    case MEASURE_DAYS_SINCE_LAST:
    case MEASURE_SCORE:
    case MEASURE_TRAIT:
    case MEASURE_COUNT_:
        break;
    }
}

/* ---- habits, scores -------------------------------------------------- */

/* What is kept of a habit follows from what is asked: only where that is more
 * than the limit there is something to say. */
void check_exact_habit(struct checker *checker, const struct rule_times *times)
{
    int64_t highest = times->high > times->low ? times->high : times->low;
    int at_least = times->kind == TIMES_AT_LEAST;
    int64_t cap = at_least ? times->low : highest + 1;
    const char *period = times->period_ms == DAY_MS ? "day" : "week";
    if (2 * cap * (times->periods + 1) <= HABIT_EXACT_MAX)
        return;
    check_limit(checker, times->pos, at_least ? cap * times->periods : cap,
                HABIT_EXACT_MAX,
                "This is exact while a user has at most %d such events in "
                "these %lld %ss; beyond that they may count up to a %dth of a "
                "%s early.",
                HABIT_EXACT_MAX, (long long)times->periods, period,
                HABIT_BUCKETS, period);
}

void check_exact_score(struct checker *checker, const struct rule_score *score)
{
    check_limit(checker, score->pos, 0, 0,
                "A score is rounded to a billionth, from 8192 on to 44 binary "
                "digits; an event adds nothing once another is %d half-lives "
                "newer.",
                SCORE_HALF_LIVES);
}
