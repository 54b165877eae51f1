/* eval.c: the truth of conditions about one user at one instant. */
#include "lib/segment/eval.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/instant.h"
#include "lib/segment/compare.h"
#include "lib/user/attribute.h"
#include "lib/user/member.h"
#include "lib/user/sum.h"

static const struct feature *feature_of(const struct plan *plan,
                                        uint32_t source)
{
    return source < plan->feature_count ? &plan->features[source] : NULL;
}

int eval_measure(const struct view *view, uint32_t source,
                 struct seg_value *value)
{
    const struct feature *feature = feature_of(view->plan, source);
    if (feature && view->user)
        return feature_ops_of(feature->kind)
            ->measure(view->user, feature, view->now_ms, view->scratch, value);
    *value = plan_empty(view->plan, source);
    return view->user ? attribute_read(view->user, source, view->scratch, value)
                      : 0;
}

int64_t eval_watched(const struct view *view, const struct predicate *predicate)
{
    if (!view->user)
        return WATCH_NEVER;
    struct watch watch = watch_read(view->user, predicate->source);
    return predicate->kind == PREDICATE_ENTERED ? watch.entered_ms
                                                : watch.left_ms;
}

int eval_memo_init(struct eval_memo *memo, const struct plan *plan)
{
    memo->epoch = 1;
    memo->size = plan->feature_count + 1;
    memo->segment_count = plan->segment_count + 1;
    memo->counts = calloc(memo->size, sizeof(*memo->counts));
    memo->truths = calloc(memo->segment_count, sizeof(*memo->truths));
    return memo->counts && memo->truths ? 0 : SEG_ERR_NOMEM;
}

void eval_memo_done(struct eval_memo *memo)
{
    free(memo->counts);
    free(memo->truths);
}

void eval_memo_forget(struct eval_memo *memo)
{
    if (++memo->epoch)
        return;
    /* Once in four billion: what an epoch of this number left is not known. */
    memset(memo->counts, 0, memo->size * sizeof(*memo->counts));
    memset(memo->truths, 0, memo->segment_count * sizeof(*memo->truths));
    memo->epoch = 1;
}

void eval_memo_note(struct eval_memo *memo, uint32_t source, uint64_t count)
{
    memo->counts[source] = (struct eval_count){memo->epoch, count};
}

/* What the counting source SOURCE counts of the user. */
static uint64_t count_of(const struct view *view, uint32_t source)
{
    struct eval_count *known = view->memo ? &view->memo->counts[source] : NULL;
    if (!view->user)
        return (uint64_t)plan_empty_count(view->plan, source);
    if (known && known->epoch == view->memo->epoch)
        return known->count;
    uint64_t count =
        feature_count(view->user, &view->plan->features[source], view->now_ms);
    if (known)
        eval_memo_note(view->memo, source, count);
    return count;
}

/* What TRUTH, which goes by what was seen, is worth; of a count, COUNT was
 * seen. */
static int known(const struct view *view, const struct predicate *predicate,
                 int truth, int64_t count)
{
    return view->warming ? warming_truth(view, predicate, truth, count) : truth;
}

/* A count is shown only as far as PREDICATE needs to know it. */
static int eval_range(const struct view *view,
                      const struct predicate *predicate,
                      struct seg_value *value)
{
    int64_t count = (int64_t)count_of(view, predicate->source);
    int in = count >= predicate->low && count <= predicate->high;
    *value = (struct seg_value){.type = SEG_INT,
                                .as.integer = count < predicate->shown_max
                                                  ? count
                                                  : predicate->shown_max};
    return known(view, predicate, in ? SEG_TRUE : SEG_FALSE, count);
}

struct measured eval_measured(const struct view *view, uint32_t source)
{
    struct seg_value value = {.type = SEG_INT};
    if (view->plan->sources[source].counts)
        value.as.integer = (int64_t)count_of(view, source);
    else
        eval_measure(view, source, &value);
    struct measured measured = measured_of(value);
    const struct feature *feature = feature_of(view->plan, source);
    if (view->user && feature && feature->kind == FEATURE_SUM) {
        measured.exact = 1;
        measured.units = sum_units(view->user, feature, view->now_ms);
    }
    return measured;
}

/* Whether *VALUE, what PREDICATE's source measures, passes its test. */
static int passes_test(const struct view *view,
                       const struct predicate *predicate,
                       const struct seg_value *value)
{
    struct test_context context = {view->now_ms, view->scratch,
                                   view->mismatches};
    const struct feature *feature = feature_of(view->plan, predicate->source);
    int passes;
    if (view->user && feature && feature->kind == FEATURE_SUM &&
        compare_sum(&predicate->test,
                    sum_units(view->user, feature, view->now_ms), &passes))
        return passes;
    return value_test(&predicate->test, value, &context);
}

static int eval_compare(const struct view *view,
                        const struct predicate *predicate,
                        struct seg_value *value)
{
    struct measured left = eval_measured(view, predicate->source);
    struct measured right = eval_measured(view, predicate->other);
    int holds = compare_measured(predicate, &left, &right, view->mismatches);
    *value = left.value;
    return known(view, predicate, holds ? SEG_TRUE : SEG_FALSE, 0);
}

/* The value is the instant, in milliseconds, as long as it counts: how long one
 * that is too old is remembered depends on who was asked when. */
static int eval_watch(const struct view *view,
                      const struct predicate *predicate,
                      struct seg_value *value)
{
    int64_t at_ms = eval_watched(view, predicate);
    *value = (struct seg_value){.type = SEG_MISSING};
    if (at_ms == WATCH_NEVER || view->now_ms - at_ms >= predicate->low)
        return known(view, predicate, SEG_FALSE, 0);
    value->type = SEG_INT;
    value->as.integer = at_ms;
    return known(view, predicate, SEG_TRUE, 0);
}

static int eval_value(const struct view *view,
                      const struct predicate *predicate,
                      struct seg_value *value)
{
    eval_measure(view, predicate->source, value);
    int passes = passes_test(view, predicate, value);
    int64_t count = value->type == SEG_INT ? value->as.integer : 0;
    if (view->plan->sources[predicate->source].counts &&
        count > predicate->shown_max)
        value->as.integer = predicate->shown_max;
    return known(view, predicate, passes ? SEG_TRUE : SEG_FALSE, count);
}

int eval_predicate(const struct view *view, const struct predicate *predicate,
                   struct seg_value *value)
{
    switch (predicate->kind) {
    case PREDICATE_RANGE:
        return eval_range(view, predicate, value);
    case PREDICATE_VALUE:
    case PREDICATE_DAYS:
    case PREDICATE_SCORE:
        return eval_value(view, predicate, value);
    case PREDICATE_COMPARE:
        return eval_compare(view, predicate, value);
    case PREDICATE_ENTERED:
    case PREDICATE_LEFT:
        break;
    }
    return eval_watch(view, predicate, value);
}

int eval_shown(const struct view *view, const struct predicate *predicate,
               struct seg_value *value)
{
    int truth = eval_predicate(view, predicate, value);
    int watched = predicate->kind == PREDICATE_ENTERED ||
                  predicate->kind == PREDICATE_LEFT;
    struct buf text;
    if (!watched || value->type != SEG_INT)
        return truth;
    buf_init(&text);
    instant_format(&text, value->as.integer);
    struct seg_text kept =
        arena_text(view->scratch, (struct seg_text){text.bytes, text.len});
    *value = (struct seg_value){.type = kept.bytes ? SEG_TEXT : SEG_MISSING,
                                .len = (uint32_t)kept.len,
                                .as.text = kept.bytes};
    buf_done(&text);
    return truth;
}

/* The truth of segment SEGMENT, for another one: along each of its ways only
 * once. */
static int truth_of(const struct view *view, uint32_t segment)
{
    if (!view->memo)
        return eval_segment(view, segment);
    struct eval_truth *known = &view->memo->truths[segment];
    if (known->epoch != view->memo->epoch)
        *known =
            (struct eval_truth){view->memo->epoch, eval_segment(view, segment)};
    return known->truth;
}

/* While it is not known whether he belongs to it, neither is whether he is in
 * it: that he has not been let in is no reason for anything. */
static int eval_member(const struct view *view, uint32_t segment)
{
    if (view->warming && truth_of(view, segment) == SEG_UNKNOWN)
        return SEG_UNKNOWN;
    return view->user && member_find(view->user, segment, NULL) ? SEG_TRUE
                                                                : SEG_FALSE;
}

int eval_share_place(const struct user *user, const struct rule_cond *rule)
{
    struct seg_text id = user_id(user);
    return (
        int)(hash_salted(rule->text.bytes, rule->text.len, id.bytes, id.len) %
             10000);
}

static int eval_share(const struct view *view, const struct rule_cond *rule)
{
    return view->user &&
                   eval_share_place(view->user, rule) < rule->percent.hundredths
               ? SEG_TRUE
               : SEG_FALSE;
}

int eval_cond(const struct view *view, const struct cond *cond)
{
    struct seg_value value;
    int truth;
    switch (cond->op) {
    case OP_AND:
        truth = SEG_TRUE;
        for (uint32_t i = 0; i < cond->count && truth != SEG_FALSE; i++) {
            int child = eval_cond(view, &cond->children[i]);
            truth = child < truth ? child : truth;
        }
        return truth;
    case OP_OR:
        truth = SEG_FALSE;
        for (uint32_t i = 0; i < cond->count && truth != SEG_TRUE; i++) {
            int child = eval_cond(view, &cond->children[i]);
            truth = child > truth ? child : truth;
        }
        return truth;
    case OP_NOT:
        return SEG_TRUE - eval_cond(view, &cond->children[0]);
    case OP_EVERYONE:
        return SEG_TRUE;
    case OP_MEMBER:
        return eval_member(view, cond->number);
    case OP_SHARE:
        return eval_share(view, cond->rule);
    case OP_PREDICATE:
        break;
    }
    return eval_predicate(view, &view->plan->predicates[cond->number], &value);
}

int eval_listed(const struct view *view, uint32_t segment)
{
    int result = -1;
    if (!view->user || !(view->user->flags & USER_LISTED))
        return -1;
    uint32_t number = intern_find(&view->plan->listed_ids, user_id(view->user));
    if (number == INTERN_NONE)
        return -1;
    const struct listed *listed = &view->plan->listed[number];
    for (uint32_t i = 0; i < listed->count; i++)
        if (listed->segments[i].segment == segment && result != 0)
            result = listed->segments[i].include;
    return result;
}

int eval_is_member(const struct view *view, uint32_t segment)
{
    return view->user && member_find(view->user, segment, NULL);
}

/* Who is in stays until `until` holds, who is out enters when `when` holds and
 * `until` does not. */
static int eval_until(const struct view *view, uint32_t segment)
{
    const struct segment *of = &view->plan->segments[segment];
    int stays = SEG_TRUE - eval_cond(view, of->until);
    if (stays == SEG_FALSE || eval_is_member(view, segment))
        return stays;
    int when = eval_cond(view, of->when);
    return when < stays ? when : stays;
}

int eval_segment(const struct view *view, uint32_t segment)
{
    const struct segment *of = &view->plan->segments[segment];
    int listed = eval_listed(view, segment);
    if (listed >= 0)
        return listed ? SEG_TRUE : SEG_FALSE;
    if (!of->when)
        return SEG_FALSE;
    return of->until ? eval_until(view, segment) : eval_cond(view, of->when);
}

/* ---- evidence ----------------------------------------------------------- */

struct collecting {
    const struct view *view;
    struct arena *arena;
    struct seg_evidence *out;
    int count;
};

static int add_leaf(struct collecting *to, const struct cond *cond)
{
    struct seg_value value = {.type = SEG_MISSING};
    const char *text = cond->text;
    if (to->count == SEG_EVIDENCE_MAX)
        return 0;
    if (cond->op == OP_PREDICATE) {
        const struct predicate *predicate =
            &to->view->plan->predicates[cond->number];
        eval_shown(to->view, predicate, &value);
        text = predicate->text;
    }
    struct seg_evidence *evidence = &to->out[to->count++];
    evidence->condition = text;
    return arena_value(to->arena, &value, &evidence->value);
}

/* A true `and` and a false `or` are decided by all their children, a false
 * `and` and a true `or` by the first that is so. */
static int collect(struct collecting *to, const struct cond *cond)
{
    int deciding = cond->op == OP_AND ? SEG_FALSE : SEG_TRUE;
    if (!cond->count)
        return add_leaf(to, cond);
    if (cond->op == OP_NOT)
        return collect(to, &cond->children[0]);
    for (uint32_t i = 0; i < cond->count; i++)
        if (eval_cond(to->view, &cond->children[i]) == deciding)
            return collect(to, &cond->children[i]);
    for (uint32_t i = 0; i < cond->count; i++) {
        int ret = collect(to, &cond->children[i]);
        if (ret < 0)
            return ret;
    }
    return 0;
}

int eval_evidence(const struct view *view, uint32_t segment,
                  struct arena *arena, struct seg_evidence *out)
{
    struct collecting to = {view, arena, out, 0};
    const struct segment *of = &view->plan->segments[segment];
    int listed = eval_listed(view, segment);
    if (listed >= 0 || !of->when) {
        out[0] = (struct seg_evidence){.condition =
                                           listed == 1 ? "include" : "exclude",
                                       .value = {.type = SEG_MISSING}};
        return 1;
    }
    /* Who is out did not leave by `when` if that is what `until` is for. */
    int ret = of->until ? collect(&to, of->until) : 0;
    if (ret == 0 && (!of->until || eval_segment(view, segment) == SEG_TRUE))
        ret = collect(&to, of->when);
    return ret < 0 ? ret : to.count;
}
