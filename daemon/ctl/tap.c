/* tap.c: segmentctl tap: changes, triggers and traits as they come.
 *
 * Committed records only, in the order of each partition. Read from the places
 * that `segmentctl members --positions` wrote, what comes is what the list does
 * not know yet (and a little that it does: see daemon/http/members.h). */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/protocol/meta.h"
#include "lib/base/text.h"

#define WAIT_MS 200 /* Until somebody's Ctrl-C is seen. */

struct options {
    const char *conf, *segment, *user; /* NULL: any. */
    const char *positions;             /* A file; NULL: none. */
    struct brokers_start start;
    int triggers, traits, json;
    int64_t count; /* -1: without end. */
};

struct tap {
    const struct options *options;
    struct brokers brokers;
    char changes[CLIENT_TOPIC_BYTES], triggers[CLIENT_TOPIC_BYTES];
    char traits[CLIENT_TOPIC_BYTES];
    int64_t shown;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* ---- one record -------------------------------------------------------- */

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "-";
}

static void print_source(const json_t *source)
{
    if (source)
        printf(
            " %s %lld@%lld", text_at(source, "topic"),
            (long long)json_integer_value(json_object_get(source, "partition")),
            (long long)json_integer_value(json_object_get(source, "offset")));
}

static void print_change(const json_t *value, const json_t *properties)
{
    int entered = json_is_true(json_object_get(properties, "member"));
    printf("%s  %s  %s %s  %s seq=%lld", text_at(value, "timestamp"),
           entered ? "entered" : "exited ", text_at(properties, "segment"),
           text_at(value, "userId"), text_at(properties, "cause"),
           (long long)json_integer_value(json_object_get(properties, "seq")));
    if (!entered)
        printf(" since=%s", text_at(properties, "entered_at"));
}

static void print_trigger(const json_t *value, const json_t *properties)
{
    printf("%s  trigger  %s %s  %s on=%s seq=%lld", text_at(value, "timestamp"),
           text_at(properties, "segment"), text_at(value, "userId"),
           text_at(properties, "trigger"), text_at(properties, "on"),
           (long long)json_integer_value(json_object_get(properties, "seq")));
}

static void print_traits(const json_t *value, const json_t *traits)
{
    char *text = json_dumps(traits, 0);
    printf("%s  traits   %s  %s", text_at(value, "timestamp"),
           text_at(value, "userId"), text ? text : "-");
    free(text);
}

static void print_text(const json_t *value)
{
    const json_t *properties = json_object_get(value, "properties");
    const json_t *traits = json_object_get(value, "traits");
    if (traits)
        print_traits(value, traits);
    else if (json_object_get(properties, "trigger"))
        print_trigger(value, properties);
    else
        print_change(value, properties);
    print_source(json_object_get(json_object_get(value, "context"), "source"));
    putchar('\n');
}

static int is_wanted(const struct options *options, const json_t *value)
{
    const char *segment =
        text_at(json_object_get(value, "properties"), "segment");
    return !options->segment || !strcmp(options->segment, segment);
}

static void show(struct tap *tap, const struct scan_record *record)
{
    const struct options *options = tap->options;
    struct seg_text key = {record->key, record->key_len};
    if (!record->value ||
        (options->user && !text_equal(key, text_of(options->user))))
        return;
    json_t *value =
        json_loadb(record->value, record->len, JSON_ALLOW_NUL, NULL);
    if (value && is_wanted(options, value)) {
        if (options->json)
            fwrite(record->value, 1, record->len, stdout), putchar('\n');
        else
            print_text(value);
        tap->shown++;
    }
    json_decref(value);
}

/* ---- where to begin ---------------------------------------------------- */

/* Follow the change topic from the places in POSITIONS. */
static int add_places(struct tap *tap, const json_t *positions)
{
    size_t i;
    json_t *place;
    int r = 0;
    json_array_foreach(positions, i, place)
    {
        const json_t *partition = json_object_get(place, "partition");
        const json_t *offset = json_object_get(place, "offset");
        if (!json_is_integer(partition) || !json_is_integer(offset))
            return SEG_ERR_INVALID;
        r = scan_add(tap->brokers.scan, tap->changes,
                     (int)json_integer_value(partition),
                     json_integer_value(offset), SCAN_FOLLOW);
        if (r < 0)
            return r;
    }
    return i ? 0 : SEG_ERR_INVALID;
}

static int add_positions(struct tap *tap)
{
    const char *path = tap->options->positions;
    json_t *json = json_load_file(path, 0, NULL);
    const char *topic = json_string_value(json_object_get(json, "topic"));
    int status = CTL_GOOD;
    if (!topic)
        status = ctl_fail("%s: is no file of `segmentctl members --positions`",
                          path);
    else if (strcmp(topic, tap->changes))
        status = ctl_fail("%s: is of %s, not of %s", path, topic, tap->changes);
    else if (add_places(tap, json_object_get(json, "positions")) < 0)
        status = ctl_fail("%s: its positions cannot be read", path);
    json_decref(json);
    return status;
}

static int add_topics(struct tap *tap)
{
    const struct options *options = tap->options;
    struct brokers_range range = {.topic = tap->changes,
                                  .partition = -1,
                                  .start = options->start,
                                  .follow = 1};
    client_topic(tap->brokers.conf, BROKER_CHANGES, tap->changes);
    client_topic(tap->brokers.conf, BROKER_TRIGGERS, tap->triggers);
    client_topic(tap->brokers.conf, BROKER_TRAITS, tap->traits);
    int status = options->positions ? add_positions(tap)
                                    : brokers_add(&tap->brokers, &range);
    range.topic = tap->triggers;
    if (status == CTL_GOOD && options->triggers)
        status = brokers_add(&tap->brokers, &range);
    range.topic = tap->traits;
    if (status == CTL_GOOD && options->traits)
        status = brokers_add(&tap->brokers, &range);
    return status;
}

/* ---- the verb ---------------------------------------------------------- */

static int follow(struct tap *tap)
{
    struct scan_record record;
    const struct options *options = tap->options;
    while (!stopped && !ferror(stdout) &&
           (options->count < 0 || tap->shown < options->count)) {
        int answer = brokers_next(&tap->brokers, WAIT_MS, &record);
        if (answer < 0)
            return CTL_FAILED;
        if (answer == SCAN_RECORD)
            show(tap, &record);
        else
            fflush(stdout); /* Nothing more for a moment. */
    }
    return CTL_GOOD;
}

static int take_option(struct options *options, const char *verb, int option)
{
    switch (option) {
    case 'c':
        options->conf = optarg;
        break;
    case 's':
        options->segment = optarg;
        break;
    case 'u':
        options->user = optarg;
        break;
    case 'p':
        options->positions = optarg;
        break;
    case 't':
        options->triggers = 1;
        break;
    case 'i':
        options->traits = 1;
        break;
    case 'j':
        options->json = 1;
        break;
    case 'f':
        if (brokers_start(&options->start, optarg) < 0)
            return ctl_usage(verb,
                             "--from: earliest, latest, or an instant such "
                             "as 2026-01-31T12:00Z");
        break;
    case 'n':
        options->count = brokers_number(optarg, INT64_MAX);
        if (options->count < 1)
            return ctl_usage(verb, "--count: a number from 1 on");
        break;
    }
    return CTL_GOOD;
}

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"conf", required_argument, NULL, 'c'},
        {"segment", required_argument, NULL, 's'},
        {"user", required_argument, NULL, 'u'},
        {"positions", required_argument, NULL, 'p'},
        {"from", required_argument, NULL, 'f'},
        {"count", required_argument, NULL, 'n'},
        {"triggers", no_argument, NULL, 't'},
        {"traits", no_argument, NULL, 'i'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int from = 0;
    *options = (struct options){.start.from = BROKERS_LATEST, .count = -1};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        from |= option == 'f';
        if (option == '?' || take_option(options, argv[0], option) != CTL_GOOD)
            return CTL_USAGE;
    }
    if (optind < argc)
        return ctl_usage(argv[0], "what is %s?", argv[optind]);
    if (options->positions && from)
        return ctl_usage(argv[0], "--from or --positions");
    return CTL_GOOD;
}

int ctl_tap(int argc, char **argv)
{
    struct options options;
    struct tap tap = {.options = &options};
    struct sigaction action = {.sa_handler = stop};
    int status = read_options(&options, argc, argv);
    if (status != CTL_GOOD)
        return status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = brokers_open(&tap.brokers, options.conf);
    if (status == CTL_GOOD)
        status = add_topics(&tap);
    if (status == CTL_GOOD)
        status = follow(&tap);
    brokers_close(&tap.brokers);
    return status;
}
