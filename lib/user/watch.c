/* watch.c: when a user entered and left a segment last. */
#include "lib/user/watch.h"

#include <seg/error.h>

#include "lib/user/codec.h"

struct watch watch_read(const struct user *user, uint32_t id)
{
    struct item item = user_item(user, id);
    if (!item.bytes)
        return (struct watch){WATCH_NEVER, WATCH_NEVER};
    return (struct watch){codec_get_i64(item.words),
                          codec_get_i64(item.words + 2)};
}

int watch_write(struct store *store, struct user **user, uint32_t id,
                const struct watch *watch)
{
    struct item item = user_item(*user, id);
    int ret =
        item.bytes ? 0 : user_resize(store, user, id, sizeof(*watch), &item);
    if (ret < 0)
        return ret;
    codec_put_i64(item.words, watch->entered_ms);
    codec_put_i64(item.words + 2, watch->left_ms);
    return 0;
}

int watch_note(struct store *store, struct user **user, uint32_t id, int member,
               int64_t at_ms)
{
    struct watch watch = watch_read(*user, id);
    if (member)
        watch.entered_ms = at_ms;
    else
        watch.left_ms = at_ms;
    return watch_write(store, user, id, &watch);
}
