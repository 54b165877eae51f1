/* attribute.c: what was last written on a user and on his account.
 *
 * The item of an attribute, and that of the account:
 *
 *     time (2 words)   stamp (2)   owner (2)   value (codec.h)
 *
 * The item of the spare ones is a row of
 *
 *     words (1)   1: of the account (1)   name (codec.h)   time   stamp
 *     owner   value */
#include "lib/user/attribute.h"

#include <string.h>

#include <seg/error.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/user/codec.h"

#define HEAD_WORDS       6
#define SPARE_HEAD_WORDS 2

uint64_t attribute_owner(struct seg_text group_id)
{
    uint64_t hash = hash_bytes(group_id.bytes, group_id.len, 0);
    return hash == ATTRIBUTE_NO_OWNER ? 1 : hash;
}

static void put_write(word *words, const struct write *write)
{
    codec_put_i64(words, write->time_ms);
    codec_put_u64(words + 2, write->stamp);
    codec_put_u64(words + 4, write->owner);
    codec_put(words + HEAD_WORDS, &write->value);
}

static int get_write(const word *words, struct arena *arena,
                     struct write *write)
{
    write->time_ms = codec_get_i64(words);
    write->stamp = codec_get_u64(words + 2);
    write->owner = codec_get_u64(words + 4);
    return codec_get(words + HEAD_WORDS, arena, &write->value);
}

/* Whether the write at WORDS is later than WRITE or the same. */
static int holds(const word *words, const struct write *write)
{
    int64_t time_ms = codec_get_i64(words);
    return time_ms != write->time_ms ? time_ms > write->time_ms
                                     : codec_get_u64(words + 2) >= write->stamp;
}

int attribute_write(struct store *store, struct user **user, uint32_t item_id,
                    const struct write *write)
{
    struct item item = user_item(*user, item_id);
    if (item.words && holds(item.words, write))
        return 0;
    int ret = user_resize(
        store, user, item_id,
        WORD_BYTES * (HEAD_WORDS + codec_words(&write->value)), &item);
    if (ret < 0)
        return ret;
    put_write(item.words, write);
    return 1;
}

int attribute_last(const struct user *user, uint32_t item_id,
                   struct arena *arena, struct write *write)
{
    struct item item = user_item(user, item_id);
    if (!item.words)
        return 0;
    int ret = get_write(item.words, arena, write);
    return ret < 0 ? ret : 1;
}

/* Whether what OWNER owns is seen: a user's own always. */
static int visible(const struct user *user, uint64_t owner)
{
    struct write account;
    if (owner == ATTRIBUTE_NO_OWNER)
        return 1;
    return account_last(user, &account) && account.owner == owner;
}

int attribute_read(const struct user *user, uint32_t item_id,
                   struct arena *arena, struct seg_value *value)
{
    struct write write;
    *value = (struct seg_value){.type = SEG_MISSING};
    int ret = attribute_last(user, item_id, arena, &write);
    if (ret > 0 && visible(user, write.owner))
        *value = write.value;
    return ret < 0 ? ret : 0;
}

int account_write(struct store *store, struct user **user,
                  const struct write *write)
{
    return attribute_write(store, user, USER_ITEM_ACCOUNT, write);
}

int account_last(const struct user *user, struct write *write)
{
    return attribute_last(user, USER_ITEM_ACCOUNT, NULL, write);
}

struct seg_text account_id(const struct user *user)
{
    struct write write;
    if (!account_last(user, &write))
        return (struct seg_text){NULL, 0};
    return (struct seg_text){write.value.as.text, write.value.len};
}

int spare_next(const struct user *user, uint32_t *at, struct spare *spare)
{
    struct item item = user_item(user, USER_ITEM_SPARE);
    struct seg_value name;
    if (!item.words || *at >= item.len / WORD_BYTES)
        return 0;
    const word *words = item.words + *at;
    const word *text = words + SPARE_HEAD_WORDS;
    *at += words[0];
    spare->account = (int)words[1];
    codec_get(text, NULL, &name);
    spare->name = (struct seg_text){name.as.text, name.len};
    get_write(text + codec_len(text), NULL, &spare->write);
    return 1;
}

int spare_visible(const struct user *user, const struct spare *spare)
{
    return spare->write.value.type != SEG_MISSING &&
           visible(user, spare->write.owner);
}

/* The word at which SPARE's older write stands and its words; words = 0 and the
 * end if there is none. */
static uint32_t find_spare(const struct user *user, const struct spare *spare,
                           uint32_t *words)
{
    struct spare old;
    uint32_t at = 0, next = 0;
    while (spare_next(user, &next, &old)) {
        *words = next - at;
        if (old.account == spare->account && text_equal(old.name, spare->name))
            return at;
        at = next;
    }
    *words = 0;
    return at;
}

static void put_spare(word *words, uint32_t count, const struct spare *spare,
                      const struct seg_value *name)
{
    words[0] = count;
    words[1] = (uint32_t)spare->account;
    put_write(words + SPARE_HEAD_WORDS +
                  codec_put(words + SPARE_HEAD_WORDS, name),
              &spare->write);
}

static uint32_t spare_words(const struct spare *spare,
                            const struct seg_value *name)
{
    return SPARE_HEAD_WORDS + codec_words(name) + HEAD_WORDS +
           codec_words(&spare->write.value);
}

struct seg_value spare_value(struct seg_value value)
{
    return value.type == SEG_LIST ? (struct seg_value){.type = SEG_OBJECT}
                                  : value;
}

/* Say that something was lost, if that is not said yet. */
static int lose(struct store *store, struct user **user,
                const struct spare *spare)
{
    struct spare lost = {SPARE_LOST,
                         {"", 0},
                         {spare->write.time_ms,
                          spare->write.stamp,
                          ATTRIBUTE_NO_OWNER,
                          {.type = SEG_OBJECT}}};
    int ret = spare_write(store, user, &lost, UINT32_MAX);
    return ret < 0 ? ret : SPARE_DROPPED;
}

/* A write that does not fit leaves a mark that there was one, if at least that
 * does: what it replaces must not stay, nor come later and be taken. What is no
 * longer than what it replaces always fits: the row is perhaps over the limit,
 * by what `lose` has put there. */
int spare_write(struct store *store, struct user **user,
                const struct spare *spare, uint32_t limit_bytes)
{
    struct item item = user_item(*user, USER_ITEM_SPARE);
    struct seg_value name = {.type = SEG_TEXT,
                             .len = (uint32_t)spare->name.len,
                             .as.text = spare->name.bytes};
    struct spare kept = *spare;
    uint32_t old, at = find_spare(*user, spare, &old);
    uint32_t words = spare_words(spare, &name);
    int result = 1;
    if (old) {
        const word *text = item.words + at + SPARE_HEAD_WORDS;
        if (holds(text + codec_len(text), &spare->write))
            return 0;
    }
    if (words > old && item.len + WORD_BYTES * (words - old) > limit_bytes) {
        result = SPARE_DROPPED;
        if (kept.write.value.type != SEG_MISSING)
            kept.write.value = (struct seg_value){.type = SEG_OBJECT};
        words = spare_words(&kept, &name);
        if (words > old && item.len + WORD_BYTES * (words - old) > limit_bytes)
            return lose(store, user, spare);
    }
    int ret = user_splice(store, user, USER_ITEM_SPARE, at * WORD_BYTES,
                          (int32_t)(WORD_BYTES * (words - old)), &item);
    if (ret < 0)
        return ret;
    put_spare(item.words + at, words, &kept, &name);
    return result;
}
