/* flush.c: bounds of dirty generations.
 *
 * A generation is closed, and the next one bound to the marks of that moment,
 * only right after a commit: the marks are then a cut that Kafka knows. Users
 * that become dirty later have everything up to the bound in their last record,
 * or were clean; so a restore that starts at the bound of the oldest dirty user
 * sees whatever their records lack. A bound that is too low is harmless (the
 * redo is longer), one that is too high loses events.
 *
 * Closing at every commit would make many bounds; a thirty-second part of the
 * flush interval is fine enough. If FLUSH_BOUNDS_MAX do not suffice because
 * users wait long, the current generation just stays open. */
#include "daemon/protocol/flush.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/protocol/ledger.h"
#include "daemon/protocol/mutation.h"
#include "lib/base/text.h"

enum { BOUNDS_PER_INTERVAL = 32 };

int flush_init(struct flush *flush, int inputs)
{
    size_t marks = (size_t)(inputs + META_OUTPUTS);

    memset(flush, 0, sizeof(*flush));
    flush->marks = calloc(marks * FLUSH_BOUNDS_MAX, sizeof(*flush->marks));
    if (!flush->marks)
        return SEG_ERR_NOMEM;
    for (size_t i = 0; i < FLUSH_BOUNDS_MAX; i++)
        flush->bounds[i].marks = flush->marks + i * marks;
    return 0;
}

void flush_done(struct flush *flush)
{
    free(flush->marks);
    flush->marks = NULL;
}

static void set_bound(const struct ledger *ledger, struct flush_bound *bound,
                      const struct meta_mark *inputs,
                      const struct meta_mark *outputs)
{
    size_t count = (size_t)ledger->options->input_count;

    memcpy(bound->marks, inputs, count * sizeof(*inputs));
    memcpy(bound->marks + count, outputs, META_OUTPUTS * sizeof(*outputs));
}

static struct flush_bound *newest(struct flush *flush)
{
    return &flush->bounds[flush->count - 1];
}

/* Close the current generation; the next is bound by the ledger's marks. */
static void open_generation(struct ledger *ledger, int64_t now_ms)
{
    struct flush *flush = &ledger->flush;
    struct flush_bound *bound = &flush->bounds[flush->count++];

    bound->generation = seg_engine_generation(ledger->engine);
    bound->since_ms = now_ms;
    set_bound(ledger, bound, ledger->inputs, ledger->outputs);
}

void flush_start(struct ledger *ledger, const struct meta_mark *inputs,
                 const struct meta_mark *outputs, int64_t now_ms)
{
    struct flush *flush = &ledger->flush;

    flush->count = 1;
    flush->bounds[0].generation = 1;
    flush->bounds[0].since_ms = now_ms - ledger->options->flush_interval_ms;
    set_bound(ledger, &flush->bounds[0], inputs, outputs);
    flush->meta_ms = now_ms;
    flush->asking = 0;
    for (int i = 0; i < META_OUTPUTS; i++)
        flush->ends[i] = -1;
    if (MUTATED(RESTORED_DIRTY_SINCE_NOW))
        set_bound(ledger, &flush->bounds[0], ledger->inputs, ledger->outputs);
    open_generation(ledger, now_ms);
}

/* The bound of GENERATION, which is 0 if nobody is dirty: NULL then. */
static const struct flush_bound *find(const struct flush *flush,
                                      uint64_t generation)
{
    if (!generation)
        return NULL;
    for (int i = 0; i < flush->count; i++)
        if (flush->bounds[i].generation == generation)
            return &flush->bounds[i];
    assert(!"a dirty user's generation has a bound");
    return NULL;
}

/* Forget bounds of generations that have no dirty users any more. */
static void trim(struct flush *flush, uint64_t oldest)
{
    int gone = 0;
    struct meta_mark *marks;

    while (gone < flush->count - 1 &&
           (!oldest || flush->bounds[gone].generation < oldest))
        gone++;
    for (int i = 0; gone && i < flush->count - gone; i++) {
        marks = flush->bounds[i].marks; /* Rooms change places. */
        flush->bounds[i] = flush->bounds[i + gone];
        flush->bounds[i + gone].marks = marks;
    }
    flush->count -= gone;
}

/* When the users of BOUND are to be written. */
static int64_t due_ms(const struct ledger *ledger,
                      const struct flush_bound *bound)
{
    return bound ? bound->since_ms + ledger->options->flush_interval_ms
                 : SEG_NEVER;
}

int64_t flush_due_ms(const struct ledger *ledger)
{
    const struct flush *flush = &ledger->flush;

    if (!ledger->engine)
        return SEG_NEVER;
    if (flush->meta_due)
        return INT64_MIN;
    return due_ms(ledger,
                  find(flush, seg_engine_dirty_since(ledger->engine, 0)));
}

uint32_t flush_count(const struct ledger *ledger, int64_t now_ms, int all)
{
    uint32_t dirty = seg_engine_dirty_count(ledger->engine);
    uint32_t low = 0, high, middle;

    if (dirty > ledger->options->users_per_flush)
        dirty = ledger->options->users_per_flush;
    if (all || !ledger->options->flush_interval_ms)
        return dirty;
    /* The first of the queue that is not due: dates grow along it. */
    for (high = dirty; low < high;) {
        middle = low + (high - low) / 2;
        if (due_ms(ledger, find(&ledger->flush, seg_engine_dirty_since(
                                                    ledger->engine, middle))) <=
            now_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- the meta record --------------------------------------------------- */

/* The mark of output I when nobody stays dirty: as far as we know that all is
 * folded. */
static struct meta_mark end_of_output(const struct ledger *ledger, int i)
{
    struct meta_mark mark = ledger->outputs[i];

    if (mark.position < ledger->flush.ends[i])
        mark.position = ledger->flush.ends[i];
    return mark;
}

void flush_meta(const struct ledger *ledger, uint32_t count,
                const struct meta_offsets *offsets, struct meta *meta)
{
    const struct ledger_options *options = ledger->options;
    const struct flush_bound *bound =
        find(&ledger->flush, seg_engine_dirty_since(ledger->engine, count));
    int n = options->input_count;

    if (MUTATED(BOUNDS_TAKEN_AFTER))
        bound = NULL;
    memset(meta, 0, sizeof(*meta));
    meta->version = ledger->state_version;
    meta->incarnation = ledger->incarnation;
    meta->offsets = *offsets;
    memcpy(meta->catalogue, seg_catalogue_hash(ledger->catalogue), 9);
    meta->swept = seg_engine_swept(ledger->engine);
    meta->latest_ms = seg_engine_latest(ledger->engine);
    meta->input_count = n;
    for (int i = 0; i < n; i++)
        meta->inputs[i] = (struct meta_input){
            text_of(options->inputs[i].topic), ledger->inputs[i].position,
            bound ? bound->marks[i] : ledger->inputs[i], ledger->bad[i]};
    for (int i = 0; i < META_OUTPUTS; i++)
        meta->outputs[i] = (struct meta_output){
            bound ? bound->marks[n + i] : end_of_output(ledger, i),
            ledger->outputs[i].position, ledger->outbox.topics[meta_topic(i)]};
}

void flush_committed(struct ledger *ledger, uint32_t count, int with_meta,
                     int64_t now_ms)
{
    struct flush *flush = &ledger->flush;
    struct seg_engine *engine = ledger->engine;
    int64_t step_ms = ledger->options->flush_interval_ms / BOUNDS_PER_INTERVAL;
    uint32_t dirty;
    uint64_t last;

    if (count)
        seg_engine_flushed(engine, count);
    if (with_meta) {
        for (int i = 0; i < META_OUTPUTS; i++) {
            ledger->outputs[i] = end_of_output(ledger, i);
            flush->ends[i] = -1;
        }
        flush->meta_due = 0;
        flush->meta_ms = now_ms;
        flush->asking = 0; /* An answer still to come is of a time gone by. */
    }
    trim(flush, seg_engine_dirty_since(engine, 0));
    dirty = seg_engine_dirty_count(engine);
    last = dirty ? seg_engine_dirty_since(engine, dirty - 1) : 0;
    if (last != newest(flush)->generation) {
        /* Nobody is bound by the newest yet: let it keep up. */
        set_bound(ledger, newest(flush), ledger->inputs, ledger->outputs);
        newest(flush)->since_ms = now_ms;
    } else if (flush->count < FLUSH_BOUNDS_MAX &&
               now_ms - newest(flush)->since_ms >= step_ms) {
        open_generation(ledger, now_ms);
    }
}

/* ---- a quiet partition ------------------------------------------------- */

void flush_refresh(struct ledger *ledger, struct broker *broker, int64_t now_ms)
{
    struct flush *flush = &ledger->flush;
    int64_t low, high;

    if (now_ms - flush->meta_ms < ledger->options->refresh_ms ||
        flush->meta_due || MUTATED(QUIET_META_AGES))
        return;
    for (int i = 0; !flush->asking && i < META_OUTPUTS; i++) {
        flush->questions[i] = broker_question(broker);
        flush->ends[i] = -1;
    }
    flush->asking = 1;
    for (int i = 0; i < META_OUTPUTS; i++)
        if (flush->ends[i] < 0 &&
            broker->watermarks(broker->impl, flush->questions[i], meta_topic(i),
                               ledger->partition, &low, &high) == BROKER_OK)
            flush->ends[i] = high;
    for (int i = 0; i < META_OUTPUTS; i++)
        if (flush->ends[i] < 0)
            return;
    flush->asking = 0;
    flush->meta_due = 1;
}
