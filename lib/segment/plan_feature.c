/* plan_feature.c: what is measured becomes a feature.
 *
 * A feature is named by its canonical text, in which nothing is left of names
 * that another file may change: lists stand with their values, a score with its
 * lines, a trait as what it measures. Equal texts are one feature, kept once
 * and carried from one catalogue to the next.
 *
 *     did "A" at least 3 times in 7d     count("A") in 7d
 *     latest("A" or "B") was "A"         last("A" or "B", event.name)
 *     trait.orders                       what the trait measures
 *     a habit, a sequence                the condition itself
 *
 * Of a count in a window that ends now the newest events are enough to compare
 * it with a number; where all of it is looked at (beside another measure, as a
 * trait, beyond the number that is kept exactly) they must all be kept, which
 * is exact up to a limit only. So that this concerns nobody else it is a feature
 * of its own: `all of count("A") in 7d`. */
#include <string.h>

#include <seg/error.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/planner.h"

/* ---- what all kinds have ------------------------------------------------- */

/* Feature NUMBER, whose canonical text is the scratch text, as FEATURE says but
 * for what it has of the text. */
static int add_feature(struct planner *planner, uint32_t number,
                       const struct feature *feature)
{
    void *items = planner->feature_items, *texts = planner->feature_texts;
    if (number >= SEG_FEATURES_MAX)
        return SEG_ERR_LIMIT;
    const char *text = planner_text(planner);
    if (!text || alloc_grow(&items, &planner->feature_cap, number + 1ul,
                            sizeof(*planner->feature_items)) < 0)
        return SEG_ERR_NOMEM;
    planner->feature_items = items;
    if (alloc_grow(&texts, &planner->feature_text_cap, number + 1ul,
                   sizeof(*planner->feature_texts)) < 0)
        return SEG_ERR_NOMEM;
    planner->feature_texts = texts;
    planner->feature_texts[number] = text;
    struct feature *made = &planner->feature_items[number];
    *made = *feature;
    made->item = number;
    made->key = hash_bytes(text, strlen(text), 0);
    return 0;
}

static void set_window(struct feature *feature,
                       const struct rule_window *window)
{
    feature->from_ms = FEATURE_LIFETIME;
    feature->to_ms = 0;
    feature->after_ms = INT64_MIN;
    feature->before_ms = INT64_MAX;
    switch (window->kind) {
    case WINDOW_LIFETIME:
        break;
    case WINDOW_IN:
    case WINDOW_FROM_TO:
        feature->from_ms = window->from_ms;
        feature->to_ms = window->to_ms;
        break;
    case WINDOW_SINCE:
    case WINDOW_BETWEEN:
        feature->after_ms = window->from_ms;
        feature->before_ms =
            window->kind == WINDOW_SINCE ? INT64_MAX : window->to_ms;
        break;
    case WINDOW_BEFORE:
        feature->before_ms = window->to_ms;
        break;
    }
}

/* Let events of EVENT be folded into FEATURE. */
static int feed(struct planner *planner, const struct rule_event *event,
                uint32_t feature)
{
    uint32_t selector;
    int ret = planner_selector(planner, event, &selector);
    return ret < 0 ? ret
                   : growing_add(&planner->selector_items[selector].features,
                                 feature);
}

/* The same in a role. */
static int feed_role(struct planner *planner, const struct rule_event *event,
                     uint32_t feature, uint32_t role)
{
    uint32_t selector;
    int ret = planner_selector(planner, event, &selector);
    if (ret < 0)
        return ret;
    struct planned_selector *to = &planner->selector_items[selector];
    void *items = to->roles;
    if (alloc_grow(&items, &to->role_cap, to->role_count + 1,
                   sizeof(*to->roles)) < 0)
        return SEG_ERR_NOMEM;
    to->roles = items;
    to->roles[to->role_count++] = (struct selector_role){feature, role};
    return 0;
}

/* ---- measures ------------------------------------------------------------ */

static enum feature_kind kind_of(const struct rule_measure *measure)
{
    switch (measure->kind) {
    case MEASURE_DAYS:
        return FEATURE_DAYS;
    case MEASURE_SUM:
        return FEATURE_SUM;
    case MEASURE_AVG:
        return FEATURE_AVG;
    case MEASURE_MIN:
        return FEATURE_MIN;
    case MEASURE_MAX:
        return FEATURE_MAX;
    case MEASURE_DISTINCT:
        return FEATURE_DISTINCT;
    case MEASURE_FIRST:
        return FEATURE_FIRST;
    case MEASURE_LAST:
        return FEATURE_LAST;
    case MEASURE_DAYS_SINCE_FIRST:
        return FEATURE_FIRST_TIME;
    case MEASURE_DAYS_SINCE_LAST:
        return FEATURE_LAST_TIME;
    case MEASURE_SCORE:
        return FEATURE_SCORE;
    case MEASURE_COUNT:
    case MEASURE_TRAIT:
    case MEASURE_COUNT_:
        break;
    }
    return measure->window.kind == WINDOW_IN ||
                   measure->window.kind == WINDOW_FROM_TO
               ? FEATURE_WINDOW
               : FEATURE_TALLY;
}

static int add_score(struct planner *planner, const struct rule_score *score,
                     uint32_t number)
{
    size_t count = (size_t)score->weight_count;
    struct feature_score *made = arena_calloc(planner->arena, 1, sizeof(*made));
    int64_t *weights = arena_calloc(planner->arena, count, sizeof(*weights));
    if (!made || !weights)
        return SEG_ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        weights[i] = score->weights[i].weight;
    *made =
        (struct feature_score){score->half_life_ms, (uint32_t)count, weights};
    struct feature feature = {
        .kind = FEATURE_SCORE, .path = FEATURE_NO_PATH, .of = {.score = made}};
    set_window(&feature, &(struct rule_window){.kind = WINDOW_LIFETIME});
    int ret = add_feature(planner, number, &feature);
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = feed_role(planner, &score->weights[i].event, number, i);
    return ret;
}

static int find_score(struct planner *planner, const struct rule_score *score,
                      uint32_t *number)
{
    struct buf *text = &planner->text;
    buf_reset(text);
    buf_str(text, "score half-life ");
    duration_format(text, score->half_life_ms);
    for (int i = 0; i < score->weight_count; i++) {
        buf_str(text, i ? ", " : " ");
        format_event(text, &score->weights[i].event, FORMAT_LIST_VALUES);
        buf_printf(text, " %lld", (long long)score->weights[i].weight);
    }
    int ret = planner_intern(planner, &planner->features, number);
    return ret <= 0 ? ret : add_score(planner, score, *number);
}

static int add_measure(struct planner *planner,
                       const struct rule_measure *measure, uint32_t number)
{
    struct feature feature = {.kind = kind_of(measure),
                              .path = FEATURE_NO_PATH};
    set_window(&feature, &measure->window);
    int ret = add_feature(planner, number, &feature);
    if (ret < 0)
        return ret;
    if (rule_measure_info(measure->kind)->operand == MEASURED_EVENT_PATH) {
        uint32_t path;
        if (planner_path(planner, &measure->path, &path) < 0)
            return SEG_ERR_NOMEM;
        planner->feature_items[number].path = path;
    }
    return feed(planner, &measure->event, number);
}

const struct rule_measure *planner_resolve(const struct planner *planner,
                                           const struct rule_measure *measure)
{
    while (measure->kind == MEASURE_TRAIT)
        measure = &planner->rules->traits[measure->definition].measure;
    return measure;
}

/* Whether all events of MEASURE are kept to know its count up to HIGHEST. */
static int is_all_kept(const struct rule_measure *measure, uint32_t highest)
{
    const struct rule_window *window = &measure->window;
    return measure->kind == MEASURE_COUNT && highest > FEATURE_KEPT_MAX &&
           (window->kind == WINDOW_IN ||
            (window->kind == WINDOW_FROM_TO && !window->to_ms));
}

int planner_feature(struct planner *planner, const struct rule_measure *measure,
                    uint32_t highest, uint32_t *number)
{
    measure = planner_resolve(planner, measure);
    if (measure->kind == MEASURE_SCORE)
        return find_score(planner, &planner->rules->scores[measure->definition],
                          number);
    buf_reset(&planner->text);
    if (is_all_kept(measure, highest))
        buf_str(&planner->text, "all of ");
    format_measure(&planner->text, measure, FORMAT_LIST_VALUES);
    int ret = planner_intern(planner, &planner->features, number);
    return ret <= 0 ? ret : add_measure(planner, measure, *number);
}

/* ---- habits and sequences ------------------------------------------------ */

void planner_range(const struct rule_times *times, int64_t *low, int64_t *high)
{
    *low = times->low;
    *high = INT64_MAX;
    switch (times->kind) {
    case TIMES_NONE:
        *low = 1;
        break;
    case TIMES_NOT:
        *low = *high = 0;
        break;
    case TIMES_AT_LEAST:
        break;
    case TIMES_AT_MOST:
        *high = times->low;
        *low = 0;
        break;
    case TIMES_EXACTLY:
        *high = times->low;
        break;
    case TIMES_BETWEEN:
        *high = times->high;
        break;
    }
}

static int add_habit(struct planner *planner, const struct rule_cond *cond,
                     uint32_t number)
{
    const struct rule_times *times = &cond->times;
    struct feature_habit *habit =
        arena_calloc(planner->arena, 1, sizeof(*habit));
    if (!habit)
        return SEG_ERR_NOMEM;
    habit->period_ms = times->period_ms;
    habit->periods = times->periods;
    planner_range(times, &habit->low, &habit->high);
    const struct feature feature = {
        .kind = FEATURE_HABIT,
        .from_ms = times->period_ms * times->periods,
        .after_ms = INT64_MIN,
        .before_ms = INT64_MAX,
        .path = FEATURE_NO_PATH,
        .of = {.habit = habit},
    };
    int ret = add_feature(planner, number, &feature);
    return ret < 0 ? ret : feed(planner, &cond->event, number);
}

/* What selects the events of all roles, in the order of the roles. */
static int feed_sequence(struct planner *planner, const struct rule_cond *cond,
                         const struct feature_sequence *sequence,
                         uint32_t number)
{
    static const struct rule_event any = {.any = 1};
    const struct rule_sequence *rule = cond->sequence;
    int ret = feed_role(planner, &cond->event, number, 0);
    for (int i = 0; ret == 0 && i < rule->step_count; i++)
        ret =
            feed_role(planner, &rule->steps[i].event, number, (uint32_t)i + 1);
    if (ret == 0 && sequence->no_between != FEATURE_NO_ROLE)
        ret =
            feed_role(planner, rule->no_between, number, sequence->no_between);
    if (ret == 0 && sequence->activity != FEATURE_NO_ROLE)
        ret = feed_role(planner, &any, number, sequence->activity);
    return ret;
}

static int make_steps(struct planner *planner, const struct rule_sequence *rule,
                      struct feature_sequence *sequence)
{
    uint32_t count = (uint32_t)rule->step_count + 1, roles = count;
    struct feature_step *steps =
        arena_calloc(planner->arena, count, sizeof(*steps));
    if (!steps)
        return SEG_ERR_NOMEM;
    *sequence = (struct feature_sequence){
        .step_count = count,
        .steps = steps,
        .all_within_ms = rule->all_within_ms,
        .no_between = rule->no_between ? count : FEATURE_NO_ROLE,
        .activity = FEATURE_NO_ROLE,
        .same = rule->same.count > 0,
    };
    roles += rule->no_between != NULL;
    for (int i = 0; i < rule->step_count; i++) {
        const struct rule_step *step = &rule->steps[i];
        steps[i + 1] = (struct feature_step){.without = step->without,
                                             .directly = step->directly,
                                             .after_ms = step->after_ms,
                                             .within_ms = step->within_ms};
        if (step->directly)
            sequence->activity = roles;
    }
    sequence_link(steps, count);
    return 0;
}

_Static_assert(RULE_STEPS_MAX + 3 <= FEATURE_ROLES, "roles of a sequence");

static int add_sequence(struct planner *planner, const struct rule_cond *cond,
                        uint32_t number)
{
    struct feature_sequence *sequence =
        arena_calloc(planner->arena, 1, sizeof(*sequence));
    if (!sequence || make_steps(planner, cond->sequence, sequence) < 0)
        return SEG_ERR_NOMEM;
    struct feature feature = {.kind = FEATURE_SEQUENCE,
                              .path = FEATURE_NO_PATH,
                              .of = {.sequence = sequence}};
    set_window(&feature, &cond->window);
    int ret = add_feature(planner, number, &feature);
    if (ret == 0 && sequence->same) {
        uint32_t path;
        ret = planner_path(planner, &cond->sequence->same, &path);
        planner->feature_items[number].path = path;
    }
    return ret < 0 ? ret : feed_sequence(planner, cond, sequence, number);
}

int planner_feature_of(struct planner *planner, const struct rule_cond *cond,
                       uint32_t *number)
{
    buf_reset(&planner->text);
    format_cond(&planner->text, cond, FORMAT_LIST_VALUES);
    int ret = planner_intern(planner, &planner->features, number);
    if (ret <= 0)
        return ret;
    return cond->kind == COND_SEQUENCE ? add_sequence(planner, cond, *number)
                                       : add_habit(planner, cond, *number);
}
