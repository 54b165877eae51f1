/* user.c: the items of one user's block. */
#include "lib/user/user.h"

#include <string.h>

#include <seg/error.h>

#define ID_SHIFT 12
#define FORM_SHIFT 10
#define COUNT_MASK 0x3ffu
#define LONG COUNT_MASK /* The length is the item's first word. */

static uint32_t entry_make(uint32_t id, uint32_t form, uint32_t count)
{
    return id << ID_SHIFT | form << FORM_SHIFT | (count < LONG ? count : LONG);
}

static uint32_t *id_words(const struct user *user)
{
    return (uint32_t *)user->words + user->item_count;
}

static uint32_t id_word_count(const struct user *user)
{
    return (user->id_len + 3u) / 4;
}

struct seg_text user_id(const struct user *user)
{
    return (struct seg_text){(const char *)id_words(user), user->id_len};
}

/* All words of the item of ENTRY that begins at WORDS, its length included. */
static uint32_t stored_count(uint32_t entry, const uint32_t *words)
{
    uint32_t count = entry & COUNT_MASK;
    return count == LONG ? 1 + words[0] : count;
}

static struct item item_of(uint32_t place, uint32_t entry, uint32_t *words)
{
    struct item item = {place, entry >> FORM_SHIFT & 3, entry & COUNT_MASK,
                        words};
    if (item.count == LONG) {
        item.count = words[0];
        item.words = words + 1;
    }
    return item;
}

struct item user_item(const struct user *user, uint32_t id)
{
    uint32_t *at = id_words(user) + id_word_count(user);
    uint32_t place = 0;
    for (; place < user->item_count; place++) {
        uint32_t entry = user->words[place];
        if (entry >> ID_SHIFT >= id) {
            if (entry >> ID_SHIFT == id)
                return item_of(place, entry, at);
            break;
        }
        at += stored_count(entry, at);
    }
    return (struct item){.place = place};
}

void user_walk_start(const struct user *user, struct user_walk *walk)
{
    walk->place = 0;
    walk->next = id_words(user) + id_word_count(user);
}

struct item user_walk_next(const struct user *user, struct user_walk *walk,
                           uint32_t *id)
{
    if (walk->place == user->item_count)
        return (struct item){.place = walk->place};
    uint32_t entry = user->words[walk->place];
    struct item item = item_of(walk->place++, entry, walk->next);
    walk->next += stored_count(entry, walk->next);
    *id = entry >> ID_SHIFT;
    return item;
}

/* Word of the block where the item at PLACE begins. */
static uint32_t start_of(const struct user *user, uint32_t place)
{
    const uint32_t *begin = id_words(user) + id_word_count(user), *at = begin;
    for (uint32_t i = 0; i < place; i++)
        at += stored_count(user->words[i], at);
    return (uint32_t)(at - user->words);
}

/* Put COUNT words (cut out if negative) at word AT of the block, which is large
 * enough. */
static void shift(struct user *user, uint32_t at, int32_t count)
{
    char *from = (char *)(user->words + at);
    char *end = (char *)user + user->used;
    int32_t bytes = count * 4;
    if (count < 0)
        memmove(from, from - bytes, (size_t)(end - from + bytes));
    else
        memmove(from + bytes, from, (size_t)(end - from));
    user->used = (uint32_t)((int32_t)user->used + bytes);
}

/* Make room so that COUNT more words fit. */
static int make_room(struct store *store, struct user **user, int32_t count)
{
    if (count <= 0)
        return 0;
    size_t need = (*user)->used + (size_t)count * 4;
    if (need > store->user_bytes_max)
        return SEG_ERR_USER_BYTES;
    return need > (*user)->size ? store_grow(store, user, need) : 0;
}

static int add_item(struct store *store, struct user **user, uint32_t id,
                    uint32_t form, uint32_t count, struct item *item)
{
    uint32_t stored = count + (count >= LONG), place = item->place;
    int ret = make_room(store, user, (int32_t)stored + 1);
    if (ret < 0)
        return ret;
    struct user *u = *user;
    shift(u, place, 1);
    u->words[place] = entry_make(id, form, count);
    u->item_count++;
    uint32_t at = start_of(u, place);
    shift(u, at, (int32_t)stored);
    if (count >= LONG)
        u->words[at] = count;
    *item = item_of(place, u->words[place], u->words + at);
    return 0;
}

static void remove_item(struct user *user, struct item *item)
{
    uint32_t at = start_of(user, item->place);
    uint32_t stored = stored_count(user->words[item->place], user->words + at);
    shift(user, at, -(int32_t)stored);
    shift(user, item->place, -1);
    user->item_count--;
    item->words = NULL;
    item->count = 0;
}

/* COUNT words at word AT of *ITEM, which exists and does not become empty. */
static int splice_item(struct store *store, struct user **user, uint32_t id,
                       uint32_t at, int32_t count, struct item *item)
{
    uint32_t now = item->count, then = (uint32_t)((int32_t)now + count);
    int32_t header = (int32_t)(then >= LONG) - (int32_t)(now >= LONG);
    uint32_t start = (uint32_t)(item->words - (*user)->words);
    uint32_t form = item->form, place = item->place;
    int ret = make_room(store, user, count + header);
    if (ret < 0)
        return ret;
    struct user *u = *user;
    shift(u, start + at, count);
    uint32_t begin = start - (now >= LONG); /* Of its header, if it has one. */
    shift(u, begin, header);
    if (then >= LONG)
        u->words[begin] = then;
    u->words[place] = entry_make(id, form, then);
    *item = item_of(place, u->words[place], u->words + begin);
    return 0;
}

int user_splice(struct store *store, struct user **user, uint32_t id,
                uint32_t form, uint32_t at, int32_t count, struct item *item)
{
    if (!item->words)
        return count > 0
                   ? add_item(store, user, id, form, (uint32_t)count, item)
                   : 0;
    if ((int32_t)item->count + count == 0) {
        remove_item(*user, item);
        return 0;
    }
    return splice_item(store, user, id, at, count, item);
}

void user_set_form(struct user *user, struct item *item, uint32_t form)
{
    uint32_t *entry = &user->words[item->place];
    *entry = (*entry & ~(3u << FORM_SHIFT)) | form << FORM_SHIFT;
    item->form = form;
}

int user_resize(struct store *store, struct user **user, uint32_t id,
                uint32_t form, uint32_t count, struct item *item)
{
    *item = user_item(*user, id);
    if (!count) {
        if (item->words)
            remove_item(*user, item);
        return 0;
    }
    if (!item->words)
        return add_item(store, user, id, form, count, item);
    int32_t more = (int32_t)count - (int32_t)item->count;
    uint32_t at = more < 0 ? count : item->count;
    int ret = splice_item(store, user, id, at, more, item);
    if (ret < 0)
        return ret;
    user_set_form(*user, item, form);
    return 0;
}

int user_validate(const struct user *user)
{
    struct user_walk walk;
    uint32_t id, last = 0, seen = 0;
    user_walk_start(user, &walk);
    for (;;) {
        struct item item = user_walk_next(user, &walk, &id);
        if (!item.words)
            break;
        if (seen++ && id <= last)
            return 0;
        last = id;
    }
    return (size_t)((char *)walk.next - (char *)user) == user->used &&
           user->used <= user->size;
}
