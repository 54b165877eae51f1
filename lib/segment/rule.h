/* rule.h: the syntax tree of segment files.
 *
 * What the parser makes, and all that planner, formatter, checker and the
 * tests' oracle read. A tree lives in the arena of its struct rules; nothing is
 * freed alone. Texts are terminated copies. Nodes keep the spelling that has a
 * choice (`did not`, `did at least 1 times`), so that parse and format are
 * inverse; meaning is the planner's affair.
 *
 *   rules ── list[]     key, values
 *         ├─ segment[]  key, title …, when ─ cond, triggers, include, exclude
 *         └─ test[]     segment key, name, lines
 *
 *   cond  ── AND OR NOT      children
 *         ├─ EVERYONE
 *         ├─ DID             event, times, window
 *         ├─ MEASURE         measure, test
 *         ├─ PATH            path, test
 *         └─ IN_SEGMENT      key
 *
 *   where ── AND OR NOT TEST (path, test): a condition on one event */
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

struct rule_pos {
    uint32_t file;   /* Index into rules->files. */
    uint32_t line;   /* From 1. */
    uint32_t column; /* From 1, bytes. */
    uint32_t width;  /* Bytes to underline. */
};

/* A value as written. A DATE stands as SEG_INT (ms) with is_date set: it
 * compares by instant; as the value of a property or of `set` it is SEG_TEXT,
 * as spelled. There, and only there, a list may stand. */
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

enum rule_window_kind { WINDOW_LIFETIME, WINDOW_IN, WINDOW_FROM_TO };

/* Ages [to_ms, from_ms) count: `in W` is from W to 0. */
struct rule_window {
    enum rule_window_kind kind;
    int64_t from_ms;
    int64_t to_ms;
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
    int64_t low;  /* The number; the lower one of BETWEEN. */
    int64_t high; /* Of BETWEEN. */
    struct rule_pos pos;
};

enum rule_measure_kind {
#define X(name, word, path, window) MEASURE_##name,
    MEASURE_TABLE(X)
#undef X
        MEASURE_COUNT_
};

/* One row of measure_table.h. */
struct rule_measure_info {
    const char *word;
    int path;
    int window;
};

const struct rule_measure_info *rule_measure_info(enum rule_measure_kind kind);

struct rule_measure {
    enum rule_measure_kind kind;
    struct rule_event event;
    struct path path; /* Of first and last. */
    struct rule_window window;
    struct rule_pos pos;
};

enum rule_cond_kind {
    COND_AND,
    COND_OR,
    COND_NOT,
    COND_EVERYONE,
    COND_DID,
    COND_MEASURE,
    COND_PATH,
    COND_IN_SEGMENT,
};

struct rule_cond {
    enum rule_cond_kind kind;
    int count; /* Children: 2 or more of AND, OR; 1 of NOT. */
    struct rule_cond *const *children;
    struct rule_event event; /* DID. */
    struct rule_times times;
    struct rule_window window;
    struct rule_measure measure; /* MEASURE. */
    struct path path;            /* PATH: of user or account. */
    struct rule_test test;       /* MEASURE, PATH. */
    struct seg_text key;         /* IN_SEGMENT. */
    int segment;                 /* IN_SEGMENT: index in rules, by check. */
    struct rule_pos pos;
};

/* name { . name } = value, of a trigger or an event in a test. */
struct rule_property {
    int name_count;
    const struct seg_text *names;
    struct rule_value value;
    struct rule_pos pos;
};

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
    FIELD_WHEN,
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
    struct rule_cond *when;              /* NULL: none. */
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

enum rule_line_kind {
    LINE_SET,      /* path = value */
    LINE_EVENT,    /* name, properties */
    LINE_IDENTIFY, /* properties */
    LINE_GROUP,    /* name = group id, properties */
    LINE_EXPECT,   /* expect */
};

enum rule_expect { EXPECT_IN, EXPECT_OUT, EXPECT_ENTER, EXPECT_EXIT };

struct rule_line {
    enum rule_line_kind kind;
    int64_t at_ms; /* After 0d. */
    struct path path;
    struct rule_value value;
    struct seg_text name;
    int property_count;
    const struct rule_property *properties;
    enum rule_expect expect;
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
    int list_count, segment_count, test_count, comment_count;
    size_t list_cap, segment_cap, test_cap, comment_cap, file_cap;
    struct rule_list *lists;
    struct rule_segment *segments;
    struct rule_test_block *tests;
    struct rule_comment *comments;
};

void rules_init(struct rules *rules);

/* Give all memory of RULES back; it may be used again as after init. */
void rules_done(struct rules *rules);

#endif
