/* check_verify.c: what segmentctl topics verify says of a topic. */
#include "daemon/ctl/verify.h"

#include <string.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

static const char text[] =
    "input \"in\" { partitioner murmur2  start earliest }\n"
    "kafka { bootstrap.servers = \"b:9092\" }\n"
    "segments [\"x.seg\"]\n"
    "flush_interval 1h\n"
    "dead_letter_bytes 1000B\n";

static struct conf *conf;
static struct verify verify;
static struct topics_info info;

static void setup(void)
{
    struct conf_options options = {.embedded = 0};
    struct buf errors;
    buf_init(&errors);
    ck_assert_msg(
        conf_parse(&conf, "x.conf", text_of(text), &options, &errors) == 0,
        "%s", buf_string(&errors));
    buf_done(&errors);
    verify = (struct verify){.conf = conf, .partitions = 8};
    buf_init(&verify.out);
    info = (struct topics_info){.name = "the.topic",
                                .partitions = 8,
                                .replicas = 3,
                                .cleanup = "delete",
                                .retention_ms = 604800000,
                                .retention_bytes = -1,
                                .message_bytes = 1048588};
}

static void teardown(void)
{
    buf_done(&verify.out);
    conf_free(conf);
}

static void is_said(const char *part)
{
    ck_assert_msg(strstr(buf_string(&verify.out), part) != NULL,
                  "not there: %s\n%s", part, buf_string(&verify.out));
}

START_TEST(a_topic_as_it_must_be_is_one_line)
{
    verify_topic(&verify, VERIFY_CHANGES, &info);
    ck_assert_int_eq(verify.problems, 0);
    ck_assert_str_eq(buf_string(&verify.out),
                     "ok     the.topic: 8 partitions, 3 replicas\n");
}
END_TEST

/* What is wrong with the topic, what is said, and what mends it. */
static const struct {
    enum verify_role role;
    struct topics_info info;
    const char *said, *mended;
} faults[] = {
    {VERIFY_CHANGES,
     {.partitions = 0, .error = "Unknown topic"},
     "Unknown topic",
     "segmentctl topics create --conf x.conf"},
    {VERIFY_INPUT,
     {.partitions = 0, .error = "Unknown topic"},
     "Unknown topic",
     "--create --topic the.topic --partitions 8"},
    {VERIFY_STATE,
     {.partitions = 4, .cleanup = "compact", .message_bytes = 1048588},
     "it has 4 partitions and the first input has 8",
     "--alter --topic the.topic --partitions 8"},
    {VERIFY_STATE,
     {.partitions = 9, .cleanup = "compact", .message_bytes = 1048588},
     "it has 9 partitions",
     "--delete --topic the.topic"},
    {VERIFY_INPUT,
     {.partitions = 1, .cleanup = "delete"},
     "it has 1 partition and",
     "--delete --topic the.topic"},
    {VERIFY_CHANGES,
     {.partitions = 8,
      .leaderless = 2,
      .cleanup = "delete",
      .retention_ms = -1,
      .retention_bytes = -1},
     "2 of 8 partitions have no leader",
     "start the brokers"},
    {VERIFY_TRIGGERS,
     {.partitions = 8,
      .cleanup = "compact,delete",
      .retention_ms = -1,
      .retention_bytes = -1},
     "cleanup.policy=compact,delete, it must be delete",
     "--add-config cleanup.policy=delete"},
    {VERIFY_CHANGES, /* A hundred flush intervals. */
     {.partitions = 8,
      .cleanup = "delete",
      .retention_ms = 359999999,
      .retention_bytes = -1},
     "retention.ms=359999999, it must be at least 360000000",
     "--add-config retention.ms=360000000"},
    {VERIFY_TRAITS,
     {.partitions = 8, .cleanup = "delete"},
     "it must be compact",
     "--add-config cleanup.policy=compact"},
    {VERIFY_STATE,
     {.partitions = 8, .cleanup = "compact,delete", .message_bytes = 1048588},
     "it must be compact",
     "--add-config cleanup.policy=compact"},
    {VERIFY_STATE,
     {.partitions = 8, .cleanup = "compact", .message_bytes = 262144},
     "too little for user_bytes of 262144",
     "--add-config max.message.bytes=266240"},
    {VERIFY_DEAD_LETTERS,
     {.partitions = 8, .cleanup = "delete", .message_bytes = 5095},
     "too little for dead_letter_bytes of 1000",
     "--add-config max.message.bytes=5096"},
    {VERIFY_DEAD_LETTERS,
     {.partitions = 8, .cleanup = "compact", .message_bytes = 5096},
     "it must be delete",
     "kafka-configs.sh --bootstrap-server b:9092 --alter"},
};

START_TEST(what_is_wrong_is_said_with_what_mends_it)
{
    info = faults[_i].info;
    strcpy(info.name, "the.topic");
    verify_topic(&verify, faults[_i].role, &info);
    ck_assert_int_eq(verify.problems, 1);
    is_said("WRONG  the.topic: ");
    is_said(faults[_i].said);
    is_said("       mend it: ");
    is_said(faults[_i].mended);
}
END_TEST

/* Limits from their good side, and what is only unwise. */
static const struct {
    enum verify_role role;
    struct topics_info info;
    const char *said;
} fine[] = {
    {VERIFY_CHANGES,
     {.partitions = 8,
      .cleanup = "delete",
      .retention_ms = 360000000,
      .retention_bytes = -1},
     "ok "},
    {VERIFY_TRIGGERS,
     {.partitions = 8,
      .cleanup = "delete",
      .retention_ms = -1,
      .retention_bytes = 5},
     "note   the.topic: retention.bytes=5"},
    {VERIFY_DEAD_LETTERS,
     {.partitions = 8, .cleanup = "delete", .message_bytes = 5096},
     "ok "},
    {VERIFY_INPUT,
     {.partitions = 8, .cleanup = "compact"},
     "note   the.topic: cleanup.policy=compact"},
    {VERIFY_STATE,
     {.partitions = 8, .error = "not authorized"},
     "note   the.topic: its settings cannot be seen: not authorized"},
};

START_TEST(what_is_fine_or_unwise_is_no_problem)
{
    info = fine[_i].info;
    strcpy(info.name, "the.topic");
    verify_topic(&verify, fine[_i].role, &info);
    ck_assert_int_eq(verify.problems, 0);
    is_said(fine[_i].said);
}
END_TEST

/* The partitioner that is set, what the records say, whether it is a problem.
 */
static const struct {
    int set;
    struct fit fit;
    int problems;
    const char *said;
} fits[] = {
    {CONF_PARTITIONER_MURMUR2,
     {8, 100, 0, 100, 12},
     0,
     "partitioner murmur2 fits: "
     "100 of 100 records"},
    {CONF_PARTITIONER_MURMUR2, {8, 100, 0, 97, 12}, 0, "3 are elsewhere"},
    {CONF_PARTITIONER_MURMUR2,
     {8, 100, 0, 13, 100},
     1,
     "mend it: in x.conf: input \"in\" { partitioner crc32 ... }"},
    {CONF_PARTITIONER_CRC32,
     {8, 100, 0, 100, 12},
     1,
     "partitioner murmur2 ... }"},
    {CONF_PARTITIONER_TRUST, {8, 100, 0, 12, 100}, 0, "strays are not noticed"},
    {CONF_PARTITIONER_TRUST,
     {8, 100, 0, 12, 13},
     1,
     "not keyed by the user id"},
    {CONF_PARTITIONER_CRC32, {8, 5, 5, 0, 0}, 0, "nothing to tell"},
    {CONF_PARTITIONER_CRC32, {1, 5, 0, 5, 5}, 0, "any partitioner fits"},
};

START_TEST(the_partitioner_is_judged_by_the_records)
{
    conf->inputs[0].partitioner = fits[_i].set;
    verify_fit(&verify, &conf->inputs[0], &fits[_i].fit);
    ck_assert_int_eq(verify.problems, fits[_i].problems);
    is_said(fits[_i].said);
}
END_TEST

SUITE("verify", setup, teardown, TEST(a_topic_as_it_must_be_is_one_line),
      TABLE(what_is_wrong_is_said_with_what_mends_it, faults),
      TABLE(what_is_fine_or_unwise_is_no_problem, fine),
      TABLE(the_partitioner_is_judged_by_the_records, fits))
