/* routes.c: the answers of segmentd to HTTP requests.
 *
 *     loop      question ---> worker 0: errand --.
 *                        ---> worker 1: errand --+--> loop: question answered
 *
 * A question counts its errands and ends with the last of them, so that one
 * that comes after the answer (a user found, or no time left) finds it still
 * there. Every closure posted runs once, also when a worker or the loop ends:
 * nothing is lost. */
#include "daemon/http/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/http/elsewhere.h"
#include "daemon/http/members.h"
#include "daemon/http/render.h"
#include "daemon/http/route_table.h"
#include "daemon/partition/names.h"
#include "lib/base/text.h"

#define JSON       "application/json"
#define TEXT       "text/plain; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

void routes_fail(struct request *request, int status, const char *message)
{
    if (status == 503)
        request_header(request, "Retry-After", "1");
    request_answer(request, status, JSON, render_error(message));
}

/* ---- answered at once ------------------------------------------------ */

static void route_metrics(struct routes *routes, struct request *request)
{
    struct buf out;
    buf_init(&out);
    routes->measure(routes->arg);
    metrics_print(routes->metrics, &out);
    request_answer(request, 200, PROMETHEUS, buf_take(&out));
    buf_done(&out);
}

static void route_healthz(struct routes *routes, struct request *request)
{
    int hung = metric_get(&routes->process->hung_workers) > 0;
    request_answer(request, hung ? 503 : 200, TEXT,
                   strdup(hung ? "a worker hangs, see the log\n" : "ok\n"));
}

#define NOT_READY_ROWS 64 /* Shown; there is always one more to mend. */

/* Copy the partitions of ROWS that are not running to OUT. */
static int not_running(const struct workers_row *rows, int count,
                       struct render_partition *out)
{
    int found = 0;
    for (int i = 0; i < count && found < NOT_READY_ROWS; i++)
        if (rows[i].state != WORKER_RUNNING)
            out[found++] = (struct render_partition){
                rows[i].partition, worker_state_name(rows[i].state),
                rows[i].reason};
    return found;
}

static void route_readyz(struct routes *routes, struct request *request)
{
    struct render_partition shown[NOT_READY_ROWS];
    char reason[WORKERS_REASON_BYTES] = "segmentd is stopping.";
    int ready = !routes->stopping && workers_ready(routes->workers, reason);
    int count = workers_board(routes->workers, NULL, 0);
    struct workers_row *rows = calloc((size_t)count + 1, sizeof(*rows));
    if (rows) {
        int max = count;
        count = workers_board(routes->workers, rows, max);
        count = not_running(rows, count < max ? count : max, shown);
    }
    request_answer(
        request, ready ? 200 : 503, JSON,
        render_ready(ready, ready ? "" : reason, shown, rows ? count : 0));
    free(rows);
}

/* ---- asking the workers ---------------------------------------------- */

struct errand;

struct question {
    struct routes *routes;
    struct seg_catalogue *catalogue; /* In force when it was asked; shared. */
    struct request *request;         /* NULL: answered. */
    struct loop_timer *timer;
    int waiting; /* Errands not back, and the group. */
    /* Set before it is asked, then only read. */
    enum worker_when when;
    void (*work)(struct worker *worker, struct errand *errand);
    void (*finish)(struct question *question); /* All of them are back. */
    struct seg_text id;                        /* Of a user; a copy. */
    int partition;                             /* His; -1: not known. */
    int segment;                               /* Index; below 0: all. */
    int as_text;
    /* Of all errands, on the loop. */
    int64_t *members; /* By segment, or NULL. */
    struct render_backfill *backfills;
    int backfill_count;
    struct names names;
    int here;    /* Partitions that were looked at. */
    int looked;  /* The user's was among them. */
    int resumed; /* Inputs. */
};

/* One worker's part. */
struct errand {
    struct question *question;
    int found;
    char *body;       /* Of the answer, when found; NULL: no memory. */
    int64_t *members; /* By segment, or NULL. */
    struct names names;
    struct render_backfill *backfills;
    int backfill_count;
    int here, looked, resumed;
};

/* One that there is no memory for is not shown. */
static void add_backfill(struct render_backfill **all, int *count,
                         const struct render_backfill *one)
{
    struct render_backfill *more =
        realloc(*all, ((size_t)*count + 1) * sizeof(*more));
    if (!more)
        return;
    *all = more;
    more[(*count)++] = *one;
}

static void errand_free(struct errand *errand)
{
    free(errand->body);
    names_done(&errand->names);
    free(errand->members);
    free(errand->backfills);
    free(errand);
}

static void question_free(struct question *question)
{
    if (question->when == WORKER_AFTER_COMMIT)
        question->routes->resuming = 0;
    loop_timer_free(question->timer);
    seg_catalogue_free(question->catalogue);
    free((char *)question->id.bytes);
    free(question->members);
    names_done(&question->names);
    free(question->backfills);
    free(question);
}

/* The answer, unless it was given before; BODY is taken. */
static void answer(struct question *question, int status, const char *type,
                   char *body)
{
    if (question->request)
        request_answer(question->request, status, type, body);
    else
        free(body);
    question->request = NULL;
}

static void on_timeout(void *arg)
{
    struct question *question = arg;
    metric_add(&question->routes->process->http_refused, 1);
    answer(question, 503, JSON, render_error("A worker is busy; try again."));
}

static int partition_count(const struct routes *routes)
{
    return routes->workers ? workers_partition_count(routes->workers) : 0;
}

/* All workers answered, and nobody found the user. */
static void answer_not_found(struct question *question)
{
    question->looked |=
        question->here && question->here == partition_count(question->routes);
    if (question->request)
        elsewhere_answer(question->routes, question->request,
                         question->partition, question->looked);
    question->request = NULL;
}

/* Sizes or names, added up. */
static void answer_added(struct question *question,
                         const struct owners_question *others)
{
    const struct render_here here = {question->here,
                                     partition_count(question->routes), others};
    const struct render_sizes sizes = {
        .catalogue = question->catalogue,
        .members = question->members,
        .backfills = question->backfills,
        .backfill_count = question->backfill_count,
    };
    answer(question, 200, JSON,
           question->members
               ? render_segments(&sizes, &here)
               : render_events(question->catalogue, &question->names, &here));
}

/* The group says who else there is. */
static void on_others(void *arg, const struct owners_question *others)
{
    struct question *question = arg;
    answer_added(question, others);
    question_free(question);
}

/* Everything here is added up. If that is not all, it is said who has the rest.
 */
static void answer_all(struct question *question)
{
    /* Without workers it ends, and whom to ask is gone, too. */
    int part = question->routes->workers &&
               question->here != partition_count(question->routes);
    loop_timer_free(question->timer); /* The workers were in time. */
    question->timer = NULL;
    if (part && elsewhere_ask(question->routes, -1, on_others, question) >= 0)
        question->waiting = 1;
    else
        answer_added(question, NULL);
}

static void add_up(struct question *question, const struct errand *errand)
{
    int count = seg_catalogue_segment_count(question->catalogue);
    question->here += errand->here;
    question->looked |= errand->looked;
    question->resumed += errand->resumed;
    if (names_merge(&question->names, &errand->names) < 0)
        question->names.full = 1;
    for (int i = 0; question->members && errand->members && i < count; i++)
        question->members[i] += errand->members[i];
    for (int i = 0; i < errand->backfill_count; i++)
        add_backfill(&question->backfills, &question->backfill_count,
                     &errand->backfills[i]);
}

/* An errand is back, on the loop. */
static void on_errand(void *arg)
{
    struct errand *errand = arg;
    struct question *question = errand->question;
    add_up(question, errand);
    if (errand->found) {
        answer(question, 200, question->as_text ? TEXT : JSON, errand->body);
        errand->body = NULL;
    }
    if (--question->waiting == 0) {
        question->finish(question);
        if (!question->waiting)
            question_free(question);
    }
    errand_free(errand);
}

/* On the worker's thread; WORKER is NULL if it ended before. */
static void run_errand(struct worker *worker, void *arg)
{
    struct errand *errand = arg;
    struct routes *routes = errand->question->routes;
    if (worker)
        errand->question->work(worker, errand);
    if (loop_post(routes->loop, on_errand, errand) < 0) {
        log_warn("an answer was lost");
        errand_free(errand);
    }
}

static int send_errand(struct question *question, struct worker *worker)
{
    struct errand *errand = calloc(1, sizeof(*errand));
    if (!errand)
        return SEG_ERR_NOMEM;
    errand->question = question;
    int err = worker_post(worker, question->when, run_errand, errand);
    if (err < 0)
        errand_free(errand);
    else
        question->waiting++;
    return err;
}

/* Ask all workers. QUESTION is taken. */
static void ask(struct question *question)
{
    struct workers *workers = question->routes->workers;
    int err = loop_after(question->routes->loop, ROUTES_WAIT_MS, on_timeout,
                         question, &question->timer);
    for (int i = 0; !err && i < workers_count(workers); i++)
        send_errand(question, workers_at(workers, i));
    if (question->waiting)
        return;
    answer(question, 503, JSON, render_error("segmentd cannot answer now."));
    question_free(question);
}

static struct question *
question_new(struct routes *routes, struct request *request,
             void (*work)(struct worker *worker, struct errand *errand),
             void (*finish)(struct question *question))
{
    struct question *question = calloc(1, sizeof(*question));
    if (!question) {
        routes_fail(request, 503, "Out of memory.");
        return NULL;
    }
    question->routes = routes;
    question->catalogue = seg_catalogue_share(routes->catalogue);
    question->request = request;
    question->work = work;
    question->finish = finish;
    return question;
}

/* ---- users ----------------------------------------------------------- */

/* The index in OTHER of segment INDEX of CATALOGUE; negative: it has none. A
 * partition may not have gone over to the same catalogue yet. */
static int index_in(const struct seg_catalogue *other,
                    const struct seg_catalogue *catalogue, int index)
{
    struct seg_segment_info info;
    if (other == catalogue)
        return index;
    seg_catalogue_segment(catalogue, index, &info);
    return seg_catalogue_segment_index(other, info.key);
}

/* On the worker's thread: the user, or NULL; partitions are counted. */
static const struct seg_user *find(struct worker *worker, struct errand *errand,
                                   struct render_user *found)
{
    struct worker_partition partition;
    const struct question *question = errand->question;
    if (worker_find_user(worker, question->id, &partition, &found->user) < 0)
        return NULL;
    found->catalogue = seg_engine_catalogue(partition.engine);
    found->engine = partition.engine;
    found->partition = partition.partition;
    errand->found = 1;
    return found->user;
}

static void count_partition(void *arg, const struct worker_partition *partition)
{
    struct errand *errand = arg;
    if (!partition->engine)
        return;
    errand->here++;
    errand->looked |= partition->partition == errand->question->partition;
}

static void work_user(struct worker *worker, struct errand *errand)
{
    struct render_user found;
    worker_each_partition(worker, count_partition, errand);
    if (find(worker, errand, &found))
        errand->body = render_user(&found);
}

static void work_explain(struct worker *worker, struct errand *errand)
{
    struct render_user found;
    const struct question *question = errand->question;
    int segment = question->segment;
    worker_each_partition(worker, count_partition, errand);
    if (!find(worker, errand, &found))
        return;
    if (segment >= 0) {
        segment = index_in(found.catalogue, question->catalogue, segment);
        errand->found = segment >= 0;
    }
    if (errand->found)
        errand->body = question->as_text ? render_explain_text(&found, segment)
                                         : render_explain(&found, segment);
}

static void ask_user(struct question *question)
{
    struct seg_text id = request_part(question->request, 2);
    char *copy = malloc(id.len + 1);
    if (!copy) {
        answer(question, 503, JSON, NULL);
        question_free(question);
        return;
    }
    memcpy(copy, id.bytes, id.len + 1);
    question->id = (struct seg_text){copy, id.len};
    question->partition = elsewhere_partition(question->routes, id);
    ask(question);
}

static void route_user(struct routes *routes, struct request *request)
{
    struct question *question =
        question_new(routes, request, work_user, answer_not_found);
    if (question)
        ask_user(question);
}

static void route_explain(struct routes *routes, struct request *request)
{
    const char *key = request_query(request, "segment");
    int count = seg_catalogue_segment_count(routes->catalogue);
    int segment =
        key ? seg_catalogue_segment_index(routes->catalogue, key) : -1;
    if (key && segment < 0) {
        routes_fail(request, 404, "There is no segment of this key.");
        return;
    }
    if (!key && count > ROUTES_EXPLAIN_SEGMENTS) {
        routes_fail(request, 400,
                    "There are too many segments to explain them all; "
                    "name one with ?segment=KEY.");
        return;
    }
    struct question *question =
        question_new(routes, request, work_explain, answer_not_found);
    if (!question)
        return;
    question->segment = segment;
    question->as_text = request_wants_text(request);
    ask_user(question);
}

/* ---- segments -------------------------------------------------------- */

static void add_sizes(void *arg, const struct worker_partition *partition)
{
    struct errand *errand = arg;
    const struct seg_catalogue *catalogue = errand->question->catalogue;
    if (!partition->engine)
        return;
    errand->here++;
    if (partition->backfill)
        add_backfill(
            &errand->backfills, &errand->backfill_count,
            &(struct render_backfill){partition->partition, partition->backfill,
                                      partition->backfill_reason,
                                      (int64_t)partition->backfill_read,
                                      partition->backfill_remaining});
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        int own =
            index_in(seg_engine_catalogue(partition->engine), catalogue, i);
        if (own >= 0)
            errand->members[i] +=
                seg_engine_segment_size(partition->engine, own);
    }
}

static int64_t *sizes_new(const struct seg_catalogue *catalogue)
{
    return calloc((size_t)seg_catalogue_segment_count(catalogue) + 1,
                  sizeof(int64_t));
}

static void work_segments(struct worker *worker, struct errand *errand)
{
    errand->members = sizes_new(errand->question->catalogue);
    if (errand->members)
        worker_each_partition(worker, add_sizes, errand);
}

static void route_segments(struct routes *routes, struct request *request)
{
    struct question *question =
        question_new(routes, request, work_segments, answer_all);
    if (!question)
        return;
    question->members = sizes_new(question->catalogue);
    if (question->members) {
        ask(question);
        return;
    }
    answer(question, 503, JSON, NULL);
    question_free(question);
}

/* ---- events ---------------------------------------------------------- */

static void work_events(struct worker *worker, struct errand *errand)
{
    worker_each_partition(worker, count_partition, errand);
    if (names_merge(&errand->names, worker_names(worker)) < 0)
        errand->names.full = 1;
}

static void route_events(struct routes *routes, struct request *request)
{
    struct question *question =
        question_new(routes, request, work_events, answer_all);
    if (question)
        ask(question);
}

/* ---- members --------------------------------------------------------- */

static void route_members(struct routes *routes, struct request *request)
{
    members_answer(routes, request);
}

/* ---- mending --------------------------------------------------------- */

static void route_reload(struct routes *routes, struct request *request)
{
    struct buf said;
    char before[16];
    if (routes->stopping) {
        routes_fail(request, 503,
                    "segmentd is stopping: segment files are not read anew.");
        return;
    }
    snprintf(before, sizeof(before), "%s",
             seg_catalogue_hash(routes->catalogue));
    buf_init(&said);
    int ret = routes->reload(routes->arg, &said);
    if (ret < 0)
        request_answer(
            request, ret == SEG_ERR_NOMEM ? 503 : 422, JSON,
            render_not_reloaded(routes->catalogue, buf_string(&said)));
    else
        request_answer(
            request, 200, JSON,
            render_reloaded(routes->catalogue, before, buf_string(&said)));
    buf_done(&said);
}

static void work_resume(struct worker *worker, struct errand *errand)
{
    errand->resumed = worker_resume(worker);
}

static void answer_resume(struct question *question)
{
    answer(question, 200, JSON, render_resumed(question->resumed));
}

/* It waits for a commit, and so for the brokers: one at a time, or they would
 * pile up in the workers while there are none. */
static void route_resume(struct routes *routes, struct request *request)
{
    if (routes->resuming) {
        routes_fail(
            request, 503,
            "Inputs are to go on already; that waits for the next commit.");
        return;
    }
    struct question *question =
        question_new(routes, request, work_resume, answer_resume);
    if (!question)
        return;
    question->when = WORKER_AFTER_COMMIT;
    routes->resuming = 1;
    ask(question);
}

/* ---- finding the route ----------------------------------------------- */

static const struct {
    const char *method, *path;
    void (*handle)(struct routes *routes, struct request *request);
} table[] = {
#define X(name, method, path, help) {method, path, route_##name},
    ROUTE_TABLE(X)
#undef X
};
#define ROUTE_COUNT (sizeof(table) / sizeof(table[0]))

static int is_path(const struct request *request, const char *path)
{
    int count = request_part_count(request), i = 0;
    for (; *path && i < count; i++) {
        size_t len = strcspn(++path, "/");
        if (*path != '{' &&
            !text_equal(request_part(request, i), (struct seg_text){path, len}))
            return 0;
        path += len;
    }
    return !*path && i == count;
}

/* Who answers GET answers HEAD too. */
static int is_method(const char *method, const char *wanted)
{
    return !strcmp(method, wanted) ||
           (!strcmp(method, "HEAD") && !strcmp(wanted, "GET"));
}

void routes_handle(void *arg, struct request *request)
{
    struct routes *routes = arg;
    const char *method = request_method(request);
    size_t i = 0;
    while (i < ROUTE_COUNT && !is_path(request, table[i].path))
        i++;
    if (i == ROUTE_COUNT) {
        routes_fail(request, 404, "There is nothing at this path.");
    } else if (!is_method(method, table[i].method)) {
        int get = !strcmp(table[i].method, "GET");
        request_header(request, "Allow", get ? "GET, HEAD" : table[i].method);
        routes_fail(request, 405,
                    get ? "Only GET and HEAD can be asked for here."
                        : "Only POST can be asked for here.");
    } else {
        table[i].handle(routes, request);
    }
}
