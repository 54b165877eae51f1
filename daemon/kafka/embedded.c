/* embedded.c: a Kafka broker inside the process, for people without one. */
#include "daemon/kafka/embedded.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/kafka/client.h"
#include "daemon/protocol/broker.h"

struct embedded {
    rd_kafka_t *rk; /* The cluster lives in this handle. */
    const char *bootstrap;
    char path[4200];
};

static int check_inputs(const struct conf *conf)
{
    for (int i = 0; i < conf->input_count; i++)
        if (conf->inputs[i].start.kind == CONF_INSTANT) {
            log_error(
                "the embedded broker knows no offsets by time: start must "
                "be earliest or latest",
                "input=%s", conf->inputs[i].topic);
            return SEG_ERR_INVALID;
        }
    return 0;
}

/* The handle with its cluster; NULL with the reason in WHY. */
static rd_kafka_t *start(char *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why,
                      CLIENT_WHY_BYTES);
    rd_kafka_conf_set(conf, "log_level", "2", why, CLIENT_WHY_BYTES);
    return client_new(conf, CLIENT_PRODUCER, why);
}

static int make_topics(rd_kafka_mock_cluster_t *cluster,
                       const struct conf *conf)
{
    char name[CLIENT_TOPIC_BYTES];
    for (int i = 0; i < BROKER_OUTPUTS + conf->input_count; i++) {
        client_topic(conf, i, name);
        rd_kafka_resp_err_t err =
            rd_kafka_mock_topic_create(cluster, name, EMBEDDED_PARTITIONS, 1);
        if (err) {
            log_error("the embedded broker cannot make a topic",
                      "topic=%s error=\"%s\"", name, rd_kafka_err2str(err));
            return SEG_ERR_INVALID;
        }
    }
    return 0;
}

/* Others find the address in a file that appears whole. */
static int publish(struct embedded *embedded, const struct conf *conf)
{
    char part[sizeof(embedded->path) + 8];
    snprintf(embedded->path, sizeof(embedded->path), "%s/%s",
             conf->run_directory, EMBEDDED_FILE);
    snprintf(part, sizeof(part), "%s.part", embedded->path);
    mkdir(conf->run_directory, 0755); /* If it fails, so does the next. */
    FILE *file = fopen(part, "w");
    if (file)
        fprintf(file, "%s\n", embedded->bootstrap);
    if (file && !fclose(file) && !rename(part, embedded->path))
        return 0;
    log_error("cannot write the address of the embedded broker",
              "path=%s error=\"%s\"", embedded->path, strerror(errno));
    embedded->path[0] = '\0';
    return SEG_ERR_INVALID;
}

int embedded_open(struct embedded **ret, const struct conf *conf)
{
    char why[CLIENT_WHY_BYTES] = "";
    if (check_inputs(conf) < 0)
        return SEG_ERR_INVALID;
    struct embedded *embedded = calloc(1, sizeof(*embedded));
    if (!embedded)
        return SEG_ERR_NOMEM;
    embedded->rk = start(why);
    rd_kafka_mock_cluster_t *cluster =
        embedded->rk ? rd_kafka_handle_mock_cluster(embedded->rk) : NULL;
    if (!cluster) {
        log_error("the embedded broker cannot be started", "reason=\"%s\"",
                  why);
        free(embedded);
        return SEG_ERR_INVALID;
    }
    embedded->bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    if (make_topics(cluster, conf) < 0 || publish(embedded, conf) < 0) {
        embedded_close(embedded);
        return SEG_ERR_INVALID;
    }
    log_info("embedded broker: for a look around; what it shows proves nothing "
             "about exactly-once",
             "address=%s partitions=%d", embedded->bootstrap,
             EMBEDDED_PARTITIONS);
    *ret = embedded;
    return 0;
}

const char *embedded_bootstrap(const struct embedded *embedded)
{
    return embedded->bootstrap;
}

void embedded_close(struct embedded *embedded)
{
    if (!embedded)
        return;
    if (embedded->path[0])
        unlink(embedded->path);
    free(embedded); /* Not the handle: others may still be connected to it. */
}
