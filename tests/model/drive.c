/* drive.c: the steps of a case. See drive.h. */
#include "tests/model/drive.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/segment/check.h"
#include "lib/segment/parse.h"
#include "tests/model/drive_inside.h"
#include "tests/model/mutant.h"

#define EDGES_MAX 240 /* Stops on the way of one advance. */

/* ---- begin and end ------------------------------------------------------- */

struct seg_engine *drive_new_engine(const struct drive *d, int64_t clock_ms,
                                    uint64_t hash_seed)
{
    const char *topics[WORLD_TOPICS_MAX];
    struct seg_engine *engine = NULL;
    for (int i = 0; i < d->history->topic_count; i++)
        topics[i] = world_topic(i);
    struct seg_engine_options options = {
        .catalogue = d->catalogue,
        .topic_count = d->history->topic_count,
        .topics = topics,
        .hash_seed = hash_seed,
        .clock_ms = clock_ms,
        .trigger_max_age_ms = d->history->trigger_max_age_ms,
        .user_bytes_max = d->history->user_bytes_max,
        .attribute_bytes = d->history->catalogue_count > 1 ? 1 << 16 : 0,
    };
    int result = seg_engine_new(&engine, &options);
    assert(result == 0);
    return engine;
}

static void print_diagnostics(const struct seg_diagnostics *diagnostics)
{
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        char *text = seg_diagnostic_text(one);
        if (one->severity == SEG_SEVERITY_ERROR)
            fprintf(stderr, "%s\n", text);
        free(text);
    }
}

static int compile_one(const struct history *h, int number,
                       struct drive_version *version)
{
    struct seg_diagnostics *diagnostics;
    struct buf text;
    buf_init(&text);
    history_catalogue(h, number, &text);
    struct seg_source source = {"model.seg", text.bytes, text.len};
    int result = seg_diagnostics_new(&diagnostics);
    assert(result == 0);
    result = parse_source(&version->rules, &source, diagnostics);
    if (!result)
        result = check_rules(&version->rules, diagnostics);
    if (result)
        print_diagnostics(diagnostics);
    seg_diagnostics_free(diagnostics);
    if (!result) {
        result = seg_diagnostics_new(&diagnostics);
        assert(result == 0);
        result =
            seg_catalogue_compile(&version->catalogue, &source, 1, diagnostics);
        seg_diagnostics_free(diagnostics);
    }
    buf_done(&text);
    return result;
}

static int compile(struct drive *d)
{
    int result = 0;
    for (int i = 0; i < d->history->catalogue_count && !result; i++)
        result = compile_one(d->history, i, &d->versions[i]);
    return result;
}

int drive_set_version(struct drive *d, int number)
{
    d->rules = &d->versions[number].rules;
    d->catalogue = d->versions[number].catalogue;
    seg_decoder_free(d->decoder);
    d->decoder = NULL;
    return seg_decoder_new(&d->decoder, d->catalogue);
}

static int has_restores(const struct history *h)
{
    for (int i = 0; i < h->step_count; i++)
        if (h->steps[i].kind == STEP_EXPORT || h->steps[i].kind == STEP_REDO ||
            (h->steps[i].kind == STEP_CHANGE &&
             h->steps[i].variant & STEP_WHILE_DOWN))
            return 1;
    return 0;
}

static void begin(struct drive *d)
{
    int result = drive_set_version(d, 0);
    assert(result == 0);
    struct oracle_options options = {
        .rules = d->rules,
        .trigger_max_age_ms = d->history->trigger_max_age_ms,
        .probe =
            mutant_on == MUTANT_NONE && !mutant_recording && !drive_is_dense(d),
        .only_listens = drive_is_dense(d),
    };
    d->engine = drive_new_engine(d, 0, d->history->seed);
    d->oracle = oracle_new(&options);
    d->wall_ms = SEG_NEVER;
    d->refused = calloc((size_t)d->history->step_count + 1, 1);
    assert(d->refused);
    drive_write_catalogue(d);
    d->restores = has_restores(d->history) && !drive_is_dense(d);
}

static void end(struct drive *d)
{
    oracle_free(d->oracle);
    seg_engine_free(d->engine);
    seg_decoder_free(d->decoder);
    for (int i = 0; i < d->history->catalogue_count; i++) {
        seg_catalogue_free(d->versions[i].catalogue);
        rules_done(&d->versions[i].rules);
    }
    arena_done(&d->arena);
    drive_traits_done(d);
    free(d->refused);
    free(d->records);
    free(d->log.items);
    free(d->engine_effects.items);
    free(d->oracle_effects.items);
}

/* ---- advance ------------------------------------------------------------- */

/* A lower bound must lie below what really comes next. */
static int check_next_due(struct drive *d)
{
    int64_t due = seg_engine_next_due(d->engine);
    int64_t next = oracle_next_change(d->oracle);
    if (due > next)
        return drive_fail(d, "next due %lld, but a change comes at %lld",
                          (long long)due, (long long)next);
    if (due <= seg_engine_clock(d->engine))
        return drive_fail(d, "next due %lld is not after the clock %lld",
                          (long long)due,
                          (long long)seg_engine_clock(d->engine));
    return DRIVE_SAME;
}

/* Both clocks to TO, the engine's in slices of WORK timers. */
static int advance_both(struct drive *d, int64_t to_ms, int work)
{
    int64_t before = seg_engine_clock(d->engine);
    int more, turns = 0;
    drive_ask_when(d);
    while ((more = seg_engine_advance(d->engine, to_ms, work)) > 0) {
        int64_t clock = seg_engine_clock(d->engine);
        if (clock < before || clock > to_ms || ++turns > 100000)
            return drive_fail(d, "the clock went from %lld to %lld in a slice",
                              (long long)before, (long long)clock);
        if (d->restores && turns == 1 && clock % 4 == 0 &&
            drive_restart(d, (uint32_t)(clock >> 2)) != DRIVE_SAME)
            return DRIVE_DIFFERENT;
        before = clock;
    }
    if (more < 0)
        return drive_fail(d, "seg_engine_advance: %s", seg_error_name(more));
    drive_hint(d);
    oracle_advance(d->oracle, to_ms);
    if (seg_engine_clock(d->engine) != oracle_clock(d->oracle))
        return drive_fail(d, "the clock is %lld, not %lld",
                          (long long)seg_engine_clock(d->engine),
                          (long long)oracle_clock(d->oracle));
    return drive_is_dense(d) ? DRIVE_SAME : drive_compare_effects(d);
}

/* Stop at every edge on the way, 1 ms before and 1 ms after it. */
static int advance_by_edges(struct drive *d, int64_t to_ms, uint32_t variant)
{
    size_t count;
    int64_t *edges = oracle_edges(d->oracle, to_ms, &count);
    size_t stride = count / EDGES_MAX + 1;
    int result = DRIVE_SAME;
    for (size_t i = variant % stride; i < count && result == DRIVE_SAME;
         i += stride) {
        result = advance_both(d, edges[i], 1 + (int)(variant & 7));
        if (result == DRIVE_SAME && i % 64 == 0 && count < 1000)
            result = check_next_due(d);
        if (d->stats)
            d->stats->edges++;
    }
    free(edges);
    return result;
}

static int advance(struct drive *d, const struct step *step)
{
    uint32_t way = step->variant & 3;
    int result = DRIVE_SAME;
    if (step->wall_ms != SEG_NEVER) {
        d->wall_ms = step->wall_ms;
        seg_engine_set_wall(d->engine, step->wall_ms);
        oracle_set_wall(d->oracle, step->wall_ms);
    }
    if (way >= 2 && !drive_is_dense(d))
        result = advance_by_edges(d, step->clock_ms, step->variant >> 2);
    if (result == DRIVE_SAME)
        result = advance_both(d, step->clock_ms,
                              way ? 1 + (int)(step->variant >> 2 & 3) : 10000);
    return result;
}

/* ---- messages ------------------------------------------------------------ */

int drive_decode(struct drive *d, const struct step *step,
                 struct seg_event *event, struct seg_origin *origin)
{
    *origin = (struct seg_origin){step->topic, step->offset, step->record_ms};
    return seg_decode(d->decoder, step->text, strlen(step->text), event, NULL);
}

/* The user would grow too large: nothing has happened, the oracle never hears
 * of it. */
static int refused(struct drive *d, const struct step *step)
{
    d->positions[step->topic] = step->offset + 1;
    if (d->stats)
        d->stats->refused++;
    return drive_compare_effects(d);
}

static int apply(struct drive *d, const struct step *step)
{
    struct seg_event event;
    struct seg_origin origin;
    int got = drive_decode(d, step, &event, &origin);
    if (got >= 0) {
        if (step->variant & 0x100)
            seg_engine_prefetch(d->engine, &event);
        got = seg_engine_apply(d->engine, &event, &origin);
    }
    seg_decoder_reset(d->decoder);
    if (got == SEG_ERR_USER_BYTES && d->history->user_bytes_max) {
        d->refused[d->step] = 1;
        return refused(d, step);
    }
    drive_hint(d);
    int want = oracle_apply(d->oracle, step->text, strlen(step->text),
                            step->topic, step->offset, step->record_ms);
    d->positions[step->topic] = step->offset + 1;
    if (got != want)
        return drive_fail(d, "apply: engine %d %s, oracle %d %s", got,
                          seg_error_name(got), want, seg_error_name(want));
    return drive_is_dense(d) ? DRIVE_SAME : drive_compare_effects(d);
}

/* What went in and out by the engine's own count. */
static int check_stats(struct drive *d)
{
    struct seg_engine_stats got;
    struct oracle_stats want;
    seg_engine_stats(d->engine, &got);
    oracle_stats(d->oracle, &want);
    if (got.duplicates != want.duplicates || got.events != want.messages)
        return drive_fail(d, "the engine counts %llu events, %llu duplicates",
                          (unsigned long long)got.events,
                          (unsigned long long)got.duplicates);
    if (got.time_unreadable != want.time_unreadable ||
        got.time_missing != want.time_missing)
        return drive_fail(d,
                          "the engine counts %llu times missing, "
                          "%llu unreadable",
                          (unsigned long long)got.time_missing,
                          (unsigned long long)got.time_unreadable);
    if (drive_is_dense(d))
        return DRIVE_SAME;
    if (got.entered != want.entered || got.exited != want.exited ||
        got.triggers != want.triggers ||
        got.triggers_suppressed != want.suppressed ||
        got.triggers_cooling != want.cooling)
        return drive_fail(d,
                          "the engine counts %llu entered, %llu exited, "
                          "%llu triggers, %llu suppressed, %llu cooling",
                          (unsigned long long)got.entered,
                          (unsigned long long)got.exited,
                          (unsigned long long)got.triggers,
                          (unsigned long long)got.triggers_suppressed,
                          (unsigned long long)got.triggers_cooling);
    return DRIVE_SAME;
}

/* ---- steps --------------------------------------------------------------- */

static int run_step(struct drive *d, const struct step *step)
{
    int result = DRIVE_SAME;
    switch (step->kind) {
    case STEP_MESSAGE:
        result = advance(d, step);
        return result == DRIVE_SAME ? apply(d, step) : result;
    case STEP_ADVANCE:
        return advance(d, step);
    case STEP_FLUSH:
        return drive_flush(d, step->variant % 4);
    case STEP_EXPORT:
        return drive_export(d, step->variant);
    case STEP_REDO:
        return drive_is_dense(d) ? DRIVE_SAME : drive_redo(d, step->variant);
    case STEP_CHANGE:
        return drive_change(d, step);
    case STEP_SWEEP:
        return drive_sweep(d, step->variant);
    case STEP_BACKFILL:
        return drive_is_dense(d) ? DRIVE_SAME
                                 : drive_backfill(d, step->variant);
    }
    return result;
}

/* What is looked at after a step, rarely all of it. */
static int look(struct drive *d, const struct step *step)
{
    int result = DRIVE_SAME;
    int large =
        d->history->kind == HISTORY_LARGE || d->history->kind == HISTORY_CROWD;
    if (drive_is_dense(d))
        return step->variant % 4 ? DRIVE_SAME : drive_dense(d);
    if (step->variant % (large ? 128 : 8) == 1)
        result = check_next_due(d);
    if (result == DRIVE_SAME)
        result = drive_compare_state(d, step->variant % 16 == 2);
    return result;
}

static void add_stats(struct drive *d)
{
    struct oracle_stats one;
    struct oracle_stats *sum = &d->stats->oracle;
    oracle_stats(d->oracle, &one);
    d->stats->cases++;
    d->stats->users += (uint64_t)oracle_user_count(d->oracle);
    d->stats->segments += (uint64_t)d->rules->segment_count;
    sum->catalogues += one.catalogues;
    sum->swept += one.swept;
    sum->retired += one.retired;
    sum->messages += one.messages;
    sum->duplicates += one.duplicates;
    sum->late += one.late;
    sum->out_of_order += one.out_of_order;
    sum->equal_times += one.equal_times;
    sum->time_missing += one.time_missing;
    sum->time_unreadable += one.time_unreadable;
    sum->clamped += one.clamped;
    sum->from_future += one.from_future;
    sum->entered += one.entered;
    sum->exited += one.exited;
    sum->triggers += one.triggers;
    sum->suppressed += one.suppressed;
    sum->cooling += one.cooling;
}

static int run(struct drive *d)
{
    int result = DRIVE_SAME;
    begin(d);
    for (; d->step < d->history->step_count && result == DRIVE_SAME;
         d->step++) {
        const struct step *step = &d->history->steps[d->step];
        result = run_step(d, step);
        if (result == DRIVE_SAME)
            result = look(d, step);
        if (result != DRIVE_SAME)
            break;
    }
    if (result == DRIVE_SAME && d->history->kind == HISTORY_ORDER)
        result = drive_order(d);
    if (result == DRIVE_SAME && !has_restores(d->history) &&
        !d->history->user_bytes_max)
        result = check_stats(d);
    if (result != DRIVE_SAME && oracle_unsure(d->oracle)) {
        result = DRIVE_SAME; /* One answer is as good as the other. */
        if (d->stats)
            d->stats->unsure++;
    }
    if (d->stats)
        add_stats(d);
    return result;
}

enum drive_result drive_run(const struct history *history,
                            struct drive_stats *stats, char *failure)
{
    struct drive d = {.history = history,
                      .stats = stats,
                      .failure = failure,
                      .latest_ms = INT64_MIN};
    *failure = 0;
    for (int i = 0; i < history->catalogue_count; i++)
        rules_init(&d.versions[i].rules);
    arena_init(&d.arena);
    int result = compile(&d) ? DRIVE_INVALID : run(&d);
    if (result == DRIVE_INVALID)
        snprintf(failure, DRIVE_FAILURE_BYTES, "the catalogue does not check");
    end(&d);
    return (enum drive_result)result;
}
