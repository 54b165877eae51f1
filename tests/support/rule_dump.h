/* rule_dump.h: syntax trees as text that leaves nothing out but positions.
 *
 * Every node in brackets, so that which of two readings was taken can be seen:
 *
 *     not did "A" in 7d      (not (did "A" in 604800000))
 *     did not "A" in 7d      (did not "A" in 604800000)
 *
 * Written apart from the formatter: what both forget, no test would find. */
#ifndef TESTS_SUPPORT_RULE_DUMP_H
#define TESTS_SUPPORT_RULE_DUMP_H

#include "lib/base/buf.h"
#include "lib/segment/rule.h"

void dump_cond(struct buf *buf, const struct rule_cond *cond);

/* All definitions in the order of RULES; comments as their texts at the end. */
void dump_rules(struct buf *buf, const struct rules *rules);

#endif
