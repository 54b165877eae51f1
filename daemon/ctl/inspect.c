/* inspect.c: segmentctl inspect: what stands in Kafka, decoded, as JSON lines.
 *
 *     state      the state topic as it is: meta records and users; a later
 *                record of a key takes the place of an earlier one
 *     changes    and triggers: committed ones, with where they stand
 *     offsets    of the inputs: what is committed, with its metadata, and the
 *                ends
 *
 * A user record is read by the engine itself, with the segments of the
 * configuration, and asked what it knows: there is no second parser that could
 * be of another opinion. Each partition has an engine of its own, which knows
 * the catalogue record that stood before in that partition: it has the names of
 * segments that the configuration does not have any more. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/engine.h>
#include <seg/error.h>
#include <seg/query.h>

#include "daemon/base/as_json.h"
#include "daemon/base/segments.h"
#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/protocol/meta.h"
#include "lib/base/text.h"

#define WAIT_MS   1000
#define KEY_BYTES 256  /* A segment's key is shorter. */
#define USERS_MAX 1000 /* Then a new engine: memory stays bounded. */

enum task { STATE, CHANGES, TRIGGERS, TRAITS, OFFSETS };

struct options {
    const char *conf, *user; /* NULL: any. */
    int partition;           /* -1: all. */
    enum task task;
};

/* What reads the user records of a partition. */
struct place {
    struct buf record; /* Of its catalogue; empty: there was none so far. */
    struct seg_engine *engine;
    int users; /* That it has seen. */
};

struct inspect {
    const struct options *options;
    struct brokers brokers;
    char topic[CLIENT_TOPIC_BYTES];
    /* For user records. */
    struct seg_catalogue *catalogue;
    struct place *places; /* By partition. */
    int place_count;
};

static json_t *hex_json(uint64_t number)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, number);
    return json_string(text);
}

/* What every line about RECORD begins with. */
static json_t *line_of(const struct scan_record *record)
{
    json_t *json = json_object();
    json_object_set_new(json, "topic", json_string(record->topic));
    json_object_set_new(json, "partition", json_integer(record->partition));
    json_object_set_new(json, "offset", json_integer(record->offset));
    json_object_set_new(json, "timestamp",
                        as_json_instant(record->timestamp_ms));
    return json;
}

/* ---- meta records ------------------------------------------------------ */

static json_t *mark_json(const struct meta_mark *mark)
{
    json_t *json = json_object();
    json_object_set_new(json, "position", json_integer(mark->position));
    if (mark->witness < 0) {
        json_object_set_new(json, "witness", json_null());
        return json;
    }
    json_object_set_new(json, "witness",
                        json_pack("{s:I, s:o, s:o}", "offset",
                                  (json_int_t)mark->witness, "timestamp",
                                  as_json_instant(mark->timestamp_ms),
                                  "checksum", hex_json(mark->checksum)));
    return json;
}

static json_t *inputs_json(const struct meta *meta)
{
    json_t *inputs = json_array();
    for (int i = 0; i < meta->input_count; i++) {
        const struct meta_input *input = &meta->inputs[i];
        json_t *json = json_object();
        json_object_set_new(json, "topic",
                            brokers_text(input->topic.bytes, input->topic.len));
        json_object_set_new(json, "committed", json_integer(input->offset));
        json_object_set_new(json, "redo", mark_json(&input->redo));
        json_array_append_new(inputs, json);
    }
    return inputs;
}

static json_t *outputs_json(const struct meta *meta)
{
    static const char *const names[META_OUTPUTS] = {"changes", "triggers",
                                                    "dead-letters"};
    json_t *outputs = json_object();
    for (int i = 0; i < META_OUTPUTS; i++) {
        const struct meta_output *output = &meta->outputs[i];
        json_t *json = json_object();
        json_object_set_new(json, "fold", mark_json(&output->fold));
        json_object_set_new(json, "tail", json_integer(output->tail));
        json_object_set_new(json, "own", json_integer(output->own));
        json_object_set_new(outputs, names[i], json);
    }
    return outputs;
}

static json_t *offsets_json(const struct meta_offsets *offsets)
{
    json_t *json = json_object();
    json_object_set_new(json, "txn", json_integer((json_int_t)offsets->txn));
    json_object_set_new(json, "clock", as_json_instant(offsets->clock_ms));
    json_object_set_new(json, "tag", hex_json(offsets->tag));
    return json;
}

static void add_meta(json_t *line, const struct scan_record *record)
{
    struct meta *meta = calloc(1, sizeof(*meta));
    struct seg_error detail = {.message = ""};
    int r = meta ? meta_read(meta, record->value, record->len, &detail)
                 : SEG_ERR_NOMEM;
    if (r < 0) {
        json_object_set_new(line, "error", json_string(seg_error_sentence(r)));
    } else {
        json_t *json = offsets_json(&meta->offsets);
        json_object_set_new(json, "incarnation", hex_json(meta->incarnation));
        json_object_set_new(json, "catalogue", json_string(meta->catalogue));
        json_object_set_new(json, "swept", json_boolean(meta->swept));
        json_object_set_new(json, "inputs", inputs_json(meta));
        json_object_set_new(json, "outputs", outputs_json(meta));
        json_object_set_new(line, "meta", json);
    }
    free(meta);
}

/* ---- user records ------------------------------------------------------ */

static void add_attribute(void *arg, const struct seg_attribute *attribute)
{
    json_t *of = json_object_get(arg, attribute->account ? "account" : "user");
    char *name = strndup(attribute->name.bytes, attribute->name.len);
    if (name)
        json_object_set_new(of, name, as_json_value(&attribute->value));
    free(name);
}

/* A segment that the catalogue does not have any more may have no name here. */
static json_t *memberships_json(const struct seg_engine *engine,
                                const struct seg_user *user)
{
    int count = seg_user_memberships(engine, user, NULL, 0);
    struct seg_membership *all = calloc((size_t)count + 1, sizeof(*all));
    json_t *json = json_object();
    if (all)
        seg_user_memberships(engine, user, all, count);
    for (int i = 0; all && i < count; i++) {
        char key[KEY_BYTES] = "(gone)";
        if (all[i].key.bytes)
            snprintf(key, sizeof(key), "%.*s", (int)all[i].key.len,
                     all[i].key.bytes);
        json_object_set_new(json, key, as_json_instant(all[i].entered_at_ms));
    }
    free(all);
    return json;
}

static json_t *user_json(const struct seg_engine *engine,
                         const struct seg_user *user)
{
    struct seg_user_info info;
    json_t *json = json_object();
    json_t *attributes = json_pack("{s:o, s:o}", "user", json_object(),
                                   "account", json_object());
    seg_user_info(engine, user, &info);
    json_object_set_new(json, "account",
                        brokers_text(info.account.bytes, info.account.len));
    json_object_set_new(json, "seq", json_integer(info.seq));
    json_object_set_new(json, "trigger_seq", json_integer(info.trigger_seq));
    json_object_set_new(json, "last_change_at",
                        as_json_instant(info.last_change_ms));
    json_object_set_new(json, "memberships", memberships_json(engine, user));
    seg_user_attributes(engine, user, add_attribute, attributes);
    json_object_set_new(json, "attributes", attributes);
    return json;
}

/* An engine for PLACE that knows the partition's catalogue record. */
static int engine_new(const struct inspect *inspect, struct place *place)
{
    static const int64_t positions[CONF_INPUTS_MAX];
    const struct conf *conf = inspect->brokers.conf;
    const char *topics[CONF_INPUTS_MAX];
    for (int i = 0; i < conf->input_count; i++)
        topics[i] = conf->inputs[i].topic;
    struct seg_engine_options options = {
        .catalogue = inspect->catalogue,
        .topic_count = conf->input_count,
        .topics = topics,
        .user_bytes_max = (uint32_t)conf->user_bytes,
        .attribute_bytes = (uint32_t)conf->attribute_bytes};
    seg_engine_free(place->engine);
    place->engine = NULL;
    place->users = 0;
    int r = seg_engine_new(&place->engine, &options);
    return r < 0 || !place->record.len
               ? r
               : seg_engine_restore_catalogue(
                     place->engine, place->record.bytes, place->record.len,
                     positions, INT64_MIN, NULL);
}

/* The place of PARTITION; NULL: no memory. */
static struct place *place_of(struct inspect *inspect, int partition)
{
    int count = partition + 1;
    if (inspect->place_count < count) {
        struct place *places =
            realloc(inspect->places, (size_t)count * sizeof(*places));
        if (!places)
            return NULL;
        inspect->places = places;
    }
    for (; inspect->place_count < count; inspect->place_count++) {
        struct place *place = &inspect->places[inspect->place_count];
        *place = (struct place){.engine = NULL};
        buf_init(&place->record);
    }
    return &inspect->places[partition];
}

static void places_done(struct inspect *inspect)
{
    for (int p = 0; p < inspect->place_count; p++) {
        seg_engine_free(inspect->places[p].engine);
        buf_done(&inspect->places[p].record);
    }
    free(inspect->places);
}

/* Read RECORD of user ID. Returns 0 and him, or what is wrong. */
static int read_user(struct inspect *inspect, struct seg_text id,
                     const struct scan_record *record, struct place **place,
                     const struct seg_user **user)
{
    int r = 0;
    *place = place_of(inspect, record->partition);
    if (!*place)
        return SEG_ERR_NOMEM;
    if (!(*place)->engine || (*place)->users++ >= USERS_MAX)
        r = engine_new(inspect, *place);
    if (r >= 0)
        r = seg_engine_restore_user((*place)->engine, record->value,
                                    record->len, NULL);
    *user = r < 0 ? NULL : seg_user_find((*place)->engine, id);
    return r;
}

static void add_user(struct inspect *inspect, json_t *line, struct seg_text id,
                     const struct scan_record *record)
{
    const struct seg_user *user = NULL;
    struct place *place;
    int r = read_user(inspect, id, record, &place, &user);
    json_object_set_new(line, "user", brokers_text(id.bytes, id.len));
    json_object_set_new(line, "bytes", json_integer((json_int_t)record->len));
    if (user)
        json_object_set_new(line, "state", user_json(place->engine, user));
    else
        json_object_set_new(line, "error",
                            json_string(r < 0 ? seg_error_sentence(r)
                                              : "it is another user's"));
}

/* The engine's own matter: all that can be told is whether it can be read. What
 * cannot is not used. Returns 0, or what is wrong. */
static int take_catalogue(struct inspect *inspect,
                          const struct scan_record *record)
{
    struct place *place = place_of(inspect, record->partition);
    if (!place)
        return SEG_ERR_NOMEM;
    buf_reset(&place->record);
    buf_add(&place->record, record->value, record->len);
    int r =
        buf_failed(&place->record) ? SEG_ERR_NOMEM : engine_new(inspect, place);
    if (r < 0) {
        buf_reset(&place->record);
        seg_engine_free(place->engine);
        place->engine = NULL;
    }
    return r;
}

static void add_catalogue(json_t *line, const struct scan_record *record, int r)
{
    json_object_set_new(line, "catalogue",
                        json_pack("{s:I}", "bytes", (json_int_t)record->len));
    if (r < 0)
        json_object_set_new(line, "error", json_string(seg_error_sentence(r)));
}

/* ---- one record -------------------------------------------------------- */

static void print_state(struct inspect *inspect,
                        const struct scan_record *record)
{
    struct seg_text id = {NULL, 0};
    enum meta_key kind = record->key
                             ? meta_key_read(record->key, record->key_len, &id)
                             : META_KEY_IS_UNKNOWN;
    const char *user = inspect->options->user;
    int r = kind == META_KEY_IS_CATALOGUE && record->value
                ? take_catalogue(inspect, record)
                : 0;
    if (user && (kind != META_KEY_IS_USER || !text_equal(id, text_of(user))))
        return;
    json_t *line = line_of(record);
    if (!record->value)
        json_object_set_new(line, "deleted",
                            brokers_text(record->key, record->key_len));
    else if (kind == META_KEY_IS_META)
        add_meta(line, record);
    else if (kind == META_KEY_IS_CATALOGUE)
        add_catalogue(line, record, r);
    else if (kind == META_KEY_IS_USER)
        add_user(inspect, line, id, record);
    else
        json_object_set_new(
            line, "error",
            json_string("no key of segmentd's, or a newer one's"));
    brokers_print(line);
}

static void print_output(const struct inspect *inspect,
                         const struct scan_record *record)
{
    const char *user = inspect->options->user;
    if (user && !text_equal((struct seg_text){record->key, record->key_len},
                            text_of(user)))
        return;
    json_t *line = line_of(record);
    json_t *value = record->value ? json_loadb(record->value, record->len,
                                               JSON_ALLOW_NUL, NULL)
                                  : NULL;
    json_object_set_new(line, "key",
                        brokers_text(record->key, record->key_len));
    json_object_set_new(line, "value",
                        value ? value
                              : brokers_text(record->value, record->len));
    brokers_print(line);
}

static int print_records(struct inspect *inspect)
{
    struct brokers_range range = {.topic = inspect->topic,
                                  .partition = inspect->options->partition};
    struct scan_record record;
    int answer = SCAN_NOTHING;
    if (brokers_add(&inspect->brokers, &range) != CTL_GOOD)
        return CTL_FAILED;
    while (answer != SCAN_END && !ferror(stdout)) {
        answer = brokers_next(&inspect->brokers, WAIT_MS, &record);
        if (answer < 0)
            return CTL_FAILED;
        if (answer == SCAN_RECORD && inspect->options->task == STATE)
            print_state(inspect, &record);
        else if (answer == SCAN_RECORD)
            print_output(inspect, &record);
    }
    return CTL_GOOD;
}

/* ---- offsets ----------------------------------------------------------- */

static int print_offset(struct inspect *inspect, const char *topic,
                        int partition, int64_t committed, const char *metadata)
{
    char why[CLIENT_WHY_BYTES] = "";
    struct meta_offsets offsets;
    int64_t low, high;
    if (scan_bounds(inspect->brokers.scan, topic, partition, &low, &high, why) <
        0)
        return ctl_fail("%s", why);
    json_t *line = json_object();
    json_object_set_new(line, "topic", json_string(topic));
    json_object_set_new(line, "partition", json_integer(partition));
    json_object_set_new(line, "committed",
                        committed < 0 ? json_null() : json_integer(committed));
    json_object_set_new(line, "low", json_integer(low));
    json_object_set_new(line, "high", json_integer(high));
    json_object_set_new(line, "lag",
                        committed < 0 ? json_null()
                                      : json_integer(high - committed));
    if (!meta_offsets_read(metadata, &offsets))
        json_object_set_new(line, "metadata", offsets_json(&offsets));
    else
        json_object_set_new(line, "metadata", json_string(metadata));
    brokers_print(line);
    return CTL_GOOD;
}

static int print_input(struct inspect *inspect, const char *topic)
{
    char why[CLIENT_WHY_BYTES] = "";
    const struct conf *conf = inspect->brokers.conf;
    struct scan *scan = inspect->brokers.scan;
    int only = inspect->options->partition;
    int count = scan_partitions(scan, topic, why);
    if (count < 0)
        return ctl_fail("%s", why);
    if (only >= count)
        return ctl_fail("%s has partitions 0 to %d", topic, count - 1);
    int64_t *offsets = calloc((size_t)count, sizeof(*offsets));
    char(*metadata)[SCAN_METADATA_BYTES] =
        calloc((size_t)count, sizeof(*metadata));
    int status = CTL_GOOD;
    if (!offsets || !metadata)
        status = ctl_fail("out of memory");
    else if (scan_committed(scan, conf_group(conf), topic, count, offsets,
                            metadata, why) < 0)
        status = ctl_fail("%s", why);
    for (int p = 0; p < count && status == CTL_GOOD; p++)
        if (only < 0 || p == only)
            status = print_offset(inspect, topic, p, offsets[p], metadata[p]);
    free(offsets);
    free(metadata);
    return status;
}

static int print_offsets(struct inspect *inspect)
{
    const struct conf *conf = inspect->brokers.conf;
    int status = CTL_GOOD;
    for (int i = 0; i < conf->input_count && status == CTL_GOOD; i++)
        status = print_input(inspect, conf->inputs[i].topic);
    return status;
}

/* ---- the verb ---------------------------------------------------------- */

static int compile(struct inspect *inspect)
{
    const struct conf *conf = inspect->brokers.conf;
    struct buf errors;
    buf_init(&errors);
    int r = segments_compile(&inspect->catalogue, conf->segments.items,
                             conf->segments.count, &errors, NULL);
    fputs(buf_string(&errors), stderr);
    buf_done(&errors);
    return r < 0 ? ctl_fail("without its segments no user record can be read")
                 : CTL_GOOD;
}

static int work(struct inspect *inspect)
{
    static const int topics[] = {[STATE] = BROKER_STATE,
                                 [CHANGES] = BROKER_CHANGES,
                                 [TRIGGERS] = BROKER_TRIGGERS,
                                 [TRAITS] = BROKER_TRAITS};
    enum task task = inspect->options->task;
    int status = brokers_open(&inspect->brokers, inspect->options->conf);
    if (status == CTL_GOOD && task == STATE)
        status = compile(inspect);
    if (status != CTL_GOOD)
        return status;
    if (task == OFFSETS)
        return print_offsets(inspect);
    client_topic(inspect->brokers.conf, topics[task], inspect->topic);
    return print_records(inspect);
}

static int read_task(enum task *task, const char *word)
{
    static const char *const words[] = {[STATE] = "state",
                                        [CHANGES] = "changes",
                                        [TRIGGERS] = "triggers",
                                        [TRAITS] = "traits",
                                        [OFFSETS] = "offsets"};
    for (int i = STATE; i <= OFFSETS; i++)
        if (!strcmp(words[i], word)) {
            *task = (enum task)i;
            return 0;
        }
    return SEG_ERR_NOT_FOUND;
}

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"conf", required_argument, NULL, 'c'},
        {"partition", required_argument, NULL, 'p'},
        {"user", required_argument, NULL, 'u'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.partition = -1};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        if (option == 'p' &&
            (options->partition = (int)brokers_number(optarg, INT32_MAX)) < 0)
            return ctl_usage(argv[0], "--partition: a number from 0 on");
        options->conf = option == 'c' ? optarg : options->conf;
        options->user = option == 'u' ? optarg : options->user;
    }
    if (argc - optind != 1 || read_task(&options->task, argv[optind]) < 0)
        return ctl_usage(argv[0], "state, changes, triggers, traits or "
                                  "offsets");
    if (options->user && options->task == OFFSETS)
        return ctl_usage(argv[0], "--user is not for offsets");
    return CTL_GOOD;
}

int ctl_inspect(int argc, char **argv)
{
    struct options options;
    struct inspect inspect = {.options = &options};
    int status = read_options(&options, argc, argv);
    if (status == CTL_GOOD)
        status = work(&inspect);
    places_done(&inspect);
    seg_catalogue_free(inspect.catalogue);
    brokers_close(&inspect.brokers);
    return status;
}
