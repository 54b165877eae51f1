/* drive_restore.c: engines that end and come back.
 *
 * The state topic is played by drive->records, the output topics by drive->log,
 * the input topics by the steps of the history. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/model/drive_inside.h"

static struct drive_record *find_record(struct drive *d, struct seg_text id)
{
    for (int i = 0; i < d->record_count; i++)
        if (text_equal(d->records[i].user_id, id))
            return &d->records[i];
    if ((size_t)d->record_count == d->record_cap) {
        d->record_cap = d->record_cap ? 2 * d->record_cap : 8;
        d->records = realloc(d->records, d->record_cap * sizeof(*d->records));
        assert(d->records);
    }
    struct drive_record *r = &d->records[d->record_count++];
    *r = (struct drive_record){.user_id = arena_text(&d->arena, id)};
    return r;
}

/* Write the records of the oldest COUNT dirty users. */
static int write_records(struct drive *d, uint32_t count)
{
    d->latest_ms = seg_engine_latest(d->engine);
    for (uint32_t i = 0; i < count; i++) {
        struct seg_text id, record;
        if (seg_engine_dirty_record(d->engine, i, d->positions, &id, &record) <
            0)
            return drive_fail(d, "seg_engine_dirty_record %u of %u fails", i,
                              count);
        struct drive_record *r = find_record(d, id);
        r->record = arena_text(&d->arena, record);
        r->step = d->step;
        r->log_count = d->log.count;
    }
    return DRIVE_SAME;
}

int drive_flush(struct drive *d, uint32_t count)
{
    uint32_t dirty = seg_engine_dirty_count(d->engine);
    uint64_t generation = seg_engine_dirty_since(d->engine, 0);
    if ((dirty > 0) != (generation > 0))
        return drive_fail(d, "%u dirty users since generation %llu", dirty,
                          (unsigned long long)generation);
    if (dirty > 1 && seg_engine_dirty_since(d->engine, dirty - 1) < generation)
        return drive_fail(d, "generations of dirty users fall");
    count = count < dirty ? count : dirty;
    if (write_records(d, count) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    seg_engine_flushed(d->engine, count);
    if (seg_engine_dirty_count(d->engine) != dirty - count)
        return drive_fail(d, "%u users are dirty after %u of %u were flushed",
                          seg_engine_dirty_count(d->engine), count, dirty);
    seg_engine_generation(d->engine);
    return DRIVE_SAME;
}

/* ---- the steps of a restore, as in daemon/protocol/restore.h ------------- */

int drive_write_catalogue(struct drive *d)
{
    struct seg_text record;
    if (seg_engine_catalogue_record(d->engine, &record) < 0)
        return drive_fail(d, "seg_engine_catalogue_record fails");
    d->catalogue_record = arena_text(&d->arena, record);
    return DRIVE_SAME;
}

static int restore_catalogue(struct drive *d, struct seg_engine *engine)
{
    struct seg_error error;
    if (seg_engine_restore_catalogue(engine, d->catalogue_record.bytes,
                                     d->catalogue_record.len, d->positions,
                                     d->latest_ms, &error) < 0)
        return drive_fail(d, "seg_engine_restore_catalogue: %s", error.message);
    return DRIVE_SAME;
}

static int restore_users(struct drive *d, struct seg_engine *engine,
                         uint32_t variant)
{
    struct seg_error error;
    if (d->stats)
        d->stats->mid_sweep += oracle_unswept(d->oracle) > 0;
    for (int i = 0; i < d->record_count; i++) {
        uint32_t n = ((uint32_t)i + variant) % (uint32_t)d->record_count;
        struct seg_text record = d->records[n].record;
        if (seg_engine_restore_user(engine, record.bytes, record.len, &error) <
            0)
            return drive_fail(d, "seg_engine_restore_user: %s", error.message);
    }
    return restore_catalogue(d, engine);
}

static struct seg_restored restored(const struct effect *e)
{
    return (struct seg_restored){
        .user_id = e->user_id,
        .segment = e->key,
        .trigger = e->trigger_name,
        .member = e->member,
        .seq = e->seq,
        .at_ms = e->at_ms,
        .entered_at_ms = e->entered_at_ms,
    };
}

/* Changes (or triggers) from the FROM-th effect on. */
static int restore_effects(struct drive *d, struct seg_engine *engine,
                           size_t from, int triggers)
{
    struct seg_error error;
    for (size_t i = from; i < d->log.count; i++) {
        const struct effect *e = &d->log.items[i];
        struct seg_restored r = restored(e);
        if ((e->kind == SEG_OUTPUT_TRIGGER) != triggers)
            continue;
        int result = triggers ? seg_engine_restore_trigger(engine, &r, &error)
                              : seg_engine_restore_change(engine, &r, &error);
        if (result < 0)
            return drive_fail(d, "restoring effect %zu: %s", i, error.message);
    }
    return DRIVE_SAME;
}

static int redo(struct drive *d, struct seg_engine *engine, int from)
{
    struct seg_event event;
    struct seg_origin origin;
    for (int i = from; i < d->step; i++) {
        const struct step *step = &d->history->steps[i];
        if (step->kind != STEP_MESSAGE || d->refused[i] ||
            drive_decode(d, step, &event, &origin) < 0)
            continue;
        int result = seg_engine_redo(engine, &event, &origin);
        seg_decoder_reset(d->decoder);
        if (result < 0)
            return drive_fail(d, "seg_engine_redo of step %d: %s", i,
                              seg_error_name(result));
        if (d->stats)
            d->stats->redone++;
    }
    return DRIVE_SAME;
}

/* Judge all who must be; there is nothing to repair. */
static int finish(struct drive *d, struct seg_engine *engine, int work)
{
    struct seg_engine_stats stats;
    int64_t clock_ms = seg_engine_clock(d->engine);
    size_t count, repairs = 0;
    int more, turns = 0;
    while ((more = seg_engine_restore_finish(engine, clock_ms, work)) > 0)
        if (++turns > 10000)
            return drive_fail(d, "seg_engine_restore_finish does not end");
    seg_engine_stats(engine, &stats);
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    if (more < 0)
        return drive_fail(d, "seg_engine_restore_finish: %s",
                          seg_error_name(more));
    for (size_t i = 0; i < count; i++) /* Traits may be told again. */
        repairs += outputs[i].kind != SEG_OUTPUT_TRAITS;
    if (repairs)
        return drive_fail(d, "restore repairs %zu: %.*s %s %.*s", repairs,
                          (int)outputs[0].user_id.len, outputs[0].user_id.bytes,
                          outputs[0].member ? "enters" : "exits",
                          (int)outputs[0].segment_key.len,
                          outputs[0].segment_key.bytes);
    if (stats.repairs)
        return drive_fail(d, "restore counts repairs");
    return DRIVE_SAME;
}

int drive_replace(struct drive *d, struct seg_engine *engine)
{
    int64_t clock_ms = seg_engine_clock(d->engine);
    seg_engine_free(d->engine);
    d->engine = engine;
    seg_engine_set_wall(engine, d->wall_ms);
    if (seg_engine_clock(engine) != clock_ms)
        return drive_fail(d, "the clock of a restored engine is wrong");
    return DRIVE_SAME;
}

static int export_all(struct drive *d, uint32_t variant)
{
    if (d->stats)
        d->stats->exports++;
    if (write_records(d, seg_engine_dirty_count(d->engine)) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    struct seg_engine *engine =
        drive_new_engine(d, seg_engine_clock(d->engine), variant);
    if (restore_users(d, engine, variant) != DRIVE_SAME ||
        finish(d, engine, (int)(variant >> 8) % 5 + 1) != DRIVE_SAME) {
        seg_engine_free(engine);
        return DRIVE_DIFFERENT;
    }
    return drive_replace(d, engine);
}

/* The earliest step and effect that some user's record lacks. */
static void lower_bounds(const struct drive *d, int *step, size_t *effect)
{
    *step = d->step;
    *effect = d->log.count;
    if (d->record_count < oracle_user_count(d->oracle))
        *step = 0, *effect = 0;
    for (int i = 0; i < d->record_count; i++) {
        if (d->records[i].step < *step)
            *step = d->records[i].step;
        if (d->records[i].log_count < *effect)
            *effect = d->records[i].log_count;
    }
}

struct seg_engine *drive_restored(struct drive *d, uint32_t variant)
{
    int from;
    size_t effect;
    lower_bounds(d, &from, &effect);
    if (d->stats) {
        d->stats->redos++;
        d->stats->across += d->changed && from < d->changed;
    }
    if (variant & 1)
        from = 0, effect = 0;
    struct seg_engine *engine =
        drive_new_engine(d, seg_engine_clock(d->engine), variant);
    if (restore_users(d, engine, variant >> 4) != DRIVE_SAME ||
        restore_effects(d, engine, effect, 0) != DRIVE_SAME ||
        restore_effects(d, engine, effect, 1) != DRIVE_SAME ||
        redo(d, engine, from) != DRIVE_SAME ||
        finish(d, engine, (int)(variant >> 8) % 5 + 1) != DRIVE_SAME) {
        seg_engine_free(engine);
        return NULL;
    }
    return engine;
}

static int redo_all(struct drive *d, uint32_t variant)
{
    struct seg_engine *engine = drive_restored(d, variant);
    return engine ? drive_replace(d, engine) : DRIVE_DIFFERENT;
}

/* ---- steps --------------------------------------------------------------- */

static int compare_restored(struct drive *d)
{
    if (drive_is_dense(d))
        return drive_dense(d);
    if (drive_compare_state(d, 1) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    return drive_compare_effects(d);
}

int drive_export(struct drive *d, uint32_t variant)
{
    int result = export_all(d, variant);
    return result == DRIVE_SAME ? compare_restored(d) : result;
}

int drive_redo(struct drive *d, uint32_t variant)
{
    int result = redo_all(d, variant);
    return result == DRIVE_SAME ? compare_restored(d) : result;
}

int drive_restart(struct drive *d, uint32_t variant)
{
    if (d->stats)
        d->stats->halfway++;
    drive_carry(d);
    return variant & 2 ? export_all(d, variant >> 2)
                       : redo_all(d, variant >> 2);
}
