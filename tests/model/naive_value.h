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
    NAIVE_DAYS,  /* An age in ms, which counts in days. */
    NAIVE_UNITS, /* A sum, in units of 1e-9. */
    NAIVE_SCORE, /* Likewise a score: shown with a fraction always. */
    NAIVE_TEXT,
    NAIVE_LIST,
    NAIVE_OBJECT,
};

__extension__ typedef __int128 naive_units;

#define NAIVE_UNIT 1000000000 /* Units in 1. */

struct naive_value {
    enum naive_type type;
    int64_t integer; /* Of BOOL, INT, DAYS. */
    double real;
    naive_units units;  /* Of UNITS, SCORE. */
    int spelled_freely; /* A number: 1 may be shown for 1.0. */
    struct seg_text text;
    const json_t *json; /* Of LIST and OBJECT. */
};

/* JSON may be NULL: missing. Borrows from it. */
struct naive_value naive_value_of(const json_t *json);
struct naive_value naive_value_int(int64_t integer);
struct naive_value naive_value_days(int64_t age_ms);
struct naive_value naive_value_text(struct seg_text text);

struct naive_value naive_value_units(naive_units units);
struct naive_value naive_value_real(double real);

/* Whether VALUE is a number; its units of 1e-9, rounded if there are more
 * digits. */
int naive_value_is_number(const struct naive_value *value);
naive_units naive_value_units_of(const struct naive_value *value);
/* REAL to the nearest unit, halves to the even one; UNITS as a double. */
naive_units naive_units_of_real(double real);
double naive_units_nearest(naive_units units);
naive_units naive_value_literal(const struct rule_value *number);

/* The order of A against HUNDREDTHS of a percent of B, below, 0, above, into
 * *ORDER. Returns whether they can be compared. */
int naive_value_order(const struct naive_value *a, const struct naive_value *b,
                      int64_t hundredths, int *order);

/* Whether A = B, as the values of two events. */
int naive_value_same(const struct naive_value *a, const struct naive_value *b);

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
