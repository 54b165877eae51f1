/* outside.c: see outside.h. */
#define PROTOCOL_MUTATIONS
#include "tests/mutant/outside.h"

#include "daemon/protocol/mutation.h"
#include "lib/engine/engine.h"
#include "lib/user/dedupe.h"

int outside_finish(struct seg_engine *engine, int64_t clock_ms, int work_max)
{
    int swept = engine->observed.swept, more;

    if (MUTATED(UNSWEPT_REPAIRED))
        engine->observed.swept = 1;
    more = seg_engine_restore_finish(engine, clock_ms, work_max);
    engine->observed.swept = swept;
    if (more == 0 && MUTATED(SWEEP_NOT_RESTARTED))
        engine->observed.swept = 1;
    return more;
}

int outside_catalogue_record(struct seg_engine *engine, struct seg_text *record)
{
    struct observed *observed = &engine->observed;
    uint32_t retired = observed->retired_count;
    int swept = observed->swept, err;

    if (MUTATED(RETIRED_KEYS_LOST))
        observed->retired_count = 0;
    if (MUTATED(SWEPT_TOO_EARLY))
        observed->swept = 1;
    err = seg_engine_catalogue_record(engine, record);
    observed->retired_count = retired;
    observed->swept = swept;
    return err;
}

int outside_adopt(struct seg_engine *engine, struct seg_engine *from,
                  const int64_t *positions, int work_max)
{
    int more = seg_engine_adopt(engine, from, positions, work_max);

    if (more == 0 && MUTATED(DIRTY_NOT_MOVED))
        seg_engine_flushed(engine, seg_engine_dirty_count(engine));
    return more;
}

int outside_settle(struct seg_engine *engine)
{
    struct warming *warming = &engine->observed.warming;

    if (MUTATED(WARMING_IGNORED))
        for (uint32_t i = 0; i < engine->plan->source_count; i++)
            warming->of_source[i] = 0;
    if (MUTATED(WARMING_FROM_CLOCK))
        engine->observed.latest_ms = INT64_MIN;
    return observed_settle(engine);
}

uint64_t outside_hash(uint64_t topic_hash, struct seg_text message_id)
{
    return dedupe_hash(MUTATED(DEDUPE_ACROSS_TOPICS) ? 0 : topic_hash,
                       message_id);
}

int outside_seen(const struct user *user, uint64_t hash, int64_t timestamp_ms,
                 int64_t now_ms)
{
    return !MUTATED(DEDUPE_IGNORED) &&
           dedupe_seen(user, hash, timestamp_ms, now_ms);
}
