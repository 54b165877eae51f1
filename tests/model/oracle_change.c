/* oracle_change.c: another catalogue comes into force.
 *
 * Users keep what they are in and when triggers fired: segments are the same if
 * their keys are, triggers if the segment's key, `on` and their name are.
 * Segments that are no more are *retired*: users stay in them until the sweep
 * comes to them.
 *
 * From the change to his sweep a user is *unswept*. What is true of him then
 * may be another than what he is in: such a membership is stale. An event or a
 * timer of his may come first and mend it, or the sweep does; which of the two
 * only the engine knows (it looks at what an event touches), so here it is told
 * (oracle_hint), and believed if the truth is as it says. Everything else is
 * judged as ever, and once he is swept all of it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

static int same(struct seg_text a, struct seg_text b)
{
    return a.len == b.len && !memcmp(a.bytes, b.bytes, a.len);
}

/* A segment that is published and its shadow are two. */
static int find_segment(const struct rules *rules, struct seg_text key,
                        int shadow)
{
    for (int i = 0; i < rules->segment_count; i++)
        if (same(rules->segments[i].key, key) &&
            (rules->segments[i].shadow == shadow || MUTATED(SHADOW_SAME)))
            return i;
    return -1;
}

/* ---- memberships --------------------------------------------------------- */

static void retire(struct oracle_user *user, struct seg_text key, int shadow,
                   int64_t entered_at_ms)
{
    user->retired =
        oracle_grow(user->retired, &user->retired_cap,
                    (size_t)user->retired_count + 1, sizeof(*user->retired));
    user->retired[user->retired_count++] =
        (struct oracle_retired){key, shadow, entered_at_ms};
}

static void move_memberships(struct oracle *o, struct oracle_user *user,
                             const struct rules *old)
{
    struct oracle_membership *before = user->memberships, *now;
    struct oracle_retired *retired = user->retired;
    int retired_count = user->retired_count;
    now = calloc((size_t)o->rules->segment_count + 1, sizeof(*now));
    assert(now);
    for (int i = 0; i < o->rules->segment_count; i++)
        now[i].watch_entered_ms = now[i].watch_left_ms = INT64_MIN;
    user->retired = NULL;
    user->retired_count = 0;
    user->retired_cap = 0;
    for (int i = 0; i < retired_count; i++)
        retire(user, retired[i].key, retired[i].shadow,
               retired[i].entered_at_ms);
    for (int i = 0; i < old->segment_count; i++) {
        const struct rule_segment *rule = &old->segments[i];
        if (before[i].member && !MUTATED(CHANGE_FORGETS))
            retire(user, rule->key, rule->shadow, before[i].entered_at_ms);
        int segment = find_segment(o->rules, rule->key, rule->shadow);
        if (segment < 0 || !oracle_warming_watches(o, segment))
            continue;
        now[segment].watch_entered_ms = before[i].watch_entered_ms;
        now[segment].watch_left_ms = before[i].watch_left_ms;
    }
    int kept = 0;
    for (int i = 0; i < user->retired_count; i++) {
        struct oracle_retired *r = &user->retired[i];
        int segment = find_segment(o->rules, r->key, r->shadow);
        if (segment < 0) {
            user->retired[kept++] = *r;
            continue;
        }
        now[segment].member = 1;
        now[segment].entered_at_ms =
            MUTATED(CHANGE_ENTERED) ? o->clock_ms : r->entered_at_ms;
        now[segment].watch_entered_ms = now[segment].entered_at_ms;
    }
    user->retired_count = kept;
    free(retired);
    free(before);
    user->memberships = now;
}

/* The instants of triggers that the catalogue does not have are kept. */
static void keep_fired(struct oracle_user *user, const struct rules *old,
                       const int *base)
{
    for (int i = 0; i < old->segment_count; i++)
        for (int t = 0; t < old->segments[i].trigger_count; t++) {
            const struct rule_trigger *trigger = &old->segments[i].triggers[t];
            int64_t at_ms = user->fired_ms[base[i] + t];
            if (at_ms == INT64_MIN)
                continue;
            user->gone =
                oracle_grow(user->gone, &user->gone_cap,
                            (size_t)user->gone_count + 1, sizeof(*user->gone));
            user->gone[user->gone_count++] = (struct oracle_gone){
                old->segments[i].key, trigger->name, trigger->on_enter, at_ms};
        }
}

static int64_t take_fired(struct oracle_user *user, struct seg_text key,
                          const struct rule_trigger *trigger)
{
    for (int i = 0; i < user->gone_count; i++) {
        const struct oracle_gone *gone = &user->gone[i];
        if (gone->on_enter != trigger->on_enter || !same(gone->key, key) ||
            !same(gone->name, trigger->name))
            continue;
        int64_t at_ms = gone->at_ms;
        user->gone[i] = user->gone[--user->gone_count];
        return at_ms;
    }
    return INT64_MIN;
}

static void move_fired(struct oracle *o, struct oracle_user *user,
                       const struct rules *old, const int *base)
{
    int64_t *fired = calloc((size_t)o->trigger_count + 1, sizeof(*fired));
    assert(fired);
    if (!MUTATED(CHANGE_COOLDOWN))
        keep_fired(user, old, base);
    for (int i = 0; i < o->rules->segment_count; i++) {
        const struct rule_segment *rule = &o->rules->segments[i];
        for (int t = 0; t < rule->trigger_count; t++)
            fired[o->trigger_base[i] + t] =
                take_fired(user, rule->key, &rule->triggers[t]);
    }
    if (MUTATED(CHANGE_GONE))
        user->gone_count = 0;
    free(user->fired_ms);
    user->fired_ms = fired;
}

/* ---- the change ---------------------------------------------------------- */

static void begin_edges(struct oracle *o, struct oracle_user *user)
{
    user->edge_count = 0;
    oracle_user_selections(o, user);
    for (int i = 0; i < user->count; i++)
        oracle_edge_add(o, user, user->messages[i]);
    oracle_edge_add(o, user, NULL);
}

/* In order of ranks, so that what is asked for by others is there. */
static void find_stale(const struct oracle *o, struct oracle_user *user)
{
    for (int i = 0; i < o->rules->segment_count; i++) {
        struct oracle_membership *m = &user->memberships[i];
        int truth = oracle_eval_segment(o, user, i, o->clock_ms);
        m->stale = truth != SEG_UNKNOWN && (truth == SEG_TRUE) != m->member;
    }
}

static void begin_generation(struct oracle *o)
{
    int64_t since_ms = o->clock_ms;
    if (o->latest_ms > since_ms)
        since_ms = o->latest_ms;
    o->generation++;
    o->since_ms = realloc(o->since_ms,
                          (size_t)(o->generation + 1) * sizeof(*o->since_ms));
    assert(o->since_ms);
    o->since_ms[o->generation] = since_ms;
}

void oracle_change_catalogue(struct oracle *o, const struct rules *rules)
{
    const struct rules *old = o->rules;
    int *base = o->trigger_base;
    o->trigger_base = NULL;
    oracle_settle(o);
    begin_generation(o);
    oracle_unload(o);
    oracle_load(o, rules);
    for (int i = 0; i < o->user_count; i++) {
        struct oracle_user *user = o->users[i];
        move_memberships(o, user, old);
        move_fired(o, user, old, base);
        begin_edges(o, user);
        user->unswept = 1;
    }
    for (int i = 0; i < o->user_count; i++)
        find_stale(o, o->users[i]);
    free(base);
    o->backfilled = 0;
    o->stats.catalogues++;
}

/* Whether a backfill, which reads topics by the dates of their records, may find
 * other ids among USER's last ones than were among them when he sent them. */
static int has_other_ids(const struct oracle_user *user)
{
    int ids = 0, ordered = 1;
    int64_t latest_ms = INT64_MIN;
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        ids += m->message_id.bytes != NULL;
        ordered &= m->record_ms >= latest_ms;
        latest_ms = m->record_ms;
    }
    return ids > SEG_IDS_MAX && !ordered;
}

void oracle_backfill(struct oracle *o)
{
    oracle_settle(o);
    oracle_warming_forget(o);
    for (int i = 0; i < o->user_count; i++) {
        o->unsure += has_other_ids(o->users[i]);
        begin_edges(o, o->users[i]);
        o->users[i]->unswept = 1;
    }
    for (int i = 0; i < o->user_count; i++)
        find_stale(o, o->users[i]);
    o->backfilled = 1;
}

/* ---- the sweep ----------------------------------------------------------- */

/* Segments that are no more are left in any order: in that of the engine. */
static int next_retired(const struct oracle *o, const struct oracle_user *user,
                        int64_t at_ms)
{
    for (size_t i = 0; i < o->hint_count; i++)
        for (int r = 0; r < user->retired_count; r++)
            if (same(o->hints[i].user_id, user->id) &&
                o->hints[i].at_ms == at_ms &&
                o->hints[i].shadow == user->retired[r].shadow &&
                same(o->hints[i].key, user->retired[r].key))
                return r;
    return 0;
}

static void leave_retired(struct oracle *o, struct oracle_user *user,
                          const struct cause *cause)
{
    while (user->retired_count && !MUTATED(RETIRED_STAY)) {
        int r = next_retired(o, user, cause->at_ms);
        struct oracle_change *c =
            oracle_emit(o, user, cause, -1, user->retired[r].key);
        c->entered_at_ms = user->retired[r].entered_at_ms;
        oracle_count(user, c, user->retired[r].shadow);
        memmove(&user->retired[r], &user->retired[r + 1],
                (size_t)(user->retired_count - r - 1) * sizeof(*user->retired));
        user->retired_count--;
        o->stats.exited++;
        o->stats.retired++;
    }
}

void oracle_sweep(struct oracle *o, struct seg_text id)
{
    struct oracle_user *user = (struct oracle_user *)oracle_user_find(o, id);
    size_t changes = o->change_count;
    struct cause cause = {o->clock_ms, NULL, 1};
    assert(user);
    if (user->last_at_ms > cause.at_ms)
        cause.at_ms = user->last_at_ms;
    leave_retired(o, user, &cause);
    oracle_judge(o, user, &cause, cause.at_ms);
    for (int i = 0; i < o->rules->segment_count; i++)
        user->memberships[i].stale = 0;
    user->unswept = 0;
    o->stats.swept += o->change_count - changes;
}

int oracle_unswept(const struct oracle *o)
{
    int count = 0;
    for (int i = 0; i < o->user_count; i++)
        count += o->users[i]->unswept;
    return count;
}

int oracle_is_unswept(const struct oracle_user *user)
{
    return user->unswept;
}

/* ---- what the engine says ------------------------------------------------ */

static struct seg_text copy(struct seg_text text)
{
    char *bytes = malloc(text.len + 1);
    assert(bytes);
    memcpy(bytes, text.bytes, text.len);
    return (struct seg_text){bytes, text.len};
}

void oracle_hint(struct oracle *o, struct seg_text id, struct seg_text key,
                 int shadow, int64_t at_ms)
{
    struct oracle_user *user = (struct oracle_user *)oracle_user_find(o, id);
    if (user && user->unswept)
        oracle_edge_push(user, at_ms); /* Earlier than any edge, perhaps. */
    o->hints = oracle_grow(o->hints, &o->hint_cap, o->hint_count + 1,
                           sizeof(*o->hints));
    o->hints[o->hint_count++] =
        (struct oracle_hint){copy(id), copy(key), shadow, at_ms};
}

int oracle_hinted(const struct oracle *o, const struct oracle_user *user,
                  const struct rule_segment *segment, int64_t at_ms)
{
    for (size_t i = 0; i < o->hint_count; i++)
        if (o->hints[i].at_ms == at_ms &&
            o->hints[i].shadow == segment->shadow &&
            same(o->hints[i].key, segment->key) &&
            same(o->hints[i].user_id, user->id))
            return 1;
    return 0;
}

int oracle_retired(const struct oracle_user *user)
{
    return user->retired_count;
}

struct seg_text oracle_retired_at(const struct oracle_user *user, int index,
                                  int64_t *entered_at_ms)
{
    *entered_at_ms = user->retired[index].entered_at_ms;
    return user->retired[index].key;
}
