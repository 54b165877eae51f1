/* apply.c: what one message does to a user.
 *
 *   message ── dispatch ──> selectors that it passes ──> a fold per feature
 *           └─ traits ──────────────────────────────────> a write per attribute
 *
 * Each of these is an update. It happens at once, or, if the message is dated
 * after the clock, is parked until the clock is there. Before and after a
 * feature is folded its count is taken; the flips in between name the segments
 * that may have changed. Nothing else is looked at. */
#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/event/value.h"
#include "lib/user/attempts.h"
#include "lib/user/attribute.h"
#include "lib/user/dedupe.h"

/* ---- updates ------------------------------------------------------------ */

/* What fold_roles put into UPDATE. */
static void take_roles(const struct update *update, struct fold *fold)
{
    if (update->value.type != SEG_INT)
        return;
    fold->role = fold->roles = (uint32_t)update->value.as.integer;
    fold->same = update->owner;
    fold->value = (struct seg_value){.type = SEG_MISSING};
}

static int fold_feature(struct seg_engine *engine, struct user **user,
                        const struct update *update, int64_t now_ms,
                        int64_t *next_ms)
{
    const struct feature *feature = &engine->plan->features[update->target];
    const struct source *source = &engine->plan->sources[update->target];
    const struct feature_ops *ops = feature_ops_of(feature->kind);
    struct fold fold = {.time_ms = update->time_ms,
                        .stamp = update->stamp,
                        .value = update->value};
    struct feature less;
    struct folded folded;
    if (update->keep) {
        less = *feature;
        less.keep = update->keep;
        feature = &less;
    }
    if (feature->of.score) /* Of some kind that may ask for roles. */
        take_roles(update, &fold);
    int ret = ops->fold(&engine->store, user, feature, &fold, now_ms, &folded);
    if (ret < 0)
        return ret;
    engine->stats.coarse_features += (uint64_t)folded.coarse;
    engine->stats.type_mismatches += (uint64_t)folded.mismatch;
    engine->publishing.moved |= source->trait;
    *next_ms = folded.next_ms;
    if (source->counts) {
        if (!folded.rough)
            eval_memo_note(&engine->memo, update->target, folded.after);
        candidates_add_crossed(engine, *user, update->target, folded.before,
                               folded.after);
        if (folded.before != folded.after)
            candidates_add(engine, &source->every);
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

/* ---- from a message to updates ------------------------------------------ */

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

/* The clock at which an event is folded, see begin_restore: never before it. */
static int64_t fold_clock(const struct folding *folding)
{
    const struct restoring *r = &folding->engine->restoring;
    int64_t at_ms =
        r->clock_ms > folding->time_ms ? r->clock_ms : folding->time_ms;
    return r->active && at_ms < folding->now_ms ? at_ms : folding->now_ms;
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
                           fold_clock(folding), &next_ms);
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

/* Whether an event of that time counts for FEATURE at all. */
static int is_dated(const struct folding *folding,
                    const struct feature *feature)
{
    return folding->time_ms >= feature->after_ms &&
           folding->time_ms <= feature->before_ms;
}

static int fold_plain(struct folding *folding, uint32_t number)
{
    const struct feature *feature = &folding->engine->plan->features[number];
    struct update update = {.kind = UPDATE_FEATURE, .target = number};
    if (!is_dated(folding, feature))
        return 0;
    if (unobserved(folding, number)) {
        update.keep = folding->engine->observed.warming.kept[number];
        if (!update.keep)
            return 0;
    }
    if (feature->path != FEATURE_NO_PATH)
        update.value = field_of(folding->event, feature->path);
    return send_update(folding, &update);
}

/* The event plays ROLES, or has the role of that number, for feature NUMBER. */
static int fold_roles(struct folding *folding, uint32_t number, uint32_t roles)
{
    const struct feature *feature = &folding->engine->plan->features[number];
    struct update update = {.kind = UPDATE_FEATURE,
                            .target = number,
                            .value = {.type = SEG_INT, .as.integer = roles}};
    if (unobserved(folding, number))
        return 0;
    if (feature->path != FEATURE_NO_PATH) {
        const struct seg_value same = field_of(folding->event, feature->path);
        update.owner = value_hash(&same);
    }
    return send_update(folding, &update);
}

/* Whether something before this event, which nobody watched, may forbid that
 * sequence NUMBER begins with it: then what is seen to be true would not be. */
static int may_be_forbidden(const struct folding *folding, uint32_t number)
{
    const struct seg_engine *engine = folding->engine;
    const struct warming *warming = &engine->observed.warming;
    if (!warming->epoch_count)
        return 0;
    const struct warming_epoch *epoch =
        warming_epoch_of(warming, *folding->user, number);
    return epoch && folding->time_ms <= epoch->since_ms &&
           !sequence_only_grows(engine->plan->features[number].of.sequence);
}

/* A score is told of each role at once. A sequence is told of all of them
 * together, when they are known: see fold_gathered. */
static int fold_role(struct folding *folding, const struct selector_role *role)
{
    const struct feature *feature =
        &folding->engine->plan->features[role->feature];
    struct gathering *gathering = &folding->engine->gathering;
    if (feature->kind != FEATURE_SEQUENCE)
        return fold_roles(folding, role->feature, role->role);
    if (!role->role && (!is_dated(folding, feature) ||
                        may_be_forbidden(folding, role->feature)))
        return 0;
    if (!gathering->roles[role->feature])
        gathering->touched[gathering->count++] = role->feature;
    gathering->roles[role->feature] |= UINT32_C(1) << role->role;
    return 0;
}

static int fold_gathered(struct folding *folding)
{
    struct gathering *gathering = &folding->engine->gathering;
    int ret = 0;
    for (uint32_t i = 0; i < gathering->count; i++) {
        uint32_t number = gathering->touched[i];
        if (ret == 0)
            ret = fold_roles(folding, number, gathering->roles[number]);
        gathering->roles[number] = 0;
    }
    gathering->count = 0;
    return ret;
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
            int ret = fold_plain(folding, selector->features.items[j]);
            if (ret < 0)
                return ret;
        }
        for (uint32_t j = 0; j < selector->role_count; j++) {
            int ret = fold_role(folding, &selector->roles[j]);
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
    if (ret == 0)
        ret = fold_dispatch(folding, &plan->any);
    if (!folding->engine->gathering.count)
        return ret;
    int gathered = fold_gathered(folding);
    return ret < 0 ? ret : gathered;
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

/* Whether attribute NUMBER is none that a backfill reads again. */
static int is_unwanted(const struct folding *folding, uint32_t number)
{
    const struct filling *filling = &folding->engine->filling;
    uint32_t source = plan_attribute_source(folding->engine->plan, number);
    return filling->shadow && !filling->wanted[source];
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
        return folding->engine->filling.shadow ? 0
                                               : send_update(folding, &update);
    const struct number_list *list = &plan->trait_attributes[account][number];
    update.kind = UPDATE_ATTRIBUTE;
    for (uint32_t i = 0; i < list->count; i++) {
        update.target = list->items[i];
        if (is_unwanted(folding, update.target))
            continue;
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
    if (account && !folding->engine->filling.shadow) {
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

/* ---- one message -------------------------------------------------------- */

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
    /* A shadow forgets ids by their number alone (backfill.c). */
    if (!engine->filling.shadow &&
        origin->timestamp_ms + DEDUPE_KEEP_MS > folding.now_ms)
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
    *user = store_reach(store, event->user_id, hash);
    *born = !*user;
    if (*born) {
        int ret = timers_reserve(&engine->timers, store->user_count + 1);
        if (ret == 0)
            ret = store_add(store, event->user_id, hash, origin->timestamp_ms,
                            user);
        if (ret < 0)
            return ret;
        if (intern_find(&engine->plan->listed_ids, event->user_id) !=
            INTERN_NONE)
            (*user)->flags |= USER_LISTED;
    }
    if (!*born && !((*user)->flags & USER_NAMELESS))
        return 0;
    /* There is room for it in the block of a newborn. */
    int ret =
        user_set_birth(store, user, fold_stamp(origin->topic, origin->offset));
    if (ret == 0)
        (*user)->flags &= (uint8_t)~USER_NAMELESS;
    return ret;
}

int engine_is_duplicate(const struct seg_engine *engine,
                        const struct user *user, const struct seg_event *event,
                        const struct seg_origin *origin, int64_t now_ms)
{
    return event->message_id.bytes &&
           dedupe_seen(user, message_hash(engine, event, origin),
                       origin->timestamp_ms, now_ms);
}

void engine_forget_newborn(struct seg_engine *engine, struct user *user)
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
    ret = judge(engine, user, engine_now(engine, *user), &cause);
    return ret < 0 || !engine->publishing.moved
               ? ret
               : publish_moved(engine, user, &cause);
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
    if (engine_is_duplicate(engine, user, event, origin,
                            engine_now(engine, user))) {
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
            engine_forget_newborn(engine, user);
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
    timers_prefetch(&engine->timers, engine->store.ahead);
}
