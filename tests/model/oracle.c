/* oracle.c: users, duplicates, changes. See oracle.h. */
#include "tests/model/oracle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

#define LATENESS_MS INT64_C(86400000)
#define FORGET_MS   (2 * LATENESS_MS)

void *oracle_grow(void *items, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return items;
    *cap = need * 2 > 8 ? need * 2 : 8;
    items = realloc(items, *cap * size);
    assert(items);
    return items;
}

void *oracle_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    assert(memory);
    return memory;
}

/* ---- begin and end ------------------------------------------------------- */

struct oracle *oracle_new(const struct oracle_options *options)
{
    struct oracle *o = oracle_zeroed(1, sizeof(*o));
    o->options = *options;
    o->clock_ms = 0;
    o->wall_ms = SEG_NEVER;
    o->latest_ms = INT64_MIN;
    oracle_load(o, options->rules);
    return o;
}

static void free_selections(struct oracle_user *user)
{
    for (int i = 0; i < user->selection_count; i++)
        free(user->selections[i].items);
    free(user->selections);
}

static void free_user(struct oracle_user *user)
{
    for (int i = 0; i < user->count; i++) {
        oracle_message_done(user->messages[i]);
        free(user->messages[i]);
    }
    free(user->messages);
    free_selections(user);
    free(user->setters.items);
    free((char *)user->id.bytes);
    free(user->memberships);
    free(user->fired_ms);
    free(user->retired);
    free(user->gone);
    free(user->edges);
    free(user);
}

void oracle_changes_clear(struct oracle *o)
{
    o->change_count = 0;
    for (size_t i = 0; i < o->hint_count; i++) {
        free((char *)o->hints[i].user_id.bytes);
        free((char *)o->hints[i].key.bytes);
    }
    o->hint_count = 0;
}

void oracle_free(struct oracle *o)
{
    if (!o)
        return;
    for (int i = 0; i < o->user_count; i++)
        free_user(o->users[i]);
    free(o->users);
    free(o->slots);
    oracle_changes_clear(o);
    free(o->changes);
    free(o->hints);
    oracle_unload(o);
    oracle_warming_done(o);
    free(o);
}

/* ---- users --------------------------------------------------------------- */

static size_t slot_of(const struct oracle *o, struct seg_text id)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a. */
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.bytes[i]) * 1099511628211u;
    size_t slot = hash % o->slot_count;
    for (; o->slots[slot]; slot = (slot + 1) % o->slot_count) {
        struct seg_text other = o->users[o->slots[slot] - 1]->id;
        if (other.len == id.len && !memcmp(other.bytes, id.bytes, id.len))
            break;
    }
    return slot;
}

const struct oracle_user *oracle_user_find(const struct oracle *o,
                                           struct seg_text id)
{
    int number = o->slot_count ? o->slots[slot_of(o, id)] : 0;
    return number ? o->users[number - 1] : NULL;
}

static void grow_slots(struct oracle *o)
{
    if ((size_t)o->user_count * 2 < o->slot_count)
        return;
    free(o->slots);
    o->slot_count = o->slot_count ? o->slot_count * 4 : 64;
    o->slots = oracle_zeroed(o->slot_count, sizeof(*o->slots));
    for (int i = 0; i < o->user_count; i++)
        o->slots[slot_of(o, o->users[i]->id)] = i + 1;
}

static struct oracle_user *add_user(struct oracle *o,
                                    const struct oracle_message *m)
{
    struct oracle_user *user = oracle_zeroed(1, sizeof(*user));
    char *id = oracle_zeroed(m->user_id.len + 1, 1);
    memcpy(id, m->user_id.bytes, m->user_id.len);
    user->id = (struct seg_text){id, m->user_id.len};
    user->birth_topic = m->topic;
    user->birth_offset = m->offset;
    user->generation = o->generation;
    user->last_at_ms = user->settled_ms = INT64_MIN;
    oracle_user_selections(o, user);
    user->memberships = oracle_zeroed((size_t)o->rules->segment_count,
                                      sizeof(*user->memberships));
    for (int i = 0; i < o->rules->segment_count; i++)
        user->memberships[i].watch_entered_ms =
            user->memberships[i].watch_left_ms = INT64_MIN;
    user->fired_ms =
        oracle_zeroed((size_t)o->trigger_count, sizeof(*user->fired_ms));
    for (int i = 0; i < o->trigger_count; i++)
        user->fired_ms[i] = INT64_MIN;
    o->users = oracle_grow(o->users, &o->user_cap, (size_t)o->user_count + 1,
                           sizeof(*o->users));
    grow_slots(o);
    o->users[o->user_count++] = user;
    o->slots[slot_of(o, user->id)] = o->user_count;
    return user;
}

void oracle_user_messages_add(struct oracle_user *user,
                              struct oracle_message *message)
{
    if (user->count == user->cap) {
        user->cap = user->cap ? user->cap * 2 : 8;
        user->messages = realloc(user->messages,
                                 (size_t)user->cap * sizeof(*user->messages));
        assert(user->messages);
    }
    user->messages[user->count++] = message;
    if (message->type == SEG_IDENTIFY || message->type == SEG_GROUP)
        oracle_selection_add(&user->setters, message);
}

void oracle_user_selections(const struct oracle *o, struct oracle_user *user)
{
    free_selections(user);
    user->selection_count = o->selector_count;
    user->selections =
        oracle_zeroed((size_t)o->selector_count, sizeof(*user->selections));
    for (int i = 0; i < user->count; i++) {
        struct oracle_message *m = user->messages[i];
        free(m->selected);
        m->selected = oracle_zeroed((size_t)o->selector_count, 1);
    }
}

/* ---- changes ------------------------------------------------------------- */

struct oracle_change *oracle_emit(struct oracle *o, struct oracle_user *user,
                                  const struct cause *cause, int segment,
                                  struct seg_text key)
{
    const struct oracle_message *m = cause->message;
    o->changes = oracle_grow(o->changes, &o->change_cap, o->change_count + 1,
                             sizeof(*o->changes));
    struct oracle_change *c = &o->changes[o->change_count++];
    *c = (struct oracle_change){.user = user,
                                .segment = segment,
                                .key = key,
                                .trigger = -1,
                                .at_ms = cause->at_ms,
                                .source_topic = -1,
                                .cause = !cause->sweep || MUTATED(SWEEP_TIMER)
                                             ? SEG_CAUSE_TIMER
                                         : o->backfilled ? SEG_CAUSE_BACKFILL
                                                         : SEG_CAUSE_CATALOGUE};
    if (!m)
        return c;
    c->cause = m->type == SEG_IDENTIFY || m->type == SEG_GROUP
                   ? SEG_CAUSE_ATTRIBUTE
                   : SEG_CAUSE_EVENT;
    c->source_topic = m->topic;
    c->source_offset = m->offset;
    c->message_id = m->message_id;
    return c;
}

void oracle_count(struct oracle_user *user, struct oracle_change *c, int shadow)
{
    c->shadow = shadow;
    if (shadow && !MUTATED(SHADOW_SEQ))
        return;
    c->seq = ++user->seq;
    user->last_at_ms = c->at_ms;
}

/* Older than the greatest age, by the wall? A timer that
 * fires while the clock passes it is not old. */
static int is_too_old(const struct oracle *o, const struct cause *cause)
{
    int64_t wall = o->wall_ms == SEG_NEVER ? cause->at_ms : o->wall_ms;
    int64_t age = wall - cause->at_ms, most = o->options.trigger_max_age_ms;
    if (MUTATED(TRIGGER_AGE_CLOSED))
        return age >= most;
    if (MUTATED(TRIGGER_AGE_LONG))
        return age > most + 1;
    return age > most;
}

static int is_cooling(const struct rule_trigger *trigger, int64_t fired_ms,
                      int64_t at_ms)
{
    int64_t cooldown = trigger->cooldown_ms;
    if (fired_ms == INT64_MIN || !trigger->once || MUTATED(TRIGGER_ONCE))
        return 0;
    if (!cooldown)
        return 1;
    cooldown += MUTATED(COOLDOWN_CLOSED) - MUTATED(COOLDOWN_SHORT);
    return at_ms - fired_ms < cooldown;
}

/* Fire the triggers of SEGMENT. Returns how many did. */
static int fire(struct oracle *o, struct oracle_user *user,
                const struct cause *cause, int segment, int member)
{
    const struct rule_segment *rule = &o->rules->segments[segment];
    int64_t *fired_ms = user->fired_ms + o->trigger_base[segment];
    int fired = 0;
    if ((cause->sweep && !MUTATED(SWEEP_TRIGGER)) ||
        (rule->shadow && !MUTATED(SHADOW_TRIGGER)))
        return 0;
    for (int i = 0; i < rule->trigger_count; i++) {
        const struct rule_trigger *trigger = &rule->triggers[i];
        if (trigger->on_enter != member && !MUTATED(TRIGGER_EXIT))
            continue;
        if (is_too_old(o, cause)) {
            o->stats.suppressed++;
            continue;
        }
        int cooling = is_cooling(trigger, fired_ms[i], cause->at_ms);
        if (trigger->once && (!cooling || MUTATED(COOLDOWN_REFRESH)))
            fired_ms[i] = cause->at_ms;
        o->stats.cooling += (uint64_t)cooling;
        if (cooling)
            continue;
        o->stats.triggers++;
        struct oracle_change *c =
            oracle_emit(o, user, cause, segment, rule->key);
        c->trigger = i;
        c->member = member;
        c->seq = ++user->trigger_seq;
        fired++;
    }
    return fired;
}

/* A change at the instant since which changes are watched, or before it, is as
 * good as hidden, but for the entry of who is in. */
static void note_watch(const struct oracle *o, const struct oracle_user *user,
                       int segment, int64_t at_ms)
{
    struct oracle_membership *m = &user->memberships[segment];
    int hidden =
        oracle_warming_hides(o, user, segment, at_ms) && !MUTATED(WATCH_NOTED);
    if (m->member)
        m->watch_entered_ms = at_ms;
    else
        m->watch_left_ms = at_ms;
    if (hidden)
        m->watch_left_ms = INT64_MIN;
    if (hidden && !m->member)
        m->watch_entered_ms = INT64_MIN;
}

static void change(struct oracle *o, struct oracle_user *user,
                   const struct cause *cause, int segment, int member)
{
    struct oracle_membership *m = &user->memberships[segment];
    struct oracle_change *c =
        oracle_emit(o, user, cause, segment, o->rules->segments[segment].key);
    size_t index = o->change_count - 1;
    m->member = member;
    if (member)
        m->entered_at_ms = cause->at_ms;
    note_watch(o, user, segment, cause->at_ms);
    oracle_edge_watch(o, user, segment, cause->at_ms);
    c->member = member;
    c->entered_at_ms = MUTATED(EXIT_ENTERED) ? cause->at_ms : m->entered_at_ms;
    oracle_count(user, c, o->rules->segments[segment].shadow);
    if (MUTATED(SEQ_SEGMENT))
        c->seq = ++m->seq;
    o->stats.entered += (uint64_t)member;
    o->stats.exited += (uint64_t)!member;
    int fired = fire(o, user, cause, segment, member);
    o->changes[index].trigger_count = fired;
}

/* Unknown changes nothing. Before his sweep a user's membership may differ from
 * the truth, as it did when the catalogue began; whether an event or a timer
 * mends that before the sweep does is the engine's affair. */
void oracle_judge(struct oracle *o, struct oracle_user *user,
                  const struct cause *cause, int64_t truth_ms)
{
    for (int i = 0; i < o->rules->segment_count; i++) {
        int segment = o->order[i];
        struct oracle_membership *m = &user->memberships[segment];
        int truth = oracle_eval_segment(o, user, segment, truth_ms);
        if (truth == SEG_UNKNOWN)
            continue;
        if (m->stale && !cause->sweep && (truth == SEG_TRUE) != m->member &&
            !oracle_hinted(o, user, &o->rules->segments[segment], cause->at_ms))
            continue;
        m->stale = 0;
        if ((truth == SEG_TRUE) != m->member)
            change(o, user, cause, segment, truth == SEG_TRUE);
    }
}

/* Between FROM and TO, both excluded, there is no edge: nothing may change. */
static void probe(const struct oracle *o, const struct oracle_user *user,
                  int64_t from_ms, int64_t to_ms)
{
    if (!o->options.probe || from_ms == INT64_MIN || to_ms - from_ms < 2)
        return;
    int64_t at = from_ms + 1 + (to_ms - from_ms - 1) * 5 / 8;
    at = at < to_ms ? at : to_ms - 1;
    for (int i = 0; i < o->rules->segment_count; i++) {
        int truth = oracle_eval_segment(o, user, i, at);
        if (truth == SEG_UNKNOWN || user->unswept ||
            (truth == SEG_TRUE) == user->memberships[i].member)
            continue;
        fprintf(stderr,
                "oracle: segment %s of %s changes at no edge, near %lld\n",
                o->rules->segments[i].key.bytes, user->id.bytes, (long long)at);
        abort();
    }
}

/* Judge USER at each edge up to the clock (without it: only before). */
static void settle(struct oracle *o, struct oracle_user *user, int without)
{
    int64_t through = o->clock_ms - without;
    while (oracle_edge_least(user) <= through) {
        int64_t at = oracle_edge_least(user);
        oracle_edge_pop(user);
        if (at <= user->settled_ms)
            continue;
        probe(o, user, user->settled_ms, at);
        struct cause cause = {MUTATED(TIMER_AT) ? o->clock_ms : at, NULL, 0};
        oracle_judge(o, user, &cause, at);
        user->settled_ms = at;
    }
    probe(o, user, user->settled_ms, through + 1);
    if (through > user->settled_ms)
        user->settled_ms = through;
}

/* ---- input --------------------------------------------------------------- */

static int same_text(struct seg_text a, struct seg_text b)
{
    return a.bytes && b.bytes && a.len == b.len &&
           !memcmp(a.bytes, b.bytes, a.len);
}

/* Duplicates: among the last 64 accepted ids of the user, in the same
 * topic, less than 24 h apart; what is 48 h behind the clock is forgotten. */
static int is_duplicate(const struct oracle *o, const struct oracle_user *user,
                        const struct oracle_message *m)
{
    int ids = 0, most = SEG_IDS_MAX - MUTATED(DEDUPE_63) + MUTATED(DEDUPE_65);
    int64_t window =
        SEG_ID_WINDOW_MS + MUTATED(DEDUPE_CLOSED) - MUTATED(DEDUPE_SHORT);
    for (int i = user->count - 1; i >= 0 && ids < most; i--) {
        const struct oracle_message *old = user->messages[i];
        if (!old->message_id.bytes)
            continue;
        ids++;
        int64_t apart = MUTATED(DEDUPE_EVENT_TIME)
                            ? m->time_ms - old->time_ms
                            : m->record_ms - old->record_ms;
        if (same_text(old->message_id, m->message_id) &&
            (old->topic == m->topic || MUTATED(DEDUPE_TOPIC)) &&
            apart < window && -apart < window &&
            old->record_ms + FORGET_MS > o->clock_ms)
            return !MUTATED(DEDUPE_OFF);
    }
    return 0;
}

static void count_message(struct oracle_stats *stats,
                          const struct oracle_user *user,
                          const struct oracle_message *m)
{
    stats->time_missing += m->time_state == SEG_TIME_MISSING;
    stats->time_unreadable += m->time_state == SEG_TIME_UNREADABLE;
    stats->clamped += m->given_ms > m->record_ms;
    stats->from_future += m->time_ms > m->clock_ms;
    stats->late += m->clock_ms - m->time_ms > LATENESS_MS;
    int older = 0, equal = 0;
    for (int i = user->count - 1; i >= 0 && i > user->count - 9; i--) {
        older |= oracle_message_before(m, user->messages[i]);
        equal |= m->time_ms == user->messages[i]->time_ms;
    }
    stats->out_of_order += (uint64_t)older;
    stats->equal_times += (uint64_t)equal;
}

static void accept(struct oracle *o, struct oracle_user *user,
                   struct oracle_message *m)
{
    m->selected = oracle_zeroed((size_t)o->selector_count, 1);
    m->clock_ms = o->clock_ms;
    m->generation = o->generation;
    if (MUTATED(TIME_MISSING) && m->time_state == SEG_TIME_MISSING)
        m->time_ms = o->clock_ms;
    if (m->time_ms > o->latest_ms)
        o->latest_ms = m->time_ms;
    count_message(&o->stats, user, m);
    oracle_user_messages_add(user, m);
    if (o->options.only_listens)
        return;
    oracle_edge_add(o, user, m);
    struct cause cause = {o->clock_ms, m, 0};
    if (user->last_at_ms > cause.at_ms)
        cause.at_ms = user->last_at_ms;
    oracle_judge(o, user, &cause, cause.at_ms);
    user->settled_ms = o->clock_ms;
}

int oracle_apply(struct oracle *o, const char *text, size_t len, int topic,
                 int64_t offset, int64_t record_ms)
{
    struct oracle_message *m = oracle_zeroed(1, sizeof(*m));
    int error = oracle_message_read(m, text, len, topic, offset, record_ms);
    struct oracle_user *user = NULL;
    if (!error) {
        o->stats.messages++;
        user = (struct oracle_user *)oracle_user_find(o, m->user_id);
        if (user)
            settle(o, user, MUTATED(TIMER_LATE));
        if (user && is_duplicate(o, user, m))
            error = 1;
    }
    o->stats.duplicates += error == 1;
    if (error == 1 && MUTATED(DEDUPE_REFRESH)) {
        m->type = SEG_IDENTIFY;
        json_object_del(m->json, "traits");
        error = 0;
    }
    if (error) {
        oracle_message_done(m);
        free(m);
        return error;
    }
    accept(o, user ? user : add_user(o, m), m);
    return 0;
}

void oracle_set_clock(struct oracle *o, int64_t to_ms)
{
    if (to_ms > o->clock_ms)
        o->clock_ms = to_ms;
}

void oracle_settle(struct oracle *o)
{
    for (int i = 0; i < o->user_count; i++)
        settle(o, o->users[i], 0);
}

void oracle_advance(struct oracle *o, int64_t to_ms)
{
    oracle_set_clock(o, to_ms);
    for (int i = 0; i < o->user_count; i++)
        settle(o, o->users[i], MUTATED(TIMER_LATE));
}

void oracle_set_wall(struct oracle *o, int64_t wall_ms)
{
    o->wall_ms = wall_ms;
}
