/* rule.h: the syntax tree of segment files.
 *
 * What the parser makes, and all that planner, formatter, checker and the
 * tests' oracle read. A tree lives in the arena of its struct rules; nothing is
 * freed alone. Texts are terminated copies. Nodes keep the spelling that has a
 * choice (`did not`, `did at least 1 times`), so that parse and format are
 * inverse; meaning is the planner's affair.
 *
 *   rules ── list[]     key, values
 *         ├─ score[]    key, half-life, events with weights
 *         ├─ trait[]    key, measure
 *         ├─ segment[]  key, title …, when, until ─ cond, triggers, include …
 *         └─ test[]     segment key, name, lines
 *
 *   cond  ── AND OR NOT      children
 *         ├─ EVERYONE
 *         ├─ DID             event, times, window
 *         ├─ SEQUENCE        event, window, sequence
 *         ├─ LATEST          event, name, window
 *         ├─ MEASURE         measure, test
 *         ├─ COMPARE         measure, op, percent, other
 *         ├─ PATH            path, test
 *         ├─ IN_SEGMENT      key
 *         ├─ ENTERED, LEFT   key, duration
 *         └─ SHARE           percent, salt
 *
 *   where ── AND OR NOT TEST (path, test): a condition on one event, or, below
 *            `has one`, on one element of a list */
#ifndef SEGMENT_RULE_H
#define SEGMENT_RULE_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/arena.h"
#include "lib/event/path.h"
#include "lib/segment/measure_table.h"
#include "lib/segment/op_table.h"

/* Limits of what can be written, each an error with its name when passed. */
#define RULE_DEPTH_MAX       200    /* Nesting of brackets and `not`. */
#define RULE_KEY_BYTES_MAX   128    /* Key of a segment or list. */
#define RULE_PATH_NAMES_MAX  32     /* Names of one path. */
#define RULE_NAMES_MAX       1000   /* Names of one event. */
#define RULE_VALUES_MAX      100000 /* Values of one list. */
#define RULE_PROPERTIES_MAX  256    /* Properties of one trigger or event. */
#define RULE_TIMES_MAX       1000000000 /* `at least 1000000000 times`. */
#define RULE_DEFINITIONS_MAX 1000000    /* Lists, tests; lines of a test. */
#define RULE_STEPS_MAX       16         /* Steps of one sequence. */
#define RULE_WEIGHTS_MAX     1000       /* Lines of one score. */
#define RULE_WEIGHT_MAX      1000000000 /* Of a score, either way. */
#define RULE_PERIODS_MAX     5300       /* `for 5300 weeks`. */
#define RULE_PERCENT_MAX     10000000   /* `100000% of`, in hundredths. */
#define RULE_NESTED_MAX      48         /* Names and lists within a property. */

struct rule_pos {
    uint32_t file;   /* Index into rules->files. */
    uint32_t line;   /* From 1. */
    uint32_t column; /* From 1, bytes. */
    uint32_t width;  /* Bytes to underline. */
};

/* A value as written. A DATE stands as SEG_INT (ms) with is_date set: it
 * compares by instant; as the value of a property or of `set` it is SEG_TEXT,
 * as spelled. There, and only there, a list may stand, and in it lists no more
 * but objects: SEG_OBJECT, names and values in turn. */
struct rule_value {
    struct seg_value value;
    int is_date;
    struct seg_text spelling; /* A DATE or NUMBER as written; else absent. */
    struct rule_pos pos;
};

/* `(a, b)`, or `@key`: then list is the key, and the checker sets items. */
struct rule_values {
    struct seg_text list; /* bytes = NULL: written out. */
    int count;
    const struct rule_value *items;
    struct rule_pos pos;
};

enum rule_op {
#define X(name, words, operand, of, fold) OP_##name,
    OP_TABLE(X)
#undef X
        OP_COUNT_
};

/* What follows the words of a test, and what it tests: see op_table.h. */
enum rule_operand {
    OPERAND_VALUE,
    OPERAND_ORDERED,
    OPERAND_RANGE,
    OPERAND_VALUES,
    OPERAND_STRING,
    OPERAND_DURATION,
    OPERAND_DATE,
    OPERAND_WHERE,
    OPERAND_NONE,
};

enum rule_of { OF_ANY, OF_TEXT, OF_LIST, OF_TIME };

/* One row of op_table.h. */
struct rule_op_info {
    const char *words;
    enum rule_operand operand;
    enum rule_of of;
    int fold;
};

const struct rule_op_info *rule_op_info(enum rule_op op);

struct rule_where;

struct rule_test {
    enum rule_op op;
    int ignoring_case;
    struct rule_values
        values;          /* Operand: 1 value, 2 of `between`, or a list. */
    int64_t duration_ms; /* Of within, within next, more than. */
    const struct rule_where *where; /* Of `has one`. */
    struct rule_pos pos;
};

enum rule_where_kind { WHERE_AND, WHERE_OR, WHERE_NOT, WHERE_TEST };

struct rule_where {
    enum rule_where_kind kind;
    int count; /* Children: 2 or more of AND, OR; 1 of NOT. */
    struct rule_where *const *children;
    struct path path; /* Of TEST. */
    struct rule_test test;
    struct rule_pos pos;
};

/* Which events: any of them, or those of one of some names, that pass WHERE. */
struct rule_event {
    int any;
    int count;
    const struct rule_name {
        struct seg_text text;
        struct rule_pos pos;
    } * names;
    struct rule_where *where; /* NULL: all. */
    struct rule_pos pos;
};

enum rule_window_kind {
    WINDOW_LIFETIME,
    WINDOW_IN,      /* in W */
    WINDOW_FROM_TO, /* from X to Y ago */
    WINDOW_SINCE,   /* since D */
    WINDOW_BEFORE,  /* before D */
    WINDOW_BETWEEN, /* between D and D */
};

/* Ages [to_ms, from_ms) count: `in W` is from W to 0. Of the last three kinds
 * the dates between which, both included, an event counts: BEFORE has none in
 * front and one less than it says behind. */
struct rule_window {
    enum rule_window_kind kind;
    int64_t from_ms;
    int64_t to_ms;
    struct rule_value dates[2]; /* As written: SINCE the first, BEFORE the
                                   second, BETWEEN both. */
    struct rule_pos pos;
};

enum rule_times_kind {
    TIMES_NONE, /* did E */
    TIMES_NOT,  /* did not E */
    TIMES_AT_LEAST,
    TIMES_AT_MOST,
    TIMES_EXACTLY,
    TIMES_BETWEEN,
};

struct rule_times {
    enum rule_times_kind kind;
    int64_t low;       /* The number; the lower one of BETWEEN. */
    int64_t high;      /* Of BETWEEN. */
    int64_t period_ms; /* `per day`, `per week`; 0: none of them. */
    int64_t periods;   /* `for N days|weeks`. */
    struct rule_pos pos;
};

enum rule_measure_kind {
#define X(name, word, operand, window, help) MEASURE_##name,
    MEASURE_TABLE(X)
#undef X
        MEASURE_COUNT_
};

/* One row of measure_table.h. */
enum rule_measure_operand { MEASURED_EVENT, MEASURED_EVENT_PATH, MEASURED_KEY };

struct rule_measure_info {
    const char *word;
    enum rule_measure_operand operand;
    int window;
};

const struct rule_measure_info *rule_measure_info(enum rule_measure_kind kind);

struct rule_measure {
    enum rule_measure_kind kind;
    struct rule_event event;
    struct path path; /* Of sum, avg, min, max, first, last, distinct. */
    struct rule_window window;
    struct seg_text key; /* Of score and trait. */
    int definition;      /* Of score and trait: index in rules, by check. */
    struct rule_pos pos;
};

/* `then E after D within D`, `without E within D`. */
struct rule_step {
    int without;
    int directly;
    struct rule_event event;
    int64_t after_ms;  /* 0: not there. */
    int64_t within_ms; /* 0: not there. */
    struct rule_pos pos;
};

/* What follows the first event of `did E then E …`. */
struct rule_sequence {
    int step_count; /* At least 1. */
    const struct rule_step *steps;
    int64_t all_within_ms;               /* 0: not there. */
    const struct rule_event *no_between; /* NULL: not there. */
    struct path same;                    /* count 0: not there. */
};

/* `12.5%`, in hundredths of a percent. */
struct rule_percent {
    int64_t hundredths;
    struct seg_text spelling; /* Without the sign; bytes = NULL: not there. */
};

enum rule_cond_kind {
    COND_AND,
    COND_OR,
    COND_NOT,
    COND_EVERYONE,
    COND_DID,
    COND_SEQUENCE,
    COND_LATEST,
    COND_MEASURE,
    COND_COMPARE,
    COND_PATH,
    COND_IN_SEGMENT,
    COND_ENTERED,
    COND_LEFT,
    COND_SHARE,
};

struct rule_cond {
    enum rule_cond_kind kind;
    int count; /* Children: 2 or more of AND, OR; 1 of NOT. */
    struct rule_cond *const *children;
    struct rule_event event;              /* DID, SEQUENCE, LATEST. */
    struct rule_times times;              /* DID. */
    struct rule_window window;            /* DID, SEQUENCE, LATEST. */
    const struct rule_sequence *sequence; /* SEQUENCE. */
    struct rule_measure measure;          /* MEASURE, COMPARE. */
    struct rule_test test;                /* MEASURE, PATH; COMPARE: its op. */
    const struct rule_measure *other;     /* COMPARE: on the right side. */
    struct rule_percent percent;          /* COMPARE (`of`), SHARE. */
    struct path path;                     /* PATH: of user or account. */
    struct seg_text key;                  /* IN_SEGMENT, ENTERED, LEFT. */
    int segment;          /* The same: index in rules, by check. */
    int64_t duration_ms;  /* ENTERED, LEFT. */
    struct seg_text text; /* LATEST: the name; SHARE: the salt. */
    struct rule_pos text_pos;
    struct rule_pos pos;
};

/* name { . name } = value, of a trigger or an event in a test; in a trigger a
 * path of the user or a measure may stand for the value. */
enum rule_property_kind { PROPERTY_VALUE, PROPERTY_PATH, PROPERTY_MEASURE };

struct rule_property {
    enum rule_property_kind kind;
    int name_count;
    const struct seg_text *names;
    struct rule_value value;            /* VALUE. */
    struct path path;                   /* PATH: of user or account. */
    const struct rule_measure *measure; /* MEASURE. */
    struct rule_pos pos;
};

/* Whether A and B have at least NAMES names, and the same ones so far. */
int property_shares(const struct rule_property *a,
                    const struct rule_property *b, int names);

/* The first of COUNT properties at or after FROM that is a member of the object
 * whose DEPTH names LIKE begins with (NULL with 0: of the outermost one) and
 * the first with its name there; COUNT: none. goal.id and goal.name are one
 * member `goal`. */
int property_member(const struct rule_property *properties, int count, int from,
                    const struct rule_property *like, int depth);

struct rule_trigger {
    int on_enter; /* 1: enter, 0: exit. */
    struct seg_text name;
    int property_count;
    const struct rule_property *properties;
    int once;            /* `once` stands there. */
    int64_t cooldown_ms; /* `per D`; 0 with once: once ever. */
    struct rule_pos pos;
};

/* Where the fields of a segment stand, for comments; line 0: nowhere. */
enum rule_field {
    FIELD_TITLE,
    FIELD_OWNER,
    FIELD_TAGS,
    FIELD_DOCS,
    FIELD_SHADOW,
    FIELD_WHEN,
    FIELD_UNTIL,
    FIELD_INCLUDE,
    FIELD_EXCLUDE,
    FIELD_ON, /* The first one; each trigger has its own pos. */
    FIELD_COUNT_
};

struct rule_segment {
    struct seg_text key;
    struct seg_text title, owner, docs; /* bytes = NULL: none. */
    int tag_count;
    const struct seg_text *tags;
    int shadow;
    struct rule_cond *when;              /* NULL: none. */
    struct rule_cond *until;             /* NULL: none. */
    struct rule_values include, exclude; /* count 0 and no list: none. */
    int trigger_count;
    const struct rule_trigger *triggers;
    struct rule_pos field_pos[FIELD_COUNT_];
    struct rule_pos pos; /* Of the key. */
    struct rule_pos end; /* Of the closing brace. */
};

struct rule_list {
    struct seg_text key;
    struct rule_values values;
    int used;            /* By check. */
    struct rule_pos pos; /* Of the key. */
    struct rule_pos end; /* Of the closing bracket. */
};

/* One line of a score: its events and what each of them adds. */
struct rule_weight {
    struct rule_event event;
    int64_t weight;
    struct rule_pos pos;
};

struct rule_score {
    struct seg_text key;
    int64_t half_life_ms;
    int weight_count;
    const struct rule_weight *weights;
    int used;            /* By check. */
    struct rule_pos pos; /* Of the key. */
    struct rule_pos end; /* Of the closing brace. */
};

/* A measure that is published. */
struct rule_trait {
    struct seg_text key;
    struct rule_measure measure;
    struct rule_pos pos; /* Of the key. */
    struct rule_pos end; /* Of the measure's last character. */
};

enum rule_line_kind {
    LINE_SET,      /* path = value */
    LINE_EVENT,    /* name, properties */
    LINE_IDENTIFY, /* properties */
    LINE_GROUP,    /* name = group id, properties */
    LINE_PAGE,     /* name, empty if it has none, properties */
    LINE_SCREEN,   /* the same */
    LINE_EXPECT,   /* expect */
};

enum rule_expect {
    EXPECT_IN,
    EXPECT_OUT,
    EXPECT_ENTER,
    EXPECT_EXIT,
    EXPECT_TRAIT, /* name, op, value */
};

struct rule_line {
    enum rule_line_kind kind;
    int64_t at_ms; /* After 0d. */
    struct path path;
    struct rule_value value;
    struct seg_text name;
    int property_count;
    const struct rule_property *properties;
    enum rule_expect expect;
    enum rule_op op;
    struct rule_pos pos;
};

struct rule_test_block {
    struct seg_text segment;
    struct seg_text name;
    int line_count;
    const struct rule_line *lines;
    struct rule_pos pos; /* Of the segment's key. */
    struct rule_pos end; /* Of the closing brace. */
};

/* A `# comment`, kept for the formatter. */
struct rule_comment {
    struct seg_text text; /* From the # on, without the newline. */
    int own_line;         /* Nothing but space before it. */
    struct rule_pos pos;
};

/* All definitions of some files. In the order of the files until check has
 * sorted the segments by key. */
struct rules {
    struct arena arena;
    int file_count;
    struct rule_file {
        struct seg_text name;
        struct seg_text text; /* A copy, for carets. */
    } * files;
    int list_count, score_count, trait_count, segment_count, test_count;
    int comment_count;
    size_t list_cap, score_cap, trait_cap, segment_cap, test_cap, comment_cap;
    size_t file_cap;
    struct rule_list *lists;
    struct rule_score *scores;
    struct rule_trait *traits;
    struct rule_segment *segments;
    struct rule_test_block *tests;
    struct rule_comment *comments;
};

void rules_init(struct rules *rules);

/* Give all memory of RULES back; it may be used again as after init. */
void rules_done(struct rules *rules);

#endif
