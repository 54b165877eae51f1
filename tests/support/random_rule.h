/* random_rule.h: random syntax trees of all that segment files can say.
 *
 * The same seed gives the same tree. Trees are whole: every operator, measure,
 * kind of window and of value comes up, names that need quotes and texts that
 * need escapes among them. Positions are those of a file of one line per
 * definition, as random trees come from no text. */
#ifndef TESTS_SUPPORT_RANDOM_RULE_H
#define TESTS_SUPPORT_RANDOM_RULE_H

#include <stdint.h>

#include "lib/segment/rule.h"

/* Fill RULES (empty before) with one file of random definitions. */
void random_rules(struct rules *rules, uint64_t seed);

#endif
