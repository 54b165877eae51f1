/* store.c: the users of one engine, found by id.
 *
 * Open addressing with linear probing over slots of 4 bytes. A table of 2^n
 * slots has less than 2^n users: the low n bits of a slot are a user's index
 * plus 1, those above the same bits of the upper half of his hash:
 *
 *   +------+-----------+
 *   | hash | index + 1 |      0: no user
 *   +------+-----------+
 *    32 - n      n
 *
 * So a look-up costs a cache miss for the slot, one for the pointer and one for
 * the block, whose id is compared; prefetches hide them. The hash has a random
 * seed: ids are chosen by strangers. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/user/times.h"
#include "lib/user/user.h"

#define SLOTS_MIN 1024

void store_init(struct store *store, uint64_t hash_seed)
{
    *store = (struct store){.hash_seed = hash_seed,
                            .user_bytes_max = STORE_USER_BYTES_MAX,
                            .users_max = UINT32_C(1) << 31};
    slab_init(&store->slab);
    slab_init(&store->settled);
    buf_init(&store->scratch);
}

/* Give the block of USER back. */
static void release(struct store *store, struct user *user)
{
    slab_release(user->flags & USER_SETTLED ? &store->settled : &store->slab,
                 user, user->class);
}

void store_done(struct store *store)
{
    for (uint32_t i = 0; i < store->user_count; i++)
        if (store_at(store, i)->class >= SLAB_CLASSES)
            release(store, store_at(store, i));
    slab_done(&store->slab);
    slab_done(&store->settled);
    buf_done(&store->scratch);
    free(store->users);
    free(store->slots);
}

uint64_t store_hash(const struct store *store, struct seg_text id)
{
    return hash_bytes(id.bytes, id.len, store->hash_seed);
}

/* What a slot has of HASH. */
static uint32_t tag_of(const struct store *store, uint64_t hash)
{
    return (uint32_t)(hash >> 32) & ~store->slot_mask;
}

static uint32_t slot_make(const struct store *store, uint64_t hash,
                          uint32_t index)
{
    return tag_of(store, hash) | (index + 1);
}

static uint32_t index_of(const struct store *store, uint32_t slot)
{
    return (slot & store->slot_mask) - 1;
}

static struct user *user_of(const struct store *store, uint32_t slot)
{
    return store_at(store, index_of(store, slot));
}

#define NOBODY UINT32_MAX

/* The index of the user ID of HASH; NOBODY. */
static uint32_t find(const struct store *store, struct seg_text id,
                     uint64_t hash)
{
    if (!store->slots)
        return NOBODY;
    uint32_t tag = tag_of(store, hash), mask = store->slot_mask;
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        uint32_t slot = store->slots[i];
        if (!slot)
            return NOBODY;
        if ((slot & ~mask) == tag &&
            text_equal(user_id(user_of(store, slot)), id))
            return index_of(store, slot);
    }
}

struct user *store_find(const struct store *store, struct seg_text id,
                        uint64_t hash)
{
    uint32_t index = find(store, id, hash);
    return index == NOBODY ? NULL : store_at(store, index);
}

struct user *store_reach(struct store *store, struct seg_text id, uint64_t hash)
{
    uint32_t index = find(store, id, hash);
    return index == NOBODY ? NULL : store_user(store, index);
}

uint32_t store_look_up(const struct store *store, const struct user *user)
{
    struct seg_text id = user_id(user);
    return find(store, id, store_hash(store, id));
}

void store_prefetch(const struct store *store, uint64_t hash)
{
    if (store->slots)
        __builtin_prefetch(&store->slots[(uint32_t)hash & store->slot_mask]);
}

#define CACHE_LINE  64
#define BLOCK_LINES 4 /* Of most blocks all, of large ones the front. */

/* The first slot of the run is the right one nearly always. Its pointer is
 * asked for now, and used when the next user is prefetched: then it is there.
 */
void store_prefetch_user(struct store *store, uint64_t hash)
{
    if (!store->slots)
        return;
    if (store->ahead < store->user_count) {
        const char *block = (const char *)store_at(store, store->ahead);
        for (int i = 0; i < BLOCK_LINES; i++)
            __builtin_prefetch(block + i * CACHE_LINE, 1);
    }
    /* An empty slot: UINT32_MAX, nobody. */
    store->ahead =
        index_of(store, store->slots[(uint32_t)hash & store->slot_mask]);
    if (store->ahead < store->user_count)
        __builtin_prefetch(store->users +
                           (size_t)store->ahead * STORE_ADDRESS_BYTES);
}

/* The slot of USER, who is at INDEX. */
static uint32_t *slot_of(struct store *store, const struct user *user,
                         uint32_t index)
{
    uint64_t hash = store_hash(store, user_id(user));
    uint32_t slot = slot_make(store, hash, index);
    uint32_t i = (uint32_t)hash & store->slot_mask;
    while (store->slots[i] != slot)
        i = (i + 1) & store->slot_mask;
    return &store->slots[i];
}

static void put(struct store *store, uint64_t hash, uint32_t index)
{
    uint32_t i = (uint32_t)hash & store->slot_mask;
    while (store->slots[i])
        i = (i + 1) & store->slot_mask;
    store->slots[i] = slot_make(store, hash, index);
}

static int grow_slots(struct store *store)
{
    uint32_t size = store->slots ? (store->slot_mask + 1) * 2 : SLOTS_MIN;
    if (!size) /* 2^32 slots: seven eighths of 2^31 users are there. */
        return SEG_ERR_LIMIT;
    uint32_t *slots = calloc(size, sizeof(*slots));
    if (!slots)
        return SEG_ERR_NOMEM;
    free(store->slots);
    store->slots = slots;
    store->slot_mask = size - 1;
    for (uint32_t i = 0; i < store->user_count; i++)
        put(store, store_hash(store, user_id(store_at(store, i))), i);
    return 0;
}

/* Of CAP addresses. The last one is read with what follows it. */
static size_t addresses_bytes(uint32_t cap)
{
    return (size_t)cap * STORE_ADDRESS_BYTES + sizeof(uint64_t) -
           STORE_ADDRESS_BYTES;
}

static void set_address(struct store *store, uint32_t index,
                        const struct user *user)
{
    uint64_t n = (uintptr_t)user;
    assert(n >> 8 * STORE_ADDRESS_BYTES == 0);
    n = htole64(n);
    memcpy(store->users + (size_t)index * STORE_ADDRESS_BYTES, &n,
           STORE_ADDRESS_BYTES);
}

static int reserve(struct store *store)
{
    if (store->user_count == store->users_max)
        return SEG_ERR_LIMIT;
    if (store->user_count == store->user_cap) {
        uint32_t cap = store->user_cap + store->user_cap / 16 + 64;
        uint8_t *users = realloc(store->users, addresses_bytes(cap));
        if (!users)
            return SEG_ERR_NOMEM;
        store->users = users;
        store->user_cap = cap;
    }
    if (!store->slots ||
        store->user_count >= store->slot_mask - store->slot_mask / 8)
        return grow_slots(store);
    return 0;
}

int store_add(struct store *store, struct seg_text id, uint64_t hash,
              int64_t base_ms, struct user **ret)
{
    int err = reserve(store);
    if (err < 0)
        return err;
    size_t used = USER_HEAD_BYTES + id.len + 1; /* Of the birth. */
    int class = slab_class(used + 64);
    struct user *user = slab_alloc(&store->slab, class);
    if (!user)
        return SEG_ERR_NOMEM;
    memset(user, 0, used);
    user->used = (uint32_t)used;
    user->class = (uint8_t) class;
    user->front_len = (id.len + 1) & 1023;
    user->base = times_base(base_ms);
    if (id.len)
        memcpy(user->bytes, id.bytes, id.len);
    set_address(store, store->user_count, user);
    put(store, hash, store->user_count);
    *ret = store_user(store, store->user_count++);
    return 0;
}

/* Close the gap at slot I: later members of its run move up if they may. */
static void close_gap(struct store *store, uint32_t i)
{
    uint32_t mask = store->slot_mask;
    for (uint32_t j = (i + 1) & mask; store->slots[j]; j = (j + 1) & mask) {
        uint32_t home = (uint32_t)store_hash(
                            store, user_id(user_of(store, store->slots[j]))) &
                        mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
            store->slots[i] = store->slots[j];
            i = j;
        }
    }
    store->slots[i] = 0;
}

void store_remove(struct store *store, struct user *user, struct user **moved)
{
    uint32_t last = store->user_count - 1, index = store_index(store, user);
    close_gap(store, (uint32_t)(slot_of(store, user, index) - store->slots));
    *moved = index == last ? NULL : store_at(store, last);
    if (*moved) {
        *slot_of(store, *moved, last) -= last - index;
        set_address(store, index, *moved);
    }
    store->known = NULL;
    store->user_count = last;
    release(store, user);
}

/* Move *USER into a block of CLASS, enough for what is used; SETTLED is a flag.
 */
static int move_to(struct store *store, struct user **user, int class,
                   unsigned settled)
{
    struct user *old = *user;
    uint32_t index = store_index(store, old);
    struct user *new =
        slab_alloc(settled ? &store->settled : &store->slab, class);
    if (!new)
        return SEG_ERR_NOMEM;
    memcpy(new, old, old->used);
    new->class = (uint8_t) class;
    new->flags &= ~(unsigned)USER_SETTLED;
    new->flags |= settled;
    set_address(store, index, new);
    *user = store_user(store, index);
    release(store, old);
    return 0;
}

/* Who grows will grow again: room for some events more. */
int store_grow(struct store *store, struct user **user, size_t need)
{
    return move_to(store, user, slab_class(need + need / 8 + 64), 0);
}

void store_fit(struct store *store, struct user **user)
{
    int class = slab_class((*user)->used);
    if (!((*user)->flags & USER_SETTLED) || class < (*user)->class ||
        slab_sparse(&store->settled, *user, class))
        move_to(store, user, class, USER_SETTLED);
}

size_t store_bytes(const struct store *store)
{
    return store->slab.bytes + store->settled.bytes +
           (store->user_cap ? addresses_bytes(store->user_cap) : 0) +
           (store->slots ? (store->slot_mask + 1ul) * sizeof(*store->slots)
                         : 0);
}
