/* unasked.c: events of test blocks that no segment asks for. */
#include "lib/engine/unasked.h"

#include <stdlib.h>

#include "lib/base/suggest.h"
#include "lib/base/text.h"
#include "lib/engine/test_line.h"

/* ---- who asks for `any` ------------------------------------------------ */

/* FEATURE is fed by any event. */
static void mark_feature(struct unasked *unasked, uint32_t feature)
{
    const struct plan *plan = &unasked->catalogue->plan;
    const struct number_list *segments = &plan->sources[feature].segments;
    for (uint32_t i = 0; i < segments->count; i++)
        unasked->any[segments->items[i]] = 1;
    for (uint32_t i = 0; i < plan->trait_count; i++)
        unasked->any_trait |= plan->traits[i].source == feature;
}

static void mark_selectors(struct unasked *unasked,
                           const struct number_list *selectors)
{
    const struct plan *plan = &unasked->catalogue->plan;
    for (uint32_t i = 0; i < selectors->count; i++) {
        const struct selector *selector = &plan->selectors[selectors->items[i]];
        for (uint32_t f = 0; f < selector->features.count; f++)
            mark_feature(unasked, selector->features.items[f]);
        for (uint32_t r = 0; r < selector->role_count; r++)
            mark_feature(unasked, selector->roles[r].feature);
    }
}

/* Whoever refers to such a segment does too; it is judged later. */
static void mark_dependents(struct unasked *unasked)
{
    const struct plan *plan = &unasked->catalogue->plan;
    for (uint32_t rank = 0; rank < plan->segment_count; rank++) {
        uint32_t segment = plan->by_rank[rank];
        const struct number_list *list = &plan->segments[segment].dependents;
        for (uint32_t i = 0; unasked->any[segment] && i < list->count; i++)
            unasked->any[list->items[i]] = 1;
    }
}

int unasked_init(struct unasked *unasked, const struct seg_catalogue *catalogue)
{
    const struct dispatch *any = &catalogue->plan.any;
    *unasked =
        (struct unasked){.catalogue = catalogue,
                         .any = calloc(catalogue->plan.segment_count + 1ul, 1)};
    if (!unasked->any)
        return SEG_ERR_NOMEM;
    mark_selectors(unasked, &any->always);
    for (uint32_t i = 0; i < any->switch_count; i++)
        for (uint32_t v = 0; v < any->switches[i].values.count; v++)
            mark_selectors(unasked, &any->switches[i].lists[v]);
    mark_dependents(unasked);
    return 0;
}

void unasked_done(struct unasked *unasked)
{
    free(unasked->any);
}

/* ---- what nobody asks for ---------------------------------------------- */

static int is_unasked(const struct unasked *unasked,
                      const struct rule_test_block *block, int i)
{
    const struct rule_line *line = &block->lines[i];
    struct seg_text name = test_line_event(line);
    if (!name.len ||
        intern_find(&unasked->catalogue->plan.spec.names, name) != INTERN_NONE)
        return 0;
    for (int j = 0; j < i; j++)
        if (text_equal(test_line_event(&block->lines[j]), name))
            return 0;
    return 1;
}

static int expects_trait(const struct rule_test_block *block)
{
    for (int i = 0; i < block->line_count; i++)
        if (block->lines[i].kind == LINE_EXPECT &&
            block->lines[i].expect == EXPECT_TRAIT)
            return 1;
    return 0;
}

static void write_event(const struct seg_catalogue *catalogue,
                        const struct rule_line *line, struct buf *buf)
{
    const struct intern *names = &catalogue->plan.spec.names;
    struct seg_text name = test_line_event(line);
    struct suggest suggest;
    buf_printf(buf, "%s:%u:%u: warning: No segment asks for the event ",
               catalogue->rules.files[line->pos.file].name.bytes,
               line->pos.line, line->pos.column);
    buf_json_text(buf, name);
    suggest_init(&suggest, name);
    for (uint32_t i = 0; i < names->count; i++)
        suggest_offer(&suggest, names->texts[i]);
    if (suggest.best.bytes) {
        buf_str(buf, "; did you mean ");
        buf_json_text(buf, suggest.best);
        buf_char(buf, '?');
    } else {
        buf_char(buf, '.');
    }
    buf_char(buf, '\n');
}

void unasked_write(const struct unasked *unasked,
                   const struct rule_test_block *block, struct buf *buf)
{
    uint32_t segment =
        intern_find(&unasked->catalogue->plan.segment_keys, block->segment);
    if (unasked->any[segment] || (unasked->any_trait && expects_trait(block)))
        return;
    for (int i = 0; i < block->line_count; i++)
        if (is_unasked(unasked, block, i))
            write_event(unasked->catalogue, &block->lines[i], buf);
}
