/* oracle_observe.c: since when what a condition measures is read.
 *
 * What a leaf measures is named by its one spelling: the event with its `where`
 * and the window, or the path. It is read since the catalogue change (its
 * *generation*) from which on every catalogue has had it. Of a window that ends
 * now only so many of the newest events are kept as the greatest number that
 * its catalogue compares their count with: a greater one is read anew, but
 * those that were kept are there. Where all of them are kept, beyond the number
 * that is kept exactly, that is another thing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/segment/format.h"
#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

#define KEPT_EXACTLY 257 /* Events: `at most 256 times` asks for one more. */

/* ---- what is read since when --------------------------------------------- */

/* What it is made of, whatever it is called. */
static void spell_score(struct buf *to, const struct rule_score *score)
{
    buf_printf(to, "score %lld", (long long)score->half_life_ms);
    for (int i = 0; i < score->weight_count; i++) {
        buf_printf(to, ", %lld ", (long long)score->weights[i].weight);
        format_event(to, &score->weights[i].event, FORMAT_LIST_VALUES);
    }
}

static char *spelling_of_measure(const struct oracle *o,
                                 const struct rule_measure *measure)
{
    struct buf text;
    buf_init(&text);
    measure = oracle_resolve(o, measure);
    if (measure->kind == MEASURE_SCORE)
        spell_score(&text, &o->rules->scores[measure->definition]);
    else
        format_measure(&text, measure, FORMAT_LIST_VALUES);
    return buf_take(&text);
}

static int cond_looks_inside(const struct rule_cond *cond,
                             const struct path *path)
{
    int found = cond->kind == COND_PATH && cond->test.op == OP_HAS_ONE &&
                path_equal(&cond->path, path);
    for (int i = 0; i < cond->count; i++)
        found |= cond_looks_inside(cond->children[i], path);
    return found;
}

/* Whether some condition looks into the objects at PATH: only then are they
 * kept, and it is another thing that is kept. */
static int looks_inside(const struct oracle *o, const struct path *path)
{
    int found = 0;
    for (int i = 0; i < o->rules->segment_count; i++) {
        const struct rule_segment *segment = &o->rules->segments[i];
        found |= segment->when && cond_looks_inside(segment->when, path);
        found |= segment->until && cond_looks_inside(segment->until, path);
    }
    return found;
}

static char *spelling_of_path(const struct oracle *o, const struct path *path)
{
    struct buf text;
    buf_init(&text);
    format_path(&text, path);
    buf_str(&text, looks_inside(o, path) ? " whole" : "");
    return buf_take(&text);
}

/* Of a shadow another than of the segment when it is published. */
static void watch_name(struct buf *to, const struct rule_segment *segment)
{
    buf_printf(to, "watch %s%s", segment->key.bytes,
               segment->shadow ? " shadow" : "");
}

static char *spelling(const struct oracle *o, const struct rule_cond *leaf)
{
    static const struct seg_text name = {"name", 4};
    struct rule_measure as = {.event = leaf->event, .window = leaf->window};
    struct buf text;
    if (leaf->kind == COND_MEASURE)
        return spelling_of_measure(o, &leaf->measure);
    if (leaf->kind == COND_PATH)
        return spelling_of_path(o, &leaf->path);
    as.kind = leaf->kind == COND_LATEST ? MEASURE_LAST : MEASURE_COUNT;
    as.path = (struct path){PATH_EVENT, 1, &name};
    if (leaf->kind == COND_LATEST ||
        (leaf->kind == COND_DID && !leaf->times.period_ms))
        return spelling_of_measure(o, &as);
    buf_init(&text);
    if (leaf->kind == COND_ENTERED || leaf->kind == COND_LEFT) {
        watch_name(&text, &o->rules->segments[leaf->segment]);
    } else {
        format_cond(&text, leaf, FORMAT_LIST_VALUES);
    }
    return buf_take(&text);
}

struct oracle_side oracle_side_of_measure(const struct oracle *o,
                                          const struct rule_measure *measure)
{
    measure = oracle_resolve(o, measure);
    struct oracle_side side = {.event = &measure->event,
                               .window = &measure->window,
                               .kind = measure->kind,
                               .counts = measure->kind == MEASURE_COUNT,
                               .from_ms = INT64_MAX,
                               .after_ms = INT64_MIN};
    if (measure->kind == MEASURE_SCORE) {
        side.event = NULL;
        side.from_ms = o->rules->scores[measure->definition].half_life_ms *
                       (MUTATED(WARM_SCORE) ? 32 : 64);
    }
    if (side.window->kind == WINDOW_IN || side.window->kind == WINDOW_FROM_TO)
        side.from_ms = side.window->from_ms;
    if (side.window->kind == WINDOW_SINCE ||
        side.window->kind == WINDOW_BETWEEN)
        side.after_ms = side.window->dates[0].value.as.integer;
    return side;
}

struct oracle_side oracle_side_of(const struct oracle *o,
                                  const struct rule_cond *leaf)
{
    struct rule_measure as = {.kind = leaf->kind == COND_LATEST ? MEASURE_LAST
                                                                : MEASURE_COUNT,
                              .window = leaf->window};
    if (leaf->kind == COND_MEASURE)
        return oracle_side_of_measure(o, &leaf->measure);
    struct oracle_side side = oracle_side_of_measure(o, &as);
    side.event = &leaf->event;
    side.window = &leaf->window;
    side.counts = leaf->kind == COND_DID && !leaf->times.period_ms;
    if (leaf->times.period_ms)
        side.from_ms = leaf->times.period_ms *
                       (MUTATED(WARM_HABIT) ? 1 : leaf->times.periods);
    return side;
}

static struct oracle_source *find_source(struct oracle_source *sources,
                                         int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(sources[i].text, text))
            return &sources[i];
    return NULL;
}

/* TEXT, which is taken, as the name of something else. */
static char *all_of(char *text)
{
    struct buf name;
    buf_init(&name);
    buf_printf(&name, "all of %s", text);
    free(text);
    return buf_take(&name);
}

/* WHAT is measured, under the name TEXT, which is taken; of a number of events
 * in a window that ends now MOST are kept. */
static void add_source(struct oracle *o, const void *what, char *text,
                       const struct oracle_side *side, int64_t most)
{
    int kept = side && side->counts && side->window->kind == WINDOW_IN;
    if (kept && most > KEPT_EXACTLY)
        text = all_of(text);
    struct oracle_source *source =
        find_source(o->sources, o->source_count, text);
    if (!source) {
        o->sources =
            oracle_grow(o->sources, &o->source_cap, (size_t)o->source_count + 1,
                        sizeof(*o->sources));
        source = &o->sources[o->source_count++];
        *source = (struct oracle_source){.text = text};
    } else {
        free(text);
    }
    if (kept) {
        source->from_ms = side->from_ms;
        source->most = most > source->most ? most : source->most;
        source->most = source->most > 1 ? source->most : 1;
    }
    o->leaves = oracle_grow(o->leaves, &o->leaf_cap, (size_t)o->leaf_count + 1,
                            sizeof(*o->leaves));
    o->leaves[o->leaf_count++] =
        (struct oracle_leaf){what, (int)(source - o->sources)};
}

static void add_measure(struct oracle *o, const struct rule_measure *measure)
{
    const struct oracle_side side = oracle_side_of_measure(o, measure);
    add_source(o, measure, spelling_of_measure(o, measure), &side, INT64_MAX);
}

static void add_leaf(struct oracle *o, const struct rule_cond *leaf)
{
    struct oracle_side side;
    switch (leaf->kind) {
    case COND_COMPARE:
        add_measure(o, &leaf->measure);
        add_measure(o, leaf->other);
        return;
    case COND_PATH:
    case COND_ENTERED:
    case COND_LEFT:
        add_source(o, leaf, spelling(o, leaf), NULL, 0);
        return;
    case COND_DID:
    case COND_SEQUENCE:
    case COND_LATEST:
    case COND_MEASURE:
        side = oracle_side_of(o, leaf);
        add_source(o, leaf, spelling(o, leaf), &side,
                   side.counts ? oracle_shown_most(leaf) : 0);
        return;
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
    case COND_SHARE:
        return;
    }
}

static void add_property(struct oracle *o, const struct rule_property *property)
{
    if (property->kind == PROPERTY_MEASURE)
        add_measure(o, property->measure);
    if (property->kind == PROPERTY_PATH)
        add_source(o, &property->path, spelling_of_path(o, &property->path),
                   NULL, 0);
}

static void add_triggers(struct oracle *o, const struct rule_segment *segment)
{
    for (int i = 0; i < segment->trigger_count; i++)
        for (int p = 0; p < segment->triggers[i].property_count; p++)
            add_property(o, &segment->triggers[i].properties[p]);
}

static void add_leaves(struct oracle *o, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        add_leaves(o, cond->children[i]);
    add_leaf(o, cond);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct oracle_leaf *)a)->what;
    uintptr_t y = (uintptr_t)((const struct oracle_leaf *)b)->what;
    return (x > y) - (x < y);
}

static void free_sources(struct oracle_source *sources, int count)
{
    for (int i = 0; i < count; i++)
        free(sources[i].text);
    free(sources);
}

/* SOURCE was read BEFORE, if that is not NULL. */
static void read_on(const struct oracle *o, struct oracle_source *source,
                    const struct oracle_source *before)
{
    source->since = MUTATED(WARM_OFF) ? 0 : o->generation;
    if (!before)
        return;
    if (before->most >= source->most || MUTATED(WARM_GREATER)) {
        source->since = before->since;
        source->kept = before->kept;
        return;
    }
    int over = !before->since ||
               o->since_ms[before->since] + source->from_ms <= o->clock_ms;
    source->kept = before->most;
    if (!over && before->kept < before->most)
        source->kept = before->kept;
    if (MUTATED(WARM_KEPT))
        source->kept = 0;
}

void oracle_warming_read(struct oracle *o)
{
    struct oracle_source *old = o->sources;
    int old_count = o->source_count;
    o->sources = NULL;
    o->source_count = o->leaf_count = 0;
    o->source_cap = 0;
    for (int i = 0; i < o->rules->segment_count; i++) {
        const struct rule_segment *segment = &o->rules->segments[i];
        if (segment->when)
            add_leaves(o, segment->when);
        if (segment->until)
            add_leaves(o, segment->until);
        add_triggers(o, segment);
    }
    for (int i = 0; i < o->rules->trait_count; i++)
        add_measure(o, &o->rules->traits[i].measure);
    if (o->leaf_count)
        qsort(o->leaves, (size_t)o->leaf_count, sizeof(*o->leaves), by_address);
    for (int i = 0; i < o->source_count; i++) {
        struct oracle_source *source = &o->sources[i];
        const struct oracle_source *before =
            find_source(old, old_count, source->text);
        read_on(o, source, before);
    }
    free_sources(old, old_count);
}

void oracle_warming_forget(struct oracle *o)
{
    static const char watch[] = "watch ";
    for (int i = 0; i < o->source_count; i++) {
        struct oracle_source *source = &o->sources[i];
        if (strncmp(source->text, watch, sizeof(watch) - 1) != 0)
            source->since = 0;
    }
}

void oracle_warming_done(struct oracle *o)
{
    free_sources(o->sources, o->source_count);
    free(o->leaves);
    free(o->since_ms);
}

const struct oracle_source *oracle_warming_source(const struct oracle *o,
                                                  const void *what)
{
    struct oracle_leaf key = {what, 0};
    if (!o->generation || !o->leaf_count)
        return NULL;
    const struct oracle_leaf *found = bsearch(
        &key, o->leaves, (size_t)o->leaf_count, sizeof(key), by_address);
    return found && o->sources[found->source].since ? &o->sources[found->source]
                                                    : NULL;
}

static const struct oracle_source *watch_of(const struct oracle *o, int index)
{
    struct buf name;
    buf_init(&name);
    watch_name(&name, &o->rules->segments[index]);
    const struct oracle_source *source =
        find_source(o->sources, o->source_count, buf_string(&name));
    buf_done(&name);
    return source;
}

int oracle_warming_watches(const struct oracle *o, int index)
{
    const struct oracle_source *source = watch_of(o, index);
    return source && (!source->since || source->since < o->generation);
}

int oracle_warming_hides(const struct oracle *o, const struct oracle_user *user,
                         int index, int64_t at_ms)
{
    const struct oracle_source *source = watch_of(o, index);
    return source && source->since && user->generation < source->since &&
           at_ms <= o->since_ms[source->since];
}
