/* judge.c: from segments that may have changed to changes and triggers.
 *
 * Candidates are judged in order of rank, so that a segment is judged after all
 * those it asks `in segment`, once. Only the present truth is emitted: whatever
 * happened on the way there, one judgement makes at most one change a segment.
 */
#include "lib/base/alloc.h"
#include "lib/engine/engine.h"
#include "lib/user/fired.h"
#include "lib/user/member.h"

void candidates_add(struct seg_engine *engine,
                    const struct number_list *segments)
{
    for (uint32_t i = 0; i < segments->count; i++)
        ranks_add(&engine->candidates,
                  engine->plan->segments[segments->items[i]].rank);
}

/* Whether SEGMENT needs a feature other than SOURCE of which nothing is there,
 * by BITS (user_bits). */
static int lacks(const struct segment *segment, uint64_t bits, uint32_t source)
{
    for (int i = 0; i < SEGMENT_NEEDS; i++)
        if (segment->needs[i] != PLAN_NONE && segment->needs[i] != source &&
            !(bits >> segment->needs[i] % 64 & 1))
            return 1;
    return 0;
}

/* Those of SEGMENTS that may hold now that a count of SOURCE of USER has risen.
 */
static void add_risen(struct seg_engine *engine, const struct user *user,
                      uint32_t source, const struct number_list *segments)
{
    /* Of what is warming something may have been there. */
    uint64_t bits =
        segments->count ? user_bits(user) | engine->observed.warming.bits : 0;
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct segment *segment =
            &engine->plan->segments[segments->items[i]];
        if (!lacks(segment, bits, source))
            ranks_add(&engine->candidates, segment->rank);
    }
}

void candidates_add_crossed(struct seg_engine *engine, const struct user *user,
                            uint32_t source, uint64_t before, uint64_t after)
{
    const struct feature *feature = &engine->plan->features[source];
    uint32_t low = feature_region(feature, before < after ? before : after);
    uint32_t high = feature_region(feature, before < after ? after : before);
    for (uint32_t i = low; i < high; i++) {
        const struct number_list *segments =
            &engine->plan->sources[source].flip_segments[i];
        if (before < after)
            add_risen(engine, user, source, segments);
        else
            candidates_add(engine, segments);
    }
}

static void add_listed(struct seg_engine *engine, const struct user *user)
{
    const struct plan *plan = engine->plan;
    uint32_t number = intern_find(&plan->listed_ids, user_id(user));
    if (number == INTERN_NONE)
        return;
    for (uint32_t i = 0; i < plan->listed[number].count; i++)
        ranks_add(
            &engine->candidates,
            plan->segments[plan->listed[number].segments[i].segment].rank);
}

void candidates_add_born(struct seg_engine *engine, const struct user *user)
{
    candidates_add(engine, &engine->plan->born);
    if (user->flags & USER_LISTED)
        add_listed(engine, user);
}

void candidates_add_all_of(struct seg_engine *engine, const struct user *user)
{
    const struct plan *plan = engine->plan;
    struct member_walk members;
    struct user_walk walk;
    uint32_t id, segment;
    int64_t entered_ms;
    candidates_add_born(engine, user);
    member_walk_start(user, &members);
    while (member_walk_next(&members, &segment, &entered_ms))
        if (segment < plan->segment_count)
            ranks_add(&engine->candidates, plan->segments[segment].rank);
    user_walk_start(user, &walk);
    while (user_walk_next(user, &walk, &id).bytes && id < plan->source_count)
        candidates_add(engine, &plan->sources[id].segments);
}

/* ---- outputs ------------------------------------------------------------ */

static int copy_text(struct seg_engine *engine, struct seg_text text,
                     struct seg_text *out)
{
    *out = (struct seg_text){NULL, 0};
    if (text.bytes)
        *out = arena_text(&engine->output_arena, text);
    return text.bytes && !out->bytes ? SEG_ERR_NOMEM : 0;
}

struct seg_output *output_add(struct seg_engine *engine,
                              const struct user *user, int64_t now_ms,
                              const struct cause *cause)
{
    void *items = engine->outputs;
    size_t n = engine->output_count;
    if (alloc_grow(&items, &engine->output_cap, n + 1,
                   sizeof(*engine->outputs)) < 0)
        return NULL;
    engine->outputs = items;
    struct seg_output *output = &engine->outputs[n];
    *output = (struct seg_output){
        .cause = (uint8_t)cause->cause,
        .trigger = -1,
        .at_ms = now_ms,
        .birth_topic = engine->topics.texts[stamp_topic(user_birth(user))],
        .birth_offset = stamp_offset(user_birth(user)),
        .source_topic = cause->source_topic,
        .source_offset = cause->source_offset,
    };
    if (n > engine->saved.outputs) {
        output->user_id = output[-1].user_id;
        output->message_id = output[-1].message_id;
    } else if (copy_text(engine, user_id(user), &output->user_id) < 0 ||
               copy_text(engine, cause->message_id, &output->message_id) < 0) {
        return NULL;
    }
    engine->output_count++;
    return output;
}

int output_drop(struct seg_engine *engine, int error)
{
    engine->output_count--;
    return error;
}

/* ---- triggers ----------------------------------------------------------- */

/* Whether TRIGGER may fire for USER at NOW_MS. */
static int may_fire(struct seg_engine *engine, const struct user *user,
                    uint32_t trigger, int64_t now_ms)
{
    const struct rule_trigger *rule = engine->plan->triggers[trigger].rule;
    int64_t last;
    if (engine->wall_ms != SEG_NEVER &&
        engine->wall_ms - now_ms > engine->options.trigger_max_age_ms) {
        engine->stats.triggers_suppressed++;
        return 0;
    }
    if (rule->once && fired_find(user, trigger, &last) &&
        (!rule->cooldown_ms || now_ms - last < rule->cooldown_ms)) {
        engine->stats.triggers_cooling++;
        return 0;
    }
    return 1;
}

/* The properties of TRIGGER as they are now, into OUTPUT. */
static int read_properties(struct seg_engine *engine, const struct user *user,
                           const struct trigger *trigger,
                           struct seg_output *output)
{
    size_t count = (size_t)trigger->rule->property_count;
    struct view view = engine_view(engine, user, output->at_ms);
    view.memo = &engine->memo;
    output->properties = trigger->properties;
    if (!trigger->measured)
        return 0;
    struct seg_trigger_property *properties =
        arena_calloc(&engine->output_arena, count, sizeof(*properties));
    if (!properties)
        return SEG_ERR_NOMEM;
    output->properties = properties;
    for (size_t i = 0; i < count; i++) {
        properties[i] = trigger->properties[i];
        if (trigger->sources[i] == PLAN_NONE)
            continue;
        struct seg_value value =
            eval_measured(&view, trigger->sources[i]).value;
        if (arena_value(&engine->output_arena, &value, &properties[i].value) <
            0)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

static int fire(struct seg_engine *engine, struct user **user, uint32_t trigger,
                size_t change, int64_t now_ms, const struct cause *cause)
{
    struct changes changes = changes_of(*user);
    changes.trigger_seq++;
    int ret = changes_set(&engine->store, user, &changes);
    if (ret < 0)
        return ret;
    struct seg_output *output = output_add(engine, *user, now_ms, cause);
    if (!output)
        return SEG_ERR_NOMEM;
    const struct seg_output *of = &engine->outputs[change];
    output->kind = SEG_OUTPUT_TRIGGER;
    output->member = of->member;
    output->segment = of->segment;
    output->segment_key = of->segment_key;
    output->entered_at_ms = of->entered_at_ms;
    output->trigger = (int)trigger;
    output->seq = changes.trigger_seq;
    ret = read_properties(engine, *user, &engine->plan->triggers[trigger],
                          output);
    if (ret < 0)
        return output_drop(engine, ret);
    engine->outputs[change].trigger_count++;
    engine->stats.triggers++;
    if (!engine->plan->triggers[trigger].rule->once)
        return 0;
    return fired_set(&engine->store, user, trigger, now_ms);
}

static int fire_triggers(struct seg_engine *engine, struct user **user,
                         size_t change, int64_t now_ms,
                         const struct cause *cause)
{
    uint32_t segment = (uint32_t)engine->outputs[change].segment;
    if (cause->cause == SEG_CAUSE_CATALOGUE ||
        cause->cause == SEG_CAUSE_BACKFILL || cause->cause == SEG_CAUSE_REPAIR)
        return 0;
    const struct number_list *list = &engine->plan->segments[segment].triggers;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t trigger = list->items[i];
        if (engine->plan->triggers[trigger].rule->on_enter !=
                engine->outputs[change].member ||
            !may_fire(engine, *user, trigger, now_ms))
            continue;
        int ret = fire(engine, user, trigger, change, now_ms, cause);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/* ---- changes ------------------------------------------------------------ */

static int add_evidence(struct seg_engine *engine, const struct user *user,
                        struct seg_output *output, int64_t now_ms)
{
    struct seg_evidence *evidence = arena_alloc(
        &engine->output_arena, SEG_EVIDENCE_MAX * sizeof(*evidence));
    struct view view = engine_view(engine, user, now_ms);
    view.mismatches = NULL;
    view.memo = &engine->memo;
    if (!evidence)
        return SEG_ERR_NOMEM;
    int count = eval_evidence(&view, (uint32_t)output->segment,
                              &engine->output_arena, evidence);
    output->evidence = evidence;
    output->evidence_count = (uint8_t)(count < 0 ? 0 : count);
    return count < 0 ? count : 0;
}

/* Others ask when he entered or left; their timers go by that. */
static int note_watch(struct seg_engine *engine, struct user **user,
                      const struct seg_output *output)
{
    uint32_t segment = (uint32_t)output->segment;
    uint32_t watch = segment < engine->plan->segment_count
                         ? engine->plan->segments[segment].watch
                         : PLAN_NONE;
    if (watch == PLAN_NONE)
        return 0;
    int ret =
        observed_watch(engine, user, watch, output->member, output->at_ms);
    struct view view = engine_view(engine, *user, output->at_ms);
    if (ret == 0)
        timer_lower(engine, *user, eval_source_next(&view, watch));
    return ret;
}

static int set_member(struct seg_engine *engine, struct user **user,
                      struct seg_output *output)
{
    uint32_t segment = (uint32_t)output->segment;
    int ret;
    if (output->member) {
        output->entered_at_ms = output->at_ms;
        ret = member_add(&engine->store, user, segment, output->at_ms);
    } else {
        member_find(*user, segment, &output->entered_at_ms);
        ret = member_remove(&engine->store, user, segment);
    }
    if (ret == 0)
        ret = note_watch(engine, user, output);
    if (ret < 0)
        return ret;
    engine->segment_sizes[segment] += output->member ? 1u : -1u;
    engine->stats.entered += output->member;
    engine->stats.exited += !output->member;
    return 0;
}

static int change(struct seg_engine *engine, struct user **user,
                  uint32_t segment, int member, int64_t now_ms,
                  const struct cause *cause)
{
    struct changes changes = changes_of(*user);
    int shadow = observed_is_shadow(engine, segment), ret = 0;
    if (!shadow) {
        changes.seq++;
        changes.last_at_ms = now_ms;
        ret = changes_set(&engine->store, user, &changes);
    }
    if (ret < 0)
        return ret;
    struct seg_output *output = output_add(engine, *user, now_ms, cause);
    if (!output)
        return SEG_ERR_NOMEM;
    size_t index = engine->output_count - 1;
    output->kind = SEG_OUTPUT_CHANGE;
    output->member = (uint8_t)member;
    output->shadow = (uint8_t)shadow;
    output->segment = (int)segment;
    output->segment_key = observed_key(engine, segment);
    int retired = segment >= engine->plan->segment_count;
    ret = retired ? 0 : add_evidence(engine, *user, output, now_ms);
    if (ret == 0)
        ret = set_member(engine, user, output);
    if (ret < 0)
        return output_drop(engine, ret);
    output->seq = shadow ? 0 : changes.seq;
    engine->stats.repairs += !shadow && cause->cause == SEG_CAUSE_REPAIR;
    if (retired)
        return 0;
    candidates_add(engine, &engine->plan->segments[segment].dependents);
    return shadow ? 0 : fire_triggers(engine, user, index, now_ms, cause);
}

/* The first retired segment that USER is in, PLAN_NONE if there is none. */
static uint32_t find_retired(const struct seg_engine *engine,
                             const struct user *user)
{
    struct member_walk walk;
    uint32_t segment;
    int64_t entered_ms;
    member_walk_start(user, &walk);
    while (member_walk_next(&walk, &segment, &entered_ms))
        if (segment >= engine->plan->segment_count)
            return segment;
    return PLAN_NONE;
}

int judge_retired(struct seg_engine *engine, struct user **user, int64_t now_ms,
                  const struct cause *cause)
{
    uint32_t segment;
    while ((segment = find_retired(engine, *user)) != PLAN_NONE) {
        int ret = change(engine, user, segment, 0, now_ms, cause);
        if (ret < 0)
            return ret;
    }
    return 0;
}

int judge(struct seg_engine *engine, struct user **user, int64_t now_ms,
          const struct cause *cause)
{
    int warming = engine->observed.warming.epoch_count != 0;
    struct members members;
    int known = 0;
    uint32_t rank;
    while ((rank = ranks_take(&engine->candidates)) != RANKS_NONE) {
        uint32_t segment = engine->plan->by_rank[rank];
        struct view view = engine_view(engine, *user, now_ms);
        view.memo = &engine->memo;
        int truth = eval_segment(&view, segment);
        if (!known)
            members = member_read(*user);
        known = 1;
        int member = member_in(&members, segment);
        if (warming) /* What was unknown may be known now, without a change. */
            candidates_add(engine, &engine->plan->segments[segment].dependents);
        if (truth == SEG_UNKNOWN || (truth == SEG_TRUE) == member)
            continue;
        int ret = change(engine, user, segment, !member, now_ms, cause);
        if (ret < 0)
            return ret;
        known = 0;
    }
    return scratch_error(engine);
}
