/* oracle_sequence.c: `did A then B …` by trying all events for all steps.
 *
 *   A ──────── B ──────── C            steps, in the order of events
 *     after, within, directly          of a step: since the one before
 *     all within                       from the first to the last
 *     with no X between                likewise
 *     without E within D               no E later than the step before it and
 *                                      earlier than D after that; then nothing
 *                                      comes, or is complete, before that end
 *
 * Events that lack the value that must be the same take no part, as steps or
 * after `without`. X and what `directly` forbids count whatever their value. */
#include <assert.h>
#include <stdlib.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

struct searching {
    const struct oracle *oracle;
    const struct oracle_user *user;
    const struct rule_cond *cond;
    const struct rule_sequence *sequence;
    int64_t now;
    int count;                            /* Of the events that have come, */
    const struct oracle_message **events; /* in order. */
    const struct oracle_message *first;
    char *failed; /* By step and event: nothing follows from there. */
};

/* Whether E is one of EVENT that takes part, beside the first one. */
static int plays(const struct searching *s, const struct rule_event *event,
                 const struct oracle_message *e)
{
    const struct path *same = &s->sequence->same;
    if (!oracle_message_selected(s->oracle, e, event))
        return 0;
    if (!same->count || MUTATED(SAME_OFF))
        return 1;
    struct naive_value a = oracle_message_value(s->first, same);
    struct naive_value b = oracle_message_value(e, same);
    return naive_value_same(&a, &b);
}

/* Whether an event of EVENT (NULL: any) lies between events A and B. */
static int lies_between(const struct searching *s,
                        const struct rule_event *event, int a, int b)
{
    for (int i = a + 1; i < b; i++) {
        const struct oracle_message *e = s->events[i];
        if (event ? oracle_message_selected(s->oracle, e, event)
                  : e->type != SEG_IDENTIFY && e->type != SEG_GROUP)
            return 1;
    }
    return 0;
}

/* Whether `with no X between` has nothing against event I after AT, which is a
 * matched step and so no X. */
static int is_clear(const struct searching *s, int at, int i)
{
    const struct rule_event *no = s->sequence->no_between;
    if (!no || MUTATED(BETWEEN_OFF))
        return 1;
    if (MUTATED(BETWEEN_STEPS) && s->events[at] != s->first &&
        oracle_message_selected(s->oracle, s->events[at], no))
        return 0;
    return !lies_between(s, no, at, i);
}

/* Whether the quiet time of STEP after event AT is kept: nothing came in it,
 * and it is over at UNTIL. */
static int is_quiet(const struct searching *s, const struct rule_step *step,
                    int at, int64_t until)
{
    int64_t end = s->events[at]->time_ms + step->within_ms;
    if (until < end + MUTATED(QUIET_LATE) - MUTATED(QUIET_EARLY))
        return 0;
    if (MUTATED(QUIET_CLOSED))
        end++;
    if (MUTATED(QUIET_SHORT))
        end--;
    for (int i = at + 1; i < s->count && s->events[i]->time_ms < end; i++)
        if (plays(s, &step->event, s->events[i]) && !MUTATED(WITHOUT_OFF))
            return 0;
    return 1;
}

/* Whether event I may be STEP after event AT. */
static int may_follow(const struct searching *s, const struct rule_step *step,
                      int at, int i)
{
    const struct oracle_message *e = s->events[i];
    int64_t age = e->time_ms - s->events[at]->time_ms;
    int64_t all = e->time_ms - s->first->time_ms;
    int64_t within = step->within_ms + MUTATED(STEP_CLOSED);
    if (MUTATED(STEP_SHORT))
        within--;
    if (MUTATED(STEP_FROM_FIRST))
        age = all;
    if (!plays(s, &step->event, e) || (step->within_ms && age >= within) ||
        age < step->after_ms + (step->after_ms ? MUTATED(AFTER_OPEN) : 0))
        return 0;
    if (s->sequence->all_within_ms && !MUTATED(ALL_WITHIN_OFF) &&
        all >= s->sequence->all_within_ms + MUTATED(ALL_WITHIN_CLOSED))
        return 0;
    if (step->directly && !MUTATED(DIRECTLY_OFF) &&
        lies_between(s, NULL, at, i))
        return 0;
    return is_clear(s, at, i);
}

/* The quiet times from step FROM up to TO, after event AT. */
static int are_quiet(const struct searching *s, int from, int to, int at,
                     int64_t until)
{
    for (int i = from; i < to; i++)
        if (!is_quiet(s, &s->sequence->steps[i], at, until))
            return 0;
    return 1;
}

/* Whether what is left from STEP on can follow event AT. */
static int search(struct searching *s, int step, int at)
{
    const struct rule_sequence *sequence = s->sequence;
    int next = step, found = 0;
    while (next < sequence->step_count && sequence->steps[next].without)
        next++;
    if (next == sequence->step_count)
        return are_quiet(s, step, next, at, s->now);
    char *failed = &s->failed[step * s->count + at];
    if (*failed)
        return 0;
    int from = MUTATED(STEP_ITSELF) ? at : at + 1;
    for (int i = from; i < s->count && !found; i++) {
        if (!may_follow(s, &sequence->steps[next], at, i) ||
            !are_quiet(s, step, next, at, s->events[i]->time_ms))
            continue;
        found = search(s, next + 1, i);
    }
    *failed = !found;
    return found;
}

static int by_order(const void *a, const void *b)
{
    const struct oracle_message *x = *(const struct oracle_message *const *)a;
    const struct oracle_message *y = *(const struct oracle_message *const *)b;
    return oracle_message_before(x, y) ? -1 : oracle_message_before(y, x);
}

/* Whether nothing that may come, or have come, undoes a match. */
int oracle_sequence_only_grows(const struct rule_sequence *sequence)
{
    for (int i = 0; i < sequence->step_count; i++)
        if (sequence->steps[i].without || sequence->steps[i].directly)
            return 0;
    return !sequence->no_between;
}

/* What was hidden up to `since` may forbid what begins there. */
static int may_begin(const struct searching *s, const struct oracle_message *e,
                     const struct oracle_source *source)
{
    static const struct rule_window lifetime = {.kind = WINDOW_LIFETIME};
    const struct rule_window *window =
        MUTATED(SEQUENCE_WINDOW) ? &lifetime : &s->cond->window;
    if (source && s->user->generation < source->since &&
        !oracle_sequence_only_grows(s->sequence) &&
        e->time_ms <= s->oracle->since_ms[source->since] &&
        !MUTATED(WARM_SEQUENCE))
        return 0;
    return oracle_counts(e, window, 0, s->now) && plays(s, &s->cond->event, e);
}

#define LATENESS_MS INT64_C(86400000)

static int is_in_time(const struct oracle_message *m)
{
    return m->clock_ms - m->time_ms <= LATENESS_MS;
}

/* Of the events that SOURCE (NULL: all) has seen, or only those IN_TIME. */
static int is_matched(struct searching *s, const struct oracle_source *source,
                      int in_time)
{
    size_t size = (size_t)s->user->count + 1;
    s->events = malloc(size * sizeof(*s->events));
    assert(s->events);
    for (int i = 0; i < s->user->count; i++) {
        const struct oracle_message *m = s->user->messages[i];
        if (m->time_ms <= s->now &&
            (!source || m->generation >= source->since) &&
            (!in_time || is_in_time(m)))
            s->events[s->count++] = m;
    }
    if (s->count)
        qsort(s->events, (size_t)s->count, sizeof(*s->events), by_order);
    int found = 0;
    for (int i = 0; i < s->count && !found; i++) {
        s->first = s->events[i];
        if (!may_begin(s, s->first, source))
            continue;
        s->failed = calloc((size_t)(s->sequence->step_count + 1) * size, 1);
        assert(s->failed);
        found = search(s, 0, i);
        free(s->failed);
    }
    free(s->events);
    return found;
}

int oracle_sequence(const struct oracle *oracle, const struct oracle_user *user,
                    const struct rule_cond *cond,
                    const struct oracle_source *source, int64_t now)
{
    struct searching s = {.oracle = oracle,
                          .user = user,
                          .cond = cond,
                          .sequence = cond->sequence,
                          .now = now};
    return is_matched(&s, source, 0);
}

int oracle_sequence_in_time(const struct oracle *oracle,
                            const struct oracle_user *user,
                            const struct rule_cond *cond, int64_t now)
{
    struct searching s = {.oracle = oracle,
                          .user = user,
                          .cond = cond,
                          .sequence = cond->sequence,
                          .now = now};
    return is_matched(&s, NULL, 1);
}

int oracle_sequence_late(const struct oracle_user *user)
{
    for (int i = 0; i < user->count; i++)
        if (!is_in_time(user->messages[i]) &&
            user->messages[i]->type != SEG_IDENTIFY &&
            user->messages[i]->type != SEG_GROUP)
            return 1;
    return 0;
}
