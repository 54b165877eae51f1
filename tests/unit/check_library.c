/* check_library.c: what is known of versions of librdkafka, and what its last
 * word about connections becomes. */
#include "daemon/kafka/library.h"

#include <string.h>

#include <librdkafka/rdkafka.h>

#include "daemon/base/clock.h"
#include "daemon/kafka/away.h"
#include "daemon/kafka/client.h"
#include "tests/support/suite.h"

#define BIT(name) (1u << LIBRARY_FAULT_##name)

static const struct {
    int version;
    const char *mechanism;
    unsigned faults;
} versions[] = {
    {LIBRARY_VERSION(2, 0, 2), "", BIT(SLOW_COMMIT)},
    {LIBRARY_VERSION(2, 0, 2), "PLAIN", BIT(SLOW_COMMIT)},
    {LIBRARY_VERSION(2, 0, 2), "SCRAM-SHA-512", BIT(SLOW_COMMIT) | BIT(SCRAM)},
    {LIBRARY_VERSION(2, 3, 0), "", BIT(SLOW_COMMIT)},
    {LIBRARY_VERSION(2, 4, 0), "", 0},
    {LIBRARY_VERSION(2, 4, 0), "SCRAM-SHA-256", BIT(SCRAM)},
    {LIBRARY_VERSION(2, 5, 0), "", BIT(TELEMETRY)},
    {LIBRARY_VERSION(2, 5, 3), "", 0},
    {LIBRARY_VERSION(2, 6, 0), "SCRAM-SHA-512", BIT(SCRAM)},
    {LIBRARY_VERSION(2, 6, 1), "SCRAM-SHA-512", 0},
    {LIBRARY_VERSION(2, 10, 0), "SCRAM-SHA-512", BIT(BOOTSTRAP)},
    {LIBRARY_VERSION(2, 10, 1), "", 0},
    {LIBRARY_VERSION(2, 16, 0), "SCRAM-SHA-512", 0},
    {LIBRARY_VERSION(3, 0, 0), "SCRAM-SHA-512", 0},
};

START_TEST(each_version_has_its_faults)
{
    unsigned got = library_faults(versions[_i].version, versions[_i].mechanism);
    ck_assert_msg(got == versions[_i].faults, "row %d: got %#x, want %#x", _i,
                  got, versions[_i].faults);
}
END_TEST

START_TEST(a_fault_has_an_order_of_versions_and_a_sentence)
{
    const struct library_fault *fault = library_fault(_i);
    ck_assert_int_le(fault->first, fault->last);
    ck_assert_msg(!strncmp(fault->text, "librdkafka ", 11), "%s", fault->text);
    ck_assert_msg(!strchr(fault->text, '%'), "%s", fault->text);
    ck_assert_int_ne(fault->text[strlen(fault->text) - 1], '.');
}
END_TEST

/* ---- the log ------------------------------------------------------------- */

static int version_lines, fault_lines;

static void count_line(void *arg, const char *line)
{
    (void)arg;
    version_lines += strstr(line, "librdkafka version=") != NULL;
    for (int i = 0; i < LIBRARY_FAULTS; i++)
        fault_lines += strstr(line, library_fault(i)->text) != NULL;
}

START_TEST(the_version_in_use_and_its_faults_are_logged)
{
    struct conf_property property = {"sasl.mechanism",
                                     {.value = "SCRAM-SHA-512"}};
    struct conf conf = {.property_count = 1, .properties = &property};
    int version = rd_kafka_version() >> 8;
    version_lines = fault_lines = 0;
    log_capture(count_line, NULL);
    library_log(&conf);
    log_capture(NULL, NULL);
    ck_assert_int_eq(version_lines, 1);
    ck_assert_int_eq(fault_lines, __builtin_popcount(library_faults(
                                      version, "SCRAM-SHA-512")));
}
END_TEST

/* ---- why brokers do not answer ------------------------------------------- */

#define BROKER \
    "[thrd:sasl_ssl://h:9092/bootstrap]: sasl_ssl://h:9092/bootstrap: "

static const struct {
    const char *noted;
    int err;
    const char *said;
} reasons[] = {
    {BROKER "Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms "
            "in state CONNECT)",
     RD_KAFKA_RESP_ERR__TRANSPORT,
     "Away: Connect to ipv4#127.0.0.1:1 failed: Connection refused."},
    {BROKER "SSL handshake failed: (after all) no (after 3ms in state "
            "SSL_HANDSHAKE, 1 identical error(s) suppressed)",
     RD_KAFKA_RESP_ERR__TIMED_OUT,
     "Away: SSL handshake failed: (after all) no."},
    {"something else", RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
     "Away: something else."},
    {BROKER "x (after 1ms in state UP)", RD_KAFKA_RESP_ERR_UNKNOWN,
     "Away: the text."},
    {"", RD_KAFKA_RESP_ERR__TRANSPORT, "Away: the text."},
};

START_TEST(brokers_are_away_for_the_last_reason_a_connection_failed)
{
    char why[CLIENT_WHY_BYTES];
    away_note(reasons[_i].noted);
    away_say(why, "Away", reasons[_i].err, "the text");
    ck_assert_str_eq(why, reasons[_i].said);
}
END_TEST

START_TEST(who_is_not_let_in_by_scram_is_told_of_the_library)
{
    char why[CLIENT_WHY_BYTES];
    int faulty = rd_kafka_version() >> 8 < LIBRARY_VERSION(2, 6, 1);
    away_note("no SCRAM-SHA-512 for you (after 1ms)");
    away_say(why, "Away", RD_KAFKA_RESP_ERR__TRANSPORT, "");
    ck_assert_int_eq(strstr(why, "2.6.1") != NULL, faulty);
}
END_TEST

START_TEST(a_reason_that_is_long_is_cut)
{
    char why[CLIENT_WHY_BYTES], text[2 * CLIENT_WHY_BYTES];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    away_note(text);
    away_say(why, "Away", RD_KAFKA_RESP_ERR__TRANSPORT, "");
    ck_assert_uint_lt(strlen(why), sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "Away: xxx"));
}
END_TEST

static void setup(void)
{
    clock_open();
}

SUITE("library", setup, NULL, TABLE(each_version_has_its_faults, versions),
      TIMES(a_fault_has_an_order_of_versions_and_a_sentence, LIBRARY_FAULTS),
      TEST(the_version_in_use_and_its_faults_are_logged),
      TABLE(brokers_are_away_for_the_last_reason_a_connection_failed, reasons),
      TEST(who_is_not_let_in_by_scram_is_told_of_the_library),
      TEST(a_reason_that_is_long_is_cut))
