/* query.c: what an engine knows of one user. */
#include <seg/query.h>

#include "lib/engine/engine.h"
#include "lib/user/attribute.h"
#include "lib/user/member.h"

static const struct user *inside(const struct seg_user *user)
{
    return (const struct user *)user;
}

const struct seg_user *seg_user_find(const struct seg_engine *engine,
                                     struct seg_text id)
{
    return (const struct seg_user *)store_find(&engine->store, id,
                                               store_hash(&engine->store, id));
}

void seg_user_info(const struct seg_engine *engine, const struct seg_user *user,
                   struct seg_user_info *info)
{
    const struct user *u = inside(user);
    const struct changes changes = changes_of(u);
    *info = (struct seg_user_info){
        .id = user_id(u),
        .account = account_id(u),
        .seq = changes.seq,
        .trigger_seq = changes.trigger_seq,
        .last_change_ms = changes.last_at_ms,
        .next_due_ms = timer_at(engine, u),
        .bytes = slab_size(u->class),
    };
}

int seg_user_memberships(const struct seg_engine *engine,
                         const struct seg_user *user,
                         struct seg_membership *out, int max)
{
    struct member_walk walk;
    uint32_t segment;
    int64_t entered_ms;
    int count = 0;
    member_walk_start(inside(user), &walk);
    for (; member_walk_next(&walk, &segment, &entered_ms); count++)
        if (count < max)
            out[count] = (struct seg_membership){
                (int)segment, observed_key(engine, segment), entered_ms};
    return count;
}

int seg_user_is_member(const struct seg_engine *engine,
                       const struct seg_user *user, int index,
                       int64_t *entered_at_ms)
{
    (void)engine;
    return member_find(inside(user), (uint32_t)index, entered_at_ms);
}

typedef void attribute_each(void *arg, const struct seg_attribute *attribute);

/* Whether all that is known of attribute SOURCE is that it was written when
 * nobody read it. */
static int is_mark(struct seg_engine *engine, const struct user *user,
                   uint32_t source)
{
    struct write write;
    return engine->observed.warming.epoch_count &&
           attribute_last(user, source, &engine->scratch, &write) > 0 &&
           write.value.type == SEG_OBJECT &&
           !warming_observes(&engine->observed.warming, source, write.stamp);
}

static void each_read(struct seg_engine *engine, const struct user *user,
                      attribute_each *each, void *arg)
{
    const struct plan *plan = engine->plan;
    struct buf name;
    buf_init(&name);
    for (uint32_t i = 0; i < plan->attribute_count; i++) {
        const struct path *path = &plan->attributes[i].path;
        struct seg_attribute attribute = {.account =
                                              path->root == PATH_ACCOUNT};
        uint32_t source = plan_attribute_source(plan, i);
        attribute_read(user, source, &engine->scratch, &attribute.value);
        if (attribute.value.type == SEG_MISSING ||
            is_mark(engine, user, source))
            continue;
        buf_reset(&name);
        for (int n = 0; n < path->count; n++) {
            if (n)
                buf_char(&name, '.');
            buf_text(&name, path->names[n]);
        }
        attribute.name = (struct seg_text){name.bytes, name.len};
        each(arg, &attribute);
    }
    buf_done(&name);
}

/* The scratch arena is the one thing a query writes: lists are put there. */
void seg_user_attributes(const struct seg_engine *engine,
                         const struct seg_user *user, attribute_each *each,
                         void *arg)
{
    struct seg_engine *e = (struct seg_engine *)engine;
    struct spare spare;
    uint32_t at = 0;
    arena_reset(&e->scratch);
    each_read(e, inside(user), each, arg);
    while (spare_next(inside(user), &at, &spare)) {
        struct seg_attribute attribute = {spare.account, spare.name,
                                          spare.write.value};
        if (spare_visible(inside(user), &spare) &&
            spare.write.value.type != SEG_OBJECT)
            each(arg, &attribute);
    }
}

int seg_engine_users(const struct seg_engine *engine, uint64_t *cursor, int max,
                     int (*each)(void *arg, const struct seg_user *user),
                     void *arg)
{
    for (int i = 0; i < max && *cursor < engine->store.user_count; i++) {
        const struct user *user = store_at(&engine->store, (*cursor)++);
        if (each(arg, (const struct seg_user *)user))
            break;
    }
    return *cursor < engine->store.user_count;
}
