/* carry.c: what was kept for another catalogue, as this one has it.
 *
 * A catalogue that reads user.plan keeps all of it, one that does not keeps a
 * spare attribute: a scalar, else only that it is set. What a record says of an
 * attribute is therefore more or less than what the catalogue wants to know:
 *
 *     record            catalogue reads       it gets
 *     user.plan         user.plan             the value
 *     user.plan         nothing of it         a spare attribute
 *     spare user.plan   user.plan             the value; of what was no
 *                                             scalar that it is set
 *     user.address.zip  user.address.city,    that it is set; below a
 *                       user.address          top-level name that means: or
 *                                             not
 *
 * The same goes for what is parked: it was written to be read in the future,
 * and by then another catalogue may be there. */
#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/user/attribute.h"

static const struct seg_value set_value = {.type = SEG_OBJECT};

/* Write attribute NUMBER: what the record says of it itself is right, what was
 * concluded from others gives way. */
static int set_attribute(struct seg_engine *engine, struct user **user,
                         uint32_t number, const struct write *write)
{
    uint32_t source = plan_attribute_source(engine->plan, number);
    struct item item = user_item(*user, source);
    if (item.bytes)
        user_resize(&engine->store, user, source, 0, &item);
    int ret = attribute_write(&engine->store, user, source, write);
    return ret < 0 ? ret : 0;
}

static uint32_t find_name(const struct plan *plan, int account,
                          struct seg_text name)
{
    return intern_find(&plan->trait_names[account], name);
}

uint32_t carry_find(const struct plan *plan, const struct path *path)
{
    int account = path->root == PATH_ACCOUNT;
    uint32_t name = find_name(plan, account, path->names[0]);
    if (name == INTERN_NONE)
        return PLAN_NONE;
    const struct number_list *list = &plan->trait_attributes[account][name];
    for (uint32_t i = 0; i < list->count; i++)
        if (path_equal(&plan->attributes[list->items[i]].path, path))
            return list->items[i];
    return PLAN_NONE;
}

int carry_attribute(struct seg_engine *engine, struct user **user,
                    uint32_t exact, int whole, struct spare *spare)
{
    const struct plan *plan = engine->plan;
    int account = spare->account == 1, ret = 0;
    uint32_t name = spare->account == SPARE_LOST
                        ? INTERN_NONE
                        : find_name(plan, account, spare->name);
    if (name == INTERN_NONE) {
        spare->write.value =
            whole ? spare_value(spare->write.value) : set_value;
        ret = spare_write(&engine->store, user, spare,
                          engine->options.attribute_bytes);
        return ret < 0 ? ret : 0;
    }
    const struct number_list *list = &plan->trait_attributes[account][name];
    for (uint32_t i = 0; ret == 0 && i < list->count; i++) {
        uint32_t number = list->items[i];
        struct write write = spare->write;
        if (number != exact) {
            if (user_item(*user, plan_attribute_source(plan, number)).bytes)
                continue;
            write.value = set_value;
        }
        ret = set_attribute(engine, user, number, &write);
    }
    return ret;
}

/* ---- parked updates ----------------------------------------------------- */

/* Others may read what UPDATE, of an attribute, is part of: they get it as they
 * would get a spare attribute. */
static int park_spare(struct seg_engine *engine, struct user **user,
                      const struct update *update, int account, int whole)
{
    struct update spare = *update;
    spare.kind = UPDATE_SPARE;
    spare.target = (uint32_t)account;
    spare.value = whole ? spare_value(update->value) : set_value;
    return parked_has(*user, &spare) ? 0
                                     : parked_add(&engine->store, user, &spare);
}

int carry_parked(struct seg_engine *engine, struct user **user,
                 const struct update *update, int account, int whole)
{
    const struct plan *plan = engine->plan;
    if (update->kind != UPDATE_ATTRIBUTE)
        return update->target == PLAN_NONE || parked_has(*user, update)
                   ? 0
                   : parked_add(&engine->store, user, update);
    uint32_t name = find_name(plan, account, update->name);
    int ret = update->target == PLAN_NONE
                  ? 0
                  : parked_add(&engine->store, user, update);
    if (ret == 0 && (update->target == PLAN_NONE ||
                     plan->trait_attributes[account][name].count > 1))
        ret = park_spare(engine, user, update, account, whole);
    return ret;
}

/* A spare attribute of a name that is read meanwhile. */
static int apply_spare(struct seg_engine *engine, struct user **user,
                       const struct update *spare,
                       const struct number_list *list, int64_t now_ms)
{
    int64_t next_ms;
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < list->count; i++) {
        struct update update = *spare;
        update.kind = UPDATE_ATTRIBUTE;
        update.target = list->items[i];
        if (parked_has(*user, &update))
            continue; /* It comes itself, and knows more. */
        if (engine->plan->attributes[update.target].path.count > 1)
            update.value = set_value;
        ret = update_apply(engine, user, &update, now_ms, &next_ms);
    }
    return ret;
}

/* Whether UPDATE is of a source that nobody observed when it was parked, though
 * some catalogue before that did. What a backfill has parked is none of that. */
static int is_stale(const struct seg_engine *engine,
                    const struct update *update)
{
    uint32_t source = update->target;
    if (update->kind == UPDATE_ATTRIBUTE)
        source = plan_attribute_source(engine->plan, update->target);
    if (engine->filling.wanted && engine->filling.wanted[source])
        return 0;
    return observed_before(&engine->observed, source, update->stamp);
}

int carry_update(struct seg_engine *engine, struct user **user,
                 struct update *update, int64_t now_ms)
{
    const struct plan *plan = engine->plan;
    int64_t next_ms; /* The caller looks at all of the user anyway. */
    uint32_t name;
    switch (update->kind) {
    case UPDATE_FEATURE:
        /* Of a feature of which some is kept, whatever is parked is kept: it is
         * never wrong to know of more, though an engine that reads all of it
         * again may then know less. */
        if (is_stale(engine, update) &&
            !engine->observed.warming.kept[update->target])
            return 0;
        break;
    case UPDATE_ATTRIBUTE:
        if (is_stale(engine, update))
            update->value = plan->attributes[update->target].path.count > 1
                                ? set_value
                                : spare_value(update->value);
        break;
    case UPDATE_SPARE:
        name = find_name(plan, (int)update->target, update->name);
        if (name != INTERN_NONE)
            return apply_spare(engine, user, update,
                               &plan->trait_attributes[update->target][name],
                               now_ms);
        break;
    case UPDATE_ACCOUNT:
        break;
    }
    return update_apply(engine, user, update, now_ms, &next_ms);
}
