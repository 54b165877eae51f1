/* check_conf.c: segmentd.conf, read and checked. */
#include "daemon/base/conf.h"

#include <stdio.h>
#include <unistd.h>

#include <seg/catalogue.h>

#include "daemon/base/conf_read.h"
#include "daemon/base/conf_value.h"
#include "daemon/base/file.h"
#include "lib/base/text.h"
#include "tests/support/suite.h"

#define INPUT "input \"in\" { partitioner murmur2 start earliest }\n"
#define KAFKA "kafka { bootstrap.servers = \"k:9092\" }\n"
#define BASE  INPUT KAFKA
#define CONF  "config/segmentd.conf"

static struct buf errors;
static struct conf *conf;

static void setup(void)
{
    buf_init(&errors);
    conf = NULL;
}

static void teardown(void)
{
    buf_done(&errors);
    conf_free(conf);
}

static int parse_with(const char *text, struct conf_options options)
{
    conf_free(conf);
    conf = NULL;
    buf_reset(&errors);
    return conf_parse(&conf, "etc/x.conf", text_of(text), &options, &errors);
}

static int parse(const char *text)
{
    return parse_with(text, (struct conf_options){.embedded = 0});
}

static void must_parse(const char *text)
{
    int err = parse(text);
    ck_assert_msg(!err, "%d: %s", err, buf_string(&errors));
}

/* ---- values ---------------------------------------------------------- */

START_TEST(settings_not_given_have_their_initial_values)
{
    must_parse(BASE);
    ck_assert_str_eq(conf->app, "segmentd");
    ck_assert_str_eq(conf_group(conf), "segmentd");
    ck_assert_int_eq(conf->clock, CONF_CLOCK_WALL);
    ck_assert_int_eq(conf->flush_interval_ms, 30000);
    ck_assert_int_eq(conf->user_bytes, 256 * 1024);
    ck_assert_int_eq(conf->on_bad_input, CONF_BAD_DEAD_LETTER);
    ck_assert_str_eq(conf->http_address.host, "127.0.0.1");
    ck_assert_int_eq(conf->http_address.port, 7070);
    ck_assert_str_eq(conf->redis_address.text, "");
    ck_assert_int_eq(conf->segments.count, 1);
    ck_assert_str_eq(conf->segments.items[0], "etc/segments");
    ck_assert_str_eq(conf->path, "etc/x.conf");
    ck_assert_int_ge(conf_workers(conf), 1);
}
END_TEST

START_TEST(a_whole_file_is_read)
{
    must_parse("app = acme, group \"g\"   # commas and = may stand or not\n"
               "clock records workers 3\n"
               "segments [\"a.seg\", \"/abs/b\"]\n"
               "input \"z\" { partitioner crc32, start = latest }\n"
               "input \"a\" {\n  partitioner trust\n  start 2026-01-31\n}\n"
               "kafka { bootstrap.servers = \"k:1\", \"a.b\" = 5\n"
               "        enable.x true }\n"
               "redis { address \"/run/redis.sock\" }\n"
               "http { address \"[::1]:80\" }\n"
               "flush_interval 1m30s   user_bytes 64KiB\n");
    ck_assert_str_eq(conf->app, "acme");
    ck_assert_str_eq(conf_group(conf), "g");
    ck_assert_int_eq(conf->clock, CONF_CLOCK_RECORDS);
    ck_assert_int_eq(conf_workers(conf), 3);
    ck_assert_int_eq(conf->segments.count, 2);
    ck_assert_str_eq(conf->segments.items[0], "etc/a.seg");
    ck_assert_str_eq(conf->segments.items[1], "/abs/b");
    ck_assert_int_eq(conf->input_count, 2);
    ck_assert_str_eq(conf->inputs[0].topic, "a"); /* Sorted. */
    ck_assert_int_eq(conf->inputs[0].start.kind, CONF_INSTANT);
    ck_assert_int_eq(conf->inputs[0].start.instant_ms, 1769817600000);
    ck_assert_int_eq(conf->inputs[1].partitioner, CONF_PARTITIONER_CRC32);
    ck_assert_int_eq(conf->property_count, 3);
    ck_assert_str_eq(conf->properties[1].name, "a.b");
    ck_assert_str_eq(conf->properties[1].value.value, "5");
    ck_assert_str_eq(conf->properties[2].value.value, "true");
    ck_assert_str_eq(conf->redis_address.host, "/run/redis.sock");
    ck_assert_int_eq(conf->redis_address.port, -1);
    ck_assert_str_eq(conf->http_address.host, "::1");
    ck_assert_int_eq(conf->flush_interval_ms, 90000);
    ck_assert_int_eq(conf->user_bytes, 65536);
}
END_TEST

START_TEST(the_command_line_wins_over_the_file)
{
    int err = parse_with(BASE "run_directory \"/a\"",
                         (struct conf_options){.run_directory = "/b"});
    ck_assert_int_eq(err, 0);
    ck_assert_str_eq(conf->run_directory, "/b");
}
END_TEST

static const struct {
    const char *text, *want;
} processes[] = {
    {BASE "process \"p\" instance_id \"i\"", "p"},
    {BASE "instance_id \"i\"", "i"},
};

START_TEST(a_process_is_named_by_the_first_name_it_has)
{
    char name[64];
    must_parse(processes[_i].text);
    conf_process(conf, name, sizeof(name));
    ck_assert_str_eq(name, processes[_i].want);
}
END_TEST

START_TEST(a_process_without_a_name_is_host_and_port)
{
    char name[300];
    must_parse(BASE);
    conf_process(conf, name, sizeof(name));
    const char *dash = strrchr(name, '-');
    ck_assert_msg(dash && dash > name && !strcmp(dash, "-7070"), "%s", name);
}
END_TEST

/* ---- what is wrong --------------------------------------------------- */

static const struct {
    const char *text;
    const char *place;      /* line:column */
    const char *message;    /* Part of it. */
    const char *suggestion; /* Part of it; "" none. */
} wrongs[] = {
    {BASE "flush_intervall 30s", "3:1", "no setting flush_intervall",
     "did you mean flush_interval?"},
    {BASE "redsi { }", "3:1", "no setting redsi", "did you mean redis?"},
    {BASE "clock record", "3:7", "is wall or records.",
     "did you mean records?"},
    {"input \"in\" { partitioner murmur start earliest }\n" KAFKA, "1:26",
     "is murmur2, crc32 or trust.", "did you mean murmur2?"},
    {"input \"in\" { partitioner trust start erliest }\n" KAFKA, "1:38",
     "earliest, latest or an instant", "did you mean earliest?"},
    {BASE "flush_interval 2h", "3:16", "from 0s to 1h", ""},
    {BASE "flush_interval 30", "3:16", "is a duration", ""},
    {BASE "flush_interval 30seconds", "3:16", "duration", "did you mean 30s?"},
    {BASE "user_bytes 4095B", "3:12", "from 4KiB to 900KiB", ""},
    {BASE "user_bytes 1MB", "3:12", "is a size", ""},
    {BASE "workers -1", "3:9", "is a number", ""},
    {BASE "workers 257", "3:9", "from 0 to 256", ""},
    {BASE "app \"a b\"", "3:5", "letters, digits", ""},
    {BASE "process \"a/b\"", "3:9", "letters, digits", ""},
    {BASE "app a app b", "3:7", "set twice", ""},
    {BASE "app\nclock wall", "3:1", "no value on its line", ""},
    {BASE "app , workers 1", "3:5", "a value is missing", ""},
    {BASE "http { address 127.0.0.1:80 }", "3:16", "in quotes",
     "did you mean \"127.0.0.1:80\"?"},
    {BASE "run_directory /run/x", "3:15", "in quotes",
     "did you mean \"/run/x\"?"},
    {BASE "http { address \"127.0.0.1\" }", "3:16", "host:port", ""},
    {BASE "http { address \"h:65536\" }", "3:16", "host:port", ""},
    {BASE "http { address \"/sock\" }", "3:16", "host:port", ""},
    {BASE "http { address \"0.0.0.0:80\" }", "3:16", "other machines", ""},
    {BASE "http { token \"0123456789abcde\" }", "3:14", "at least 16", ""},
    {BASE "http { address \"0.0.0.0:80\" token \"0123456789abcdef\" }", "3:35",
     "token file \"PATH\"", ""},
    {BASE "http { address \"[::]:80\" token \"0123456789abcdef\" }", "3:32",
     "token file \"PATH\"", ""},
    {BASE "http { address \"127.0.0.1:0\" }", "3:16", "lasting name", ""},
    {BASE "http { advertise \"host\" }", "3:18", "host:port", ""},
    {BASE "http { advertise \"host:0\" }", "3:18", "host:port", ""},
    {BASE "http { advertise \"/sock\" }", "3:18", "host:port", ""},
    {BASE "http { address \"h:1\"", "3:6", "not closed", ""},
    {BASE "http address", "3:6", "a { is missing", ""},
    {BASE "}", "3:1", "no { for this", ""},
    {BASE "5 app", "3:1", "name is missing", ""},
    {BASE "http { adress \"h:1\" }", "3:8", "no setting http.adress",
     "did you mean address?"},
    {BASE "start earliest", "3:1", "no setting start", ""},
    {BASE "redis { user \"u\" }", "3:14", "no address", ""},
    {BASE "segments [\"a\" b]", "3:15", "list is", ""},
    {BASE "app \"a", "3:5", "closing quote", ""},
    {BASE "http { token file \"/nowhere\" }", "3:19", "No such file", ""},
    {BASE "http { token file x }", "3:19", "path in quotes", ""},
    {BASE INPUT, "3:7", "an input already", ""},
    {BASE "input in { }", "3:7", "in quotes", ""},
    {BASE "input \"\" { }", "3:7", "in quotes", ""},
    {BASE "kafka { a.b = 1 a.b = 2 }", "3:17", "set twice", ""},
    {BASE "kafka { a.b = x:1 }", "3:15", "in quotes", "did you mean \"x:1\"?"},
    {KAFKA, "2:1", "no input", ""},
    {INPUT, "2:1", "Where is Kafka", ""},
    {KAFKA "input \"in\" { start latest }", "2:7", "no partitioner", ""},
    {KAFKA "input \"in\" { partitioner trust }", "2:7", "no start", ""},
    {KAFKA "input \"segmentd.changes\" { partitioner trust start latest }",
     "2:7", "written by segmentd itself", ""},
};

START_TEST(a_mistake_is_shown_where_it_is)
{
    char place[64];
    int err = parse(wrongs[_i].text);
    const char *got = buf_string(&errors);
    snprintf(place, sizeof(place), "etc/x.conf:%s: error: ", wrongs[_i].place);
    ck_assert_msg(err == SEG_ERR_SYNTAX && !conf, "%s: got %d", wrongs[_i].text,
                  err);
    ck_assert_msg(strstr(got, place) == got, "%s: got %s want %s",
                  wrongs[_i].text, got, place);
    ck_assert_msg(strstr(got, wrongs[_i].message) &&
                      strstr(got, wrongs[_i].suggestion) && strchr(got, '^'),
                  "%s: got %s want %s %s", wrongs[_i].text, got,
                  wrongs[_i].message, wrongs[_i].suggestion);
    ck_assert_msg(*wrongs[_i].suggestion || !strstr(got, "did you mean"),
                  "%s: got %s", wrongs[_i].text, got);
    ck_assert_msg(!strstr(strchr(got, '^'), "error: "), "%s: two errors: %s",
                  wrongs[_i].text, got);
}
END_TEST

START_TEST(several_mistakes_are_shown_in_one_run)
{
    static const char text[] = "nothing here\nclock sun\nalso { not { here } } "
                               "workers 1\nworkers x\n" BASE;
    ck_assert_int_eq(parse(text), SEG_ERR_SYNTAX);
    const char *got = buf_string(&errors);
    static const char *const places[] = {
        ":1:1:", ":2:7:", ":3:1:", ":4:1:", ":4:9:"};
    for (int i = 0; i < COUNT(places); i++)
        ck_assert_msg(strstr(got, places[i]) != NULL, "%s not in %s", places[i],
                      got);
}
END_TEST

START_TEST(no_more_mistakes_are_shown_than_one_run_shows)
{
    struct buf text;
    buf_init(&text);
    for (int i = 0; i < SEG_DIAGNOSTICS_MAX + 5; i++)
        buf_str(&text, "nothing 1\n");
    ck_assert_int_eq(parse(buf_string(&text)), SEG_ERR_SYNTAX);
    int shown = 0;
    for (const char *at = buf_string(&errors); (at = strstr(at, "error:"));
         at++)
        shown++;
    ck_assert_int_eq(shown, SEG_DIAGNOSTICS_MAX);
    buf_done(&text);
}
END_TEST

static const struct {
    int limit;
    const char *before, *name, *rest, *after; /* Name and rest n times. */
} limits[] = {
    {CONF_INPUTS_MAX, KAFKA, "input \"t",
     "\" { partitioner trust start latest }", ""},
    {CONF_PROPERTIES_MAX, INPUT "kafka { bootstrap.servers x ", "a", " 1 ",
     "}"},
};

START_TEST(limits_hold_at_the_limit_and_one_beyond)
{
    int used = limits[_i].before[0] == 'i'; /* One property is there. */
    for (int n = limits[_i].limit - 1; n <= limits[_i].limit + 1; n++) {
        struct buf text;
        buf_init(&text);
        buf_str(&text, limits[_i].before);
        for (int i = used; i < n; i++)
            buf_printf(&text, "%s%d%s", limits[_i].name, i, limits[_i].rest);
        buf_str(&text, limits[_i].after);
        int err = parse(buf_string(&text));
        ck_assert_msg(err == (n > limits[_i].limit ? SEG_ERR_SYNTAX : 0),
                      "%d of %d: got %d: %s", n, limits[_i].limit, err,
                      buf_string(&errors));
        buf_done(&text);
    }
}
END_TEST

START_TEST(the_embedded_broker_needs_no_servers_but_knows_no_instants)
{
    struct conf_options embedded = {.embedded = 1};
    ck_assert_int_eq(parse_with(INPUT, embedded), 0);
    ck_assert_int_eq(conf_workers(conf), 1);
    ck_assert_int_eq(parse_with(INPUT "workers 3\n", embedded), 0);
    ck_assert_int_eq(conf_workers(conf), 3);
    ck_assert_int_eq(
        parse_with("input \"in\" { partitioner trust start 2026-01-31 }",
                   embedded),
        SEG_ERR_SYNTAX);
    ck_assert_ptr_nonnull(strstr(buf_string(&errors), "--embedded"));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error)
{
    struct conf_options options = {.embedded = 0};
    ck_assert_int_eq(conf_load(&conf, "/nowhere/x.conf", &options, &errors),
                     SEG_ERR_NOT_FOUND);
    ck_assert_str_eq(buf_string(&errors),
                     "/nowhere/x.conf: No such file or directory\n");
}
END_TEST

/* ---- secrets and printing -------------------------------------------- */

/* A file with CONTENT; its path is static. */
static const char *temporary(const char *content)
{
    static char path[64];
    strcpy(path, "/tmp/check_conf.XXXXXX");
    int fd = mkstemp(path);
    ck_assert(fd >= 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (int)strlen(content));
    close(fd);
    return path;
}

START_TEST(secrets_come_from_files_without_their_last_newline)
{
    char text[400];
    const char *path = temporary("a token of 24 characters\r\n");
    snprintf(text, sizeof(text),
             BASE "http { address \"0.0.0.0:1\" token file \"%s\" }\n", path);
    must_parse(text);
    ck_assert_str_eq(conf->http_token.value, "a token of 24 characters");
    ck_assert_str_eq(conf->http_token.file, path);
    unlink(path);
}
END_TEST

START_TEST(an_empty_secret_file_is_an_error)
{
    char text[400];
    const char *path = temporary("\n");
    snprintf(text, sizeof(text), BASE "kafka { p file \"%s\" }\n", path);
    ck_assert_int_eq(parse(text), SEG_ERR_SYNTAX);
    ck_assert_ptr_nonnull(strstr(buf_string(&errors), "file is empty"));
    unlink(path);
}
END_TEST

START_TEST(secrets_are_masked_when_printed)
{
    struct buf out;
    char text[600];
    const char *path = temporary("SECRET-of-the-file");
    buf_init(&out);
    snprintf(text, sizeof(text),
             INPUT "kafka { bootstrap.servers \"k:1\" sasl.password \"SECRET\" "
                   "ssl.key.pem file \"%s\" }\n"
                   "redis { address \"r:1\" password \"SECRET\" }\n"
                   "http { token \"SECRET-SECRET-SECRET\" }",
             path);
    must_parse(text);
    conf_print(conf, &out);
    ck_assert_msg(!strstr(buf_string(&out), "SECRET"), "%s", buf_string(&out));
    snprintf(text, sizeof(text), "\"ssl.key.pem\" = file \"%s\"\n", path);
    ck_assert_ptr_nonnull(strstr(buf_string(&out), text));
    ck_assert_ptr_nonnull(strstr(buf_string(&out), "password \"********\"\n"));
    buf_done(&out);
    unlink(path);
}
END_TEST

START_TEST(what_is_printed_reads_back_as_the_same)
{
    struct buf first, second;
    buf_init(&first);
    buf_init(&second);
    must_parse(BASE
               "segments [\"/a\", \"/b\"] clock records workers 7\n"
               "flush_interval 0s dead_letter_bytes 0B user_bytes 5000B\n"
               "stop_timeout 1m30s on_bad_input stop lateness 36h\n"
               "redis { address \"/s\\\"q\" timeout 99ms }\n"
               "input \"b\" { partitioner trust start 2026-01-31T10:00Z }");
    conf_print(conf, &first);
    must_parse(buf_string(&first));
    conf_print(conf, &second);
    ck_assert_str_eq(buf_string(&first), buf_string(&second));
    ck_assert_ptr_nonnull(strstr(buf_string(&first), "flush_interval 0s\n"));
    ck_assert_ptr_nonnull(strstr(buf_string(&first), "user_bytes 5000B\n"));
    ck_assert_ptr_nonnull(
        strstr(buf_string(&first), "start 2026-01-31T10:00:00.000Z\n"));
    buf_done(&first);
    buf_done(&second);
}
END_TEST

START_TEST(what_is_printed_is_what_is_in_force)
{
    struct buf out;
    char want[400], process[300];
    buf_init(&out);
    must_parse(BASE "app acme");
    conf_print(conf, &out);
    conf_process(conf, process, sizeof(process));
    snprintf(want, sizeof(want),
             "\ngroup \"acme\"\nprocess \"%s\"\ninstance_id \"\"\n"
             "workers %d\n",
             process, conf_workers(conf));
    ck_assert_msg(strstr(buf_string(&out), want), "%s: not in %s", want,
                  buf_string(&out));
    buf_done(&out);
}
END_TEST

/* ---- table and manual ------------------------------------------------ */

START_TEST(rows_are_unique_with_good_help_and_ranges)
{
    int i = 0;
    for (; conf_row(i); i++) {
        const struct conf_row *row = conf_row(i);
        ck_assert_msg(conf_row_find(text_of(row->name)) == i,
                      "%s is there twice", row->name);
        ck_assert_msg(row->help[strlen(row->help) - 1] == '.',
                      "%s: help ends without a full stop", row->name);
        if (row->type != CONF_NUMBER && row->type != CONF_DURATION &&
            row->type != CONF_SIZE)
            continue;
        /* Both ends of the range and the initial value can be set. */
        struct arena arena;
        int64_t field;
        arena_init(&arena);
        struct seg_text most = text_of(strstr(row->range, "..") + 2);
        struct seg_text least = {row->range,
                                 (size_t)(most.bytes - 2 - row->range)};
        ck_assert_ptr_null(conf_value_read(&arena, row, least, &field));
        ck_assert_ptr_null(conf_value_read(&arena, row, most, &field));
        ck_assert_ptr_null(
            conf_value_read(&arena, row, text_of(row->initial), &field));
        arena_done(&arena);
    }
    ck_assert_int_eq(i, CONF_ROW_COUNT);
}
END_TEST

/* The manual: its words without comment signs and line breaks into WORDS; with
 * all settings switched on into ON. */
static void read_manual(struct buf *words, struct buf *on)
{
    struct arena arena;
    struct seg_text text;
    arena_init(&arena);
    ck_assert_int_eq(file_read(&arena, CONF, CONF_BYTES_MAX, &text, &errors),
                     0);
    char *rest = (char *)text.bytes;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *at = line + strspn(line, " ");
        int is_setting = at[0] == '#' && at[1] && at[1] != ' ';
        buf_printf(on, "%s\n", at + is_setting);
        at += strspn(at, "# ");
        buf_printf(words, "%s ", at);
    }
    arena_done(&arena);
}

static int has(const struct buf *buf, const char *text)
{
    return memmem(buf->bytes, buf->len, text, strlen(text)) != NULL;
}

START_TEST(the_manual_has_every_setting_with_its_help_and_initial_value)
{
    struct buf words, on, line;
    buf_init(&words);
    buf_init(&on);
    buf_init(&line);
    read_manual(&words, &on);
    for (int i = 0; conf_row(i); i++) {
        const struct conf_row *row = conf_row(i);
        const char *dot = strrchr(row->name, '.');
        ck_assert_msg(has(&words, row->help), "%s: the help differs",
                      row->name);
        if (!row->initial || !strcmp(row->name, "redis.address"))
            continue; /* An example stands there. */
        const char *mark = row->type >= CONF_START   ? ""
                           : row->type == CONF_PATHS ? "[\""
                                                     : "\"";
        buf_reset(&line);
        buf_printf(&line, "\n%s %s%s%s\n", dot ? dot + 1 : row->name, mark,
                   row->initial, *mark == '[' ? "\"]" : mark);
        ck_assert_msg(has(&on, buf_string(&line)), "%s: not there as%s",
                      row->name, buf_string(&line));
    }
    buf_done(&words);
    buf_done(&on);
    buf_done(&line);
}
END_TEST

START_TEST(the_manual_is_a_good_file_and_sets_nothing_but_what_must_be)
{
    struct conf_options options = {.embedded = 0};
    struct buf shipped, bare;
    buf_init(&shipped);
    buf_init(&bare);
    int err = conf_load(&conf, CONF, &options, &errors);
    ck_assert_msg(!err, "%s", buf_string(&errors));
    conf_print(conf, &shipped);
    conf_free(conf);
    conf = NULL;
    err = conf_parse(
        &conf, CONF,
        text_of("input \"product-events\" { partitioner murmur2 start earliest "
                "} kafka { bootstrap.servers \"127.0.0.1:9092\" }"),
        &options, &errors);
    ck_assert_int_eq(err, 0);
    conf_print(conf, &bare);
    ck_assert_str_eq(buf_string(&shipped), buf_string(&bare));
    buf_done(&shipped);
    buf_done(&bare);
}
END_TEST

START_TEST(everything_in_the_manual_can_be_switched_on)
{
    struct buf words, on;
    buf_init(&words);
    buf_init(&on);
    read_manual(&words, &on);
    /* This machine has no such file. */
    char *at = strstr((char *)buf_string(&on), "file \"/etc");
    ck_assert_ptr_nonnull(at);
    memcpy(at, "\"xx\"#", 5);
    must_parse(buf_string(&on));
    ck_assert_str_eq(conf->redis_address.host, "127.0.0.1");
    ck_assert_int_eq(conf->property_count, 5);
    buf_done(&words);
    buf_done(&on);
}
END_TEST

static const struct {
    const char *http;
    int token; /* From a file. */
    const char *advertise;
} advertised[] = {
    {"", 0, ""},
    {"address \"localhost:7070\"", 0, ""},
    {"address \"0.0.0.0:7070\"", 1, ""},
    {"address \"[::]:7070\"", 1, ""},
    {"address \"10.0.0.5:7070\"", 1, "10.0.0.5:7070"},
    {"address \"[fe80::1]:7070\"", 1, "[fe80::1]:7070"},
    {"address \"0.0.0.0:7070\" advertise \"a.example:80\"", 1, "a.example:80"},
    {"advertise \"127.0.0.1:7070\"", 0, "127.0.0.1:7070"},
};

START_TEST(only_an_address_that_others_can_reach_is_told_to_them)
{
    char token[100] = "", text[400];
    const char *path = temporary("a token of 24 characters\n");
    if (advertised[_i].token)
        snprintf(token, sizeof(token), "token file \"%s\"", path);
    snprintf(text, sizeof(text), BASE "http { %s %s }\n", advertised[_i].http,
             token);
    must_parse(text);
    ck_assert_str_eq(conf_advertise(conf), advertised[_i].advertise);
    unlink(path);
}
END_TEST

SUITE("conf", setup, teardown,
      TABLE(only_an_address_that_others_can_reach_is_told_to_them, advertised),
      TEST(settings_not_given_have_their_initial_values),
      TEST(a_whole_file_is_read), TEST(the_command_line_wins_over_the_file),
      TABLE(a_process_is_named_by_the_first_name_it_has, processes),
      TEST(a_process_without_a_name_is_host_and_port),
      TABLE(a_mistake_is_shown_where_it_is, wrongs),
      TEST(several_mistakes_are_shown_in_one_run),
      TEST(no_more_mistakes_are_shown_than_one_run_shows),
      TABLE(limits_hold_at_the_limit_and_one_beyond, limits),
      TEST(the_embedded_broker_needs_no_servers_but_knows_no_instants),
      TEST(a_file_that_is_not_there_is_an_error),
      TEST(secrets_come_from_files_without_their_last_newline),
      TEST(an_empty_secret_file_is_an_error),
      TEST(secrets_are_masked_when_printed),
      TEST(what_is_printed_reads_back_as_the_same),
      TEST(what_is_printed_is_what_is_in_force),
      TEST(rows_are_unique_with_good_help_and_ranges),
      TEST(the_manual_has_every_setting_with_its_help_and_initial_value),
      TEST(the_manual_is_a_good_file_and_sets_nothing_but_what_must_be),
      TEST(everything_in_the_manual_can_be_switched_on))
