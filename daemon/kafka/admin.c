/* admin.c: topics: do they exist, do they fit together, are they set as we
 * need.
 *
 * A check goes in two steps. The numbers of partitions first: a topic that is
 * missing, or differs, ends it. Then the settings, all topics in one question;
 * who may not see settings is warned and believed. */
#include "daemon/kafka/admin.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/kafka/away.h"
#include "daemon/protocol/broker.h"

#define DAY_MS       INT64_C(86400000)
#define FLUSHES_KEPT 100   /* Flush intervals that outputs must be kept. */
#define KEPT_MIN_MS  60000 /* A shorter retention is taken for this. */
#define TOPICS_MAX   (BROKER_OUTPUTS + CONF_INPUTS_MAX)
#define CREATE_MS    30000
#define VERIFY       "`segmentctl topics verify` has the command."
#define REACH_MS     10000 /* For the first answer of a broker. */
#define AWAIT_US     20000 /* Between two looks for a topic just made. */

/* Our topics, as admin_create makes them; by enum broker_topic. */
static const struct output {
    const char *cleanup;
    const char *retention_ms; /* NULL: as the broker has it. */
} outputs[] = {
    [BROKER_CHANGES] = {"delete", "604800000"},
    [BROKER_TRIGGERS] = {"delete", "604800000"},
    [BROKER_STATE] = {"compact", NULL},
    [BROKER_DEAD_LETTERS] = {"delete", NULL},
    [BROKER_TRAITS] = {"compact", NULL},
};

static void say(struct admin_check *check, int verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct admin_check *check, int verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(check->reason, sizeof(check->reason), format, args);
    va_end(args);
    check->verdict = verdict;
}

/* ---- numbers of partitions ----------------------------------------------- */

/* Partitions of TOPIC; 0 with *ERR if it has none that we can see. *REPLICAS,
 * if not NULL, becomes the number of replicas if that is less. */
static int partitions_of(rd_kafka_t *rk, const char *topic, int timeout_ms,
                         rd_kafka_resp_err_t *err, int *replicas)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    int n = 0;
    *err = RD_KAFKA_RESP_ERR__INVALID_ARG;
    if (!rkt)
        return 0;
    *err = rd_kafka_metadata(rk, 0, rkt, &metadata, timeout_ms);
    rd_kafka_topic_destroy(rkt);
    if (*err)
        return 0;
    *err = RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (metadata->topic_cnt == 1) {
        const rd_kafka_metadata_topic_t *found = &metadata->topics[0];
        *err = found->err;
        n = *err ? 0 : found->partition_cnt;
        if (n && replicas && found->partitions[0].replica_cnt < *replicas)
            *replicas = found->partitions[0].replica_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return n;
}

static int is_missing(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}

static void say_away(struct admin_check *check, int err, const char *text)
{
    char why[CLIENT_WHY_BYTES];
    away_say(why, "The brokers do not answer", err, text);
    say(check, ADMIN_AWAY, "%s", why);
}

static void say_absent(struct admin_check *check, const struct conf *conf,
                       int topic, const char *name, rd_kafka_resp_err_t err)
{
    if (!is_missing(err))
        say_away(check, err, rd_kafka_err2str(err));
    else if (topic < BROKER_OUTPUTS)
        say(check, ADMIN_MISSING,
            "Topic %s: %s. Create it with `segmentctl topics create --conf "
            "%s`.",
            name, rd_kafka_err2str(err), conf->path);
    else
        say(check, ADMIN_MISSING, "Input topic %s: %s.", name,
            rd_kafka_err2str(err));
}

/* TOPIC has COUNT partitions, other than the input FIRST. */
static void say_differs(struct admin_check *check, const struct conf *conf,
                        int topic, int count, const char *first)
{
    char name[CLIENT_TOPIC_BYTES], mend[300] = "create it anew";
    client_topic(conf, topic, name);
    if (topic < BROKER_OUTPUTS)
        snprintf(mend, sizeof(mend),
                 "delete %s, `segmentctl topics create --partitions %d`%s",
                 topic == BROKER_STATE ? "it" : "it (what it holds is lost)",
                 check->partition_count,
                 topic == BROKER_STATE ? ", `segmentctl reset --rebuild --yes`"
                 : topic == BROKER_DEAD_LETTERS
                     ? ""
                     : ", `segmentctl reset --accept-loss --yes`");
    say(check, ADMIN_DIFFER,
        "Topic %s has %d partitions and %s has %d: partition p of all of them "
        "belongs together. Stop segmentd, %s.",
        name, count, first, check->partition_count, mend);
}

/* Every topic has as many partitions as the first input. */
static void check_counts(rd_kafka_t *rk, const struct conf *conf,
                         int timeout_ms, struct admin_check *check)
{
    char first[CLIENT_TOPIC_BYTES] = "", name[CLIENT_TOPIC_BYTES];
    int topics = BROKER_OUTPUTS + conf->input_count;
    rd_kafka_resp_err_t err;
    for (int i = 0; i < topics && check->verdict == ADMIN_OK; i++) {
        int topic = (BROKER_OUTPUTS + i) % topics; /* Inputs first. */
        client_topic(conf, topic, name);
        int n = partitions_of(rk, name, timeout_ms, &err, NULL);
        if (!n && topic == BROKER_TRAITS && is_missing(err)) {
            check->traits_missing = 1;
        } else if (!n) {
            say_absent(check, conf, topic, name, err);
        } else if (!first[0]) {
            snprintf(first, sizeof(first), "%s", name);
            check->partition_count = n;
        } else if (n != check->partition_count) {
            say_differs(check, conf, topic, n, first);
        }
    }
}

/* ---- settings ------------------------------------------------------------ */

static const char *setting(const rd_kafka_ConfigResource_t *resource,
                           const char *name)
{
    size_t n;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resource, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0) {
            const char *value = rd_kafka_ConfigEntry_value(entries[i]);
            return value ? value : "";
        }
    return "";
}

/* A topic that is read again by restores: kept long enough? */
static void check_kept(const struct conf *conf, const char *name,
                       const rd_kafka_ConfigResource_t *resource,
                       struct admin_check *check)
{
    const char *cleanup = setting(resource, "cleanup.policy");
    int64_t ms = strtoll(setting(resource, "retention.ms"), NULL, 10);
    int64_t least_ms = FLUSHES_KEPT * conf->flush_interval_ms;
    if (least_ms < DAY_MS)
        least_ms = DAY_MS;
    if (strcmp(cleanup, "delete") != 0)
        say(check, ADMIN_CONFIG,
            "Topic %s has cleanup.policy=%s, it must be delete: a restore "
            "reads "
            "every record of the last while. " VERIFY,
            name, cleanup);
    else if (ms >= 0 && ms < least_ms)
        say(check, ADMIN_CONFIG,
            "Topic %s has retention.ms=%" PRId64
            ", it must be at least %" PRId64
            ": a restore reads its records again. " VERIFY,
            name, ms, least_ms);
    else if (strcmp(setting(resource, "retention.bytes"), "-1") != 0)
        log_warn("a topic is bounded by size: records may go before a restore "
                 "has read them",
                 "topic=%s retention.bytes=%s", name,
                 setting(resource, "retention.bytes"));
    if (ms >= 0 && ms < check->retention_ms)
        check->retention_ms = ms;
}

/* An input that is not kept as long as the outputs: what is committed of it
 * while it is quiet must not grow so old either. */
static void note_input(const rd_kafka_ConfigResource_t *resource,
                       struct admin_check *check)
{
    const char *retention = setting(resource, "retention.ms");
    int64_t ms = strtoll(retention, NULL, 10);
    if (!*retention || ms < 0 ||
        !strstr(setting(resource, "cleanup.policy"), "delete"))
        return;
    if (ms < KEPT_MIN_MS)
        ms = KEPT_MIN_MS;
    if (ms < check->retention_ms)
        check->retention_ms = ms;
}

static void note_compacted(const char *name, struct admin_check *check)
{
    check->compacted = 1;
    log_warn("an input is compacted: events that the broker took out are not "
             "seen, a restore may find fewer than were applied, and new "
             "segments are not filled from it",
             "topic=%s", name);
}

static void check_topic(const struct conf *conf, int topic, const char *name,
                        const rd_kafka_ConfigResource_t *resource,
                        struct admin_check *check)
{
    const char *cleanup = setting(resource, "cleanup.policy");
    if (topic >= BROKER_OUTPUTS)
        note_input(resource, check);
    if (topic == BROKER_CHANGES || topic == BROKER_TRIGGERS)
        check_kept(conf, name, resource, check);
    else if (topic == BROKER_TRAITS && strcmp(cleanup, "compact") != 0)
        log_warn("the traits of a user who is quiet may be deleted: the topic "
                 "should be compacted and nothing else",
                 "topic=%s cleanup.policy=%s", name, cleanup);
    else if (topic == BROKER_STATE && strcmp(cleanup, "compact") != 0)
        say(check, ADMIN_CONFIG,
            "Topic %s has cleanup.policy=%s, it must be compact and nothing "
            "else: it holds the last state of every user. " VERIFY,
            name, cleanup);
    else if (topic >= BROKER_OUTPUTS && strstr(cleanup, "compact"))
        note_compacted(name, check);
}

/* The topics that are there, into TOPICS; returns how many. */
static int topics_there(const struct conf *conf,
                        const struct admin_check *check, int topics[TOPICS_MAX])
{
    int n = 0;
    for (int i = 0; i < BROKER_OUTPUTS + conf->input_count; i++)
        if (i != BROKER_TRAITS || !check->traits_missing)
            topics[n++] = i;
    return n;
}

/* Ask for the settings of N TOPICS. NULL if there was no answer. */
static rd_kafka_event_t *describe(rd_kafka_t *rk, const struct conf *conf,
                                  const int *topics, int n, int timeout_ms)
{
    rd_kafka_ConfigResource_t *resources[TOPICS_MAX];
    char name[CLIENT_TOPIC_BYTES];
    for (int i = 0; i < n; i++)
        resources[i] = rd_kafka_ConfigResource_new(
            RD_KAFKA_RESOURCE_TOPIC, client_topic(conf, topics[i], name));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, NULL, 0);
    rd_kafka_DescribeConfigs(rk, resources, n, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 100);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(resources, n);
    rd_kafka_queue_destroy(queue);
    return event;
}

static void check_settings(rd_kafka_t *rk, const struct conf *conf,
                           int timeout_ms, struct admin_check *check)
{
    int topics[TOPICS_MAX], asked = topics_there(conf, check, topics);
    rd_kafka_event_t *event = describe(rk, conf, topics, asked, timeout_ms);
    size_t n = 0;
    char name[CLIENT_TOPIC_BYTES];
    if (!event || rd_kafka_event_error(event)) {
        say_away(check,
                 event ? rd_kafka_event_error(event)
                       : RD_KAFKA_RESP_ERR__TIMED_OUT,
                 event ? rd_kafka_event_error_string(event) : "time-out");
        if (event)
            rd_kafka_event_destroy(event);
        return;
    }
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &n);
    for (int i = 0; i < (int)n; i++) {
        client_topic(conf, topics[i], name);
        if (rd_kafka_ConfigResource_error(resources[i]))
            log_warn("the settings of a topic cannot be checked",
                     "topic=%s error=\"%s\"", name,
                     rd_kafka_ConfigResource_error_string(resources[i]));
        else if (check->verdict == ADMIN_OK)
            check_topic(conf, topics[i], name, resources[i], check);
    }
    rd_kafka_event_destroy(event);
}

void admin_check(rd_kafka_t *rk, const struct client *client, int embedded,
                 int timeout_ms, struct admin_check *check)
{
    *check =
        (struct admin_check){.verdict = ADMIN_OK, .retention_ms = 7 * DAY_MS};
    check_counts(rk, client->conf, timeout_ms, check);
    if (check->verdict == ADMIN_OK && !embedded)
        check_settings(rk, client->conf, timeout_ms, check);
}

/* ---- traits -------------------------------------------------------------- */

static void say_needed(struct admin_check *check, const struct conf *conf)
{
    char name[CLIENT_TOPIC_BYTES];
    say(check, ADMIN_MISSING,
        "The segment files have traits, and topic %s, which they are published "
        "to, is not there. Create it with `segmentctl topics create --conf "
        "%s`.",
        client_topic(conf, BROKER_TRAITS, name), conf->path);
}

void admin_need_traits(struct admin_check *check, const struct conf *conf)
{
    if (check->verdict == ADMIN_OK && check->traits_missing)
        say_needed(check, conf);
}

int admin_find_traits(const struct client *client, int timeout_ms, char *why)
{
    struct admin_check check = {.verdict = ADMIN_OK};
    char name[CLIENT_TOPIC_BYTES];
    rd_kafka_resp_err_t err;
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_WATCHER, why);
    rd_kafka_t *rk = conf ? client_new(conf, CLIENT_WATCHER, why) : NULL;
    if (!rk)
        return SEG_ERR_INVALID;
    client_topic(client->conf, BROKER_TRAITS, name);
    int n = partitions_of(rk, name, timeout_ms, &err, NULL);
    if (!n && is_missing(err))
        say_needed(&check, client->conf);
    else if (!n)
        say_absent(&check, client->conf, BROKER_TRAITS, name, err);
    rd_kafka_destroy(rk);
    snprintf(why, CLIENT_WHY_BYTES, "%s", check.reason);
    return check.verdict == ADMIN_OK ? 0 : SEG_ERR_INVALID;
}

/* ---- making topics ------------------------------------------------------- */

/* What one topic became. Returns 1 if it could not be made. */
static int tell(const rd_kafka_topic_result_t *result, int partitions,
                admin_report *report, void *arg)
{
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(result);
    const char *text = rd_kafka_topic_result_error_string(result);
    report(arg, rd_kafka_topic_result_name(result), partitions,
           !err   ? NULL
           : text ? text
                  : rd_kafka_err2str(err));
    return err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
}

static rd_kafka_NewTopic_t *new_topic(const struct conf *conf, int i,
                                      int partitions, int replication,
                                      char *why)
{
    char name[CLIENT_TOPIC_BYTES];
    client_topic(conf, i, name);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        name, partitions, replication, why, CLIENT_WHY_BYTES);
    if (!topic)
        return NULL;
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", outputs[i].cleanup);
    if (outputs[i].retention_ms)
        rd_kafka_NewTopic_set_config(topic, "retention.ms",
                                     outputs[i].retention_ms);
    return topic;
}

/* Ask for all of TOPICS. Returns as admin_create. */
static int create(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, int partitions,
                  admin_report *report, void *arg, char *why)
{
    int failed = 0;
    size_t n = 0;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, CREATE_MS, NULL, 0);
    rd_kafka_AdminOptions_set_operation_timeout(options, CREATE_MS / 2, NULL,
                                                0);
    rd_kafka_CreateTopics(rk, topics, BROKER_OUTPUTS, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATE_MS + 1000);
    const rd_kafka_CreateTopics_result_t *result =
        event && !rd_kafka_event_error(event)
            ? rd_kafka_event_CreateTopics_result(event)
            : NULL;
    if (result) {
        const rd_kafka_topic_result_t **each =
            rd_kafka_CreateTopics_result_topics(result, &n);
        for (size_t i = 0; i < n; i++)
            failed += tell(each[i], partitions, report, arg);
    } else {
        away_say(why, "The brokers do not answer",
                 event ? rd_kafka_event_error(event)
                       : RD_KAFKA_RESP_ERR__TIMED_OUT,
                 event ? rd_kafka_event_error_string(event) : "time-out");
        failed = SEG_ERR_INVALID;
    }
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return failed;
}

/* Whether some broker answers; else WHY says where none does. */
static int reach(rd_kafka_t *rk, const struct client *client, char *why)
{
    const rd_kafka_metadata_t *metadata = NULL;
    const char *address = client->bootstrap;
    const struct conf *conf = client->conf;
    rd_kafka_resp_err_t err =
        rd_kafka_metadata(rk, 0, NULL, &metadata, REACH_MS);
    if (!err) {
        rd_kafka_metadata_destroy(metadata);
        return 0;
    }
    for (int i = 0; i < conf->property_count && !address; i++)
        if (!strcmp(conf->properties[i].name, "bootstrap.servers"))
            address = conf->properties[i].value.value;
    char what[CLIENT_WHY_BYTES / 2];
    snprintf(what, sizeof(what), "No broker answers at %s",
             address ? address : "(nowhere)");
    away_say(why, what, err, rd_kafka_err2str(err));
    return SEG_ERR_INVALID;
}

/* Partitions of the inputs, which must agree, or SEG_ERR_INVALID; and the
 * smallest number of their replicas. */
static int input_partitions(rd_kafka_t *rk, const struct conf *conf,
                            int *replicas, char *why)
{
    int count = 0;
    *replicas = INT_MAX;
    for (int i = 0; i < conf->input_count; i++) {
        const char *name = conf->inputs[i].topic;
        rd_kafka_resp_err_t err;
        int n = partitions_of(rk, name, CREATE_MS, &err, replicas);
        if (!n)
            snprintf(why, CLIENT_WHY_BYTES,
                     "Input topic %s: %s. The topics are made as the inputs "
                     "are: create it first, or say --partitions and "
                     "--replication.",
                     name, rd_kafka_err2str(err));
        else if (count && n != count)
            snprintf(
                why, CLIENT_WHY_BYTES,
                "Input topic %s has %d partitions and %s has %d: they must "
                "have the same number.",
                name, n, conf->inputs[0].topic, count);
        if (!n || (count && n != count))
            return SEG_ERR_INVALID;
        count = n;
    }
    return count;
}

/* The controller has made them. A moment later the brokers know them, too:
 * until then whoever looks for them is told that they are not there. */
static void await(rd_kafka_t *rk, const struct conf *conf)
{
    int64_t until_ms = clock_monotonic_ms() + REACH_MS;
    char name[CLIENT_TOPIC_BYTES];
    rd_kafka_resp_err_t err;
    for (int i = 0; i < BROKER_OUTPUTS; i++) {
        client_topic(conf, i, name);
        while (!partitions_of(rk, name, REACH_MS, &err, NULL) &&
               is_missing(err) && clock_monotonic_ms() < until_ms)
            usleep(AWAIT_US);
    }
}

int admin_create(const struct client *client, int partitions, int replication,
                 admin_report *report, void *arg, char *why)
{
    rd_kafka_NewTopic_t *topics[BROKER_OUTPUTS];
    int r = SEG_ERR_INVALID, made = 0;
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_WATCHER, why);
    rd_kafka_t *rk = conf ? client_new(conf, CLIENT_WATCHER, why) : NULL;
    if (!rk)
        return SEG_ERR_INVALID;
    if (reach(rk, client, why) < 0)
        goto done;
    if (!partitions || !replication) {
        int replicas, n = input_partitions(rk, client->conf, &replicas, why);
        if (n < 0)
            goto done;
        partitions = partitions ? partitions : n;
        replication = replication ? replication : replicas;
    }
    for (; made < BROKER_OUTPUTS; made++) {
        topics[made] =
            new_topic(client->conf, made, partitions, replication, why);
        if (!topics[made])
            goto done;
    }
    r = create(rk, topics, partitions, report, arg, why);
    if (r == 0)
        await(rk, client->conf);
done:
    rd_kafka_NewTopic_destroy_array(topics, made);
    rd_kafka_destroy(rk);
    return r;
}

/* ---- the group ----------------------------------------------------------- */

static int members_of(rd_kafka_t *rk, const char *group, char *who)
{
    const struct rd_kafka_group_list *list = NULL;
    int count = 0;
    rd_kafka_resp_err_t err = rd_kafka_list_groups(rk, group, &list, REACH_MS);
    for (int i = 0; !err && i < list->group_cnt; i++) {
        const struct rd_kafka_group_info *info = &list->groups[i];
        err = info->err == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND ? 0 : info->err;
        for (int m = 0; !err && m < info->member_cnt; m++)
            if (!count++)
                snprintf(who, CLIENT_WHY_BYTES, "%s at %s",
                         info->members[m].client_id,
                         info->members[m].client_host);
    }
    if (list)
        rd_kafka_group_list_destroy(list);
    if (err)
        snprintf(who, CLIENT_WHY_BYTES, "Group %s: %s.", group,
                 rd_kafka_err2str(err));
    return err ? SEG_ERR_INVALID : count;
}

int admin_members(const struct client *client, const char *group, char *who)
{
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_WATCHER, who);
    rd_kafka_t *rk = conf ? client_new(conf, CLIENT_WATCHER, who) : NULL;
    if (!rk)
        return SEG_ERR_INVALID;
    int count = reach(rk, client, who);
    if (count >= 0)
        count = members_of(rk, group, who);
    rd_kafka_destroy(rk);
    return count;
}
