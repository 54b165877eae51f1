/* mend.c: what people may have a restore do when something of Kafka is lost.
 *
 * A user is put together from two halves. Memberships, sequence numbers and the
 * history of triggers are a fold of what was put out; it has readers, and
 * cannot be made up. Features, attributes and message ids are a fold of the
 * inputs, and can be folded again as far as those reach back:
 *
 *     forget inputs   the second half is thrown away; the redo begins at
 *                     nothing
 *     accept gaps     what was put out is not all there: take what there is
 *     mend            everybody is judged, or nobody, and written; numbers that
 *                     somebody may have seen are leapt over
 *
 * The leap is what keeps a message id unique: it names user and number, and a
 * number of a change that is lost may be known to a reader. */
#include <stdlib.h>
#include <string.h>

#include "lib/engine/engine.h"
#include "lib/engine/snapshot.h"

static int is_of_inputs(uint32_t item)
{
    return item != USER_ITEM_MEMBERS && item != USER_ITEM_FIRED &&
           item != USER_ITEM_CHANGES && item != USER_ITEM_PUBLISHED;
}

/* Take the first item of USER that the inputs brought. Returns 0 if there is
 * none. */
static int forget_one(struct seg_engine *engine, struct user **user)
{
    struct user_walk walk;
    struct item item;
    uint32_t id;
    user_walk_all(*user, &walk);
    while ((item = user_walk_next(*user, &walk, &id)).bytes)
        if (is_of_inputs(id))
            return user_resize(&engine->store, user, id, 0, &item) >= 0;
    return 0;
}

/* All is watched from the first record that is read now. */
static void forget_warming(struct seg_engine *engine)
{
    struct warming *warming = &engine->observed.warming;
    uint32_t sources = engine->plan->source_count;
    for (uint32_t i = 0; i < warming->epoch_count; i++)
        free(warming->epochs[i].positions);
    warming->epoch_count = 0;
    warming->end_count = 0;
    memset(warming->of_source, 0, sources * sizeof(*warming->of_source));
    memset(warming->kept, 0, sources * sizeof(*warming->kept));
}

void seg_engine_forget_inputs(struct seg_engine *engine)
{
    struct restoring *r = &engine->restoring;
    size_t topics = engine->topics.count, width = ENGINE_ROW(topics);
    for (uint32_t i = 0; i < engine->store.user_count; i++) {
        struct user *user = store_user(&engine->store, i);
        while (forget_one(engine, &user))
            ;
    }
    for (size_t row = 0; row < r->positions_count; row++) {
        memset(r->positions + row * width, 0, topics * sizeof(*r->positions));
        r->positions[row * width + topics] = engine->observed.epoch;
    }
    forget_warming(engine);
}

void seg_engine_accept_gaps(struct seg_engine *engine)
{
    engine->restoring.gaps = 1;
}

static uint32_t leap(uint32_t seq, uint32_t by)
{
    return by > UINT32_MAX - seq ? UINT32_MAX : seq + by;
}

int seg_engine_mend(struct seg_engine *engine, const struct seg_mend *mend)
{
    for (uint32_t i = 0; i < engine->store.user_count; i++) {
        struct user *user = store_user(&engine->store, i);
        struct changes changes = changes_of(user);
        changes.seq = leap(changes.seq, mend->changes_lost);
        changes.trigger_seq = leap(changes.trigger_seq, mend->triggers_lost);
        int ret = changes_set(&engine->store, &user, &changes);
        if (ret < 0)
            return ret;
        user->flags |= USER_TOUCHED;
    }
    engine->restoring.unjudged = !mend->judge;
    engine->wall_ms = SNAPSHOT_MS_MAX;
    return 0;
}
