/* elsewhere.c: the answer to a question for a user who is not known here. */
#include "daemon/http/elsewhere.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/http/render.h"
#include "daemon/kafka/owners.h"

#define JSON        "application/json"
#define ERROR_BYTES 512

/* A question to the group. */
struct elsewhere {
    struct routes *routes;
    elsewhere_then *then;
    void *arg;
    struct owners_question question;
};

static void on_told(void *arg)
{
    struct elsewhere *elsewhere = arg;
    elsewhere->then(elsewhere->arg, &elsewhere->question);
    free(elsewhere->question.list);
    free(elsewhere);
}

/* On the thread of owners. */
static void told(void *arg)
{
    struct elsewhere *elsewhere = arg;
    if (loop_post(elsewhere->routes->loop, on_told, elsewhere) < 0)
        log_warn("an answer was lost");
}

int elsewhere_ask(struct routes *routes, int partition, elsewhere_then *then,
                  void *arg)
{
    struct elsewhere *elsewhere = calloc(1, sizeof(*elsewhere));
    if (!elsewhere)
        return SEG_ERR_NOMEM;
    *elsewhere = (struct elsewhere){
        routes,
        then,
        arg,
        {.partition = partition, .told = told, .arg = elsewhere}};
    int err = owners_ask(routes->owners, &elsewhere->question);
    if (err < 0)
        free(elsewhere);
    return err;
}

/* ---- what the group says of a user ------------------------------------- */

static void redirect(struct request *request, const char *address)
{
    struct buf url;
    buf_init(&url);
    buf_printf(&url, "http://%s", address);
    request_target(request, &url);
    request_header(request, "Location", buf_string(&url));
    buf_done(&url);
}

/* Others have it; who of them answers where. */
static void answer_elsewhere(struct request *request,
                             const struct owners_question *question)
{
    const struct owners_process *one = question->list;
    char error[ERROR_BYTES];
    int known = question->partition >= 0, status = 421;
    if (!known) {
        snprintf(error, sizeof(error),
                 "This user is not known here, and with `partitioner trust` "
                 "nothing tells where else: ask the other processes.");
    } else if (*one->address) {
        snprintf(error, sizeof(error),
                 "Partition %d of this user is owned by the process at %s.",
                 question->partition, one->address);
        redirect(request, one->address);
        status = 307;
    } else {
        snprintf(error, sizeof(error),
                 "Partition %d of this user is owned by a process on %s that "
                 "does not tell where it answers: set http.advertise there.",
                 question->partition, one->host);
    }
    request_answer(
        request, status, JSON,
        render_elsewhere(error, question->partition, one, question->count));
}

static void answer_user(void *arg, const struct owners_question *question)
{
    struct request *request = arg;
    switch (question->verdict) {
    case OWNERS_ELSEWHERE:
        if (question->count)
            answer_elsewhere(request, question);
        else
            routes_fail(request, 503, "Out of memory.");
        break;
    case OWNERS_HERE:
    case OWNERS_MOVING:
        routes_fail(request, 503,
                    "The partition of this user is just moving; try again.");
        break;
    case OWNERS_UNKNOWN:
        routes_fail(
            request, 503,
            "This user is not known here, and the brokers do not say who has "
            "his partition; try again.");
        break;
    }
}

/* Whether PARTITION is ours, in whatever state. */
static int is_here(const struct routes *routes, int partition)
{
    int count = workers_board(routes->workers, NULL, 0), here = 0;
    struct workers_row *rows = calloc((size_t)count + 1, sizeof(*rows));
    int max = rows ? workers_board(routes->workers, rows, count) : 0;
    for (int i = 0; i < max && i < count; i++)
        here |= rows[i].partition == partition;
    free(rows);
    return here;
}

int elsewhere_partition(const struct routes *routes, struct seg_text id)
{
    int total = routes->workers ? workers_partition_count(routes->workers) : 0;
    return total ? partitioner_partition(routes->partitioner, id.bytes, id.len,
                                         total)
                 : -1;
}

/* A partition that came here after the workers were asked was not looked
 * through, though it may run by now. */
void elsewhere_answer(struct routes *routes, struct request *request,
                      int partition, int looked)
{
    int total = routes->workers ? workers_partition_count(routes->workers) : 0;
    if (looked)
        routes_fail(request, 404, "No message of this user was ever seen.");
    else if (!total || (partition >= 0 && is_here(routes, partition)))
        routes_fail(
            request, 503,
            "The partition of this user is not running here yet; try again.");
    else if (elsewhere_ask(routes, partition, answer_user, request) < 0)
        routes_fail(request, 503,
                    "There is no memory, or there are no threads left.");
}
