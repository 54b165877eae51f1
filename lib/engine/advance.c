/* advance.c: what changes by time alone.
 *
 * A user has one timer, at a lower bound of the next instant at which something
 * of him may change. When an event pushes that instant back the timer stays
 * where it is: it fires, finds nothing, and is set anew. So a timer is moved
 * only to come earlier, and an event costs no walk over what it did not touch.
 *
 * When a timer fires at T, the segments judged are those of features and
 * attributes for which T is such an instant: whatever counted differently at
 * T - 1. Timers fire in order of their instants; the clock is the last one all
 * of whose timers have fired. */
#include "lib/engine/engine.h"
#include "lib/user/dedupe.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t user_next_due(struct seg_engine *engine, const struct user *user,
                      int64_t now_ms)
{
    struct view view = engine_view(engine, user, now_ms);
    struct user_walk walk;
    uint32_t id;
    int64_t due = earlier(parked_next(user), dedupe_next(user));
    if (view.warming)
        due = earlier(due, warming_next(view.warming, view.plan, user, now_ms));
    user_walk_start(user, &walk);
    while (user_walk_next(user, &walk, &id).bytes &&
           id < engine->plan->source_count)
        due = earlier(due, eval_source_next(&view, id));
    due = earlier(due, publish_next(engine, user, now_ms));
    return due > now_ms || due == SEG_NEVER ? due : now_ms + 1;
}

int64_t timer_at(const struct seg_engine *engine, const struct user *user)
{
    return timers_at(&engine->timers, store_index(&engine->store, user));
}

void timer_set(struct seg_engine *engine, const struct user *user,
               int64_t at_ms)
{
    struct saved *saved = &engine->saved;
    if (!saved->timer_moved)
        saved->due_ms = timer_at(engine, user);
    saved->timer_moved = 1;
    timers_set(&engine->timers, store_index(&engine->store, user), at_ms);
}

void timer_lower(struct seg_engine *engine, const struct user *user,
                 int64_t at_ms)
{
    if (at_ms < timer_at(engine, user))
        timer_set(engine, user, at_ms);
}

int timer_renew(struct seg_engine *engine, const struct user *user,
                int64_t now_ms)
{
    int64_t due_ms = user_next_due(engine, user, now_ms);
    if (scratch_error(engine) < 0)
        return SEG_ERR_NOMEM;
    timer_set(engine, user, due_ms);
    return 0;
}

int user_unpark(struct seg_engine *engine, struct user **user, int64_t now_ms)
{
    struct update update;
    int count = 0, ret;
    while ((ret = parked_take(&engine->store, user, now_ms, &engine->scratch,
                              &update)) > 0) {
        ret = carry_update(engine, user, &update, now_ms);
        if (ret < 0)
            return ret;
        count++;
    }
    return ret < 0 ? ret : count;
}

/* The segments of what is warm from AT_MS to NOW_MS on, though USER may have
 * nothing of it. */
static void add_warm(struct seg_engine *engine, const struct user *user,
                     int64_t at_ms, int64_t now_ms)
{
    const struct warming *warming = &engine->observed.warming;
    for (uint32_t i = 0; i < warming->end_count; i++) {
        const struct warming_end *end = &warming->ends[i];
        int64_t end_ms = end->at_ms;
        if (!warming_epoch_of(warming, user, end->source))
            continue;
        if (warming->kept[end->source])
            end_ms = warming_kept_end(warming, engine->plan, user, end->source,
                                      at_ms - 1);
        if (end_ms >= at_ms && end_ms <= now_ms)
            candidates_add(engine,
                           &engine->plan->sources[end->source].segments);
    }
}

static void add_due(struct seg_engine *engine, const struct user *user,
                    int64_t at_ms, int64_t now_ms)
{
    add_warm(engine, user, at_ms, now_ms);
    struct view view = engine_view(engine, user, at_ms - 1);
    struct user_walk walk;
    uint32_t id;
    user_walk_start(user, &walk);
    while (user_walk_next(user, &walk, &id).bytes &&
           id < engine->plan->source_count) {
        const struct source *source = &engine->plan->sources[id];
        const struct feature *feature = &engine->plan->features[id];
        if (source->counts &&
            feature_ops_of(feature->kind)->next(user, feature, at_ms - 1) <=
                now_ms) {
            candidates_add_crossed(engine, user, id,
                                   feature_count(user, feature, at_ms - 1),
                                   feature_count(user, feature, now_ms));
            candidates_add(engine, &source->every);
        }
        if ((!source->counts || source->timed) &&
            eval_source_next(&view, id) <= now_ms)
            candidates_add(engine, &source->segments);
    }
}

/* Whether the block of USER, who sent something of late and may go on, is much
 * too large all the same. */
static int has_shrunk(const struct user *user)
{
    return user->used < slab_size(user->class) / 2;
}

/* The timer of *USER, set to AT_MS, fires. */
static int fire_timer(struct seg_engine *engine, struct user **user,
                      int64_t at_ms)
{
    static const struct cause cause = {.cause = SEG_CAUSE_TIMER};
    int64_t last_ms = changes_last(*user);
    int64_t now_ms = last_ms > at_ms ? last_ms : at_ms;
    size_t outputs = engine->output_count;
    add_due(engine, *user, at_ms, now_ms);
    int unparked = user_unpark(engine, user, now_ms);
    if (unparked < 0)
        return unparked;
    dedupe_age(&engine->store, user, now_ms);
    int ret = judge(engine, user, now_ms, &cause);
    if (ret == 0 && engine->plan->trait_count)
        ret = publish(engine, user, now_ms, &cause);
    if (ret < 0)
        return ret;
    ret = timer_renew(engine, *user, now_ms);
    if (ret < 0)
        return ret;
    if (!dedupe_count(*user) || has_shrunk(*user))
        store_fit(&engine->store, user);
    /* A timer that changed nothing leaves no trace to write: whoever restores
     * the older record judges the user again. */
    if (unparked || engine->output_count > outputs)
        dirty_mark(engine, *user);
    return 0;
}

/* Fire the timer of user INDEX; on failure it is as if it had not.
 */
static int fire_or_restore(struct seg_engine *engine, uint32_t index,
                           int64_t at_ms)
{
    struct user *user = store_user(&engine->store, index);
    int ret = dirty_reserve(engine);
    touch_begin(engine, user);
    if (ret == 0)
        ret = engine->saved.used ? fire_timer(engine, &user, at_ms)
                                 : SEG_ERR_NOMEM;
    if (ret >= 0) {
        engine->stats.timers++;
        return ret;
    }
    if (engine->saved.used)
        touch_fail(engine, &user);
    timer_set(engine, user, at_ms);
    return ret;
}

static void move_clock(struct seg_engine *engine, int64_t to_ms)
{
    if (to_ms > engine->clock_ms)
        engine->clock_ms = to_ms;
}

int seg_engine_advance(struct seg_engine *engine, int64_t to_ms, int work_max)
{
    int64_t at_ms;
    for (int work = 0; !timers_skip(&engine->timers, to_ms); work++) {
        int64_t next = timers_next(&engine->timers);
        if (work >= work_max && next <= to_ms) {
            move_clock(engine, next - 1);
            return 1;
        }
        uint32_t user = timers_pop(&engine->timers, to_ms, &at_ms);
        if (user == TIMERS_NONE)
            break;
        int ret = fire_or_restore(engine, user, at_ms);
        if (ret < 0) {
            move_clock(engine, at_ms - 1);
            return ret;
        }
    }
    move_clock(engine, to_ms);
    const struct warming *warming = &engine->observed.warming;
    if (warming->end_count &&
        warming->ends[warming->end_count - 1].at_ms <= engine->clock_ms)
        observed_prune(engine);
    return 0;
}
