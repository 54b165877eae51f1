/* publish.c: the traits of a user, told to those who keep a profile of him.
 *
 * A `trait x = measure` of the catalogue is published: one output holds all of
 * them, because whoever reads a compacted topic sees only the last. What it
 * says is a function of the user's state and the instant, his *content*:
 *
 *   every trait of the catalogue, in the order of their keys, with its value;
 *   null where there is none (an average of nothing). One that is still warming
 *   (warming.h) is left out: a part of its past is missing, and a number that
 *   is too low is worse than none.
 *
 * He has one item (lib/user/published.h): when something was published last and
 * the hash of what. It is *owed* anew when the content has another hash. Then
 *
 *        last + interval
 *   -------------|------------------->  clock
 *     x  wait    |  x  publish at once        x  an event that moved a trait
 *     '--------->| publish, by timer
 *
 * so that of any user there is at most one output within trait_interval, and the
 * last value always arrives. What is seen first is published at once; of whom
 * there is nothing to say (his content is that of a user without events) nothing
 * is said until there is.
 *
 * Most measures move at instants that their features tell, one after the other
 * (`every`): an event leaves a window, a timer fires there. An age in days and
 * a score move all the time. Their part of the hash is not the value but the
 * state it comes from, which only events change; beside that they are told anew
 * when what was published is a day old, for as long as they have a value, a
 * score one that is not 0.
 *
 * Example, with `trait orders = count("Order") in 90d` and the interval of 10 s:
 *
 *   12:00:00  the first order     {"orders":1}
 *   12:00:03  two more            nothing: a timer at 12:00:10
 *   12:00:10                      {"orders":3}
 *   in 90 days at 12:00:00        {"orders":2}
 *   at 12:00:03, two leave        nothing; at 12:00:10 {"orders":0}
 *
 * To publish is idempotent, so a restore does not read back what was published,
 * and nothing is published in it. The record says what was when the user was
 * flushed; whatever was said after that is in *doubt*, also where his content is
 * now what it was then: it may have been another one in between. That is so if
 * events were read again, if time alone has changed something since, if what is
 * to be said differs, or if another catalogue may have said something: a record
 * that is written before the sweep is over, which publishes, says so itself. What
 * is in doubt is owed at the clock, or when the interval is over. So after a crash
 * the same may be said twice, and a second time within the interval; never too
 * little.
 *
 * Another catalogue has other keys or other values, and so another hash: its
 * sweep publishes. That of one without traits says {} of whom there was something
 * to say, as far as the records know, within the interval too, and forgets when:
 * from then on nobody looks. */
#include <seg/query.h>

#include "lib/base/hash.h"
#include "lib/engine/engine.h"
#include "lib/engine/record_value.h"
#include "lib/user/published.h"

/* How old a published age or score may be. */
#define REFRESH_MS (INT64_C(24) * 3600 * 1000)

/* What is to be said of a user at one instant. */
struct content {
    struct seg_trait *traits; /* In the scratch arena. */
    uint32_t count;
    uint64_t hash;
    int some;  /* There is more to say than of a user without events. */
    int moves; /* Something moves all the time. */
};

static int is_moving(enum feature_kind kind)
{
    return kind == FEATURE_FIRST_TIME || kind == FEATURE_LAST_TIME ||
           kind == FEATURE_SCORE;
}

static int is_zero(const struct seg_value *value)
{
    return (value->type == SEG_INT && value->as.integer == 0) ||
           (value->type == SEG_DOUBLE && value->as.number == 0);
}

/* Whether VALUE of SOURCE is none, or what it is without any event. */
static int is_empty(const struct plan *plan, uint32_t source,
                    const struct seg_value *value)
{
    return value->type == SEG_MISSING ||
           (plan_empty(plan, source).type != SEG_MISSING && is_zero(value));
}

/* Add TRAIT, which is VALUE, to what the hash is taken of. */
static void hash_trait(struct seg_engine *engine, const struct view *view,
                       const struct trait *trait, const struct seg_value *value)
{
    struct buf *buf = &engine->content;
    buf_text(buf, trait->rule->key);
    buf_char(buf, '\0');
    if (!is_moving(engine->plan->features[trait->source].kind)) {
        record_value_encode(buf, value);
        return;
    }
    struct item item = user_item(view->user, trait->source);
    buf_u8(buf, is_empty(view->plan, trait->source, value));
    buf_varint(buf, item.bytes ? item.len : 0);
    if (item.bytes)
        buf_add(buf, item.bytes, item.len);
}

/* The content of USER at NOW_MS. Returns 0 or SEG_ERR_NOMEM. */
static int read_content(struct seg_engine *engine, const struct user *user,
                        int64_t now_ms, struct content *content)
{
    const struct plan *plan = engine->plan;
    struct view view = engine_view(engine, user, now_ms);
    view.mismatches = NULL;
    *content = (struct content){
        .traits = arena_calloc(&engine->scratch, plan->trait_count,
                               sizeof(*content->traits))};
    if (!content->traits)
        return SEG_ERR_NOMEM;
    buf_reset(&engine->content);
    for (uint32_t i = 0; i < plan->trait_count; i++) {
        const struct trait *trait = &plan->traits[i];
        if (view.warming && !warming_is_known(&view, trait->source))
            continue;
        struct seg_trait *to = &content->traits[content->count++];
        to->name = trait->rule->key;
        to->value = eval_measured(&view, trait->source).value;
        int some = !is_empty(plan, trait->source, &to->value);
        content->some |= some;
        content->moves |= some && is_moving(plan->features[trait->source].kind);
        hash_trait(engine, &view, trait, &to->value);
    }
    content->hash = hash_bytes(engine->content.bytes, engine->content.len, 0);
    if (content->hash == PUBLISHED_DOUBT)
        content->hash++;
    return buf_failed(&engine->content) ? SEG_ERR_NOMEM : scratch_error(engine);
}

static int is_owed(const struct content *content,
                   const struct published *published, int64_t now_ms)
{
    if (published->at_ms == PUBLISHED_NEVER)
        return content->some;
    return content->hash != published->hash ||
           published->hash == PUBLISHED_DOUBT ||
           (content->moves && now_ms - published->at_ms >= REFRESH_MS);
}

/* The first instant at which something may be published again. */
static int64_t free_at(const struct seg_engine *engine,
                       const struct published *published)
{
    return published->at_ms == PUBLISHED_NEVER
               ? INT64_MIN
               : published->at_ms + engine->options.trait_interval_ms;
}

/* Whether anything may have to be said of USER at all. */
static int is_told(const struct seg_engine *engine, const struct user *user)
{
    return engine->plan->trait_count ||
           user_item(user, USER_ITEM_PUBLISHED).bytes;
}

/* CONTENT into the output made last. */
static int copy_content(struct seg_engine *engine,
                        const struct content *content,
                        struct seg_output *output)
{
    struct seg_trait *traits =
        arena_calloc(&engine->output_arena, content->count, sizeof(*traits));
    if (!traits)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < content->count; i++) {
        traits[i].name = content->traits[i].name;
        int ret = arena_value(&engine->output_arena, &content->traits[i].value,
                              &traits[i].value);
        if (ret < 0)
            return ret;
    }
    output->kind = SEG_OUTPUT_TRAITS;
    output->segment = -1;
    output->traits = traits;
    output->trait_count = content->count;
    return 0;
}

static int emit(struct seg_engine *engine, struct user **user,
                const struct content *content, int64_t now_ms,
                const struct cause *cause)
{
    struct published published = {now_ms, content->hash};
    struct seg_output *output = output_add(engine, *user, now_ms, cause);
    if (!output)
        return SEG_ERR_NOMEM;
    if (!engine->plan->trait_count)
        published.at_ms = PUBLISHED_NEVER;
    /* Texts borrow from the block, which writing may move. */
    int ret = copy_content(engine, content, output);
    if (ret == 0)
        ret = published_write(&engine->store, user, &published);
    if (ret < 0)
        return output_drop(engine, ret);
    engine->stats.traits++;
    if (content->moves)
        timer_lower(engine, *user, now_ms + REFRESH_MS);
    return 0;
}

int publish(struct seg_engine *engine, struct user **user, int64_t now_ms,
            const struct cause *cause)
{
    struct published published;
    struct content content;
    if (!is_told(engine, *user))
        return 0;
    published = published_read(*user);
    if (engine->plan->trait_count && now_ms < free_at(engine, &published))
        return 0;
    int ret = read_content(engine, *user, now_ms, &content);
    if (ret < 0 || !is_owed(&content, &published, now_ms))
        return ret;
    return emit(engine, user, &content, now_ms, cause);
}

/* Until the interval is over nothing is looked at: the timer will. */
int publish_moved(struct seg_engine *engine, struct user **user,
                  const struct cause *cause)
{
    int64_t now_ms = engine_now(engine, *user);
    struct published published = published_read(*user);
    int64_t at_ms = free_at(engine, &published);
    if (now_ms >= at_ms)
        return publish(engine, user, now_ms, cause);
    engine->stats.traits_throttled++;
    timer_lower(engine, *user, at_ms);
    return 0;
}

/* ---- restore ------------------------------------------------------------ */

int publish_doubt(struct seg_engine *engine, struct user **user)
{
    struct published published = published_in_doubt(published_read(*user));
    return published_write(&engine->store, user, &published);
}

/* Whether time alone has changed TRAIT of USER since it was published, or, if it
 * was not, may have: it comes into a window and leaves it. */
static int has_moved(const struct user *user, const struct feature *feature,
                     const struct published *published, int64_t now_ms)
{
    if (!user_item(user, feature->item).bytes)
        return 0;
    return published->at_ms == PUBLISHED_NEVER
               ? feature->to_ms > 0
               : feature_ops_of(feature->kind)
                         ->next(user, feature, published->at_ms) <= now_ms;
}

int publish_restored(struct seg_engine *engine, struct user **user,
                     int64_t now_ms, int doubt)
{
    const struct plan *plan = engine->plan;
    struct published published = published_read(*user);
    struct content content;
    if (!is_told(engine, *user))
        return 0;
    doubt |= engine->publishing.moved;
    for (uint32_t i = 0; !doubt && i < plan->trait_count; i++)
        doubt = has_moved(*user, &plan->features[plan->traits[i].source],
                          &published, now_ms);
    /* What was owed when he was flushed may have been said since: it must not
     * be forgotten when it is past before he is looked at. */
    int ret = doubt ? 0 : read_content(engine, *user, now_ms, &content);
    if (ret == 0 && !doubt)
        doubt = is_owed(&content, &published, now_ms);
    return ret == 0 && doubt ? publish_doubt(engine, user) : ret;
}

/* The scratch arena is the one thing a query writes. */
void seg_user_traits(const struct seg_engine *engine,
                     const struct seg_user *user,
                     void (*each)(void *arg, const struct seg_trait *trait),
                     void *arg)
{
    struct seg_engine *e = (struct seg_engine *)engine;
    const struct user *inside = (const struct user *)user;
    struct content content;
    arena_reset(&e->scratch);
    if (read_content(e, inside, engine_now(engine, inside), &content) < 0)
        return;
    for (uint32_t i = 0; i < content.count; i++)
        each(arg, &content.traits[i]);
}

int64_t publish_next(struct seg_engine *engine, const struct user *user,
                     int64_t now_ms)
{
    struct published published;
    struct content content;
    if (engine->publishing.held || !engine->plan->trait_count)
        return SEG_NEVER;
    published = published_read(user);
    if (read_content(engine, user, now_ms, &content) < 0)
        return now_ms + 1;
    if (is_owed(&content, &published, now_ms)) {
        int64_t at_ms = free_at(engine, &published);
        return at_ms > now_ms ? at_ms : now_ms + 1;
    }
    return content.moves && published.at_ms != PUBLISHED_NEVER
               ? published.at_ms + REFRESH_MS
               : SEG_NEVER;
}
