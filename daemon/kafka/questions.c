/* questions.c: what the brokers must be asked, asked in threads of its own.
 *
 * One entry per thing that is asked about; a new number replaces the question
 * that stands there. A thread takes all open ones at once: watermarks go out in
 * one request per broker, however many partitions want theirs.
 *
 *     worker     open(number) ---------.                    answer(number)?
 *     thread                           snapshot -> ask -> settle if the number
 *                                                          is still the same
 *
 * Offsets that are pending in a transaction make the library wait. So committed
 * offsets have a thread of their own, and watermarks, by which timers fire, do
 * not wait with them. It asks for one partition at a time, the one asked for
 * least often first: who is pending does not hold up others for long. (The
 * admin request that tells pending offsets at once is of no use: in 2.0.2 a
 * request that timed out makes the library abort when its answer comes after
 * all.)
 *
 * A refusal is no answer for ever: somebody may give the right, or make the
 * topic. Whoever goes on asking has the brokers asked again every REFUSED_MS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/kafka/questions_inside.h"
#include "lib/base/alloc.h"

#define RETRY_MS   50   /* Pause after a question nobody answered. */
#define REFUSED_MS 1000 /* The same after one that was refused. */

/* ---- the threads --------------------------------------------------------- */

static int by_kind(const void *a, const void *b)
{
    const struct question *x = *(struct question *const *)a;
    const struct question *y = *(struct question *const *)b;
    return (int)x->kind - (int)y->kind;
}

/* The open question about committed offsets that was asked least often. */
static const struct question *choose(const struct questions *questions)
{
    const struct question *best = NULL;
    for (size_t i = 0; i < questions->count; i++) {
        const struct question *q = questions->items[i];
        if (q->kind == COMMITTED && q->stage == OPEN &&
            (!best || q->tries < best->tries))
            best = q;
    }
    return best;
}

/* Copies of the open questions of LANE, sorted by kind; the copies' owned
 * members are their own. Returns how many, 0 also without memory. */
static int snapshot(const struct lane *lane, struct question ***ret)
{
    const struct questions *questions = lane->questions;
    const struct question *only = lane->committed ? choose(questions) : NULL;
    size_t inputs = (size_t)questions->options.client->conf->input_count;
    int n = 0;
    struct question **list = calloc(questions->count + 1, sizeof(*list));
    for (size_t i = 0; list && i < questions->count; i++) {
        const struct question *q = questions->items[i];
        if (q->stage != OPEN ||
            (lane->committed ? q != only : q->kind == COMMITTED))
            continue;
        struct question *copy = malloc(sizeof(*copy));
        if (!copy)
            break;
        *copy = *questions->items[i];
        copy->committed = copy->kind == COMMITTED
                              ? calloc(inputs, sizeof(*copy->committed))
                              : NULL;
        copy->check =
            copy->kind == CHECK ? calloc(1, sizeof(*copy->check)) : NULL;
        if ((copy->kind == COMMITTED && !copy->committed) ||
            (copy->kind == CHECK && !copy->check))
            free(copy);
        else
            list[n++] = copy;
    }
    if (n)
        qsort(list, (size_t)n, sizeof(*list), by_kind);
    *ret = list;
    return n;
}

static struct question *find(const struct questions *questions, enum kind kind,
                             int topic, int partition)
{
    for (size_t i = 0; i < questions->count; i++) {
        struct question *q = questions->items[i];
        if (q->kind == kind && q->topic == topic && q->partition == partition)
            return q;
    }
    return NULL;
}

static void question_free(struct question *question)
{
    free(question->committed);
    free(question->check);
    free(question);
}

/* Put the answers of LIST where they belong. Returns 1 if one stayed open. */
static int settle(struct questions *questions, struct question **list,
                  int count)
{
    int open = 0;
    for (int i = 0; i < count; i++) {
        struct question *to =
            find(questions, list[i]->kind, list[i]->topic, list[i]->partition);
        int same = to->number == list[i]->number;
        if (list[i]->stage == OPEN) {
            open = 1;
            if (same) {
                to->tries++;
                memcpy(to->reason, list[i]->reason, sizeof(to->reason));
            }
        } else if (same) {
            struct question answered = *list[i];
            list[i]->committed = to->committed;
            list[i]->check = to->check;
            *to = answered;
        }
        question_free(list[i]);
    }
    free(list);
    return open;
}

static void wait_for_work(struct questions *questions, int64_t timeout_ms)
{
    struct timespec until;
    if (timeout_ms < 0) {
        pthread_cond_wait(&questions->work, &questions->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += timeout_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&questions->work, &questions->lock, &until);
}

static void *run(void *arg)
{
    const struct lane *lane = arg;
    struct questions *questions = lane->questions;
    pthread_mutex_lock(&questions->lock);
    while (!questions->stop) {
        struct question **list;
        int n = snapshot(lane, &list);
        if (!n) {
            free(list);
            wait_for_work(questions, -1);
            continue;
        }
        pthread_mutex_unlock(&questions->lock);
        questions_ask(questions, list, n);
        pthread_mutex_lock(&questions->lock);
        int open = settle(questions, list, n);
        bell_ring(questions->options.bell);
        const struct question *next =
            lane->committed ? choose(questions) : NULL;
        if (open && !questions->stop && (!next || next->tries))
            wait_for_work(questions, RETRY_MS);
    }
    pthread_mutex_unlock(&questions->lock);
    return NULL;
}

/* Returns 0, or SEG_ERR_LIMIT. */
static int start_lanes(struct questions *questions)
{
    for (int i = 0; i < 2; i++) {
        struct lane *lane = &questions->lanes[i];
        *lane = (struct lane){.questions = questions, .committed = i};
        if (pthread_create(&lane->thread, NULL, run, lane))
            return SEG_ERR_LIMIT;
        questions->lane_count++;
    }
    return 0;
}

int questions_open(struct questions **ret,
                   const struct questions_options *options)
{
    struct questions *questions = calloc(1, sizeof(*questions));
    pthread_condattr_t monotonic;
    int r = SEG_ERR_NOMEM;
    if (!questions)
        return r;
    questions->options = *options;
    pthread_mutex_init(&questions->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&questions->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    questions->known = calloc(QUESTIONS_TOPICS_MAX, sizeof(*questions->known));
    if (questions->known)
        r = start_lanes(questions);
    if (r < 0)
        questions_close(questions);
    else
        *ret = questions;
    return r;
}

void questions_close(struct questions *questions)
{
    if (!questions)
        return;
    pthread_mutex_lock(&questions->lock);
    questions->stop = 1;
    pthread_cond_broadcast(&questions->work);
    pthread_mutex_unlock(&questions->lock);
    for (int i = 0; i < questions->lane_count; i++)
        pthread_join(questions->lanes[i].thread, NULL);
    for (size_t i = 0; i < questions->count; i++)
        question_free(questions->items[i]);
    free(questions->items);
    for (int i = 0; questions->known && i < QUESTIONS_TOPICS_MAX; i++)
        if (questions->known[i])
            rd_kafka_topic_destroy(questions->known[i]);
    free(questions->known);
    pthread_cond_destroy(&questions->work);
    pthread_mutex_destroy(&questions->lock);
    free(questions);
}

/* ---- the worker's side --------------------------------------------------- */

/* The place of a question about KIND, TOPIC, PARTITION; NULL: no memory. */
static struct question *place(struct questions *questions, enum kind kind,
                              int topic, int partition)
{
    struct question *q = find(questions, kind, topic, partition);
    if (q || alloc_grow((void **)&questions->items, &questions->cap,
                        questions->count + 1, sizeof(*questions->items)) < 0)
        return q;
    q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    q->kind = kind;
    q->topic = topic;
    q->partition = partition;
    q->stage = ANSWERED;
    q->high = -1;
    questions->items[questions->count++] = q;
    return q;
}

static int is_refused_long_ago(const struct question *question, int64_t now_ms)
{
    return question->stage == ANSWERED && question->answer == BROKER_REFUSED &&
           now_ms - question->asked_ms >= REFUSED_MS;
}

/* The question described by ASKED, put if its number is new or its refusal old.
 * Returns with the lock held. NULL while there is no answer. */
static const struct question *put(struct questions *questions,
                                  const struct question *asked)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&questions->lock);
    struct question *q =
        place(questions, asked->kind, asked->topic, asked->partition);
    if (q && (q->number != asked->number || is_refused_long_ago(q, now_ms))) {
        q->number = asked->number;
        q->asked_ms = now_ms;
        q->tries = 0;
        q->want_low = asked->want_low;
        q->instant_ms = asked->instant_ms;
        q->answer = BROKER_OK;
        q->reason[0] = '\0';
        q->stage = OPEN;
        pthread_cond_broadcast(&questions->work);
    }
    questions->reason[0] = '\0';
    if (q)
        memcpy(questions->reason, q->reason, sizeof(questions->reason));
    return q && q->stage == ANSWERED ? q : NULL;
}

/* Give the lock back and answer. */
static int answer(struct questions *questions, const struct question *question)
{
    int r = question ? question->answer : BROKER_AGAIN;
    pthread_mutex_unlock(&questions->lock);
    return r;
}

int questions_committed(struct questions *questions, uint64_t number,
                        int partition, struct broker_committed *out)
{
    struct question asked = {
        .kind = COMMITTED, .number = number, .partition = partition};
    const struct question *q = put(questions, &asked);
    int inputs = questions->options.client->conf->input_count;
    if (q && q->answer == BROKER_OK)
        memcpy(out, q->committed, (size_t)inputs * sizeof(*out));
    return answer(questions, q);
}

int questions_watermarks(struct questions *questions, uint64_t number,
                         int topic, int partition, int64_t *low, int64_t *high)
{
    struct question asked = {.kind = WATERMARKS,
                             .number = number,
                             .topic = topic,
                             .partition = partition,
                             .want_low = low != NULL};
    const struct question *q = put(questions, &asked);
    if (q && q->answer == BROKER_OK) {
        *high = q->high;
        if (low)
            *low = q->low;
    }
    return answer(questions, q);
}

int64_t questions_end(struct questions *questions, int topic, int partition)
{
    pthread_mutex_lock(&questions->lock);
    struct question *q = place(questions, END, topic, partition);
    int64_t high = q ? q->high : -1;
    if (q && q->stage == ANSWERED) {
        q->number++;
        q->answer = BROKER_OK;
        q->stage = OPEN;
        pthread_cond_broadcast(&questions->work);
    }
    pthread_mutex_unlock(&questions->lock);
    return high;
}

int questions_start_offset(struct questions *questions, uint64_t number,
                           int topic, int partition, int64_t instant_ms,
                           int64_t *offset)
{
    struct question asked = {.kind = START_OFFSET,
                             .number = number,
                             .topic = topic,
                             .partition = partition,
                             .instant_ms = instant_ms};
    const struct question *q = put(questions, &asked);
    if (q && q->answer == BROKER_OK)
        *offset = q->offset;
    return answer(questions, q);
}

int questions_check(struct questions *questions, uint64_t number,
                    struct admin_check *out)
{
    struct question asked = {.kind = CHECK, .number = number};
    const struct question *q = put(questions, &asked);
    if (q)
        *out = *q->check;
    return answer(questions, q);
}

const char *questions_reason(const struct questions *questions)
{
    return questions->reason;
}
