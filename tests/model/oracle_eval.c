/* oracle_eval.c: the truth of a condition, by walking over all messages. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

int oracle_did(const struct rule_times *times, int64_t n)
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

/* ---- attributes ---------------------------------------------------------- */

static const struct oracle_message *last_group(const struct oracle_user *user,
                                               int64_t now)
{
    const struct oracle_message *best = NULL;
    for (int i = 0; i < user->setters.count; i++) {
        const struct oracle_message *m = user->setters.items[i];
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
    if (!writes)
        return NULL;
    json_t *value = json_object_getn(json_object_get(m->json, "traits"),
                                     name.bytes, name.len);
    if (MUTATED(ATTRIBUTE_NULL) && json_is_null(value))
        return NULL;
    return value;
}

/* The last message that wrote the attribute. ONLY: of this account (mutant). */
static const struct oracle_message *
last_writer(const struct oracle_user *user, const struct path *path,
            const struct oracle_message *only, int64_t now)
{
    const struct oracle_message *best = NULL;
    int account = path->root == PATH_ACCOUNT;
    for (int i = 0; i < user->setters.count; i++) {
        const struct oracle_message *m = user->setters.items[i];
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

/* ---- conditions ---------------------------------------------------------- */

struct naive_value oracle_eval_value(const struct oracle *oracle,
                                     const struct oracle_user *user,
                                     const struct rule_cond *leaf, int64_t now)
{
    return oracle_eval_measure(oracle, user, leaf,
                               oracle_warming_source(oracle, leaf), now);
}

/* The instant of the latest entry or exit that was seen. */
static struct naive_value watched(const struct oracle_user *user,
                                  const struct rule_cond *leaf)
{
    const struct oracle_membership *m = &user->memberships[leaf->segment];
    int64_t at_ms = (leaf->kind == COND_ENTERED) != MUTATED(ENTERED_LEFT)
                        ? m->watch_entered_ms
                        : m->watch_left_ms;
    return at_ms == INT64_MIN ? naive_value_of(NULL) : naive_value_int(at_ms);
}

/* XXH3-64 of the salt, a byte 0 and the user's id, in 10000ths. */
static int64_t share_place(const struct oracle_user *user,
                           const struct rule_cond *cond)
{
    size_t len = cond->text.len + 1 + user->id.len;
    char *bytes = calloc(len, 1);
    assert(bytes);
    if (cond->text.len && !MUTATED(SHARE_SALT))
        memcpy(bytes, cond->text.bytes, cond->text.len);
    memcpy(bytes + cond->text.len + 1, user->id.bytes, user->id.len);
    int64_t place = (int64_t)(XXH3_64bits(bytes, len) % 10000);
    free(bytes);
    return place;
}

static int is_in_share(const struct oracle_user *user,
                       const struct rule_cond *cond)
{
    int64_t place = share_place(user, cond);
    return MUTATED(SHARE_WHOLE) ? place / 100 <= cond->percent.hundredths / 100
                                : place < cond->percent.hundredths;
}

struct naive_value oracle_eval_measure(const struct oracle *oracle,
                                       const struct oracle_user *user,
                                       const struct rule_cond *leaf,
                                       const struct oracle_source *source,
                                       int64_t now)
{
    switch (leaf->kind) {
    case COND_DID:
        return naive_value_int(
            leaf->times.period_ms
                ? oracle_habit(oracle, user, leaf, source, now)
                : oracle_eval_count(oracle, user, &leaf->event, &leaf->window,
                                    source, now));
    case COND_SEQUENCE:
        return naive_value_int(
            oracle_sequence(oracle, user, leaf, source, now));
    case COND_LATEST:
        return naive_value_text(
            oracle_latest(oracle, user, leaf, source ? source->since : 0, now));
    case COND_MEASURE:
    case COND_COMPARE:
        return oracle_measure(oracle, user, &leaf->measure, source, now);
    case COND_PATH:
        return oracle_eval_attribute(user, &leaf->path, now);
    case COND_ENTERED:
    case COND_LEFT:
        return watched(user, leaf);
    case COND_SHARE:
        return naive_value_real((double)share_place(user, leaf) / 100);
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
        break;
    }
    return naive_value_of(NULL);
}

/* Whether the last K blocks are as it says: all of them. */
static int is_habit(const struct rule_times *times, int64_t good)
{
    return MUTATED(HABIT_ANY) ? good > 0 : good == times->periods;
}

static int was(const struct rule_cond *leaf, struct seg_text name)
{
    int same = name.bytes && name.len == leaf->text.len &&
               !memcmp(name.bytes, leaf->text.bytes, name.len);
    return same || (!name.bytes && MUTATED(LATEST_NONE));
}

static int is_recent(const struct rule_cond *leaf,
                     const struct naive_value *value, int64_t now)
{
    int64_t within = leaf->duration_ms + MUTATED(WATCH_CLOSED);
    return value->type == NAIVE_INT && now - value->integer >= 0 &&
           now - value->integer < within - MUTATED(WATCH_SHORT);
}

int oracle_eval_passes(const struct rule_cond *leaf,
                       const struct naive_value *value, int64_t now)
{
    switch (leaf->kind) {
    case COND_DID:
        return leaf->times.period_ms ? is_habit(&leaf->times, value->integer)
                                     : oracle_did(&leaf->times, value->integer);
    case COND_SEQUENCE:
        return value->integer > 0;
    case COND_LATEST:
        return was(leaf, value->text);
    case COND_ENTERED:
    case COND_LEFT:
        return is_recent(leaf, value, now);
    case COND_MEASURE:
    case COND_PATH:
    case COND_COMPARE:
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
    case COND_SHARE:
        break;
    }
    return naive_value_passes(value, &leaf->test, now);
}

int oracle_eval_compares(const struct rule_cond *leaf,
                         const struct naive_value *left,
                         const struct naive_value *right)
{
    int64_t percent =
        leaf->percent.spelling.bytes ? leaf->percent.hundredths : 10000;
    enum rule_op op = leaf->test.op;
    int order;
    if (MUTATED(PERCENT_OFF))
        percent = 10000;
    if (MUTATED(PERCENT_WHOLE))
        percent -= percent % 100;
    if (percent == 10000 && left->type == NAIVE_BOOL &&
        right->type == NAIVE_BOOL && (op == OP_EQ || op == OP_NE))
        return (left->integer == right->integer) == (op == OP_EQ);
    if (!naive_value_order(left, right, percent, &order))
        return MUTATED(COMPARE_MISSING) && op == OP_NE;
    if (MUTATED(COMPARE_SWAPPED))
        order = -order;
    switch (op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
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
    case COND_SEQUENCE:
    case COND_LATEST:
    case COND_ENTERED:
    case COND_LEFT:
        value = oracle_eval_value(oracle, user, cond, now);
        return oracle_warming_truth(oracle, user, cond, &value, now);
    case COND_COMPARE:
        return oracle_warming_compare(oracle, user, cond, now);
    case COND_SHARE:
        return is_in_share(user, cond) ? SEG_TRUE : SEG_FALSE;
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
    if (!segment->when)
        return SEG_FALSE;
    if (!segment->until || MUTATED(UNTIL_OFF))
        return oracle_eval(oracle, user, segment->when, now);
    int stays = SEG_TRUE - oracle_eval(oracle, user, segment->until, now);
    if (user->memberships[index].member && !MUTATED(UNTIL_WHEN))
        return stays;
    int when = oracle_eval(oracle, user, segment->when, now);
    if (MUTATED(UNTIL_ENTER) && !user->memberships[index].member)
        return when;
    return when < stays ? when : stays;
}
