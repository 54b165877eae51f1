/* rule.c: life of the syntax tree, and its two tables as data. */
#include "lib/segment/rule.h"

#include <assert.h>
#include <stdlib.h>

const struct rule_op_info *rule_op_info(enum rule_op op)
{
    static const struct rule_op_info rows[] = {
#define X(name, words, operand, of, fold) \
    {words, OPERAND_##operand, OF_##of, fold},
        OP_TABLE(X)
#undef X
    };
    assert((unsigned)op < OP_COUNT_);
    return &rows[op];
}

const struct rule_measure_info *rule_measure_info(enum rule_measure_kind kind)
{
    static const struct rule_measure_info rows[] = {
#define X(name, word, path, window) {word, path, window},
        MEASURE_TABLE(X)
#undef X
    };
    assert((unsigned)kind < MEASURE_COUNT_);
    return &rows[kind];
}

void rules_init(struct rules *rules)
{
    *rules = (struct rules){0};
    arena_init(&rules->arena);
}

void rules_done(struct rules *rules)
{
    arena_done(&rules->arena);
    free(rules->files);
    free(rules->lists);
    free(rules->segments);
    free(rules->tests);
    free(rules->comments);
    rules_init(rules);
}
