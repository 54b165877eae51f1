/* attribute.h: what was last written on a user and on his account.
 *
 * Last writer wins in the order of events (time, topic, offset): each attribute
 * keeps the stamp of the write that holds, and a null keeps a stamped absence,
 * so that writes commute. The *account* is the group id of the last group
 * message in that order; an attribute of an account is visible only while its
 * owner, the group it was written for, is the account.
 *
 * Attributes that the catalogue reads have an item each. All others that are
 * scalar are *spare*: kept by name in one item, up to attribute_bytes, for a
 * catalogue that reads them one day. */
#ifndef USER_ATTRIBUTE_H
#define USER_ATTRIBUTE_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/arena.h"
#include "lib/user/user.h"

#define ATTRIBUTE_NO_OWNER 0 /* Of a user's own attribute. */

struct write {
    int64_t time_ms;
    uint64_t stamp; /* fold_stamp */
    uint64_t owner; /* attribute_owner of the group, or ATTRIBUTE_NO_OWNER. */
    struct seg_value value; /* SEG_MISSING: removed. */
};

/* The number under which a group owns attributes. */
uint64_t attribute_owner(struct seg_text group_id);

/* Write attribute ITEM_ID unless a later write holds. Returns 1 if it was
 * written, 0 if not, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int attribute_write(struct store *store, struct user **user, uint32_t item_id,
                    const struct write *write);

/* The visible value of attribute ITEM_ID; SEG_MISSING if there is none. Text
 * borrows from the block, items of a list are put in ARENA. */
int attribute_read(const struct user *user, uint32_t item_id,
                   struct arena *arena, struct seg_value *value);

/* The write that holds, visible or not. Returns 0 if there was none. */
int attribute_last(const struct user *user, uint32_t item_id,
                   struct arena *arena, struct write *write);

/* The group message of WRITE (value: the group id) makes it the account, unless
 * a later one holds. Returns as attribute_write. */
int account_write(struct store *store, struct user **user,
                  const struct write *write);

/* The account's id; bytes = NULL: none. */
struct seg_text account_id(const struct user *user);

/* The write behind it. Returns 0 if there is none. */
int account_last(const struct user *user, struct write *write);

/* ---- spare attributes -------------------------------------------------- */

struct spare {
    int account; /* 1: of the account; or SPARE_LOST. */
    struct seg_text name;
    struct write write;
};

#define SPARE_LOST \
    2 /* Not an attribute: some write was too large to be kept even \
         as a mark that there was one. Without a name. */

/* What is kept of VALUE as a spare attribute: a scalar, else only that it is
 * set (SEG_OBJECT), so that the scalar it replaced does not stay. */
struct seg_value spare_value(struct seg_value value);

#define SPARE_DROPPED 2

/* Write a spare attribute. Returns 1, 0, SPARE_DROPPED if it does not fit into
 * LIMIT_BYTES, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int spare_write(struct store *store, struct user **user,
                const struct spare *spare, uint32_t limit_bytes);

/* The spare attribute at word *AT (start with 0), *AT moves on. Returns 0 at
 * the end. Texts borrow from the block. */
int spare_next(const struct user *user, uint32_t *at, struct spare *spare);

/* Whether a spare attribute is set and visible for USER. */
int spare_visible(const struct user *user, const struct spare *spare);

#endif
