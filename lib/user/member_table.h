/* member_table.h: memberships as arrays, to be changed and written anew; and
 * what reading and writing the item (member.h) have in common. */
#ifndef USER_MEMBER_TABLE_H
#define USER_MEMBER_TABLE_H

#include "lib/user/bits.h"
#include "lib/user/member.h"
#include "lib/user/times.h"

/* ---- the item ------------------------------------------------------------ */

#define MEMBER_LAST_BYTES 0x07u /* In the head. */
#define MEMBER_FORM_SHIFT 3
#define MEMBER_SECONDS    0x80u

enum member_form {
    MEMBER_BITMAP,
    MEMBER_NUMBERS_1,
    MEMBER_NUMBERS_2,
    MEMBER_NUMBERS_4,
    MEMBER_DENSE
};

/* Bytes of a number in FORM; 0: no numbers. */
static inline uint32_t member_width(enum member_form form)
{
    static const uint8_t widths[] = {0, 1, 2, 4, 0};
    return widths[form];
}

/* Number INDEX of a list. */
static inline uint32_t members_number(const struct members *members,
                                      uint32_t index)
{
    return (uint32_t)times_load(members->set + index * members->width,
                                members->width);
}

/* How many indexes there are. */
uint32_t members_ranks(const struct members *members);

/* How many memberships. */
uint32_t members_count(const struct members *members);

/* Instant INDEX. */
int64_t members_instant(const struct members *members, uint32_t index);

/* Bytes of a set of SET_BYTES and an index for each of COUNT memberships since
 * INSTANTS instants. */
static inline uint64_t members_set_bytes(uint64_t members_set_bytes,
                                         uint64_t count, uint32_t instants)
{
    return members_set_bytes + (count * bits_of(instants - 1) + 7) / 8;
}

/* Bytes of an index for each of COUNT segments. */
static inline uint64_t members_dense_bytes(uint64_t count, uint32_t instants)
{
    return (count * bits_of(instants) + 7) / 8;
}

/* ---- the table ----------------------------------------------------------- */

/* All of it, in the store's scratch memory. */
struct member_table {
    uint32_t count, instant_count;
    int64_t *instants;
    uint32_t *segments;
    uint32_t *indexes;
    uint8_t *bytes; /* Room for it as an item. */
};

/* Make room in TABLE for COUNT memberships since so many INSTANTS. Returns 0 or
 * SEG_ERR_NOMEM. */
int member_table_init(struct store *store, size_t count, size_t instants,
                      struct member_table *table);

/* Read the memberships of USER, with room for one more. Returns likewise. */
int member_table_read(struct store *store, const struct user *user,
                      struct member_table *table);

/* Make TABLE, which is not empty, the item of *USER. Returns 0,
 * SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int member_table_write(struct store *store, struct user **user,
                       const struct member_table *table);

#endif
