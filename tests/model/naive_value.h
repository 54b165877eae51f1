/* naive_value.h: values of messages, and what a segment file asks of them.
 *
 * What seg(5) says of paths, values, text and versions. Nothing is shared with
 * the library but the syntax tree. */
#ifndef MODEL_NAIVE_VALUE_H
#define MODEL_NAIVE_VALUE_H

#include <jansson.h>
#include <stdint.h>

#include "lib/segment/rule.h"

enum naive_type {
    NAIVE_MISSING,
    NAIVE_BOOL,
    NAIVE_INT,
    NAIVE_REAL,
    NAIVE_DAYS, /* An age in ms, which counts in days. */
    NAIVE_TEXT,
    NAIVE_LIST,
    NAIVE_OBJECT,
};

struct naive_value {
    enum naive_type type;
    int64_t integer; /* Of BOOL, INT, DAYS. */
    double real;
    struct seg_text text;
    const json_t *json; /* Of LIST and OBJECT. */
};

/* JSON may be NULL: missing. Borrows from it. */
struct naive_value naive_value_of(const json_t *json);
struct naive_value naive_value_int(int64_t integer);
struct naive_value naive_value_days(int64_t age_ms);
struct naive_value naive_value_text(struct seg_text text);

/* VALUE as an instant. Returns whether it is one. */
int naive_value_instant(const struct naive_value *value, int64_t *ms);

/* Text as an instant. Returns whether it is one. */
int naive_value_instant_of_text(struct seg_text text, int64_t *ms);

/* Whether VALUE passes TEST at NOW_MS. */
int naive_value_passes(const struct naive_value *value,
                       const struct rule_test *test, int64_t now_ms);

/* A number as written in a segment file, in days, as milliseconds: whole if it
 * is within a millionth of a whole one. */
long double naive_value_days_ms(const struct rule_value *number);

/* Calls EDGE with every instant near which TEST may change its mind about
 * VALUE by time alone. */
void naive_value_edges(const struct naive_value *value,
                       const struct rule_test *test,
                       void (*edge)(void *arg, int64_t ms), void *arg);

#endif
