/* element_test.h: `has one where (...)`: a condition on one element of a list.
 */
#ifndef SEGMENT_ELEMENT_TEST_H
#define SEGMENT_ELEMENT_TEST_H

#include "lib/segment/value_test.h"

/* Compile RULE, which stays, in ARENA, into TO, which is zero. Returns 0,
 * SEG_ERR_INVALID or SEG_ERR_NOMEM; TO is to be ended in any case. */
int element_test_init(struct element_test *to, struct arena *arena,
                      const struct rule_where *rule);
void element_test_done(const struct element_test *element);

/* Whether OBJECT passes. */
int element_test(const struct element_test *element,
                 const struct seg_value *object,
                 const struct test_context *context);

/* Whether it may change by time alone; and when it does first after NOW_MS,
 * SEG_NEVER. */
int element_test_timed(const struct element_test *element);
int64_t element_test_next(const struct element_test *element,
                          const struct seg_value *object, int64_t now_ms);

#endif
