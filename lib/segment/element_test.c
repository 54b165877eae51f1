/* element_test.c: `has one where (...)`: a condition on one element of a list.
 *
 * Elements are objects whose members stand as names and values in turn; of one
 * name several times the last holds. What is not there is missing. */
#include "lib/segment/element_test.h"

#include <seg/engine.h>

#include "lib/base/text.h"

int element_test_init(struct element_test *to, struct arena *arena,
                      const struct rule_where *rule)
{
    static const enum element_kind kinds[] = {
        [WHERE_AND] = ELEMENT_AND,
        [WHERE_OR] = ELEMENT_OR,
        [WHERE_NOT] = ELEMENT_NOT,
        [WHERE_TEST] = ELEMENT_TEST,
    };
    to->kind = kinds[rule->kind];
    to->path = &rule->path;
    if (rule->kind == WHERE_TEST)
        return value_test_init(&to->test, arena, &rule->test);
    to->children =
        arena_calloc(arena, (size_t)rule->count, sizeof(*to->children));
    if (!to->children)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < rule->count; i++) {
        int ret = element_test_init(&to->children[to->count++], arena,
                                    rule->children[i]);
        if (ret < 0)
            return ret;
    }
    return 0;
}

void element_test_done(const struct element_test *element)
{
    value_test_done((struct value_test *)&element->test);
    for (uint32_t i = 0; i < element->count; i++)
        element_test_done(&element->children[i]);
}

/* What stands in OBJECT under PATH, the last of one name; NULL: nothing. */
static const struct seg_value *member_at(const struct seg_value *object,
                                         const struct path *path)
{
    for (int n = 0; n < path->count; n++) {
        const struct seg_value *found = NULL;
        if (object->type != SEG_OBJECT)
            return NULL;
        for (uint32_t i = 0; i + 1 < object->len; i += 2) {
            const struct seg_value *name = &object->as.items[i];
            if (text_equal((struct seg_text){name->as.text, name->len},
                           path->names[n]))
                found = &object->as.items[i + 1];
        }
        if (!found)
            return NULL;
        object = found;
    }
    return object;
}

int element_test(const struct element_test *element,
                 const struct seg_value *object,
                 const struct test_context *context)
{
    static const struct seg_value missing = {.type = SEG_MISSING};
    const struct seg_value *value;
    int deciding = element->kind == ELEMENT_OR;
    switch (element->kind) {
    case ELEMENT_TEST:
        value = member_at(object, element->path);
        return value_test(&element->test, value ? value : &missing, context);
    case ELEMENT_NOT:
        return !element_test(&element->children[0], object, context);
    case ELEMENT_AND:
    case ELEMENT_OR:
        break;
    }
    for (uint32_t i = 0; i < element->count; i++)
        if (element_test(&element->children[i], object, context) == deciding)
            return deciding;
    return !deciding;
}

int element_test_timed(const struct element_test *element)
{
    if (element->kind == ELEMENT_TEST)
        return value_test_timed(&element->test);
    for (uint32_t i = 0; i < element->count; i++)
        if (element_test_timed(&element->children[i]))
            return 1;
    return 0;
}

int64_t element_test_next(const struct element_test *element,
                          const struct seg_value *object, int64_t now_ms)
{
    int64_t next = SEG_NEVER;
    if (element->kind == ELEMENT_TEST) {
        const struct seg_value *value = member_at(object, element->path);
        return value ? value_test_next(&element->test, value, now_ms) : next;
    }
    for (uint32_t i = 0; i < element->count; i++) {
        int64_t at_ms =
            element_test_next(&element->children[i], object, now_ms);
        next = at_ms < next ? at_ms : next;
    }
    return next;
}
