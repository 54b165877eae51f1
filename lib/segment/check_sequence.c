/* check_sequence.c: the steps of a sequence, and what they leave possible.
 *
 * A step that must come both after some time and within less never does: after
 * its own `after`, or after the quiet time of the `without` before it. All
 * steps together take at least the sum of these. */
#include "lib/segment/checker.h"

#include "lib/base/instant.h"
#include "lib/user/feature.h"

/* How long after the step matched before it STEP, at INDEX, comes at least. */
static int64_t least_gap(const struct rule_sequence *sequence, int index)
{
    int64_t least = sequence->steps[index].after_ms;
    while (--index >= 0 && sequence->steps[index].without)
        if (sequence->steps[index].within_ms > least)
            least = sequence->steps[index].within_ms;
    return least;
}

static void say_never(struct checker *checker, struct rule_pos pos,
                      const char *what, int64_t within_ms, int64_t least_ms)
{
    struct buf within, least;
    buf_init(&within);
    buf_init(&least);
    duration_format(&within, within_ms);
    duration_format(&least, least_ms);
    check_error(checker, pos,
                "%s can never be: it is to come within %s, but not before %s.",
                what, buf_string(&within), buf_string(&least));
    buf_done(&within);
    buf_done(&least);
}

/* The steps that must be matched, and how long they take at least. */
static void check_steps(struct checker *checker, const struct rule_cond *cond)
{
    const struct rule_sequence *sequence = cond->sequence;
    int64_t all_ms = 0;
    for (int i = 0; i < sequence->step_count; i++) {
        const struct rule_step *step = &sequence->steps[i];
        if (step->event.where)
            check_where(checker, step->event.where);
        if (step->without)
            continue;
        int64_t least = least_gap(sequence, i);
        all_ms += least;
        if (step->within_ms && step->within_ms <= least)
            say_never(checker, step->pos, "This step", step->within_ms, least);
    }
    if (sequence->all_within_ms && sequence->all_within_ms <= all_ms)
        say_never(checker, cond->pos, "The last step", sequence->all_within_ms,
                  all_ms);
}

/* Whether attempts of a user can pile up: that each of several may be the one
 * that is completed. Else there is at most one for each step. */
static int piles_up(const struct rule_cond *cond)
{
    const struct rule_sequence *sequence = cond->sequence;
    int piles = sequence->same.count > 0 || cond->window.kind == WINDOW_FROM_TO;
    for (int i = 0; i < sequence->step_count; i++)
        piles |= sequence->steps[i].without || sequence->steps[i].after_ms > 0;
    return piles;
}

static int has_then(const struct rule_sequence *sequence)
{
    for (int i = 0; i < sequence->step_count; i++)
        if (!sequence->steps[i].without)
            return 1;
    return 0;
}

static void check_exact_sequence(struct checker *checker,
                                 const struct rule_cond *cond)
{
    if (piles_up(cond))
        check_limit(checker, cond->pos, 0, 0,
                    "Of this sequence %d open attempts of a user are followed; "
                    "beyond that the oldest are given up, and what would "
                    "complete them is missed.",
                    SEQUENCE_ATTEMPTS_MAX);
    check_limit(checker, cond->pos, 0, 0,
                "A late event finds its place among the newest %d of this "
                "sequence; one from before them may take a match back, but may "
                "make none.",
                SEQUENCE_TAIL_MAX);
}

void check_sequence(struct checker *checker, const struct rule_cond *cond)
{
    const struct rule_sequence *sequence = cond->sequence;
    if (cond->event.where)
        check_where(checker, cond->event.where);
    check_steps(checker, cond);
    if (sequence->no_between && sequence->no_between->where)
        check_where(checker, sequence->no_between->where);
    if (!has_then(sequence) &&
        (sequence->no_between || sequence->all_within_ms))
        check_warning(checker, cond->pos,
                      "Without a `then` there is nothing that `%s` limits.",
                      sequence->no_between ? "with no ... between"
                                           : "all within");
    check_exact_sequence(checker, cond);
}
