/* drive_compare.c: what the engine says beside what the oracle says. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/user/user.h"
#include "tests/model/drive_inside.h"

int drive_fail(struct drive *d, const char *format, ...)
{
    va_list args;
    int n = snprintf(d->failure, DRIVE_FAILURE_BYTES, "step %d: ", d->step);
    va_start(args, format);
    vsnprintf(d->failure + n, (size_t)(DRIVE_FAILURE_BYTES - n), format, args);
    va_end(args);
    return DRIVE_DIFFERENT;
}

/* ---- effects ------------------------------------------------------------- */

static struct effect *add_effect(struct effects *effects)
{
    if (effects->count == effects->cap) {
        effects->cap = effects->cap ? 2 * effects->cap : 32;
        effects->items =
            realloc(effects->items, effects->cap * sizeof(*effects->items));
        assert(effects->items);
    }
    return &effects->items[effects->count++];
}

static int topic_index(const struct drive *d, struct seg_text name)
{
    if (!name.bytes)
        return -1;
    for (int i = 0; i < d->history->topic_count; i++)
        if (text_equal(name, text_of(world_topic(i))))
            return i;
    return -2;
}

/* The place of trigger INDEX among those of its segment. */
static int trigger_place(const struct drive *d, int index)
{
    struct seg_trigger_info info, other;
    int place = 0;
    seg_catalogue_trigger(d->catalogue, index, &info);
    for (int i = 0; i < index; i++) {
        seg_catalogue_trigger(d->catalogue, i, &other);
        place += other.segment == info.segment;
    }
    return place;
}

static struct effect of_engine(const struct drive *d,
                               const struct seg_output *o)
{
    int trigger = o->kind == SEG_OUTPUT_TRIGGER;
    struct seg_text name = {NULL, 0};
    struct seg_trigger_info info;
    if (trigger) {
        seg_catalogue_trigger(d->catalogue, o->trigger, &info);
        name = text_of(info.name);
    }
    return (struct effect){
        .user_id = o->user_id,
        .kind = o->kind,
        .segment = o->segment < d->rules->segment_count ? o->segment : -1,
        .key = o->segment_key,
        .trigger_name = name,
        .trigger = trigger ? trigger_place(d, o->trigger) : -1,
        .member = o->member,
        .cause = o->cause,
        .shadow = o->shadow,
        .trigger_count = trigger ? 0 : o->trigger_count,
        .seq = o->seq,
        .at_ms = o->at_ms,
        .entered_at_ms = trigger ? 0 : o->entered_at_ms,
        .source_topic = topic_index(d, o->source_topic),
        .source_offset = o->source_topic.bytes ? o->source_offset : 0,
        .message_id = o->message_id,
        .birth_topic = topic_index(d, o->birth_topic),
        .birth_offset = o->birth_offset,
        .evidence = o->evidence,
        .evidence_count = trigger ? 0 : o->evidence_count,
        .properties = trigger ? o->properties : NULL,
    };
}

static struct effect of_oracle(const struct oracle_change *c)
{
    int trigger = c->trigger >= 0;
    struct effect e = {
        .user_id = oracle_user_id(c->user),
        .kind = trigger ? SEG_OUTPUT_TRIGGER : SEG_OUTPUT_CHANGE,
        .segment = c->segment,
        .key = c->key,
        .trigger = c->trigger,
        .member = c->member,
        .cause = c->cause,
        .shadow = c->shadow,
        .trigger_count = c->trigger_count,
        .seq = c->seq,
        .at_ms = c->at_ms,
        .entered_at_ms = trigger ? 0 : c->entered_at_ms,
        .source_topic = c->source_topic,
        .source_offset = c->source_offset,
        .message_id = c->message_id,
    };
    oracle_user_birth(c->user, &e.birth_topic, &e.birth_offset);
    return e;
}

static int same(const struct effect *a, const struct effect *b)
{
    return text_equal(a->user_id, b->user_id) && a->kind == b->kind &&
           a->segment == b->segment && text_equal(a->key, b->key) &&
           a->trigger == b->trigger && a->member == b->member &&
           a->cause == b->cause && a->shadow == b->shadow &&
           a->trigger_count == b->trigger_count && a->seq == b->seq &&
           a->at_ms == b->at_ms && a->entered_at_ms == b->entered_at_ms &&
           a->source_topic == b->source_topic &&
           a->source_offset == b->source_offset &&
           text_equal(a->message_id, b->message_id) &&
           a->birth_topic == b->birth_topic &&
           a->birth_offset == b->birth_offset;
}

/* Per user in order; users in any order. */
static void sort_by_user(struct effects *effects)
{
    for (size_t i = 1; i < effects->count; i++) {
        struct effect e = effects->items[i];
        size_t at = i;
        for (;
             at && text_compare(effects->items[at - 1].user_id, e.user_id) > 0;
             at--)
            effects->items[at] = effects->items[at - 1];
        effects->items[at] = e;
    }
}

static void print_effect(const struct effects *effects, size_t index, char *out,
                         size_t size)
{
    char at[25], entered[25];
    if (index >= effects->count) {
        snprintf(out, size, "nothing more");
        return;
    }
    const struct effect *e = &effects->items[index];
    instant_string(at, e->at_ms);
    instant_string(entered, e->entered_at_ms);
    snprintf(
        out, size,
        "%.*s %s %.*s%s%s at %s entered_at %s seq %u trigger %d triggers %d "
        "cause %s source %d[%lld] id %.*s birth %d[%lld]",
        (int)e->user_id.len, e->user_id.bytes, e->member ? "enters" : "exits",
        (int)e->key.len, e->key.bytes,
        e->kind == SEG_OUTPUT_TRIGGER ? " (trigger)" : "",
        e->shadow ? " (shadow)" : "", at, entered, e->seq, e->trigger,
        e->trigger_count, seg_cause_name(e->cause), e->source_topic,
        (long long)e->source_offset, (int)e->message_id.len,
        e->message_id.bytes ? e->message_id.bytes : "", e->birth_topic,
        (long long)e->birth_offset);
}

/* ---- what a run has seen ------------------------------------------------- */

struct counting {
    struct drive_stats *stats;
    char seen[CONSTRUCT_COUNT_];
};

static void see_decider(void *arg, const struct rule_cond *leaf)
{
    struct counting *c = arg;
    construct_of_leaf(leaf, c->seen);
}

static void count_pairs(struct construct_counts *counts, const char *seen)
{
    int used[CONSTRUCT_COUNT_], count = 0;
    for (int i = 0; i < CONSTRUCT_COUNT_; i++)
        if (seen[i])
            used[count++] = i;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            counts->pairs[used[i]][used[j]]++;
}

static void count_change(struct drive *d, const struct oracle_change *change)
{
    struct drive_stats *stats = d->stats;
    struct construct_counts *counts = &stats->constructs;
    struct counting used = {stats, {0}}, decided = {stats, {0}};
    if (change->trigger >= 0 || change->segment < 0)
        return;
    const struct rule_segment *segment = &d->rules->segments[change->segment];
    stats->by_timer += change->cause == SEG_CAUSE_TIMER;
    stats->by_event += change->cause == SEG_CAUSE_EVENT;
    stats->by_attribute += change->cause == SEG_CAUSE_ATTRIBUTE;
    stats->by_shadow += (uint64_t)change->shadow;
    stats->by_sweep += change->cause == SEG_CAUSE_CATALOGUE;
    stats->by_backfill += change->cause == SEG_CAUSE_BACKFILL;
    if (change->cause == SEG_CAUSE_TIMER)
        stats->at_end += oracle_truth(d->oracle, change->user, change->segment,
                                      change->at_ms - 1) == SEG_UNKNOWN;
    construct_of_segment(segment, used.seen);
    oracle_deciders(d->oracle, change->user, change->segment, change->member,
                    change->at_ms, see_decider, &decided);
    for (int i = 0; i < CONSTRUCT_COUNT_; i++) {
        counts->entered[i] += (uint64_t)(used.seen[i] && change->member);
        counts->exited[i] += (uint64_t)(used.seen[i] && !change->member);
        counts->decided[i] += (uint64_t)decided.seen[i];
    }
    count_pairs(counts, used.seen);
}

/* Keep what the engine said, as the output topics would. */
static void keep(struct drive *d, const struct effect *effect)
{
    if (effect->shadow)
        return;
    struct effect *e = add_effect(&d->log);
    *e = *effect;
    e->user_id = arena_text(&d->arena, effect->user_id);
    e->key = arena_text(&d->arena, effect->key);
    e->message_id = (struct seg_text){NULL, 0};
    assert(e->user_id.bytes);
}

static void take_engine_effects(struct drive *d)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(d->engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (outputs[i].kind == SEG_OUTPUT_TRAITS)
            continue;
        struct effect e = of_engine(d, &outputs[i]);
        *add_effect(&d->engine_effects) = e;
        keep(d, &e);
    }
}

void drive_carry(struct drive *d)
{
    size_t from = d->engine_effects.count;
    take_engine_effects(d);
    for (size_t i = from; i < d->engine_effects.count; i++) {
        struct effect *e = &d->engine_effects.items[i];
        e->user_id = arena_text(&d->arena, e->user_id);
        e->key = arena_text(&d->arena, e->key);
        if (e->message_id.bytes)
            e->message_id = arena_text(&d->arena, e->message_id);
        e->evidence_count = -1;
        e->properties = NULL;
    }
    seg_engine_outputs_clear(d->engine);
}

static void take_effects(struct drive *d)
{
    size_t count;
    d->oracle_effects.count = 0;
    take_engine_effects(d);
    const struct oracle_change *changes = oracle_changes(d->oracle, &count);
    for (size_t i = 0; i < count; i++) {
        *add_effect(&d->oracle_effects) = of_oracle(&changes[i]);
        if (d->stats)
            count_change(d, &changes[i]);
    }
    sort_by_user(&d->engine_effects);
    sort_by_user(&d->oracle_effects);
}

int drive_compare_effects(struct drive *d)
{
    const struct effects *got = &d->engine_effects, *want = &d->oracle_effects;
    int result = drive_traits(d);
    char got_text[512], want_text[512];
    take_effects(d);
    size_t most = got->count > want->count ? got->count : want->count;
    for (size_t i = 0; i < most && result == DRIVE_SAME; i++) {
        if (i < got->count && i < want->count &&
            same(&got->items[i], &want->items[i])) {
            result = drive_evidence(d, &got->items[i]);
            if (result == DRIVE_SAME)
                result = drive_properties(d, &got->items[i]);
            continue;
        }
        print_effect(got, i, got_text, sizeof(got_text));
        print_effect(want, i, want_text, sizeof(want_text));
        result = drive_fail(d, "change %zu of %zu\n  engine: %s\n  oracle: %s",
                            i, most, got_text, want_text);
    }
    if (result == DRIVE_SAME)
        result = drive_was_told(d);
    d->engine_effects.count = 0;
    seg_engine_outputs_clear(d->engine);
    oracle_changes_clear(d->oracle);
    if (d->stats)
        d->stats->compares++;
    return result;
}

/* ---- state --------------------------------------------------------------- */

#define MEMBERSHIPS_MAX (CATALOGUE_SEGMENTS_MAX * HISTORY_CATALOGUES_MAX)

static int compare_memberships(struct drive *d, const struct oracle_user *want,
                               const struct seg_user *got)
{
    struct seg_membership has[MEMBERSHIPS_MAX];
    int n = seg_user_memberships(d->engine, got, has, MEMBERSHIPS_MAX);
    int expected = 0;
    for (int i = 0; i < d->rules->segment_count; i++) {
        int64_t entered_at_ms;
        int member = oracle_member(want, i, &entered_at_ms), found = 0;
        expected += member;
        for (int j = 0; j < n; j++)
            found |=
                has[j].segment == i && has[j].entered_at_ms == entered_at_ms;
        if (member != found)
            return drive_fail(d, "membership of %s in %s: engine %d, oracle %d",
                              oracle_user_id(want).bytes,
                              d->rules->segments[i].key.bytes, found, member);
    }
    for (int i = 0; i < oracle_retired(want); i++, expected++) {
        int64_t entered_at_ms;
        struct seg_text key = oracle_retired_at(want, i, &entered_at_ms);
        int found = 0;
        for (int j = 0; j < n; j++)
            found |= has[j].segment >= d->rules->segment_count &&
                     text_equal(has[j].key, key) &&
                     has[j].entered_at_ms == entered_at_ms;
        if (!found)
            return drive_fail(d, "membership of %s in %.*s, which is no more",
                              oracle_user_id(want).bytes, (int)key.len,
                              key.bytes);
    }
    if (n != expected)
        return drive_fail(d, "%s has %d memberships, not %d",
                          oracle_user_id(want).bytes, n, expected);
    return DRIVE_SAME;
}

static int compare_user(struct drive *d, const struct oracle_user *want,
                        int explain)
{
    struct seg_text id = oracle_user_id(want);
    const struct seg_user *got = seg_user_find(d->engine, id);
    struct seg_user_info info;
    if (!got)
        return drive_fail(d, "the engine does not know user %s", id.bytes);
    seg_user_info(d->engine, got, &info);
    struct seg_text account = oracle_user_account(d->oracle, want);
    if (!text_equal(info.id, id))
        return drive_fail(d, "user %s has another id", id.bytes);
    if (!text_equal(info.account, account))
        return drive_fail(d, "user %s: account %.*s, not %.*s", id.bytes,
                          (int)info.account.len,
                          info.account.bytes ? info.account.bytes : "",
                          (int)account.len, account.bytes ? account.bytes : "");
    if (!user_validate((const struct user *)got))
        return drive_fail(d, "the block of user %s is inconsistent", id.bytes);
    int result = compare_memberships(d, want, got);
    if (result == DRIVE_SAME && d->step % 4 == 0)
        result = drive_traits_owed(d, want);
    if (result == DRIVE_SAME && explain)
        result = drive_explain(d, want, got);
    if (result == DRIVE_SAME && explain)
        result = drive_attributes(d, want, got);
    return result;
}

int drive_compare_state(struct drive *d, int explain)
{
    int users = oracle_user_count(d->oracle), result = DRIVE_SAME;
    if (seg_engine_user_count(d->engine) != (uint32_t)users)
        return drive_fail(d, "the engine knows %u users, not %d",
                          seg_engine_user_count(d->engine), users);
    for (int i = 0; i < users && result == DRIVE_SAME; i++)
        result = compare_user(d, oracle_user_at(d->oracle, i), explain);
    for (int i = 0; i < d->rules->segment_count && result == DRIVE_SAME; i++)
        if (seg_engine_segment_size(d->engine, i) !=
            oracle_segment_size(d->oracle, i))
            result = drive_fail(d, "segment %s has %u members, not %u",
                                d->rules->segments[i].key.bytes,
                                seg_engine_segment_size(d->engine, i),
                                oracle_segment_size(d->oracle, i));
    return result;
}
