/* user.h: all that is known of one user, in one block.
 *
 * The block is one piece of memory from a slab, so that an event touches few
 * cache lines of it and not ten objects. It holds a fixed head, a directory,
 * the user's id, his birth and *items*, the special ones first, then those of
 * the catalogue, each in order of their ids:
 *
 *   +------+-----------+---------+--------+--------+- - -+-------+
 *   | head | directory | user id | birth  | item 0 |     | slack |
 *   | 12   | 1, 2, ..  |         | 1 to 8 |        |     |       |
 *   +------+-----------+---------+--------+--------+- - -+-------+
 *
 * In a directory entry an item's id is counted from USER_ITEM_SPECIAL, the
 * catalogue's follow from 16 on. Most take one byte, of an item that is not
 * coarse and whose number is the one after the entry's before:
 *
 *   +---+-----------+      +---+---+---------+ +--------+
 *   | 0 |  length   |  or  | 1 | c |   gap   | | length |
 *   +---+-----------+      +---+---+---------+ +--------+
 *     1       7              1   1      6          8
 *
 *   c       the item is coarse (window.c)
 *   gap     numbers left out since the entry before; 63: the number follows in
 *           4 bytes
 *   length  in bytes; 255: the item begins with its length, 4 bytes
 *
 * Example: MEMBERS (15, 11 bytes), items 3 and 4 of the catalogue (17 and 5)
 * are the directory 8f 0b  83 11  05. An item is found by walking it, adding
 * gaps and lengths: some ns for the ten or twenty items a user has. Nothing in
 * a block is aligned or padded; adding to an item moves what follows.
 *
 * Item ids below USER_ITEM_SPECIAL are the catalogue's: its features, then its
 * attributes. What the bytes of an item mean is its owner's affair (window.c,
 * attribute.c ...).
 *
 * A function that may make the block larger takes struct store and a pointer to
 * the user pointer: the block may move, and the index follows. */
#ifndef USER_USER_H
#define USER_USER_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <seg/event.h>

#include "lib/base/buf.h"
#include "lib/base/slab.h"
#include "lib/user/codec.h"

#define USER_ITEM_SPECIAL 0xfff00 /* Ids from here on are these: */
enum user_special {
    USER_ITEM_CHANGES = USER_ITEM_SPECIAL, /* changes.c: first, as asked most */
    USER_ITEM_ACCOUNT,                     /* attribute.c */
    USER_ITEM_SPARE,                       /* attribute.c */
    USER_ITEM_IDS,                         /* dedupe.c */
    USER_ITEM_FIRED,                       /* fired.c: triggers */
    USER_ITEM_PARKED,                      /* parked.c: from the future */
    USER_ITEM_PUBLISHED,                   /* published.c: traits */
    /* member.c: last, so that its usual neighbour has no gap. */
    USER_ITEM_MEMBERS = USER_ITEM_SPECIAL + 15,
};

enum user_flag {
    USER_DIRTY = 1,    /* Stands in the engine's dirty queue. */
    USER_LISTED = 2,   /* include or exclude of some segment names him. */
    USER_TOUCHED = 4,  /* Restore: to be judged in step 5. */
    USER_NAMELESS = 8, /* Restore: known by changes alone, not born yet. */
    USER_SETTLED = 16, /* His block is of store.settled. */
};

struct user {
    uint32_t used; /* Bytes of the block that are in use. */
    uint16_t directory_len;
    uint16_t front_len : 10; /* Of id and birth. */
    uint16_t flags : 6;      /* enum user_flag. */
    uint32_t class : 8;      /* Of the block: its size. */
    uint32_t birth_len : 3;  /* Bytes of the birth, less 1. */
    int32_t base : 21;       /* When he was born, roughly: times are beside it
                          (times.h). */
    uint8_t bytes[];         /* Directory, id, birth, items. */
};

#define USER_HEAD_BYTES offsetof(struct user, bytes)

_Static_assert(USER_HEAD_BYTES == 12, "the head of a user's block");
_Static_assert(SEG_ID_BYTES_MAX + 8 < 1 << 10, "front_len");

/* The limit of a block, if nobody sets a lower one. Only events are held to a
 * lower one (apply.c): what time and a restore do to a user must not fail. */
#define STORE_USER_BYTES_MAX (UINT32_C(1) << 30)

/* A lateness than which nothing is later. */
#define STORE_NEVER_LATE (INT64_MAX / 4)

struct store {
    struct slab slab;
    struct slab settled; /* Of users who were made to fit. */
    uint8_t *users;      /* Their addresses by index: store_at. */
    uint32_t user_count;
    uint32_t user_cap;
    uint32_t *slots; /* Open addressing: some bits of hash, index + 1. */
    uint32_t slot_mask;
    uint32_t ahead; /* The user whose block is prefetched next. */
    uint32_t known_index;
    const struct user *known; /* The user of known_index; NULL. */
    uint64_t hash_seed;
    int64_t lateness_ms; /* How late events may come; sequence.c. */
    uint32_t user_bytes_max;
    uint32_t users_max;
    struct buf scratch; /* Of member.c. */
};

/* ---- store (store.c): the users of one engine ------------------------- */

void store_init(struct store *store, uint64_t hash_seed);
void store_done(struct store *store);

uint64_t store_hash(const struct store *store, struct seg_text id);

/* The user ID of HASH, or NULL. */
struct user *store_find(const struct store *store, struct seg_text id,
                        uint64_t hash);

/* The same, for who will ask for the index of that user: a block does not say
 * it, but the store remembers that of the user who was reached last. */
struct user *store_reach(struct store *store, struct seg_text id,
                         uint64_t hash);

/* No address of user space has more bytes. */
#define STORE_ADDRESS_BYTES 6

/* The user at INDEX. */
static inline struct user *store_at(const struct store *store, uint32_t index)
{
    uint64_t n;
    memcpy(&n, store->users + (size_t)index * STORE_ADDRESS_BYTES, sizeof(n));
    n = le64toh(n) << (64 - 8 * STORE_ADDRESS_BYTES);
    return (struct user *)(uintptr_t)(n >> (64 - 8 * STORE_ADDRESS_BYTES));
}

/* The same; he is reached by that. */
static inline struct user *store_user(struct store *store, uint32_t index)
{
    struct user *user = store_at(store, index);
    store->known = user;
    store->known_index = index;
    return user;
}

/* The index of USER among all users of the store. */
uint32_t store_look_up(const struct store *store, const struct user *user);

/* The same, at once if no other user was reached since he was. */
static inline uint32_t store_index(const struct store *store,
                                   const struct user *user)
{
    return user == store->known ? store->known_index
                                : store_look_up(store, user);
}

/* Bring what a look-up of HASH needs into the CPU's caches: first the slot;
 * then, when that has come, the block, which is asked for by the next call of
 * store_prefetch_user: only then its address is there. */
void store_prefetch(const struct store *store, uint64_t hash);
void store_prefetch_user(struct store *store, uint64_t hash);

/* Add a user whom store_find did not find, with nothing known of him and times
 * based around BASE_MS. Returns 0, SEG_ERR_LIMIT beyond users_max, or
 * SEG_ERR_NOMEM. */
int store_add(struct store *store, struct seg_text id, uint64_t hash,
              int64_t base_ms, struct user **ret);

/* Take USER out and free him. The last user gets his index: *MOVED is that user
 * (or NULL if it was the last one himself). */
void store_remove(struct store *store, struct user *user, struct user **moved);

/* Make USER's block at least NEED bytes large; used bytes are kept. */
int store_grow(struct store *store, struct user **user, size_t need);

/* Move USER into the smallest block that holds him, among others of whom little
 * is heard: those who come and grow leave no gaps there. If there is no memory
 * for that he stays. */
void store_fit(struct store *store, struct user **user);

size_t store_bytes(const struct store *store);

/* ---- items (user.c) --------------------------------------------------- */

/* Where an item is: its directory entry, the number of the one before, its
 * bytes, and how many. bytes = NULL: the user does not have it; the entry is
 * where it would go. */
struct item {
    uint32_t place;
    uint32_t before;
    uint32_t len;
    int coarse;
    union {
        uint8_t *bytes;
        word *words; /* The same, for an owner who thinks in words. */
    };
};

struct seg_text user_id(const struct user *user);

/* The place of the message with which he begins: topic, offset (feature.h,
 * fold_stamp); 0 for a new user. */
uint64_t user_birth(const struct user *user);

/* Returns 0, or SEG_ERR_NOMEM with nothing changed. The limit of a block does
 * not concern it. */
int user_set_birth(struct store *store, struct user **user, uint64_t birth);

/* The item ID of USER. */
struct item user_item(const struct user *user, uint32_t id);

/* Where the bytes of the items begin. */
static inline const uint8_t *user_items(const struct user *user)
{
    return user->bytes + user->directory_len + user->front_len;
}

#define USER_ENTRY_WIDE 0x80 /* A directory entry of more than a byte. */

/* The bytes of the item of the lowest id, which is short and never coarse: its
 * entry is the only one of one byte that can be the first. NULL: he has none.
 */
static inline const uint8_t *user_lowest(const struct user *user)
{
    return user->directory_len && user->bytes[0] < USER_ENTRY_WIDE
               ? user_items(user)
               : NULL;
}

/* Which items of the catalogue USER has, their ids modulo 64 as bits: where a
 * bit is not set, none of that id is there. */
uint64_t user_bits(const struct user *user);

/* The items of the catalogue, in order; or all, special ones first. */
struct user_walk {
    uint32_t place;
    uint32_t before;
    uint8_t *next;
};
void user_walk_start(const struct user *user, struct user_walk *walk);
void user_walk_all(const struct user *user, struct user_walk *walk);
/* The next item, its id in *ID; bytes = NULL at the end. */
struct item user_walk_next(const struct user *user, struct user_walk *walk,
                           uint32_t *id);

/* Make item ID exactly LEN bytes long: bytes beyond the old length are
 * undefined, a shorter item loses its end. A length of 0 removes it; an item
 * that is not there is created. *ITEM must be as user_item gave it, nothing of
 * USER having changed since; it gets where the item is now. Returns 0, or
 * SEG_ERR_USER_BYTES, SEG_ERR_NOMEM with all as it was; making an item shorter
 * cannot fail. */
int user_resize(struct store *store, struct user **user, uint32_t id,
                uint32_t len, struct item *item);

/* Put LEN more bytes at byte AT of item ID (cut out if LEN is negative). *ITEM
 * and what is returned as in user_resize. */
int user_splice(struct store *store, struct user **user, uint32_t id,
                uint32_t at, int32_t len, struct item *item);

/* Say whether *ITEM, which USER has, is coarse. *ITEM and what is returned as
 * in user_resize; saying that it is not cannot fail. */
int user_set_coarse(struct store *store, struct user **user, struct item *item,
                    int coarse);

/* Whether the block is consistent; for tests. */
int user_validate(const struct user *user);

#endif
