/* check_owners.c: which process has a partition, as the group tells it. What a
 * real group says is in tests/process/owner.py. */
#include "daemon/kafka/owners.h"

#include <string.h>

#include "tests/support/suite.h"

/* ---- what a process calls itself ---------------------------------------- */

static const struct {
    const char *id, *address;
} ids[] = {
    {"segmentd-host7-0@10.0.0.7:7070", "10.0.0.7:7070"},
    {"a-b-12@host-7.example_x:80", "host-7.example_x:80"},
    {"a-b-0@[fe80::1]:7070", "[fe80::1]:7070"},
    {"segmentd-host7-0", ""},
    {"rdkafka", ""},
    {"", ""},
    {"a@", ""},
    {"a@host", ""},
    {"a@host:", ""},
    {"a@host:70x", ""},
    /* Nothing but an address comes into a header. */
    {"a@user@host:70", ""},
    {"a@host/path:70", ""},
    {"a@host:70\r\nX: 1", ""},
    {"a@h\xc3\xb6st:70", ""},
};

START_TEST(an_address_is_taken_from_what_a_member_calls_itself)
{
    char address[OWNERS_ADDRESS_BYTES];
    owners_address(address, ids[_i].id);
    ck_assert_str_eq(address, ids[_i].address);
}
END_TEST

START_TEST(an_address_has_a_longest_length)
{
    char id[OWNERS_ADDRESS_BYTES + 8] = "a@", address[OWNERS_ADDRESS_BYTES];
    memset(id + 2, 'h', OWNERS_ADDRESS_BYTES - 1);
    memcpy(id + OWNERS_ADDRESS_BYTES - 1, ":7", 2);
    owners_address(address, id);
    ck_assert_uint_eq(strlen(address), OWNERS_ADDRESS_BYTES - 1);
    id[OWNERS_ADDRESS_BYTES + 1] = '7';
    owners_address(address, id);
    ck_assert_str_eq(address, "");
}
END_TEST

/* ---- what a member has -------------------------------------------------- */

/* Version 0; topic "web": 7; topic "in": 2, 258; no data of the assignor. */
static const char assignment[] = "\0\0"
                                 "\0\0\0\2"
                                 "\0\3web\0\0\0\1\0\0\0\7"
                                 "\0\2in\0\0\0\2\0\0\0\2\0\0\1\2"
                                 "\0\0\0\0";

static const struct {
    const char *topic;
    int partition, has;
} cases[] = {
    {"in", 2, 1},  {"in", 258, 1}, {"in", 7, 0},  {"in", 1, 0},
    {"web", 7, 1}, {"web", 2, 0},  {"inn", 2, 0}, {"", 0, 0},
};

START_TEST(a_partition_is_found_in_what_a_member_has)
{
    ck_assert_int_eq(owners_assigned(assignment, sizeof(assignment) - 1,
                                     cases[_i].topic, cases[_i].partition),
                     cases[_i].has);
}
END_TEST

/* Read by a sanitizer, this is also the proof that nothing behind is read. */
START_TEST(what_is_cut_off_has_nothing_behind_its_end)
{
    size_t whole = sizeof(assignment) - 1;
    for (size_t len = 0; len < whole; len++) {
        char copy[sizeof(assignment)];
        memcpy(copy, assignment, len);
        memset(copy + len, 0x7f, sizeof(copy) - len);
        ck_assert_int_eq(owners_assigned(copy, len, "in", 258),
                         len >= whole - 4);
    }
}
END_TEST

SUITE("owners", NULL, NULL,
      TABLE(an_address_is_taken_from_what_a_member_calls_itself, ids),
      TEST(an_address_has_a_longest_length),
      TABLE(a_partition_is_found_in_what_a_member_has, cases),
      TEST(what_is_cut_off_has_nothing_behind_its_end))
