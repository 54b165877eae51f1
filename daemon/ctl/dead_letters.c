/* dead_letters.c: segmentctl dead-letters.
 *
 *     list     how many there are, by reason, topic and partition
 *     show     each with its headers and what was kept of it
 *     replay   back into the inputs, once what was wrong has been mended
 *
 * A replayed record goes to its own topic and partition with its key, its value
 * and its timestamp, so that it counts as of then. Which ones were replayed is
 * noted in Kafka, in the same transaction: letters of one reason and one topic
 * are a *class*, and the class is a consumer group,
 *
 *     <app>.replayed.<reason>.<topic>
 *
 * whose position in each partition of the dead-letter topic is the place up to
 * which they were replayed. Every letter belongs to one class, whatever a run
 * was asked for, so a run that is killed, or done twice, replays nobody twice.
 * The brokers forget positions after offsets.retention.minutes (a week), about
 * when they forget the letters; --again takes no notice of them. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/kafka/sender.h"
#include "daemon/protocol/meta.h"
#include "daemon/protocol/partitioner.h"
#include "lib/base/alloc.h"
#include "lib/base/instant.h"

#define WAIT_MS             1000
#define GROUP_BYTES         768
#define TRANSACTION_RECORDS 500               /* Of one transaction ... */
#define TRANSACTION_BYTES   (8 * 1024 * 1024) /* ... and of it. */
#define TEXT_BYTES          256
#define WRONG_PARTITION     "wrong_partition" /* A reason. */

enum task { LIST, SHOW, REPLAY };

struct options {
    const char *conf, *reason, *topic; /* NULL: any. */
    int64_t limit;                     /* -1: none. */
    int yes, again;
    enum task task;
};

/* What the headers of a dead letter say. */
struct letter {
    const struct scan_record *record;
    char reason[TEXT_BYTES], topic[TEXT_BYTES];
    int partition;
    int64_t offset, timestamp_ms, original_bytes;
    int complete; /* What was kept is all of it. */
};

/* Letters of one reason, topic and partition. */
struct tally {
    char reason[TEXT_BYTES], topic[TEXT_BYTES];
    int partition;
    int64_t count, incomplete, first_ms, last_ms;
};

/* Letters of one reason and topic; by partition of the dead letters. */
struct class
{
    char group[GROUP_BYTES];
    int64_t *done;  /* Replayed below it by an earlier run; -1: nothing. */
    int64_t *place; /* Replayed below it by this one; -1: nothing. */
};

struct run {
    const struct options *options;
    struct brokers brokers;
    char name[CLIENT_TOPIC_BYTES]; /* Of the dead letters. */
    int partitions;                /* Likewise. */
    struct tally *tallies;
    size_t tally_count, tally_cap;
    struct class *classes;
    size_t class_count, class_cap;
    struct sender *sender;
    size_t open_records, open_bytes; /* Of the transaction under way. */
    int64_t taken, replayed, before, incomplete, bytes;
};

/* ---- letters ----------------------------------------------------------- */

static void text_header(const struct scan_record *record, const char *name,
                        char out[TEXT_BYTES])
{
    const struct scan_header *header = scan_header(record, name);
    snprintf(out, TEXT_BYTES, "%.*s", header ? (int)header->len : 0,
             header && header->value ? header->value : "");
}

static int64_t number_header(const struct scan_record *record, const char *name)
{
    char text[TEXT_BYTES];
    text_header(record, name, text);
    return *text ? strtoll(text, NULL, 10) : -1;
}

static void read_letter(struct letter *letter, const struct scan_record *record)
{
    letter->record = record;
    text_header(record, "reason", letter->reason);
    text_header(record, "topic", letter->topic);
    letter->partition = (int)number_header(record, "partition");
    letter->offset = number_header(record, "offset");
    letter->timestamp_ms = number_header(record, "timestamp");
    letter->original_bytes = number_header(record, "original_bytes");
    letter->complete = letter->original_bytes == (int64_t)record->len;
}

static int is_wanted(const struct options *options, const struct letter *letter)
{
    return (!options->reason || !strcmp(options->reason, letter->reason)) &&
           (!options->topic || !strcmp(options->topic, letter->topic));
}

/* ---- list -------------------------------------------------------------- */

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    int order = strcmp(x->reason, y->reason);
    if (!order)
        order = strcmp(x->topic, y->topic);
    return order
               ? order
               : (x->partition > y->partition) - (x->partition < y->partition);
}

static struct tally *tally_of(struct run *run, const struct letter *letter)
{
    for (size_t i = 0; i < run->tally_count; i++) {
        struct tally *tally = &run->tallies[i];
        if (tally->partition == letter->partition &&
            !strcmp(tally->reason, letter->reason) &&
            !strcmp(tally->topic, letter->topic))
            return tally;
    }
    if (alloc_grow((void **)&run->tallies, &run->tally_cap,
                   run->tally_count + 1, sizeof(*run->tallies)) < 0)
        return NULL;
    struct tally *tally = &run->tallies[run->tally_count++];
    *tally = (struct tally){.partition = letter->partition,
                            .first_ms = letter->record->timestamp_ms};
    strcpy(tally->reason, letter->reason);
    strcpy(tally->topic, letter->topic);
    return tally;
}

static int count_letter(struct run *run, const struct letter *letter)
{
    struct tally *tally = tally_of(run, letter);
    if (!tally)
        return ctl_fail("out of memory");
    tally->count++;
    tally->incomplete += !letter->complete;
    tally->last_ms = letter->record->timestamp_ms;
    return CTL_GOOD;
}

static void print_tallies(struct run *run)
{
    if (run->tally_count)
        qsort(run->tallies, run->tally_count, sizeof(*run->tallies),
              compare_tallies);
    printf("%9s  %-24s %-24s %9s  %-24s  %s\n", "letters", "reason", "topic",
           "partition", "first", "last");
    for (size_t i = 0; i < run->tally_count; i++) {
        const struct tally *tally = &run->tallies[i];
        char first[25], last[25];
        instant_string(first, tally->first_ms);
        instant_string(last, tally->last_ms);
        printf("%9" PRId64 "  %-24s %-24s %9d  %s  %s", tally->count,
               tally->reason, tally->topic, tally->partition, first, last);
        if (tally->incomplete)
            printf("  (%" PRId64 " cut short)", tally->incomplete);
        putchar('\n');
    }
    printf("%9" PRId64 "  in all\n", run->taken);
}

/* ---- show -------------------------------------------------------------- */

static void show_letter(const struct letter *letter)
{
    const struct scan_record *record = letter->record;
    char at[25];
    json_t *json = json_object(), *headers = json_object();
    instant_string(at, record->timestamp_ms);
    for (int i = 0; i < record->header_count; i++)
        json_object_set_new(
            headers, record->headers[i].name,
            brokers_text(record->headers[i].value, record->headers[i].len));
    json_object_set_new(json, "partition", json_integer(record->partition));
    json_object_set_new(json, "offset", json_integer(record->offset));
    json_object_set_new(json, "at", json_string(at));
    json_object_set_new(json, "headers", headers);
    json_object_set_new(json, "complete", json_boolean(letter->complete));
    json_object_set_new(json, "key",
                        brokers_text(record->key, record->key_len));
    json_object_set_new(json, "value",
                        brokers_text(record->value, record->len));
    brokers_print(json);
}

/* ---- replay ------------------------------------------------------------ */

static void class_done(struct class *class)
{
    free(class->done);
    free(class->place);
}

/* Returns 0, or below 0 with a sentence in WHY or none. */
static int class_init(struct class *class, const struct run *run,
                      const char *group, char *why)
{
    size_t count = (size_t)run->partitions;
    *class = (struct class){.done = calloc(count, sizeof(int64_t)),
                            .place = calloc(count, sizeof(int64_t))};
    if (!class->done || !class->place)
        return SEG_ERR_NOMEM;
    snprintf(class->group, sizeof(class->group), "%s", group);
    for (size_t p = 0; p < count; p++)
        class->done[p] = class->place[p] = -1;
    return run->options->again
               ? 0
               : scan_committed(run->brokers.scan, group, run->name,
                                run->partitions, class->done, NULL, why);
}

static struct class *class_new(struct run *run, const char *group)
{
    char why[CLIENT_WHY_BYTES] = "";
    struct class class;
    int r = class_init(&class, run, group, why);
    if (r >= 0)
        r = alloc_grow((void **)&run->classes, &run->class_cap,
                       run->class_count + 1, sizeof(*run->classes));
    if (r < 0) {
        class_done(&class);
        ctl_fail("%s", *why ? why : seg_error_sentence(r));
        return NULL;
    }
    run->classes[run->class_count] = class;
    return &run->classes[run->class_count++];
}

/* The class of LETTER; NULL after it was said what is wrong. */
static struct class *class_of(struct run *run, const struct letter *letter)
{
    char group[GROUP_BYTES];
    snprintf(group, sizeof(group), "%s.replayed.%s.%s", run->brokers.conf->app,
             letter->reason, letter->topic);
    for (size_t i = 0; i < run->class_count; i++)
        if (!strcmp(run->classes[i].group, group))
            return &run->classes[i];
    return class_new(run, group);
}

/* Note where every class stands. */
static int note(struct run *run, char *why)
{
    int r = 0;
    for (size_t i = 0; i < run->class_count; i++)
        for (int p = 0; p < run->partitions && r >= 0; p++)
            if (run->classes[i].place[p] >= 0)
                r = sender_note(run->sender, run->classes[i].group, run->name,
                                p, run->classes[i].place[p], NULL, why);
    return r;
}

/* Commit what was sent, with where every class stands. */
static int commit(struct run *run)
{
    char why[CLIENT_WHY_BYTES] = "";
    size_t records = run->open_records;
    if (!records)
        return CTL_GOOD;
    int r = note(run, why);
    if (r >= 0)
        r = sender_commit(run->sender, why);
    run->open_records = run->open_bytes = 0;
    return r < 0 ? ctl_fail(
                       "the last %zu letters were not replayed after all: %s",
                       records, why)
                 : CTL_GOOD;
}

/* The input called TOPIC, or NULL. */
static const struct conf_input *input_of(const struct conf *conf,
                                         const char *topic)
{
    for (int i = 0; i < conf->input_count; i++)
        if (!strcmp(conf->inputs[i].topic, topic))
            return &conf->inputs[i];
    return NULL;
}

/* Where LETTER's original belongs: where it was, unless that was what was
 * wrong. */
static int target(const struct run *run, const struct letter *letter)
{
    const struct scan_record *record = letter->record;
    const struct conf_input *input = input_of(run->brokers.conf, letter->topic);
    int right = record->key && !strcmp(letter->reason, WRONG_PARTITION)
                    ? partitioner_partition(partitioner_of(input), record->key,
                                            record->key_len, run->partitions)
                    : -1;
    return right >= 0 ? right : letter->partition;
}

/* Send LETTER's original. */
static int send_letter(struct run *run, const struct letter *letter)
{
    const struct scan_record *record = letter->record;
    struct sender_record original = {.topic = letter->topic,
                                     .partition = target(run, letter),
                                     .timestamp_ms = letter->timestamp_ms,
                                     .key = record->key,
                                     .key_len = record->key_len,
                                     .value = record->value,
                                     .len = record->len};
    char why[CLIENT_WHY_BYTES] = "";
    int r = 0;
    if (!run->sender)
        r = sender_open(&run->sender, &run->brokers.client, why);
    if (r >= 0 && !run->open_records)
        r = sender_begin(run->sender, why);
    if (r >= 0)
        r = sender_send(run->sender, &original, why);
    if (r < 0)
        return ctl_fail("%s", *why ? why : seg_error_sentence(r));
    run->open_records++;
    run->open_bytes += record->len;
    return CTL_GOOD;
}

static void tell_letter(const struct run *run, const struct letter *letter)
{
    int partition = target(run, letter);
    printf("%s %s %d@%" PRId64, run->options->yes ? "replayed" : "would replay",
           letter->topic, letter->partition, letter->offset);
    if (partition != letter->partition)
        printf(" to partition %d", partition);
    printf(" (dead letter %d@%" PRId64 ", %s, %zu bytes)\n",
           letter->record->partition, letter->record->offset, letter->reason,
           letter->record->len);
}

static int replay_letter(struct run *run, const struct letter *letter)
{
    struct class *class = class_of(run, letter);
    if (!class)
        return CTL_FAILED;
    int64_t offset = letter->record->offset;
    int partition = letter->record->partition;
    if (offset < class->done[partition]) {
        run->before++;
        run->taken--; /* Does not count for --limit. */
        return CTL_GOOD;
    }
    if (!letter->complete || !input_of(run->brokers.conf, letter->topic)) {
        run->incomplete++;
        return CTL_GOOD;
    }
    int status = run->options->yes ? send_letter(run, letter) : CTL_GOOD;
    if (status != CTL_GOOD)
        return status;
    class->place[partition] = offset + 1;
    run->replayed++;
    run->bytes += (int64_t)letter->record->len;
    tell_letter(run, letter);
    return run->open_records >= TRANSACTION_RECORDS ||
                   run->open_bytes >= TRANSACTION_BYTES
               ? commit(run)
               : CTL_GOOD;
}

static void print_replayed(const struct run *run)
{
    printf("%" PRId64 " %s, %" PRId64 " bytes; %" PRId64
           " replayed before; %" PRId64
           " cannot be: cut short, or of no input\n",
           run->replayed, run->options->yes ? "replayed" : "would be replayed",
           run->bytes, run->before, run->incomplete);
    if (!run->options->yes && run->replayed)
        puts("Nothing was done. Say --yes to do it.");
}

/* ---- the verb ---------------------------------------------------------- */

static int take_letter(struct run *run, const struct letter *letter)
{
    run->taken++;
    switch (run->options->task) {
    case LIST:
        return count_letter(run, letter);
    case SHOW:
        show_letter(letter);
        return CTL_GOOD;
    case REPLAY:
        return replay_letter(run, letter);
    }
    return CTL_GOOD;
}

/* Every letter there is, or up to the limit. */
static int walk(struct run *run)
{
    struct scan_record record;
    int status = CTL_GOOD, answer = SCAN_NOTHING;
    while (status == CTL_GOOD && answer != SCAN_END &&
           (run->options->limit < 0 || run->taken < run->options->limit)) {
        struct letter letter;
        answer = brokers_next(&run->brokers, WAIT_MS, &record);
        if (answer < 0)
            return CTL_FAILED;
        if (answer != SCAN_RECORD)
            continue;
        read_letter(&letter, &record);
        if (is_wanted(run->options, &letter))
            status = take_letter(run, &letter);
    }
    return status;
}

static int work(struct run *run)
{
    struct brokers_range range = {.topic = run->name, .partition = -1};
    int status = brokers_open(&run->brokers, run->options->conf);
    if (status != CTL_GOOD)
        return status;
    client_topic(run->brokers.conf, BROKER_DEAD_LETTERS, run->name);
    status = brokers_add(&run->brokers, &range);
    char why[CLIENT_WHY_BYTES];
    if (status == CTL_GOOD)
        run->partitions = scan_partitions(run->brokers.scan, run->name, why);
    if (status == CTL_GOOD)
        status = walk(run);
    if (status == CTL_GOOD && run->options->task == LIST)
        print_tallies(run);
    if (status == CTL_GOOD && run->options->task == REPLAY) {
        status = commit(run);
        if (status == CTL_GOOD)
            print_replayed(run);
    }
    return status;
}

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"conf", required_argument, NULL, 'c'},
        {"reason", required_argument, NULL, 'r'},
        {"topic", required_argument, NULL, 't'},
        {"limit", required_argument, NULL, 'l'},
        {"yes", no_argument, NULL, 'y'},
        {"again", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.limit = -1};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        if (option == 'l' &&
            (options->limit = brokers_number(optarg, INT64_MAX)) < 1)
            return ctl_usage(argv[0], "--limit: a number from 1 on");
        options->conf = option == 'c' ? optarg : options->conf;
        options->reason = option == 'r' ? optarg : options->reason;
        options->topic = option == 't' ? optarg : options->topic;
        options->yes |= option == 'y';
        options->again |= option == 'a';
    }
    const char *task = argc - optind == 1 ? argv[optind] : "";
    options->task = !strcmp(task, "show")     ? SHOW
                    : !strcmp(task, "replay") ? REPLAY
                                              : LIST;
    if (options->task == LIST && strcmp(task, "list"))
        return ctl_usage(argv[0], "list, show or replay");
    if (options->task != REPLAY && (options->yes || options->again))
        return ctl_usage(argv[0], "--yes and --again are for replay");
    return CTL_GOOD;
}

int ctl_dead_letters(int argc, char **argv)
{
    struct options options;
    struct run run = {.options = &options};
    int status = read_options(&options, argc, argv);
    if (status == CTL_GOOD) {
        status = work(&run);
        if (run.open_records)
            sender_abort(run.sender);
        sender_close(run.sender);
    }
    brokers_close(&run.brokers);
    for (size_t i = 0; i < run.class_count; i++)
        class_done(&run.classes[i]);
    free(run.tallies);
    free(run.classes);
    return status;
}
