/* touch.c: what is done to a user is done wholly or not at all.
 *
 * An operation that runs out of memory, or of the user's limit, half way leaves
 * his block, his timer and the outputs as they were. */
#include <stdlib.h>
#include <string.h>

#include "lib/engine/engine.h"

/* The copy of the block costs some ns: it is in the cache anyway, and usually a
 * few hundred bytes. If there is no memory even for that, there is no way back:
 * saved.used = 0 then makes the caller refuse beforehand. */
void touch_begin(struct seg_engine *engine, const struct user *user)
{
    struct saved *saved = &engine->saved;
    saved->used = 0;
    saved->outputs = engine->output_count;
    saved->timer_moved = 0;
    engine->publishing.moved = 0;
    arena_reset(&engine->scratch);
    eval_memo_forget(&engine->memo);
    if (saved->cap < user->used) {
        size_t cap = user->used * 2ul;
        void *block = realloc(saved->block, cap);
        if (!block)
            return;
        saved->block = block;
        saved->cap = cap;
    }
    memcpy(saved->block, user, user->used);
    saved->used = user->used;
}

/* OUTPUT never was. */
static void uncount(struct seg_engine *engine, const struct seg_output *output)
{
    struct seg_engine_stats *stats = &engine->stats;
    if (output->kind == SEG_OUTPUT_TRIGGER) {
        stats->triggers--;
        return;
    }
    if (output->kind == SEG_OUTPUT_TRAITS) {
        stats->traits--;
        return;
    }
    engine->segment_sizes[output->segment] -= output->member ? 1u : -1u;
    stats->entered -= output->member;
    stats->exited -= !output->member;
    stats->repairs -= !output->shadow && output->cause == SEG_CAUSE_REPAIR;
}

void touch_fail(struct seg_engine *engine, struct user **user)
{
    uint8_t class = (*user)->class;
    unsigned settled = (*user)->flags & USER_SETTLED;
    ranks_clear(&engine->candidates);
    while (engine->output_count > engine->saved.outputs) {
        const struct seg_output *output =
            &engine->outputs[--engine->output_count];
        uncount(engine, output);
    }
    memcpy(*user, engine->saved.block, engine->saved.used);
    /* He may have moved meanwhile. */
    (*user)->class = class;
    (*user)->flags &= ~(unsigned)USER_SETTLED;
    (*user)->flags |= settled;
    if (engine->saved.timer_moved)
        timer_set(engine, *user, engine->saved.due_ms);
}
