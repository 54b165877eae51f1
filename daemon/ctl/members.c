/* members.c: segmentctl members.
 *
 * All pages are read before anything is written: a partition that moves away in
 * the middle makes the list begin anew, and who reads our output must not see
 * it twice. What comes of it: the members, then the places in the change topic
 * from which to follow on (daemon/http/members.h has the rule).
 *
 * Of several processes each lists its partitions, and names the others. A
 * partition that moved from one to the next in between is in both lists: the
 * first counts, with its position; what came since is in the topic. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/ask.h"
#include "daemon/ctl/ctl.h"

#define BEGINNINGS_MAX 5     /* Of a list, while partitions move. */
#define PATIENCE_MS    30000 /* With a daemon that says "try again". */
#define AGAIN_US       200000
#define ACCEPT         "application/json"
#define URLS_MAX       64

struct options {
    struct ask_options ask;
    const char *urls[URLS_MAX]; /* Of more than one process. */
    int url_count;
    const char *key;
    const char *positions; /* A file; NULL: none. */
    int csv, part;
};

struct list {
    json_t *members; /* Of all pages. */
    json_t *follow;  /* Of the last page. */
};

static void list_done(struct list *list)
{
    json_decref(list->members);
    json_decref(list->follow);
    *list = (struct list){NULL, NULL};
}

/* ---- reading ----------------------------------------------------------- */

static void page_path(struct buf *path, const char *key, const char *next)
{
    buf_reset(path);
    buf_str(path, "/v1/segments/");
    ask_escape(path, key);
    buf_str(path, "/members?limit=10000");
    if (next)
        buf_printf(path, "&after=%s", next);
}

/* GET PATH, again while the daemon is busy. Returns the status of the answer.
 */
static int get(struct asker *asker, const char *path, struct buf *body)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    int status = ask_get(asker, path, ACCEPT, body);
    while (status == 503 && clock_monotonic_ms() < until_ms) {
        usleep(AGAIN_US);
        status = ask_get(asker, path, ACCEPT, body);
    }
    return status;
}

/* Add PAGE, which is ended. Returns its `next`, a copy in the list's hands
 * until the next call; NULL on the last page. */
static json_t *take_page(struct list *list, json_t *page)
{
    json_t *next = json_incref(json_object_get(page, "next"));
    json_array_extend(list->members, json_object_get(page, "members"));
    list->follow = json_incref(json_object_get(page, "follow"));
    json_decref(page);
    return next;
}

/* One page after NEXT, which is ended. Returns the status of the answer. */
static int read_page(struct list *list, struct asker *asker, const char *key,
                     json_t **next, struct buf *body)
{
    struct buf path;
    buf_init(&path);
    page_path(&path, key, json_string_value(*next));
    json_decref(*next);
    *next = NULL;
    int status = get(asker, buf_string(&path), body);
    json_t *page =
        status == 200 ? json_loadb(body->bytes, body->len, JSON_ALLOW_NUL, NULL)
                      : NULL;
    if (json_is_array(json_object_get(page, "members")))
        *next = take_page(list, page);
    else if (status == 200)
        status = 0, json_decref(page);
    buf_done(&path);
    return status;
}

/* From the beginning to the last page. Returns the status of the answer that
 * ended it, 200 if all went well. */
static int read_list(struct list *list, struct asker *asker, const char *key,
                     struct buf *body)
{
    json_t *next = NULL;
    int status;
    list->members = json_array();
    do {
        json_decref(list->follow);
        list->follow = NULL;
        status = read_page(list, asker, key, &next, body);
    } while (status == 200 && json_is_string(next));
    json_decref(next);
    return status;
}

/* Read LIST, anew while partitions move. Returns an exit status. */
static int read_all(struct list *list, struct asker *asker, const char *key)
{
    struct buf body;
    int status = 0, beginnings = 0;
    buf_init(&body);
    do {
        list_done(list);
        status = read_list(list, asker, key, &body);
    } while (status == 410 && ++beginnings < BEGINNINGS_MAX);
    int exit_status =
        status == 200 ? CTL_GOOD : ask_complain(asker, status, &body);
    buf_done(&body);
    return exit_status;
}

/* ---- several processes ------------------------------------------------- */

static int has_partition(const json_t *positions, json_int_t partition)
{
    size_t i;
    json_t *place;
    json_array_foreach(positions, i, place)
    {
        if (json_integer_value(json_object_get(place, "partition")) ==
            partition)
            return 1;
    }
    return 0;
}

/* Add to TO the rows of FROM whose partition is not among POSITIONS. */
static void add_rows(json_t *to, const json_t *from, const json_t *positions)
{
    size_t i;
    json_t *row;
    json_array_foreach(from, i, row)
    {
        if (!has_partition(positions, json_integer_value(
                                          json_object_get(row, "partition"))))
            json_array_append(to, row);
    }
}

/* Add the partitions of MORE that LIST does not have. */
static void merge(struct list *list, const struct list *more)
{
    json_t *positions = json_object_get(list->follow, "positions");
    json_t *before = json_copy(positions);
    add_rows(list->members, more->members, before);
    add_rows(positions, json_object_get(more->follow, "positions"), before);
    json_decref(before);
    json_object_set_new(list->follow, "complete",
                        json_boolean((json_int_t)json_array_size(positions) ==
                                     json_integer_value(json_object_get(
                                         list->follow, "partitions"))));
}

static int is_complete(const struct list *list)
{
    return json_is_true(json_object_get(list->follow, "complete"));
}

/* Read the list of ASKER's process into LIST, which is empty or has those of
 * others. Returns an exit status. */
static int read_process(struct list *list, struct asker *asker, const char *key)
{
    struct list more = {NULL, NULL};
    int status = read_all(&more, asker, key);
    if (status == CTL_GOOD && list->members) {
        merge(list, &more);
        list_done(&more);
    } else {
        list_done(list);
        *list = more;
    }
    return status;
}

/* Read on in the processes that ASKER's names. Returns an exit status. */
static int read_others(struct list *list, struct asker *asker, const char *key)
{
    struct buf body;
    int status = CTL_GOOD;
    size_t i;
    json_t *url;
    buf_init(&body);
    int got = get(asker, "/v1/segments", &body);
    json_t *json = json_loadb(body.bytes, body.len, JSON_ALLOW_NUL, NULL);
    if (got != 200)
        status = ask_complain(asker, got, &body);
    json_array_foreach(json_object_get(json, "others"), i, url)
    {
        if (status == CTL_GOOD && !is_complete(list) && json_is_string(url) &&
            !ask_go(asker, json_string_value(url)))
            status = read_process(list, asker, key);
    }
    json_decref(json);
    buf_done(&body);
    return status;
}

/* Of each --url; what is missing then, of those whom the last one names. */
static int read_processes(struct list *list, const struct options *options)
{
    struct ask_options ask = options->ask;
    int status = CTL_GOOD, i = 0;
    do {
        struct asker *asker = NULL;
        if (options->url_count)
            ask.url = options->urls[i];
        status = ask_open(&asker, &ask);
        if (status == CTL_GOOD)
            status = read_process(list, asker, options->key);
        if (status == CTL_GOOD && i + 1 >= options->url_count &&
            !options->part && !is_complete(list))
            status = read_others(list, asker, options->key);
        ask_close(asker);
    } while (status == CTL_GOOD && ++i < options->url_count);
    return status;
}

/* ---- writing ----------------------------------------------------------- */

/* TEXT as a field of a CSV file (RFC 4180). */
static void print_field(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static const char *string_of(const json_t *member, const char *name)
{
    const char *text = json_string_value(json_object_get(member, name));
    return text ? text : "";
}

static void print_csv(const json_t *members)
{
    size_t i;
    json_t *member;
    fputs("user,entered_at,seq\r\n", stdout);
    json_array_foreach(members, i, member)
    {
        print_field(string_of(member, "user"));
        printf(",%s,%lld\r\n", string_of(member, "entered_at"),
               (long long)json_integer_value(json_object_get(member, "seq")));
    }
}

static void print_lines(const json_t *members)
{
    size_t i;
    json_t *member;
    json_array_foreach(members, i, member)
    {
        json_dumpf(member, stdout, JSON_COMPACT);
        putchar('\n');
    }
}

/* Where to follow on: into the file, or at the end of the list. */
static int write_follow(const struct options *options, json_t *follow)
{
    FILE *out = options->csv ? stderr : stdout;
    json_t *json = json_pack("{s:O}", "follow", follow);
    if (options->positions)
        out = fopen(options->positions, "w");
    int good = out && !json_dumpf(options->positions ? follow : json, out,
                                  JSON_COMPACT);
    json_decref(json);
    if (out)
        good &= fputc('\n', out) != EOF;
    if (out && options->positions)
        good &= !fclose(out);
    return good || !options->positions
               ? CTL_GOOD
               : ctl_fail("%s: cannot be written", options->positions);
}

/* A list of some partitions must not pass for all of it. */
static int judge(const struct options *options, const struct list *list)
{
    const json_t *follow = list->follow;
    if (options->part || is_complete(list))
        return CTL_GOOD;
    return ctl_fail(
        "this is a part: %zu of %lld partitions; others are just moving, or "
        "run where nobody tells the address (http.advertise): name those "
        "processes with --url, or say --part",
        json_array_size(json_object_get(follow, "positions")),
        (long long)json_integer_value(json_object_get(follow, "partitions")));
}

/* ---- the verb ---------------------------------------------------------- */

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option long_options[] = {
        ASK_OPTIONS,
        {"csv", no_argument, NULL, 'v'},
        {"positions", required_argument, NULL, 'p'},
        {"part", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.ask.verb = argv[0]};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        if (option == 'v')
            options->csv = 1;
        else if (option == 'p')
            options->positions = optarg;
        else if (option == 'a')
            options->part = 1;
        else if (option == 'u' && options->url_count < URLS_MAX)
            options->urls[options->url_count++] = optarg;
        else if (option == 'u')
            return ctl_usage(argv[0], "--url: at most %d", URLS_MAX);
        else
            ask_take(&options->ask, option);
    }
    if (argc - optind != 1)
        return ctl_usage(argv[0], "one segment");
    options->key = argv[optind];
    return CTL_GOOD;
}

int ctl_members(int argc, char **argv)
{
    struct options options;
    struct list list = {NULL, NULL};
    int status = read_options(&options, argc, argv);
    if (status == CTL_GOOD)
        status = read_processes(&list, &options);
    if (status == CTL_GOOD) {
        if (options.csv)
            print_csv(list.members);
        else
            print_lines(list.members);
        status = write_follow(&options, list.follow);
    }
    if (status == CTL_GOOD)
        status = judge(&options, &list);
    list_done(&list);
    return status;
}
