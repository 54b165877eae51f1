/* parked.c: updates from the future.
 *
 * The item is a row of
 *
 *     words (1)  kind (1)  target (1)  time (2)  stamp (2)  owner (2)
 *     name (codec.h)  value (codec.h) */
#include <seg/engine.h>
#include <seg/error.h>

#include "lib/base/text.h"
#include "lib/user/codec.h"
#include "lib/user/update.h"

#define HEAD_WORDS 9
#define TIME_WORD  3

int parked_add(struct store *store, struct user **user,
               const struct update *update)
{
    struct item item = user_item(*user, USER_ITEM_PARKED);
    struct seg_value name = {.type = SEG_TEXT,
                             .len = (uint32_t)update->name.len,
                             .as.text = update->name.bytes};
    uint32_t at = item.len / WORD_BYTES;
    uint32_t words =
        HEAD_WORDS + codec_words(&name) + codec_words(&update->value);
    int ret = user_splice(store, user, USER_ITEM_PARKED, at * WORD_BYTES,
                          (int32_t)(words * WORD_BYTES), &item);
    if (ret < 0)
        return ret;
    word *to = item.words + at;
    to[0] = words;
    to[1] = update->kind;
    to[2] = update->target;
    codec_put_i64(to + TIME_WORD, update->time_ms);
    codec_put_u64(to + 5, update->stamp);
    codec_put_u64(to + 7, update->owner);
    to += HEAD_WORDS;
    to += codec_put(to, &name);
    codec_put(to, &update->value);
    return 0;
}

int parked_has(const struct user *user, const struct update *update)
{
    struct item item = user_item(user, USER_ITEM_PARKED);
    struct seg_value name;
    if (update->kind != UPDATE_SPARE && update->kind != UPDATE_ATTRIBUTE)
        return 0;
    for (uint32_t at = 0; at < item.len / WORD_BYTES; at += item.words[at]) {
        const word *words = item.words + at;
        if (words[1] != update->kind || words[2] != update->target ||
            codec_get_u64(words + 5) != update->stamp)
            continue;
        codec_get(words + HEAD_WORDS, NULL, &name);
        if (text_equal((struct seg_text){name.as.text, name.len}, update->name))
            return 1;
    }
    return 0;
}

int64_t parked_next(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_PARKED);
    int64_t next = SEG_NEVER;
    for (uint32_t at = 0; at < item.len / WORD_BYTES; at += item.words[at]) {
        int64_t time_ms = codec_get_i64(item.words + at + TIME_WORD);
        next = time_ms < next ? time_ms : next;
    }
    return next;
}

static int read_update(const word *words, struct arena *arena,
                       struct update *update)
{
    struct seg_value name;
    const word *text = words + HEAD_WORDS;
    codec_get(text, NULL, &name);
    *update = (struct update){
        .kind = words[1],
        .target = words[2],
        .time_ms = codec_get_i64(words + TIME_WORD),
        .stamp = codec_get_u64(words + 5),
        .owner = codec_get_u64(words + 7),
        .name = {name.as.text, name.len},
    };
    return codec_get(text + codec_len(text), arena, &update->value);
}

int parked_at(const struct user *user, uint32_t *at, struct arena *arena,
              struct update *update)
{
    struct item item = user_item(user, USER_ITEM_PARKED);
    if (*at >= item.len / WORD_BYTES)
        return 0;
    int ret = read_update(item.words + *at, arena, update);
    *at += item.words[*at];
    return ret < 0 ? ret : 1;
}

int parked_take(struct store *store, struct user **user, int64_t now_ms,
                struct arena *arena, struct update *update)
{
    struct item item = user_item(*user, USER_ITEM_PARKED);
    uint32_t at = 0;
    while (at < item.len / WORD_BYTES &&
           codec_get_i64(item.words + at + TIME_WORD) > now_ms)
        at += item.words[at];
    if (at >= item.len / WORD_BYTES)
        return 0;
    uint32_t words = item.words[at];
    if (read_update(item.words + at, arena, update) < 0 ||
        arena_value(arena, &update->value, &update->value) < 0)
        return SEG_ERR_NOMEM;
    update->name = arena_text(arena, update->name);
    if (!update->name.bytes)
        return SEG_ERR_NOMEM;
    user_splice(store, user, USER_ITEM_PARKED, at * WORD_BYTES,
                -(int32_t)(words * WORD_BYTES), &item);
    return 1;
}

void parked_drop(struct store *store, struct user **user,
                 int (*drop)(const void *arg, const struct update *update),
                 const void *arg)
{
    struct item item = user_item(*user, USER_ITEM_PARKED);
    uint32_t at = 0;
    while (at < item.len / WORD_BYTES) {
        const word *words = item.words + at;
        const struct update update = {.kind = words[1], .target = words[2]};
        if (drop(arg, &update))
            user_splice(store, user, USER_ITEM_PARKED, at * WORD_BYTES,
                        -(int32_t)(words[0] * WORD_BYTES), &item);
        else
            at += words[0];
    }
}
