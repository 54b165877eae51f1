/* restore.c: putting the users of a partition together again.
 *
 * The daemon reads, in this order (daemon/protocol/restore.h):
 *
 *   user records        what was known when they were flushed, and up to which
 *                       position of each input
 *   changes, triggers   memberships, seq and cooldowns since then
 *   inputs              features and attributes since then, silently
 *
 * A record repeats what older changes say, so a change counts only if its seq
 * is the user's next; an input event only if it lies at or behind the user's
 * position. Nobody is judged meanwhile. Then everybody whose pieces came from
 * more than one of these, or whose next instant has passed, is judged once: as
 * memberships were read back rather than decided anew, nothing should differ.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/user/dedupe.h"
#include "lib/user/fired.h"
#include "lib/user/member.h"
#include "lib/user/watch.h"

/* ---- positions ------------------------------------------------------- */

static size_t row_width(const struct seg_engine *engine)
{
    return ENGINE_ROW(engine->topics.count);
}

/* The row of POSITIONS in the table, from 1; users flushed together share one.
 */
static int add_positions(struct seg_engine *engine, const int64_t *positions,
                         uint32_t *row)
{
    struct restoring *r = &engine->restoring;
    size_t width = row_width(engine);
    void *items = r->positions;
    if (r->positions_count &&
        !memcmp(r->positions + (r->positions_count - 1) * width, positions,
                width * sizeof(*positions))) {
        *row = (uint32_t)r->positions_count;
        return 0;
    }
    if (alloc_grow(&items, &r->positions_cap, r->positions_count + 1,
                   width * sizeof(*positions)) < 0)
        return SEG_ERR_NOMEM;
    r->positions = items;
    memcpy(r->positions + r->positions_count * width, positions,
           width * sizeof(*positions));
    *row = (uint32_t)++r->positions_count;
    return 0;
}

static int set_positions(struct seg_engine *engine, const struct user *user,
                         const int64_t *positions)
{
    struct restoring *r = &engine->restoring;
    void *rows = r->positions_of;
    size_t old = r->positions_of_cap;
    uint32_t index = store_index(&engine->store, user), row;
    if (add_positions(engine, positions, &row) < 0 ||
        alloc_grow(&rows, &r->positions_of_cap, index + 1ul, sizeof(uint32_t)) <
            0)
        return SEG_ERR_NOMEM;
    r->positions_of = rows;
    memset(r->positions_of + old, 0,
           (r->positions_of_cap - old) * sizeof(uint32_t));
    r->positions_of[index] = row;
    return 0;
}

/* The row of USER's record; NULL if there was none. */
static const int64_t *row_of(const struct seg_engine *engine,
                             const struct user *user)
{
    const struct restoring *r = &engine->restoring;
    uint32_t index = store_index(&engine->store, user);
    if (index >= r->positions_of_cap || !r->positions_of[index])
        return NULL;
    return r->positions + (r->positions_of[index] - 1u) * row_width(engine);
}

/* Whether USER's record has the event at ORIGIN already. */
static int is_folded(const struct seg_engine *engine, const struct user *user,
                     const struct seg_origin *origin)
{
    const int64_t *row = row_of(engine, user);
    return row && origin->offset < row[origin->topic];
}

/* The epoch of USER's record; the present one if there was none. */
static uint32_t epoch_of(const struct seg_engine *engine,
                         const struct user *user)
{
    const int64_t *row = row_of(engine, user);
    return row ? (uint32_t)row[engine->topics.count] : engine->observed.epoch;
}

/* Whether USER's record is to be replaced by one of another version. */
static int is_of_other_version(const struct seg_engine *engine,
                               const struct user *user)
{
    const int64_t *row = row_of(engine, user);
    return row &&
           row[engine->topics.count + 1] != engine->options.state_version;
}

void seg_engine_set_state_version(struct seg_engine *engine, int version)
{
    int least = engine->plan->state_version;
    engine->options.state_version = version < least ? least : version;
}

/* What is read back comes in the order of arrival, but at the end's clock: an
 * event from the future is not parked until others have come. So nothing is too
 * late before all is there. What a fold may leave out because it has left a window
 * is another matter: beyond the exact limit it goes by how many events are left,
 * and only the clock of that time gives what was there. The timestamps of the
 * records are it, but for the wall's lead over them. */
static void begin_restore(struct seg_engine *engine)
{
    if (!engine->restoring.active)
        engine->restoring.clock_ms = INT64_MIN;
    engine->restoring.active = 1;
    engine->store.lateness_ms = STORE_NEVER_LATE;
}

/* ---- steps 2 to 4 ---------------------------------------------------- */

int seg_engine_restore_user(struct seg_engine *engine, const char *record,
                            size_t len, struct seg_error *detail)
{
    int64_t row[ENGINE_ROW(SEG_TOPICS_MAX)];
    struct user *user;
    begin_restore(engine);
    int ret = snapshot_decode(engine, (struct seg_text){record, len}, &user,
                              row, detail);
    return ret < 0 ? ret : set_positions(engine, user, row);
}

/* The users are there, and now it is known which epochs their records are of.
 */
int seg_engine_restore_catalogue(struct seg_engine *engine, const char *record,
                                 size_t len, const int64_t *positions,
                                 int64_t latest_ms, struct seg_error *detail)
{
    observed_note(&engine->observed, latest_ms);
    int ret = observed_continue(engine, (struct seg_text){record, len},
                                positions, detail);
    for (uint32_t i = 0; ret == 0 && i < engine->store.user_count; i++) {
        struct user *user = store_user(&engine->store, i);
        uint32_t epoch = epoch_of(engine, user);
        if (epoch > engine->observed.epoch)
            return error_set(detail, SEG_ERR_RECORD,
                             "a user was written under catalogue %u of this "
                             "partition, of which there were %u",
                             epoch, engine->observed.epoch);
        if (epoch < engine->observed.epoch)
            ret = observed_forget(engine, &user, epoch);
    }
    return ret;
}

/* The user ID, made if there is no record of him: the input will tell where he
 * was born. */
static int find_or_add(struct seg_engine *engine, struct seg_text id,
                       struct user **user)
{
    struct store *store = &engine->store;
    uint64_t hash = store_hash(store, id);
    begin_restore(engine);
    *user = store_reach(store, id, hash);
    if (*user)
        return 0;
    int ret = timers_reserve(&engine->timers, store->user_count + 1);
    if (ret == 0)
        ret = store_add(store, id, hash, engine->clock_ms, user);
    if (ret < 0)
        return ret;
    (*user)->flags |= USER_NAMELESS;
    if (intern_find(&engine->plan->listed_ids, id) != INTERN_NONE)
        (*user)->flags |= USER_LISTED;
    return 0;
}

/* As if it had been watched: when all is read, and it is known where he was
 * born, settle_user forgets what was not. */
static int restore_watch(struct seg_engine *engine, struct user **user,
                         uint32_t segment, const struct seg_restored *change)
{
    const struct plan *plan = engine->plan;
    uint32_t watch = segment < plan->segment_count
                         ? plan->segments[segment].watch
                         : PLAN_NONE;
    return watch == PLAN_NONE
               ? 0
               : watch_note(&engine->store, user, watch, change->member,
                            change->member ? change->entered_at_ms
                                           : change->at_ms);
}

int seg_engine_restore_change(struct seg_engine *engine,
                              const struct seg_restored *change,
                              struct seg_error *detail)
{
    struct user *user;
    uint32_t segment;
    int ret = find_or_add(engine, change->user_id, &user);
    if (ret < 0)
        return ret;
    struct changes changes = changes_of(user);
    if (change->seq <= changes.seq)
        return 0;
    int gap = change->seq != changes.seq + 1;
    if (gap && !engine->restoring.gaps)
        return error_set(detail, SEG_ERR_SEQ_GAP,
                         "change %u of a user follows change %u", change->seq,
                         changes.seq);
    ret = observed_segment(
        engine, hash_bytes(change->segment.bytes, change->segment.len, 0),
        change->segment, &segment);
    if (ret < 0)
        return ret;
    int member = member_find(user, segment, NULL);
    if (member == change->member && !engine->restoring.gaps)
        return error_set(detail, SEG_ERR_SEQ_GAP,
                         "change %u of a user repeats the one before",
                         change->seq);
    if (member == change->member)
        gap = 1;
    else if (change->member)
        ret = member_add(&engine->store, &user, segment, change->entered_at_ms);
    else
        ret = member_remove(&engine->store, &user, segment);
    if (ret == 0 && member != change->member)
        ret = restore_watch(engine, &user, segment, change);
    changes.seq = change->seq;
    if (change->at_ms > changes.last_at_ms)
        changes.last_at_ms = change->at_ms;
    if (ret >= 0)
        ret = changes_set(&engine->store, &user, &changes);
    if (ret < 0)
        return ret;
    user->flags |= USER_TOUCHED;
    return gap;
}

int seg_engine_restore_trigger(struct seg_engine *engine,
                               const struct seg_restored *trigger,
                               struct seg_error *detail)
{
    struct user *user;
    uint32_t number;
    int ret = find_or_add(engine, trigger->user_id, &user);
    if (ret < 0)
        return ret;
    struct changes changes = changes_of(user);
    if (trigger->seq <= changes.trigger_seq)
        return 0;
    int gap = trigger->seq != changes.trigger_seq + 1;
    if (gap && !engine->restoring.gaps)
        return error_set(detail, SEG_ERR_SEQ_GAP,
                         "trigger %u of a user follows trigger %u",
                         trigger->seq, changes.trigger_seq);
    uint64_t hash = plan_trigger_hash(&engine->record, trigger->segment,
                                      trigger->member, trigger->trigger);
    if (buf_failed(&engine->record))
        return SEG_ERR_NOMEM;
    ret = observed_trigger(engine, hash, &number);
    /* One that the catalogue does not have any more may come back. */
    if (ret == 0 && (number >= engine->plan->trigger_count ||
                     engine->plan->triggers[number].rule->once))
        ret = fired_set(&engine->store, &user, number, trigger->at_ms);
    changes.trigger_seq = trigger->seq;
    if (ret >= 0)
        ret = changes_set(&engine->store, &user, &changes);
    if (ret < 0)
        return ret;
    user->flags |= USER_TOUCHED;
    return gap;
}

int seg_engine_redo(struct seg_engine *engine, const struct seg_event *event,
                    const struct seg_origin *origin)
{
    struct user *user;
    int born, ret = engine_user(engine, event, origin, &user, &born);
    begin_restore(engine);
    if (ret < 0)
        return ret;
    if (origin->timestamp_ms > engine->restoring.clock_ms &&
        origin->timestamp_ms <= engine->clock_ms) /* Else it is dated ahead. */
        engine->restoring.clock_ms = origin->timestamp_ms;
    if (is_folded(engine, user, origin))
        return SEG_APPLIED;
    user->flags |= USER_TOUCHED;
    if (event->message_id.bytes &&
        dedupe_seen(
            user,
            dedupe_hash(engine->topic_hash[origin->topic], event->message_id),
            origin->timestamp_ms, DEDUPE_NEVER))
        return SEG_APPLIED_DUPLICATE;
    touch_begin(engine, user);
    ret = engine->saved.used ? engine_fold(engine, &user, event, origin, 0)
                             : SEG_ERR_NOMEM;
    if (ret >= 0 && engine->publishing.moved)
        ret = publish_doubt(engine, &user);
    if (ret >= 0)
        return SEG_APPLIED;
    if (engine->saved.used)
        touch_fail(engine, &user);
    if (born) {
        struct user *moved; /* None: he is the last. */
        timer_set(engine, user, SEG_NEVER);
        store_remove(&engine->store, user, &moved);
    }
    return ret;
}

/* ---- step 5 ---------------------------------------------------------- */

/* Judge USER at NOW_MS, who was touched or whose instant has passed. While a
 * sweep is due, that decides. */
static int judge_restored(struct seg_engine *engine, struct user **user,
                          int64_t now_ms)
{
    static const struct cause cause = {.cause = SEG_CAUSE_REPAIR};
    int ret = user_unpark(engine, user, now_ms);
    if (ret < 0)
        return ret;
    if (!engine->observed.swept || engine->restoring.unjudged) {
        ranks_clear(&engine->candidates);
        return 0;
    }
    candidates_add_all_of(engine, *user);
    return judge(engine, user, now_ms, &cause);
}

void count_members(struct seg_engine *engine, const struct user *user, int by)
{
    struct member_walk walk;
    uint32_t segment;
    int64_t entered_ms;
    member_walk_start(user, &walk);
    while (member_walk_next(&walk, &segment, &entered_ms))
        engine->segment_sizes[segment] += (uint32_t)by;
}

/* Whether another catalogue may have been in force since USER's record, or, if
 * there is none, since he was born. */
static int is_older(const struct seg_engine *engine, const struct user *user)
{
    return row_of(engine, user)
               ? epoch_of(engine, user) != engine->observed.epoch
               : engine->observed.epoch > 1;
}

/* Records carry the due instants of their time; from now on they are timers. */
static int settle_user(struct seg_engine *engine, struct user **user)
{
    int64_t now_ms = engine_now(engine, *user);
    size_t outputs = engine->output_count;
    int touched = (*user)->flags & USER_TOUCHED;
    int unswept = !engine->observed.swept;
    int older = is_older(engine, *user);
    int ret = touched ? observed_unwatch(engine, user) : 0;
    if (ret < 0)
        return ret;
    if (touched || older || timer_at(engine, *user) <= now_ms) {
        ret = judge_restored(engine, user, now_ms);
        if (ret == 0)
            ret = publish_restored(engine, user, now_ms,
                                   older || (touched && unswept));
    }
    engine->publishing.held = unswept;
    if (ret == 0)
        ret = timer_renew(engine, *user, engine_now(engine, *user));
    engine->publishing.held = 0;
    if (ret < 0)
        return ret;
    (*user)->flags &= (uint8_t) ~(USER_TOUCHED | USER_NAMELESS);
    if (touched || engine->output_count > outputs ||
        is_of_other_version(engine, *user))
        dirty_mark(engine, *user);
    return 0;
}

/* Nobody is in a retired segment whose key nobody has said. */
static int check_members(const struct seg_engine *engine)
{
    const struct observed *observed = &engine->observed;
    for (uint32_t i = 0; i < observed->retired_count; i++)
        if (!observed->retired[i].key.bytes &&
            engine->segment_sizes[engine->plan->segment_count + i])
            return SEG_ERR_RECORD;
    return 0;
}

static int finish_user(struct seg_engine *engine, uint32_t index)
{
    struct user *user = store_user(&engine->store, index);
    int ret = dirty_reserve(engine);
    touch_begin(engine, user);
    if (ret < 0 || !engine->saved.used)
        return SEG_ERR_NOMEM;
    count_members(engine, user, 1);
    ret = settle_user(engine, &user);
    if (ret < 0) {
        touch_fail(engine, &user);
        count_members(engine, user, -1);
    }
    return ret;
}

static int begin_finish(struct seg_engine *engine, int64_t clock_ms)
{
    if (clock_ms > engine->clock_ms)
        engine->clock_ms = clock_ms;
    begin_restore(engine);
    engine->restoring.next = 0;
    return observed_settle(engine);
}

int seg_engine_restore_finish(struct seg_engine *engine, int64_t clock_ms,
                              int work_max)
{
    struct restoring *r = &engine->restoring;
    if (!r->next && begin_finish(engine, clock_ms) < 0)
        return SEG_ERR_NOMEM;
    for (int work = 0; r->next < engine->store.user_count; work++) {
        if (work == work_max)
            return 1;
        int ret = finish_user(engine, r->next);
        if (ret < 0)
            return ret;
        r->next++;
    }
    free(r->positions_of);
    free(r->positions);
    *r = (struct restoring){0};
    engine->store.lateness_ms = engine->options.lateness_ms;
    return check_members(engine);
}
