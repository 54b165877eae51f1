/* engine.c: the life of an engine, its outputs and figures. */
#include "lib/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"

#define FUTURE_SKEW_MS     (5 * 60 * 1000)
#define TRIGGER_MAX_AGE_MS (5 * 60 * 1000)
#define TRAIT_INTERVAL_MS  (10 * 1000)
#define LATENESS_MS        (24 * 3600 * 1000)
#define USER_BYTES_MAX     (256 * 1024)
#define ATTRIBUTE_BYTES    1024

static void set_defaults(struct seg_engine_options *options)
{
    if (!options->future_skew_ms)
        options->future_skew_ms = FUTURE_SKEW_MS;
    if (!options->trigger_max_age_ms)
        options->trigger_max_age_ms = TRIGGER_MAX_AGE_MS;
    if (!options->trait_interval_ms)
        options->trait_interval_ms = TRAIT_INTERVAL_MS;
    if (!options->lateness_ms)
        options->lateness_ms = LATENESS_MS;
    if (!options->user_bytes_max)
        options->user_bytes_max = USER_BYTES_MAX;
    if (!options->attribute_bytes)
        options->attribute_bytes = ATTRIBUTE_BYTES;
    if (!options->state_version)
        options->state_version = SEG_STATE_VERSION;
    if (options->state_version < options->catalogue->plan.state_version)
        options->state_version = options->catalogue->plan.state_version;
}

static int add_topics(struct seg_engine *engine,
                      const struct seg_engine_options *options)
{
    uint32_t number;
    for (int i = 0; i < options->topic_count; i++) {
        struct seg_text name = text_of(options->topics[i]);
        int ret = intern_add(&engine->topics, name, &number);
        if (ret <= 0)
            return ret < 0 ? ret : SEG_ERR_INVALID;
        engine->topic_hash[i] = hash_bytes(name.bytes, name.len, 0);
    }
    return 0;
}

static int init(struct seg_engine *engine,
                const struct seg_engine_options *options)
{
    engine->options = *options;
    set_defaults(&engine->options);
    engine->plan = &options->catalogue->plan;
    engine->clock_ms = options->clock_ms;
    engine->wall_ms = SEG_NEVER;
    engine->generation = 1;
    store_init(&engine->store, options->hash_seed);
    engine->store.lateness_ms = engine->options.lateness_ms;
    if (options->users_max)
        engine->store.users_max = options->users_max;
    timers_init(&engine->timers, options->clock_ms);
    int ret = add_topics(engine, options);
    if (ret == 0)
        ret = observed_init(engine);
    if (ret < 0)
        return ret;
    engine->segment_sizes =
        calloc(engine->plan->segment_count + 1ul, sizeof(uint32_t));
    if (!engine->segment_sizes)
        return SEG_ERR_NOMEM;
    struct gathering *gathering = &engine->gathering;
    gathering->roles =
        calloc(engine->plan->feature_count + 1ul, sizeof(uint32_t));
    gathering->touched =
        calloc(engine->plan->feature_count + 1ul, sizeof(uint32_t));
    if (!gathering->roles || !gathering->touched)
        return SEG_ERR_NOMEM;
    ret = eval_memo_init(&engine->memo, engine->plan);
    return ret < 0
               ? ret
               : ranks_init(&engine->candidates, engine->plan->segment_count);
}

int seg_engine_new(struct seg_engine **ret,
                   const struct seg_engine_options *options)
{
    if (!options->catalogue || options->topic_count < 1 ||
        options->topic_count > SEG_TOPICS_MAX)
        return SEG_ERR_INVALID;
    struct seg_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return SEG_ERR_NOMEM;
    int err = init(engine, options);
    if (err < 0) {
        seg_engine_free(engine);
        return err;
    }
    *ret = engine;
    return 0;
}

void seg_engine_free(struct seg_engine *engine)
{
    if (!engine)
        return;
    store_done(&engine->store);
    timers_done(&engine->timers);
    intern_done(&engine->topics);
    ranks_done(&engine->candidates);
    eval_memo_done(&engine->memo);
    observed_done(engine);
    arena_done(&engine->output_arena);
    arena_done(&engine->scratch);
    buf_done(&engine->record);
    buf_done(&engine->content);
    free(engine->gathering.roles);
    free(engine->gathering.touched);
    free(engine->segment_sizes);
    free(engine->outputs);
    free(engine->dirty);
    free(engine->saved.block);
    free(engine->filling.wanted);
    free(engine->restoring.positions_of);
    free(engine->restoring.positions);
    free(engine);
}

const struct seg_catalogue *
seg_engine_catalogue(const struct seg_engine *engine)
{
    return engine->options.catalogue;
}

void seg_engine_set_wall(struct seg_engine *engine, int64_t wall_ms)
{
    engine->wall_ms = wall_ms;
}

int64_t seg_engine_clock(const struct seg_engine *engine)
{
    return engine->clock_ms;
}

int64_t seg_engine_next_due(const struct seg_engine *engine)
{
    return timers_next(&engine->timers);
}

const struct seg_output *seg_engine_outputs(const struct seg_engine *engine,
                                            size_t *count)
{
    *count = engine->output_count;
    return engine->outputs;
}

void seg_engine_outputs_clear(struct seg_engine *engine)
{
    engine->output_count = 0;
    arena_reset(&engine->output_arena);
}

void seg_engine_stats(const struct seg_engine *engine,
                      struct seg_engine_stats *stats)
{
    *stats = engine->stats;
}

uint32_t seg_engine_user_count(const struct seg_engine *engine)
{
    return engine->store.user_count;
}

size_t seg_engine_bytes(const struct seg_engine *engine)
{
    return store_bytes(&engine->store) + timers_bytes(&engine->timers) +
           engine->dirty_cap * sizeof(struct dirty_user);
}

uint32_t seg_engine_segment_size(const struct seg_engine *engine, int index)
{
    return engine->segment_sizes[index];
}

const char *seg_cause_name(int cause)
{
    static const char *const names[] = {
        [SEG_CAUSE_EVENT] = "event",
        [SEG_CAUSE_TIMER] = "timer",
        [SEG_CAUSE_ATTRIBUTE] = "attribute",
        [SEG_CAUSE_CATALOGUE] = "catalogue",
        [SEG_CAUSE_BACKFILL] = "backfill",
        [SEG_CAUSE_REPAIR] = "repair",
    };
    return names[cause];
}
