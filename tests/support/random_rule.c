/* random_rule.c: random syntax trees of all that segment files can say. */
#include "tests/support/random_rule.h"

#include <assert.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "tests/support/random_parts.h"

/* ---- sequences ------------------------------------------------------- */

static void random_step(struct random *r, struct rule_step *step)
{
    step->pos = random_place(r);
    step->without = random_chance(r, 30);
    step->event = random_event(r);
    if (step->without || random_chance(r, 60))
        step->within_ms = random_duration(r);
    if (step->without)
        return;
    step->directly = random_chance(r, 30);
    if (random_chance(r, 30))
        step->after_ms = random_duration(r);
}

static const struct rule_sequence *random_sequence(struct random *r)
{
    struct rule_sequence *sequence = random_make(r, 1, sizeof(*sequence));
    struct rule_event *between = random_make(r, 1, sizeof(*between));
    sequence->step_count =
        1 + (int)random_below(r, random_chance(r, 10) ? RULE_STEPS_MAX : 3);
    struct rule_step *steps =
        random_make(r, (size_t)sequence->step_count, sizeof(*steps));
    for (int i = 0; i < sequence->step_count; i++)
        random_step(r, &steps[i]);
    sequence->steps = steps;
    if (random_chance(r, 30))
        sequence->all_within_ms = random_duration(r);
    if (random_chance(r, 30)) {
        *between = random_event(r);
        sequence->no_between = between;
    }
    if (random_chance(r, 30))
        sequence->same = random_path(r, 0);
    return sequence;
}

/* ---- conditions ------------------------------------------------------ */

/* After a measure without a window these read as its window. */
static int reads_as_window(const struct rule_test *test)
{
    return test->op == OP_BEFORE ||
           (test->op == OP_BETWEEN && test->values.items[0].is_date);
}

static void random_measured(struct random *r, struct rule_cond *cond)
{
    random_measure(r, &cond->measure);
    do {
        cond->test = random_test(r);
    } while (cond->measure.window.kind == WINDOW_LIFETIME &&
             reads_as_window(&cond->test));
}

static void random_compare(struct random *r, struct rule_cond *cond)
{
    static const enum rule_op ops[] = {OP_EQ, OP_NE, OP_LT,
                                       OP_LE, OP_GT, OP_GE};
    struct rule_measure *other = random_make(r, 1, sizeof(*other));
    random_measure(r, &cond->measure);
    random_measure(r, other);
    cond->test.op = PICK(r, ops);
    cond->other = other;
    if (random_chance(r, 50))
        cond->percent = random_percent(r, RULE_PERCENT_MAX);
}

static void random_leaf(struct random *r, struct rule_cond *cond)
{
    switch (cond->kind) {
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
        break;
    case COND_DID:
        cond->event = random_event(r);
        cond->times = random_times(r);
        if (!cond->times.period_ms)
            cond->window = random_window(r);
        break;
    case COND_SEQUENCE:
        cond->event = random_event(r);
        cond->window = random_window(r);
        cond->sequence = random_sequence(r);
        break;
    case COND_LATEST:
        cond->event = random_event(r);
        cond->window = random_window(r);
        cond->text = random_name(r);
        break;
    case COND_MEASURE:
        random_measured(r, cond);
        break;
    case COND_COMPARE:
        random_compare(r, cond);
        break;
    case COND_PATH:
        cond->path = random_path(r, 1);
        cond->test = random_test(r);
        break;
    case COND_ENTERED:
    case COND_LEFT:
        cond->duration_ms = random_duration(r);
        cond->key = random_key(r);
        break;
    case COND_IN_SEGMENT:
        cond->key = random_key(r);
        break;
    case COND_SHARE:
        cond->percent = random_percent(r, 10000);
        cond->text = random_string(r);
        break;
    }
}

static struct rule_cond *random_cond(struct random *r, int depth)
{
    struct rule_cond *cond = random_make(r, 1, sizeof(*cond));
    cond->kind = (enum rule_cond_kind)random_below(r, COND_SHARE + 1);
    if (depth == 0 && cond->kind <= COND_NOT)
        cond->kind = COND_DID;
    cond->pos = random_place(r);
    if (cond->kind == COND_NOT)
        cond->count = 1;
    else if (cond->kind < COND_NOT)
        cond->count = 2 + (int)random_below(r, 3);
    struct rule_cond **children =
        random_make(r, (size_t)cond->count, sizeof(struct rule_cond *));
    for (int i = 0; i < cond->count; i++)
        children[i] = random_cond(r, depth - 1);
    cond->children = children;
    random_leaf(r, cond);
    return cond;
}

/* ---- definitions ----------------------------------------------------- */

static struct seg_value random_listed(struct random *r, int depth);

/* Members with a name of their own each, among them objects. */
static struct seg_value random_object(struct random *r, int depth)
{
    uint32_t count = 1 + (uint32_t)random_below(r, 3);
    struct seg_value *items = random_make(r, 2 * count, sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        char *name =
            arena_printf(&r->rules->arena, "%s%u", random_name(r).bytes, i);
        items[2 * i] = (struct seg_value){
            .type = SEG_TEXT, .len = (uint32_t)strlen(name), .as.text = name};
        items[2 * i + 1] = depth && random_chance(r, 20)
                               ? random_object(r, depth - 1)
                               : random_listed(r, depth);
    }
    return (struct seg_value){
        .type = SEG_OBJECT, .len = 2 * count, .as.items = items};
}

static struct seg_value random_list(struct random *r, int depth)
{
    uint32_t count = (uint32_t)random_below(r, 4);
    struct seg_value *items = random_make(r, count + 1, sizeof(*items));
    for (uint32_t i = 0; i < count; i++)
        items[i] = random_chance(r, 50) ? random_object(r, depth)
                                        : random_listed(r, 0);
    return (struct seg_value){
        .type = SEG_LIST, .len = count, .as.items = items};
}

/* What may stand below a name: no object. */
static struct seg_value random_listed(struct random *r, int depth)
{
    struct rule_value value;
    if (depth && random_chance(r, 20))
        return random_list(r, depth - 1);
    if (random_chance(r, 10))
        return (struct seg_value){.type = SEG_MISSING};
    do {
        value = random_value(r);
    } while (value.is_date);
    return value.value;
}

/* What stands for the value: only in a trigger more than that. */
static void random_taken(struct random *r, int of_trigger,
                         struct rule_property *property)
{
    struct rule_measure *measure = random_make(r, 1, sizeof(*measure));
    property->kind = of_trigger && random_chance(r, 50)
                         ? (enum rule_property_kind)random_below(r, 3)
                         : PROPERTY_VALUE;
    if (property->kind == PROPERTY_PATH)
        property->path = random_path(r, 1);
    if (property->kind == PROPERTY_MEASURE) {
        random_measure(r, measure);
        property->measure = measure;
    }
    if (property->kind == PROPERTY_VALUE && random_chance(r, 25))
        property->value = (struct rule_value){
            .value = random_chance(r, 80)
                         ? random_list(r, 2)
                         : (struct seg_value){.type = SEG_MISSING}};
    else if (property->kind == PROPERTY_VALUE)
        do {
            property->value = random_value(r);
        } while (property->value.is_date);
}

/* Properties with a name of their own each. */
static const struct rule_property *random_properties(struct random *r,
                                                     int of_trigger, int count)
{
    struct rule_property *items = random_make(r, (size_t)count, sizeof(*items));
    for (int i = 0; i < count; i++) {
        items[i].name_count = 1 + (int)random_below(r, 2);
        struct seg_text *path = random_make(r, 2, sizeof(*path));
        path[0] = (struct seg_text){
            arena_printf(&r->rules->arena, "%s%d", random_name(r).bytes, i), 0};
        path[0] = text_of(path[0].bytes);
        path[1] = random_name(r);
        items[i].names = path;
        random_taken(r, of_trigger, &items[i]);
    }
    return items;
}

static void random_fields(struct random *r, struct rule_segment *segment)
{
    struct seg_text *tags = random_make(r, 3, sizeof(*tags));
    if (random_chance(r, 50))
        segment->title = random_string(r);
    if (random_chance(r, 50))
        segment->owner = random_string(r);
    if (random_chance(r, 30))
        segment->docs = random_string(r);
    segment->tag_count = (int)random_below(r, 3);
    for (int i = 0; i < segment->tag_count; i++)
        tags[i] = random_string(r);
    segment->tags = tags;
    if (random_chance(r, 20))
        segment->include = random_values(r, 1);
    if (random_chance(r, 20))
        segment->exclude = random_values(r, 1);
}

static void random_triggers(struct random *r, struct rule_segment *segment)
{
    struct rule_trigger *triggers = random_make(r, 3, sizeof(*triggers));
    segment->trigger_count = (int)random_below(r, 3);
    for (int i = 0; i < segment->trigger_count; i++) {
        triggers[i].on_enter = random_chance(r, 50);
        triggers[i].name = random_name(r);
        triggers[i].property_count = (int)random_below(r, 3);
        triggers[i].properties =
            random_properties(r, 1, triggers[i].property_count);
        triggers[i].once = random_chance(r, 60);
        if (triggers[i].once && random_chance(r, 60))
            triggers[i].cooldown_ms = random_duration(r);
    }
    segment->triggers = triggers;
}

static void random_segment(struct random *r, struct rule_segment *segment)
{
    *segment =
        (struct rule_segment){.key = random_key(r), .pos = random_place(r)};
    random_fields(r, segment);
    if (random_chance(r, 90))
        segment->when = random_cond(r, 4);
    if (random_chance(r, 20))
        segment->until = random_cond(r, 2);
    segment->shadow = random_chance(r, 20);
    random_triggers(r, segment);
    segment->end = random_place(r);
}

static void random_line(struct random *r, struct rule_line *line)
{
    line->kind = (enum rule_line_kind)random_below(r, 7);
    line->at_ms =
        line->kind == LINE_SET || random_chance(r, 10) ? 0 : random_duration(r);
    if (line->kind == LINE_SET) {
        line->path = random_path(r, 1);
        line->value = random_text(r);
    } else if (line->kind == LINE_EXPECT) {
        line->expect = (enum rule_expect)random_below(r, 5);
        if (line->expect == EXPECT_TRAIT) {
            line->name = random_key(r);
            line->op = (enum rule_op)random_below(r, OP_GE + 1);
            line->value = random_value(r);
        }
    } else {
        line->property_count = line->kind == LINE_IDENTIFY
                                   ? 1 + (int)random_below(r, 2)
                                   : (int)random_below(r, 3);
        line->properties = random_properties(r, 0, line->property_count);
        if (line->kind == LINE_EVENT || line->kind == LINE_GROUP ||
            (line->kind != LINE_IDENTIFY && random_chance(r, 70)))
            line->name = random_name(r);
    }
}

static void random_test_block(struct random *r, struct rule_test_block *test)
{
    *test = (struct rule_test_block){.segment = random_key(r),
                                     .name = random_string(r),
                                     .pos = random_place(r),
                                     .line_count = (int)random_below(r, 6)};
    struct rule_line *lines = random_make(r, 6, sizeof(*lines));
    for (int i = 0; i < test->line_count; i++)
        random_line(r, &lines[i]);
    test->lines = lines;
    test->end = random_place(r);
}

static void random_score(struct random *r, struct rule_score *score)
{
    *score = (struct rule_score){.key = random_key(r),
                                 .pos = random_place(r),
                                 .half_life_ms = random_duration(r),
                                 .weight_count = 1 + (int)random_below(r, 4)};
    struct rule_weight *weights =
        random_make(r, (size_t)score->weight_count, sizeof(*weights));
    for (int i = 0; i < score->weight_count; i++) {
        weights[i].pos = random_place(r);
        weights[i].event = random_event(r);
        weights[i].weight =
            (int64_t)random_below(r, 2 * RULE_WEIGHT_MAX + 1) - RULE_WEIGHT_MAX;
    }
    score->weights = weights;
    score->end = random_place(r);
}

/* COUNT items of SIZE on the heap, as parsing leaves them. */
static void *grow(size_t *cap, int count, size_t size)
{
    void *items = NULL;
    int ret = alloc_grow(&items, cap, (size_t)count + 1, size);
    assert(ret == 0);
    return items;
}

void random_rules(struct rules *rules, uint64_t seed)
{
    struct random r = {.state = seed, .rules = rules};
    rules->file_count = 1;
    rules->files = grow(&rules->file_cap, 1, sizeof(*rules->files));
    rules->files[0].name = rules->files[0].text = random_copy(&r, "");
    rules->list_count = (int)random_below(&r, 3);
    rules->lists =
        grow(&rules->list_cap, rules->list_count, sizeof(*rules->lists));
    rules->score_count = (int)random_below(&r, 2);
    rules->scores =
        grow(&rules->score_cap, rules->score_count, sizeof(*rules->scores));
    rules->trait_count = (int)random_below(&r, 2);
    rules->traits =
        grow(&rules->trait_cap, rules->trait_count, sizeof(*rules->traits));
    rules->segment_count = 1 + (int)random_below(&r, 3);
    rules->segments = grow(&rules->segment_cap, rules->segment_count,
                           sizeof(*rules->segments));
    rules->test_count = (int)random_below(&r, 3);
    rules->tests =
        grow(&rules->test_cap, rules->test_count, sizeof(*rules->tests));
    for (int i = 0; i < rules->list_count; i++) {
        r.line++;
        rules->lists[i] =
            (struct rule_list){.key = random_key(&r), .pos = random_place(&r)};
        rules->lists[i].values = random_values(&r, 0);
        rules->lists[i].end = random_place(&r);
    }
    for (int i = 0; i < rules->score_count; i++) {
        r.line++;
        random_score(&r, &rules->scores[i]);
    }
    for (int i = 0; i < rules->trait_count; i++) {
        r.line++;
        rules->traits[i] =
            (struct rule_trait){.key = random_key(&r), .pos = random_place(&r)};
        random_measure(&r, &rules->traits[i].measure);
        rules->traits[i].end = random_place(&r);
    }
    for (int i = 0; i < rules->segment_count; i++) {
        r.line++;
        random_segment(&r, &rules->segments[i]);
    }
    for (int i = 0; i < rules->test_count; i++) {
        r.line++;
        random_test_block(&r, &rules->tests[i]);
    }
}
