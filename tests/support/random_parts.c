/* random_parts.c: random values, tests, events and measures. */
#include "tests/support/random_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

size_t random_below(struct random *r, size_t n)
{
    return next(r) % n;
}

int random_chance(struct random *r, unsigned percent)
{
    return random_below(r, 100) < percent;
}

void *random_make(struct random *r, size_t count, size_t size)
{
    void *result = arena_calloc(&r->rules->arena, count, size);
    assert(result);
    return result;
}

/* A place after all before it. */
struct rule_pos random_place(struct random *r)
{
    return (struct rule_pos){
        .line = r->line, .column = ++r->column, .width = 1};
}

struct seg_text random_copy(struct random *r, const char *text)
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

struct rule_value random_text(struct random *r)
{
    struct seg_text text = random_copy(r, PICK(r, texts));
    return (struct rule_value){.value = {.type = SEG_TEXT,
                                         .len = (uint32_t)text.len,
                                         .as.text = text.bytes},
                               .pos = random_place(r)};
}

static struct rule_value random_date(struct random *r)
{
    struct rule_value value = {.is_date = 1, .pos = random_place(r)};
    value.spelling = random_copy(r, PICK(r, dates));
    value.value.type = SEG_INT;
    int ret = instant_parse(value.spelling, &value.value.as.integer);
    assert(ret == 0);
    return value;
}

static struct rule_value random_number(struct random *r)
{
    struct rule_value value = {.pos = random_place(r)};
    value.spelling = random_copy(r, PICK(r, numbers));
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

struct rule_value random_value(struct random *r)
{
    switch (random_below(r, 4)) {
    case 0:
        return random_number(r);
    case 1:
        return random_date(r);
    case 2:
        return (struct rule_value){
            .value = {.type = SEG_BOOL, .as.boolean = random_chance(r, 50)},
            .pos = random_place(r)};
    default:
        return random_text(r);
    }
}

struct rule_values random_values(struct random *r, int lists)
{
    struct rule_values values = {.pos = random_place(r)};
    if (lists && random_chance(r, 30)) {
        values.list = random_copy(r, PICK(r, keys));
        return values;
    }
    values.count = 1 + (int)random_below(r, random_chance(r, 10) ? 40 : 4);
    struct rule_value *items =
        random_make(r, (size_t)values.count, sizeof(*values.items));
    for (int i = 0; i < values.count; i++)
        items[i] = random_value(r);
    values.items = items;
    return values;
}

static struct path random_names(struct random *r, enum path_root root)
{
    static const char *const of_event[] = {"name", "type", "id"};
    struct path path = {.root = root, .count = 1 + (int)random_below(r, 3)};
    if (root == PATH_EVENT)
        path.count = 1;
    struct seg_text *items = random_make(r, (size_t)path.count, sizeof(*items));
    for (int i = 0; i < path.count; i++)
        items[i] = random_copy(r, root == PATH_EVENT ? PICK(r, of_event)
                                                     : PICK(r, names));
    path.names = items;
    return path;
}

struct path random_path(struct random *r, int of_user)
{
    if (of_user)
        return random_names(r, random_chance(r, 50) ? PATH_USER : PATH_ACCOUNT);
    return random_names(r, r->element ? PATH_ELEMENT
                                      : (enum path_root)random_below(r, 3));
}

/* ---- tests and events ------------------------------------------------ */

static struct rule_where *random_where(struct random *r, int depth);

static struct rule_values random_operand(struct random *r, enum rule_op op)
{
    struct rule_values values = {0};
    struct rule_value *items = random_make(r, 2, sizeof(*items));
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
    case OPERAND_WHERE:
    case OPERAND_NONE:
        return (struct rule_values){0};
    }
    return values;
}

struct rule_test random_test(struct random *r)
{
    struct rule_test test = {.op = (enum rule_op)random_below(r, OP_COUNT_)};
    if (test.op == OP_HAS_ONE && r->element == 2)
        test.op = OP_HAS;
    test.values = random_operand(r, test.op);
    if (rule_op_info(test.op)->operand == OPERAND_DURATION)
        test.duration_ms = PICK(r, durations);
    if (test.op == OP_HAS_ONE) {
        r->element++;
        test.where = random_where(r, 2);
        r->element--;
    }
    test.ignoring_case = rule_op_info(test.op)->fold && random_chance(r, 30);
    return test;
}

static struct rule_where *random_where(struct random *r, int depth)
{
    struct rule_where *where = random_make(r, 1, sizeof(*where));
    if (depth == 0 || random_chance(r, 50)) {
        where->kind = WHERE_TEST;
        where->path = random_path(r, 0);
        where->test = random_test(r);
        return where;
    }
    where->kind = (enum rule_where_kind)random_below(r, 3);
    where->count = where->kind == WHERE_NOT ? 1 : 2 + (int)random_below(r, 3);
    struct rule_where **children =
        random_make(r, (size_t)where->count, sizeof(struct rule_where *));
    for (int i = 0; i < where->count; i++)
        children[i] = random_where(r, depth - 1);
    where->children = children;
    return where;
}

struct rule_event random_event(struct random *r)
{
    struct rule_event event = {.any = random_chance(r, 20)};
    event.count = event.any              ? 0
                  : random_chance(r, 70) ? 1
                                         : 2 + (int)random_below(r, 3);
    struct rule_name *items =
        random_make(r, (size_t)event.count, sizeof(*event.names));
    for (int i = 0; i < event.count; i++)
        items[i].text = random_copy(r, PICK(r, names));
    event.names = items;
    if (random_chance(r, 40))
        event.where = random_where(r, 2);
    return event;
}

static void random_dates(struct random *r, struct rule_window *window)
{
    window->from_ms = INT64_MIN;
    window->to_ms = INT64_MAX;
    if (window->kind != WINDOW_BEFORE) {
        window->dates[0] = random_date(r);
        window->from_ms = window->dates[0].value.as.integer;
    }
    if (window->kind != WINDOW_SINCE) {
        do {
            window->dates[1] = random_date(r);
        } while (window->kind == WINDOW_BETWEEN &&
                 window->dates[1].value.as.integer < window->from_ms);
        window->to_ms =
            window->dates[1].value.as.integer - (window->kind == WINDOW_BEFORE);
    }
}

struct rule_window random_window(struct random *r)
{
    struct rule_window window = {.kind =
                                     (enum rule_window_kind)random_below(r, 6)};
    if (window.kind == WINDOW_IN)
        window.from_ms = PICK(r, durations);
    if (window.kind == WINDOW_FROM_TO) {
        window.to_ms =
            random_below(r, 3) ? (int64_t)random_below(r, 100) * 3600000 : 0;
        window.from_ms = window.to_ms + 1 + (int64_t)random_below(r, 1000000);
    }
    if (window.kind > WINDOW_FROM_TO)
        random_dates(r, &window);
    return window;
}

struct rule_times random_times(struct random *r)
{
    struct rule_times times = {.kind =
                                   (enum rule_times_kind)random_below(r, 6)};
    if (times.kind > TIMES_NOT)
        times.low = (int64_t)random_below(r, 4);
    if (times.kind == TIMES_BETWEEN)
        times.high = times.low + (int64_t)random_below(r, RULE_TIMES_MAX - 4);
    if (times.kind > TIMES_NOT && random_chance(r, 30)) {
        times.period_ms = random_chance(r, 50) ? DAY_MS : 7 * DAY_MS;
        times.periods = 1 + (int64_t)random_below(
                                r, random_chance(r, 50) ? RULE_PERIODS_MAX : 4);
    }
    return times;
}

/* ---- measures -------------------------------------------------------- */

void random_measure(struct random *r, struct rule_measure *measure)
{
    measure->kind = (enum rule_measure_kind)random_below(r, MEASURE_COUNT_);
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    if (info->operand == MEASURED_KEY)
        measure->key = random_copy(r, PICK(r, keys));
    else
        measure->event = random_event(r);
    if (info->operand == MEASURED_EVENT_PATH)
        measure->path = random_path(r, 0);
    if (info->window)
        measure->window = random_window(r);
}

struct rule_percent random_percent(struct random *r, int most)
{
    static const struct {
        const char *spelling;
        int hundredths;
    } rows[] = {
        {"0", 0},       {"10", 1000},        {"0.5", 50},    {"12.34", 1234},
        {"70", 7000},   {"99.90", 9990},     {"100", 10000}, {"00.1", 10},
        {"250", 25000}, {"100000", 10000000}};
    size_t i;
    do {
        i = random_below(r, sizeof(rows) / sizeof(rows[0]));
    } while (rows[i].hundredths > most);
    return (struct rule_percent){.hundredths = rows[i].hundredths,
                                 .spelling = random_copy(r, rows[i].spelling)};
}

/* ---- picked texts ---------------------------------------------------- */

struct seg_text random_name(struct random *r)
{
    return random_copy(r, PICK(r, names));
}

struct seg_text random_string(struct random *r)
{
    return random_copy(r, PICK(r, texts));
}

struct seg_text random_key(struct random *r)
{
    return random_copy(r, PICK(r, keys));
}

int64_t random_duration(struct random *r)
{
    return PICK(r, durations);
}
