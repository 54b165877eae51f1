/* conf.c: segmentd.conf, read and checked.
 *
 * Every field gets its initial value from the table, by the same reader as a
 * value of the file; then the file is read over it; then come the checks that
 * concern more than one setting. */
#include "daemon/base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/conf_read.h"
#include "daemon/base/conf_value.h"
#include "daemon/base/file.h"
#include "lib/base/text.h"

#define TOKEN_BYTES_MIN 16  /* Of http.token: what nobody guesses. */
#define PROCESS_BYTES   300 /* A host name, or `process`, and a port. */

/* ---- initial values -------------------------------------------------- */

static int set_initial(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    for (int i = 0; conf_row(i); i++) {
        const struct conf_row *row = conf_row(i);
        if (row->input || !row->initial)
            continue;
        struct seg_text text = text_of(row->initial);
        if (row->type == CONF_PATHS)
            text = text_of(conf_resolve(reader, text));
        const char *wrong = conf_value_read(&conf->arena, row, text,
                                            (char *)conf + row->offset);
        if (wrong)
            return SEG_ERR_NOMEM; /* A test holds the table to its ranges. */
    }
    return 0;
}

/* ---- checks ---------------------------------------------------------- */

#define complain(reader, token, ...) \
    conf_complain(reader, token,     \
                  arena_printf(&(reader)->conf->arena, __VA_ARGS__), NULL)

static const struct token *token_of(const struct conf_reader *reader,
                                    const char *name)
{
    return &reader->set[conf_row_find(text_of(name))];
}

/* Where the value of NAME stands, or the end of the file. */
static const struct token *place_of(const struct conf_reader *reader,
                                    const char *name)
{
    const struct token *token = token_of(reader, name);
    return token->kind == TOKEN_END ? &reader->token : token;
}

static int is_output(const struct conf *conf, const char *topic)
{
    static const char *const outputs[] = {".changes", ".triggers", ".traits",
                                          ".state", ".dead-letters"};
    size_t len = strlen(conf->app);
    if (strncmp(topic, conf->app, len))
        return 0;
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
        if (!strcmp(topic + len, outputs[i]))
            return 1;
    return 0;
}

static void check_input(struct conf_reader *reader, int index,
                        const struct conf_options *options)
{
    const struct conf_input *input = &reader->conf->inputs[index];
    const struct token *topic = &reader->topics[index];
    int partitioner = conf_row_find(text_of("input.partitioner"));
    int start = conf_row_find(text_of("input.start"));
    if (is_output(reader->conf, input->topic))
        complain(reader, topic,
                 "%s is written by segmentd itself; it cannot be an input.",
                 input->topic);
    if (!reader->input_set[index][partitioner])
        complain(reader, topic,
                 "This input names no partitioner. Which one made its "
                 "partitions? murmur2 if Java clients produce to it (and "
                 "Kafka Connect, Streams), crc32 if librdkafka does (Go, "
                 "Python, C#, ...), trust if it was something else.");
    if (!reader->input_set[index][start])
        complain(reader, topic,
                 "This input names no start. What should a partition begin "
                 "with that was never read? earliest: everything that is "
                 "there; latest: what comes from now on; or an instant such "
                 "as 2026-01-31.");
    else if (options->embedded && input->start.kind == CONF_INSTANT)
        complain(reader, topic,
                 "With --embedded an input cannot start at an instant.");
}

static void check_inputs(struct conf_reader *reader,
                         const struct conf_options *options)
{
    if (!reader->conf->input_count)
        complain(reader, &reader->token,
                 "There is no input: input \"TOPIC\" { partitioner murmur2  "
                 "start earliest } says what is read.");
    for (int i = 0; i < reader->conf->input_count; i++)
        check_input(reader, i, options);
}

static const char *property(const struct conf *conf, const char *name)
{
    for (int i = 0; i < conf->property_count; i++)
        if (!strcmp(conf->properties[i].name, name))
            return conf->properties[i].value.value;
    return NULL;
}

static void check_http(struct conf_reader *reader,
                       const struct conf_options *options)
{
    const struct conf *conf = reader->conf;
    size_t token_len = strlen(conf->http_token.value);
    if (conf->http_address.port < 0)
        complain(reader, place_of(reader, "http.address"),
                 "http.address is host:port, as in \"127.0.0.1:7070\".");
    else if (!conf_address_is_loopback(&conf->http_address) && !token_len)
        complain(reader, place_of(reader, "http.address"),
                 "This address can be reached from other machines: add token "
                 "file \"PATH\", or use 127.0.0.1.");
    else if (!conf_address_is_loopback(&conf->http_address) &&
             !conf->http_token.file)
        complain(reader, place_of(reader, "http.token"),
                 "Other machines reach this address, and whoever may read this "
                 "file knows the token: put it into a file of mode 0600 and "
                 "write token file \"PATH\", or use 127.0.0.1.");
    if (*conf->http_advertise.text && conf->http_advertise.port < 1)
        complain(reader, place_of(reader, "http.advertise"),
                 "http.advertise is host:port, as in \"10.0.0.5:7070\".");
    if (token_len && token_len < TOKEN_BYTES_MIN)
        complain(reader, place_of(reader, "http.token"),
                 "A token has at least %d bytes; `openssl rand -hex 32` makes "
                 "a good one.",
                 TOKEN_BYTES_MIN);
    if (!conf->http_address.port && !*conf->process && !*conf->instance_id &&
        !options->embedded)
        complain(reader, place_of(reader, "http.address"),
                 "With port 0 this process has no lasting name: set process.");
}

static void check_redis(struct conf_reader *reader)
{
    if (*reader->conf->redis_address.text)
        return;
    for (int i = 0; conf_row(i); i++)
        if (!strncmp(conf_row(i)->name, "redis.", 6) &&
            reader->set[i].kind != TOKEN_END) {
            complain(reader, &reader->set[i], "redis { } has no address.");
            return;
        }
}

static void check(struct conf_reader *reader,
                  const struct conf_options *options)
{
    const struct conf *conf = reader->conf;
    check_inputs(reader, options);
    check_http(reader, options);
    check_redis(reader);
    if (!options->embedded && !property(conf, "bootstrap.servers"))
        complain(reader, &reader->token,
                 "Where is Kafka? kafka { bootstrap.servers = \"host:9092\" } "
                 "says it.");
}

/* ---- loading --------------------------------------------------------- */

static int by_topic(const void *a, const void *b)
{
    return strcmp(((const struct conf_input *)a)->topic,
                  ((const struct conf_input *)b)->topic);
}

static int read_and_check(struct conf_reader *reader,
                          const struct conf_options *options)
{
    struct conf *conf = reader->conf;
    const char *slash = strrchr(reader->path, '/');
    reader->folder =
        arena_printf(&conf->arena, "%.*s",
                     slash ? (int)(slash + 1 - reader->path) : 0, reader->path);
    if (!reader->folder || set_initial(reader) < 0)
        return SEG_ERR_NOMEM;
    conf->path = arena_text(&conf->arena, text_of(reader->path)).bytes;
    conf_read(reader);
    if (!reader->error_count && !reader->failed)
        check(reader, options);
    if (reader->failed || !conf->path || buf_failed(reader->errors))
        return SEG_ERR_NOMEM;
    /* The mock's group does not always get over two who join at once. */
    if (options->embedded && !conf->workers)
        conf->workers = 1;
    if (options->run_directory)
        conf->run_directory =
            arena_text(&conf->arena, text_of(options->run_directory)).bytes;
    qsort(conf->inputs, (size_t)conf->input_count, sizeof(*conf->inputs),
          by_topic);
    return reader->error_count ? SEG_ERR_SYNTAX : 0;
}

int conf_parse(struct conf **ret, const char *path, struct seg_text text,
               const struct conf_options *options, struct buf *errors)
{
    struct conf *conf = calloc(1, sizeof(*conf));
    struct conf_reader *reader = calloc(1, sizeof(*reader));
    int err = SEG_ERR_NOMEM;
    if (!conf || !reader)
        goto done;
    arena_init(&conf->arena);
    reader->conf = conf;
    reader->path = path;
    reader->text = text.bytes ? text : text_of("");
    reader->errors = errors;
    err = read_and_check(reader, options);
    if (err < 0)
        goto done;
    *ret = conf;
    conf = NULL;
done:
    free(reader);
    conf_free(conf);
    return err;
}

int conf_load(struct conf **ret, const char *path,
              const struct conf_options *options, struct buf *errors)
{
    struct arena arena;
    struct seg_text text;
    arena_init(&arena);
    int err = file_read(&arena, path, CONF_BYTES_MAX, &text, errors);
    if (!err)
        err = conf_parse(ret, path, text, options, errors);
    arena_done(&arena);
    return err;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    arena_done(&conf->arena);
    free(conf);
}

/* ---- printing -------------------------------------------------------- */

/* Properties that hold secrets, by a part of their name. */
static int is_secret(const char *name)
{
    static const char *const parts[] = {"password", "secret", "key.pem",
                                        "oauthbearer.config", "jaas"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strstr(name, parts[i]))
            return 1;
    return 0;
}

static void print_properties(const struct conf *conf, struct buf *out)
{
    buf_str(out, "kafka {\n");
    for (int i = 0; i < conf->property_count; i++) {
        const struct conf_property *one = &conf->properties[i];
        buf_str(out, "    ");
        buf_json_text(out, text_of(one->name));
        buf_str(out, " = ");
        if (one->value.file || is_secret(one->name))
            conf_secret_print(out, &one->value);
        else
            buf_json_text(out, text_of(one->value.value));
        buf_char(out, '\n');
    }
    buf_str(out, "}\n");
}

/* The rows of BLOCK ("" or "http." and so on), their fields in BASE. */
static void print_rows(struct buf *out, const char *block, const void *base)
{
    size_t len = strlen(block);
    for (int i = 0; conf_row(i); i++) {
        const struct conf_row *row = conf_row(i);
        const char *name = row->name + len;
        if (strncmp(row->name, block, len) || strchr(name, '.'))
            continue;
        buf_printf(out, "%s%s ", len ? "    " : "", name);
        conf_value_print(out, row, (const char *)base + row->offset);
        buf_char(out, '\n');
    }
}

void conf_print(const struct conf *conf, struct buf *out)
{
    char process[PROCESS_BYTES];
    struct conf in_force = *conf; /* Where empty or 0 stands for something. */
    conf_process(conf, process, sizeof(process));
    in_force.group = conf_group(conf);
    in_force.process = process;
    in_force.workers = conf_workers(conf);
    print_rows(out, "", &in_force);
    for (int i = 0; i < conf->input_count; i++) {
        buf_str(out, "input ");
        buf_json_text(out, text_of(conf->inputs[i].topic));
        buf_str(out, " {\n");
        print_rows(out, "input.", &conf->inputs[i]);
        buf_str(out, "}\n");
    }
    print_properties(conf, out);
    if (*conf->redis_address.text) {
        buf_str(out, "redis {\n");
        print_rows(out, "redis.", conf);
        buf_str(out, "}\n");
    }
    buf_str(out, "http {\n");
    print_rows(out, "http.", conf);
    buf_str(out, "}\n");
}

/* ---- what is derived ------------------------------------------------- */

const char *conf_group(const struct conf *conf)
{
    return *conf->group ? conf->group : conf->app;
}

void conf_process(const struct conf *conf, char *out, int size)
{
    char host[256] = "";
    if (*conf->process || *conf->instance_id) {
        snprintf(out, (size_t)size, "%s",
                 *conf->process ? conf->process : conf->instance_id);
        return;
    }
    gethostname(host, sizeof(host) - 1);
    for (char *c = host; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
            !(*c >= '0' && *c <= '9') && !strchr(".-_", *c))
            *c = '-';
    snprintf(out, (size_t)size, "%s-%d", host, conf->http_address.port);
}

const char *conf_advertise(const struct conf *conf)
{
    const struct conf_address *address = &conf->http_address;
    if (*conf->http_advertise.text)
        return conf->http_advertise.text;
    return address->port && !conf_address_is_loopback(address) &&
                   strcmp(address->host, "0.0.0.0") &&
                   strcmp(address->host, "::")
               ? address->text
               : "";
}

int conf_workers(const struct conf *conf)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return conf->workers ? (int)conf->workers : count > 0 ? (int)count : 1;
}
