/* published.c: what was published of a user's traits last, and when. */
#include "lib/user/published.h"

#include "lib/user/codec.h"

struct published published_read(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_PUBLISHED);
    if (!item.bytes)
        return (struct published){.at_ms = PUBLISHED_NEVER};
    return (struct published){codec_get_i64(item.words),
                              codec_get_u64(item.words + 2)};
}

struct published published_in_doubt(struct published published)
{
    return (struct published){
        published.at_ms == PUBLISHED_NEVER ? PUBLISHED_BEFORE : published.at_ms,
        PUBLISHED_DOUBT};
}

int published_write(struct store *store, struct user **user,
                    const struct published *published)
{
    struct item item = user_item(*user, USER_ITEM_PUBLISHED);
    int none = published->at_ms == PUBLISHED_NEVER;
    int ret = user_resize(store, user, USER_ITEM_PUBLISHED,
                          none ? 0 : sizeof(*published), &item);
    if (ret < 0 || none)
        return ret;
    codec_put_i64(item.words, published->at_ms);
    codec_put_u64(item.words + 2, published->hash);
    return 0;
}
