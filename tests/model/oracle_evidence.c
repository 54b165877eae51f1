/* oracle_evidence.c: why a segment is true or false. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/oracle_inside.h"

/* ---- what is shown of a measure ------------------------------------------ */

/* The count from which on TEST says the same of all counts. */
static int64_t last_flip(const struct rule_test *test)
{
    double most = 0;
    for (int i = 0; i < test->values.count; i++) {
        const struct seg_value *v = &test->values.items[i].value;
        double n = v->type == SEG_INT ? (double)v->as.integer : v->as.number;
        most = n > most ? n : most;
    }
    int64_t flip = (int64_t)floor(most) + 1;
    struct naive_value a = naive_value_int(flip);
    for (; flip > 0; flip--, a = naive_value_int(flip)) {
        struct naive_value b = naive_value_int(flip - 1);
        if (naive_value_passes(&a, test, 0) != naive_value_passes(&b, test, 0))
            break;
    }
    return flip;
}

/* A count is shown up to what the condition needs to know. */
int64_t oracle_shown_most(const struct rule_cond *leaf)
{
    const struct rule_times *times = &leaf->times;
    if (leaf->kind == COND_MEASURE)
        return last_flip(&leaf->test);
    if (leaf->kind == COND_SEQUENCE)
        return 1;
    if (times->period_ms)
        return times->periods;
    switch (times->kind) {
    case TIMES_NONE:
    case TIMES_NOT:
        return 1;
    case TIMES_AT_LEAST:
        return times->low;
    case TIMES_AT_MOST:
    case TIMES_EXACTLY:
        return times->low + 1;
    case TIMES_BETWEEN:
        break;
    }
    return times->high + 1;
}

static int is_count(const struct oracle *oracle, const struct rule_cond *leaf)
{
    enum rule_measure_kind kind = oracle_resolve(oracle, &leaf->measure)->kind;
    return leaf->kind == COND_DID || leaf->kind == COND_SEQUENCE ||
           (leaf->kind == COND_MEASURE &&
            (kind == MEASURE_COUNT || kind == MEASURE_DAYS ||
             kind == MEASURE_DISTINCT));
}

struct naive_value oracle_shown(const struct oracle *oracle,
                                const struct oracle_user *user,
                                const struct rule_cond *leaf, int64_t at_ms)
{
    if (leaf->kind == COND_COMPARE)
        return oracle_measure(oracle, user, &leaf->measure,
                              oracle_warming_source(oracle, &leaf->measure),
                              at_ms);
    struct naive_value value = oracle_eval_value(oracle, user, leaf, at_ms);
    int watched = leaf->kind == COND_ENTERED || leaf->kind == COND_LEFT;
    if (watched && !oracle_eval_passes(leaf, &value, at_ms))
        return naive_value_of(NULL); /* An older one may be forgotten. */
    if (is_count(oracle, leaf) && value.integer > oracle_shown_most(leaf))
        value.integer = oracle_shown_most(leaf);
    return value;
}

/* ---- evidence ------------------------------------------------------------ */

struct collecting {
    const struct oracle *oracle;
    const struct oracle_user *user;
    int64_t at_ms;
    const struct rule_cond **out;
    int count, most;
};

/* A true `and` and a false `or` are due to all their parts, a false `and` and a
 * true `or` to the first part that is so; `not` is looked through. */
static void collect(struct collecting *to, const struct rule_cond *cond)
{
    int telling = cond->kind == COND_OR ? SEG_TRUE : SEG_FALSE;
    if (!cond->count) {
        if (to->count < to->most)
            to->out[to->count++] = cond;
        return;
    }
    for (int i = 0; cond->kind != COND_NOT && i < cond->count; i++) {
        if (oracle_eval(to->oracle, to->user, cond->children[i], to->at_ms) ==
            telling) {
            collect(to, cond->children[i]);
            return;
        }
    }
    for (int i = 0; i < cond->count; i++)
        collect(to, cond->children[i]);
}

int oracle_evidence(const struct oracle *oracle, const struct oracle_user *user,
                    int segment, int64_t at_ms, const struct rule_cond **out,
                    int most)
{
    const struct rule_segment *rule = &oracle->rules->segments[segment];
    struct collecting to = {oracle, user, at_ms, out, 0, most};
    if (!rule->when || oracle_eval_listed(user, rule) >= 0)
        return -1;
    if (rule->until)
        collect(&to, rule->until);
    if (!rule->until ||
        oracle_eval_segment(oracle, user, segment, at_ms) == SEG_TRUE)
        collect(&to, rule->when);
    return to.count;
}

/* ---- who decides --------------------------------------------------------- */

static void each_leaf(const struct rule_cond *cond,
                      void (*call)(void *arg, const struct rule_cond *leaf),
                      void *arg)
{
    if (cond->kind != COND_AND && cond->kind != COND_OR &&
        cond->kind != COND_NOT) {
        call(arg, cond);
        return;
    }
    for (int i = 0; i < cond->count; i++)
        each_leaf(cond->children[i], call, arg);
}

struct deciders {
    struct oracle oracle; /* A copy: only `flipped` differs. */
    const struct oracle_user *user;
    int segment, truth;
    int64_t at_ms;
    void (*seen)(void *arg, const struct rule_cond *leaf);
    void *arg;
};

static void try_flip(void *arg, const struct rule_cond *leaf)
{
    struct deciders *d = arg;
    d->oracle.flipped = leaf;
    if (oracle_eval_segment(&d->oracle, d->user, d->segment, d->at_ms) !=
        d->truth)
        d->seen(d->arg, leaf);
}

void oracle_deciders(const struct oracle *oracle,
                     const struct oracle_user *user, int segment, int member,
                     int64_t at_ms,
                     void (*seen)(void *arg, const struct rule_cond *leaf),
                     void *arg)
{
    const struct rule_segment *rule = &oracle->rules->segments[segment];
    struct oracle_user before = *user; /* Where `until` goes by it. */
    size_t size = (size_t)oracle->rules->segment_count + 1;
    before.memberships = calloc(size, sizeof(*before.memberships));
    assert(before.memberships);
    memcpy(before.memberships, user->memberships,
           (size - 1) * sizeof(*before.memberships));
    before.memberships[segment].member = !member;
    struct deciders d = {*oracle, &before, segment, 0, at_ms, seen, arg};
    d.truth = oracle_eval_segment(oracle, &before, segment, at_ms);
    if (rule->when)
        each_leaf(rule->when, try_flip, &d);
    if (rule->until)
        each_leaf(rule->until, try_flip, &d);
    free(before.memberships);
}
