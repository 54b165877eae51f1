/* generator.c: people using the product of a software company, for `make demo`.
 *
 *     generator BROKERS TOPIC [PARTITIONS]     with PARTITIONS: makes the topic
 *
 * Some dozens of people of twenty companies come, do what people of their kind
 * do, and go quiet; now and then somebody new signs up in the place of
 * somebody who left for good. A month of theirs is about a minute. It goes on
 * until it is told to stop. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "lib/base/buf.h"
#include "lib/base/instant.h"

#define PEOPLE              45
#define STEP_MS             25
#define EVENTS_PER_STEP_MAX 7 /* 280 a second, all partitions together. */

enum kind {
    NEWCOMER,
    REGULAR,
    EXPORTER,
    BUYER,
    CHIEF,
    CRITIC,
    TINKERER,
    KINDS
};

struct company {
    const char *id, *name, *industry, *plan;
};

static const struct company companies[] = {
    {"globex", "Globex", "manufacturing", "enterprise"},
    {"initech", "Initech", "software", "pro"},
    {"umbrella", "Umbrella Clinics", "healthcare", "enterprise"},
    {"hooli", "Hooli", "software", "trial"},
    {"stark", "Stark Works", "manufacturing", "pro"},
    {"wayne", "Wayne Logistics", "logistics", "pro"},
    {"mercy", "Mercy Hospital", "healthcare", "trial"},
    {"soylent", "Soylent Foods", "food", "free"},
    {"acme", "Acme Tools", "retail", "free"},
    {"vandelay", "Vandelay Imports", "logistics", "trial"},
    {"pied", "Pied Piper", "software", "free"},
    {"cyber", "Cyberdyne", "software", "enterprise"},
    {"tyrell", "Tyrell Labs", "healthcare", "pro"},
    {"oscorp", "Oscorp", "chemistry", "trial"},
    {"dunder", "Dunder Paper", "retail", "free"},
    {"bluth", "Bluth Homes", "construction", "free"},
    {"sterling", "Sterling Agency", "media", "trial"},
    {"virtucon", "Virtucon", "media", "pro"},
    {"monarch", "Monarch Care", "healthcare", "free"},
    {"zorin", "Zorin Chips", "electronics", "pro"},
};

static const char *const names[] = {
    "ana",   "ben",   "chloe", "dario", "elif", "finn",   "grace", "hugo",
    "ines",  "jonas", "kira",  "leo",   "maya", "noah",   "olga",  "paul",
    "quinn", "rosa",  "sven",  "tara",  "uma",  "victor", "wei",   "xenia",
    "yusuf", "zoe",   "amir",  "bella", "carl", "dora",   "emil",  "frida",
};

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct person {
    char id[64];
    const struct company *company;
    enum kind kind;
    const char *plan;
    const char *usual, *device; /* Of this visit. */
    int steps;                  /* Left of this visit. */
    int visits;
    int linked;      /* Slack. */
    int cart;        /* A checkout that was started and has no order yet. */
    int64_t next_ms; /* When he does something again. */
} people[PEOPLE];

static rd_kafka_t *kafka;
static rd_kafka_topic_t *topic;
static struct buf json;
static int64_t now_ms;
static uint64_t born, sent;
static volatile sig_atomic_t stop;

/* ---- chance and time ----------------------------------------------------- */

static uint64_t state;

static int below(int n)
{
    state =
        state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((state >> 33) % (uint64_t)n);
}

static int chance(int percent)
{
    return below(100) < percent;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- messages ------------------------------------------------------------ */

/* {"type": TYPE, who, when, and what FORMAT makes. */
static void send_message(const struct person *person, const char *type,
                         const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void send_message(const struct person *person, const char *type,
                         const char *format, ...)
{
    char more[512], at[25];
    va_list args;
    va_start(args, format);
    vsnprintf(more, sizeof(more), format, args);
    va_end(args);
    instant_string(at, now_ms);
    buf_reset(&json);
    buf_printf(&json,
               "{\"type\":\"%s\",\"userId\":\"%s\",\"messageId\":\"%d-%" PRIu64
               "\",\"timestamp\":\"%s\",%s}",
               type, person->id, (int)getpid(), ++sent, at, more);
    rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                     json.bytes, json.len, person->id, strlen(person->id),
                     NULL);
}

static void track(const struct person *person, const char *event,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void track(const struct person *person, const char *event,
                  const char *format, ...)
{
    char properties[300];
    va_list args;
    va_start(args, format);
    vsnprintf(properties, sizeof(properties), format, args);
    va_end(args);
    send_message(person, "track",
                 "\"event\":\"%s\",\"properties\":{\"device\":\"%s\"%s%s}",
                 event, person->device, *properties ? "," : "", properties);
}

static void page(const struct person *person, const char *name)
{
    send_message(person, "page",
                 "\"name\":\"%s\",\"properties\":{\"device\":\"%s\"}", name,
                 person->device);
}

/* Who he is, and where he works. */
static void introduce(const struct person *person)
{
    static const char *const titles[KINDS] = {
        "Product Manager", "Team Lead", "Analyst", "Head of Operations", "CFO",
        "Consultant",      "Engineer"};
    const struct company *company = person->company;
    send_message(
        person, "identify",
        "\"traits\":{\"email\":\"%s\",\"title\":\"%s\",\"plan\":\"%s\"}",
        person->id, titles[person->kind], person->plan);
    send_message(
        person, "group",
        "\"groupId\":\"%s\",\"traits\":{\"name\":\"%s\",\"industry\":\"%s\","
        "\"plan\":\"%s\"}",
        company->id, company->name, company->industry, company->plan);
}

/* ---- what people do ----------------------------------------------------- */

static void begin_life(struct person *person, enum kind kind)
{
    const struct company *company = &companies[below(COUNT(companies))];
    if (kind == CHIEF && chance(60))
        company = chance(50) ? &companies[2] : &companies[6];
    memset(person, 0, sizeof(*person));
    person->kind = kind;
    person->company = company;
    person->plan = kind == EXPORTER ? "free" : company->plan;
    person->usual = chance(20) ? (chance(50) ? "ios" : "android") : "web";
    const char *name = names[born % COUNT(names)];
    snprintf(person->id, sizeof(person->id), "%s%d@%s.example", name,
             (int)(born / COUNT(names)) + 1, company->id);
    born++;
}

static void use(struct person *person)
{
    if (chance(70))
        track(person, "Goal Used", "\"goal\":\"g%d\"", below(9));
    else if (chance(50))
        page(person, "Docs");
    else
        track(person, "Report Exported", "\"format\":\"pdf\"");
}

/* His first visit has six steps, the last of which is number 1. */
static void settle_in(struct person *person)
{
    if (person->visits == 1 && person->steps == 6)
        track(person, "Signed Up", "\"source\":\"%s\"",
              chance(50) ? "ad" : "friend");
    else if (person->visits == 1 && person->steps == 3 && chance(80))
        track(person, "Project Created", "\"template\":\"blank\"");
    else if (person->visits > 1 && chance(15))
        track(person, "Teammate Invited", "\"role\":\"member\"");
    else
        use(person);
}

static void export(struct person *person)
{
    if (chance(70))
        track(person, "Report Exported", "\"format\":\"csv\"");
    else if (chance(4) && !strcmp(person->plan, "free")) {
        person->plan = "pro"; /* The modal worked. */
        introduce(person);
    } else
        use(person);
}

/* Half of those who start a checkout order right away; the others think it
 * over. */
static void check_out(struct person *person)
{
    if (person->cart && chance(55))
        track(person, "Order Placed", "\"total\":%d",
              20 + below(100) * below(50));
    else if (person->cart)
        use(person);
    else
        track(person, "Checkout Started", "\"seats\":%d", 1 + below(50));
    person->cart = !person->cart;
}

static void buy(struct person *person)
{
    int what = below(10);
    if (person->cart || what >= 8)
        check_out(person);
    else if (what < 4)
        page(person, "Pricing");
    else if (what < 6)
        track(person, "Asset Downloaded", "\"asset\":\"%s\"",
              chance(70) ? "roi-calculator" : "security-paper");
    else
        use(person);
}

static void answer(struct person *person)
{
    if (chance(25))
        track(person, "NPS Answered", "\"score\":%d", below(7));
    else
        use(person);
}

static void tinker(struct person *person)
{
    if (!chance(25)) {
        use(person);
        return;
    }
    const char *name = chance(70) ? "slack" : "jira";
    person->linked = !person->linked;
    track(person,
          person->linked ? "Integration Connected" : "Integration Disconnected",
          "\"name\":\"%s\"", name);
}

static void do_something(struct person *person)
{
    switch (person->kind) {
    case NEWCOMER:
        settle_in(person);
        break;
    case EXPORTER:
        export(person);
        break;
    case BUYER:
        buy(person);
        break;
    case CRITIC:
        answer(person);
        break;
    case TINKERER:
        tinker(person);
        break;
    case REGULAR:
    case CHIEF:
    case KINDS:
        use(person);
        break;
    }
}

/* Somebody comes: for a visit, or for the first time. */
static void arrive(struct person *person)
{
    if (person->visits > 4 && chance(20))
        begin_life(person, chance(60) ? NEWCOMER : (enum kind)below(KINDS));
    if (!person->visits++)
        introduce(person);
    person->steps =
        person->kind == NEWCOMER && person->visits == 1 ? 6 : 4 + below(14);
    person->device = chance(80) ? person->usual : "web";
    track(person, "App Opened", "%s", "");
}

static void step(struct person *person)
{
    if (!person->steps) {
        arrive(person);
    } else {
        do_something(person);
        if (--person->steps == 0 && chance(15))
            track(person, "NPS Answered", "\"score\":%d", below(11));
    }
    person->next_ms =
        now_ms + (person->steps ? 800 + below(2600) : 16000 + below(50000));
}

/* ---- the run ------------------------------------------------------------ */

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "generator: %s: %s\n", what, why);
    exit(1);
}

static void open_kafka(const char *brokers, const char *name)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why,
                          sizeof(why)) ||
        rd_kafka_conf_set(conf, "log_level", "2", why, sizeof(why)) ||
        rd_kafka_conf_set(conf, "linger.ms", "5", why, sizeof(why)) ||
        rd_kafka_conf_set(conf, "partitioner", "murmur2", why, sizeof(why)))
        fail("configuration", why);
    kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!kafka)
        fail("kafka", why);
    topic = rd_kafka_topic_new(kafka, name, NULL);
}

static void create_topic(const char *name, int partitions)
{
    char why[512];
    rd_kafka_NewTopic_t *wish =
        rd_kafka_NewTopic_new(name, partitions, 1, why, sizeof(why));
    if (!wish)
        fail(name, why);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_CreateTopics(kafka, &wish, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event || rd_kafka_event_error(event))
        fail(name, event ? rd_kafka_event_error_string(event) : "no answer");
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wish);
}

static void run(void)
{
    now_ms = clock_ms();
    for (int i = 0; i < PEOPLE; i++) {
        begin_life(&people[i], (enum kind)(i % KINDS));
        people[i].next_ms = now_ms + below(20000);
    }
    while (!stop) {
        now_ms = clock_ms();
        uint64_t most = sent + EVENTS_PER_STEP_MAX;
        int first = below(PEOPLE);
        for (int i = 0; i < PEOPLE && sent + 3 <= most; i++) {
            struct person *person = &people[(first + i) % PEOPLE];
            if (person->next_ms <= now_ms)
                step(person);
        }
        rd_kafka_poll(kafka, 0);
        poll(NULL, 0, STEP_MS);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fputs("usage: generator BROKERS TOPIC [PARTITIONS]\n", stderr);
        return 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    open_kafka(argv[1], argv[2]);
    if (argc == 4) {
        create_topic(argv[2], atoi(argv[3]));
        return 0;
    }
    state = (uint64_t)clock_ms();
    buf_init(&json);
    run();
    rd_kafka_flush(kafka, 1000);
    fprintf(stderr, "generator: %" PRIu64 " messages\n", sent);
    return 0;
}
