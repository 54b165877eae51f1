/* drive_backfill.c: what the catalogue in force did not read is read again.
 *
 * A shadow engine folds all messages so far, the engine gets what it holds. Of
 * the swap some users are written, now and then it is cut short by a restart and
 * begins anew; then it is published. From then on the oracle hides nothing. */
#include "lib/engine/engine.h"
#include "tests/model/drive_inside.h"

#define CUT      0x2000u /* In the variant: a restart in the swap ... */
#define CUT_LATE 0x4000u /* ... or after it. */

static const int64_t starts[WORLD_TOPICS_MAX];

static int advance_shadow(struct drive *d, struct seg_engine *shadow,
                          int64_t to_ms, uint32_t variant)
{
    int more, work = 1 + (int)(variant & 7);
    int64_t clock_ms = seg_engine_clock(d->engine);
    if (to_ms > clock_ms)
        to_ms = clock_ms;
    while ((more = seg_engine_backfill_advance(shadow, to_ms, work)) > 0)
        continue;
    return more < 0
               ? drive_fail(d, "backfill_advance: %s", seg_error_name(more))
               : DRIVE_SAME;
}

static int fold(struct drive *d, struct seg_engine *shadow,
                const struct step *step, uint32_t variant)
{
    struct seg_event event;
    struct seg_origin origin;
    if (advance_shadow(d, shadow, step->record_ms, variant) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    int result = drive_decode(d, step, &event, &origin);
    result = result < 0
                 ? 0
                 : seg_engine_backfill_fold(shadow, d->engine, &event, &origin);
    seg_decoder_reset(d->decoder);
    return result < 0
               ? drive_fail(d, "backfill_fold: %s", seg_error_name(result))
               : DRIVE_SAME;
}

/* The first message of TOPIC from step *AT on; NULL: there is none. */
static const struct step *next_of(const struct drive *d, int topic, int *at)
{
    for (; *at < d->step; ++*at) {
        const struct step *step = &d->history->steps[*at];
        if (step->kind == STEP_MESSAGE && step->topic == topic &&
            !d->refused[*at])
            return step;
    }
    return NULL;
}

/* Topics are merged by the dates of their records. */
static int fold_all(struct drive *d, struct seg_engine *shadow,
                    uint32_t variant)
{
    int at[WORLD_TOPICS_MAX] = {0}, result = DRIVE_SAME;
    for (;;) {
        const struct step *least = NULL, *step;
        for (int t = 0; t < d->history->topic_count; t++)
            if ((step = next_of(d, t, &at[t])) &&
                (!least || step->record_ms < least->record_ms))
                least = step;
        if (!least || result != DRIVE_SAME)
            return result;
        result = fold(d, shadow, least, variant);
        at[least->topic]++;
    }
}

/* The swap; *CUT gets whether it was cut short. */
static int swap(struct drive *d, struct seg_engine *shadow, uint32_t variant,
                int *cut)
{
    int more, turns = 0;
    do {
        more =
            seg_engine_backfill_swap(d->engine, shadow, 1 + (int)(variant & 3));
        if (more < 0)
            return drive_fail(d, "backfill_swap: %s", seg_error_name(more));
        if (!turns++ && drive_write_catalogue(d) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
        if (drive_flush(d, variant >> 2 & 1) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
    } while (more && !(variant & CUT && turns > (int)(variant >> 4 & 3)));
    *cut = more || (variant & CUT_LATE && d->restores);
    return DRIVE_SAME;
}

/* Nothing was published: whoever restores knows what he knew. */
static int restart(struct drive *d, uint32_t variant)
{
    struct seg_engine *engine = drive_restored(d, variant);
    if (d->stats)
        d->stats->backfills_cut++;
    return engine ? drive_replace(d, engine) : DRIVE_DIFFERENT;
}

static int publish_backfill(struct drive *d, uint32_t variant)
{
    while (!seg_engine_backfill_flushed(d->engine))
        if (drive_flush(d, 1 + (variant & 3)) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
    if (seg_engine_backfill_publish(d->engine) < 0)
        return drive_fail(d, "seg_engine_backfill_publish fails");
    return drive_write_catalogue(d);
}

static int fill(struct drive *d, uint32_t variant, int *cut)
{
    struct seg_engine *shadow = drive_new_engine(d, 0, variant);
    int result = DRIVE_SAME;
    if (seg_engine_backfill_begin(shadow, d->engine, starts, INT64_MIN) < 0)
        result = drive_fail(d, "seg_engine_backfill_begin fails");
    if (result == DRIVE_SAME)
        result = fold_all(d, shadow, variant);
    if (result == DRIVE_SAME)
        result = swap(d, shadow, variant, cut);
    seg_engine_free(shadow);
    return result;
}

int drive_backfill(struct drive *d, uint32_t variant)
{
    int cut = 0;
    if (!d->restores)
        variant &= ~(CUT | CUT_LATE);
    if (drive_sweep(d, UINT32_MAX) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    if (!seg_engine_backfill_wanted(d->engine, starts, INT64_MIN))
        return DRIVE_SAME;
    if (fill(d, variant, &cut) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    if (cut && (restart(d, variant) != DRIVE_SAME ||
                fill(d, variant & ~(CUT | CUT_LATE), &cut) != DRIVE_SAME))
        return DRIVE_DIFFERENT;
    if (publish_backfill(d, variant) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    oracle_backfill(d->oracle);
    if (d->stats)
        d->stats->backfills++;
    if (drive_compare_state(d, 1) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    return drive_compare_effects(d);
}
