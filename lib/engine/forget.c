/* forget.c: what a user's block holds that is not to be believed any more.
 *
 * A source that was read, then not, then again, was not watched in between:
 * what a record from before still says of it is stale (observed.h). */
#include <stdlib.h>

#include "lib/engine/engine.h"
#include "lib/user/attribute.h"
#include "lib/user/member.h"
#include "lib/user/watch.h"

/* What an attribute of *USER, kept for a catalogue before, is worth: a scalar
 * would be a spare one meanwhile; of anything else only that it was set. */
static int forget_value(struct seg_engine *engine, struct user **user,
                        uint32_t source)
{
    const struct plan *plan = engine->plan;
    struct item item = user_item(*user, source);
    struct write write;
    if (attribute_last(*user, source, &engine->scratch, &write) <= 0)
        return 0;
    if (write.value.type != SEG_LIST &&
        plan->attributes[source - plan->feature_count].path.count == 1)
        return 0;
    write.value = (struct seg_value){.type = SEG_OBJECT};
    user_resize(&engine->store, user, source, 0, &item);
    int ret = attribute_write(&engine->store, user, source, &write);
    return ret < 0 ? ret : 0;
}

/* When he entered a segment that he is still in is known all the same. */
static int forget_watch(struct seg_engine *engine, struct user **user,
                        uint32_t source)
{
    const struct plan *plan = engine->plan;
    struct item item = user_item(*user, source);
    struct watch watch = {WATCH_NEVER, WATCH_NEVER};
    uint32_t i = source - plan_watch_source(plan, 0);
    if (member_find(*user, plan->watches[i], &watch.entered_ms))
        return watch_write(&engine->store, user, source, &watch);
    user_resize(&engine->store, user, source, 0, &item);
    return 0;
}

/* Whether what USER did at AT_MS was seen by a watch: one that is observed since
 * then or later knows only when he entered what he is in. Of one instant nobody
 * can tell, when changes are read back, which catalogue made them. */
static int is_watched(const struct seg_engine *engine, const struct user *user,
                      uint32_t source, int64_t at_ms)
{
    const struct warming *warming = &engine->observed.warming;
    const struct warming_epoch *epoch =
        warming->epoch_count ? warming_epoch_of(warming, user, source) : NULL;
    return !epoch || at_ms > epoch->since_ms;
}

int observed_watch(struct seg_engine *engine, struct user **user,
                   uint32_t source, int member, int64_t at_ms)
{
    const struct watch watch = {at_ms, WATCH_NEVER};
    if (is_watched(engine, *user, source, at_ms))
        return watch_note(&engine->store, user, source, member, at_ms);
    if (member)
        return watch_write(&engine->store, user, source, &watch);
    struct item item = user_item(*user, source);
    if (item.bytes)
        user_resize(&engine->store, user, source, 0, &item);
    return 0;
}

/* What observed_watch would have left of WATCH, of USER and SOURCE. */
static struct watch watched_of(const struct seg_engine *engine,
                               const struct user *user, uint32_t source,
                               struct watch watch)
{
    const struct plan *plan = engine->plan;
    uint32_t segment = plan->watches[source - plan_watch_source(plan, 0)];
    if (is_watched(engine, user, source, watch.left_ms))
        return watch;
    watch.left_ms = WATCH_NEVER;
    if (!is_watched(engine, user, source, watch.entered_ms) &&
        !member_find(user, segment, NULL))
        watch.entered_ms = WATCH_NEVER;
    return watch;
}

int observed_unwatch(struct seg_engine *engine, struct user **user)
{
    const struct plan *plan = engine->plan;
    uint32_t first = plan_watch_source(plan, 0);
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < plan->watch_count; i++) {
        struct item item = user_item(*user, first + i);
        if (!item.bytes)
            continue;
        struct watch watch =
            watched_of(engine, *user, first + i, watch_read(*user, first + i));
        if (watch.entered_ms != WATCH_NEVER || watch.left_ms != WATCH_NEVER)
            ret = watch_write(&engine->store, user, first + i, &watch);
        else
            user_resize(&engine->store, user, first + i, 0, &item);
    }
    return ret;
}

/* Find in *SOURCE the first from there on of which USER has something that is
 * to be forgotten. Returns 0 if there is none. */
static int next_stale(const struct seg_engine *engine, const struct user *user,
                      uint32_t epoch, uint32_t *source)
{
    const struct warming *warming = &engine->observed.warming;
    struct user_walk walk;
    uint32_t id;
    user_walk_start(user, &walk);
    while (user_walk_next(user, &walk, &id).bytes &&
           id < engine->plan->source_count) {
        uint32_t index = warming->of_source[id];
        if (id >= *source && index &&
            warming->epochs[index - 1].number > epoch) {
            *source = id;
            return 1;
        }
    }
    return 0;
}

int observed_forget(struct seg_engine *engine, struct user **user,
                    uint32_t epoch)
{
    const uint32_t *kept = engine->observed.warming.kept;
    struct item item;
    uint32_t source = 0;
    while (next_stale(engine, *user, epoch, &source)) {
        if (plan_is_watch(engine->plan, source)) {
            if (forget_watch(engine, user, source) < 0)
                return SEG_ERR_NOMEM;
        } else if (source >= engine->plan->feature_count) {
            if (forget_value(engine, user, source) < 0)
                return SEG_ERR_NOMEM;
        } else if (kept[source]) {
            if (window_trim(&engine->store, user,
                            &engine->plan->features[source], kept[source]) < 0)
                return SEG_ERR_NOMEM;
        } else {
            item = user_item(*user, source);
            user_resize(&engine->store, user, source, 0, &item);
        }
        source++;
    }
    return 0;
}

/* When all that may ever ask SOURCE is decided for good; SEG_NEVER. Of entries
 * and exits a later catalogue may ask for a longer time. */
static int64_t end_of(const struct plan *plan, uint32_t source,
                      int64_t since_ms)
{
    return source < plan->feature_count
               ? warming_end_of(&plan->features[source], since_ms)
               : SEG_NEVER;
}

void observed_prune(struct seg_engine *engine)
{
    struct warming *warming = &engine->observed.warming;
    const struct plan *plan = engine->plan;
    int needed = 0;
    if (warming->end_count &&
        warming->ends[warming->end_count - 1].at_ms <= engine->clock_ms)
        warming->end_count = 0;
    for (uint32_t s = 0; warming->epoch_count && s < plan->source_count; s++) {
        uint32_t index = warming->of_source[s];
        if (index && end_of(plan, s, warming->epochs[index - 1].since_ms) <=
                         engine->clock_ms)
            warming->of_source[s] = warming->kept[s] = 0;
        needed |= warming->of_source[s] != 0;
    }
    warming_set_bits(warming, plan);
    if (needed)
        return;
    for (uint32_t i = 0; i < warming->epoch_count; i++)
        free(warming->epochs[i].positions);
    warming->epoch_count = 0;
}
