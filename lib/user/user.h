/* user.h: all that is known of one user, in one block.
 *
 * The block is one piece of memory from a slab, so that an event touches two
 * cache lines of it and not ten objects. It holds a fixed head, a directory and
 * *items*, packed in order of their ids:
 *
 *   +------+-----------+-----------+--------+--------+-- - - --+-------+
 *   | head | directory | user id   | item 0 | item 1 |         | slack |
 *   |      | 4 bytes   | 4-aligned |        |        |         |       |
 *   |      | per item  |           |        |        |         |       |
 *   +------+-----------+-----------+--------+--------+-- - - --+-------+
 *
 * A directory entry is one word: item id (20 bits), form (2), length in words of
 * 4 bytes (10; 1023 means that the length is the item's first word). An item is
 * found by walking the directory, adding lengths: some ns for the ten or twenty
 * items a user has. Items are never padded; adding to one moves what follows.
 *
 * Item ids below USER_ITEM_SPECIAL are the catalogue's: its features, then its
 * attributes. What the bytes of an item mean is its owner's affair (window.c,
 * attribute.c ...).
 *
 * Times of an item are *narrow* (4 bytes, ms after the block's base) when all of
 * them fit, else *wide* (8 bytes); its form says which. The base moves, rarely,
 * so that what is recent is narrow (times.h).
 *
 * A function that may make the block larger takes struct store and a pointer to
 * the user pointer: the block may move, and the index follows. */
#ifndef USER_USER_H
#define USER_USER_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/slab.h"

#define USER_ITEM_SPECIAL 0xfff00 /* Ids from here on are these: */
enum user_special {
    USER_ITEM_ACCOUNT = USER_ITEM_SPECIAL, /* attribute.c */
    USER_ITEM_SPARE,                       /* attribute.c */
    USER_ITEM_MEMBERS,                     /* member.c */
    USER_ITEM_IDS,                         /* dedupe.c */
    USER_ITEM_FIRED,                       /* fired.c: triggers */
    USER_ITEM_PARKED,                      /* parked.c: from the future */
};

enum user_form {
    FORM_NARROW, /* Times of 4 bytes, after the base. */
    FORM_WIDE,   /* Times of 8 bytes. */
    FORM_COARSE, /* Buckets (window.c). */
    FORM_PLAIN,  /* No times that move with the base. */
};

enum user_flag {
    USER_DIRTY = 1,    /* Stands in the engine's dirty queue. */
    USER_LISTED = 2,   /* include or exclude of some segment names him. */
    USER_TOUCHED = 4,  /* Restore: to be judged in step 5. */
    USER_NAMELESS = 8, /* Restore: known by changes alone, not born yet. */
};

#define USER_NO_CHANGE INT64_MIN /* last_at_ms of a user without changes. */

struct user {
    uint32_t index;      /* Among all users of the engine. */
    uint32_t size;       /* Of the block, as slab_size gave it. */
    uint32_t used;       /* Bytes of it that are in use. */
    uint32_t seq;        /* Of changes. */
    uint32_t trigger_seq;
    uint16_t id_len;
    uint16_t item_count;
    uint8_t flags; /* enum user_flag. */
    uint8_t birth_topic;
    uint8_t reserved[6];
    int64_t due_ms; /* Of his timer, as the wheel has it: SEG_NEVER. */
    int64_t birth_offset;
    int64_t last_at_ms; /* `at` of the last change. */
    int64_t base_ms;    /* Of narrow times. */
    uint32_t words[];   /* Directory, id, items. */
};

_Static_assert(sizeof(struct user) == 64, "the head of a user's block");

/* The limit of a block, if nobody sets a lower one. Only events are held to a
 * lower one (apply.c): what time and a restore do to a user must not fail. */
#define STORE_USER_BYTES_MAX (UINT32_C(1) << 30)

struct store {
    struct slab slab;
    struct user **users; /* By index. */
    uint32_t user_count;
    uint32_t user_cap;
    uint64_t *slots; /* Open addressing: 16 bits of hash, 48 of pointer. */
    uint32_t slot_mask;
    uint64_t hash_seed;
    uint32_t user_bytes_max;
    uint32_t users_max;
};

/* ---- store (store.c): the users of one engine ------------------------- */

void store_init(struct store *store, uint64_t hash_seed);
void store_done(struct store *store);

uint64_t store_hash(const struct store *store, struct seg_text id);

/* The user ID of HASH, or NULL. */
struct user *store_find(const struct store *store, struct seg_text id,
                        uint64_t hash);

/* Bring what a look-up of HASH needs into the CPU's caches: first the slot; then,
 * when that has come, the block. */
void store_prefetch(const struct store *store, uint64_t hash);
void store_prefetch_user(const struct store *store, uint64_t hash);

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

/* Move USER into a smaller block if he left much of his unused; if there is no
 * memory for that he stays. */
void store_fit(struct store *store, struct user **user);

size_t store_bytes(const struct store *store);

/* ---- items (user.c) --------------------------------------------------- */

/* Where an item is: its directory place, its words, and how many. words = NULL:
 * the user does not have it; `place` is where it would go. */
struct item {
    uint32_t place;
    uint32_t form;
    uint32_t count;
    uint32_t *words;
};

struct seg_text user_id(const struct user *user);

/* The item ID of USER. */
struct item user_item(const struct user *user, uint32_t id);

/* All items in order. */
struct user_walk {
    uint32_t place;
    uint32_t *next;
};
void user_walk_start(const struct user *user, struct user_walk *walk);
/* The next item, its id in *ID; words = NULL at the end. */
struct item user_walk_next(const struct user *user, struct user_walk *walk,
                           uint32_t *id);

/* Say that item ID, which USER has, is in FORM; its length stays. */
void user_set_form(struct user *user, struct item *item, uint32_t form);

/* Make item ID exactly COUNT words long, in FORM: words beyond the old length
 * are undefined, a shorter item loses its end. A count of 0 removes it; an item
 * that is not there is created. *ITEM gets where it is now. Returns 0, or
 * SEG_ERR_USER_BYTES, SEG_ERR_NOMEM with all as it was; making an item shorter
 * cannot fail. */
int user_resize(struct store *store, struct user **user, uint32_t id,
                uint32_t form, uint32_t count, struct item *item);

/* Put COUNT more words at word AT of item ID (cut out if COUNT is negative).
 * *ITEM must be as user_item gave it, nothing of USER having changed since; it
 * gets where the item is now. FORM counts only when it is created. Returns as
 * user_resize. */
int user_splice(struct store *store, struct user **user, uint32_t id,
                uint32_t form, uint32_t at, int32_t count, struct item *item);

/* Whether the block is consistent; for tests. */
int user_validate(const struct user *user);

#endif
