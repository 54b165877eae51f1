/* oracle_query.c: what the oracle knows, for those who ask. */
#include <stdlib.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

int64_t oracle_clock(const struct oracle *o)
{
    return o->clock_ms;
}

const struct oracle_change *oracle_changes(const struct oracle *o,
                                           size_t *count)
{
    *count = o->change_count;
    return o->changes;
}

int oracle_user_count(const struct oracle *o)
{
    return o->user_count;
}

const struct oracle_user *oracle_user_at(const struct oracle *o, int index)
{
    return o->users[index];
}

struct seg_text oracle_user_id(const struct oracle_user *user)
{
    return user->id;
}

void oracle_user_birth(const struct oracle_user *user, int *topic,
                       int64_t *offset)
{
    *topic = user->birth_topic;
    *offset = user->birth_offset;
}

int oracle_member(const struct oracle_user *user, int segment,
                  int64_t *entered_at_ms)
{
    *entered_at_ms = user->memberships[segment].entered_at_ms;
    return user->memberships[segment].member;
}

uint32_t oracle_segment_size(const struct oracle *o, int segment)
{
    uint32_t n = 0;
    for (int i = 0; i < o->user_count; i++)
        n += (uint32_t)o->users[i]->memberships[segment].member;
    return n;
}

int oracle_truth(const struct oracle *o, const struct oracle_user *user,
                 int segment, int64_t at_ms)
{
    return oracle_eval_segment(o, user, segment, at_ms);
}

static int differs(const struct oracle *o, const struct oracle_user *user,
                   int64_t at_ms)
{
    for (int i = 0; i < o->rules->segment_count && !user->unswept; i++) {
        int truth = oracle_eval_segment(o, user, i, at_ms);
        if (truth != SEG_UNKNOWN &&
            (truth == SEG_TRUE) != user->memberships[i].member)
            return 1;
    }
    return 0;
}

int64_t oracle_next_change(const struct oracle *o)
{
    int64_t next = SEG_NEVER;
    for (int u = 0; u < o->user_count; u++) {
        size_t count;
        int64_t *edges = oracle_user_edges(o, o->users[u], next - 1, &count);
        for (size_t i = 0; i < count && edges[i] < next; i++)
            if (differs(o, o->users[u], edges[i]))
                next = edges[i];
        free(edges);
    }
    return next;
}

void oracle_stats(const struct oracle *o, struct oracle_stats *stats)
{
    *stats = o->stats;
}

int oracle_awaits(const struct oracle_user *user, int64_t at_ms)
{
    for (int i = 0; i < user->count; i++)
        if (user->messages[i]->time_ms > at_ms)
            return 1;
    return 0;
}

struct naive_value oracle_other(const struct oracle *o,
                                const struct oracle_user *user,
                                const struct rule_cond *leaf, int64_t at_ms)
{
    return oracle_measure(o, user, leaf->other,
                          oracle_warming_source(o, leaf->other), at_ms);
}

static int remembers(const struct rule_cond *cond)
{
    int found = cond->kind == COND_ENTERED || cond->kind == COND_LEFT;
    for (int i = 0; i < cond->count; i++)
        found |= remembers(cond->children[i]);
    return found;
}

int oracle_remembers(const struct oracle *o)
{
    for (int i = 0; i < o->rules->segment_count; i++) {
        const struct rule_segment *segment = &o->rules->segments[i];
        if (segment->until || (segment->when && remembers(segment->when)))
            return 1;
    }
    return 0;
}

int oracle_unsure(const struct oracle *o)
{
    return o->unsure;
}

struct naive_value oracle_trait(const struct oracle *o,
                                const struct oracle_user *user, int index,
                                int64_t at_ms)
{
    const struct rule_measure *measure = &o->rules->traits[index].measure;
    return oracle_measure(o, user, measure, oracle_warming_source(o, measure),
                          at_ms);
}

int oracle_property(const struct oracle *o, const struct oracle_user *user,
                    const struct rule_property *property, int64_t at_ms,
                    struct naive_value *value)
{
    const struct oracle_source *source;
    switch (property->kind) {
    case PROPERTY_VALUE:
        return 0;
    case PROPERTY_PATH:
        source = oracle_warming_source(o, &property->path);
        *value = oracle_eval_attribute(user, &property->path, at_ms);
        return !source || user->generation >= source->since;
    case PROPERTY_MEASURE:
        break;
    }
    *value = oracle_measure(o, user, property->measure,
                            oracle_warming_source(o, property->measure), at_ms);
    if (MUTATED(TRIGGER_TOLD))
        *value = naive_value_of(NULL);
    return 1;
}
