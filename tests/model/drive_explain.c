/* drive_explain.c: evidence of changes and explanations of users, leaf by leaf.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/user/update.h"
#include "tests/model/drive_inside.h"

/* ---- values -------------------------------------------------------------- */

/* A whole sum that fits is an integer, any other the nearest double. */
static int same_sum(const struct seg_value *got, naive_units want)
{
    naive_units whole = want / NAIVE_UNIT;
    if (want % NAIVE_UNIT == 0 && whole >= INT64_MIN && whole <= INT64_MAX)
        return got->type == SEG_INT && got->as.integer == whole;
    return got->type == SEG_DOUBLE &&
           fabs(got->as.number - naive_units_nearest(want)) <= 0;
}

int drive_same_value(const struct seg_value *got,
                     const struct naive_value *want)
{
    switch (want->type) {
    case NAIVE_MISSING:
        return got->type == SEG_MISSING;
    case NAIVE_BOOL:
        return got->type == SEG_BOOL && !got->as.boolean == !want->integer;
    case NAIVE_INT:
        return (got->type == SEG_INT && got->as.integer == want->integer) ||
               (want->spelled_freely && got->type == SEG_DOUBLE &&
                fabsl(got->as.number - (long double)want->integer) <= 0);
    case NAIVE_REAL:
        return (got->type == SEG_DOUBLE &&
                fabs(got->as.number - want->real) <= 0) ||
               (want->spelled_freely && got->type == SEG_INT &&
                fabsl(want->real - (long double)got->as.integer) <= 0);
    case NAIVE_UNITS:
        return same_sum(got, want->units);
    case NAIVE_SCORE: /* The last digit may be another one (oracle_unsure). */
        return got->type == SEG_DOUBLE &&
               fabsl(got->as.number - (long double)want->units / NAIVE_UNIT) <
                   1.1e-9L;
    case NAIVE_DAYS:
        return got->type == SEG_DOUBLE &&
               fabs(got->as.number - (double)want->integer / 86400000) <= 0;
    case NAIVE_TEXT:
        return got->type == SEG_TEXT &&
               text_equal((struct seg_text){got->as.text, got->len},
                          want->text);
    case NAIVE_LIST:
        break;
    case NAIVE_OBJECT:
        return got->type == SEG_OBJECT;
    }
    if (got->type != SEG_LIST || got->len != json_array_size(want->json))
        return 0;
    for (uint32_t i = 0; i < got->len; i++) {
        struct naive_value item = naive_value_of(json_array_get(want->json, i));
        if (!drive_same_value(&got->as.items[i], &item))
            return 0;
    }
    return 1;
}

static int fail_value(struct drive *d, const char *what, const char *condition,
                      const struct seg_value *got,
                      const struct naive_value *want)
{
    struct buf text;
    buf_init(&text);
    buf_json_value(&text, got);
    int result =
        drive_fail(d, "%s of %s: %s, oracle type %d %lld %g %.*s", what,
                   condition, buf_string(&text), (int)want->type,
                   (long long)want->integer, want->real, (int)want->text.len,
                   want->text.bytes ? want->text.bytes : "");
    buf_done(&text);
    return result;
}

/* Whether CONDITION is LEAF in its one spelling. */
static int same_condition(const char *condition, const struct rule_cond *leaf)
{
    struct buf text;
    buf_init(&text);
    format_cond(&text, leaf, FORMAT_LIST_NAMES);
    int same = !strcmp(condition, buf_string(&text));
    buf_done(&text);
    return same;
}

/* The instant of an entry or exit is shown as a text. */
static int same_instant(const struct seg_value *got,
                        const struct naive_value *want)
{
    char text[25];
    if (want->type == NAIVE_MISSING)
        return got->type == SEG_MISSING;
    instant_string(text, want->integer);
    return got->type == SEG_TEXT &&
           text_equal((struct seg_text){got->as.text, got->len}, text_of(text));
}

/* The value shown of LEAF must be what it measures, a count as far as it
 * matters. */
static int check_shown(struct drive *d, const char *what,
                       const struct oracle_user *user, int64_t at_ms,
                       const struct rule_cond *leaf, const char *condition,
                       const struct seg_value *got)
{
    struct naive_value want = oracle_shown(d->oracle, user, leaf, at_ms);
    if (!same_condition(condition, leaf))
        return drive_fail(d, "%s says %s", what, condition);
    if (leaf->kind == COND_PATH &&
        oracle_eval(d->oracle, user, leaf, at_ms) == SEG_UNKNOWN)
        return DRIVE_SAME; /* That it was written is all there is. */
    int same = leaf->kind == COND_ENTERED || leaf->kind == COND_LEFT
                   ? same_instant(got, &want)
                   : drive_same_value(got, &want);
    return same ? DRIVE_SAME : fail_value(d, what, condition, got, &want);
}

/* ---- evidence ------------------------------------------------------------ */

int drive_evidence(struct drive *d, const struct effect *change)
{
    const struct rule_cond *leaves[SEG_EVIDENCE_MAX];
    const struct oracle_user *user =
        oracle_user_find(d->oracle, change->user_id);
    if (change->kind != SEG_OUTPUT_CHANGE || change->evidence_count < 0 ||
        oracle_is_unswept(user)) /* What he was in meanwhile is not kept. */
        return DRIVE_SAME;
    if (oracle_remembers(d->oracle) && change->at_ms < oracle_clock(d->oracle))
        return DRIVE_SAME;
    if (change->segment < 0) /* Of what is no more nothing is known. */
        return change->evidence_count
                   ? drive_fail(d, "evidence of a segment that is no more")
                   : DRIVE_SAME;
    int count = oracle_evidence(d->oracle, user, change->segment, change->at_ms,
                                leaves, SEG_EVIDENCE_MAX);
    if (count < 0) /* A list decides, and says so. */
        return change->evidence_count == 1
                   ? DRIVE_SAME
                   : drive_fail(d, "%d conditions as evidence of a list",
                                change->evidence_count);
    if (change->evidence_count != count)
        return drive_fail(d, "%d conditions as evidence, not %d",
                          change->evidence_count, count);
    for (int i = 0; i < count; i++) {
        const struct seg_evidence *got = &change->evidence[i];
        if (leaves[i]->kind == COND_SHARE) /* His place is told to who asks. */
            continue;
        if (check_shown(d, "evidence", user, change->at_ms, leaves[i],
                        got->condition, &got->value) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
    }
    return DRIVE_SAME;
}

/* ---- triggers ------------------------------------------------------------ */

int drive_properties(struct drive *d, const struct effect *trigger)
{
    const struct oracle_user *user =
        oracle_user_find(d->oracle, trigger->user_id);
    if (trigger->kind != SEG_OUTPUT_TRIGGER || !trigger->properties ||
        trigger->segment < 0)
        return DRIVE_SAME;
    const struct rule_trigger *rule =
        &d->rules->segments[trigger->segment].triggers[trigger->trigger];
    for (int i = 0; i < rule->property_count; i++) {
        struct naive_value want;
        const struct rule_property *property = &rule->properties[i];
        if (!oracle_property(d->oracle, user, property, trigger->at_ms, &want))
            continue;
        if (d->stats)
            d->stats->properties++;
        if (!drive_same_value(&trigger->properties[i].value, &want))
            return fail_value(d, "a trigger's property",
                              property->names[0].bytes,
                              &trigger->properties[i].value, &want);
    }
    return DRIVE_SAME;
}

/* ---- explanations -------------------------------------------------------- */

struct walk {
    struct drive *drive;
    const struct seg_explanation *explanation;
    const struct oracle_user *user;
    int next; /* Index of the reason of the next condition. */
    int64_t now_ms;
};

static void count_warming(struct walk *w, const struct seg_reason *reason,
                          const struct rule_cond *cond)
{
    if (!w->drive->stats ||
        !oracle_is_warming(w->drive->oracle, w->user, cond, w->now_ms))
        return;
    w->drive->stats->unknown += reason->truth == SEG_UNKNOWN;
    w->drive->stats->decided += reason->truth != SEG_UNKNOWN;
}

#define LONG_MS (2 * INT64_C(36500) * 86400000) /* All windows are shorter. */

/* What is unknown says since when it is observed, and by when time alone
 * decides it at the latest. */
static int check_unknown(struct walk *w, const struct seg_reason *reason,
                         const struct rule_cond *cond)
{
    int64_t since_ms = SEG_NEVER;
    if (reason->truth == SEG_UNKNOWN && cond->kind != COND_IN_SEGMENT)
        since_ms = oracle_observed(w->drive->oracle, w->user, cond, w->now_ms);
    if (reason->observed_ms != since_ms)
        return drive_fail(w->drive, "%s observed since %lld, not %lld",
                          reason->condition, (long long)reason->observed_ms,
                          (long long)since_ms);
    if (since_ms == SEG_NEVER || oracle_awaits(w->user, w->now_ms))
        return DRIVE_SAME;
    int never = reason->decides_ms == SEG_NEVER;
    if (never && cond->kind == COND_SEQUENCE)
        return DRIVE_SAME; /* A quiet time may still decide it. */
    int64_t at_ms = never ? w->now_ms + LONG_MS : reason->decides_ms;
    int truth = oracle_eval(w->drive->oracle, w->user, cond, at_ms);
    if ((truth == SEG_UNKNOWN) != never)
        return drive_fail(w->drive, "%s is %d at %lld", reason->condition,
                          truth, (long long)at_ms);
    return DRIVE_SAME;
}

static int check_leaf(struct walk *w, const struct seg_reason *reason,
                      const struct rule_cond *cond)
{
    if (check_shown(w->drive, "explanation", w->user, w->now_ms, cond,
                    reason->condition, &reason->value) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    struct naive_value other = naive_value_of(NULL);
    if (cond->kind == COND_COMPARE)
        other = oracle_other(w->drive->oracle, w->user, cond, w->now_ms);
    if (!drive_same_value(&reason->other, &other))
        return fail_value(w->drive, "the other side", reason->condition,
                          &reason->other, &other);
    count_warming(w, reason, cond);
    if (check_unknown(w, reason, cond) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    if (reason->changes_at_ms <= w->now_ms)
        return drive_fail(w->drive, "%s changed in the past",
                          reason->condition);
    return DRIVE_SAME;
}

/* The tree of reasons is that of the conditions, parents first. */
static int check_cond(struct walk *w, const struct rule_cond *cond, int depth)
{
    if (w->next >= seg_explanation_count(w->explanation))
        return drive_fail(w->drive, "an explanation ends early");
    const struct seg_reason *reason =
        seg_explanation_at(w->explanation, w->next++);
    int truth = oracle_eval(w->drive->oracle, w->user, cond, w->now_ms);
    if (reason->depth != depth)
        return drive_fail(w->drive, "%s at depth %d", reason->condition,
                          reason->depth);
    if (reason->truth != truth)
        return drive_fail(w->drive, "%s explained as %d, not %d",
                          reason->condition, reason->truth, truth);
    int result = cond->count ? DRIVE_SAME : check_leaf(w, reason, cond);
    for (int i = 0; i < cond->count && result == DRIVE_SAME; i++)
        result = check_cond(w, cond->children[i], depth + 1);
    return result;
}

static int check_explanation(struct walk *w, int segment)
{
    struct drive *d = w->drive;
    const struct rule_segment *rule = &d->rules->segments[segment];
    const struct rule_cond *leaf;
    int64_t since = 0, entered;
    int truth = oracle_truth(d->oracle, w->user, segment, w->now_ms);
    int says = seg_explanation_at(w->explanation, 0)->truth;
    int member = seg_explanation_member(w->explanation, &since);
    int is_member = oracle_member(w->user, segment, &entered);
    if (says != truth)
        return drive_fail(d, "seg_explain of %s in %s: %d, not %d",
                          oracle_user_id(w->user).bytes, rule->key.bytes, says,
                          truth);
    if (member != is_member || (member && since != entered))
        return drive_fail(d, "seg_explain has another membership of %s",
                          oracle_user_id(w->user).bytes);
    if (oracle_evidence(d->oracle, w->user, segment, w->now_ms, &leaf, 1) < 0)
        return DRIVE_SAME;
    if (!rule->until)
        return check_cond(w, rule->when, 0);
    /* Who is in stays until it holds; who is out must pass both. */
    struct rule_cond stays = {
        .kind = COND_NOT, .count = 1, .children = &rule->until};
    struct rule_cond *const parts[] = {rule->when, &stays};
    const struct rule_cond enters = {
        .kind = COND_AND, .count = 2, .children = parts};
    return check_cond(w, is_member ? &stays : &enters, 0);
}

int drive_explain(struct drive *d, const struct oracle_user *want,
                  const struct seg_user *got)
{
    int result = DRIVE_SAME;
    for (int i = 0; i < d->rules->segment_count && result == DRIVE_SAME; i++) {
        struct seg_explanation *explanation;
        if (seg_explain(&explanation, d->engine, got, i) < 0)
            return drive_fail(d, "seg_explain ran out of memory");
        struct walk w = {d, explanation, want, 0, oracle_clock(d->oracle)};
        result = check_explanation(&w, i);
        seg_explanation_free(explanation);
        if (d->stats)
            d->stats->explained++;
    }
    return result;
}

/* ---- what comes by itself ------------------------------------------------ */

/* The first instant that the tree names. */
static int64_t next_change(const struct drive *d, const struct seg_user *user,
                           int segment)
{
    struct seg_explanation *why;
    int64_t next = SEG_NEVER;
    if (seg_explain(&why, d->engine, user, segment) < 0)
        return INT64_MIN;
    for (int i = 0; i < seg_explanation_count(why); i++)
        if (seg_explanation_at(why, i)->changes_at_ms < next)
            next = seg_explanation_at(why, i)->changes_at_ms;
    seg_explanation_free(why);
    return next;
}

void drive_ask_when(struct drive *d)
{
    int users = oracle_user_count(d->oracle);
    const struct seg_user *user;
    d->asked_id = (struct seg_text){NULL, 0};
    if (!users || !seg_engine_swept(d->engine) || drive_is_dense(d))
        return; /* A sweep may change anybody. */
    d->asked_id = oracle_user_id(
        oracle_user_at(d->oracle, (int)(oracle_clock(d->oracle) % users)));
    user = seg_user_find(d->engine, d->asked_id);
    if (!user || parked_next((const struct user *)user) != SEG_NEVER)
        d->asked_id.bytes = NULL; /* An event that waits may change him. */
    for (int i = 0; d->asked_id.bytes && i < d->rules->segment_count; i++)
        d->changes_at_ms[i] = next_change(d, user, i);
}

/* Once he has changed, what was said of that segment is over. */
int drive_was_told(struct drive *d)
{
    int result = DRIVE_SAME;
    for (size_t i = 0; d->asked_id.bytes && i < d->engine_effects.count; i++) {
        const struct effect *e = &d->engine_effects.items[i];
        if (e->kind != SEG_OUTPUT_CHANGE || e->segment < 0 ||
            !text_equal(e->user_id, d->asked_id))
            continue;
        int64_t *told = &d->changes_at_ms[e->segment];
        if (*told > e->at_ms)
            result = drive_fail(
                d, "%s changes at %lld, but was to change not before %lld",
                d->rules->segments[e->segment].key.bytes, (long long)e->at_ms,
                (long long)*told);
        *told = INT64_MIN;
    }
    d->asked_id.bytes = NULL;
    return result;
}
