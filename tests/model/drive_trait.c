/* drive_trait.c: what is published of traits.
 *
 * An output tells all traits that are known, and no others, each as the oracle
 * measures it at that instant. And nothing is kept back: when the interval is
 * over what was told last is what is true now, but for what moves all the time;
 * who was never told of has nothing to tell. (After a restore that comes with
 * the next timer: it is not looked at.) */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/model/drive_inside.h"
#include "tests/model/oracle_inside.h"

#define INTERVAL_MS 10000 /* The engine's, if nobody says. */

/* Of hundreds of events a number is exact only as far as it is tested. */
static int is_inexact(const struct drive *d)
{
    return d->history->kind == HISTORY_LARGE;
}

static int is_moving(const struct drive *d, int trait)
{
    enum rule_measure_kind kind = d->rules->traits[trait].measure.kind;
    return kind == MEASURE_SCORE || kind == MEASURE_DAYS_SINCE_FIRST ||
           kind == MEASURE_DAYS_SINCE_LAST;
}

static void add_value(struct buf *to, const struct naive_value *value)
{
    switch (value->type) {
    case NAIVE_INT:
        buf_printf(to, "%.21Lg", (long double)value->integer);
        return;
    case NAIVE_REAL:
        buf_printf(to, "%.21Lg", (long double)value->real);
        return;
    case NAIVE_UNITS:
        if (value->units % NAIVE_UNIT ||
            value->units / NAIVE_UNIT > INT64_MAX ||
            value->units / NAIVE_UNIT < INT64_MIN)
            buf_printf(to, "%.17g", naive_units_nearest(value->units));
        else
            buf_printf(to, "%.21Lg", (long double)(value->units / NAIVE_UNIT));
        return;
    case NAIVE_MISSING:
        buf_str(to, "none");
        return;
    case NAIVE_BOOL:
    case NAIVE_DAYS:
    case NAIVE_SCORE:
    case NAIVE_TEXT:
    case NAIVE_LIST:
    case NAIVE_OBJECT:
        break;
    }
    assert(!"a trait that is no number");
}

/* What there is to tell of USER at AT_MS that does not move all the time, as a
 * text; *SOME gets whether it is more than of somebody without events. */
static char *content(struct drive *d, const struct oracle_user *user,
                     int64_t at_ms, int *some)
{
    struct buf text;
    *some = 0;
    buf_init(&text);
    for (int i = 0; i < d->rules->trait_count; i++) {
        if (is_moving(d, i) ||
            !oracle_trait_is_known(d->oracle, user, i, at_ms))
            continue;
        struct naive_value value = oracle_trait(d->oracle, user, i, at_ms);
        *some |= value.type != NAIVE_MISSING &&
                 (value.type != NAIVE_INT || value.integer) &&
                 (value.type != NAIVE_UNITS || value.units);
        buf_printf(&text, "%s ", d->rules->traits[i].key.bytes);
        add_value(&text, &value);
        buf_str(&text, ", ");
    }
    return buf_take(&text);
}

static struct drive_told *told_of(struct drive *d,
                                  const struct oracle_user *user)
{
    for (int i = 0; i < d->told_count; i++)
        if (d->told[i].user == user)
            return &d->told[i];
    d->told = oracle_grow(d->told, &d->told_cap, (size_t)d->told_count + 1,
                          sizeof(*d->told));
    struct drive_told *told = &d->told[d->told_count++];
    *told = (struct drive_told){user, 0, NULL};
    return told;
}

void drive_traits_done(struct drive *d)
{
    for (int i = 0; i < d->told_count; i++)
        free(d->told[i].content);
    free(d->told);
}

int drive_traits_owed(struct drive *d, const struct oracle_user *user)
{
    int some, result = DRIVE_SAME;
    int64_t now_ms = oracle_clock(d->oracle);
    struct drive_told *told = told_of(d, user);
    if (d->restores || is_inexact(d) || oracle_unswept(d->oracle) ||
        (told->content && now_ms < told->at_ms + INTERVAL_MS))
        return DRIVE_SAME;
    char *now = content(d, user, now_ms, &some);
    if (told->content ? strcmp(told->content, now) != 0 : some)
        result = drive_fail(d, "of %s was told %s, but it is %s",
                            oracle_user_id(user).bytes,
                            told->content ? told->content : "nothing", now);
    free(now);
    return result;
}

static int fail_trait(struct drive *d, const struct seg_trait *got,
                      const struct naive_value *want)
{
    struct buf text;
    buf_init(&text);
    buf_json_value(&text, &got->value);
    int result =
        drive_fail(d, "trait %.*s is told as %s, oracle type %d %lld",
                   (int)got->name.len, got->name.bytes, buf_string(&text),
                   (int)want->type, (long long)want->integer);
    buf_done(&text);
    return result;
}

/* TOLD has just the traits that are known of USER at AT_MS. */
static int check_told(struct drive *d, const struct oracle_user *user,
                      const struct seg_output *told)
{
    uint32_t next = 0;
    for (int i = 0; i < d->rules->trait_count; i++) {
        const struct rule_trait *rule = &d->rules->traits[i];
        if (!oracle_trait_is_known(d->oracle, user, i, told->at_ms))
            continue;
        struct naive_value want = oracle_trait(d->oracle, user, i, told->at_ms);
        const struct seg_trait *got = &told->traits[next++];
        if (next > told->trait_count || !text_equal(got->name, rule->key))
            return drive_fail(d, "trait %s is not told", rule->key.bytes);
        if (!drive_same_value(&got->value, &want))
            return fail_trait(d, got, &want);
    }
    return next == told->trait_count
               ? DRIVE_SAME
               : drive_fail(d, "%u traits are told, not %u", told->trait_count,
                            next);
}

int drive_traits(struct drive *d)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(d->engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (outputs[i].kind != SEG_OUTPUT_TRAITS)
            continue;
        const struct oracle_user *user =
            oracle_user_find(d->oracle, outputs[i].user_id);
        if (!user)
            return drive_fail(d, "traits of nobody");
        if (!oracle_is_unswept(user) && !is_inexact(d) &&
            check_told(d, user, &outputs[i]) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
        struct drive_told *last = told_of(d, user);
        int some;
        free(last->content);
        last->at_ms = outputs[i].at_ms;
        last->content = content(d, user, last->at_ms, &some);
        if (d->stats)
            d->stats->traits++;
    }
    return DRIVE_SAME;
}
