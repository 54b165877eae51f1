/* client.c: handles of librdkafka, configured.
 *
 * Layers, the later wins: INITIAL rows of the table, kafka { } of the file,
 * DERIVED rows that it does not name, FIXED rows. A property that an older
 * library does not know yet is left out if it is ours and an error if it is the
 * file's. */
#include "daemon/kafka/client.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/kafka/away.h"
#include "daemon/kafka/client_table.h"
#include "daemon/protocol/broker.h"

#define KINDS              4
#define TRANSACTION_MS     10000 /* See transaction_ms. */
#define TRANSACTION_MS_MIN 1000  /* The least librdkafka takes. */

enum rule { INITIAL, DERIVED, FIXED };

static const char COMPUTED[] = "";

static const struct row {
    const char *name;
    const char *values[KINDS]; /* By enum client_kind. */
    enum rule rule;
    const char *hint;
} rows[] = {
#define X(name, member, producer, reader, watcher, rule, hint) \
    {name, {member, producer, reader, watcher}, rule, hint},
    CLIENT_TABLE(X)
#undef X
};

#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

static const struct row *row_find(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* ---- what librdkafka says ---------------------------------------------- */

/* Its levels are syslog's. An error of a connection is nothing somebody must
 * act on: it tries again. */
static enum log_level level_of(int level)
{
    if (level <= 2)
        return LOG_LEVEL_ERROR;
    return level <= 4   ? LOG_LEVEL_WARN
           : level <= 6 ? LOG_LEVEL_INFO
                        : LOG_LEVEL_DEBUG;
}

/* One property for all kinds of handle: some are none of this one's business;
 * and the embedded broker says of itself that it is an old one. */
static int is_noise(const char *facility, const char *text)
{
    return strcmp(facility, "AUTOCREATE") == 0 ||
           (strcmp(facility, "CONFWARN") == 0 &&
            (strstr(text, "is a consumer property") ||
             strstr(text, "is a producer property")));
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    enum log_level ours = level_of(level);
    if (strcmp(facility, "FAIL") == 0)
        away_note(text);
    if (!is_noise(facility, text) && log_enabled(ours))
        log_kind(ours, "kafka", facility, "client=%s facility=%s text=\"%s\"",
                 rk ? rd_kafka_name(rk) : "-", facility, text);
}

/* ---- values ------------------------------------------------------------- */

/* NAME of CONF as a number. */
static int64_t conf_number(const rd_kafka_conf_t *conf, const char *name,
                           int64_t initial)
{
    char text[64];
    size_t size = sizeof(text);
    if (rd_kafka_conf_get(conf, name, text, &size) != RD_KAFKA_CONF_OK)
        return initial;
    return strtoll(text, NULL, 10);
}

/* A crashed owner delays the next one until its transaction has timed out:
 * short, and below the session timeout, so that a process out of the group has
 * no transaction open any more. */
static int64_t transaction_ms(const rd_kafka_conf_t *conf)
{
    int64_t session_ms = conf_number(conf, "session.timeout.ms", 45000);
    int64_t ms = session_ms * 2 / 3;
    if (ms > TRANSACTION_MS)
        ms = TRANSACTION_MS;
    return ms < TRANSACTION_MS_MIN ? TRANSACTION_MS_MIN : ms;
}

/* Name and number of the worker and, behind an @, where its process answers:
 * the group shows it to the others, see owners.h. */
static void compute_id(const struct client *client, const char *process,
                       char *out, size_t size)
{
    const char *address = conf_advertise(client->conf);
    snprintf(out, size, "%s-%s-%d%s%s", client->conf->app, process,
             client->worker, *address ? "@" : "", address);
}

/* The computed value of NAME into the SIZE bytes at OUT; 0 if it has none. */
static int compute(const struct client *client, const rd_kafka_conf_t *conf,
                   const char *name, char *out, size_t size)
{
    const struct conf *ours = client->conf;
    char process[300];
    conf_process(ours, process, sizeof(process));
    if (strcmp(name, "group.id") == 0)
        snprintf(out, size, "%s", conf_group(ours));
    else if (strcmp(name, "transaction.timeout.ms") == 0)
        snprintf(out, size, "%" PRId64, transaction_ms(conf));
    else if (strcmp(name, "socket.timeout.ms") == 0)
        snprintf(out, size, "%" PRId64,
                 conf_number(conf, "transaction.timeout.ms", TRANSACTION_MS));
    else if (strcmp(name, "client.id") == 0)
        compute_id(client, process, out, size);
    else if (strcmp(name, "group.instance.id") != 0)
        snprintf(out, size, "%s-%s-%d", ours->app, process, client->worker);
    else if (ours->instance_id[0])
        snprintf(out, size, "%s-%d", ours->instance_id, client->worker);
    else
        return 0;
    return 1;
}

/* ---- a configuration ----------------------------------------------------- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value,
               char *why)
{
    char text[256] = "";
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, name, value, text, sizeof(text));
    if (result == RD_KAFKA_CONF_OK)
        return 0;
    snprintf(why, CLIENT_WHY_BYTES, "%s", text);
    return result == RD_KAFKA_CONF_UNKNOWN ? SEG_ERR_NOT_FOUND
                                           : SEG_ERR_INVALID;
}

static int is_named(const struct conf *conf, const char *name)
{
    for (int i = 0; i < conf->property_count; i++)
        if (strcmp(conf->properties[i].name, name) == 0)
            return 1;
    return 0;
}

/* Our own rows with RULE. */
static int set_rows(const struct client *client, enum client_kind kind,
                    enum rule rule, rd_kafka_conf_t *conf, char *why)
{
    for (int i = 0; i < ROWS; i++) {
        char computed[1024];
        const char *value = rows[i].values[kind];
        if (!value || rows[i].rule != rule ||
            (rule == DERIVED && is_named(client->conf, rows[i].name)))
            continue;
        if (value == COMPUTED) {
            if (!compute(client, conf, rows[i].name, computed,
                         sizeof(computed)))
                continue;
            value = computed;
        }
        int r = set(conf, rows[i].name, value, why);
        if (r < 0 && r != SEG_ERR_NOT_FOUND)
            return r;
    }
    return 0;
}

static int set_property(rd_kafka_conf_t *conf,
                        const struct conf_property *property, char *why)
{
    const struct row *row = row_find(property->name);
    if (!row || row->rule != FIXED)
        return set(conf, property->name, property->value.value, why);
    snprintf(why, CLIENT_WHY_BYTES, "%s is set by segmentd. %s", property->name,
             row->hint);
    return SEG_ERR_INVALID;
}

/* That NAME of CONF is at most what MOST is, less SLACK_MS. */
static int check_most(const rd_kafka_conf_t *conf, const char *name,
                      const char *most, int64_t slack_ms, char *why)
{
    int64_t ms = conf_number(conf, name, 0);
    int64_t most_ms = conf_number(conf, most, 0) - slack_ms;
    if (ms <= most_ms)
        return 0;
    snprintf(why, CLIENT_WHY_BYTES,
             "%s is %" PRId64 ", it must be at most %" PRId64 " because of %s.",
             name, ms, most_ms, most);
    return SEG_ERR_INVALID;
}

/* What the library checks late, or not at all. */
static int check_timeouts(const rd_kafka_conf_t *conf, char *why)
{
    int r = check_most(conf, "transaction.timeout.ms", "session.timeout.ms", 1,
                       why);
    return r < 0 ? r
                 : check_most(conf, "socket.timeout.ms",
                              "transaction.timeout.ms", 0, why);
}

/* All layers. */
static int set_all(const struct client *client, enum client_kind kind,
                   rd_kafka_conf_t *conf, char *why)
{
    int r = set_rows(client, kind, INITIAL, conf, why);
    for (int i = 0; i < client->conf->property_count && r >= 0; i++)
        r = set_property(conf, &client->conf->properties[i], why);
    if (r >= 0 && client->bootstrap)
        r = set(conf, "bootstrap.servers", client->bootstrap, why);
    if (r >= 0 && client->bootstrap) /* Its waiting fetches are not woken. */
        r = set(conf, "fetch.wait.max.ms", "10", why);
    if (r >= 0)
        r = set_rows(client, kind, DERIVED, conf, why);
    if (r >= 0)
        r = set_rows(client, kind, FIXED, conf, why);
    return r < 0 || kind != CLIENT_PRODUCER ? r : check_timeouts(conf, why);
}

rd_kafka_conf_t *client_conf(const struct client *client, enum client_kind kind,
                             char *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (set_all(client, kind, conf, why) < 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    return conf;
}

rd_kafka_t *client_new(rd_kafka_conf_t *conf, enum client_kind kind, char *why)
{
    rd_kafka_type_t type =
        kind == CLIENT_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, CLIENT_WHY_BYTES);
    if (!rk)
        rd_kafka_conf_destroy(conf);
    else if (kind != CLIENT_PRODUCER)
        rd_kafka_poll_set_consumer(rk);
    return rk;
}

char *client_topic(const struct conf *conf, int topic, char *out)
{
    if (topic < BROKER_OUTPUTS)
        snprintf(out, CLIENT_TOPIC_BYTES, "%s.%s", conf->app,
                 broker_topic_name(topic));
    else
        snprintf(out, CLIENT_TOPIC_BYTES, "%s",
                 conf->inputs[topic - BROKER_OUTPUTS].topic);
    return out;
}

/* ---- checks -------------------------------------------------------------- */

/* Whether connections need files or passwords, which are looked at when a handle
 * is made. */
static int is_secured(const struct conf *conf)
{
    for (int i = 0; i < conf->property_count; i++) {
        const char *name = conf->properties[i].name;
        if (strncmp(name, "ssl.", 4) == 0 || strncmp(name, "sasl.", 5) == 0 ||
            strncmp(name, "security.", 9) == 0)
            return 1;
    }
    return 0;
}

/* Whether a handle can be made. It looks for brokers at once: whether there are
 * any is not the question, and what it says of them is for nobody. */
static int check_handle(const struct client *client, char *why)
{
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_PRODUCER, why);
    if (conf && !is_secured(client->conf)) {
        rd_kafka_conf_destroy(conf);
        return 0;
    }
    if (conf)
        rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *rk = conf ? client_new(conf, CLIENT_PRODUCER, why) : NULL;
    if (!rk)
        return SEG_ERR_INVALID;
    rd_kafka_destroy(rk);
    return 0;
}

static void complain(const struct client *client, struct buf *errors,
                     const char *why)
{
    buf_printf(errors, "%s: error: kafka: %s\n", client->conf->path, why);
}

int client_check(const struct client *client, struct buf *errors)
{
    char why[CLIENT_WHY_BYTES];
    int wrong = 0;
    rd_kafka_conf_t *scratch = rd_kafka_conf_new();
    for (int i = 0; i < client->conf->property_count; i++)
        if (set_property(scratch, &client->conf->properties[i], why) < 0) {
            complain(client, errors, why);
            wrong++;
        }
    rd_kafka_conf_destroy(scratch);
    if (!wrong && check_handle(client, why) < 0) {
        complain(client, errors, why);
        wrong++;
    }
    return wrong ? SEG_ERR_SYNTAX : 0;
}
