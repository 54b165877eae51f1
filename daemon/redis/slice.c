/* slice.c: users out of an engine. */
#include "daemon/redis/slice.h"

#include <stdlib.h>

#include <seg/query.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

#define MEMBERSHIPS 64 /* More are asked for once more, with room. */

int slice_new(struct slice **ret, const char *app, int partition)
{
    struct slice *slice = calloc(1, sizeof(*slice));
    if (!slice)
        return SEG_ERR_NOMEM;
    slice->partition = partition;
    link_init(&slice->link, app, LINK_MEMBERSHIPS);
    *ret = slice;
    return 0;
}

void slice_free(struct slice *slice)
{
    if (!slice)
        return;
    link_done(&slice->link);
    free(slice->users);
    free(slice);
}

uint64_t slice_hash(struct seg_text user)
{
    return hash_bytes(user.bytes, user.len, 0);
}

static void put_memberships(struct slice *slice, struct seg_text id,
                            const struct seg_membership *memberships, int count)
{
    for (int i = 0; i < count; i++) {
        link_put(&slice->link, id, memberships[i].key,
                 memberships[i].entered_at_ms);
    }
}

/* One user: the whole hash anew. */
static int add_user(void *arg, const struct seg_user *user)
{
    struct slice *slice = arg;
    struct seg_membership few[MEMBERSHIPS], *many = NULL;
    struct seg_user_info info;
    seg_user_info(slice->engine, user, &info);
    if (alloc_grow((void **)&slice->users, &slice->cap, slice->count + 1,
                   sizeof(*slice->users)) < 0) {
        slice->link.failed = 1;
        return 1;
    }
    slice->users[slice->count++] = slice_hash(info.id);
    link_clear(&slice->link, info.id);
    int count = seg_user_memberships(slice->engine, user, few, MEMBERSHIPS);
    if (count > MEMBERSHIPS) {
        many = calloc((size_t)count, sizeof(*many));
        if (many)
            seg_user_memberships(slice->engine, user, many, count);
        else
            slice->link.failed = 1;
    }
    if (many || count <= MEMBERSHIPS)
        put_memberships(slice, info.id, many ? many : few, count);
    free(many);
    return slice->link.failed || link_steps(&slice->link) >= SLICE_STEPS_MAX;
}

void slice_fill(struct slice *slice, const struct seg_engine *engine)
{
    slice->engine = engine;
    slice->more = seg_engine_users(engine, &slice->cursor, SLICE_USERS_MAX,
                                   add_user, slice);
    slice->engine = NULL;
}
