/* user.c: the items of one user's block. */
#include "lib/user/user.h"

#include <string.h>

#include <seg/error.h>

#include "lib/user/times.h"

#define WIDE        ((uint32_t)USER_ENTRY_WIDE)
#define COARSE      0x40u /* In a wide one, as the bits of the gap. */
#define GAP         0x3fu
#define FAR         GAP /* The number follows. */
#define ENTRY_BYTES 2   /* Of a wide one. */
#define FAR_BYTES   6
#define LONG        255 /* The length is in front of the item. */
#define LONG_BYTES  4
#define SPECIALS    16         /* Numbers kept for them. */
#define NOTHING     UINT32_MAX /* What stands before the first entry. */

/* To make it longer. When an item goes entries of one byte and of two may
 * become one of six, for which there must be room. */
#define DIRECTORY_MAX (UINT16_MAX / FAR_BYTES * (1 + ENTRY_BYTES))

static uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t n;
    memcpy(&n, bytes, sizeof(n));
    return n;
}

static void put_u32(uint8_t *bytes, uint32_t n)
{
    memcpy(bytes, &n, sizeof(n));
}

/* ---- directory entries -------------------------------------------------- */

static inline uint32_t number_of(uint32_t id)
{
    return id < USER_ITEM_SPECIAL ? id + SPECIALS : id - USER_ITEM_SPECIAL;
}

static inline uint32_t id_of(uint32_t number)
{
    return number < SPECIALS ? number + USER_ITEM_SPECIAL : number - SPECIALS;
}

struct entry {
    uint32_t number;
    uint32_t len;  /* Of the item; LONG: that is in front of it. */
    uint32_t size; /* Its own. */
};

/* The entry at AT, which stands after that of BEFORE. */
static inline struct entry entry_read(const uint8_t *at, uint32_t before)
{
    uint32_t gap = at[0] & GAP;
    if (at[0] < WIDE)
        return (struct entry){before + 1, at[0], 1};
    if (gap < FAR)
        return (struct entry){before + 1 + gap, at[1], ENTRY_BYTES};
    return (struct entry){get_u32(at + ENTRY_BYTES), at[1], FAR_BYTES};
}

static inline int entry_coarse(const uint8_t *entry)
{
    return entry[0] >= (WIDE | COARSE);
}

/* All bytes of an item of LEN, by its entry, that begins at BYTES. */
static inline uint32_t stored_len(uint32_t len, const uint8_t *bytes)
{
    return len < LONG ? len : LONG_BYTES + get_u32(bytes);
}

/* Write the entry of NUMBER after that of BEFORE; LEN of the item. Returns its
 * bytes. */
static inline uint32_t entry_put(uint8_t *entry, uint32_t before,
                                 uint32_t number, int coarse, uint32_t len)
{
    uint32_t gap = number - before - 1;
    if (!gap && !coarse && len < WIDE) {
        entry[0] = (uint8_t)len;
        return 1;
    }
    gap = gap < FAR ? gap : FAR;
    entry[0] = (uint8_t)(WIDE | gap | (coarse ? COARSE : 0));
    entry[1] = (uint8_t)(len < LONG ? len : LONG);
    if (gap < FAR)
        return ENTRY_BYTES;
    put_u32(entry + ENTRY_BYTES, number);
    return FAR_BYTES;
}

/* What the entry after *ITEM's, if there is one, becomes when it follows that
 * of BEFORE instead: written at TO. Returns its bytes, *OLD what they are now.
 */
static inline uint32_t entry_move(const struct user *user, const uint8_t *entry,
                                  uint32_t follows, uint32_t before,
                                  uint8_t *to, uint32_t *old)
{
    *old = 0;
    if (entry == user->bytes + user->directory_len)
        return 0;
    struct entry now = entry_read(entry, follows);
    *old = now.size;
    return entry_put(to, before, now.number, entry_coarse(entry), now.len);
}

/* ---- finding ------------------------------------------------------------ */

struct seg_text user_id(const struct user *user)
{
    return (struct seg_text){(const char *)user->bytes + user->directory_len,
                             user->front_len - user->birth_len - 1u};
}

/* As it lies there: the topic in the lowest byte, so that it is small. */
#define BIRTH_TOPIC_BITS 8

static uint8_t *birth_of(const struct user *user)
{
    return (uint8_t *)user_items(user) - user->birth_len - 1;
}

uint64_t user_birth(const struct user *user)
{
    uint64_t lies = times_load(birth_of(user), user->birth_len + 1u);
    return lies >> BIRTH_TOPIC_BITS | lies << (64 - BIRTH_TOPIC_BITS);
}

uint64_t user_bits(const struct user *user)
{
    const uint8_t *at = user->bytes, *end = at + user->directory_len;
    struct entry entry = {.number = NOTHING};
    uint64_t bits = 0;
    for (; at < end; at += entry.size) {
        entry = entry_read(at, entry.number);
        if (entry.number >= SPECIALS)
            bits |= UINT64_C(1) << (entry.number - SPECIALS) % 64;
    }
    return bits;
}

static uint8_t *first_item(const struct user *user)
{
    return (uint8_t *)user_items(user);
}

static inline struct item item_of(const struct user *user, const uint8_t *entry,
                                  uint32_t before, uint32_t len, uint8_t *bytes)
{
    struct item item = {.place = (uint32_t)(entry - user->bytes),
                        .before = before,
                        .len = len,
                        .coarse = entry_coarse(entry),
                        .bytes = bytes};
    if (len == LONG) {
        item.len = get_u32(bytes);
        item.bytes += LONG_BYTES;
    }
    return item;
}

/* The first entry of NUMBER or a later one: as an item, if it is that one. */
static struct item find(const struct user *user, uint32_t number)
{
    const uint8_t *at = user->bytes, *end = at + user->directory_len;
    uint8_t *bytes = first_item(user);
    uint32_t before = NOTHING;
    while (at < end) {
        struct entry entry = entry_read(at, before);
        if (entry.number >= number) {
            if (entry.number == number)
                return item_of(user, at, before, entry.len, bytes);
            break;
        }
        bytes += stored_len(entry.len, bytes);
        at += entry.size;
        before = entry.number;
    }
    return (struct item){.place = (uint32_t)(at - user->bytes),
                         .before = before};
}

struct item user_item(const struct user *user, uint32_t id)
{
    return find(user, number_of(id));
}

void user_walk_all(const struct user *user, struct user_walk *walk)
{
    *walk = (struct user_walk){0, NOTHING, first_item(user)};
}

static void pass(const struct entry *entry, struct user_walk *walk)
{
    walk->next += stored_len(entry->len, walk->next);
    walk->place += entry->size;
    walk->before = entry->number;
}

void user_walk_start(const struct user *user, struct user_walk *walk)
{
    user_walk_all(user, walk);
    while (walk->place < user->directory_len) {
        struct entry entry =
            entry_read(user->bytes + walk->place, walk->before);
        if (entry.number >= SPECIALS)
            break;
        pass(&entry, walk);
    }
}

struct item user_walk_next(const struct user *user, struct user_walk *walk,
                           uint32_t *id)
{
    const uint8_t *at = user->bytes + walk->place;
    if (walk->place == user->directory_len)
        return (struct item){.place = walk->place, .before = walk->before};
    struct entry entry = entry_read(at, walk->before);
    struct item item = item_of(user, at, walk->before, entry.len, walk->next);
    pass(&entry, walk);
    *id = id_of(entry.number);
    return item;
}

/* ---- changing ----------------------------------------------------------- */

/* Put LEN bytes (cut out if negative) at AT, in the block, which is large
 * enough. */
static void shift(struct user *user, uint8_t *at, int32_t len)
{
    uint8_t *end = (uint8_t *)user + user->used;
    if (len < 0)
        memmove(at, at - len, (size_t)(end - at + len));
    else
        memmove(at + len, at, (size_t)(end - at));
    user->used += (uint32_t)len;
}

/* Make room so that LEN more bytes fit. */
static int make_room(struct store *store, struct user **user, int32_t len)
{
    if (len <= 0)
        return 0;
    size_t need = (*user)->used + (size_t)len;
    if (need > store->user_bytes_max)
        return SEG_ERR_USER_BYTES;
    return need > slab_size((*user)->class) ? store_grow(store, user, need) : 0;
}

int user_set_birth(struct store *store, struct user **user, uint64_t birth)
{
    uint64_t lies =
        birth << BIRTH_TOPIC_BITS | birth >> (64 - BIRTH_TOPIC_BITS);
    uint32_t len = times_width(lies);
    int32_t more = (int32_t)(len - 1) - (int32_t)(*user)->birth_len;
    size_t need = (*user)->used + (size_t)(more > 0 ? more : 0);
    if (need > slab_size((*user)->class)) {
        int ret = store_grow(store, user, need);
        if (ret < 0)
            return ret;
    }
    shift(*user, birth_of(*user), more);
    (*user)->front_len = ((uint32_t)(*user)->front_len + (uint32_t)more) & 1023;
    (*user)->birth_len = (len - 1) & 7;
    times_store(birth_of(*user), len, lies);
    return 0;
}

/* Bytes at the front of an item of LEN bytes that say so. */
static uint32_t long_bytes(uint32_t len)
{
    return len < LONG ? 0 : LONG_BYTES;
}

/* Where the item of the entry at PLACE begins. */
static uint8_t *start_of(const struct user *user, uint32_t place)
{
    uint8_t *at = first_item(user);
    struct entry entry;
    for (uint32_t i = 0; i < place; i += entry.size) {
        entry = entry_read(user->bytes + i, 0);
        at += stored_len(entry.len, at);
    }
    return at;
}

/* Replace OLD bytes of the directory at PLACE by COUNT bytes of ENTRIES. */
static void put_entries(struct user *user, uint32_t place, uint32_t old,
                        const uint8_t *entries, uint32_t count)
{
    shift(user, user->bytes + place, (int32_t)count - (int32_t)old);
    memcpy(user->bytes + place, entries, count);
    user->directory_len = (uint16_t)(user->directory_len + count - old);
}

static int add_item(struct store *store, struct user **user, uint32_t id,
                    uint32_t len, struct item *item)
{
    uint8_t entries[2 * FAR_BYTES];
    uint32_t place = item->place, before = item->before, old;
    uint32_t number = number_of(id);
    uint32_t count = entry_put(entries, before, number, 0, len);
    count += entry_move(*user, (*user)->bytes + place, before, number,
                        entries + count, &old);
    uint32_t more = count - old, stored = len + long_bytes(len);
    if ((*user)->directory_len + more > DIRECTORY_MAX)
        return SEG_ERR_USER_BYTES;
    int ret = make_room(store, user, (int32_t)(stored + more));
    if (ret < 0)
        return ret;
    struct user *u = *user;
    put_entries(u, place, old, entries, count);
    uint8_t *at = start_of(u, place);
    shift(u, at, (int32_t)stored);
    if (len >= LONG)
        put_u32(at, len);
    *item = item_of(u, u->bytes + place, before, len < LONG ? len : LONG, at);
    return 0;
}

static void remove_item(struct user *user, struct item *item)
{
    uint8_t entry[FAR_BYTES], *here = user->bytes + item->place;
    uint32_t front = long_bytes(item->len), old;
    struct entry gone = entry_read(here, item->before);
    shift(user, item->bytes - front, -(int32_t)(item->len + front));
    uint32_t count = entry_move(user, here + gone.size, gone.number,
                                item->before, entry, &old);
    put_entries(user, item->place, gone.size + old, entry, count);
    item->bytes = NULL;
    item->len = 0;
    item->coarse = 0;
}

/* LEN bytes at byte AT of *ITEM, which exists and does not become empty, and is
 * COARSE then. */
static int splice_item(struct store *store, struct user **user, uint32_t at,
                       int32_t len, int coarse, struct item *item)
{
    uint32_t then = item->len + (uint32_t)len, old = long_bytes(item->len);
    int32_t front = (int32_t)long_bytes(then) - (int32_t)old;
    ptrdiff_t begin = item->bytes - old - (uint8_t *)*user;
    const uint8_t *here = (*user)->bytes + item->place;
    uint32_t gap = here[0] < WIDE ? 0 : here[0] & GAP;
    int wide = gap || coarse || then >= WIDE, wider = wide - (here[0] >= WIDE);
    if (wider > 0 && (*user)->directory_len == DIRECTORY_MAX)
        return SEG_ERR_USER_BYTES;
    int ret = make_room(store, user, len + front + wider);
    if (ret < 0)
        return ret;
    struct user *u = *user;
    uint8_t *start = (uint8_t *)u + begin, *entry = u->bytes + item->place;
    if (len)
        shift(u, start + old + at, len);
    if (front)
        shift(u, start, front);
    if (then >= LONG)
        put_u32(start, then);
    if (wider)
        shift(u, entry, wider);
    u->directory_len = (uint16_t)(u->directory_len + wider);
    entry[0] = (uint8_t)(wide ? WIDE | gap | (coarse ? COARSE : 0) : then);
    if (wide)
        entry[1] = (uint8_t)(then < LONG ? then : LONG);
    item->bytes = start + wider + long_bytes(then);
    item->len = then;
    item->coarse = coarse;
    return 0;
}

int user_splice(struct store *store, struct user **user, uint32_t id,
                uint32_t at, int32_t len, struct item *item)
{
    if (!item->bytes)
        return len > 0 ? add_item(store, user, id, (uint32_t)len, item) : 0;
    if (item->len + (uint32_t)len == 0) {
        remove_item(*user, item);
        return 0;
    }
    return len ? splice_item(store, user, at, len, item->coarse, item) : 0;
}

int user_resize(struct store *store, struct user **user, uint32_t id,
                uint32_t len, struct item *item)
{
    return user_splice(store, user, id, len < item->len ? len : item->len,
                       (int32_t)(len - item->len), item);
}

int user_set_coarse(struct store *store, struct user **user, struct item *item,
                    int coarse)
{
    return splice_item(store, user, 0, 0, coarse, item);
}

int user_validate(const struct user *user)
{
    struct user_walk walk;
    uint32_t id, last = NOTHING;
    user_walk_all(user, &walk);
    while (walk.place < user->directory_len) {
        struct item item = user_walk_next(user, &walk, &id);
        if (!item.len || (last != NOTHING && number_of(id) <= last) ||
            walk.next > (uint8_t *)user + user->used)
            return 0;
        last = number_of(id);
    }
    return walk.place == user->directory_len &&
           walk.next == (uint8_t *)user + user->used &&
           user->used <= slab_size(user->class);
}
