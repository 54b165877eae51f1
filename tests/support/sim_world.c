/* sim_world.c: drawing a run and walking it. */
#include "tests/support/sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/protocol/mutation.h"
#include "lib/base/instant.h"
#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_feed.h"
#include "tests/support/sim_judge.h"

enum { STEPS_MAX = 60000, SECOND = 1000 };

void world_bad(struct world *world, const char *format, ...)
{
    va_list args;

    if (world->bad[0])
        return;
    va_start(args, format);
    vsnprintf(world->bad, sizeof(world->bad), format, args);
    va_end(args);
}

/* ---- drawing ------------------------------------------------------------ */

static int64_t between(struct world *w, int64_t low, int64_t high)
{
    return random_between(&w->random, low, high);
}

static int chance(struct world *w, int percent)
{
    return random_chance(&w->random, percent);
}

static int spend(struct world *w, enum world_fault fault)
{
    return w->budget[fault] > 0 && w->budget[fault]--;
}

static void draw_record(struct world *w, struct world_record *r)
{
    static const char kinds[] = {'A', 'A', 'A', 'A', 'B', 'B', 'p', 'f', '!'};
    int64_t real_ms = WORLD_START_MS + between(w, 0, 16 * SECOND);
    int64_t late_ms = chance(w, 60) ? 0 : between(w, 0, 2 * SECOND);

    *r = (struct world_record){.input = (int)between(w, 0, w->sim.inputs - 1),
                               .partition =
                                   (int)between(w, 0, w->sim.partitions - 1),
                               .user = (int)between(w, 0, WORLD_USERS - 1),
                               .kind = RANDOM_OF(&w->random, kinds)};
    if (chance(w, 50))
        real_ms = real_ms / SECOND * SECOND; /* Equal instants are trouble. */
    r->real_ms = w->ledger.clock_records ? WORLD_START_MS : real_ms;
    r->timestamp_ms = real_ms - late_ms;
    r->time_ms =
        r->timestamp_ms - (chance(w, 60) ? 0 : between(w, 0, 2 * SECOND));
    if (chance(w, 25))
        r->id = (int)between(w, 1, 3);
}

static int by_real(const void *a, const void *b)
{
    const struct world_record *x = a, *y = b;

    if (x->real_ms != y->real_ms)
        return x->real_ms < y->real_ms ? -1 : 1;
    return x->order - y->order;
}

/* A message id means the same event: same user, input, kind, time. */
static void unify_ids(struct world *w)
{
    for (int i = 0; i < w->record_count; i++)
        for (int j = 0; j < i && w->records[i].id; j++) {
            struct world_record *a = &w->records[j], *b = &w->records[i];
            if (a->id != b->id || a->user != b->user ||
                a->partition != b->partition || a->input != b->input)
                continue;
            b->kind = a->kind;
            b->time_ms = a->time_ms;
            if (b->timestamp_ms < b->time_ms)
                b->timestamp_ms = b->time_ms;
            break;
        }
}

/* Some records are in transactions of others; each has an end. */
static void draw_foreign(struct world *w)
{
    int count = w->record_count;

    for (int i = 0; i < count && w->record_count < WORLD_RECORDS_MAX; i++) {
        struct world_record *end;
        if (!chance(w, 10))
            continue;
        w->records[i].open = 1;
        end = &w->records[w->record_count++];
        *end = w->records[i];
        end->order = w->record_count;
        end->end = chance(w, 70) ? 1 : 2;
        if (!w->ledger.clock_records)
            end->real_ms += between(w, 0, 3 * SECOND);
    }
}

static void draw_input(struct world *w)
{
    int count = (int)between(w, 3, 28);

    for (int i = 0; i < count; i++)
        draw_record(w, &w->records[w->record_count++]);
    qsort(w->records, (size_t)w->record_count, sizeof(*w->records), by_real);
    for (int i = 0; i < count; i++)
        w->records[i].order = i;
    unify_ids(w);
    draw_foreign(w);
    /* In `records` mode real times are all the same: ends go last. */
    if (!w->ledger.clock_records)
        qsort(w->records, (size_t)w->record_count, sizeof(*w->records),
              by_real);
    w->end_ms = WORLD_START_MS + between(w, 16, 30) * SECOND;
}

static void draw_faults(struct world *w)
{
    struct sim_faults *f = &w->sim.faults;

    f->again = chance(w, 50) ? 0 : (int)between(w, 1, 30);
    f->refuse = chance(w, 60) ? 0 : (int)between(w, 1, 8);
    f->lose = chance(w, 50) ? 0 : (int)between(w, 5, 40);
    f->late = chance(w, 60) ? 0 : (int)between(w, 5, 30);
    f->fatal = chance(w, 60) ? 0 : (int)between(w, 1, 4);
    for (int i = 0; i < WORLD_FAULTS; i++)
        w->budget[i] = chance(w, 30) ? 0 : (int)between(w, 1, 4);
    w->budget[WORLD_DEPLOY] = w->deploys ? (int)between(w, 1, 8) : 0;
    for (int i = 0; i < (int)(sizeof(w->taste) / sizeof(w->taste[0])); i++) {
        static const int tastes[] = {1, 1, 3, 10};
        w->taste[i] = RANDOM_OF(&w->random, tastes);
    }
}

static void draw_settings(struct world *w)
{
    static const int64_t flush[] = {0, 500, 2000, 20000};
    static const int64_t refresh[] = {60000, INT64_C(1) << 40};
    static const char *const topics[] = {"a", "b", "c"};
    struct ledger_options *l = &w->ledger;

    for (int i = 0; i < w->sim.inputs; i++)
        w->inputs[i] = (struct ledger_input){topics[i], PARTITIONER_TRUST,
                                             LEDGER_EARLIEST};
    *l = (struct ledger_options){
        .catalogue = sim_catalogue(0),
        .app = "sim",
        .version = "0",
        .inputs = w->inputs,
        .input_count = w->sim.inputs,
        .partition_count = w->sim.partitions,
        .clock_records = l->clock_records,
        .engine = {.hash_seed = w->seed,
                   .trait_interval_ms = 1 + (int64_t)(w->seed * 97 % 3000),
                   .user_bytes_max =
                       chance(w, 70) ? 0 : (uint32_t)between(w, 60, 160)},
        .trigger_max_age_ms = INT64_C(1) << 40,
        .flush_interval_ms = RANDOM_OF(&w->random, flush),
        .refresh_ms = RANDOM_OF(&w->random, refresh),
        .users_per_flush = (uint32_t)between(w, 1, 3),
        .record_bytes_max = 1 << 20,
        .dead_letter_bytes = 64};
    w->commit = (struct commit_options){.linger_busy_ms = between(w, 0, 200),
                                        .linger_behind_ms = between(w, 0, 500),
                                        .transaction_age_ms = 1000,
                                        .outbox_bytes = 1 << 20,
                                        .transaction_timeout_ms = 10000,
                                        .deadline_ms = between(w, 1, 9) * 1000,
                                        .slow_ms = between(w, 1, 9) * 1000,
                                        .retry_ms = 10,
                                        .retry_max_ms = 200};
    w->partition = (struct partition_options){
        .records_max = (uint32_t)between(w, 1, 8),
        .records_per_turn = (int)between(w, 1, 4),
        .timers_per_turn = (int)between(w, 1, 3),
        .restore_per_turn = chance(w, 50) ? 1 : (int)between(w, 2, 4),
        .proof_interval_ms = 50,
        .future_skew_ms = 300000};
}

static void draw(struct world *w)
{
    w->ledger.clock_records = chance(w, 50);
    w->deploys = chance(w, 50);
    sim_init(&w->sim, w->seed ^ 0x5eed, (int)between(w, 1, 2),
             (int)between(w, 1, 2));
    w->sim.now_ms = WORLD_START_MS;
    w->worker_count = (int)between(w, 1, WORLD_WORKERS_MAX);
    for (int i = 0; i < w->worker_count; i++)
        w->workers[i].skew_ms = chance(w, 70) ? 0 : -between(w, 0, 2 * SECOND);
    draw_settings(w);
    /* What is refused for its user's size is not refused twice. */
    w->fills = w->deploys && !w->ledger.engine.user_bytes_max && chance(w, 60);
    for (int i = 0; i < w->worker_count; i++)
        w->workers[i].ledger = w->ledger;
    draw_faults(w);
    draw_input(w);
    for (int p = 0; p < w->sim.partitions; p++)
        w->owner[p] = -1;
}

int world_json(const struct world_record *r, char *out, int size)
{
    char time[25], id[40] = "";

    if (r->kind == '!')
        return snprintf(out, (size_t)size, "no json");
    instant_string(time, r->time_ms);
    if (r->id)
        snprintf(id, sizeof(id), ",\"messageId\":\"m%d\"", r->id);
    if (r->kind == 'p' || r->kind == 'f')
        return snprintf(out, (size_t)size,
                        "{\"type\":\"identify\",\"userId\":\"u%d.%d\","
                        "\"timestamp\":\"%s\"%s,\"traits\":{\"plan\":\"%s\"}}",
                        r->partition, r->user, time, id,
                        r->kind == 'p' ? "pro" : "free");
    return snprintf(
        out, (size_t)size,
        "{\"type\":\"track\",\"userId\":\"u%d.%d\",\"event\":\"%c\","
        "\"timestamp\":\"%s\"%s}",
        r->partition, r->user, r->kind, time, id);
}

/* ---- workers ------------------------------------------------------------ */

static void start_worker(struct world *w, int i)
{
    struct world_worker *k = &w->workers[i];

    sim_client_init(&k->client, &w->sim, i);
    w->commit.broker = &k->client.broker;
    if (commit_new(&k->commit, &w->commit))
        abort();
    k->options = w->partition;
    k->options.ledger = &k->ledger;
    k->options.broker = &k->client.broker;
    k->options.commit = k->commit;
    k->options.release = sim_release;
    k->options.arg = &w->handles;
    k->pace = (struct backfill_pace){.rate = 1000};
    k->options.pace = w->fills ? &k->pace : NULL;
    k->alive = 1;
    k->joined = 0;
}

static void count(struct world *w, struct world_worker *k)
{
    struct commit_stats stats;

    commit_stats(k->commit, &stats);
    w->unknown += stats.unknown;
    w->aborted += stats.aborted;
    w->committed += stats.committed;
    w->lost += stats.lost;
    w->filled += k->pace.published;
}

/* Whether users have got what was read again, and it is not published. */
static int is_filling(const struct partition *partition)
{
    struct backfill_status status;

    return partition_backfill(partition, &status) &&
           status.step >= BACKFILL_SWAPS && status.step < BACKFILL_SWEEPS;
}

/* What becomes of a partition that is dropped on its way to another catalogue.
 */
static void count_cut(struct world *w, const struct partition *partition)
{
    const struct ledger *ledger = partition_ledger(partition);

    w->cut_moves += ledger->next.engine != NULL;
    w->cut_sweeps += ledger->engine && ledger->committed.txn &&
                     !seg_engine_swept(ledger->engine);
    w->cut_fills += is_filling(partition);
}

static void drop_partition(struct world *w, struct world_worker *k, int p)
{
    struct partition_stats stats;

    if (!k->partitions[p])
        return;
    count_cut(w, k->partitions[p]);
    partition_stats(k->partitions[p], &stats);
    w->restores += stats.restores;
    w->warm += stats.warm;
    w->redone += stats.redone;
    if (stats.repairs)
        world_bad(w, "partition %d: %d repairs", p, (int)stats.repairs);
    partition_free(k->partitions[p]);
    k->partitions[p] = NULL;
    k->assigned[p] = 0;
}

/* Memory is gone; nothing is said to anybody. */
static void end_worker(struct world *w, int i)
{
    struct world_worker *k = &w->workers[i];

    if (!k->alive)
        return;
    for (int p = 0; p < w->sim.partitions; p++) {
        drop_partition(w, k, p);
        if (w->owner[p] == i)
            w->owner[p] = -1;
    }
    count(w, k);
    commit_free(k->commit);
    k->commit = NULL;
    k->alive = k->joined = 0;
    w->sim.member[i] = 0;
}

static int64_t wall(const struct world *w, const struct world_worker *k)
{
    return w->sim.now_ms + k->skew_ms;
}

static void check_partition(struct world *w, struct world_worker *k, int p)
{
    enum partition_state state = partition_state(k->partitions[p]);

    if (state == PARTITION_REFUSED)
        world_bad(w, "partition %d refused: %s", p,
                  partition_reason(k->partitions[p]));
}

/* One step of what the worker's loop does. */
static void work(struct world *w, int i)
{
    struct world_worker *k = &w->workers[i];
    int p = (int)between(w, 0, w->sim.partitions - 1);
    int busy = commit_state(k->commit) != COMMIT_IDLE;
    enum commit_load load = (enum commit_load)between(w, 0, 2);

    if (busy && !(MUTATED(APPLIES_WHILE_UNDECIDED) && chance(w, 50))) {
        if (commit_turn(k->commit, wall(w, k)) == COMMIT_FENCED)
            world_bad(w, "worker %d believes another process has its name", i);
        if (commit_state(k->commit) == COMMIT_IDLE && !k->joined) {
            k->joined = 1;
            w->sim.member[i] = 1;
        }
        return;
    }
    if (!busy &&
        (commit_due_ms(k->commit, load) <= wall(w, k) || chance(w, 5)) &&
        chance(w, 60)) {
        commit_start(k->commit, wall(w, k));
        return;
    }
    if (!k->partitions[p] || !k->assigned[p])
        return;
    if (chance(w, 40))
        sim_feed(&w->sim, k->partitions[p],
                 (int)between(w, 0, w->sim.inputs - 1), (int)between(w, 1, 4),
                 &w->handles);
    else
        partition_turn(k->partitions[p], wall(w, k));
    check_partition(w, k, p);
}

/* ---- the group ---------------------------------------------------------- */

static void assign(struct world *w, int p)
{
    int i = (int)between(w, 0, w->worker_count - 1);
    struct world_worker *k = &w->workers[i];

    if (w->owner[p] >= 0 || !k->alive || !k->joined || !w->sim.member[i])
        return;
    if (k->partitions[p])
        partition_assign(k->partitions[p]);
    else if (partition_new(&k->partitions[p], &k->options, p))
        abort();
    k->assigned[p] = 1;
    w->owner[p] = i;
}

/* Thrown out: its partitions are free, and it does not know yet. */
static void kick(struct world *w, int i)
{
    w->sim.member[i] = 0;
    for (int p = 0; p < w->sim.partitions; p++)
        if (w->owner[p] == i)
            w->owner[p] = -1;
    w->kicks++;
}

/* Commit what is open or waits, as long as that needs nobody else. */
static void finish(struct world *w, struct world_worker *k)
{
    if (commit_state(k->commit) == COMMIT_IDLE)
        commit_start(k->commit, wall(w, k));
    for (int n = 0; n < 100 && commit_state(k->commit) != COMMIT_IDLE; n++) {
        commit_turn(k->commit, wall(w, k));
        sim_step_marker(&w->sim);
    }
}

/* It notices, loses everything, and joins again. */
static void notice(struct world *w, int i)
{
    struct world_worker *k = &w->workers[i];

    if (MUTATED(LOST_IS_FINISHED)) {
        w->sim.member[i] = 1;
        finish(w, k);
    }
    for (int p = 0; p < w->sim.partitions; p++) {
        if (!k->assigned[p])
            continue;
        if (MUTATED(CACHED_AFTER_LOST))
            partition_revoke(k->partitions[p], wall(w, k));
        else
            drop_partition(w, k, p);
        k->assigned[p] = 0;
    }
    w->sim.member[i] = 1;
}

/* Worker I, alive or not, gets another catalogue, or the one before again; the
 * others keep theirs. */
static void deploy(struct world *w, int i)
{
    struct world_worker *k = &w->workers[i];
    const struct seg_catalogue *now = k->ledger.catalogue;

    k->ledger.catalogue =
        k->before && chance(w, 40)
            ? k->before
            : sim_catalogue((int)between(w, 0, SIM_CATALOGUES - 1));
    k->before = now;
    w->deployed++;
}

/* A rebalance takes P away from its owner in good order. */
static void revoke(struct world *w, int p)
{
    struct world_worker *k = &w->workers[w->owner[p]];

    if (!w->sim.member[w->owner[p]])
        return;
    if (!partition_revoke(k->partitions[p], wall(w, k)))
        drop_partition(w, k, p);
    k->assigned[p] = 0;
    w->revokes++;
    /* What it has kept is of another catalogue when it comes back. */
    if (chance(w, 30) && spend(w, WORLD_DEPLOY))
        deploy(w, w->owner[p]);
    w->owner[p] = -1;
}

/* ---- steps -------------------------------------------------------------- */

static void append_due(struct world *w)
{
    char json[256], key[16];

    while (w->appended < w->record_count &&
           w->records[w->appended].real_ms <= w->sim.now_ms) {
        struct world_record *r = &w->records[w->appended++];
        if (r->end) {
            sim_foreign_end(&w->sim, r->input, r->partition, r->end == 1);
            continue;
        }
        r->offset = sim_end(&w->sim.logs[BROKER_INPUT(r->input)][r->partition]);
        world_json(r, json, sizeof(json));
        snprintf(key, sizeof(key), "u%d.%d", r->partition, r->user);
        sim_append(&w->sim, r->input, r->partition, r->timestamp_ms, key, json,
                   strlen(json), r->open);
    }
}

static void tick(struct world *w)
{
    static const int64_t ticks[] = {1, 7, 50, 100, 300, 1000, 2500};

    w->sim.now_ms += RANDOM_OF(&w->random, ticks);
    append_due(w);
}

/* Whether P is served, and everything of it is written. */
static int is_clean(const struct world *w, int p)
{
    int i = w->owner[p];
    const struct ledger *ledger;

    if (i < 0 || !w->sim.member[i] || !w->workers[i].partitions[p] ||
        partition_state(w->workers[i].partitions[p]) != PARTITION_RUNNING ||
        commit_state(w->workers[i].commit) != COMMIT_IDLE)
        return 0;
    ledger = partition_ledger(w->workers[i].partitions[p]);
    return !ledger_has_news(ledger) && ledger->committed.txn &&
           !seg_engine_dirty_count(ledger->engine);
}

static int is_meta_young(const struct world *w, int p)
{
    const struct world_worker *k = &w->workers[w->owner[p]];
    const struct ledger *ledger = partition_ledger(k->partitions[p]);

    return wall(w, k) - ledger->flush.meta_ms < w->ledger.refresh_ms;
}

/* A long quiet time passes, in which the owner of P writes its meta record
 * again and again; then what is older than the retention is deleted. */
static void retain(struct world *w, int p)
{
    int64_t retention_ms = 4 * w->ledger.refresh_ms;

    if (w->ledger.refresh_ms > 1000 * SECOND || !is_clean(w, p))
        return;
    for (int quarter = 0; quarter < 5; quarter++) {
        w->sim.now_ms += w->ledger.refresh_ms;
        append_due(w);
        for (int n = 0; n < 400 && !MUTATED(QUIET_META_AGES) &&
                        !(is_clean(w, p) && is_meta_young(w, p));
             n++) {
            if (w->owner[p] >= 0 && w->workers[w->owner[p]].alive)
                work(w, w->owner[p]);
            sim_step_marker(&w->sim);
        }
        if (!is_clean(w, p) ||
            (!MUTATED(QUIET_META_AGES) && !is_meta_young(w, p)))
            return;
    }
    sim_retain(&w->sim, BROKER_CHANGES, p, w->sim.now_ms - retention_ms);
    sim_retain(&w->sim, BROKER_TRIGGERS, p, w->sim.now_ms - retention_ms);
}

enum step {
    STEP_TICK,
    STEP_MARKER,
    STEP_DELIVER,
    STEP_EXPIRE,
    STEP_WORK,
    STEP_ASSIGN,
    STEP_NOTICE,
    STEP_CRASH,
    STEP_KICK,
    STEP_REVOKE,
    STEP_COMPACT,
    STEP_RETAIN,
    STEP_DEPLOY,
    STEP_COUNT
};

static const char *const step_names[] = {
    "tick",  "marker", "deliver", "expire",  "work",   "assign", "notice",
    "crash", "kick",   "revoke",  "compact", "retain", "deploy"};

/* How often each step is taken, by the taste of this run: up to where in a sum
 * of all. */
static void weigh(const struct world *w, int64_t up_to[STEP_COUNT])
{
    static const int weights[STEP_COUNT] = {4, 20, 8, 1, 120, 20, 3,
                                            1, 1,  2, 1, 1,   3};
    int64_t sum = 0;

    for (int i = 0; i < STEP_COUNT; i++)
        up_to[i] = sum += weights[i] * w->taste[i];
}

static enum step choose(struct world *w, const int64_t up_to[STEP_COUNT])
{
    int64_t at = between(w, 0, up_to[STEP_COUNT - 1] - 1);
    int step = 0;

    while (at >= up_to[step])
        step++;
    return (enum step)step;
}

/* How likely it is that something happens to worker I now, in percent: while
 * users are on their way to another catalogue, which is short, more than usual.
 */
static int danger(const struct world *w, int i)
{
    const struct world_worker *k = &w->workers[i];
    int percent = 0;

    for (int p = 0; k->alive && p < w->sim.partitions; p++) {
        const struct ledger *l =
            k->partitions[p] ? partition_ledger(k->partitions[p]) : NULL;
        if (l && (l->next.engine || is_filling(k->partitions[p])))
            percent = 15;
        else if (l && l->engine && !seg_engine_swept(l->engine) && !percent)
            percent = 4;
    }
    return percent;
}

static void take(struct world *w, enum step step, int i, int p)
{
    struct world_worker *k = &w->workers[i];

    switch (step) {
    case STEP_TICK:
        tick(w);
        break;
    case STEP_MARKER:
        sim_step_marker(&w->sim);
        break;
    case STEP_DELIVER:
        sim_step_deliver(&w->sim);
        break;
    case STEP_EXPIRE:
        sim_step_expire(&w->sim);
        break;
    case STEP_WORK:
        if (!k->alive)
            start_worker(w, i);
        else
            work(w, i);
        break;
    case STEP_ASSIGN:
        assign(w, p);
        break;
    case STEP_NOTICE:
        if (k->alive && k->joined && !w->sim.member[i])
            notice(w, i);
        break;
    case STEP_CRASH:
        if (k->alive && spend(w, WORLD_CRASH)) {
            w->crashes++;
            end_worker(w, i);
        }
        break;
    case STEP_KICK:
        if (w->sim.member[i] && spend(w, WORLD_KICK))
            kick(w, i);
        break;
    case STEP_REVOKE:
        if (w->owner[p] >= 0 && spend(w, WORLD_REVOKE))
            revoke(w, p);
        break;
    case STEP_COMPACT:
        sim_compact(&w->sim, p);
        break;
    case STEP_RETAIN:
        retain(w, p);
        break;
    case STEP_DEPLOY:
        if (spend(w, WORLD_DEPLOY))
            deploy(w, i);
        break;
    case STEP_COUNT:
        break;
    }
}

static void trace(const struct world *w, enum step step, int i, int p)
{
    const struct world_worker *k = &w->workers[i];

    printf("%6d %-8s w%d p%d now %+lld", (int)w->steps, step_names[step], i, p,
           (long long)(w->sim.now_ms - WORLD_START_MS));
    if (k->alive)
        printf(" %s", commit_phase_name(k->commit));
    if (k->alive && k->partitions[p]) {
        const struct ledger *l = partition_ledger(k->partitions[p]);
        printf(" state %d txn %d outbox %d in %d out %d",
               partition_state(k->partitions[p]), (int)l->committed.txn,
               (int)l->outbox.count, (int)l->inputs[0].position,
               (int)l->outputs[0].position);
        struct backfill_status fill;
        if (partition_backfill(k->partitions[p], &fill))
            printf(" backfill %s", backfill_step_name(fill.step));
        if (l->engine)
            printf(" clock %+lld dirty %u catalogue %d%s%s",
                   (long long)(seg_engine_clock(l->engine) - WORLD_START_MS),
                   seg_engine_dirty_count(l->engine),
                   sim_catalogue_number(seg_catalogue_hash(l->catalogue)),
                   l->next.engine ? " moving" : "",
                   seg_engine_swept(l->engine) ? "" : " unswept");
    }
    printf("\n");
}

/* ---- the end ------------------------------------------------------------ */

static int is_settled_partition(const struct world *w, int p)
{
    const struct world_worker *k;
    const struct ledger *l;
    struct backfill_status status;

    if (w->owner[p] < 0)
        return 0;
    k = &w->workers[w->owner[p]];
    if (!k->alive || !k->partitions[p] || !w->sim.member[w->owner[p]] ||
        partition_state(k->partitions[p]) != PARTITION_RUNNING ||
        commit_state(k->commit) != COMMIT_IDLE)
        return 0;
    l = partition_ledger(k->partitions[p]);
    if (ledger_has_news(l) || !l->committed.txn || ledger_is_outdated(l) ||
        !seg_engine_swept(l->engine))
        return 0;
    for (int i = 0; i < w->sim.inputs; i++)
        if (l->inputs[i].position < sim_end(&w->sim.logs[BROKER_INPUT(i)][p]))
            return 0;
    if (w->fills && (!partition_backfill(k->partitions[p], &status) ||
                     status.step != BACKFILL_RESTS))
        return 0;
    return w->ledger.clock_records ||
           seg_engine_next_due(l->engine) > wall(w, k);
}

static int is_settled(const struct world *w)
{
    if (w->appended < w->record_count || w->sim.now_ms < w->end_ms ||
        !sim_is_quiet(&w->sim))
        return 0;
    for (int p = 0; p < w->sim.partitions; p++)
        if (!is_settled_partition(w, p))
            return 0;
    return 1;
}

static void calm_down(struct world *w)
{
    w->sim.faults = (struct sim_faults){0};
    memset(w->budget, 0, sizeof(w->budget));
    if (w->fills) /* Most of them begin now. */
        w->budget[WORLD_CRASH] = (int)between(w, 0, 2);
    for (int i = 0; i < (int)(sizeof(w->taste) / sizeof(w->taste[0])); i++)
        w->taste[i] = 1;
    if (!w->deploys)
        return;
    /* The last catalogue comes everywhere, and mostly has time to warm up. */
    w->ledger.catalogue = sim_catalogue((int)between(w, 0, SIM_CATALOGUES - 1));
    for (int i = 0; i < w->worker_count; i++)
        w->workers[i].ledger.catalogue = w->ledger.catalogue;
    if (chance(w, 70) && w->end_ms < w->sim.now_ms + 20 * SECOND)
        w->end_ms = w->sim.now_ms + 20 * SECOND;
}

static void walk(struct world *w)
{
    uint64_t calm = (uint64_t)between(w, 200, 4000);
    int64_t up_to[STEP_COUNT];

    weigh(w, up_to);
    append_due(w);
    for (w->steps = 0; w->steps < STEPS_MAX && !w->bad[0]; w->steps++) {
        enum step step = choose(w, up_to);
        int i = (int)between(w, 0, w->worker_count - 1);
        int p = (int)between(w, 0, w->sim.partitions - 1);
        if (w->deploys && chance(w, danger(w, i)))
            step = chance(w, 50) ? STEP_CRASH : STEP_DEPLOY;
        if (w->steps == calm) {
            calm_down(w);
            weigh(w, up_to);
        }
        take(w, step, i, p);
        if (w->trace)
            trace(w, step, i, p);
        if (w->sim.bad)
            world_bad(w, "%s", w->sim.bad);
        if (w->steps > calm && w->steps % 16 == 0 && is_settled(w))
            return;
    }
    world_bad(w, "stuck");
}

int world_run(struct world *w, uint64_t seed, int trace_it)
{
    memset(w, 0, sizeof(*w));
    w->seed = seed;
    w->random.state = seed;
    w->trace = trace_it;
    draw(w);
    walk(w);
    if (!w->bad[0])
        sim_judge(w);
    for (int i = 0; i < w->worker_count; i++)
        end_worker(w, i);
    if (w->handles)
        world_bad(w, "%d records were never released", (int)w->handles);
    return w->bad[0] ? -1 : 0;
}

void world_done(struct world *w)
{
    sim_done(&w->sim);
}
