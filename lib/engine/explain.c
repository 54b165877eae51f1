/* explain.c: a condition as a tree, with what it measures now. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <seg/query.h>

#include "lib/base/alloc.h"
#include "lib/base/instant.h"
#include "lib/engine/engine.h"
#include "lib/user/attribute.h"
#include "lib/user/member.h"
#include "lib/user/sequence.h"

#define EVENTS_SHOWN 3 /* In the text. */

struct seg_explanation {
    struct arena arena;
    struct seg_reason *reasons;
    size_t count, cap;
    int member;
    int shadow;
    int64_t entered_at_ms;
    int64_t at_ms;
};

static struct seg_reason *add_reason(struct seg_explanation *to, int depth)
{
    void *items = to->reasons;
    if (alloc_grow(&items, &to->cap, to->count + 1, sizeof(*to->reasons)) < 0)
        return NULL;
    to->reasons = items;
    struct seg_reason *reason = &to->reasons[to->count++];
    *reason = (struct seg_reason){.depth = depth,
                                  .needed = "",
                                  .changes_at_ms = SEG_NEVER,
                                  .segment = -1,
                                  .since_ms = SEG_NEVER,
                                  .observed_ms = SEG_NEVER,
                                  .decides_ms = SEG_NEVER};
    return reason;
}

static void explain_steps(const struct view *view,
                          const struct predicate *predicate,
                          struct seg_reason *reason)
{
    const struct plan *plan = view->plan;
    struct sequence_progress progress;
    if (predicate->source >= plan->feature_count ||
        plan->features[predicate->source].kind != FEATURE_SEQUENCE)
        return;
    sequence_progress(view->user, &plan->features[predicate->source],
                      view->now_ms, &progress);
    reason->steps = (int)progress.steps;
    reason->matched = (int)progress.matched;
    reason->matched_ms = progress.matched ? progress.since_ms : SEG_NEVER;
    reason->step_due_ms = progress.until_ms;
    if (reason->truth != SEG_TRUE)
        return;
    /* When the last step of what is complete was need not be known any more. */
    reason->matched = reason->steps;
    reason->matched_ms = SEG_NEVER;
    reason->step_due_ms = SEG_NEVER;
}

/* What the value is made of: events, or the write of an attribute. */
static void explain_events(const struct view *view,
                           const struct predicate *predicate,
                           struct seg_reason *reason)
{
    const struct plan *plan = view->plan;
    struct feature_events events = {0};
    struct write write;
    if (!view->user || plan_is_watch(plan, predicate->source))
        return;
    if (plan_is_attribute(plan, predicate->source)) {
        if (reason->value.type != SEG_MISSING &&
            attribute_last(view->user, predicate->source, view->scratch,
                           &write))
            feature_events_add(&events, write.time_ms);
        reason->written = 1;
    } else {
        const struct feature *feature = &plan->features[predicate->source];
        const struct feature_ops *ops = feature_ops_of(feature->kind);
        if (ops->events)
            ops->events(view->user, feature, view->now_ms, &events);
    }
    reason->event_count = events.count;
    reason->more_events = events.more;
    memcpy(reason->events_ms, events.times_ms, sizeof(events.times_ms));
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- when it changes ---------------------------------------------------- */

/* Segments that are asked, each once. */
struct asked {
    uint8_t *seen; /* By segment: 0 or 1. */
    uint32_t *items, count, cap;
};

static void ask(struct asked *asked, uint32_t segment)
{
    if (asked->seen[segment])
        return;
    asked->seen[segment] = 1;
    assert(asked->count < asked->cap);
    asked->items[asked->count++] = segment;
}

/* When time alone may change PREDICATE, or decide it; what waits for somebody
 * to enter or leave asks that segment. */
static int64_t next_of_predicate(const struct view *view,
                                 const struct predicate *predicate,
                                 struct asked *asked)
{
    struct seg_value value;
    int64_t observed_ms, next = eval_predicate_next(view, predicate);
    if (eval_shown(view, predicate, &value) == SEG_UNKNOWN)
        next = earlier(next, warming_decides(view, predicate, &observed_ms));
    if (predicate->kind == PREDICATE_ENTERED ||
        predicate->kind == PREDICATE_LEFT)
        ask(asked, (uint32_t)predicate->rule->segment);
    return next;
}

/* The same of all that is below COND; segments it asks are added to ASKED. */
static int64_t next_below(const struct view *view, const struct cond *cond,
                          struct asked *asked)
{
    int64_t next = SEG_NEVER;
    if (cond->op == OP_PREDICATE)
        return next_of_predicate(view, &view->plan->predicates[cond->number],
                                 asked);
    if (cond->op == OP_MEMBER)
        ask(asked, cond->number);
    for (uint32_t i = 0; i < cond->count; i++)
        next = earlier(next, next_below(view, &cond->children[i], asked));
    return next;
}

/* The same of what SEGMENT goes by. */
static int64_t next_of(const struct view *view, uint32_t segment,
                       struct asked *asked)
{
    const struct segment *of = &view->plan->segments[segment];
    int64_t next = SEG_NEVER;
    if (eval_listed(view, segment) >= 0)
        return SEG_NEVER;
    if (of->when && !(of->until && eval_is_member(view, segment)))
        next = next_below(view, of->when, asked);
    return of->until ? earlier(next, next_below(view, of->until, asked)) : next;
}

/* The same of COND and of whatever it asks. ASKED is empty, and is left so. */
static int64_t next_of_all(const struct view *view, const struct cond *cond,
                           struct asked *asked)
{
    int64_t next = next_below(view, cond, asked);
    for (uint32_t i = 0; i < asked->count; i++)
        next = earlier(next, next_of(view, asked->items[i], asked));
    while (asked->count)
        asked->seen[asked->items[--asked->count]] = 0;
    return next;
}

/* ---- the tree ----------------------------------------------------------- */

static int explain_predicate(struct seg_explanation *to,
                             const struct view *view, const struct cond *cond,
                             struct asked *asked, struct seg_reason *reason)
{
    const struct predicate *predicate = &view->plan->predicates[cond->number];
    struct seg_value value;
    reason->truth = eval_shown(view, predicate, &value);
    reason->condition = predicate->text;
    reason->needed = predicate->needed;
    reason->changes_at_ms = next_of_all(view, cond, asked);
    if (reason->truth == SEG_UNKNOWN)
        reason->decides_ms =
            warming_decides(view, predicate, &reason->observed_ms);
    explain_steps(view, predicate, reason);
    int ret = arena_value(&to->arena, &value, &reason->value);
    explain_events(view, predicate, reason);
    if (ret < 0 || predicate->kind != PREDICATE_COMPARE)
        return ret;
    value = eval_measured(view, predicate->other).value;
    return arena_value(&to->arena, &value, &reason->other);
}

static void explain_member(const struct view *view, const struct cond *cond,
                           struct asked *asked, struct seg_reason *reason)
{
    reason->segment = (int)cond->number;
    reason->needed = "membership";
    reason->changes_at_ms = next_of_all(view, cond, asked);
    if (view->user && !member_find(view->user, cond->number, &reason->since_ms))
        reason->since_ms = SEG_NEVER;
}

/* Where in the 100 % the user stands. */
static int explain_share(struct seg_explanation *to, const struct view *view,
                         const struct cond *cond, struct seg_reason *reason)
{
    reason->needed = arena_printf(&to->arena, "less than %s",
                                  cond->rule->percent.spelling.bytes);
    if (view->user)
        reason->value = (struct seg_value){
            .type = SEG_DOUBLE,
            .as.number = eval_share_place(view->user, cond->rule) / 100.0};
    return reason->needed ? 0 : SEG_ERR_NOMEM;
}

static int explain_cond(struct seg_explanation *to, const struct view *view,
                        const struct cond *cond, int depth, struct asked *asked)
{
    static const char *const words[] = {
        [OP_AND] = "all of", [OP_OR] = "any of", [OP_NOT] = "not"};
    struct seg_reason *reason = add_reason(to, depth);
    if (!reason)
        return SEG_ERR_NOMEM;
    if (cond->op == OP_PREDICATE)
        return explain_predicate(to, view, cond, asked, reason);
    reason->truth = eval_cond(view, cond);
    reason->condition = cond->text ? cond->text : words[cond->op];
    if (cond->op == OP_MEMBER)
        explain_member(view, cond, asked, reason);
    if (cond->op == OP_SHARE)
        return explain_share(to, view, cond, reason);
    for (uint32_t i = 0; i < cond->count; i++) {
        int ret = explain_cond(to, view, &cond->children[i], depth + 1, asked);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/* Who is in stays until `until` holds; who is out must pass both. */
static int explain_until(struct seg_explanation *to, const struct view *view,
                         uint32_t segment, struct asked *asked)
{
    const struct segment *of = &view->plan->segments[segment];
    const struct cond stays = {
        .op = OP_NOT, .count = 1, .children = of->until, .text = "not until"};
    const struct cond both[] = {*of->when, stays};
    const struct cond enters = {.op = OP_AND, .count = 2, .children = both};
    return explain_cond(
        to, view, eval_is_member(view, segment) ? &stays : &enters, 0, asked);
}

/* Include and exclude stand above the condition; without either the condition
 * is the root. */
static int explain_segment(struct seg_explanation *to, const struct view *view,
                           uint32_t segment)
{
    const struct cond *when = view->plan->segments[segment].when;
    int listed = eval_listed(view, segment);
    if (listed >= 0 || !when) {
        struct seg_reason *reason = add_reason(to, 0);
        if (!reason)
            return SEG_ERR_NOMEM;
        reason->truth = listed == 1 ? SEG_TRUE : SEG_FALSE;
        reason->condition = listed == 1   ? "include names this user"
                            : listed == 0 ? "exclude names this user"
                                          : "only those it includes";
        return 0;
    }
    uint32_t cap = view->plan->segment_count;
    struct asked asked = {
        .seen = arena_calloc(view->scratch, cap, sizeof(*asked.seen)),
        .items = arena_calloc(view->scratch, cap, sizeof(*asked.items)),
        .cap = cap};
    if (!asked.seen || !asked.items)
        return SEG_ERR_NOMEM;
    return view->plan->segments[segment].until
               ? explain_until(to, view, segment, &asked)
               : explain_cond(to, view, when, 0, &asked);
}

int seg_explain(struct seg_explanation **ret, const struct seg_engine *engine,
                const struct seg_user *user, int segment)
{
    struct seg_engine *e = (struct seg_engine *)engine; /* Scratch only. */
    const struct user *u = (const struct user *)user;
    struct seg_explanation *to = calloc(1, sizeof(*to));
    if (!to)
        return SEG_ERR_NOMEM;
    to->at_ms = u ? engine_now(engine, u) : engine->clock_ms;
    arena_reset(&e->scratch);
    struct view view = engine_view(e, u, to->at_ms);
    view.mismatches = NULL;
    view.memo = &e->memo;
    eval_memo_forget(&e->memo);
    int err = explain_segment(to, &view, (uint32_t)segment);
    if (err == 0)
        err = scratch_error(e);
    if (err < 0) {
        seg_explanation_free(to);
        return err;
    }
    to->shadow = view.plan->segments[segment].rule->shadow;
    to->member = u && member_find(u, (uint32_t)segment, &to->entered_at_ms);
    *ret = to;
    return 0;
}

void seg_explanation_free(struct seg_explanation *explanation)
{
    if (!explanation)
        return;
    arena_done(&explanation->arena);
    free(explanation->reasons);
    free(explanation);
}

int seg_explanation_count(const struct seg_explanation *explanation)
{
    return (int)explanation->count;
}

const struct seg_reason *
seg_explanation_at(const struct seg_explanation *explanation, int index)
{
    return &explanation->reasons[index];
}

int seg_explanation_member(const struct seg_explanation *explanation,
                           int64_t *entered_at_ms)
{
    if (explanation->member && entered_at_ms)
        *entered_at_ms = explanation->entered_at_ms;
    return explanation->member;
}

static void write_membership(struct buf *buf, int64_t since_ms)
{
    if (since_ms == SEG_NEVER) {
        buf_str(buf, "not a member");
        return;
    }
    buf_str(buf, "member since ");
    instant_format(buf, since_ms);
}

/* Of a sequence: how far it is. */
static void write_steps(struct buf *buf, const struct seg_reason *reason)
{
    if (reason->truth == SEG_TRUE) {
        buf_str(buf, "  -- complete");
        return;
    }
    buf_printf(buf, "  -- %d of %d step%s matched", reason->matched,
               reason->steps, reason->steps == 1 ? "" : "s");
    if (!reason->matched)
        return;
    buf_str(buf, ", the last at ");
    instant_format(buf, reason->matched_ms);
    if (reason->step_due_ms == SEG_NEVER)
        return;
    buf_str(buf, reason->matched < reason->steps ? ", the next before "
                                                 : ", a quiet time until ");
    instant_format(buf, reason->step_due_ms);
}

/* When what is measured was. A sequence that does not hold tells it by its
 * steps. */
static void write_events(struct buf *buf, const struct seg_reason *reason)
{
    if (reason->steps && reason->truth != SEG_TRUE)
        return;
    for (int i = 0; i < reason->event_count && i < EVENTS_SHOWN; i++) {
        buf_str(buf, i ? ", " : reason->written ? ", set at " : ", by ");
        instant_format(buf, reason->events_ms[i]);
    }
    if (reason->more_events || reason->event_count > EVENTS_SHOWN)
        buf_str(buf, " and before");
}

static void write_value(struct buf *buf, const struct seg_reason *reason)
{
    if (reason->segment >= 0) {
        buf_str(buf, "  -- ");
        write_membership(buf, reason->since_ms);
    } else if (reason->value.type != SEG_MISSING) {
        buf_str(buf, "  -- is ");
        buf_json_value(buf, &reason->value);
    } else if (*reason->needed) {
        buf_str(buf, "  -- is not set");
    }
    if (*reason->needed)
        buf_printf(buf, ", needs %s", reason->needed);
    if (reason->other.type != SEG_MISSING) {
        buf_str(buf, ", which is ");
        buf_json_value(buf, &reason->other);
    }
}

static void write_reason(struct buf *buf, const struct seg_reason *reason)
{
    static const char *const marks[] = {"no ", "?  ", "yes"};
    buf_printf(buf, "%s %*s%s", marks[reason->truth], reason->depth * 2, "",
               reason->condition);
    if (reason->steps)
        write_steps(buf, reason);
    else
        write_value(buf, reason);
    write_events(buf, reason);
    if (reason->observed_ms != SEG_NEVER) {
        buf_str(buf, ", observed since ");
        instant_format(buf, reason->observed_ms);
        buf_str(buf, ", decides ");
        buf_str(buf, reason->decides_ms == SEG_NEVER
                         ? "by what is still to come"
                         : "at ");
        if (reason->decides_ms != SEG_NEVER)
            instant_format(buf, reason->decides_ms);
    }
    if (reason->changes_at_ms != SEG_NEVER &&
        reason->changes_at_ms != reason->decides_ms) {
        buf_str(buf, ", may change at ");
        instant_format(buf, reason->changes_at_ms);
    }
    buf_char(buf, '\n');
}

char *seg_explanation_text(const struct seg_explanation *explanation)
{
    struct buf buf;
    buf_init(&buf);
    write_membership(&buf, explanation->member ? explanation->entered_at_ms
                                               : SEG_NEVER);
    buf_str(&buf, ", at ");
    instant_format(&buf, explanation->at_ms);
    if (explanation->shadow)
        buf_str(&buf, ", a shadow: nothing of it is published");
    buf_char(&buf, '\n');
    for (size_t i = 0; i < explanation->count; i++)
        write_reason(&buf, &explanation->reasons[i]);
    char *text = buf_take(&buf);
    buf_done(&buf);
    return text;
}
