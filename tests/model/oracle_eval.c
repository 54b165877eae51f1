/* oracle_eval.c: the truth of a condition, by walking over all messages.
 *
 * A message whose time has not come (from the future) is not there yet; one
 * that came before its catalogue's measure was read (oracle_warming.c) never
 * is. */
#include <assert.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

/* ---- windows --------------------------------------------------------- */

static int is_from_future(const struct oracle_message *m, int64_t now,
                          const struct rule_window *window)
{
    if (m->time_ms <= now)
        return 0;
    return !(MUTATED(LIFETIME_FUTURE) && window->kind == WINDOW_LIFETIME) &&
           !(MUTATED(IN_FUTURE) && window->kind == WINDOW_IN);
}

static int is_inside(const struct rule_window *window, int64_t age)
{
    int64_t from = window->from_ms, to = window->to_ms;
    switch (window->kind) {
    case WINDOW_LIFETIME:
        return 1;
    case WINDOW_IN:
        if (MUTATED(IN_CLOSED) && age == from)
            return 1;
        if (MUTATED(IN_SHORT) && age == from - 1)
            return 0;
        if (MUTATED(IN_OPEN) && age == 0)
            return 0;
        return age < from;
    case WINDOW_FROM_TO:
        break;
    }
    if (MUTATED(FROM_CLOSED) && age == from)
        return 1;
    if (MUTATED(FROM_SHORT) && age == from - 1)
        return 0;
    if (MUTATED(TO_OPEN) && age == to)
        return 0;
    if (MUTATED(TO_EARLY) && age == to - 1)
        return 1;
    return to <= age && age < from;
}

static int counts(const struct oracle *oracle, const struct oracle_message *m,
                  const struct rule_event *event,
                  const struct rule_window *window, int since, int64_t now)
{
    return m->generation >= since && !is_from_future(m, now, window) &&
           is_inside(window, now - m->time_ms) &&
           oracle_message_selected(oracle, m, event);
}

int64_t oracle_eval_count(const struct oracle *oracle,
                          const struct oracle_user *user,
                          const struct rule_event *event,
                          const struct rule_window *window,
                          const struct oracle_source *source, int64_t now)
{
    int64_t n = 0, before = 0;
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        if (!counts(oracle, m, event, window, 0, now))
            continue;
        if (source && m->generation < source->since)
            before++;
        else
            n++;
    }
    return source && before > source->kept ? n + source->kept : n + before;
}

static int did(const struct rule_times *times, int64_t n)
{
    switch (times->kind) {
    case TIMES_NONE:
        return MUTATED(TIMES_NONE) ? n > 1 : n > 0;
    case TIMES_NOT:
        return MUTATED(TIMES_NOT) ? n < 2 : n == 0;
    case TIMES_AT_LEAST:
        return n >=
               times->low + MUTATED(AT_LEAST_MORE) - MUTATED(AT_LEAST_LESS);
    case TIMES_AT_MOST:
        return n <= times->low + MUTATED(AT_MOST_MORE) - MUTATED(AT_MOST_LESS);
    case TIMES_EXACTLY:
        return MUTATED(EXACTLY_AT_LEAST)  ? n >= times->low
               : MUTATED(EXACTLY_AT_MOST) ? n <= times->low
                                          : n == times->low;
    case TIMES_BETWEEN:
        break;
    }
    return (MUTATED(TIMES_LOW) ? n > times->low : n >= times->low) &&
           (MUTATED(TIMES_HIGH) ? n < times->high : n <= times->high);
}

/* ---- measures -------------------------------------------------------- */

static int lacks(const struct oracle_message *m, const struct path *path)
{
    return oracle_message_value(m, path).type == NAIVE_MISSING;
}

/* The first (or last) event inside the window, by event time. */
static const struct oracle_message *find(const struct oracle *oracle,
                                         const struct oracle_user *user,
                                         const struct rule_measure *measure,
                                         const struct rule_window *window,
                                         int last, int since, int64_t now)
{
    const struct oracle_message *best = NULL;
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        if (!counts(oracle, m, &measure->event, window, since, now))
            continue;
        if (MUTATED(LAST_SET) && last && measure->path.count &&
            lacks(m, &measure->path))
            continue;
        if (!best || (last ? !oracle_message_before(m, best)
                           : oracle_message_before(m, best)))
            best = m;
    }
    return best;
}

static struct naive_value days_since(const struct oracle_message *m,
                                     int64_t now)
{
    if (!m)
        return MUTATED(DAYS_ZERO) ? naive_value_days(0) : naive_value_of(NULL);
    return naive_value_days(now - m->time_ms);
}

static struct naive_value measured(const struct oracle *oracle,
                                   const struct oracle_user *user,
                                   const struct rule_measure *measure,
                                   const struct oracle_source *source,
                                   int64_t now)
{
    static const struct rule_window lifetime = {.kind = WINDOW_LIFETIME};
    const struct rule_window *window = &measure->window;
    const struct oracle_message *m;
    int since = source ? source->since : 0;
    switch (measure->kind) {
    case MEASURE_COUNT:
        if (MUTATED(COUNT_WINDOW))
            window = &lifetime;
        return naive_value_int(oracle_eval_count(oracle, user, &measure->event,
                                                 window, source, now));
    case MEASURE_FIRST:
        if (MUTATED(FIRST_WINDOW))
            window = &lifetime;
        m = find(oracle, user, measure, window, MUTATED(FIRST_LAST), since,
                 now);
        return m ? oracle_message_value(m, &measure->path)
                 : naive_value_of(NULL);
    case MEASURE_LAST:
        if (MUTATED(LAST_WINDOW))
            window = &lifetime;
        m = find(oracle, user, measure, window, !MUTATED(LAST_FIRST), since,
                 now);
        return m ? oracle_message_value(m, &measure->path)
                 : naive_value_of(NULL);
    case MEASURE_DAYS_SINCE_FIRST:
        m = find(oracle, user, measure, &lifetime, MUTATED(DAYS_FIRST), since,
                 now);
        return days_since(m, now);
    case MEASURE_DAYS_SINCE_LAST:
        m = find(oracle, user, measure, &lifetime, !MUTATED(DAYS_LAST), since,
                 now);
        return days_since(m, now);
    case MEASURE_COUNT_:
        break;
    }
    assert(!"a measure of no kind");
    return naive_value_of(NULL);
}

/* ---- attributes ------------------------------------------------------ */

static const struct oracle_message *last_group(const struct oracle_user *user,
                                               int64_t now)
{
    const struct oracle_message *best = NULL;
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        if (m->type != SEG_GROUP || m->time_ms > now)
            continue;
        if (!best || (MUTATED(ACCOUNT_FIRST) ? oracle_message_before(m, best)
                                             : !oracle_message_before(m, best)))
            best = m;
    }
    return best;
}

static int same_group(const struct oracle_message *a,
                      const struct oracle_message *b)
{
    return a->group_id.len == b->group_id.len &&
           !memcmp(a->group_id.bytes, b->group_id.bytes, a->group_id.len);
}

/* What MESSAGE writes to the attribute NAME of the user or his account; NULL if
 * it does not, JSON null if it removes it. */
static json_t *written(const struct oracle_message *m, int account,
                       struct seg_text name)
{
    int writes = account
                     ? m->type == SEG_GROUP
                     : m->type == SEG_IDENTIFY ||
                           (MUTATED(ATTRIBUTE_GROUP) && m->type == SEG_GROUP);
    json_t *value = json_object_getn(json_object_get(m->json, "traits"),
                                     name.bytes, name.len);
    if (MUTATED(ATTRIBUTE_NULL) && json_is_null(value))
        return NULL;
    return writes ? value : NULL;
}

/* The last message that wrote the attribute. ONLY: of this account (mutant). */
static const struct oracle_message *
last_writer(const struct oracle_user *user, const struct path *path,
            const struct oracle_message *only, int64_t now)
{
    const struct oracle_message *best = NULL;
    int account = path->root == PATH_ACCOUNT;
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        json_t *value = written(m, account, path->names[0]);
        if (m->time_ms > now || !value || (only && !same_group(m, only)))
            continue;
        if (MUTATED(ATTRIBUTE_MERGE) &&
            !oracle_message_below(value, path->names + 1, path->count - 1))
            continue;
        if (!best ||
            (MUTATED(ATTRIBUTE_FIRST) ? oracle_message_before(m, best)
                                      : !oracle_message_before(m, best)))
            best = m;
    }
    return best;
}

json_t *oracle_eval_written(const struct oracle_user *user,
                            const struct path *path, int64_t now,
                            const struct oracle_message **writer)
{
    *writer = last_writer(user, path, NULL, now);
    return *writer
               ? written(*writer, path->root == PATH_ACCOUNT, path->names[0])
               : NULL;
}

struct naive_value oracle_eval_attribute(const struct oracle_user *user,
                                         const struct path *path, int64_t now)
{
    int account = path->root == PATH_ACCOUNT;
    const struct oracle_message *group = account ? last_group(user, now) : NULL;
    const struct oracle_message *m =
        last_writer(user, path, MUTATED(ACCOUNT_OWN) ? group : NULL, now);
    if (!m)
        return naive_value_of(NULL);
    if (account && !same_group(m, group) && !MUTATED(ACCOUNT_VISIBLE))
        return naive_value_of(NULL);
    json_t *value = written(m, account, path->names[0]);
    return naive_value_of(
        oracle_message_below(value, path->names + 1, path->count - 1));
}

struct seg_text oracle_user_account(const struct oracle *oracle,
                                    const struct oracle_user *user)
{
    const struct oracle_message *m = last_group(user, oracle->clock_ms);
    return m ? m->group_id : (struct seg_text){NULL, 0};
}

/* ---- conditions ------------------------------------------------------ */

struct naive_value oracle_eval_value(const struct oracle *oracle,
                                     const struct oracle_user *user,
                                     const struct rule_cond *leaf, int64_t now)
{
    return oracle_eval_measure(oracle, user, leaf,
                               oracle_warming_source(oracle, leaf), now);
}

struct naive_value oracle_eval_measure(const struct oracle *oracle,
                                       const struct oracle_user *user,
                                       const struct rule_cond *leaf,
                                       const struct oracle_source *source,
                                       int64_t now)
{
    switch (leaf->kind) {
    case COND_DID:
        return naive_value_int(oracle_eval_count(oracle, user, &leaf->event,
                                                 &leaf->window, source, now));
    case COND_MEASURE:
        return measured(oracle, user, &leaf->measure, source, now);
    case COND_PATH:
        return oracle_eval_attribute(user, &leaf->path, now);
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
        break;
    }
    return naive_value_of(NULL);
}

int oracle_eval_passes(const struct rule_cond *leaf,
                       const struct naive_value *value, int64_t now)
{
    return leaf->kind == COND_DID ? did(&leaf->times, value->integer)
                                  : naive_value_passes(value, &leaf->test, now);
}

/* Kleene's `and` and `or`: the least and the greatest of their parts. */
static int of_parts(const struct oracle *oracle, const struct oracle_user *user,
                    const struct rule_cond *cond, int and, int64_t now)
{
    int truth = and? SEG_TRUE : SEG_FALSE;
    int last = and? SEG_FALSE : SEG_TRUE; /* From there on it stays. */
    for (int i = 0; i < cond->count && truth != last; i++) {
        int part = oracle_eval(oracle, user, cond->children[i], now);
        if (part == SEG_UNKNOWN && (and? MUTATED(WARM_AND) : MUTATED(WARM_OR)))
            return SEG_UNKNOWN;
        truth =
            and? (part < truth ? part : truth) : (part > truth ? part : truth);
    }
    return truth;
}

/* Who is not swept yet is in a segment or not as decided last. */
static int in_segment(const struct oracle *oracle,
                      const struct oracle_user *user, int segment, int64_t now)
{
    const struct rule_segment *other = &oracle->rules->segments[segment];
    if (MUTATED(IN_SEGMENT_WHEN))
        return other->when ? oracle_eval(oracle, user, other->when, now)
                           : SEG_FALSE;
    int truth = oracle_eval_segment(oracle, user, segment, now);
    if (truth == SEG_UNKNOWN ? MUTATED(WARM_MEMBER) : user->unswept)
        truth = user->memberships[segment].member ? SEG_TRUE : SEG_FALSE;
    return truth;
}

static int truth_of(const struct oracle *oracle, const struct oracle_user *user,
                    const struct rule_cond *cond, int64_t now)
{
    struct naive_value value;
    int truth;
    switch (cond->kind) {
    case COND_AND:
        return of_parts(oracle, user, cond, !MUTATED(AND_OR), now);
    case COND_OR:
        return of_parts(oracle, user, cond, MUTATED(OR_AND), now);
    case COND_NOT:
        truth = oracle_eval(oracle, user, cond->children[0], now);
        if (truth == SEG_UNKNOWN && MUTATED(WARM_NOT))
            return SEG_TRUE;
        return MUTATED(NOT_OFF) ? truth : SEG_TRUE - truth;
    case COND_EVERYONE:
        return MUTATED(EVERYONE) ? SEG_FALSE : SEG_TRUE;
    case COND_DID:
    case COND_MEASURE:
    case COND_PATH:
        value = oracle_eval_value(oracle, user, cond, now);
        return oracle_warming_truth(oracle, user, cond, &value, now);
    case COND_IN_SEGMENT:
        break;
    }
    return in_segment(oracle, user, cond->segment, now);
}

int oracle_eval(const struct oracle *oracle, const struct oracle_user *user,
                const struct rule_cond *cond, int64_t now)
{
    int truth = truth_of(oracle, user, cond, now);
    return oracle->flipped == cond ? SEG_TRUE - truth : truth;
}

static int is_listed(const struct oracle_user *user,
                     const struct rule_values *ids)
{
    for (int i = 0; i < ids->count; i++) {
        const struct seg_value *id = &ids->items[i].value;
        if (id->type == SEG_TEXT && id->len == user->id.len &&
            !memcmp(id->as.text, user->id.bytes, id->len))
            return 1;
    }
    return 0;
}

int oracle_eval_listed(const struct oracle_user *user,
                       const struct rule_segment *segment)
{
    int included = is_listed(user, &segment->include) && !MUTATED(INCLUDE_OFF);
    int excluded = is_listed(user, &segment->exclude) && !MUTATED(EXCLUDE_OFF);
    if (excluded && !(included && MUTATED(INCLUDE_WINS)))
        return 0;
    return included ? 1 : -1;
}

int oracle_eval_segment(const struct oracle *oracle,
                        const struct oracle_user *user, int index, int64_t now)
{
    const struct rule_segment *segment = &oracle->rules->segments[index];
    int listed = oracle_eval_listed(user, segment);
    if (listed >= 0)
        return listed ? SEG_TRUE : SEG_FALSE;
    return segment->when ? oracle_eval(oracle, user, segment->when, now)
                         : SEG_FALSE;
}
