/* owners.c: which process has a partition, asked of the coordinator of the
 * group.
 *
 * The list of groups is the library's old call: it waits on the caller's stack
 * and leaves late answers alone, where the newer admin request of 2.0.2 aborts
 * the process when its answer comes too late. It knows the classic protocol
 * only, which is the one we speak. */
#include "daemon/kafka/owners.h"

#include <ctype.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/clock.h"

struct owners {
    struct client client;
    pthread_t thread;
    int started;
    rd_kafka_t *rk;                           /* Of the thread. */
    const struct rd_kafka_group_list *groups; /* Likewise; the last answer. */
    int64_t groups_ms;
    char own[512]; /* What the ids of our own workers begin with. */

    pthread_mutex_t lock; /* For the rest. */
    pthread_cond_t work;
    int stop;
    struct owners_question *first;
};

/* ---- what a group says --------------------------------------------------- */

/* A big-endian number of BYTES bytes at *AT, which moves past it; -1: the end.
 */
static int64_t take_number(const char **at, const char *end, int bytes)
{
    int64_t number = 0;
    if (end - *at < bytes)
        return -1;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)*(*at)++;
    return number;
}

/* int16 version, int32 n, n * (string topic, int32 k, k * int32 partition), and
 * what the assignor adds. */
int owners_assigned(const char *bytes, size_t len, const char *topic,
                    int partition)
{
    const char *at = bytes, *end = bytes + len;
    int64_t topics =
        take_number(&at, end, 2) < 0 ? -1 : take_number(&at, end, 4);
    for (; topics > 0; topics--) {
        int64_t name_len = take_number(&at, end, 2);
        if (name_len < 0 || end - at < name_len)
            return 0;
        int same = strlen(topic) == (size_t)name_len &&
                   !memcmp(at, topic, (size_t)name_len);
        at += name_len;
        for (int64_t n = take_number(&at, end, 4); n > 0; n--) {
            int64_t number = take_number(&at, end, 4);
            if (number < 0)
                return 0;
            if (same && number == partition)
                return 1;
        }
    }
    return 0;
}

void owners_address(char *out, const char *id)
{
    const char *at = strchr(id, '@');
    size_t len = at ? strlen(++at) : 0;
    int good = len && len < OWNERS_ADDRESS_BYTES && strrchr(at, ':') &&
               isdigit((unsigned char)at[len - 1]);
    for (size_t i = 0; good && i < len; i++)
        good = isalnum((unsigned char)at[i]) || strchr(".:-_[]", at[i]);
    snprintf(out, OWNERS_ADDRESS_BYTES, "%s", good ? at : "");
}

static int is_own(const struct owners *owners,
                  const struct rd_kafka_group_member_info *member)
{
    size_t len = strlen(owners->own);
    const char *rest = member->client_id + len;
    if (strncmp(member->client_id, owners->own, len) ||
        !isdigit((unsigned char)*rest))
        return 0;
    rest += strspn(rest, "0123456789");
    return !*rest || *rest == '@'; /* Else of a process with a longer name. */
}

/* The process of MEMBER joins the answer, unless it is there. */
static void add(struct owners_question *question,
                const struct rd_kafka_group_member_info *member)
{
    struct owners_process process;
    owners_address(process.address, member->client_id);
    snprintf(process.host, sizeof(process.host), "%s",
             member->client_host + (*member->client_host == '/'));
    if (!question->list)
        question->list = calloc(OWNERS_MAX, sizeof(*question->list));
    for (int i = 0; i < question->count; i++)
        if (!strcmp(question->list[i].address, process.address) &&
            (*process.address || !strcmp(question->list[i].host, process.host)))
            return;
    if (question->list && question->count < OWNERS_MAX)
        question->list[question->count++] = process;
}

static int has(const struct owners *owners,
               const struct rd_kafka_group_member_info *member, int partition)
{
    return member->member_assignment_size > 0 &&
           owners_assigned(member->member_assignment,
                           (size_t)member->member_assignment_size,
                           owners->client.conf->inputs[0].topic, partition);
}

/* Answer QUESTION from what GROUP says. */
static void look(const struct owners *owners,
                 const struct rd_kafka_group_info *group,
                 struct owners_question *question)
{
    question->verdict = OWNERS_MOVING;
    if (strcmp(group->state, "Stable"))
        return;
    for (int i = 0; i < group->member_cnt; i++) {
        const struct rd_kafka_group_member_info *member = &group->members[i];
        int own = is_own(owners, member);
        if (question->partition < 0 ? own
                                    : !has(owners, member, question->partition))
            continue;
        if (own) {
            question->verdict = OWNERS_HERE;
            return;
        }
        question->verdict = OWNERS_ELSEWHERE;
        add(question, member);
    }
}

/* ---- asking -------------------------------------------------------------- */

static void forget(struct owners *owners)
{
    if (owners->groups)
        rd_kafka_group_list_destroy(owners->groups);
    owners->groups = NULL;
}

/* Ask for our group; nothing is known if the brokers do not answer. All are
 * asked, and the answer of one is enough if it is the coordinator: PARTIAL. */
static void refresh(struct owners *owners)
{
    char why[CLIENT_WHY_BYTES];
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TRANSPORT;
    if (!owners->rk) {
        rd_kafka_conf_t *conf =
            client_conf(&owners->client, CLIENT_WATCHER, why);
        owners->rk = conf ? client_new(conf, CLIENT_WATCHER, why) : NULL;
    }
    forget(owners);
    owners->groups_ms = clock_monotonic_ms();
    if (owners->rk)
        err = rd_kafka_list_groups(owners->rk, conf_group(owners->client.conf),
                                   &owners->groups, OWNERS_ASK_MS);
    if (err && err != RD_KAFKA_RESP_ERR__PARTIAL)
        forget(owners);
}

/* Our group, asked for anew if what is known is old; NULL: no answer. */
static const struct rd_kafka_group_info *find_group(struct owners *owners)
{
    if (!owners->groups ||
        clock_monotonic_ms() - owners->groups_ms >= OWNERS_KEEP_MS)
        refresh(owners);
    return owners->groups && owners->groups->group_cnt == 1 &&
                   !owners->groups->groups[0].err
               ? &owners->groups->groups[0]
               : NULL;
}

static void answer_all(struct owners *owners, struct owners_question *first,
                       int stop)
{
    const struct rd_kafka_group_info *group = stop ? NULL : find_group(owners);
    for (struct owners_question *next; first; first = next) {
        next = first->next;
        first->verdict = OWNERS_UNKNOWN;
        if (group)
            look(owners, group, first);
        first->told(first->arg);
    }
}

static void *run(void *arg)
{
    struct owners *owners = arg;
    pthread_mutex_lock(&owners->lock);
    for (;;) {
        while (!owners->first && !owners->stop)
            pthread_cond_wait(&owners->work, &owners->lock);
        struct owners_question *first = owners->first;
        int stop = owners->stop;
        owners->first = NULL;
        pthread_mutex_unlock(&owners->lock);
        answer_all(owners, first, stop);
        if (stop)
            return NULL;
        pthread_mutex_lock(&owners->lock);
    }
}

/* ---- life cycle ---------------------------------------------------------- */

int owners_open(struct owners **ret, const struct client *client)
{
    char process[300];
    struct owners *owners = calloc(1, sizeof(*owners));
    if (!owners)
        return SEG_ERR_NOMEM;
    owners->client = *client;
    conf_process(client->conf, process, sizeof(process));
    snprintf(owners->own, sizeof(owners->own), "%s-%s-", client->conf->app,
             process);
    pthread_mutex_init(&owners->lock, NULL);
    pthread_cond_init(&owners->work, NULL);
    *ret = owners;
    return 0;
}

int owners_ask(struct owners *owners, struct owners_question *question)
{
    int good = 1;
    pthread_mutex_lock(&owners->lock);
    if (!owners->started)
        good = owners->started =
            !pthread_create(&owners->thread, NULL, run, owners);
    if (good) {
        question->next = owners->first;
        owners->first = question;
        pthread_cond_signal(&owners->work);
    }
    pthread_mutex_unlock(&owners->lock);
    return good ? 0 : SEG_ERR_LIMIT;
}

void owners_close(struct owners *owners)
{
    if (!owners)
        return;
    pthread_mutex_lock(&owners->lock);
    owners->stop = 1;
    pthread_cond_signal(&owners->work);
    pthread_mutex_unlock(&owners->lock);
    if (owners->started)
        pthread_join(owners->thread, NULL);
    forget(owners);
    if (owners->rk)
        rd_kafka_destroy(owners->rk);
    pthread_cond_destroy(&owners->work);
    pthread_mutex_destroy(&owners->lock);
    free(owners);
}
