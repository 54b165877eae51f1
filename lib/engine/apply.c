/* apply.c: what one message does to a user.
 *
 *   message ── dispatch ──> selectors that it passes ──> a fold per feature
 *           └─ traits ──────────────────────────────────> a write per attribute
 *
 * Each of these is an update. It happens at once, or, if the message is dated
 * after the clock, is parked until the clock is there. Before and after a
 * feature is folded its count is taken; the flips in between name the segments
 * that may have changed. Nothing else is looked at. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/user/attribute.h"
#include "lib/user/dedupe.h"

/* ---- all or nothing
 * ---------------------------------------------------------- */

/* The copy of the block costs some ns: it is in the cache anyway, and usually a
 * few hundred bytes. If there is no memory even for that, there is no way back:
 * saved.used = 0 then makes the caller refuse beforehand. */
void touch_begin(struct seg_engine *engine, const struct user *user)
{
    struct saved *saved = &engine->saved;
    saved->used = 0;
    saved->outputs = engine->output_count;
    saved->timer_moved = 0;
    arena_reset(&engine->scratch);
    eval_memo_forget(&engine->memo);
    if (saved->cap < user->used) {
        size_t cap = user->used * 2ul;
        void *block = realloc(saved->block, cap);
        if (!block)
            return;
        saved->block = block;
        saved->cap = cap;
    }
    memcpy(saved->block, user, user->used);
    saved->used = user->used;
}

/* OUTPUT never was. */
static void uncount(struct seg_engine *engine, const struct seg_output *output)
{
    struct seg_engine_stats *stats = &engine->stats;
    if (output->kind == SEG_OUTPUT_TRIGGER) {
        stats->triggers--;
        return;
    }
    engine->segment_sizes[output->segment] -= output->member ? 1u : -1u;
    stats->entered -= output->member;
    stats->exited -= !output->member;
    stats->repairs -= output->cause == SEG_CAUSE_REPAIR;
}

void touch_fail(struct seg_engine *engine, struct user **user)
{
    uint8_t class = (*user)->class;
    unsigned settled = (*user)->flags & USER_SETTLED;
    ranks_clear(&engine->candidates);
    while (engine->output_count > engine->saved.outputs) {
        const struct seg_output *output =
            &engine->outputs[--engine->output_count];
        uncount(engine, output);
    }
    memcpy(*user, engine->saved.block, engine->saved.used);
    /* He may have moved meanwhile. */
    (*user)->class = class;
    (*user)->flags &= ~(unsigned)USER_SETTLED;
    (*user)->flags |= settled;
    if (engine->saved.timer_moved)
        timer_set(engine, *user, engine->saved.due_ms);
}

/* ---- updates
 * ------------------------------------------------------------------- */

static int fold_feature(struct seg_engine *engine, struct user **user,
                        const struct update *update, int64_t now_ms,
                        int64_t *next_ms)
{
    const struct feature *feature = &engine->plan->features[update->target];
    const struct source *source = &engine->plan->sources[update->target];
    const struct feature_ops *ops = feature_ops_of(feature->kind);
    const struct fold fold = {update->time_ms, update->stamp, update->value};
    struct feature less;
    struct folded folded;
    if (update->keep) {
        less = *feature;
        less.keep = update->keep;
        feature = &less;
    }
    int ret = ops->fold(&engine->store, user, feature, &fold, now_ms, &folded);
    if (ret < 0)
        return ret;
    engine->stats.coarse_features += (uint64_t)folded.coarse;
    *next_ms = folded.next_ms;
    if (source->counts) {
        eval_memo_note(&engine->memo, update->target, folded.after);
        candidates_add_crossed(engine, *user, update->target, folded.before,
                               folded.after);
    } else {
        candidates_add(engine, &source->segments);
    }
    return 0;
}

static int write_attribute(struct seg_engine *engine, struct user **user,
                           const struct update *update)
{
    const struct plan *plan = engine->plan;
    const struct write write = {update->time_ms, update->stamp, update->owner,
                                update->value};
    uint32_t source = plan_attribute_source(plan, update->target);
    int ret;
    if (update->kind == UPDATE_ACCOUNT) {
        ret = account_write(&engine->store, user, &write);
        if (ret == 1)
            candidates_add(engine, &plan->account_segments);
        return ret < 0 ? ret : 0;
    }
    ret = attribute_write(&engine->store, user, source, &write);
    if (ret == 1)
        candidates_add(engine, &plan->sources[source].segments);
    return ret < 0 ? ret : 0;
}

static int write_spare(struct seg_engine *engine, struct user **user,
                       const struct update *update)
{
    const struct spare spare = {
        (int)update->target,
        update->name,
        {update->time_ms, update->stamp, update->owner, update->value}};
    int ret = spare_write(&engine->store, user, &spare,
                          engine->options.attribute_bytes);
    engine->stats.attributes_dropped += ret == SPARE_DROPPED;
    return ret < 0 ? ret : 0;
}

int update_apply(struct seg_engine *engine, struct user **user,
                 const struct update *update, int64_t now_ms, int64_t *next_ms)
{
    *next_ms = SEG_NEVER;
    switch (update->kind) {
    case UPDATE_FEATURE:
        return fold_feature(engine, user, update, now_ms, next_ms);
    case UPDATE_ATTRIBUTE:
    case UPDATE_ACCOUNT:
        return write_attribute(engine, user, update);
    case UPDATE_SPARE:
        break;
    }
    return write_spare(engine, user, update);
}

/* ---- from a message to updates
 * --------------------------------------------------- */

struct folding {
    struct seg_engine *engine;
    struct user **user;
    const struct seg_event *event;
    int64_t now_ms;
    int64_t time_ms; /* Of the event, clamped. */
    uint64_t stamp;
    int judged; /* 0 in a restore: candidates and timers come later. */
};

/* UPDATE has happened: when may time alone change what it touched? What it
 * measures at NEXT_MS, its tests of time perhaps earlier. */
static void lower_timer(struct folding *folding, const struct update *update,
                        int64_t next_ms)
{
    struct seg_engine *engine = folding->engine;
    struct view view = engine_view(engine, *folding->user, folding->now_ms);
    uint32_t source = update->target;
    if (!folding->judged || update->kind == UPDATE_SPARE)
        return;
    if (update->kind == UPDATE_ACCOUNT) { /* Other attributes are in sight. */
        timer_lower(engine, *folding->user,
                    user_next_due(engine, *folding->user, folding->now_ms));
        return;
    }
    if (update->kind == UPDATE_ATTRIBUTE)
        source = plan_attribute_source(engine->plan, update->target);
    if (engine->plan->sources[source].timed)
        next_ms = eval_source_next(&view, source);
    timer_lower(engine, *folding->user, next_ms);
}

static int send_update(struct folding *folding, struct update *update)
{
    update->time_ms = folding->time_ms;
    update->stamp = folding->stamp;
    if (update->time_ms > folding->now_ms) {
        timer_lower(folding->engine, *folding->user, update->time_ms);
        return parked_add(&folding->engine->store, folding->user, update);
    }
    int64_t next_ms;
    int ret = update_apply(folding->engine, folding->user, update,
                           folding->now_ms, &next_ms);
    if (ret == 0)
        lower_timer(folding, update, next_ms);
    return ret;
}

/* The value of EVENT at path PATH. */
static struct seg_value field_of(const struct seg_event *event, uint32_t path)
{
    for (uint32_t i = 0; i < event->field_count; i++)
        if (event->fields[i].path == path)
            return event->fields[i].value;
    return (struct seg_value){.type = SEG_MISSING};
}

/* Whether the event passes FILTER. A test of time in it is made at the event's
 * own time: an event passes or not, once and for all. */
static int passes(const struct folding *folding, const struct filter *filter)
{
    struct seg_value value;
    struct test_context context = {folding->time_ms, &folding->engine->scratch,
                                   &folding->engine->stats.type_mismatches};
    switch (filter->kind) {
    case FILTER_TEST:
        value = field_of(folding->event, filter->path);
        return value_test(&filter->test, &value, &context);
    case FILTER_NOT:
        return !passes(folding, &filter->children[0]);
    case FILTER_AND:
    case FILTER_OR:
        break;
    }
    int deciding = filter->kind == FILTER_OR;
    for (uint32_t i = 0; i < filter->count; i++)
        if (passes(folding, &filter->children[i]) == deciding)
            return deciding;
    return !deciding;
}

/* Whether this event, read again, comes before SOURCE was observed. */
static int unobserved(const struct folding *folding, uint32_t source)
{
    return !folding->judged &&
           observed_before(&folding->engine->observed, source, folding->stamp);
}

static int fold_selectors(struct folding *folding,
                          const struct number_list *selectors)
{
    const struct plan *plan = folding->engine->plan;
    for (uint32_t i = 0; i < selectors->count; i++) {
        const struct selector *selector = &plan->selectors[selectors->items[i]];
        if (selector->filter && !passes(folding, selector->filter))
            continue;
        for (uint32_t j = 0; j < selector->features.count; j++) {
            uint32_t feature = selector->features.items[j];
            struct update update = {.kind = UPDATE_FEATURE, .target = feature};
            if (unobserved(folding, feature)) {
                update.keep = folding->engine->observed.warming.kept[feature];
                if (!update.keep)
                    continue;
            }
            enum feature_kind kind = plan->features[feature].kind;
            if (kind == FEATURE_FIRST || kind == FEATURE_LAST)
                update.value =
                    field_of(folding->event, plan->features[feature].path);
            int ret = send_update(folding, &update);
            if (ret < 0)
                return ret;
        }
    }
    return 0;
}

static int fold_dispatch(struct folding *folding,
                         const struct dispatch *dispatch)
{
    int ret = fold_selectors(folding, &dispatch->always);
    for (uint32_t i = 0; ret == 0 && i < dispatch->switch_count; i++) {
        const struct dispatch_switch *sw = &dispatch->switches[i];
        struct seg_value value = field_of(folding->event, sw->path);
        if (value.type != SEG_TEXT)
            continue;
        uint32_t number = intern_find(
            &sw->values, (struct seg_text){value.as.text, value.len});
        if (number != INTERN_NONE)
            ret = fold_selectors(folding, &sw->lists[number]);
    }
    return ret;
}

static int fold_event(struct folding *folding)
{
    const struct plan *plan = folding->engine->plan;
    uint32_t name = folding->event->name_id;
    int ret = name == SEG_NAME_NONE
                  ? 0
                  : fold_dispatch(folding, &plan->by_name[name]);
    return ret < 0 ? ret : fold_dispatch(folding, &plan->any);
}

/* What ATTRIBUTE gets of TRAIT; if nobody read it then, what would have been
 * kept of it: of what is below a top-level name never more than that it was
 * set. */
static struct seg_value trait_value(const struct folding *folding,
                                    const struct seg_trait *trait,
                                    const struct attribute *attribute,
                                    int observed)
{
    const struct plan *plan = folding->engine->plan;
    if (attribute->trait_path == PLAN_NONE)
        return observed ? trait->value : spare_value(trait->value);
    return observed ? field_of(folding->event, (uint32_t)plan->spec.path_count +
                                                   attribute->trait_path)
                    : (struct seg_value){.type = SEG_OBJECT};
}

/* A trait replaces all of the attribute: what the catalogue reads below it as
 * well. */
static int write_trait(struct folding *folding, const struct seg_trait *trait,
                       int account, uint64_t owner)
{
    const struct plan *plan = folding->engine->plan;
    uint32_t number = intern_find(&plan->trait_names[account], trait->name);
    struct update update = {.kind = UPDATE_SPARE,
                            .target = (uint32_t)account,
                            .owner = owner,
                            .name = trait->name,
                            .value = spare_value(trait->value)};
    if (number == INTERN_NONE)
        return send_update(folding, &update);
    const struct number_list *list = &plan->trait_attributes[account][number];
    update.kind = UPDATE_ATTRIBUTE;
    for (uint32_t i = 0; i < list->count; i++) {
        update.target = list->items[i];
        update.value = trait_value(
            folding, trait, &plan->attributes[update.target],
            !unobserved(folding, plan_attribute_source(plan, update.target)));
        int ret = send_update(folding, &update);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int fold_traits(struct folding *folding)
{
    const struct seg_event *event = folding->event;
    int account = event->type == SEG_GROUP;
    uint64_t owner =
        account ? attribute_owner(event->group_id) : ATTRIBUTE_NO_OWNER;
    int ret = 0;
    if (account) {
        struct update update = {.kind = UPDATE_ACCOUNT,
                                .owner = owner,
                                .value = {.type = SEG_TEXT,
                                          .len = (uint32_t)event->group_id.len,
                                          .as.text = event->group_id.bytes}};
        ret = send_update(folding, &update);
    }
    for (uint32_t i = 0; ret == 0 && i < event->trait_count; i++)
        ret = write_trait(folding, &event->traits[i], account, owner);
    return ret;
}

/* ---- one message
 * ---------------------------------------------------------------- */

/* When EVENT happened: never after its record. */
static int64_t event_time(struct seg_engine *engine,
                          const struct seg_event *event,
                          const struct seg_origin *origin)
{
    struct seg_engine_stats *stats = &engine->stats;
    stats->time_missing += event->time_state == SEG_TIME_MISSING;
    stats->time_unreadable += event->time_state == SEG_TIME_UNREADABLE;
    if (event->time_state != SEG_TIME_GIVEN)
        return origin->timestamp_ms;
    if (event->time_ms > origin->timestamp_ms) {
        stats->future_events += event->time_ms - origin->timestamp_ms >
                                engine->options.future_skew_ms;
        return origin->timestamp_ms;
    }
    stats->late_events +=
        event->time_ms < engine->clock_ms - engine->options.lateness_ms;
    return event->time_ms;
}

static uint64_t message_hash(const struct seg_engine *engine,
                             const struct seg_event *event,
                             const struct seg_origin *origin)
{
    return dedupe_hash(engine->topic_hash[origin->topic], event->message_id);
}

int engine_fold(struct seg_engine *engine, struct user **user,
                const struct seg_event *event, const struct seg_origin *origin,
                int judged)
{
    struct folding folding = {
        engine,
        user,
        event,
        engine_now(engine, *user),
        event_time(engine, event, origin),
        fold_stamp(origin->topic, origin->offset),
        judged,
    };
    int is_event = event->type != SEG_IDENTIFY && event->type != SEG_GROUP;
    observed_note(&engine->observed, folding.time_ms);
    int ret = is_event ? fold_event(&folding) : fold_traits(&folding);
    if (!judged)
        ranks_clear(&engine->candidates);
    if (ret == 0)
        ret = scratch_error(engine);
    if (ret < 0 || !event->message_id.bytes)
        return ret;
    if (origin->timestamp_ms + DEDUPE_KEEP_MS > folding.now_ms)
        timer_lower(engine, *user, origin->timestamp_ms + DEDUPE_KEEP_MS);
    return dedupe_add(&engine->store, user, message_hash(engine, event, origin),
                      origin->timestamp_ms,
                      judged ? folding.now_ms : DEDUPE_NEVER);
}

int engine_user(struct seg_engine *engine, const struct seg_event *event,
                const struct seg_origin *origin, struct user **user, int *born)
{
    struct store *store = &engine->store;
    uint64_t hash = store_hash(store, event->user_id);
    *user = store_find(store, event->user_id, hash);
    *born = !*user;
    if (*born) {
        int ret = wheel_reserve(&engine->wheel, store->user_count + 1);
        if (ret == 0)
            ret = store_add(store, event->user_id, hash, origin->timestamp_ms,
                            user);
        if (ret < 0)
            return ret;
        if (intern_find(&engine->plan->listed_ids, event->user_id) !=
            INTERN_NONE)
            (*user)->flags |= USER_LISTED;
    }
    if (*born || (*user)->flags & USER_NAMELESS) {
        (*user)->birth = fold_stamp(origin->topic, origin->offset);
        (*user)->flags &= (uint8_t)~USER_NAMELESS;
    }
    return 0;
}

static int is_duplicate(const struct seg_engine *engine,
                        const struct user *user, const struct seg_event *event,
                        const struct seg_origin *origin, int64_t now_ms)
{
    return event->message_id.bytes &&
           dedupe_seen(user, message_hash(engine, event, origin),
                       origin->timestamp_ms, now_ms);
}

static void forget_newborn(struct seg_engine *engine, struct user *user)
{
    struct user *moved; /* None: the newborn is the last. */
    timer_set(engine, user, SEG_NEVER);
    store_remove(&engine->store, user, &moved);
}

static int fold_and_judge(struct seg_engine *engine, struct user **user,
                          const struct seg_event *event,
                          const struct seg_origin *origin, int born)
{
    int attribute = event->type == SEG_IDENTIFY || event->type == SEG_GROUP;
    const struct cause cause = {
        .cause = attribute ? SEG_CAUSE_ATTRIBUTE : SEG_CAUSE_EVENT,
        .source_topic = engine->topics.texts[origin->topic],
        .source_offset = origin->offset,
        .message_id = event->message_id,
    };
    int ret = engine_fold(engine, user, event, origin, 1);
    if (ret < 0)
        return ret;
    if (born)
        candidates_add_born(engine, *user);
    return judge(engine, user, engine_now(engine, *user), &cause);
}

int seg_engine_apply(struct seg_engine *engine, const struct seg_event *event,
                     const struct seg_origin *origin)
{
    struct user *user;
    int born, ret = dirty_reserve(engine);
    if (ret == 0)
        ret = engine_user(engine, event, origin, &user, &born);
    if (ret < 0)
        return ret;
    if (is_duplicate(engine, user, event, origin, engine_now(engine, user))) {
        engine->stats.events++;
        engine->stats.duplicates++;
        return SEG_APPLIED_DUPLICATE;
    }
    touch_begin(engine, user);
    engine->store.user_bytes_max = engine->options.user_bytes_max;
    ret = engine->saved.used
              ? fold_and_judge(engine, &user, event, origin, born)
              : SEG_ERR_NOMEM;
    engine->store.user_bytes_max = STORE_USER_BYTES_MAX;
    if (ret < 0) {
        if (engine->saved.used)
            touch_fail(engine, &user);
        if (born)
            forget_newborn(engine, user);
        return ret;
    }
    engine->stats.events++;
    dirty_mark(engine, user);
    return SEG_APPLIED;
}

void seg_engine_prefetch(const struct seg_engine *engine,
                         const struct seg_event *event)
{
    store_prefetch(&engine->store, store_hash(&engine->store, event->user_id));
}

void seg_engine_prefetch_user(struct seg_engine *engine,
                              const struct seg_event *event)
{
    store_prefetch_user(&engine->store,
                        store_hash(&engine->store, event->user_id));
}
