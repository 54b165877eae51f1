/* drive_order.c: the state is a function of the set of events, not of their
 * order of arrival, for events at most 24 h behind the
 * clock. What asks when he entered or left, and `until`, go by what was decided
 * as events arrived: they are no such function. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "tests/model/drive_inside.h"

struct arrival {
    const struct step *step;
    int64_t key_ms;
};

static int by_key(const void *a, const void *b)
{
    const struct arrival *x = a, *y = b;
    if (x->key_ms != y->key_ms)
        return x->key_ms < y->key_ms ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* Another order in which no event is more than 24 h behind the clock: each may
 * be put off by what is left to it. */
static struct arrival *shuffle(struct drive *d, struct random *r, int *count)
{
    const struct history *h = d->history;
    struct arrival *all = calloc((size_t)h->step_count, sizeof(*all));
    struct seg_event event;
    struct seg_origin origin;
    assert(all);
    *count = 0;
    for (int i = 0; i < h->step_count; i++) {
        const struct step *step = &h->steps[i];
        if (step->kind != STEP_MESSAGE ||
            drive_decode(d, step, &event, &origin) < 0)
            continue;
        int64_t time_ms = event.time_state == SEG_TIME_GIVEN &&
                                  event.time_ms < step->record_ms
                              ? event.time_ms
                              : step->record_ms;
        int64_t slack = time_ms + DAY_MS - step->record_ms;
        seg_decoder_reset(d->decoder);
        slack = slack < 0 ? 0 : slack;
        all[(*count)++] = (struct arrival){
            step, step->record_ms + random_between(r, 0, slack)};
    }
    qsort(all, (size_t)*count, sizeof(*all), by_key);
    return all;
}

static int apply_all(struct drive *d, struct seg_engine *engine,
                     const struct arrival *all, int count)
{
    for (int i = 0; i < count; i++) {
        struct seg_event event;
        struct seg_origin origin;
        const struct step *step = all[i].step;
        while (seg_engine_advance(engine, step->record_ms, 100) > 0)
            seg_engine_outputs_clear(engine);
        int result = drive_decode(d, step, &event, &origin);
        if (result >= 0)
            result = seg_engine_apply(engine, &event, &origin);
        seg_decoder_reset(d->decoder);
        seg_engine_outputs_clear(engine);
        if (result != SEG_APPLIED)
            return drive_fail(d, "another order: seg_engine_apply says %d",
                              result);
    }
    while (seg_engine_advance(engine, oracle_clock(d->oracle), 100) > 0)
        continue;
    return DRIVE_SAME;
}

static int same_explanation(struct seg_explanation *a,
                            struct seg_explanation *b)
{
    int count = seg_explanation_count(a);
    if (seg_explanation_count(b) != count)
        return 0;
    for (int i = 0; i < count; i++) {
        const struct seg_reason *x = seg_explanation_at(a, i);
        const struct seg_reason *y = seg_explanation_at(b, i);
        struct buf p, q;
        buf_init(&p);
        buf_init(&q);
        buf_json_value(&p, &x->value);
        buf_json_value(&q, &y->value);
        int same =
            x->truth == y->truth && !strcmp(buf_string(&p), buf_string(&q));
        buf_done(&p);
        buf_done(&q);
        if (!same)
            return 0;
    }
    return 1;
}

static int compare_explained(struct drive *d, struct seg_engine *other,
                             struct seg_text id, int segment)
{
    struct seg_explanation *a = NULL, *b = NULL;
    int result = DRIVE_SAME;
    if (seg_explain(&a, d->engine, seg_user_find(d->engine, id), segment) < 0 ||
        seg_explain(&b, other, seg_user_find(other, id), segment) < 0)
        result = drive_fail(d, "seg_explain ran out of memory");
    else if (!same_explanation(a, b))
        result = drive_fail(d, "another order of arrival: %s in %s differs",
                            id.bytes, d->rules->segments[segment].key.bytes);
    seg_explanation_free(a);
    seg_explanation_free(b);
    return result;
}

static int remembers(const struct rules *rules, int segment);

static int cond_remembers(const struct rules *rules,
                          const struct rule_cond *cond)
{
    if (cond->kind == COND_ENTERED || cond->kind == COND_LEFT)
        return 1;
    if (cond->kind == COND_IN_SEGMENT)
        return remembers(rules, cond->segment);
    for (int i = 0; i < cond->count; i++)
        if (cond_remembers(rules, cond->children[i]))
            return 1;
    return 0;
}

/* Whether it is a matter of when he was in which segment, and so of what had
 * arrived by then. */
static int remembers(const struct rules *rules, int segment)
{
    const struct rule_segment *rule = &rules->segments[segment];
    return rule->until || (rule->when && cond_remembers(rules, rule->when));
}

static int compare_engines(struct drive *d, struct seg_engine *other)
{
    int result = DRIVE_SAME;
    for (int i = 0; i < oracle_user_count(d->oracle); i++) {
        struct seg_text id = oracle_user_id(oracle_user_at(d->oracle, i));
        if (!seg_user_find(other, id))
            return drive_fail(d, "another order of arrival: %s is unknown",
                              id.bytes);
        for (int s = 0; s < d->rules->segment_count && result == DRIVE_SAME;
             s++)
            if (!remembers(d->rules, s))
                result = compare_explained(d, other, id, s);
    }
    for (int s = 0; s < d->rules->segment_count && result == DRIVE_SAME; s++)
        if (!remembers(d->rules, s) &&
            seg_engine_segment_size(other, s) !=
                seg_engine_segment_size(d->engine, s))
            result = drive_fail(d, "another order of arrival: size of %s",
                                d->rules->segments[s].key.bytes);
    return result;
}

int drive_order(struct drive *d)
{
    struct random r = {d->history->seed ^ 0x6f72646572};
    int result = DRIVE_SAME;
    for (int round = 0; round < 3 && result == DRIVE_SAME; round++) {
        int count;
        struct arrival *all = shuffle(d, &r, &count);
        struct seg_engine *other = drive_new_engine(d, 0, random_bits(&r));
        result = apply_all(d, other, all, count);
        if (result == DRIVE_SAME)
            result = compare_engines(d, other);
        seg_engine_free(other);
        free(all);
        if (d->stats)
            d->stats->permuted++;
    }
    return result;
}
