/* member_table.c: memberships as arrays, to be changed and written anew. */
#include "lib/user/member_table.h"

#include <string.h>

#include <seg/error.h>

#define ITEM_HEAD_MAX 20 /* All that does not grow. */

static void read_set(const struct members *members, uint32_t *segments)
{
    if (members->dense)
        return;
    for (uint32_t i = 0; members->width && i < members->len; i++)
        *segments++ = members_number(members, i);
    for (uint32_t i = 0; !members->width && i < members->len; i++)
        for (uint32_t bits = members->set[i]; bits; bits &= bits - 1)
            *segments++ = i * 8 + (uint32_t)__builtin_ctz(bits);
}

static void read_stream(const struct members *members,
                        struct member_table *table)
{
    struct stream stream = {.at = (uint8_t *)members->bits};
    uint64_t instant = (uint64_t)members_instant(members, 0);
    table->instants[0] = (int64_t)instant;
    for (uint32_t i = 1; i < members->instants; i++) {
        instant +=
            stream_take(&stream, members->difference_bits) * members->unit;
        table->instants[i] = (int64_t)instant;
    }
    uint32_t ranks = members_ranks(members), n = 0;
    for (uint32_t i = 0; i < ranks; i++) {
        uint32_t index = (uint32_t)stream_take(&stream, members->index_bits);
        if (members->dense && !index)
            continue;
        if (members->dense)
            table->segments[n] = i;
        table->indexes[n++] = index - members->dense;
    }
}

int member_table_init(struct store *store, size_t count, size_t instants,
                      struct member_table *table)
{
    size_t size =
        sizeof(*table->instants) + sizeof(uint64_t); /* And written. */
    buf_reset(&store->scratch);
    char *memory =
        buf_reserve(&store->scratch, (instants + count) * size + ITEM_HEAD_MAX);
    if (!memory)
        return SEG_ERR_NOMEM;
    *table = (struct member_table){.instants = (int64_t *)(void *)memory};
    table->segments = (uint32_t *)(table->instants + instants);
    table->indexes = table->segments + count;
    table->bytes = (uint8_t *)(table->indexes + count);
    return 0;
}

int member_table_read(struct store *store, const struct user *user,
                      struct member_table *table)
{
    struct members members = member_read(user);
    uint32_t count = members_count(&members);
    uint32_t instants = members.set ? members.instants : 0;
    int ret = member_table_init(store, count + 1ul, instants + 1ul, table);
    if (ret < 0)
        return ret;
    table->count = count;
    table->instant_count = instants;
    if (members.set) {
        read_set(&members, table->segments);
        read_stream(&members, table);
    }
    return 0;
}

static uint32_t last_segment(const struct member_table *table)
{
    return table->segments[table->count - 1];
}

static uint32_t set_length(const struct member_table *table,
                           enum member_form form)
{
    if (form == MEMBER_DENSE)
        return last_segment(table) + 1;
    return form == MEMBER_BITMAP ? last_segment(table) / 8 + 1 : table->count;
}

/* The set of TABLE in FORM, to AT. Returns its bytes. */
static uint32_t put_set(const struct member_table *table, enum member_form form,
                        uint8_t *at)
{
    uint32_t len = set_length(table, form), width = member_width(form);
    if (form == MEMBER_DENSE)
        return 0;
    if (form != MEMBER_BITMAP) {
        for (uint32_t i = 0; i < len; i++)
            times_store(at + i * width, width, table->segments[i]);
        return len * width;
    }
    memset(at, 0, len);
    for (uint32_t i = 0; i < table->count; i++)
        at[table->segments[i] / 8] |= (uint8_t)(1u << table->segments[i] % 8);
    return len;
}

/* The form in which TABLE is shortest. */
static enum member_form form_of(const struct member_table *table)
{
    uint32_t last = last_segment(table), width = times_width(last);
    uint32_t count = table->count, instants = table->instant_count;
    enum member_form numbers =
        width < MEMBER_NUMBERS_4 ? (enum member_form)width : MEMBER_NUMBERS_4;
    uint64_t list = members_set_bytes((uint64_t)count * member_width(numbers),
                                      count, instants);
    uint64_t bitmap = members_set_bytes(last / 8 + 1, count, instants);
    uint64_t dense = members_dense_bytes(last + 1ul, instants);
    if (dense < list && dense < bitmap)
        return MEMBER_DENSE;
    return bitmap <= list ? MEMBER_BITMAP : numbers;
}

/* Bits of a difference in TABLE, *UNIT its unit. */
static uint32_t difference_bits(const struct member_table *table,
                                uint32_t *unit)
{
    uint64_t most = 0, rest = 0;
    for (uint32_t i = 1; i < table->instant_count; i++) {
        uint64_t difference =
            (uint64_t)table->instants[i] - (uint64_t)table->instants[i - 1];
        most = difference > most ? difference : most;
        rest |= difference % 1000;
    }
    *unit = rest ? 1 : 1000;
    return bits_of(most / *unit);
}

/* Returns where its bytes end. */
static uint8_t *put_stream(const struct member_table *table, uint32_t unit,
                           uint32_t difference_bits, uint32_t dense,
                           uint8_t *bytes)
{
    uint32_t index_bits = bits_of(table->instant_count - 1 + dense), next = 0;

    struct stream stream = {.at = bytes};
    for (uint32_t i = 1; i < table->instant_count; i++) {
        uint64_t difference =
            (uint64_t)table->instants[i] - (uint64_t)table->instants[i - 1];
        stream_put(&stream, difference_bits,
                   unit > 1 ? difference / 1000 : difference);
    }
    for (uint32_t i = 0; i < table->count; i++) {
        for (; dense && next < table->segments[i]; next++)
            stream_put(&stream, index_bits, 0);
        stream_put(&stream, index_bits, table->indexes[i] + dense);
        next++;
    }
    return stream_end(&stream);
}

int member_table_write(struct store *store, struct user **user,
                       const struct member_table *table)
{
    struct item item = user_item(*user, USER_ITEM_MEMBERS);
    enum member_form form = form_of(table);
    uint32_t unit, difference = difference_bits(table, &unit);
    uint64_t beside =
        times_beside(*user, table->instants[table->instant_count - 1]);
    uint32_t last = times_width(beside);
    uint8_t *at = table->bytes;
    *at++ = (uint8_t)((last - 1) | (uint32_t)form << MEMBER_FORM_SHIFT |
                      (unit > 1 ? MEMBER_SECONDS : 0));
    at = put_varint(at, set_length(table, form));
    at = put_varint(at, table->instant_count - 1);
    if (table->instant_count > 1)
        *at++ = (uint8_t)difference;
    at += put_set(table, form, at);
    times_store(at, last, beside);
    at += last;
    at = put_stream(table, unit, difference, form == MEMBER_DENSE, at);
    uint32_t len = (uint32_t)(at - table->bytes);
    int ret = user_resize(store, user, USER_ITEM_MEMBERS, len, &item);
    if (ret == 0)
        memcpy(item.bytes, table->bytes, len);
    return ret;
}
