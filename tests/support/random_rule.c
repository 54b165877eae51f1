/* random_rule.c: random syntax trees of all that segment files can say. */
#include "tests/support/random_rule.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

#define PICK(r, a) ((a)[below(r, sizeof(a) / sizeof((a)[0]))])

struct random {
    uint64_t state;
    struct rules *rules;
    int depth;
    uint32_t line; /* Of the definition being made. */
    uint32_t column;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(struct random *r, size_t n)
{
    return next(r) % n;
}

static int chance(struct random *r, unsigned percent)
{
    return below(r, 100) < percent;
}

static void *make(struct random *r, size_t count, size_t size)
{
    void *result = arena_calloc(&r->rules->arena, count, size);
    assert(result);
    return result;
}

/* A place after all before it. */
static struct rule_pos place(struct random *r)
{
    return (struct rule_pos){
        .line = r->line, .column = ++r->column, .width = 1};
}

static struct seg_text copy(struct random *r, const char *text)
{
    return arena_text(&r->rules->arena, text_of(text));
}

/* ---- values ---------------------------------------------------------- */

static const char *const names[] = {
    "plan",   "total", "user",    "not",        "first name",
    "$price", "event", "in",      "properties", "context",
    "a.b",    "x_1",   "between", "quote\"",    "\xc3\xb6\xc3\x9f"};
static const char *const texts[] = {
    "pro", "",     "with \"quotes\"", "tab\tand\nline", "back\\slash",
    "0",   "true", "\xe2\x82\xac 5",  "\x7f\x01",       "# no comment"};
static const char *const keys[] = {"alpha", "beta_2", "gamma", "delta_x"};
static const char *const numbers[] = {"0",
                                      "-1",
                                      "42",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "0.5",
                                      "1e3",
                                      "-2.50",
                                      "1E-7",
                                      "100.0"};
static const char *const dates[] = {"2026-01-31", "2024-02-29T12:00Z",
                                    "1970-01-01T00:00:00.250+02:00"};
static const int64_t durations[] = {
    1,        500,       90000,     900000,    3600000,
    86400000, 604800000, 129600000, 694861001, 36500 * DAY_MS};

static struct rule_value random_text(struct random *r)
{
    struct seg_text text = copy(r, PICK(r, texts));
    return (struct rule_value){.value = {.type = SEG_TEXT,
                                         .len = (uint32_t)text.len,
                                         .as.text = text.bytes},
                               .pos = place(r)};
}

static struct rule_value random_date(struct random *r)
{
    struct rule_value value = {.is_date = 1, .pos = place(r)};
    value.spelling = copy(r, PICK(r, dates));
    value.value.type = SEG_INT;
    int ret = instant_parse(value.spelling, &value.value.as.integer);
    assert(ret == 0);
    return value;
}

static struct rule_value random_number(struct random *r)
{
    struct rule_value value = {.pos = place(r)};
    value.spelling = copy(r, PICK(r, numbers));
    value.value.type = SEG_INT;
    for (const char *at = value.spelling.bytes; *at; at++)
        if (*at == '.' || *at == 'e' || *at == 'E')
            value.value.type = SEG_DOUBLE;
    if (value.value.type == SEG_INT)
        value.value.as.integer = strtoll(value.spelling.bytes, NULL, 10);
    else
        value.value.as.number = strtod(value.spelling.bytes, NULL);
    return value;
}

static struct rule_value random_value(struct random *r)
{
    switch (below(r, 4)) {
    case 0:
        return random_number(r);
    case 1:
        return random_date(r);
    case 2:
        return (struct rule_value){
            .value = {.type = SEG_BOOL, .as.boolean = chance(r, 50)},
            .pos = place(r)};
    default:
        return random_text(r);
    }
}

static struct rule_values random_values(struct random *r, int lists)
{
    struct rule_values values = {.pos = place(r)};
    if (lists && chance(r, 30)) {
        values.list = copy(r, PICK(r, keys));
        return values;
    }
    values.count = 1 + (int)below(r, chance(r, 10) ? 40 : 4);
    struct rule_value *items =
        make(r, (size_t)values.count, sizeof(*values.items));
    for (int i = 0; i < values.count; i++)
        items[i] = random_value(r);
    values.items = items;
    return values;
}

static struct path random_path(struct random *r, int of_user)
{
    static const char *const of_event[] = {"name", "type", "id"};
    struct path path = {.root = of_user
                                    ? (chance(r, 50) ? PATH_USER : PATH_ACCOUNT)
                                    : (enum path_root)below(r, 3),
                        .count = 1 + (int)below(r, 3)};
    if (path.root == PATH_EVENT)
        path.count = 1;
    struct seg_text *items = make(r, (size_t)path.count, sizeof(*items));
    for (int i = 0; i < path.count; i++)
        items[i] = copy(r, path.root == PATH_EVENT ? PICK(r, of_event)
                                                   : PICK(r, names));
    path.names = items;
    return path;
}

/* ---- tests and events ------------------------------------------------ */

static struct rule_values random_operand(struct random *r, enum rule_op op)
{
    struct rule_values values = {0};
    struct rule_value *items = make(r, 2, sizeof(*items));
    values.count = 1;
    values.items = items;
    switch (rule_op_info(op)->operand) {
    case OPERAND_VALUE:
    case OPERAND_ORDERED:
        items[0] = random_value(r);
        break;
    case OPERAND_RANGE:
        values.count = 2;
        items[0] = random_value(r);
        items[1] = random_value(r);
        break;
    case OPERAND_VALUES:
        return random_values(r, 1);
    case OPERAND_STRING:
        items[0] = random_text(r);
        break;
    case OPERAND_DATE:
        items[0] = random_date(r);
        break;
    case OPERAND_DURATION:
    case OPERAND_NONE:
        return (struct rule_values){0};
    }
    return values;
}

static struct rule_test random_test(struct random *r)
{
    struct rule_test test = {.op = (enum rule_op)below(r, OP_COUNT_)};
    test.values = random_operand(r, test.op);
    if (rule_op_info(test.op)->operand == OPERAND_DURATION)
        test.duration_ms = PICK(r, durations);
    test.ignoring_case = rule_op_info(test.op)->fold && chance(r, 30);
    return test;
}

static struct rule_where *random_where(struct random *r, int depth)
{
    struct rule_where *where = make(r, 1, sizeof(*where));
    if (depth == 0 || chance(r, 50)) {
        where->kind = WHERE_TEST;
        where->path = random_path(r, 0);
        where->test = random_test(r);
        return where;
    }
    where->kind = (enum rule_where_kind)below(r, 3);
    where->count = where->kind == WHERE_NOT ? 1 : 2 + (int)below(r, 3);
    struct rule_where **children =
        make(r, (size_t)where->count, sizeof(struct rule_where *));
    for (int i = 0; i < where->count; i++)
        children[i] = random_where(r, depth - 1);
    where->children = children;
    return where;
}

static struct rule_event random_event(struct random *r)
{
    struct rule_event event = {.any = chance(r, 20)};
    event.count = event.any ? 0 : chance(r, 70) ? 1 : 2 + (int)below(r, 3);
    struct rule_name *items =
        make(r, (size_t)event.count, sizeof(*event.names));
    for (int i = 0; i < event.count; i++)
        items[i].text = copy(r, PICK(r, names));
    event.names = items;
    if (chance(r, 40))
        event.where = random_where(r, 2);
    return event;
}

static struct rule_window random_window(struct random *r)
{
    struct rule_window window = {.kind = (enum rule_window_kind)below(r, 3)};
    if (window.kind == WINDOW_IN)
        window.from_ms = PICK(r, durations);
    if (window.kind == WINDOW_FROM_TO) {
        window.to_ms = below(r, 3) ? (int64_t)below(r, 100) * 3600000 : 0;
        window.from_ms = window.to_ms + 1 + (int64_t)below(r, 1000000);
    }
    return window;
}

static struct rule_times random_times(struct random *r)
{
    struct rule_times times = {.kind = (enum rule_times_kind)below(r, 6)};
    if (times.kind > TIMES_NOT)
        times.low = (int64_t)below(r, 4);
    if (times.kind == TIMES_BETWEEN)
        times.high = times.low + (int64_t)below(r, RULE_TIMES_MAX - 4);
    return times;
}

/* ---- conditions ------------------------------------------------------ */

/* After a measure without a window these read as its window. */
static int reads_as_window(const struct rule_test *test)
{
    return test->op == OP_BEFORE ||
           (test->op == OP_BETWEEN && test->values.items[0].is_date);
}

static void random_measure(struct random *r, struct rule_cond *cond)
{
    struct rule_measure *measure = &cond->measure;
    measure->kind = (enum rule_measure_kind)below(r, MEASURE_COUNT_);
    measure->event = random_event(r);
    if (rule_measure_info(measure->kind)->path)
        measure->path = random_path(r, 0);
    if (rule_measure_info(measure->kind)->window)
        measure->window = random_window(r);
    do {
        cond->test = random_test(r);
    } while (measure->window.kind == WINDOW_LIFETIME &&
             reads_as_window(&cond->test));
}

static struct rule_cond *random_cond(struct random *r, int depth)
{
    struct rule_cond *cond = make(r, 1, sizeof(*cond));
    cond->kind = (enum rule_cond_kind)below(r, 8);
    if (depth == 0 && cond->kind <= COND_NOT)
        cond->kind = COND_DID;
    cond->pos = place(r);
    if (cond->kind == COND_NOT)
        cond->count = 1;
    else if (cond->kind < COND_NOT)
        cond->count = 2 + (int)below(r, 3);
    struct rule_cond **children =
        make(r, (size_t)cond->count, sizeof(struct rule_cond *));
    for (int i = 0; i < cond->count; i++)
        children[i] = random_cond(r, depth - 1);
    cond->children = children;
    if (cond->kind == COND_DID) {
        cond->event = random_event(r);
        cond->times = random_times(r);
        cond->window = random_window(r);
    } else if (cond->kind == COND_MEASURE) {
        random_measure(r, cond);
    } else if (cond->kind == COND_PATH) {
        cond->path = random_path(r, 1);
        cond->test = random_test(r);
    } else if (cond->kind == COND_IN_SEGMENT) {
        cond->key = copy(r, PICK(r, keys));
    }
    return cond;
}

/* ---- definitions ----------------------------------------------------- */

/* Properties with a name of their own each. */
static const struct rule_property *random_properties(struct random *r,
                                                     int count)
{
    struct rule_property *items = make(r, (size_t)count, sizeof(*items));
    for (int i = 0; i < count; i++) {
        items[i].name_count = 1 + (int)below(r, 2);
        struct seg_text *path = make(r, 2, sizeof(*path));
        path[0] = (struct seg_text){
            arena_printf(&r->rules->arena, "%s%d", PICK(r, names), i), 0};
        path[0] = text_of(path[0].bytes);
        path[1] = copy(r, PICK(r, names));
        items[i].names = path;
        do {
            items[i].value = random_value(r);
        } while (items[i].value.is_date);
    }
    return items;
}

static void random_fields(struct random *r, struct rule_segment *segment)
{
    struct seg_text *tags = make(r, 3, sizeof(*tags));
    if (chance(r, 50))
        segment->title = copy(r, PICK(r, texts));
    if (chance(r, 50))
        segment->owner = copy(r, PICK(r, texts));
    if (chance(r, 30))
        segment->docs = copy(r, PICK(r, texts));
    segment->tag_count = (int)below(r, 3);
    for (int i = 0; i < segment->tag_count; i++)
        tags[i] = copy(r, PICK(r, texts));
    segment->tags = tags;
    if (chance(r, 20))
        segment->include = random_values(r, 1);
    if (chance(r, 20))
        segment->exclude = random_values(r, 1);
}

static void random_triggers(struct random *r, struct rule_segment *segment)
{
    struct rule_trigger *triggers = make(r, 3, sizeof(*triggers));
    segment->trigger_count = (int)below(r, 3);
    for (int i = 0; i < segment->trigger_count; i++) {
        triggers[i].on_enter = chance(r, 50);
        triggers[i].name = copy(r, PICK(r, names));
        triggers[i].property_count = (int)below(r, 3);
        triggers[i].properties =
            random_properties(r, triggers[i].property_count);
        triggers[i].once = chance(r, 60);
        if (triggers[i].once && chance(r, 60))
            triggers[i].cooldown_ms = PICK(r, durations);
    }
    segment->triggers = triggers;
}

static void random_segment(struct random *r, struct rule_segment *segment)
{
    *segment =
        (struct rule_segment){.key = copy(r, PICK(r, keys)), .pos = place(r)};
    random_fields(r, segment);
    if (chance(r, 90))
        segment->when = random_cond(r, 4);
    random_triggers(r, segment);
    segment->end = place(r);
}

static void random_line(struct random *r, struct rule_line *line)
{
    line->kind = (enum rule_line_kind)below(r, 5);
    line->at_ms =
        line->kind == LINE_SET || chance(r, 10) ? 0 : PICK(r, durations);
    if (line->kind == LINE_SET) {
        line->path = random_path(r, 1);
        line->value = random_text(r);
    } else if (line->kind == LINE_EXPECT) {
        line->expect = (enum rule_expect)below(r, 4);
    } else {
        line->property_count = line->kind == LINE_IDENTIFY
                                   ? 1 + (int)below(r, 2)
                                   : (int)below(r, 3);
        line->properties = random_properties(r, line->property_count);
        if (line->kind != LINE_IDENTIFY)
            line->name = copy(r, PICK(r, names));
    }
}

static void random_test_block(struct random *r, struct rule_test_block *test)
{
    *test = (struct rule_test_block){.segment = copy(r, PICK(r, keys)),
                                     .name = copy(r, PICK(r, texts)),
                                     .pos = place(r),
                                     .line_count = (int)below(r, 6)};
    struct rule_line *lines = make(r, 6, sizeof(*lines));
    for (int i = 0; i < test->line_count; i++)
        random_line(r, &lines[i]);
    test->lines = lines;
    test->end = place(r);
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
    rules->files[0].name = rules->files[0].text = copy(&r, "");
    rules->list_count = (int)below(&r, 3);
    rules->lists =
        grow(&rules->list_cap, rules->list_count, sizeof(*rules->lists));
    rules->segment_count = 1 + (int)below(&r, 3);
    rules->segments = grow(&rules->segment_cap, rules->segment_count,
                           sizeof(*rules->segments));
    rules->test_count = (int)below(&r, 3);
    rules->tests =
        grow(&rules->test_cap, rules->test_count, sizeof(*rules->tests));
    for (int i = 0; i < rules->list_count; i++) {
        r.line++;
        rules->lists[i] = (struct rule_list){.key = copy(&r, PICK(&r, keys)),
                                             .pos = place(&r)};
        rules->lists[i].values = random_values(&r, 0);
        rules->lists[i].end = place(&r);
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
