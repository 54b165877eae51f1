/* member.c: the segments a user is in, and since when.
 *
 * A membership since the last instant, or since a new one not before it, is put
 * in place if all member_widths stay; so is one taken out whose instant others share.
 * Otherwise all of it is read into arrays, changed there and written anew. */
#include "lib/user/member_table.h"

#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

/* ---- reading ------------------------------------------------------------ */

static struct members members_of(const struct user *user,
                                 const struct item *item)
{
    struct members members = {.set = NULL};
    if (!item->bytes)
        return members;
    const uint8_t *at = item->bytes;
    uint32_t head = *at++, form = head >> MEMBER_FORM_SHIFT & 7;
    members.dense = form == MEMBER_DENSE;
    members.unit = head & MEMBER_SECONDS ? 1000 : 1;
    members.width = member_width(form);
    members.len = get_varint(&at);
    members.instants = get_varint(&at) + 1;
    members.index_bits = bits_of(members.instants - 1 + members.dense);
    members.last_bytes = (head & MEMBER_LAST_BYTES) + 1;
    members.difference_bits = members.instants > 1 ? *at++ : 0;
    members.set = at;
    if (!members.dense)
        at += members.len * (form ? members.width : 1);
    members.last_ms = times_from(user, times_load(at, members.last_bytes));
    members.bits = at + members.last_bytes;
    return members;
}

struct members member_read(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_MEMBERS);
    return members_of(user, &item);
}

/* Index of the first number of a list that is SEGMENT or more. */
static uint32_t lower_bound(const struct members *members, uint32_t segment)
{
    uint32_t low = 0, high = members->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (members_number(members, middle) < segment)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where the indexes begin, a bit. */
static uint32_t index_start(const struct members *members)
{
    return (members->instants - 1) * members->difference_bits;
}

/* Which instant the membership at RANK is since; UINT32_MAX: none is there. */
static uint32_t index_at(const struct members *members, uint32_t rank)
{
    return (uint32_t)get_bits(members->bits,
                              index_start(members) + rank * members->index_bits,
                              members->index_bits) -
           members->dense;
}

int member_in(const struct members *members, uint32_t segment)
{
    if (members->dense)
        return segment < members->len &&
               index_at(members, segment) != UINT32_MAX;
    if (!members->width)
        return segment / 8 < members->len &&
               (members->set[segment / 8] >> segment % 8 & 1);
    uint32_t i = lower_bound(members, segment);
    return i < members->len && members_number(members, i) == segment;
}

/* How many indexes are of segments before SEGMENT. */
static uint32_t rank_of(const struct members *members, uint32_t segment)
{
    uint32_t rank = 0, full = segment / 8;
    if (members->dense)
        return segment < members->len ? segment : members->len;
    if (members->width)
        return lower_bound(members, segment);
    for (uint32_t i = 0; i < full && i < members->len; i++)
        rank += (uint32_t)__builtin_popcount(members->set[i]);
    if (full < members->len)
        rank += (uint32_t)__builtin_popcount(members->set[full] &
                                             ((1u << segment % 8) - 1));
    return rank;
}

uint32_t members_ranks(const struct members *members)
{
    return rank_of(members, UINT32_MAX);
}

uint32_t members_count(const struct members *members)
{
    uint32_t ranks = members_ranks(members), count = 0;
    if (!members->dense)
        return ranks;
    for (uint32_t i = 0; i < ranks; i++)
        count += index_at(members, i) != UINT32_MAX;
    return count;
}

/* From instant INDEX - 1 to instant INDEX. */
static uint64_t difference_at(const struct members *members, uint32_t index)
{
    uint32_t bits = members->difference_bits;
    return get_bits(members->bits, (index - 1) * bits, bits) * members->unit;
}

int64_t members_instant(const struct members *members, uint32_t index)
{
    uint64_t instant = (uint64_t)members->last_ms;
    for (uint32_t i = members->instants; --i > index;)
        instant -= difference_at(members, i);
    return (int64_t)instant;
}

int member_find(const struct user *user, uint32_t segment, int64_t *entered_ms)
{
    struct members members = member_read(user);
    if (!member_in(&members, segment))
        return 0;
    if (entered_ms)
        *entered_ms = members_instant(
            &members, index_at(&members, rank_of(&members, segment)));
    return 1;
}

uint32_t member_count(const struct user *user)
{
    struct members members = member_read(user);
    return members_count(&members);
}

/* ---- walking ------------------------------------------------------------ */

void member_walk_start(const struct user *user, struct member_walk *walk)
{
    walk->members = member_read(user);
    walk->place = walk->rank = 0;
    walk->known = 1;
    walk->known_ms[0] =
        walk->members.set ? members_instant(&walk->members, 0) : 0;
}

/* The segment at the next place; 0 at the end. */
static int walk_set(struct member_walk *walk, uint32_t *segment)
{
    const struct members *members = &walk->members;
    if (members->dense) {
        while (walk->rank < members->len &&
               index_at(members, walk->rank) == UINT32_MAX)
            walk->rank++;
        *segment = walk->rank;
        return walk->rank < members->len;
    }
    if (members->width) {
        *segment = walk->place < members->len
                       ? members_number(members, walk->place)
                       : 0;
        return walk->place++ < members->len;
    }
    uint32_t byte = walk->place / 8;
    uint32_t rest =
        byte < members->len ? members->set[byte] >> walk->place % 8 : 0;
    if (!rest) {
        do
            byte++;
        while (byte < members->len && !members->set[byte]);
        walk->place = byte * 8;
        rest = byte < members->len ? members->set[byte] : 0;
    }
    if (!rest)
        return 0;
    *segment = walk->place + (uint32_t)__builtin_ctz(rest);
    walk->place = *segment + 1;
    return 1;
}

static int64_t walk_instant(struct member_walk *walk, uint32_t index)
{
    for (; walk->known <= index && walk->known < MEMBER_WALK_KNOWN;
         walk->known++)
        walk->known_ms[walk->known] =
            (int64_t)((uint64_t)walk->known_ms[walk->known - 1] +
                      difference_at(&walk->members, walk->known));
    return index < walk->known ? walk->known_ms[index]
                               : members_instant(&walk->members, index);
}

int member_walk_next(struct member_walk *walk, uint32_t *segment,
                     int64_t *entered_ms)
{
    if (!walk_set(walk, segment))
        return 0;
    *entered_ms = walk_instant(walk, index_at(&walk->members, walk->rank++));
    return 1;
}

/* ---- changing ------------------------------------------------------------ */

/* The index of INSTANT_MS in TABLE, put there if it is new. */
static uint32_t intern_instant(struct member_table *table, int64_t instant_ms)
{
    uint32_t at = table->instant_count;
    while (at && table->instants[at - 1] > instant_ms)
        at--;
    if (at && table->instants[at - 1] == instant_ms)
        return at - 1;
    memmove(table->instants + at + 1, table->instants + at,
            (table->instant_count++ - at) * sizeof(*table->instants));
    table->instants[at] = instant_ms;
    for (uint32_t i = 0; i < table->count && at + 1 < table->instant_count; i++)
        table->indexes[i] += table->indexes[i] >= at;
    return at;
}

/* Forget the instant at INDEX if no membership is since then. */
static void drop_instant(struct member_table *table, uint32_t index)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->indexes[i] == index)
            return;
    memmove(table->instants + index, table->instants + index + 1,
            (--table->instant_count - index) * sizeof(*table->instants));
    for (uint32_t i = 0; i < table->count; i++)
        table->indexes[i] -= table->indexes[i] > index;
}

static int add_anew(struct store *store, struct user **user, uint32_t segment,
                    int64_t entered_ms)
{
    struct member_table table;
    int ret = member_table_read(store, *user, &table);
    if (ret < 0)
        return ret;
    uint32_t index = intern_instant(&table, entered_ms), at = table.count;
    for (; at && table.segments[at - 1] > segment; at--) {
        table.segments[at] = table.segments[at - 1];
        table.indexes[at] = table.indexes[at - 1];
    }
    table.segments[at] = segment;
    table.indexes[at] = index;
    table.count++;
    return member_table_write(store, user, &table);
}

static int remove_anew(struct store *store, struct user **user,
                       uint32_t segment)
{
    struct item item = user_item(*user, USER_ITEM_MEMBERS);
    struct member_table table;
    int ret = member_table_read(store, *user, &table);
    if (ret < 0)
        return ret;
    uint32_t at = 0;
    while (table.segments[at] < segment)
        at++;
    uint32_t index = table.indexes[at];
    for (table.count--; at < table.count; at++) {
        table.segments[at] = table.segments[at + 1];
        table.indexes[at] = table.indexes[at + 1];
    }
    if (!table.count)
        return user_resize(store, user, USER_ITEM_MEMBERS, 0, &item);
    drop_instant(&table, index);
    return member_table_write(store, user, &table);
}

static int by_instant(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of an ascending row of COUNT instants each once; returns how many are left.
 */
static uint32_t each_once(int64_t *instants, uint32_t count)
{
    uint32_t kept = 1;
    for (uint32_t i = 1; i < count; i++)
        if (instants[i] != instants[kept - 1])
            instants[kept++] = instants[i];
    return kept;
}

/* By segment, those equal in the order they came: a record has them sorted,
 * unless the catalogue has changed. Returns how many are left with each segment
 * once. */
static uint32_t sort_by_segment(struct membership *all, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct membership next = all[i];
        uint32_t at = kept;
        while (at && all[at - 1].segment > next.segment)
            at--;
        if (at && all[at - 1].segment == next.segment)
            continue;
        memmove(all + at + 1, all + at, (kept++ - at) * sizeof(*all));
        all[at] = next;
    }
    return kept;
}

int member_fill(struct store *store, struct user **user, struct membership *all,
                uint32_t count)
{
    struct member_table table;
    count = sort_by_segment(all, count);
    if (!count)
        return 0;
    int ret = member_table_init(store, count, count, &table);
    if (ret < 0)
        return ret;
    for (uint32_t i = 0; i < count; i++)
        table.instants[i] = all[i].entered_ms;
    qsort(table.instants, count, sizeof(*table.instants), by_instant);
    table.instant_count = each_once(table.instants, count);
    table.count = count;
    for (uint32_t i = 0; i < count; i++) {
        const int64_t *at =
            bsearch(&all[i].entered_ms, table.instants, table.instant_count,
                    sizeof(*table.instants), by_instant);
        table.segments[i] = all[i].segment;
        table.indexes[i] = (uint32_t)(at - table.instants);
    }
    return member_table_write(store, user, &table);
}

/* ---- changing in place -------------------------------------------------- */

/* Whether ENTERED_MS can be the instant after the last one of MEMBERS without
 * anything becoming wider; *DIFFERENCE is what it adds. */
static int fits_behind(const struct user *user, const struct members *members,
                       int64_t entered_ms, uint64_t *difference)
{
    uint64_t apart = (uint64_t)entered_ms - (uint64_t)members->last_ms;
    *difference = members->unit > 1 ? apart / 1000 : apart;
    return *difference * members->unit == apart &&
           members->difference_bits <= MOVED_BITS &&
           bits_of(*difference) <= members->difference_bits &&
           bits_of(members->instants + members->dense) <= members->index_bits &&
           varint_len(members->instants - 1) == varint_len(members->instants) &&
           times_width(times_beside(user, entered_ms)) == members->last_bytes;
}

/* Whether SEGMENT has a place in the set as it is, and it is to stay so. */
static int has_place(const struct members *members, uint32_t segment)
{
    if (members->dense)
        return segment < members->len;
    if (members->width || segment / 8 >= members->len)
        return 0;
    uint32_t count = members_count(members) + 1;
    return members_set_bytes(members->len, count, members->instants) <=
           members_dense_bytes(members->len * 8ul, members->instants);
}

/* Put the membership in place. Returns 1 if that cannot be. */
static int add_in_place(struct store *store, struct user **user,
                        uint32_t segment, int64_t entered_ms)
{
    struct item item = user_item(*user, USER_ITEM_MEMBERS);
    struct members members = members_of(*user, &item);
    uint64_t difference = 0;
    int is_new = members.set && entered_ms > members.last_ms;
    if (!has_place(&members, segment) || entered_ms < members.last_ms ||
        (is_new && !fits_behind(*user, &members, entered_ms, &difference)))
        return 1;
    uint32_t set_at = (uint32_t)(members.set - item.bytes),
             w = members.index_bits, wider = members.dense ? 0 : w;
    uint32_t bits_at = (uint32_t)(members.bits - item.bytes);
    uint32_t start = index_start(&members);
    uint32_t place = start + rank_of(&members, segment) * w;
    uint32_t end = start + members_ranks(&members) * w;
    uint32_t more = is_new ? members.difference_bits : 0;
    int ret = user_resize(store, user, USER_ITEM_MEMBERS,
                          bits_at + (end + more + wider + 7) / 8, &item);
    if (ret < 0)
        return ret;
    uint8_t *bits = item.bytes + bits_at;
    if (!members.dense)
        item.bytes[set_at + segment / 8] |= (uint8_t)(1u << segment % 8);
    move_bits(bits, place, place + more + wider, end - place);
    if (is_new) {
        move_bits(bits, start, start + more, place - start);
        set_bits(bits, start, more, difference);
        put_varint(item.bytes + set_at - 1 - varint_len(members.instants),
                   members.instants);
        times_store(bits - members.last_bytes, members.last_bytes,
                    times_beside(*user, entered_ms));
    }
    if (w)
        set_bits(bits, place + more, w,
                 members.instants - 1u + (uint32_t)is_new + members.dense);
    return 0;
}

/* Whether another membership than that at RANK is since the same instant. */
static int is_shared(const struct members *members, uint32_t rank)
{
    uint32_t index = index_at(members, rank), ranks = members_ranks(members);
    for (uint32_t i = 0; i < ranks; i++)
        if (i != rank && index_at(members, i) == index)
            return 1;
    return 0;
}

/* Take the membership out in place. Returns 1 if that cannot be. */
static int remove_in_place(struct store *store, struct user **user,
                           uint32_t segment)
{
    struct item item = user_item(*user, USER_ITEM_MEMBERS);
    struct members members = members_of(*user, &item);
    uint32_t byte = segment / 8, w = members.index_bits;
    uint32_t rank = rank_of(&members, segment);
    uint32_t bits_at = (uint32_t)(members.bits - item.bytes);
    uint32_t place = index_start(&members) + rank * w;
    if (members.width || !is_shared(&members, rank))
        return 1;
    if (members.dense) {
        if (segment + 1 == members.len)
            return 1;
        set_bits(item.bytes + bits_at, place, w, 0);
        return 0;
    }
    if (byte + 1 == members.len && members.set[byte] == 1u << segment % 8)
        return 1;
    uint32_t end = index_start(&members) + members_ranks(&members) * w;
    item.bytes[members.set - item.bytes + byte] &=
        (uint8_t) ~(1u << segment % 8);
    move_bits(item.bytes + bits_at, place + w, place, end - place - w);
    return user_resize(store, user, USER_ITEM_MEMBERS,
                       bits_at + (end - w + 7) / 8, &item);
}

int member_add(struct store *store, struct user **user, uint32_t segment,
               int64_t entered_ms)
{
    int ret = add_in_place(store, user, segment, entered_ms);
    return ret == 1 ? add_anew(store, user, segment, entered_ms) : ret;
}

int member_remove(struct store *store, struct user **user, uint32_t segment)
{
    int ret = remove_in_place(store, user, segment);
    return ret == 1 ? remove_anew(store, user, segment) : ret;
}
