/* catalogue.c: segment files, compiled: the public face of rules and plan. */
#include "lib/segment/catalogue.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/event/decoder.h"
#include "lib/segment/check.h"

int seg_catalogue_compile(struct seg_catalogue **ret,
                          const struct seg_source *sources, int count,
                          struct seg_diagnostics *diagnostics)
{
    struct seg_catalogue *catalogue = calloc(1, sizeof(*catalogue));
    if (!catalogue)
        return SEG_ERR_NOMEM;
    atomic_init(&catalogue->owners, 1);
    rules_init(&catalogue->rules);
    int err = check_sources(&catalogue->rules, sources, count, diagnostics);
    if (err == 0)
        err = plan_init(&catalogue->plan, &catalogue->rules);
    if (err < 0) {
        seg_catalogue_free(catalogue);
        return err;
    }
    snprintf(catalogue->hash, sizeof(catalogue->hash), "%08x",
             (unsigned)(catalogue->plan.hash >> 32));
    *ret = catalogue;
    return 0;
}

struct seg_catalogue *seg_catalogue_share(const struct seg_catalogue *catalogue)
{
    struct seg_catalogue *shared = (struct seg_catalogue *)catalogue;
    atomic_fetch_add(&shared->owners, 1);
    return shared;
}

void seg_catalogue_free(struct seg_catalogue *catalogue)
{
    if (!catalogue || atomic_fetch_sub(&catalogue->owners, 1) > 1)
        return;
    plan_done(&catalogue->plan);
    rules_done(&catalogue->rules);
    free(catalogue);
}

int seg_decoder_new(struct seg_decoder **ret,
                    const struct seg_catalogue *catalogue)
{
    return decoder_new(ret, &catalogue->plan.spec);
}

const char *seg_catalogue_hash(const struct seg_catalogue *catalogue)
{
    return catalogue->hash;
}

int seg_catalogue_segment_count(const struct seg_catalogue *catalogue)
{
    return (int)catalogue->plan.segment_count;
}

static const char *or_empty(struct seg_text text)
{
    return text.bytes ? text.bytes : "";
}

void seg_catalogue_segment(const struct seg_catalogue *catalogue, int index,
                           struct seg_segment_info *info)
{
    const struct segment *segment = &catalogue->plan.segments[index];
    const struct rule_segment *rule = segment->rule;
    *info = (struct seg_segment_info){
        .key = rule->key.bytes,
        .title = or_empty(rule->title),
        .owner = or_empty(rule->owner),
        .docs = or_empty(rule->docs),
        .condition = segment->when_text,
        .shadow = rule->shadow,
        .tag_count = rule->tag_count,
        .tags = rule->tags,
    };
}

int seg_catalogue_segment_index(const struct seg_catalogue *catalogue,
                                const char *key)
{
    uint32_t index = intern_find(&catalogue->plan.segment_keys, text_of(key));
    return index == INTERN_NONE ? SEG_ERR_NOT_FOUND : (int)index;
}

int seg_catalogue_trait_count(const struct seg_catalogue *catalogue)
{
    return (int)catalogue->plan.trait_count;
}

int seg_catalogue_trigger_count(const struct seg_catalogue *catalogue)
{
    return (int)catalogue->plan.trigger_count;
}

void seg_catalogue_trigger(const struct seg_catalogue *catalogue, int index,
                           struct seg_trigger_info *info)
{
    const struct trigger *trigger = &catalogue->plan.triggers[index];
    *info = (struct seg_trigger_info){
        .segment = (int)trigger->segment,
        .on_enter = trigger->rule->on_enter,
        .name = trigger->rule->name.bytes,
        .property_count = trigger->rule->property_count,
        .properties = trigger->properties,
    };
}
