/* drive_change.c: another catalogue comes into force, and its sweep.
 *
 *   running       old engine ── seg_engine_adopt ──> new engine
 *   while down    records, changes, redo ──────────> engine of the new one
 *
 * Both must say the same of everybody from then on. */
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/model/drive_inside.h"

void drive_hint(struct drive *d)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(d->engine, &count);
    if (!oracle_unswept(d->oracle))
        return;
    for (size_t i = 0; i < d->engine_effects.count; i++) {
        const struct effect *e = &d->engine_effects.items[i];
        oracle_hint(d->oracle, e->user_id, e->key, e->shadow, e->at_ms);
    }
    for (size_t i = 0; i < count; i++)
        if (outputs[i].kind != SEG_OUTPUT_TRAITS)
            oracle_hint(d->oracle, outputs[i].user_id, outputs[i].segment_key,
                        outputs[i].shadow, outputs[i].at_ms);
}

/* ---- the change ---------------------------------------------------------- */

/* Move all users, in slices between which some are written. */
static int adopt(struct drive *d, struct seg_engine *engine, uint32_t variant)
{
    int more;
    while ((more = seg_engine_adopt(engine, d->engine, d->positions,
                                    1 + (int)(variant & 3))) > 0)
        if (drive_flush(d, variant >> 2 & 1) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
    if (more < 0)
        return drive_fail(d, "seg_engine_adopt: %s", seg_error_name(more));
    return drive_replace(d, engine);
}

/* Engine and catalogue record of the catalogue now in force in D. */
static int change_engine(struct drive *d, const struct step *step)
{
    struct seg_engine *engine;
    if (step->variant & STEP_WHILE_DOWN) {
        /* How far it is warm by the clock is known to who writes the record. */
        if (drive_write_catalogue(d) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
        engine = drive_restored(d, step->variant);
        if (!engine || drive_replace(d, engine) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
        return drive_write_catalogue(d);
    }
    engine = drive_new_engine(d, seg_engine_clock(d->engine), step->variant);
    if (adopt(d, engine, step->variant) != DRIVE_SAME) {
        if (engine != d->engine)
            seg_engine_free(engine);
        return DRIVE_DIFFERENT;
    }
    return drive_write_catalogue(d);
}

int drive_change(struct drive *d, const struct step *step)
{
    const struct seg_catalogue *next = d->versions[step->catalogue].catalogue;
    if (!strcmp(seg_catalogue_hash(next), seg_catalogue_hash(d->catalogue)))
        return DRIVE_SAME; /* Nothing has changed but words. */
    if (drive_set_version(d, step->catalogue) < 0 ||
        change_engine(d, step) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    oracle_change_catalogue(d->oracle, d->rules);
    d->changed = d->step + 1;
    if (d->stats && step->variant & STEP_WHILE_DOWN)
        d->stats->changes_down++;
    if (drive_compare_state(d, 1) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    return drive_compare_effects(d);
}

/* ---- the sweep ----------------------------------------------------------- */

int drive_sweep(struct drive *d, uint32_t users)
{
    uint32_t from = d->engine->observed.swept_users;
    int most = users > 1000 ? 1000 : (int)users;
    int more = seg_engine_sweep(d->engine, most), swept;
    if (more < 0)
        return drive_fail(d, "seg_engine_sweep: %s", seg_error_name(more));
    drive_hint(d);
    swept = seg_engine_swept(d->engine);
    if (swept == more)
        return drive_fail(d, "the sweep is done %d, but says %d", swept, more);
    for (uint32_t i = from; i < d->engine->observed.swept_users; i++)
        oracle_sweep(d->oracle, user_id(store_at(&d->engine->store, i)));
    if (swept && oracle_unswept(d->oracle))
        return drive_fail(d, "the sweep is done without %d users",
                          oracle_unswept(d->oracle));
    if (swept && drive_write_catalogue(d) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    return drive_compare_effects(d);
}
