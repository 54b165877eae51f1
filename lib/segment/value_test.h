/* value_test.h: one test of one value, as seg(5) lists them.
 *
 * Compiled from a rule_test: operands are folded once if the test ignores case,
 * and a long list of values becomes a set. */
#ifndef SEGMENT_VALUE_TEST_H
#define SEGMENT_VALUE_TEST_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/intern.h"
#include "lib/segment/rule.h"

struct value_test {
    const struct rule_test *rule;
    const struct rule_value *operands; /* Folded if ignoring case. */
    const struct intern *set; /* Texts of a long `in` or `not in`; or NULL. */
    const struct element_test *where; /* Of `has one`; or NULL. */
    struct regex *regex;              /* Of `matches regex`; or NULL. */
};

enum element_kind { ELEMENT_AND, ELEMENT_OR, ELEMENT_NOT, ELEMENT_TEST };

/* A condition on an element of a list, which is an object. */
struct element_test {
    enum element_kind kind;
    uint32_t count;
    struct element_test *children;
    const struct path *path; /* TEST. */
    struct value_test test;
};

/* Compile RULE, which stays, in ARENA. Returns 0 or SEG_ERR_NOMEM; TEST is to
 * be ended in any case. */
int value_test_init(struct value_test *test, struct arena *arena,
                    const struct rule_test *rule);
void value_test_done(struct value_test *test);

/* What a test needs besides the value. */
struct test_context {
    int64_t now_ms;
    struct arena *scratch;
    uint64_t *mismatches; /* Counts types that do not compare; may be NULL. */
};

/* Whether VALUE passes. */
int value_test(const struct value_test *test, const struct seg_value *value,
               const struct test_context *context);

/* Whether the test may change by time alone. */
int value_test_timed(const struct value_test *test);

/* The first instant after NOW_MS at which the test of VALUE may change by time
 * alone; SEG_NEVER. */
int64_t value_test_next(const struct value_test *test,
                        const struct seg_value *value, int64_t now_ms);

/* The same for a test of the age in days of SINCE_MS. */
int64_t value_test_next_days(const struct value_test *test, int64_t since_ms,
                             int64_t now_ms);

/* Whether an age passes such a test. */
int value_test_days(const struct value_test *test, int64_t age_ms);

/* Whether an age that passes goes on passing as it grows. */
int value_test_days_stays(const struct value_test *test);

/* The age from which on all fail; SEG_NEVER if there is none. */
int64_t value_test_days_past(const struct value_test *test);

#endif
