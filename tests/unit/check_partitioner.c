/* check_partitioner.c: the same partitions as those who produce. */
#include "daemon/protocol/partitioner.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "tests/model/random.h"
#include "tests/support/suite.h"

/* librdkafka's own partitioners are the reference; its murmur2 is tested there
 * against the Java clients. */
START_TEST(partitions_are_those_of_librdkafka)
{
    struct random random = {7};
    char key[64];

    for (int n = 0; n < 20000; n++) {
        size_t len = (size_t)random_below(&random, sizeof(key));
        int count = (int)random_between(&random, 1, 300);
        for (size_t i = 0; i < len; i++)
            key[i] = (char)random_bits(&random);
        int murmur2 =
            partitioner_partition(PARTITIONER_MURMUR2, key, len, count);
        int crc32 = partitioner_partition(PARTITIONER_CRC32, key, len, count);
        ck_assert_int_eq(murmur2, rd_kafka_msg_partitioner_murmur2(
                                      NULL, key, len, count, NULL, NULL));
        ck_assert_int_eq(crc32, rd_kafka_msg_partitioner_consistent(
                                    NULL, key, len, count, NULL, NULL));
    }
}
END_TEST

/* Known values of the Java clients: UtilsTest.testMurmur2, sign bit cleared. */
static const struct {
    const char *key;
    int hash;
} java[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

START_TEST(murmur2_is_that_of_the_java_clients)
{
    int count = 0x7fffffff;
    int want = (java[_i].hash & 0x7fffffff) % count;
    int got = partitioner_partition(PARTITIONER_MURMUR2, java[_i].key,
                                    strlen(java[_i].key), count);

    ck_assert_msg(got == want, "%s: got %d, want %d", java[_i].key, got, want);
}
END_TEST

START_TEST(trust_knows_no_partition)
{
    ck_assert_int_eq(partitioner_partition(PARTITIONER_TRUST, "u", 1, 8), -1);
}
END_TEST

/* Of two inputs. */
static const struct {
    enum conf_partitioner inputs[2];
    enum partitioner common;
} pairs[] = {
    {{CONF_PARTITIONER_MURMUR2, CONF_PARTITIONER_MURMUR2}, PARTITIONER_MURMUR2},
    {{CONF_PARTITIONER_CRC32, CONF_PARTITIONER_CRC32}, PARTITIONER_CRC32},
    {{CONF_PARTITIONER_TRUST, CONF_PARTITIONER_TRUST}, PARTITIONER_TRUST},
    {{CONF_PARTITIONER_MURMUR2, CONF_PARTITIONER_TRUST}, PARTITIONER_TRUST},
    {{CONF_PARTITIONER_TRUST, CONF_PARTITIONER_MURMUR2}, PARTITIONER_TRUST},
    {{CONF_PARTITIONER_CRC32, CONF_PARTITIONER_MURMUR2}, PARTITIONER_TRUST},
};

START_TEST(where_a_user_is_is_known_only_if_all_inputs_agree)
{
    struct conf_input inputs[2];
    struct conf conf = {.inputs = inputs, .input_count = 2};

    memset(inputs, 0, sizeof(inputs));
    for (int i = 0; i < 2; i++)
        inputs[i].partitioner = pairs[_i].inputs[i];
    ck_assert_int_eq(partitioner_common(&conf), pairs[_i].common);
}
END_TEST

SUITE("partitioner", NULL, NULL, TEST(partitions_are_those_of_librdkafka),
      TABLE(murmur2_is_that_of_the_java_clients, java),
      TEST(trust_knows_no_partition),
      TABLE(where_a_user_is_is_known_only_if_all_inputs_agree, pairs))
