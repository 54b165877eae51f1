/* oracle_query.c: what the oracle knows, for those who ask. */
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
        const struct oracle_user *user = o->users[u];
        for (size_t i = 0; i < user->edge_count; i++)
            if (user->edges[i] > o->clock_ms && user->edges[i] < next &&
                differs(o, user, user->edges[i]))
                next = user->edges[i];
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
