/* rule.c: life of the syntax tree, its two tables as data, dotted names. */
#include "lib/segment/rule.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/text.h"

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
#define X(name, word, operand, window, help) {word, MEASURED_##operand, window},
        MEASURE_TABLE(X)
#undef X
    };
    assert((unsigned)kind < MEASURE_COUNT_);
    return &rows[kind];
}

int property_shares(const struct rule_property *a,
                    const struct rule_property *b, int names)
{
    if (a->name_count < names || b->name_count < names)
        return 0;
    for (int i = 0; i < names; i++)
        if (!text_equal(a->names[i], b->names[i]))
            return 0;
    return 1;
}

/* Whether a property before I shares its first NAMES names. */
static int is_repeated(const struct rule_property *properties, int i, int names)
{
    for (int j = 0; j < i; j++)
        if (property_shares(&properties[j], &properties[i], names))
            return 1;
    return 0;
}

int property_member(const struct rule_property *properties, int count, int from,
                    const struct rule_property *like, int depth)
{
    int i = from;
    while (i < count &&
           ((like && !property_shares(&properties[i], like, depth)) ||
            properties[i].name_count <= depth ||
            is_repeated(properties, i, depth + 1)))
        i++;
    return i;
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
    free(rules->scores);
    free(rules->traits);
    free(rules->segments);
    free(rules->tests);
    free(rules->comments);
    rules_init(rules);
}
