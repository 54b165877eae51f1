/* check_routes.c: the answers of segmentd to HTTP requests.
 *
 * The workers are ours: closures posted to them run at once, or wait, or find
 * that the worker has ended. Each has one partition with an engine. */
#include "daemon/http/routes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/http/members.h"
#include "daemon/http/route_table.h"
#include "daemon/kafka/owners.h"
#include "daemon/partition/names.h"
#include "lib/base/text.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#define WORKERS 2
#define START   INT64_C(1767225600000) /* 2026-01-01 */

static const char segments[] =
    "segment goals { when did \"Goal Used\" }\n"
    "segment pro { title \"Pros\" when user.plan = \"pro\" }\n";

static struct seg_catalogue *catalogue;
static struct metrics *metrics;
static struct metric_process process;
static struct loop *loop;
static struct server *server;
static struct routes routes;
static pthread_t thread;
static struct http_answer answer;
static json_t *json;
static int measured;

/* ---- workers that do as they are told ---------------------------------- */

enum mood { ANSWERS, WAITS, ENDED, REFUSES };

struct worker {
    enum mood mood;
    int state, then; /* `then`, if not 0, once a closure has run. */
    struct seg_engine *engine;
    uint64_t incarnation; /* Of its partition. */
    int64_t position;     /* Likewise, in the change topic. */
    int idle;             /* Its partition is another process's. */
    int paused;           /* Inputs. */
    struct names names;   /* Of events. */
    worker_run *run;      /* Of the closure that waits. */
    void *arg;
};

static struct worker fakes[WORKERS];

int workers_count(const struct workers *workers)
{
    (void)workers;
    return WORKERS;
}

struct worker *workers_at(struct workers *workers, int index)
{
    (void)workers;
    return &fakes[index];
}

/* Of these the group has; ours are the first. */
static int partitions = WORKERS;

int workers_partition_count(struct workers *workers)
{
    (void)workers;
    return partitions;
}

/* What the group says, or that it cannot be asked. */
static struct {
    int refuses;
    enum owners_verdict verdict;
    const char *address;
    int count, asked; /* The partition. */
} group;

int owners_ask(struct owners *owners, struct owners_question *question)
{
    (void)owners;
    if (group.refuses)
        return SEG_ERR_LIMIT;
    group.asked = question->partition;
    question->verdict = group.verdict;
    question->count = group.count;
    question->list = calloc((size_t)group.count + 1, sizeof(*question->list));
    for (int i = 0; i < group.count; i++) {
        snprintf(question->list[i].address, OWNERS_ADDRESS_BYTES, "%s",
                 group.address);
        snprintf(question->list[i].host, OWNERS_ADDRESS_BYTES, "10.0.0.9");
    }
    question->told(question->arg);
    return 0;
}

int workers_ready(struct workers *workers, char reason[WORKERS_REASON_BYTES])
{
    (void)workers;
    for (int i = 0; i < WORKERS; i++)
        if (fakes[i].state != WORKER_RUNNING) {
            strcpy(reason, "Something is restored.");
            return 0;
        }
    return 1;
}

int workers_board(struct workers *workers, struct workers_row *out, int max)
{
    (void)workers;
    for (int i = 0; i < WORKERS && i < max; i++) {
        out[i] = (struct workers_row){i, i, fakes[i].state, ""};
        if (fakes[i].state != WORKER_RUNNING)
            strcpy(out[i].reason, "Reads the state.");
    }
    return WORKERS;
}

const char *worker_state_name(int state)
{
    return state == WORKER_RUNNING ? "running" : "restoring";
}

int worker_post(struct worker *worker, enum worker_when when, worker_run *run,
                void *arg)
{
    (void)when;
    if (worker->mood == REFUSES)
        return SEG_ERR_NOT_FOUND;
    if (worker->mood == WAITS) {
        worker->run = run;
        worker->arg = arg;
    } else {
        run(worker->mood == ENDED ? NULL : worker, arg);
        worker->state = worker->then ? worker->then : worker->state;
    }
    return 0;
}

static int has_engine(const struct worker *worker)
{
    return worker->state == WORKER_RUNNING || worker->state == WORKER_WAITING;
}

static struct worker_partition partition_of(struct worker *worker)
{
    struct worker_partition partition = {.partition = (int)(worker - fakes),
                                         .state = worker->state,
                                         .incarnation = worker->incarnation,
                                         .changes_position = worker->position};
    if (has_engine(worker))
        partition.engine = worker->engine;
    return partition;
}

int worker_partition(struct worker *worker, int partition,
                     struct worker_partition *out)
{
    *out = partition_of(worker);
    return out->partition == partition ? 0 : SEG_ERR_NOT_FOUND;
}

struct worker *workers_owner(struct workers *workers, int partition)
{
    (void)workers;
    return has_engine(&fakes[partition]) && !fakes[partition].idle
               ? &fakes[partition]
               : NULL;
}

void worker_each_partition(
    struct worker *worker,
    void (*each)(void *arg, const struct worker_partition *partition),
    void *arg)
{
    struct worker_partition partition = partition_of(worker);
    each(arg, &partition);
}

int worker_find_user(struct worker *worker, struct seg_text id,
                     struct worker_partition *partition,
                     const struct seg_user **user)
{
    *partition = partition_of(worker);
    *user = partition->engine ? seg_user_find(partition->engine, id) : NULL;
    return *user ? 0 : SEG_ERR_NOT_FOUND;
}

const struct names *worker_names(const struct worker *worker)
{
    return &worker->names;
}

int worker_resume(struct worker *worker)
{
    return worker->paused;
}

/* ---- setting up ---------------------------------------------------------- */

static void apply(struct worker *worker, const char *text)
{
    struct seg_decoder *decoder;
    struct seg_event event;
    struct seg_origin origin = {0, 1, START};
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    ck_assert_int_eq(seg_decode(decoder, text, strlen(text), &event, NULL), 0);
    if (event.name.bytes)
        names_see(&worker->names, &event);
    seg_engine_advance(worker->engine, START, 1000);
    ck_assert_int_ge(seg_engine_apply(worker->engine, &event, &origin), 0);
    seg_decoder_free(decoder);
}

static void open_engines(void)
{
    struct seg_engine_options options = {.catalogue = catalogue,
                                         .topic_count = 1,
                                         .topics = (const char *[]){"in"}};
    for (int i = 0; i < WORKERS; i++) {
        fakes[i] = (struct worker){.state = WORKER_RUNNING,
                                   .incarnation = (uint64_t)i + 1,
                                   .position = 100 + i};
        ck_assert_int_eq(seg_engine_new(&fakes[i].engine, &options), 0);
        names_init(&fakes[i].names, START + i);
    }
    apply(&fakes[0],
          "{\"type\":\"track\",\"userId\":\"a/b\",\"event\":\"Goal Used\"}");
    apply(&fakes[1],
          "{\"type\":\"track\",\"userId\":\"c\",\"event\":\"Goal Used\"}");
    apply(&fakes[1], "{\"type\":\"identify\",\"userId\":\"c\",\"traits\":{"
                     "\"plan\":\"pro\"}}");
}

static void compile(const char *text)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"x.seg", text, strlen(text)};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&catalogue, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
}

static void *run_loop(void *arg)
{
    (void)arg;
    loop_run(loop);
    return NULL;
}

static void count_measure(void *arg)
{
    (void)arg;
    measured++;
}

static void start(const char *text)
{
    compile(text);
    open_engines();
    ck_assert_int_eq(metrics_new(&metrics, catalogue), 0);
    metrics_add(metrics, METRIC_PROCESS, &process, 1, NULL);
    ck_assert_int_eq(loop_open(&loop), 0);
    /* Any address will do: ours are asked for nothing of it. */
    routes = (struct routes){.loop = loop,
                             .metrics = metrics,
                             .process = &process,
                             .catalogue = catalogue,
                             .workers = (struct workers *)fakes,
                             .app = "acme",
                             .measure = count_measure};
    struct server_options options = {.loop = loop,
                                     .host = "127.0.0.1",
                                     .token = "",
                                     .metrics = &process,
                                     .handle = routes_handle,
                                     .arg = &routes};
    ck_assert_int_eq(server_open(&server, &options), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void setup(void)
{
    json = NULL;
    measured = 0;
    partitions = WORKERS;
    memset(&group, 0, sizeof(group));
    memset(&process, 0, sizeof(process));
    start(segments);
}

static void stop_loop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

/* As main does it; closures still out find their worker gone. */
static void teardown(void)
{
    loop_post(loop, stop_loop, NULL);
    pthread_join(thread, NULL);
    server_close(server);
    for (int i = 0; i < WORKERS; i++) {
        if (fakes[i].run)
            fakes[i].run(NULL, fakes[i].arg);
        seg_engine_free(fakes[i].engine);
        names_done(&fakes[i].names);
    }
    routes.workers = NULL;
    loop_free(loop);
    metrics_free(metrics);
    seg_catalogue_free(catalogue);
    json_decref(json);
}

/* Set MOOD of worker INDEX; before a question is asked. */
static void set(int index, enum mood mood, int state)
{
    fakes[index].mood = mood;
    fakes[index].state = state;
}

static void get(const char *path)
{
    http_ask(server_port(server), "GET", path, "", &answer);
    json_decref(json);
    json = json_loads(answer.body, 0, NULL);
}

static const char *member(const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "(nothing)";
}

/* ---- questions ----------------------------------------------------------- */

static const struct {
    const char *path;
    int status;
    const char *part; /* Of the body. */
} answers[] = {
    {"/healthz", 200, "ok"},
    {"/readyz", 200, "\"ready\": true"},
    {"/metrics", 200, "segmentd_http_requests_total 1\n"},
    {"/v1/events", 200, "\"Goal Used\""},
    {"/v1/events/x", 404, "nothing at this path"},
    {"/v1/users/c", 200, "\"user\": \"c\""},
    {"/v1/users/a%2Fb", 200, "\"user\": \"a/b\""},
    {"/v1/users/%61%2fb", 200, "\"partition\": 0"},
    {"/v1/users/c/explain", 200, "\"key\": \"goals\""},
    {"/v1/users/c/explain?segment=pro", 200, "\"title\": \"Pros\""},
    {"/v1/users/c/explain?segment=none", 404, "no segment of this key"},
    {"/v1/users/nobody", 404, "No message of this user"},
    {"/v1/users/nobody/explain", 404, "No message of this user"},
    {"/v1/users/%00%FF", 404, "No message of this user"},
    {"/v1/users/", 404, "No message of this user"},
    {"/v1/users/a/b", 404, "nothing at this path"},
    {"/v1/users", 404, "nothing at this path"},
    {"/", 404, "nothing at this path"},
    {"/metrics/", 404, "nothing at this path"},
    {"/v1/users/c/explain/more", 404, "nothing at this path"},
};

START_TEST(each_path_has_its_answer)
{
    get(answers[_i].path);
    ck_assert_msg(answer.status == answers[_i].status &&
                      strstr(answer.body, answers[_i].part),
                  "%s: got %d %s want %d %s", answers[_i].path, answer.status,
                  answer.body, answers[_i].status, answers[_i].part);
    ck_assert_msg(answer.status == 200 || strcmp(member("error"), "(nothing)"),
                  "%s: %s", answers[_i].path, answer.body);
}
END_TEST

static const char *const methods[] = {"POST", "PUT", "DELETE"};

START_TEST(paused_inputs_of_all_workers_go_on)
{
    for (int i = 0; i < WORKERS; i++)
        fakes[i].paused = i + 1;
    http_ask(server_port(server), "POST", "/-/resume", "Content-Length: 0\r\n",
             &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"resumed\": 3"));
    get("/-/resume");
    ck_assert_int_eq(answer.status, 405);
    ck_assert_ptr_nonnull(strstr(answer.head, "Allow: POST"));
}
END_TEST

START_TEST(what_can_only_be_read_is_not_written)
{
    http_ask(server_port(server), methods[_i], "/v1/users/c",
             "Content-Length: 0\r\n", &answer);
    ck_assert_int_eq(answer.status, 405);
    ck_assert_ptr_nonnull(strstr(answer.head, "Allow: GET, HEAD"));
    ck_assert_ptr_nonnull(strstr(answer.body, "\"error\""));
}
END_TEST

START_TEST(head_is_answered_like_get)
{
    http_ask(server_port(server), "HEAD", "/v1/users/c", "", &answer);
    ck_assert_int_eq(answer.status, 200);
    http_ask(server_port(server), "HEAD", "/v1/users/d", "", &answer);
    ck_assert_int_eq(answer.status, 404);
}
END_TEST

START_TEST(an_explanation_is_text_for_those_who_want_it)
{
    http_ask(server_port(server), "GET", "/v1/users/c/explain?segment=pro",
             "Accept: text/plain\r\n", &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.head, "text/plain"));
    ck_assert_msg(strstr(answer.body,
                         "pro (Pros): member since "
                         "2026-01-01T00:00:00.000Z, at 2026-") == answer.body,
                  "%s", answer.body);
}
END_TEST

START_TEST(metrics_are_brought_up_to_date_first)
{
    get("/metrics");
    ck_assert_int_eq(measured, 1);
    ck_assert_ptr_nonnull(strstr(answer.head, "version=0.0.4"));
}
END_TEST

START_TEST(segment_sizes_are_added_up_over_the_workers)
{
    get("/v1/segments");
    ck_assert_int_eq(answer.status, 200);
    const json_t *rows = json_object_get(json, "segments");
    ck_assert_int_eq(json_array_size(rows), 2);
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_array_get(rows, 0), "members")),
        2);
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_array_get(rows, 1), "members")),
        1);
}
END_TEST

START_TEST(names_of_events_are_put_together)
{
    apply(&fakes[1], "{\"type\":\"page\",\"userId\":\"c\"}");
    apply(&fakes[0],
          "{\"type\":\"track\",\"userId\":\"c\",\"event\":\"Ape Fed\"}");
    get("/v1/events");
    ck_assert_int_eq(answer.status, 200);
    char *events = json_dumps(json_object_get(json, "events"), JSON_COMPACT);
    ck_assert_str_eq(events, "[\"Ape Fed\",\"Goal Used\",\"Page Viewed\"]");
    free(events);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"total\": 2"));
    ck_assert(json_is_true(json_object_get(json, "complete")));
    ck_assert(json_is_false(json_object_get(json, "full")));
    fakes[0].names.full = 1;
    set(1, ENDED, WORKER_RUNNING);
    get("/v1/events");
    ck_assert(json_is_false(json_object_get(json, "complete")));
    ck_assert(json_is_true(json_object_get(json, "full")));
}
END_TEST

START_TEST(segment_sizes_say_how_many_partitions_they_are_of)
{
    get("/v1/segments");
    ck_assert(json_is_true(json_object_get(json, "complete")));
    ck_assert(json_is_null(json_object_get(json, "others")));
    set(0, ANSWERS, WORKER_RESTORING);
    get("/v1/segments");
    ck_assert_ptr_nonnull(strstr(answer.body, "\"here\": 1"));
    ck_assert_ptr_nonnull(strstr(answer.body, "\"total\": 2"));
    ck_assert(json_is_false(json_object_get(json, "complete")));
    ck_assert(json_is_null(json_object_get(json, "others")));
    group.refuses = 1;
    get("/v1/segments");
    ck_assert_int_eq(answer.status, 200);
    ck_assert(json_is_null(json_object_get(json, "others")));
}
END_TEST

START_TEST(segment_sizes_say_who_has_the_rest)
{
    partitions = 3;
    group.verdict = OWNERS_ELSEWHERE;
    group.address = "10.0.0.9:7070";
    group.count = 1;
    get("/v1/segments");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(group.asked, -1);
    ck_assert(json_is_false(json_object_get(json, "complete")));
    const json_t *others = json_object_get(json, "others");
    ck_assert_int_eq(json_array_size(others), 1);
    ck_assert_str_eq(json_string_value(json_array_get(others, 0)),
                     "http://10.0.0.9:7070");
    ck_assert_int_eq(json_array_size(json_object_get(json, "segments")), 2);
}
END_TEST

START_TEST(not_ready_says_which_partition_and_why)
{
    set(1, ANSWERS, WORKER_RESTORING);
    get("/readyz");
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(member("reason"), "Something is restored.");
    const json_t *row = json_array_get(json_object_get(json, "partitions"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "partition")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(row, "reason")),
                     "Reads the state.");
    ck_assert_int_eq(json_array_size(json_object_get(json, "partitions")), 1);
}
END_TEST

START_TEST(who_is_stopping_is_not_ready)
{
    routes.stopping = 1;
    get("/readyz");
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(member("reason"), "segmentd is stopping.");
    get("/healthz");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

static int reloads;

static int count_reload(void *arg, struct buf *said)
{
    (void)arg, (void)said;
    reloads++;
    return 0;
}

START_TEST(who_is_stopping_reads_nothing_anew)
{
    static const char none[] = "Content-Length: 0\r\n";
    routes.reload = count_reload;
    routes.stopping = 1;
    http_ask(server_port(server), "POST", "/-/reload", none, &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"error\""));
    ck_assert_ptr_nonnull(strstr(answer.body, "segmentd is stopping"));
    ck_assert_int_eq(reloads, 0);
    routes.stopping = 0;
    http_ask(server_port(server), "POST", "/-/reload", none, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"before\""));
    ck_assert_int_eq(reloads, 1);
}
END_TEST

START_TEST(who_has_a_worker_that_hangs_is_not_well)
{
    metric_set(&process.hung_workers, 1);
    get("/healthz");
    ck_assert_int_eq(answer.status, 503);
    metric_set(&process.hung_workers, 0);
    get("/healthz");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

/* ---- users of others ---------------------------------------------------- */

START_TEST(a_user_of_a_partition_that_is_restored_may_be_there)
{
    set(0, ANSWERS, WORKER_RESTORING);
    routes.partitioner = PARTITIONER_MURMUR2;
    for (int i = 0, told = 0; i < 8; i++) {
        char id[] = {'u', (char)('0' + i), '\0'}, path[32];
        snprintf(path, sizeof(path), "/v1/users/%s", id);
        get(path);
        int here =
            partitioner_partition(PARTITIONER_MURMUR2, id, strlen(id), 2);
        ck_assert_int_eq(answer.status, here ? 404 : 503);
        ck_assert_ptr_nonnull(
            strstr(member("error"), here ? "ever seen" : "not running here"));
        told += !here;
        ck_assert(i < 7 || (told && told < 8));
    }
}
END_TEST

/* A user of partition 0. */
static void ask_for_first(void)
{
    char id[] = "u0", path[32];
    while (partitioner_partition(PARTITIONER_MURMUR2, id, 2, partitions))
        id[1]++;
    snprintf(path, sizeof(path), "/v1/users/%s", id);
    get(path);
}

START_TEST(a_partition_that_came_after_the_question_was_not_looked_through)
{
    set(0, ANSWERS, WORKER_RESTORING);
    fakes[0].then = WORKER_RUNNING;
    routes.partitioner = PARTITIONER_MURMUR2;
    ask_for_first();
    ck_assert_int_eq(answer.status, 503);
    ask_for_first();
    ck_assert_int_eq(answer.status, 404);
}
END_TEST

START_TEST(users_of_a_partition_that_stands_still_are_known)
{
    set(0, ANSWERS, WORKER_WAITING);
    partitions = 3;
    routes.partitioner = PARTITIONER_MURMUR2;
    get("/v1/users/a%2Fb");
    ck_assert_int_eq(answer.status, 200);
    ask_for_first();
    ck_assert_int_eq(answer.status, 404);
}
END_TEST

static const struct {
    enum partitioner partitioner;
    enum owners_verdict verdict;
    const char *address;
    int count, status;
    const char *owner, *error;
} elsewhere[] = {
    {PARTITIONER_MURMUR2, OWNERS_ELSEWHERE, "10.0.0.9:7070", 1, 307,
     "http://10.0.0.9:7070", "owned by the process at 10.0.0.9:7070"},
    {PARTITIONER_MURMUR2, OWNERS_ELSEWHERE, "", 1, 421, "(nothing)",
     "on 10.0.0.9 that does not tell where it answers: set http.advertise"},
    {PARTITIONER_TRUST, OWNERS_ELSEWHERE, "10.0.0.9:7070", 2, 421, "(nothing)",
     "ask the other processes"},
    {PARTITIONER_MURMUR2, OWNERS_ELSEWHERE, "", 0, 503, "(nothing)", "memory"},
    {PARTITIONER_MURMUR2, OWNERS_HERE, "", 0, 503, "(nothing)", "moving"},
    {PARTITIONER_MURMUR2, OWNERS_MOVING, "", 0, 503, "(nothing)", "moving"},
    {PARTITIONER_MURMUR2, OWNERS_UNKNOWN, "", 0, 503, "(nothing)",
     "the brokers do not say"},
};

/* A user of partition 2 of three. */
static void ask_for_another(void)
{
    char id[] = "ua";
    partitions = 3;
    while (partitioner_partition(PARTITIONER_MURMUR2, id, 2, 3) != 2)
        id[1]++;
    char path[64];
    snprintf(path, sizeof(path), "/v1/users/%%%02x%s/explain?segment=pro",
             id[0], id + 1);
    get(path);
}

START_TEST(who_has_a_user_is_said)
{
    routes.partitioner = elsewhere[_i].partitioner;
    group.verdict = elsewhere[_i].verdict;
    group.address = elsewhere[_i].address;
    group.count = elsewhere[_i].count;
    ask_for_another();
    int trust = elsewhere[_i].partitioner == PARTITIONER_TRUST;
    ck_assert_int_eq(group.asked, trust ? -1 : 2);
    ck_assert_int_eq(answer.status, elsewhere[_i].status);
    ck_assert_str_eq(member("owner"), elsewhere[_i].owner);
    ck_assert_msg(strstr(member("error"), elsewhere[_i].error) != NULL, "%s",
                  answer.body);
    ck_assert_int_eq(json_array_size(json_object_get(json, "owners")),
                     *elsewhere[_i].address ? elsewhere[_i].count : 0);
    ck_assert_int_eq(strstr(answer.head, "Location: http://10.0.0.9:7070"
                                         "/v1/users/%75") != NULL,
                     answer.status == 307);
    ck_assert_int_eq(strstr(answer.head, "/explain?segment=pro\r") != NULL,
                     answer.status == 307);
    ck_assert_int_eq(strstr(answer.head, "Retry-After: 1") != NULL,
                     answer.status == 503);
}
END_TEST

START_TEST(a_group_that_cannot_be_asked_is_no_answer_either)
{
    routes.partitioner = PARTITIONER_MURMUR2;
    group.refuses = 1;
    ask_for_another();
    ck_assert_int_eq(answer.status, 503);
}
END_TEST

/* ---- workers that do not answer ------------------------------------------ */

START_TEST(one_who_found_the_user_need_not_wait_for_the_others)
{
    set(0, WAITS, WORKER_RUNNING);
    get("/v1/users/c");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

START_TEST(a_worker_that_ended_is_done_without)
{
    set(0, ENDED, WORKER_RUNNING);
    get("/v1/users/c");
    ck_assert_int_eq(answer.status, 200);
    get("/v1/users/a%2Fb");
    ck_assert_int_eq(answer.status, 503);
    get("/v1/segments");
    ck_assert_ptr_nonnull(strstr(answer.body, "\"here\": 1"));
}
END_TEST

START_TEST(with_no_worker_to_ask_it_is_said)
{
    set(0, REFUSES, WORKER_RUNNING);
    set(1, REFUSES, WORKER_RUNNING);
    get("/v1/users/c");
    ck_assert_int_eq(answer.status, 503);
}
END_TEST

START_TEST(a_busy_worker_is_not_waited_for_without_end)
{
    set(0, WAITS, WORKER_RUNNING);
    get("/v1/users/a%2Fb");
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(member("error"), "A worker is busy; try again.");
    ck_assert_int_eq(metric_get(&process.http_refused), 1);
    /* His answer comes after all, to nobody. */
    worker_run *run = fakes[0].run;
    fakes[0].run = NULL;
    run(&fakes[0], fakes[0].arg);
    get("/healthz");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

static void resume(void)
{
    http_ask(server_port(server), "POST", "/-/resume", "Content-Length: 0\r\n",
             &answer);
}

START_TEST(who_resumes_again_and_again_piles_nothing_up)
{
    set(0, WAITS, WORKER_RUNNING);
    fakes[0].paused = 1;
    resume();
    ck_assert_int_eq(answer.status, 503);
    worker_run *run = fakes[0].run;
    fakes[0].run = NULL;
    for (int i = 0; i < 3; i++) {
        resume();
        ck_assert_int_eq(answer.status, 503);
        ck_assert_ptr_nonnull(strstr(answer.body, "already"));
    }
    ck_assert_ptr_null(fakes[0].run);
    run(&fakes[0], fakes[0].arg);
    set(0, ANSWERS, WORKER_RUNNING);
    do /* The loop may see us before it sees his answer. */
        resume();
    while (strstr(answer.body, "already"));
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

START_TEST(too_many_segments_are_not_explained_at_once)
{
    struct buf text;
    buf_init(&text);
    teardown();
    for (int i = 0; i <= ROUTES_EXPLAIN_SEGMENTS; i++)
        buf_printf(&text, "segment s%d { when everyone }\n", i);
    json = NULL;
    start(buf_string(&text));
    get("/v1/users/c/explain");
    ck_assert_int_eq(answer.status, 400);
    get("/v1/users/c/explain?segment=s7");
    ck_assert_int_eq(answer.status, 200);
    buf_done(&text);
}
END_TEST

/* ---- members ----------------------------------------------------------- */

#define GOALS "/v1/segments/goals/members"

/* COUNT more users of worker INDEX who are in `goals`. */
static void enter(int index, int count)
{
    for (int i = 0; i < count; i++) {
        char text[128];
        snprintf(text, sizeof(text),
                 "{\"type\":\"track\",\"userId\":\"m%d\",\"event\":\"Goal "
                 "Used\"}",
                 i);
        apply(&fakes[index], text);
    }
}

/* Ask for a page that goes on after the last one. */
static void get_next(const char *and)
{
    char path[8192];
    snprintf(path, sizeof(path), GOALS "?after=%s%s", member("next"), and);
    get(path);
}

static int page_size(void)
{
    return (int)json_array_size(json_object_get(json, "members"));
}

static const json_t *page_member(int index, const char *name)
{
    return json_object_get(
        json_array_get(json_object_get(json, "members"), (size_t)index), name);
}

START_TEST(members_are_listed_partition_after_partition)
{
    get(GOALS);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(page_size(), 1);
    ck_assert_str_eq(json_string_value(page_member(0, "user")), "a/b");
    ck_assert_str_eq(json_string_value(page_member(0, "entered_at")),
                     "2026-01-01T00:00:00.000Z");
    ck_assert_int_eq(json_integer_value(page_member(0, "seq")), 1);
    ck_assert(json_is_null(json_object_get(json, "follow")));
    get_next("");
    ck_assert_int_eq(page_size(), 1);
    ck_assert_str_eq(json_string_value(page_member(0, "user")), "c");
    ck_assert_int_eq(json_integer_value(page_member(0, "partition")), 1);
    ck_assert_int_eq(json_integer_value(page_member(0, "seq")), 2);
    ck_assert(json_is_null(json_object_get(json, "next")));
}
END_TEST

START_TEST(the_last_page_says_where_to_follow_on)
{
    get(GOALS);
    /* Noted before the first page of the partition, whatever came since. */
    fakes[0].position = 7000;
    get_next("");
    const json_t *follow = json_object_get(json, "follow");
    char *text = json_dumps(follow, JSON_SORT_KEYS | JSON_COMPACT);
    ck_assert_str_eq(text, "{\"complete\":true,\"partitions\":2,\"positions\":["
                           "{\"offset\":100,\"partition\":0},"
                           "{\"offset\":101,\"partition\":1}],"
                           "\"topic\":\"acme.changes\"}");
    free(text);
}
END_TEST

START_TEST(a_page_holds_as_many_as_were_asked_for)
{
    int sum = 0, pages = 0;
    enter(0, 25);
    for (get(GOALS "?limit=10");; get_next("&limit=10")) {
        ck_assert_int_eq(answer.status, 200);
        ck_assert_int_le(page_size(), 10);
        sum += page_size();
        pages++;
        if (json_is_null(json_object_get(json, "next")))
            break;
    }
    ck_assert_int_eq(sum, 27);
    ck_assert_int_eq(pages, 4);
}
END_TEST

START_TEST(who_comes_meanwhile_is_listed_or_follows)
{
    enter(0, 3);
    get(GOALS "?limit=2");
    apply(&fakes[0], "{\"type\":\"track\",\"userId\":\"late\",\"event\":\"Goal "
                     "Used\"}");
    get_next("");
    ck_assert_int_eq(page_size(), 3);
    ck_assert_str_eq(json_string_value(page_member(2, "user")), "late");
}
END_TEST

START_TEST(a_list_of_some_partitions_says_so)
{
    set(0, ANSWERS, WORKER_RESTORING);
    get(GOALS);
    ck_assert_int_eq(page_size(), 1);
    const json_t *follow = json_object_get(json, "follow");
    ck_assert(json_is_false(json_object_get(follow, "complete")));
    ck_assert_int_eq(json_array_size(json_object_get(follow, "positions")), 1);
}
END_TEST

START_TEST(a_partition_that_was_read_may_go)
{
    get(GOALS);
    set(0, ANSWERS, WORKER_RESTORING);
    get_next("");
    ck_assert_int_eq(answer.status, 200);
    const json_t *follow = json_object_get(json, "follow");
    ck_assert(json_is_true(json_object_get(follow, "complete")));
}
END_TEST

START_TEST(a_partition_that_stands_still_is_listed)
{
    enter(0, 3);
    get(GOALS "?limit=2");
    set(0, ANSWERS, WORKER_WAITING); /* The memory is full, say. */
    get_next("&limit=2");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(page_size(), 2);
    get(GOALS "?limit=4");
    ck_assert_int_eq(page_size(), 4);
}
END_TEST

/* What becomes of the partition in the middle of its list. */
static const struct {
    int state;
    uint64_t incarnation, boot;
} losses[] = {
    {WORKER_RESTORING, 1, 0}, /* Moved, or is being restored. */
    {WORKER_RUNNING, 9, 0},   /* Is here again. */
    {WORKER_RUNNING, 1, 5},   /* In another process. */
};

START_TEST(a_partition_in_the_middle_must_stay)
{
    enter(0, 3);
    get(GOALS "?limit=2");
    fakes[0].state = losses[_i].state;
    fakes[0].incarnation = losses[_i].incarnation;
    if (losses[_i].boot)
        routes.boot = losses[_i].boot;
    get_next("");
    ck_assert_int_eq(answer.status, 410);
    ck_assert_ptr_nonnull(strstr(member("error"), "from its beginning"));
}
END_TEST

static const struct {
    const char *path;
    int status;
    const char *part;
} refusals[] = {
    {"/v1/segments/none/members", 404, "no segment of this key"},
    {"/v1/segments/goals%00/members", 404, "no segment of this key"},
    {GOALS "?limit=0", 400, "`limit`"},
    {GOALS "?limit=10001", 400, "`limit`"},
    {GOALS "?limit=10x", 400, "`limit`"},
    {GOALS "?after=", 400, "`after`"},
    {GOALS "?after=AAAA*AAA", 400, "`after`"},
    {GOALS "?after=AAAAAAAAAAAAAAAAAAAAAAAAA", 400, "`after`"},
};

START_TEST(what_cannot_be_listed_is_said)
{
    get(refusals[_i].path);
    ck_assert_msg(answer.status == refusals[_i].status &&
                      strstr(answer.body, refusals[_i].part),
                  "%s: got %d %s want %d %s", refusals[_i].path, answer.status,
                  answer.body, refusals[_i].status, refusals[_i].part);
    get(GOALS "?limit=10000");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

START_TEST(without_partitions_there_is_no_list)
{
    set(0, ANSWERS, WORKER_RESTORING);
    set(1, ANSWERS, WORKER_RESTORING);
    get(GOALS);
    ck_assert_int_eq(answer.status, 503);
    set(1, ENDED, WORKER_RUNNING);
    get(GOALS);
    ck_assert_int_eq(answer.status, 503);
    set(1, REFUSES, WORKER_RUNNING);
    get(GOALS);
    ck_assert_int_eq(answer.status, 503);
}
END_TEST

START_TEST(a_process_that_has_none_lists_an_empty_part)
{
    for (int i = 0; i < WORKERS; i++)
        fakes[i].idle = 1;
    get(GOALS);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(page_size(), 0);
    const json_t *follow = json_object_get(json, "follow");
    ck_assert(json_is_false(json_object_get(follow, "complete")));
    ck_assert_int_eq(json_array_size(json_object_get(follow, "positions")), 0);
}
END_TEST

START_TEST(pages_that_wait_do_not_pile_up)
{
    routes.listing = MEMBERS_AT_ONCE - 1;
    get(GOALS);
    ck_assert_int_eq(answer.status, 200);
    routes.listing = MEMBERS_AT_ONCE;
    get(GOALS);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_ptr_nonnull(strstr(member("error"), "Too many pages"));
}
END_TEST

START_TEST(a_commit_is_not_waited_for_without_end)
{
    set(0, WAITS, WORKER_RUNNING);
    get(GOALS);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_ptr_nonnull(strstr(member("error"), "try again"));
    worker_run *run = fakes[0].run;
    fakes[0].run = NULL;
    run(&fakes[0], fakes[0].arg); /* To nobody. */
    set(0, ANSWERS, WORKER_RUNNING);
    get(GOALS);
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

/* ---- the table --------------------------------------------------------- */

static const struct {
    const char *method, *path, *help;
} table[] = {
#define X(name, method, path, help) {method, path, help},
    ROUTE_TABLE(X)
#undef X
};

START_TEST(routes_are_unique_and_explained)
{
    const char *help = table[_i].help;
    ck_assert_int_eq(table[_i].path[0], '/');
    ck_assert(!strcmp(table[_i].method, "GET") ||
              !strcmp(table[_i].method, "POST"));
    ck_assert_int_eq(help[strlen(help) - 1], '.');
    for (int i = 0; i < _i; i++)
        ck_assert_str_ne(table[i].path, table[_i].path);
}
END_TEST

SUITE("routes", setup, teardown, TABLE(each_path_has_its_answer, answers),
      TEST(paused_inputs_of_all_workers_go_on),
      TABLE(what_can_only_be_read_is_not_written, methods),
      TEST(head_is_answered_like_get),
      TEST(an_explanation_is_text_for_those_who_want_it),
      TEST(metrics_are_brought_up_to_date_first),
      TEST(segment_sizes_are_added_up_over_the_workers),
      TEST(names_of_events_are_put_together),
      TEST(segment_sizes_say_how_many_partitions_they_are_of),
      TEST(segment_sizes_say_who_has_the_rest),
      TEST(not_ready_says_which_partition_and_why),
      TEST(who_is_stopping_is_not_ready),
      TEST(who_is_stopping_reads_nothing_anew),
      TEST(who_has_a_worker_that_hangs_is_not_well),
      TEST(a_user_of_a_partition_that_is_restored_may_be_there),
      TEST(a_partition_that_came_after_the_question_was_not_looked_through),
      TEST(users_of_a_partition_that_stands_still_are_known),
      TABLE(who_has_a_user_is_said, elsewhere),
      TEST(a_group_that_cannot_be_asked_is_no_answer_either),
      TEST(one_who_found_the_user_need_not_wait_for_the_others),
      TEST(a_worker_that_ended_is_done_without),
      TEST(with_no_worker_to_ask_it_is_said),
      TEST(a_busy_worker_is_not_waited_for_without_end),
      TEST(who_resumes_again_and_again_piles_nothing_up),
      TEST(too_many_segments_are_not_explained_at_once),
      TEST(members_are_listed_partition_after_partition),
      TEST(the_last_page_says_where_to_follow_on),
      TEST(a_page_holds_as_many_as_were_asked_for),
      TEST(who_comes_meanwhile_is_listed_or_follows),
      TEST(a_list_of_some_partitions_says_so),
      TEST(a_partition_that_was_read_may_go),
      TEST(a_partition_that_stands_still_is_listed),
      TABLE(a_partition_in_the_middle_must_stay, losses),
      TABLE(what_cannot_be_listed_is_said, refusals),
      TEST(without_partitions_there_is_no_list),
      TEST(a_process_that_has_none_lists_an_empty_part),
      TEST(pages_that_wait_do_not_pile_up),
      TEST(a_commit_is_not_waited_for_without_end),
      TABLE(routes_are_unique_and_explained, table))
