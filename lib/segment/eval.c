/* eval.c: the truth of conditions about one user at one instant. */
#include "lib/segment/eval.h"

#include <stdlib.h>
#include <string.h>

#include "lib/user/attribute.h"
#include "lib/user/codec.h"
#include "lib/user/member.h"

static const struct feature *feature_of(const struct plan *plan,
                                        uint32_t source)
{
    return source < plan->feature_count ? &plan->features[source] : NULL;
}

/* What SOURCE measures of the user. */
static int measure(const struct view *view, uint32_t source,
                   struct seg_value *value)
{
    const struct feature *feature = feature_of(view->plan, source);
    if (feature && view->user)
        return feature_ops_of(feature->kind)
            ->measure(view->user, feature, view->now_ms, view->scratch, value);
    *value = (struct seg_value){
        .type = view->plan->sources[source].counts ? SEG_INT : SEG_MISSING};
    return view->user ? attribute_read(view->user, source, view->scratch, value)
                      : 0;
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
        return 0;
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

int eval_predicate(const struct view *view, const struct predicate *predicate,
                   struct seg_value *value)
{
    struct test_context context = {view->now_ms, view->scratch,
                                   view->mismatches};
    if (predicate->kind == PREDICATE_RANGE)
        return eval_range(view, predicate, value);
    measure(view, predicate->source, value);
    int passes = value_test(&predicate->test, value, &context);
    int64_t count = value->type == SEG_INT ? value->as.integer : 0;
    if (view->plan->sources[predicate->source].counts &&
        count > predicate->shown_max)
        value->as.integer = predicate->shown_max;
    return known(view, predicate, passes ? SEG_TRUE : SEG_FALSE, count);
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

int eval_segment(const struct view *view, uint32_t segment)
{
    const struct cond *when = view->plan->segments[segment].when;
    int listed = eval_listed(view, segment);
    if (listed >= 0)
        return listed ? SEG_TRUE : SEG_FALSE;
    return when ? eval_cond(view, when) : SEG_FALSE;
}

/* ---- evidence
 * ---------------------------------------------------------------- */

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
        eval_predicate(to->view, predicate, &value);
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
    const struct cond *when = view->plan->segments[segment].when;
    int listed = eval_listed(view, segment);
    if (listed >= 0 || !when) {
        out[0] = (struct seg_evidence){.condition =
                                           listed == 1 ? "include" : "exclude",
                                       .value = {.type = SEG_MISSING}};
        return 1;
    }
    int ret = collect(&to, when);
    return ret < 0 ? ret : to.count;
}

/* ---- what changes by itself
 * ---------------------------------------------------- */

static int64_t next_days(const struct view *view,
                         const struct predicate *predicate)
{
    struct item item = user_item(view->user, predicate->source);
    return item.words
               ? value_test_next_days(&predicate->test,
                                      codec_get_i64(item.words), view->now_ms)
               : SEG_NEVER;
}

/* Of a timed predicate: the value stays, its test changes. */
static int64_t next_timed(const struct view *view,
                          const struct predicate *predicate)
{
    struct seg_value value;
    if (predicate->kind == PREDICATE_DAYS)
        return next_days(view, predicate);
    measure(view, predicate->source, &value);
    return value_test_next(&predicate->test, &value, view->now_ms);
}

static int64_t next_measure(const struct view *view, uint32_t source)
{
    const struct feature *feature = feature_of(view->plan, source);
    return feature ? feature_ops_of(feature->kind)
                         ->next(view->user, feature, view->now_ms)
                   : SEG_NEVER;
}

int64_t eval_predicate_next(const struct view *view,
                            const struct predicate *predicate)
{
    if (!view->user)
        return SEG_NEVER;
    int64_t next = next_measure(view, predicate->source);
    int64_t timed = predicate->timed ? next_timed(view, predicate) : SEG_NEVER;
    return timed < next ? timed : next;
}

int64_t eval_source_next(const struct view *view, uint32_t source)
{
    const struct source *s = &view->plan->sources[source];
    int64_t next = next_measure(view, source);
    for (uint32_t i = 0; s->timed && i < s->predicate_count; i++) {
        const struct predicate *predicate =
            &view->plan->predicates[s->predicates[i]];
        int64_t timed =
            predicate->timed ? next_timed(view, predicate) : SEG_NEVER;
        next = timed < next ? timed : next;
    }
    return next;
}
