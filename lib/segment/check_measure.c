/* check_measure.c: measures: what they refer to, what they are. */
#include "lib/segment/checker.h"

#include "lib/user/distinct.h"
#include "lib/user/feature.h"

void check_definition(struct checker *checker, struct rule_measure *measure)
{
    int score = measure->kind == MEASURE_SCORE;
    if (rule_measure_info(measure->kind)->operand != MEASURED_KEY)
        return;
    measure->definition =
        check_refer(checker, score ? DEFINED_SCORE : DEFINED_TRAIT,
                    measure->key, measure->pos, score ? "" : "trait.");
    if (score && measure->definition >= 0)
        checker->rules->scores[measure->definition].used = 1;
}

enum check_subject check_subject_of(const struct checker *checker,
                                    const struct rule_measure *measure)
{
    const struct rules *rules = checker->rules;
    for (int steps = 0; measure->kind == MEASURE_TRAIT; steps++) {
        if (measure->definition < 0 || steps > rules->trait_count)
            return SUBJECT_ANY;
        measure = &rules->traits[measure->definition].measure;
    }
    switch (measure->kind) {
    case MEASURE_COUNT:
    case MEASURE_DAYS:
    case MEASURE_DISTINCT:
        return SUBJECT_COUNT;
    case MEASURE_SUM:
    case MEASURE_SCORE:
        return SUBJECT_AMOUNT;
    case MEASURE_AVG:
    case MEASURE_MIN:
    case MEASURE_MAX:
    case MEASURE_DAYS_SINCE_FIRST:
    case MEASURE_DAYS_SINCE_LAST:
        return SUBJECT_NUMBER;
    case MEASURE_FIRST:
    case MEASURE_LAST:
    case MEASURE_TRAIT:
    case MEASURE_COUNT_:
        break;
    }
    return SUBJECT_ANY;
}

/* ---- one measure ----------------------------------------------------- */

/* What a trait says of its limit stands where the trait does, unless a condition
 * asks it for more. */
static void check_trait_limit(struct checker *checker,
                              const struct rule_measure *measure,
                              int64_t highest)
{
    const struct rules *rules = checker->rules;
    const struct rule_measure *to = measure;
    for (int steps = 0; to->kind == MEASURE_TRAIT; steps++) {
        if (to->definition < 0 || steps > rules->trait_count)
            return;
        to = &rules->traits[to->definition].measure;
    }
    int64_t limit =
        to->kind == MEASURE_COUNT || to->window.kind == WINDOW_FROM_TO
            ? FEATURE_EXACT_MAX
            : DISTINCT_EXACT_MAX;
    if (highest != CHECK_ANY_NUMBER && highest > limit &&
        (to->kind == MEASURE_COUNT || to->kind == MEASURE_DISTINCT))
        check_exact(checker, to, &measure->pos, highest);
}

void check_measure(struct checker *checker, const struct rule_measure *measure,
                   int64_t highest)
{
    if (measure->event.where)
        check_where(checker, measure->event.where);
    if (measure->kind == MEASURE_TRAIT)
        check_trait_limit(checker, measure, highest);
    else
        check_exact(checker, measure, NULL, highest);
}
