/* plan_diff.c: what another catalogue changes.
 *
 * Part after part the things of both catalogues are put side by side by their
 * names. Lists, scores and traits come first, for what they change is the reason
 * why a segment means something else whose words are the same; then segments, in
 * the order in which they refer to each other.
 *
 *   old   base, eager, gone        new   base, eager, fresh
 *
 *   base   CHANGED when            fresh  ADDED
 *   eager  THROUGH segment base    gone   REMOVED
 */
#include <stdlib.h>
#include <string.h>

#include <seg/diff.h>
#include <seg/query.h>

#include "lib/base/intern.h"
#include "lib/segment/reference.h"
#include "lib/segment/thing.h"
#include "lib/segment/warming.h"

struct seg_diff {
    struct arena arena;
    struct seg_difference *items;
    int count;
};

/* One part of both. */
struct comparison {
    struct things before, after;
    struct intern old_names, new_names;
    struct seg_difference *items; /* Of the things of AFTER, by their index. */
    struct seg_difference *gone;  /* Then what is removed. */
    int gone_count;
};

struct differ {
    struct seg_diff *diff;
    const struct seg_catalogue *before, *after;
    int64_t at_ms;
    struct comparison parts[SEG_DIFF_PARTS];
    struct warming warming; /* Of what AFTER reads and BEFORE did not. */
};

/* ---- names and fields ---------------------------------------------------- */

static int name_things(struct intern *names, const struct things *things)
{
    uint32_t number;
    for (uint32_t i = 0; i < things->count; i++) {
        const char *name = things->items[i].name;
        if (intern_add(names, (struct seg_text){name, strlen(name)}, &number) <
            0)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

static uint32_t find(const struct intern *names, const char *name)
{
    return intern_find(names, (struct seg_text){name, strlen(name)});
}

static const struct thing nothing;

static struct thing_field field_of(const struct thing *thing, int i)
{
    static const struct thing_field none = {"", "", ""};
    return i < thing->field_count ? thing->fields[i] : none;
}

/* Fill DIFFERENCE with the fields in which OLD and NEW, of which one may be
 * `nothing`, are shown and mean differently. Returns whether they mean
 * differently at all, or SEG_ERR_NOMEM. */
static int compare_fields(struct arena *arena, const struct thing *old,
                          const struct thing *new,
                          struct seg_difference *difference)
{
    struct seg_diff_field *fields =
        arena_calloc(arena, THING_FIELDS_MAX, sizeof(*fields));
    int differs = 0;
    if (!fields)
        return SEG_ERR_NOMEM;
    difference->fields = fields;
    for (int i = 0; i < old->field_count || i < new->field_count; i++) {
        struct thing_field before = field_of(old, i), after = field_of(new, i);
        if (!strcmp(before.meaning, after.meaning))
            continue;
        differs = 1;
        if (strcmp(before.shown, after.shown) != 0)
            fields[difference->field_count++] =
                (struct seg_diff_field){*after.name ? after.name : before.name,
                                        before.shown, after.shown};
    }
    return differs;
}

/* ---- one part ------------------------------------------------------------ */

/* Two things of one name. */
static int compare_things(struct arena *arena, const struct thing *old,
                          const struct thing *new,
                          struct seg_difference *difference)
{
    int differs = compare_fields(arena, old, new, difference);
    if (differs > 0)
        difference->kind =
            difference->field_count ? SEG_DIFF_CHANGED : SEG_DIFF_THROUGH;
    return differs < 0 ? differs : 0;
}

static int compare_new(struct differ *differ, enum seg_diff_part part)
{
    struct comparison *of = &differ->parts[part];
    struct arena *arena = &differ->diff->arena;
    int ret = 0;
    for (uint32_t i = 0; ret >= 0 && i < of->after.count; i++) {
        struct seg_difference *difference = &of->items[i];
        const struct thing *new = &of->after.items[i];
        uint32_t old = find(&of->old_names, new->name);
        difference->part = (int)part;
        difference->name = new->name;
        difference->decides_ms = SEG_DIFF_NEVER;
        difference->kind = old == INTERN_NONE ? SEG_DIFF_ADDED : SEG_DIFF_SAME;
        ret = old == INTERN_NONE
                  ? compare_fields(arena, &nothing, new, difference)
                  : compare_things(arena, &of->before.items[old], new,
                                   difference);
    }
    return ret < 0 ? ret : 0;
}

static int add_gone(struct differ *differ, enum seg_diff_part part)
{
    struct comparison *of = &differ->parts[part];
    int ret = 0;
    for (uint32_t i = 0; ret >= 0 && i < of->before.count; i++) {
        const struct thing *old = &of->before.items[i];
        if (find(&of->new_names, old->name) != INTERN_NONE)
            continue;
        struct seg_difference *difference = &of->gone[of->gone_count++];
        difference->part = (int)part;
        difference->kind = SEG_DIFF_REMOVED;
        difference->name = old->name;
        difference->decides_ms = SEG_DIFF_NEVER;
        ret = compare_fields(&differ->diff->arena, old, &nothing, difference);
    }
    return ret < 0 ? ret : 0;
}

static int compare_part(struct differ *differ, enum seg_diff_part part)
{
    struct comparison *of = &differ->parts[part];
    struct arena *arena = &differ->diff->arena;
    int ret = things_of(&of->before, differ->before, part, arena);
    if (ret == 0)
        ret = things_of(&of->after, differ->after, part, arena);
    if (ret == 0)
        ret = name_things(&of->old_names, &of->before);
    if (ret == 0)
        ret = name_things(&of->new_names, &of->after);
    if (ret < 0)
        return ret;
    of->items = arena_calloc(arena, of->after.count, sizeof(*of->items));
    of->gone = arena_calloc(arena, of->before.count, sizeof(*of->gone));
    if (!of->items || !of->gone)
        return SEG_ERR_NOMEM;
    ret = compare_new(differ, part);
    return ret < 0 ? ret : add_gone(differ, part);
}

/* ---- through what -------------------------------------------------------- */

struct reasons {
    struct differ *differ;
    const char **items;
    int count, cap; /* CAP 0: they are counted. */
};

/* What is referred to is not the same: this is a reason, once. */
static void add_reason(void *arg, enum seg_diff_part part, struct seg_text key)
{
    static const char *const words[] = {[SEG_DIFF_LIST] = "list",
                                        [SEG_DIFF_SCORE] = "score",
                                        [SEG_DIFF_TRAIT] = "trait",
                                        [SEG_DIFF_SEGMENT] = "segment"};
    struct reasons *to = arg;
    const struct comparison *of = &to->differ->parts[part];
    uint32_t number = intern_find(&of->new_names, key);
    if (number == INTERN_NONE || (of->items[number].kind != SEG_DIFF_CHANGED &&
                                  of->items[number].kind != SEG_DIFF_THROUGH))
        return;
    if (!to->cap) {
        to->count++;
        return;
    }
    char *reason =
        arena_printf(&to->differ->diff->arena, "%s %s", words[part], key.bytes);
    for (int i = 0; reason && i < to->count; i++)
        if (!strcmp(to->items[i], reason))
            return;
    if (reason)
        to->items[to->count++] = reason;
}

static void refer(const struct reference_walk *walk,
                  const struct seg_catalogue *catalogue,
                  enum seg_diff_part part, uint32_t i)
{
    const struct plan *plan = &catalogue->plan;
    if (part == SEG_DIFF_SCORE)
        references_of_score(walk, &catalogue->rules.scores[i]);
    else if (part == SEG_DIFF_TRAIT)
        references_of_measure(walk, &plan->traits[i].rule->measure);
    else if (part == SEG_DIFF_SEGMENT)
        references_of_segment(walk, plan->segments[i].rule);
    else if (part == SEG_DIFF_TRIGGER)
        references_of_trigger(walk, plan->triggers[i].rule);
}

/* Why thing I of PART is not what it was, though nobody touched it. */
static int find_reasons(struct differ *differ, enum seg_diff_part part,
                        uint32_t i)
{
    struct reasons reasons = {.differ = differ};
    const struct reference_walk walk = {add_reason, &reasons};
    struct seg_difference *difference = &differ->parts[part].items[i];
    refer(&walk, differ->after, part, i);
    if (!reasons.count || difference->kind == SEG_DIFF_ADDED)
        return 0;
    reasons.cap = reasons.count;
    reasons.count = 0;
    reasons.items = arena_calloc(&differ->diff->arena, (size_t)reasons.cap,
                                 sizeof(*reasons.items));
    if (!reasons.items)
        return SEG_ERR_NOMEM;
    refer(&walk, differ->after, part, i);
    difference->through = reasons.items;
    difference->through_count = reasons.count;
    if (difference->kind == SEG_DIFF_SAME)
        difference->kind = SEG_DIFF_THROUGH;
    return arena_failed(&differ->diff->arena) ? SEG_ERR_NOMEM : 0;
}

/* What lists, scores and traits change is known by what they mean; segments are
 * looked at after those they refer to. */
static int find_all_reasons(struct differ *differ, enum seg_diff_part part)
{
    const struct plan *plan = &differ->after->plan;
    uint32_t count = differ->parts[part].after.count;
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = find_reasons(differ, part,
                           part == SEG_DIFF_SEGMENT ? plan->by_rank[i] : i);
    return ret;
}

/* ---- what is kept of users ----------------------------------------------- */

/* The keys of the segments that read SOURCE of CATALOGUE. */
static int find_readers(struct differ *differ,
                        const struct seg_catalogue *catalogue, uint32_t source,
                        struct seg_difference *difference)
{
    const struct plan *plan = &catalogue->plan;
    const struct number_list *list = &plan->sources[source].segments;
    const char **keys =
        arena_calloc(&differ->diff->arena, list->count, sizeof(*keys));
    if (!keys)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < list->count; i++) {
        const char *key = arena_text(&differ->diff->arena,
                                     plan->segments[list->items[i]].rule->key)
                              .bytes;
        if (!key)
            return SEG_ERR_NOMEM;
        keys[i] = key;
    }
    difference->segments = keys;
    difference->segment_count = (int)list->count;
    return 0;
}

static int find_part_readers(struct differ *differ, enum seg_diff_part part)
{
    struct comparison *of = &differ->parts[part];
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < of->after.count; i++)
        ret = find_readers(differ, differ->after,
                           thing_source(differ->after, part, i), &of->items[i]);
    for (int i = 0; ret == 0 && i < of->gone_count; i++) {
        uint32_t old = find(&of->old_names, of->gone[i].name);
        ret =
            find_readers(differ, differ->before,
                         thing_source(differ->before, part, old), &of->gone[i]);
    }
    return ret;
}

static const char *kept_text(struct arena *arena, uint32_t keep)
{
    return keep == FEATURE_KEEP_ALL ? "all" : arena_printf(arena, "%u", keep);
}

/* Feature I of AFTER, if more of its events are kept than before: those that
 * BEFORE did not keep are not known (observed.c does the same). */
static int compare_kept(struct differ *differ, uint32_t i)
{
    struct comparison *of = &differ->parts[SEG_DIFF_FEATURE];
    struct arena *arena = &differ->diff->arena;
    const struct feature *new = &differ->after->plan.features[i], *old;
    struct seg_difference *difference = &of->items[i];
    uint32_t number = find(&of->old_names, difference->name);
    if (difference->kind != SEG_DIFF_SAME ||
        i >= differ->after->plan.feature_count || new->kind != FEATURE_WINDOW)
        return 0;
    old = &differ->before->plan.features[number];
    if (new->keep <= old->keep)
        return 0;
    struct seg_diff_field *field = arena_calloc(arena, 1, sizeof(*field));
    if (!field)
        return SEG_ERR_NOMEM;
    *field = (struct seg_diff_field){"events kept", kept_text(arena, old->keep),
                                     kept_text(arena, new->keep)};
    difference->kind = SEG_DIFF_CHANGED;
    difference->fields = field;
    difference->field_count = 1;
    return arena_failed(arena) ? SEG_ERR_NOMEM : 0;
}

/* The difference of SOURCE, a feature or watch of AFTER. */
static struct seg_difference *difference_of(struct differ *differ,
                                            uint32_t source)
{
    const struct plan *plan = &differ->after->plan;
    uint32_t i =
        source < plan->feature_count
            ? source
            : source - plan_watch_source(plan, 0) + plan->feature_count;
    return &differ->parts[SEG_DIFF_FEATURE].items[i];
}

/* When each source that begins is decided, as the engine would find it. */
static int find_ends(struct differ *differ)
{
    uint32_t count = differ->parts[SEG_DIFF_FEATURE].after.count;
    const struct plan *plan = &differ->after->plan;
    struct warming *warming = &differ->warming;
    warming->epochs = calloc(1, sizeof(*warming->epochs));
    warming->of_source = calloc(plan->source_count + 1ul, sizeof(uint32_t));
    if (!warming->epochs || !warming->of_source)
        return SEG_ERR_NOMEM;
    warming->epoch_count = 1;
    warming->epochs->since_ms = differ->at_ms;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t source = thing_source(differ->after, SEG_DIFF_FEATURE, i);
        struct seg_difference *difference = difference_of(differ, source);
        if (difference->kind == SEG_DIFF_SAME)
            continue;
        warming->of_source[source] = 1;
        if (source < plan->feature_count &&
            warming_end_of(&plan->features[source], differ->at_ms) == INT64_MIN)
            difference->decides_ms = differ->at_ms;
    }
    int ret = warming_find_ends(warming, plan);
    for (uint32_t e = 0; ret == 0 && e < warming->end_count; e++)
        difference_of(differ, warming->ends[e].source)->decides_ms =
            warming->ends[e].at_ms;
    return ret;
}

static int compare_features(struct differ *differ)
{
    struct comparison *of = &differ->parts[SEG_DIFF_FEATURE];
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < of->after.count; i++)
        ret = compare_kept(differ, i);
    if (ret == 0)
        ret = find_ends(differ);
    if (ret == 0)
        ret = find_part_readers(differ, SEG_DIFF_FEATURE);
    return ret < 0 ? ret : find_part_readers(differ, SEG_DIFF_ATTRIBUTE);
}

/* ---- all together -------------------------------------------------------- */

static int join(struct differ *differ)
{
    struct seg_diff *diff = differ->diff;
    size_t count = 0;
    for (int p = 0; p < SEG_DIFF_PARTS; p++)
        count +=
            differ->parts[p].after.count + (size_t)differ->parts[p].gone_count;
    diff->items = calloc(count + 1, sizeof(*diff->items));
    if (!diff->items)
        return SEG_ERR_NOMEM;
    for (int p = 0; p < SEG_DIFF_PARTS; p++) {
        const struct comparison *of = &differ->parts[p];
        for (uint32_t i = 0; i < of->after.count; i++)
            diff->items[diff->count++] = of->items[i];
        for (int i = 0; i < of->gone_count; i++)
            diff->items[diff->count++] = of->gone[i];
    }
    return 0;
}

/* Names that are borrowed from a catalogue, as texts of the diff. */
static int own_names(struct seg_diff *diff)
{
    for (int i = 0; i < diff->count; i++) {
        const char *name = diff->items[i].name;
        diff->items[i].name =
            arena_text(&diff->arena, (struct seg_text){name, strlen(name)})
                .bytes;
        if (!diff->items[i].name)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

static int compare(struct differ *differ)
{
    int ret = 0;
    for (int p = 0; ret == 0 && p < SEG_DIFF_PARTS; p++)
        ret = compare_part(differ, (enum seg_diff_part)p);
    for (int p = 0; ret == 0 && p <= SEG_DIFF_TRIGGER; p++)
        ret = find_all_reasons(differ, (enum seg_diff_part)p);
    if (ret == 0)
        ret = compare_features(differ);
    if (ret == 0)
        ret = join(differ);
    return ret < 0 ? ret : own_names(differ->diff);
}

int seg_catalogue_diff(struct seg_diff **ret,
                       const struct seg_catalogue *before,
                       const struct seg_catalogue *after, int64_t at_ms)
{
    struct differ differ = {.before = before, .after = after, .at_ms = at_ms};
    differ.diff = calloc(1, sizeof(*differ.diff));
    if (!differ.diff)
        return SEG_ERR_NOMEM;
    for (int p = 0; p < SEG_DIFF_PARTS; p++) {
        intern_init(&differ.parts[p].old_names);
        intern_init(&differ.parts[p].new_names);
    }
    int err = compare(&differ);
    for (int p = 0; p < SEG_DIFF_PARTS; p++) {
        intern_done(&differ.parts[p].old_names);
        intern_done(&differ.parts[p].new_names);
    }
    warming_done(&differ.warming);
    if (err < 0)
        seg_diff_free(differ.diff);
    else
        *ret = differ.diff;
    return err;
}

void seg_diff_free(struct seg_diff *diff)
{
    if (!diff)
        return;
    arena_done(&diff->arena);
    free(diff->items);
    free(diff);
}

int seg_diff_count(const struct seg_diff *diff)
{
    return diff->count;
}

const struct seg_difference *seg_diff_at(const struct seg_diff *diff, int index)
{
    return &diff->items[index];
}
