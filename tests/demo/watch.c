/* watch.c: entries, exits and triggers as they stand in the topics, for people.
 *
 *     watch BROKERS APP SEGMENTS.seg
 *
 * What any subscriber would do: a plain consumer, read_committed. Titles come
 * from the segment file. Now and then it says who is where, by its own count.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <librdkafka/rdkafka.h>

#include <seg/catalogue.h>

#include "lib/base/buf.h"

#define SUMMARY_S    20
#define TRIGGERS_MAX 64  /* Held back, see take_record. */
#define WIDTH        130 /* Of a line, where no terminal says otherwise. */
#define LEFT_WIDTH   79  /* Of what stands left of the reason ... */
#define REASON_MIN \
    20            /* ... which is left out where less than this remains. \
                   */
#define TRIES 100 /* Of a tenth of a second. */

static const struct seg_catalogue *catalogue;
static json_t *triggers[TRIGGERS_MAX];
static int trigger_count;
static int *members; /* By segment. */
static int colours;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "watch: %s: %s\n", what, why);
    exit(1);
}

static const char *colour(const char *code)
{
    return colours ? code : "";
}

/* Columns of the terminal, which may change at any time. */
static int width(void)
{
    struct winsize size;
    return ioctl(1, TIOCGWINSZ, &size) || !size.ws_col ? WIDTH : size.ws_col;
}

/* ---- the segments -------------------------------------------------------- */

static void read_segments(const char *path)
{
    static char text[1 << 20];
    struct seg_catalogue *compiled = NULL;
    struct seg_diagnostics *diagnostics = NULL;
    FILE *in = fopen(path, "r");
    size_t len = in ? fread(text, 1, sizeof(text), in) : 0;
    struct seg_source source = {path, text, len};
    if (in)
        fclose(in);
    if (!len || seg_diagnostics_new(&diagnostics) < 0 ||
        seg_catalogue_compile(&compiled, &source, 1, diagnostics) < 0)
        fail(path, "cannot be read");
    seg_diagnostics_free(diagnostics);
    catalogue = compiled;
    members = calloc((size_t)seg_catalogue_segment_count(catalogue) + 1,
                     sizeof(*members));
    if (!members)
        fail(path, "no memory");
}

static const char *title_of(const char *key)
{
    struct seg_segment_info info;
    int index = seg_catalogue_segment_index(catalogue, key);
    if (index < 0)
        return key;
    seg_catalogue_segment(catalogue, index, &info);
    return *info.title ? info.title : key;
}

static void print_summary(void)
{
    int used = 11;
    printf("%smembers now%s", colour("\033[2m"), colour("\033[0m"));
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_segment_info info;
        char item[300];
        seg_catalogue_segment(catalogue, i, &info);
        int len = snprintf(item, sizeof(item), "%s %d", info.key, members[i]);
        if (used + 2 + len > width()) {
            fputs("\n           ", stdout);
            used = 11;
        }
        used += 2 + len;
        printf("  %s%s%s", colour("\033[2m"), item, colour("\033[0m"));
    }
    putchar('\n');
    fflush(stdout);
}

/* ---- records ------------------------------------------------------------ */

static const char *text_of_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* A value that the condition does not tell already. */
static void put_value(struct buf *reason, const char *condition,
                      const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_number(value))
        buf_printf(reason, " (%g)", json_number_value(value));
    else if (text && !strstr(condition, text))
        buf_printf(reason, " (%s)", text);
}

/* Why, in the words of the segment file; or that time alone did it. */
static void print_reason(const json_t *properties)
{
    const json_t *evidence = json_object_get(properties, "evidence"), *item;
    int room = width() - LEFT_WIDTH - 1;
    struct buf reason;
    size_t i;
    buf_init(&reason);
    if (!strcmp(text_of_member(properties, "cause"), "timer"))
        buf_str(&reason, "by time alone");
    else
        json_array_foreach(evidence, i, item)
        {
            const char *condition = text_of_member(item, "condition");
            buf_printf(&reason, "%s%s", i ? "; " : "", condition);
            put_value(&reason, condition, json_object_get(item, "value"));
        }
    if (room >= REASON_MIN && (int)reason.len > room)
        printf("%.*s…", room - 1, buf_string(&reason));
    else if (room >= REASON_MIN)
        fputs(buf_string(&reason), stdout);
    buf_done(&reason);
}

static void print_line(const json_t *root, const char *code, const char *word,
                       const char *what)
{
    printf("%.8s  %s%-7s%s  %-32s  %-24s  ",
           text_of_member(root, "timestamp") + 11, colour(code), word,
           colour("\033[0m"), what, text_of_member(root, "userId"));
}

static void print_change(const json_t *root)
{
    const json_t *properties = json_object_get(root, "properties");
    const char *segment = text_of_member(properties, "segment");
    int member = json_is_true(json_object_get(properties, "member"));
    int index = seg_catalogue_segment_index(catalogue, segment);
    if (index >= 0)
        members[index] += member ? 1 : -1;
    print_line(root, member ? "\033[32m" : "\033[33m",
               member ? "entered" : "left", title_of(segment));
    fputs(colour("\033[2m"), stdout);
    print_reason(properties);
    printf("%s\n", colour("\033[0m"));
}

static void print_triggers(void)
{
    for (int i = 0; i < trigger_count; i++) {
        const json_t *properties = json_object_get(triggers[i], "properties");
        print_line(triggers[i], "\033[36m", "trigger",
                   text_of_member(properties, "trigger"));
        printf("%son %s of %s%s\n", colour("\033[2m"),
               text_of_member(properties, "on"),
               text_of_member(properties, "segment"), colour("\033[0m"));
        json_decref(triggers[i]);
    }
    trigger_count = 0;
    fflush(stdout);
}

/* Topics are read side by side, so a trigger may come before the change it was
 * decided on: it is shown when nothing else waits. */
static void take_record(const rd_kafka_message_t *message)
{
    json_t *root = json_loadb(message->payload, message->len, 0, NULL);
    if (strlen(text_of_member(root, "timestamp")) < 20)
        fail(rd_kafka_topic_name(message->rkt), "holds something else");
    if (strcmp(text_of_member(root, "event"), "Message Triggered")) {
        print_change(root);
        json_decref(root);
        return;
    }
    if (trigger_count == TRIGGERS_MAX)
        print_triggers();
    triggers[trigger_count++] = root;
}

/* ---- the topics --------------------------------------------------------- */

static rd_kafka_t *open_consumer(const char *brokers)
{
    static const char *const settings[][2] = {
        {"group.id", "watch"},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_committed"},
        {"fetch.wait.max.ms", "50"},
        {"log_level", "2"}};
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof(why)))
        fail("configuration", why);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why,
                              sizeof(why)))
            fail("configuration", why);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!kafka)
        fail("kafka", why);
    rd_kafka_poll_set_consumer(kafka);
    return kafka;
}

/* Partitions of TOPIC; a topic that was just created may not be known yet. */
static int partitions_of(rd_kafka_t *kafka, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
    int count = 0;
    for (int tries = 0; !count && tries < TRIES && !stop; tries++) {
        const struct rd_kafka_metadata *metadata = NULL;
        if (tries)
            rd_kafka_poll(kafka, 100);
        if (rd_kafka_metadata(kafka, 0, handle, &metadata, 1000))
            continue;
        if (metadata->topic_cnt == 1)
            count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    return count;
}

static void add_topic(rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list,
                      const char *app, const char *name)
{
    char topic[300];
    snprintf(topic, sizeof(topic), "%s.%s", app, name);
    int count = partitions_of(kafka, topic);
    if (!count && !stop)
        fail(topic, "not there");
    for (int p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: watch BROKERS APP SEGMENTS.seg\n", stderr);
        return 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    colours = isatty(1);
    read_segments(argv[3]);
    rd_kafka_t *kafka = open_consumer(argv[1]);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(16);
    add_topic(kafka, list, argv[2], "changes");
    add_topic(kafka, list, argv[2], "triggers");
    rd_kafka_assign(kafka, list);
    rd_kafka_topic_partition_list_destroy(list);
    time_t summary = time(NULL) + SUMMARY_S;
    while (!stop) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, 50);
        if (!message)
            print_triggers();
        else if (!message->err)
            take_record(message);
        if (message)
            rd_kafka_message_destroy(message);
        if (time(NULL) >= summary) {
            summary = time(NULL) + SUMMARY_S;
            print_summary();
        }
    }
    return 0;
}
