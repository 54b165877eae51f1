/* expect.c: what segmentd must say about given records, for the process tests.
 *
 *   expect SEGMENTS [--until INSTANT] [--memberships] [--triggers]
 *          [--dead-letters] < RECORDS
 *
 * RECORDS are lines {"topic", "partition", "offset", "timestamp", "value"}: per
 * partition in the order in which it merges them (record timestamp, topic,
 * offset); lines of different partitions may stand in any order. The value is
 * the text of a message, or null. The clock is that of `clock records`: the
 * greatest timestamp so far, of each partition by itself, and INSTANT (as in a
 * segment file, or ms) at the end.
 *
 * Lines out, per user in order:
 *   {"user", "segment", "member", "at", "entered_at", "seq", "cause",
 *    "partition", "source": {"topic", "offset", "messageId"} or null}
 *   {"user", "segment", "trigger", "on", "at", "seq", "partition", "source"}
 *   {"user", "partition", "memberships": {segment: entered_at}} at the end
 *   {"dead_letter": reason, "topic", "partition", "offset"} */
#include <assert.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/segment/check.h"
#include "lib/segment/parse.h"
#include "tests/model/oracle.h"

#define TOPICS_MAX     64
#define PARTITIONS_MAX 1024

struct record {
    int topic, partition;
    int64_t offset, timestamp_ms;
    char *value; /* Owned; NULL: none. */
};

struct expect {
    const char *segments;
    int64_t until_ms;
    int memberships, triggers, dead_letters;
    struct rules rules;
    char *topics[TOPICS_MAX]; /* Sorted. */
    int topic_count;
    struct record *records;
    size_t record_count, record_cap;
    struct oracle *oracles[PARTITIONS_MAX];
};

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "expect: %s%s%s\n", what, detail ? ": " : "",
            detail ? detail : "");
    exit(2);
}

/* ---- input --------------------------------------------------------------- */

static char *read_file(const char *name, size_t *len)
{
    FILE *file = fopen(name, "r");
    char *text = NULL;
    size_t size = 0;
    if (!file)
        die("cannot open", name);
    ssize_t n = getdelim(&text, &size, EOF, file);
    fclose(file);
    *len = n < 0 ? 0 : (size_t)n;
    return text;
}

static void load_segments(struct expect *x)
{
    struct seg_diagnostics *diagnostics;
    size_t len;
    char *text = read_file(x->segments, &len);
    struct seg_source source = {x->segments, text, len};
    rules_init(&x->rules);
    if (seg_diagnostics_new(&diagnostics) < 0)
        die("out of memory", NULL);
    int result = parse_source(&x->rules, &source, diagnostics);
    if (!result)
        result = check_rules(&x->rules, diagnostics);
    for (int i = 0; result && i < seg_diagnostics_count(diagnostics); i++)
        fprintf(stderr, "%s\n", seg_diagnostics_at(diagnostics, i)->message);
    if (result)
        die("does not check", x->segments);
    seg_diagnostics_free(diagnostics);
    free(text);
}

/* The number of the topic NAME, in order of arrival yet. */
static int topic_number(struct expect *x, const char *name)
{
    for (int i = 0; i < x->topic_count; i++)
        if (!strcmp(x->topics[i], name))
            return i;
    if (x->topic_count == TOPICS_MAX)
        die("too many topics", name);
    x->topics[x->topic_count] = strdup(name);
    return x->topic_count++;
}

static void add_record(struct expect *x, const char *line)
{
    json_error_t error;
    json_t *json = json_loads(line, JSON_ALLOW_NUL, &error);
    const char *topic;
    json_int_t partition = 0, offset = 0, timestamp = 0;
    if (!json || json_unpack_ex(json, &error, 0, "{s:s,s:I,s:I,s:I}", "topic",
                                &topic, "partition", &partition, "offset",
                                &offset, "timestamp", &timestamp) < 0)
        die("a line is no record", error.text);
    if (partition < 0 || partition >= PARTITIONS_MAX)
        die("a partition is out of range", line);
    if (x->record_count == x->record_cap) {
        x->record_cap = x->record_cap ? 2 * x->record_cap : 4096;
        x->records = realloc(x->records, x->record_cap * sizeof(*x->records));
        assert(x->records);
    }
    const char *value = json_string_value(json_object_get(json, "value"));
    x->records[x->record_count++] =
        (struct record){topic_number(x, topic), (int)partition, offset,
                        timestamp, value ? strdup(value) : NULL};
    json_decref(json);
}

static void read_records(struct expect *x)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0)
        if (line[strspn(line, " \t\r\n")])
            add_record(x, line);
    free(line);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Topics are numbered by name: that is their order. */
static void sort_topics(struct expect *x)
{
    char *old[TOPICS_MAX];
    int place[TOPICS_MAX];
    memcpy(old, x->topics, sizeof(old));
    qsort(x->topics, (size_t)x->topic_count, sizeof(*x->topics), by_name);
    for (int i = 0; i < x->topic_count; i++)
        for (int j = 0; j < x->topic_count; j++)
            if (!strcmp(old[i], x->topics[j]))
                place[i] = j;
    for (size_t i = 0; i < x->record_count; i++)
        x->records[i].topic = place[x->records[i].topic];
}

/* ---- output -------------------------------------------------------------- */

static json_t *json_of_text(struct seg_text text)
{
    return text.bytes ? json_stringn(text.bytes, text.len) : json_null();
}

static json_t *json_of_instant(int64_t ms)
{
    char text[25];
    instant_string(text, ms);
    return json_string(text);
}

static void print(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

static json_t *json_of_source(const struct expect *x,
                              const struct oracle_change *c)
{
    if (c->source_topic < 0)
        return json_null();
    return json_pack("{s:s,s:I,s:o}", "topic", x->topics[c->source_topic],
                     "offset", (json_int_t)c->source_offset, "messageId",
                     json_of_text(c->message_id));
}

static void print_change(const struct expect *x, int partition,
                         const struct oracle_change *c)
{
    const struct rule_segment *segment = &x->rules.segments[c->segment];
    json_t *json = json_pack(
        "{s:o,s:s,s:o,s:I,s:i,s:o}", "user",
        json_of_text(oracle_user_id(c->user)), "segment", segment->key.bytes,
        "at", json_of_instant(c->at_ms), "seq", (json_int_t)c->seq, "partition",
        partition, "source", json_of_source(x, c));
    if (c->trigger >= 0) {
        json_object_set_new(json, "trigger",
                            json_of_text(segment->triggers[c->trigger].name));
        json_object_set_new(json, "on",
                            json_string(c->member ? "enter" : "exit"));
    } else {
        json_object_set_new(json, "member", json_boolean(c->member));
        json_object_set_new(json, "entered_at",
                            json_of_instant(c->entered_at_ms));
        json_object_set_new(json, "cause",
                            json_string(c->cause == SEG_CAUSE_TIMER ? "timer"
                                        : c->cause == SEG_CAUSE_EVENT
                                            ? "event"
                                            : "attribute"));
    }
    print(json);
}

static void print_changes(const struct expect *x, int partition)
{
    size_t count;
    struct oracle *oracle = x->oracles[partition];
    const struct oracle_change *changes = oracle_changes(oracle, &count);
    for (size_t i = 0; i < count; i++)
        if (changes[i].trigger < 0 || x->triggers)
            print_change(x, partition, &changes[i]);
    oracle_changes_clear(oracle);
}

static void print_dead_letter(const struct expect *x, const struct record *r,
                              int reason)
{
    if (x->dead_letters)
        print(json_pack("{s:s,s:s,s:i,s:I}", "dead_letter",
                        seg_error_name(reason), "topic", x->topics[r->topic],
                        "partition", r->partition, "offset",
                        (json_int_t)r->offset));
}

static void print_memberships(const struct expect *x, int partition)
{
    const struct oracle *oracle = x->oracles[partition];
    for (int u = 0; u < oracle_user_count(oracle); u++) {
        const struct oracle_user *user = oracle_user_at(oracle, u);
        json_t *in = json_object();
        int64_t entered_at_ms;
        for (int s = 0; s < x->rules.segment_count; s++)
            if (oracle_member(user, s, &entered_at_ms))
                json_object_set_new(in, x->rules.segments[s].key.bytes,
                                    json_of_instant(entered_at_ms));
        print(json_pack("{s:o,s:i,s:o}", "user",
                        json_of_text(oracle_user_id(user)), "partition",
                        partition, "memberships", in));
    }
}

/* ---- run ----------------------------------------------------------------- */

static struct oracle *oracle_of(struct expect *x, int partition)
{
    struct oracle_options options = {.rules = &x->rules,
                                     .trigger_max_age_ms = SEG_NEVER};
    if (!x->oracles[partition])
        x->oracles[partition] = oracle_new(&options);
    return x->oracles[partition];
}

static void run_record(struct expect *x, const struct record *r)
{
    struct oracle *oracle = oracle_of(x, r->partition);
    oracle_set_clock(oracle, r->timestamp_ms);
    int result = oracle_apply(oracle, r->value ? r->value : "",
                              r->value ? strlen(r->value) : 0, r->topic,
                              r->offset, r->timestamp_ms);
    if (result < 0)
        print_dead_letter(x, r, result);
    print_changes(x, r->partition);
}

static void run_end(struct expect *x, int partition)
{
    struct oracle *oracle = x->oracles[partition];
    if (!oracle)
        return;
    oracle_set_clock(oracle, x->until_ms);
    oracle_settle(oracle);
    print_changes(x, partition);
    if (x->memberships)
        print_memberships(x, partition);
    oracle_free(oracle);
}

static int64_t read_instant(const char *text)
{
    int64_t ms;
    char *end;
    if (instant_parse(text_of(text), &ms) == 0)
        return ms;
    ms = strtoll(text, &end, 10);
    if (*end || end == text)
        die("no instant", text);
    return ms;
}

static int read_options(int argc, char **argv, struct expect *x)
{
    static const struct option names[] = {
        {"until", required_argument, NULL, 'u'},
        {"memberships", no_argument, NULL, 'm'},
        {"triggers", no_argument, NULL, 't'},
        {"dead-letters", no_argument, NULL, 'd'},
        {NULL, 0, NULL, 0}};
    int c;
    x->until_ms = INT64_MIN;
    while ((c = getopt_long(argc, argv, "", names, NULL)) >= 0) {
        if (c == '?')
            return -1;
        if (c == 'u')
            x->until_ms = read_instant(optarg);
        x->memberships |= c == 'm';
        x->triggers |= c == 't';
        x->dead_letters |= c == 'd';
    }
    if (optind != argc - 1)
        return -1;
    x->segments = argv[optind];
    return 0;
}

int main(int argc, char **argv)
{
    static struct expect x;
    if (read_options(argc, argv, &x) < 0) {
        fputs("usage: expect SEGMENTS [--until INSTANT] [--memberships] "
              "[--triggers] [--dead-letters] < RECORDS\n",
              stderr);
        return 2;
    }
    load_segments(&x);
    read_records(&x);
    sort_topics(&x);
    for (size_t i = 0; i < x.record_count; i++) {
        run_record(&x, &x.records[i]);
        free(x.records[i].value);
    }
    for (int p = 0; p < PARTITIONS_MAX; p++)
        run_end(&x, p);
    for (int i = 0; i < x.topic_count; i++)
        free(x.topics[i]);
    free(x.records);
    rules_done(&x.rules);
    return 0;
}
