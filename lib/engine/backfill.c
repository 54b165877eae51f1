/* backfill.c: what was not watched is read again.
 *
 * A catalogue that asks for more than the one before warms what is new
 * (observed.h): what lies before its epoch may have been anything. But the
 * inputs may still hold it. A *shadow*, a second engine of the same catalogue,
 * reads them from their beginnings, and folds nothing but the sources that are
 * warming, until it has folded exactly the events that the engine has:
 *
 *     inputs   |. . . . . . . . . . . . . . . . . . . . .|
 *              starts            epoch                   positions
 *     engine   of what is new:   |<---- folded --------->|
 *     shadow   |<---------------- folded --------------->|   the same end
 *
 * Then, in this order, which is what makes it safe to die at any moment:
 *
 *   swap      user by user the engine's items of these sources are replaced by
 *             the shadow's, which hold all that the engine's hold, and more.
 *             Nothing is published: the catalogue record still says "warming
 *             since the epoch", and of what is warming only that counts which
 *             nothing before it could change (warming.h). So to know more of
 *             the time before is never wrong, nor is to forget it again: who
 *             dies here begins anew, from the same place. What has become true
 *             by it is not said yet: from here on a sweep is due.
 *   flushed   all users that the swap made dirty are on the state topic.
 *   publish   the sources are observed since the shadow began to read: from the
 *             start, if nothing was ever lost; else since the first record that
 *             is left, and warming goes on if that is not long enough. The
 *             catalogue record says so.
 *   sweep     everybody is judged, cause backfill, no triggers.
 *
 * The swap begins an epoch of its own number, which the records it makes dirty
 * carry: what older records say of a source is stale once that is observed
 * since this epoch, as always. A catalogue record with the number must not be
 * written later than any such record.
 *
 * The shadow's clock follows the records, as that of a partition does that
 * reads them for the first time; it has timers for what is parked, and no user
 * is ever judged. Message ids are its own: they follow from its reading, and
 * are forgotten by their number alone, as somebody's record that is dated ahead
 * moves the clock. Who is known to the engine has his birth, and his base of
 * times, from there. Who is not (the engine began to read later than the inputs
 * do) becomes known by the swap, born with the first message that is left.
 *
 * Sources that are not wanted are "observed" by the shadow since the end of all
 * offsets: nothing is folded into them. So it needs as much memory as the
 * engine would, had it only these sources: per user the head of a block, an
 * item per source, and the ids of his last SEG_IDS_MAX messages.
 *
 * What is read again only says something if it reaches back before the epoch in
 * every input. A window of which some events were kept (`at least 3` became
 * `at least 5`) is not touched unless the whole window was read: what is kept
 * may be older than what is left. Of an attribute the later write holds, so
 * what was kept of it is not lost. Watches of segments do not come from the
 * inputs, and stay as they are. */
#include <stdlib.h>
#include <string.h>

#include "lib/engine/engine.h"

/* ---- what is wanted ------------------------------------------------------ */

static int is_everything(const struct seg_engine *engine, const int64_t *starts)
{
    for (uint32_t t = 0; t < engine->topics.count; t++)
        if (starts[t])
            return 0;
    return 1;
}

/* Whether STARTS lie before EPOCH: in no topic after it. */
static int reaches_before(const struct seg_engine *engine,
                          const struct warming_epoch *epoch,
                          const int64_t *starts)
{
    int before = 0;
    for (uint32_t t = 0; t < engine->topics.count; t++) {
        if (starts[t] > epoch->positions[t])
            return 0;
        before |= starts[t] < epoch->positions[t];
    }
    return before;
}

static int is_wanted(const struct seg_engine *engine, uint32_t source,
                     const int64_t *starts, int64_t since_ms)
{
    const struct warming *warming = &engine->observed.warming;
    const struct plan *plan = engine->plan;
    uint32_t index = warming->of_source[source];
    if (!index || plan_is_watch(plan, source))
        return 0;
    const struct warming_epoch *epoch = &warming->epochs[index - 1];
    int all = is_everything(engine, starts);
    if (!reaches_before(engine, epoch, starts) ||
        (!all && since_ms >= epoch->since_ms))
        return 0;
    return all || !warming->kept[source] ||
           warming_end_of(&plan->features[source], since_ms) <=
               engine->clock_ms;
}

int seg_engine_backfill_wanted(const struct seg_engine *engine,
                               const int64_t *starts, int64_t since_ms)
{
    if (!engine->observed.warming.epoch_count)
        return 0;
    for (uint32_t s = 0; s < engine->plan->source_count; s++)
        if (is_wanted(engine, s, starts, since_ms))
            return 1;
    return 0;
}

static int note_wanted(struct seg_engine *to, const struct seg_engine *engine,
                       const int64_t *starts, int64_t since_ms)
{
    struct filling *filling = &to->filling;
    uint32_t count = engine->plan->source_count;
    filling->wanted = calloc(count + 1ul, 1);
    if (!filling->wanted)
        return SEG_ERR_NOMEM;
    memcpy(filling->starts, starts, engine->topics.count * sizeof(*starts));
    filling->since_ms = since_ms;
    for (uint32_t s = 0; s < count; s++)
        filling->wanted[s] = (uint8_t)is_wanted(engine, s, starts, since_ms);
    return 0;
}

/* ---- the shadow ---------------------------------------------------------- */

/* The shadow's epochs: of what is wanted, so that no sequence begins with an
 * event before which something may be missing; and of all else. */
enum { WANTED, OTHERS, EPOCHS };

static int set_epochs(struct seg_engine *shadow)
{
    const struct filling *filling = &shadow->filling;
    struct warming *warming = &shadow->observed.warming;
    warming->epochs = calloc(EPOCHS, sizeof(*warming->epochs));
    if (!warming->epochs)
        return SEG_ERR_NOMEM;
    for (uint32_t e = 0; e < EPOCHS; e++) {
        struct warming_epoch *epoch = &warming->epochs[e];
        epoch->number = e + 1;
        epoch->since_ms = filling->since_ms;
        epoch->positions = calloc(SEG_TOPICS_MAX, sizeof(int64_t));
        if (!epoch->positions)
            return SEG_ERR_NOMEM;
        warming->epoch_count++;
        for (uint32_t t = 0; t < SEG_TOPICS_MAX; t++)
            epoch->positions[t] = e == WANTED ? filling->starts[t] : SEG_NEVER;
    }
    for (uint32_t s = 0; s < shadow->plan->source_count; s++)
        warming->of_source[s] = 1 + (filling->wanted[s] ? WANTED : OTHERS);
    return 0;
}

int seg_engine_backfill_begin(struct seg_engine *shadow,
                              const struct seg_engine *engine,
                              const int64_t *starts, int64_t since_ms)
{
    int ret = note_wanted(shadow, engine, starts, since_ms);
    shadow->filling.shadow = 1;
    return ret < 0 ? ret : set_epochs(shadow);
}

/* The timer of *USER, set to AT_MS, fires. */
static int fire(struct seg_engine *shadow, struct user **user, int64_t at_ms)
{
    int unparked = user_unpark(shadow, user, at_ms);
    ranks_clear(&shadow->candidates);
    if (unparked < 0)
        return unparked;
    timer_set(shadow, *user, parked_next(*user));
    store_fit(&shadow->store, user);
    return 0;
}

int seg_engine_backfill_advance(struct seg_engine *shadow, int64_t to_ms,
                                int work_max)
{
    int64_t at_ms;
    for (int work = 0; !timers_skip(&shadow->timers, to_ms); work++) {
        int64_t next_ms = timers_next(&shadow->timers);
        if (work >= work_max && next_ms <= to_ms)
            return 1;
        uint32_t index = timers_pop(&shadow->timers, to_ms, &at_ms);
        if (index == TIMERS_NONE)
            break;
        struct user *user = store_user(&shadow->store, index);
        touch_begin(shadow, user);
        int ret =
            shadow->saved.used ? fire(shadow, &user, at_ms) : SEG_ERR_NOMEM;
        if (ret < 0 && shadow->saved.used)
            touch_fail(shadow, &user);
        if (ret < 0) {
            timer_set(shadow, user, at_ms);
            return ret;
        }
        if (at_ms > shadow->clock_ms)
            shadow->clock_ms = at_ms;
    }
    if (to_ms > shadow->clock_ms)
        shadow->clock_ms = to_ms;
    return 0;
}

/* *USER, new in STORE, came when FROM did. Returns 0 or SEG_ERR_NOMEM. */
static int take_birth(struct store *store, struct user **user,
                      const struct user *from)
{
    (*user)->base = from->base;
    (*user)->flags |= from->flags & USER_NAMELESS;
    return user_set_birth(store, user, user_birth(from));
}

/* The same, of whom ENGINE knows. */
static int take_known_birth(struct seg_engine *shadow,
                            const struct seg_engine *engine, struct user **user)
{
    struct seg_text id = user_id(*user);
    const struct user *known =
        store_find(&engine->store, id, store_hash(&engine->store, id));
    return known ? take_birth(&shadow->store, user, known) : 0;
}

int seg_engine_backfill_fold(struct seg_engine *shadow,
                             const struct seg_engine *engine,
                             const struct seg_event *event,
                             const struct seg_origin *origin)
{
    struct user *user;
    int born, ret = engine_user(shadow, event, origin, &user, &born);
    if (ret < 0)
        return ret;
    if (born && take_known_birth(shadow, engine, &user) < 0) {
        engine_forget_newborn(shadow, user);
        return SEG_ERR_NOMEM;
    }
    /* As of its own time: one that was dated ahead may have moved the clock. */
    if (engine_is_duplicate(shadow, user, event, origin, origin->timestamp_ms))
        return SEG_APPLIED_DUPLICATE;
    touch_begin(shadow, user);
    ret = shadow->saved.used ? engine_fold(shadow, &user, event, origin, 0)
                             : SEG_ERR_NOMEM;
    if (ret >= 0)
        return SEG_APPLIED;
    if (shadow->saved.used)
        touch_fail(shadow, &user);
    if (born)
        engine_forget_newborn(shadow, user);
    return ret;
}

/* ---- the swap ------------------------------------------------------------ */

/* The state of feature ID of *USER is that of the shadow's user FROM. */
static int swap_feature(struct seg_engine *engine, struct user **user,
                        struct seg_engine *shadow, const struct user *from,
                        uint32_t id)
{
    struct item item = user_item(*user, id), held = user_item(from, id);
    struct buf *buf = &engine->observed.record;
    if (item.bytes)
        user_resize(&engine->store, user, id, 0, &item);
    if (!held.bytes)
        return 0;
    buf_reset(buf);
    snapshot_feature_encode(shadow, from, id, &held, buf);
    if (buf_failed(buf))
        return SEG_ERR_NOMEM;
    return snapshot_feature_decode(engine, user,
                                   (struct seg_text){buf->bytes, buf->len});
}

/* Of an attribute the later write holds; of the same one what is read again
 * knows more. */
static int swap_attribute(struct seg_engine *engine, struct user **user,
                          const struct user *from, uint32_t id)
{
    struct item item = user_item(*user, id);
    struct write write, old;
    int ret = attribute_last(from, id, &engine->scratch, &write), had;
    if (ret <= 0)
        return ret;
    had = attribute_last(*user, id, &engine->scratch, &old);
    if (had < 0)
        return had;
    if (had && old.stamp == write.stamp)
        user_resize(&engine->store, user, id, 0, &item);
    ret = attribute_write(&engine->store, user, id, &write);
    return ret < 0 ? ret : 0;
}

/* Whether UPDATE is of a source that is read again by the engine ARG. */
static int is_read_again(const void *arg, const struct update *update)
{
    const struct seg_engine *engine = arg;
    const uint8_t *wanted = engine->filling.wanted;
    switch (update->kind) {
    case UPDATE_FEATURE:
        return wanted[update->target];
    case UPDATE_ATTRIBUTE:
        return wanted[plan_attribute_source(engine->plan, update->target)];
    case UPDATE_ACCOUNT:
    case UPDATE_SPARE:
        break;
    }
    return 0;
}

static int swap_parked(struct seg_engine *engine, struct user **user,
                       const struct user *from)
{
    struct update update;
    uint32_t at = 0;
    int more;
    parked_drop(&engine->store, user, is_read_again, engine);
    while ((more = parked_at(from, &at, &engine->scratch, &update)) > 0) {
        int ret = is_read_again(engine, &update)
                      ? parked_add(&engine->store, user, &update)
                      : 0;
        if (ret < 0)
            return ret;
    }
    return more;
}

/* Whether what is wanted of SOURCE is warming still: its window may have
 * passed, and what the engine has is as good then. */
static int is_due(const struct seg_engine *engine, uint32_t source)
{
    return engine->filling.wanted[source] &&
           engine->observed.warming.of_source[source];
}

static int swap_items(struct seg_engine *engine, struct user **user,
                      struct seg_engine *shadow, const struct user *from)
{
    const struct plan *plan = engine->plan;
    int ret = swap_parked(engine, user, from);
    for (uint32_t s = 0; ret == 0 && s < plan->source_count; s++) {
        if (!is_due(engine, s))
            continue;
        ret = s < plan->feature_count
                  ? swap_feature(engine, user, shadow, from, s)
                  : swap_attribute(engine, user, from, s);
    }
    if (ret == 0)
        ret = timer_renew(engine, *user, engine_now(engine, *user));
    return ret;
}

/* The user of ID as the engine knows him, or one as the shadow's FROM. */
static int find_user(struct seg_engine *engine, const struct user *from,
                     struct user **user, int *born)
{
    struct store *store = &engine->store;
    struct seg_text id = user_id(from);
    uint64_t hash = store_hash(store, id);
    *user = store_find(store, id, hash);
    *born = !*user;
    if (*user)
        return 0;
    int ret = timers_reserve(&engine->timers, store->user_count + 1);
    if (ret == 0)
        ret = store_add(store, id, hash, 0, user);
    if (ret < 0)
        return ret;
    (*user)->flags |= from->flags & USER_LISTED;
    ret = take_birth(store, user, from);
    if (ret < 0)
        engine_forget_newborn(engine, *user);
    return ret;
}

static int swap_user(struct seg_engine *engine, struct seg_engine *shadow,
                     const struct user *from)
{
    struct user *user;
    int born = 0, ret = dirty_reserve(engine);
    if (ret == 0)
        ret = find_user(engine, from, &user, &born);
    if (ret < 0)
        return ret;
    touch_begin(engine, user);
    ret = engine->saved.used ? swap_items(engine, &user, shadow, from)
                             : SEG_ERR_NOMEM;
    if (ret >= 0) {
        dirty_mark(engine, user);
        return 0;
    }
    if (engine->saved.used)
        touch_fail(engine, &user);
    if (born)
        engine_forget_newborn(engine, user);
    return ret;
}

static int begin_swap(struct seg_engine *engine,
                      const struct seg_engine *shadow)
{
    const struct filling *from = &shadow->filling;
    size_t count = engine->plan->source_count;
    uint8_t *wanted = malloc(count + 1);
    if (!wanted)
        return SEG_ERR_NOMEM;
    memcpy(wanted, from->wanted, count);
    engine->filling = *from;
    engine->filling.shadow = 0;
    engine->filling.wanted = wanted;
    engine->filling.next = 0;
    engine->observed.epoch++;
    engine->observed.swept = 0;
    engine->observed.swept_users = 0;
    engine->observed.backfilled = 1;
    observed_note(&engine->observed, shadow->observed.latest_ms);
    return 0;
}

int seg_engine_backfill_swap(struct seg_engine *engine,
                             struct seg_engine *shadow, int work_max)
{
    struct filling *filling = &engine->filling;
    int ret = seg_engine_backfill_advance(shadow, engine->clock_ms, work_max);
    if (ret)
        return ret;
    if (!filling->wanted && begin_swap(engine, shadow) < 0)
        return SEG_ERR_NOMEM;
    for (int work = 0; filling->next < shadow->store.user_count; work++) {
        if (work == work_max)
            return 1;
        ret = swap_user(engine, shadow,
                        store_user(&shadow->store, filling->next));
        if (ret < 0)
            return ret;
        filling->next++;
    }
    filling->generation = engine->generation;
    return 0;
}

int seg_engine_backfill_pending(const struct seg_engine *engine)
{
    return engine->filling.wanted && !engine->filling.shadow;
}

int seg_engine_backfill_flushed(const struct seg_engine *engine)
{
    uint64_t oldest = seg_engine_dirty_since(engine, 0);
    return !oldest || oldest > engine->filling.generation;
}

int seg_engine_backfill_publish(struct seg_engine *engine)
{
    const struct filling *filling = &engine->filling;
    int ret = observed_since(engine, filling->wanted, filling->starts,
                             filling->since_ms);
    if (ret < 0)
        return ret;
    seg_engine_backfill_drop(engine);
    return 0;
}

void seg_engine_backfill_drop(struct seg_engine *engine)
{
    free(engine->filling.wanted);
    engine->filling = (struct filling){0};
}
