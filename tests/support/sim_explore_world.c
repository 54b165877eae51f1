/* sim_explore_world.c: see sim_explore_world.h. */
#include "tests/support/sim_explore_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/query.h>

#include "daemon/partition/partition_inside.h"
#include "daemon/protocol/restore.h"
#include "lib/base/hash.h"
#include "tests/support/sim_feed.h"

enum { TICKS = 1, TICK_MS = 1000, ALWAYS_THE_SAME = 7 };

/* One who enters two segments and, when another comes, leaves them by time; he
 * has a trigger each way. */
static const struct {
    const char *user, *event;
    int64_t ms;
} history[] = {{"u", "A", 1000}, {"u", "A", 2000},  {"v", "B", 9000},
               {"u", "B", 9500}, {"v", "A", 10000}, {"u", "A", 20000}};

static const char *const names[] = {[STEP_START] = "start",
                                    [STEP_COMMIT] = "commit machine",
                                    [STEP_LOSE] = "lose",
                                    [STEP_LATE] = "late",
                                    [STEP_FATAL] = "fatal",
                                    [STEP_BEGIN] = "begin",
                                    [STEP_TURN] = "turn",
                                    [STEP_ASSIGN] = "assign",
                                    [STEP_REVOKE] = "revoke",
                                    [STEP_KICK] = "kick",
                                    [STEP_NOTICE] = "notice",
                                    [STEP_CRASH] = "crash",
                                    [STEP_TIMEOUT] = "timeout",
                                    [STEP_DELIVER] = "deliver",
                                    [STEP_TICK] = "tick",
                                    [STEP_OFFSETS] = "marker of offsets",
                                    [STEP_MARKERS] = "marker of changes"};

void explore_step_name(char *out, size_t size, int step)
{
    int kind = step / EXPLORE_WORKERS, worker = step % EXPLORE_WORKERS;

    if (kind < STEP_MARKERS)
        snprintf(out, size, "%s, worker %d", names[kind], worker);
    else
        snprintf(out, size, "marker of %s, worker %d",
                 broker_topic_name(kind - STEP_MARKERS), worker);
}

__attribute__((format(printf, 2, 3))) static void wrong(struct explore_world *w,
                                                        const char *format, ...)
{
    va_list args;

    if (w->bad[0])
        return;
    va_start(args, format);
    vsnprintf(w->bad, sizeof(w->bad), format, args);
    va_end(args);
}

/* ---- the beginning -------------------------------------------------------- */

/* Settings of both the undisturbed run and the workers. */
static void settle(struct solo *solo, const struct explore_options *options)
{
    solo_init(solo, 1);
    solo->ledger.flush_interval_ms = options->flush_interval_ms;
    solo->options.records_per_turn = 1;
    solo->options.timers_per_turn = 1;
    solo->commit_options.retry_ms = 0;
    solo->commit_options.retry_max_ms = 0;
}

void explore_undisturbed(struct solo *solo,
                         const struct explore_options *options)
{
    settle(solo, options);
    for (int i = 0; i < options->records; i++)
        solo_track(solo, 0, history[i].user, history[i].event, history[i].ms);
    solo_start(solo);
    solo_settle(solo);
}

static void start(struct explore_world *w, int i)
{
    struct explore_worker *k = &w->workers[i];
    struct commit_options options = w->undisturbed->commit_options;

    sim_spy_init(&k->spy, &w->sim, i, k->starts++);
    options.broker = &k->spy.broker;
    if (commit_new(&k->commit, &options))
        abort();
    k->partition_options = w->undisturbed->options;
    k->partition_options.broker = &k->spy.broker;
    k->partition_options.commit = k->commit;
    k->partition_options.arg = &w->handles;
    k->alive = 1;
}

static void join(struct explore_world *w, int i)
{
    w->workers[i].joined = 1;
    w->sim.member[i] = 1;
}

/* The inputs are those of the undisturbed run, as are the settings. */
void explore_world_init(struct explore_world *w,
                        const struct explore_options *options,
                        const struct solo *undisturbed)
{
    const struct sim_log *log = &undisturbed->sim.logs[BROKER_INPUT(0)][0];

    memset(w, 0, sizeof(*w));
    w->options = options;
    w->undisturbed = undisturbed;
    sim_init(&w->sim, ALWAYS_THE_SAME, 1, 1);
    w->sim.now_ms = undisturbed->sim.now_ms;
    for (size_t i = 0; i < log->count; i++)
        sim_append(&w->sim, 0, 0, log->entries[i].timestamp_ms,
                   log->entries[i].key, log->entries[i].value,
                   log->entries[i].value_len, 0);
    memcpy(w->left, options->faults, sizeof(w->left));
    w->owner = -1;
    for (int i = 0; i < EXPLORE_WORKERS; i++) {
        start(w, i);
        while (commit_turn(w->workers[i].commit, w->sim.now_ms) != COMMIT_IDLE)
            ;
        join(w, i);
    }
}

static void drop_partition(struct explore_world *w, struct explore_worker *k)
{
    (void)w;
    partition_free(k->partition);
    k->partition = NULL;
    k->assigned = 0;
}

static void stop(struct explore_world *w, int i)
{
    struct explore_worker *k = &w->workers[i];

    drop_partition(w, k);
    commit_free(k->commit);
    k->commit = NULL;
    k->alive = k->joined = 0;
    k->spy.history = 0;
    w->sim.member[i] = 0;
    if (w->owner == i)
        w->owner = -1;
}

void explore_world_done(struct explore_world *w)
{
    for (int i = 0; i < EXPLORE_WORKERS; i++)
        if (w->workers[i].alive)
            stop(w, i);
    if (w->handles)
        abort();
    sim_done(&w->sim);
}

/* ---- what may happen ------------------------------------------------------ */

struct choice {
    const struct explore_world *w;
    explore_steps all, free;
};

static void may(struct choice *c, int kind, int i)
{
    explore_steps bit = UINT64_C(1) << (kind * EXPLORE_WORKERS + i);

    c->all |= bit;
    c->free |= bit;
}

/* As long as there are some of FAULT left. */
static void might(struct choice *c, int kind, int i, enum explore_fault fault)
{
    if (c->w->left[fault])
        c->all |= UINT64_C(1) << (kind * EXPLORE_WORKERS + i);
}

static int is_phase(const struct explore_worker *k, const char *name)
{
    return !strcmp(commit_phase_name(k->commit), name);
}

static void busy_steps(struct choice *c, int i)
{
    const struct explore_worker *k = &c->w->workers[i];

    may(c, STEP_COMMIT, i);
    if (is_phase(k, "commit") && !k->spy.client.in_commit) {
        might(c, STEP_LOSE, i, EXPLORE_LOSE);
        might(c, STEP_LATE, i, EXPLORE_LATE);
    }
    if (k->spy.client.begun && !k->spy.client.fatal)
        might(c, STEP_FATAL, i, EXPLORE_FATAL);
}

static int is_waiting(const struct explore_world *w,
                      const struct explore_worker *k)
{
    return k->partition && k->partition->retry_ms > w->sim.now_ms;
}

static void worker_steps(struct choice *c, int i)
{
    const struct explore_world *w = c->w;
    const struct explore_worker *k = &w->workers[i];

    if (!k->alive) {
        may(c, STEP_START, i);
        return;
    }
    might(c, STEP_CRASH, i, EXPLORE_CRASH);
    if (commit_state(k->commit) == COMMIT_BUSY) {
        busy_steps(c, i);
    } else {
        if (commit_due_ms(k->commit, COMMIT_LOAD_IDLE) <= w->sim.now_ms)
            may(c, STEP_BEGIN, i);
        if (k->assigned && !is_waiting(w, k))
            may(c, STEP_TURN, i);
        /* Who does not hear that he was thrown out tries for ever. */
        if (k->assigned && is_waiting(w, k) && w->ticks < TICKS)
            may(c, STEP_TICK, 0);
    }
    if (k->joined && !w->sim.member[i])
        may(c, STEP_NOTICE, i);
    /* Who is the first does not matter. */
    if (k->joined && w->sim.member[i] && w->owner < 0 &&
        (i == 0 || w->assigned_once))
        may(c, STEP_ASSIGN, i);
    if (w->owner == i) {
        might(c, STEP_KICK, i, EXPLORE_KICK);
        might(c, STEP_REVOKE, i, EXPLORE_REVOKE);
    }
}

static void broker_steps(struct choice *c, int i)
{
    const struct sim_tx *tx = &c->w->sim.tx[i];
    int logs = 0;

    if (tx->state == SIM_ONGOING && tx->in_flight)
        may(c, STEP_DELIVER, i);
    if (tx->state == SIM_ONGOING && c->w->workers[i].alive)
        might(c, STEP_TIMEOUT, i, EXPLORE_TIMEOUT);
    else if (tx->state == SIM_ONGOING)
        may(c, STEP_TIMEOUT, i);
    if (tx->state != SIM_COMMITTING && tx->state != SIM_ABORTING)
        return;
    if (tx->offsets_set[0])
        may(c, STEP_OFFSETS, i);
    for (int t = 0; t < BROKER_OUTPUTS; t++)
        if (tx->touched[t][0] && (c->w->options->each_marker || !logs++))
            may(c, STEP_MARKERS + t, i);
}

explore_steps explore_enabled(const struct explore_world *w,
                              explore_steps *free)
{
    struct choice c = {.w = w};

    for (int i = 0; i < EXPLORE_WORKERS; i++) {
        worker_steps(&c, i);
        broker_steps(&c, i);
    }
    *free = c.free;
    return c.all;
}

/* ---- taking a step -------------------------------------------------------- */

static void look_at_partition(struct explore_world *w,
                              const struct explore_worker *k)
{
    struct partition_stats stats;

    partition_stats(k->partition, &stats);
    if (stats.repairs)
        wrong(w, "%d repairs", (int)stats.repairs);
    if (partition_state(k->partition) == PARTITION_REFUSED)
        wrong(w, "refused: %s", partition_reason(k->partition));
}

/* Whoever has restored knows what stands in the logs up to where it read, and
 * nothing else, whatever the way. */
static void forget_the_way(struct explore_worker *k)
{
    const struct ledger *ledger = partition_ledger(k->partition);
    int64_t what[] = {k->spy.client.id,
                      k->starts,
                      (int64_t)k->spy.draws,
                      (int64_t)ledger->committed.txn,
                      (int64_t)ledger->committed.tag,
                      ledger->inputs[0].position,
                      ledger->outputs[0].position,
                      ledger->outputs[1].position};

    k->spy.history = hash_bytes(what, sizeof(what), STEP_TURN);
    k->spy.waited = 0;
}

/* Whether the partition has been restored, from the logs alone, since it was in
 * STATE with WARM restores. */
static int has_restored(const struct explore_worker *k,
                        enum partition_state state, uint64_t warm)
{
    struct partition_stats stats;

    partition_stats(k->partition, &stats);
    return state == PARTITION_RESTORING && stats.warm == warm &&
           partition_state(k->partition) == PARTITION_RUNNING;
}

static void turn(struct explore_world *w, struct explore_worker *k)
{
    struct partition_stats before;
    enum partition_state state = partition_state(k->partition);
    int64_t position = partition_position(k->partition, 0);
    enum partition_turn did;

    partition_stats(k->partition, &before);
    sim_feed(&w->sim, k->partition, 0, 1, &w->handles);
    did = partition_turn(k->partition, w->sim.now_ms);
    if (did != PARTITION_IDLE || k->spy.moved ||
        state != partition_state(k->partition) ||
        position != partition_position(k->partition, 0))
        sim_spy_note(&k->spy, STEP_TURN, partition_position(k->partition, 0));
    if (has_restored(k, state, before.warm))
        forget_the_way(k);
    look_at_partition(w, k);
}

static void commit_step(struct explore_world *w, int i)
{
    struct explore_worker *k = &w->workers[i];
    const char *phase = commit_phase_name(k->commit);
    enum commit_state state = commit_turn(k->commit, w->sim.now_ms);

    if (k->spy.moved || phase != commit_phase_name(k->commit))
        sim_spy_note(&k->spy, STEP_COMMIT, (int64_t)state);
    if (state == COMMIT_FENCED)
        wrong(w, "worker %d believes another process has its name", i);
    if (state == COMMIT_IDLE && !k->joined)
        join(w, i);
}

static void assign(struct explore_world *w, int i)
{
    struct explore_worker *k = &w->workers[i];

    if (k->partition)
        partition_assign(k->partition);
    else if (partition_new(&k->partition, &k->partition_options, 0))
        abort();
    k->assigned = w->assigned_once = 1;
    w->owner = i;
    sim_spy_note(&k->spy, STEP_ASSIGN, 0);
}

static void revoke(struct explore_world *w, int i)
{
    struct explore_worker *k = &w->workers[i];

    if (!partition_revoke(k->partition, w->sim.now_ms))
        drop_partition(w, k);
    k->assigned = 0;
    w->owner = -1;
    sim_spy_note(&k->spy, STEP_REVOKE, 0);
}

static void notice(struct explore_world *w, int i)
{
    struct explore_worker *k = &w->workers[i];

    drop_partition(w, k);
    w->sim.member[i] = 1;
    sim_spy_note(&k->spy, STEP_NOTICE, 0);
}

static void write_markers(struct explore_world *w, int i, int topic)
{
    if (w->options->each_marker) {
        sim_marker_at(&w->sim, i, topic);
        return;
    }
    for (int t = 0; t < BROKER_OUTPUTS; t++)
        if (w->sim.tx[i].touched[t][0])
            sim_marker_at(&w->sim, i, t);
}

/* A step of the commit machine with FAULT of the broker in it. */
static void with_fault(struct explore_world *w, int i, int *fault,
                       enum explore_fault budget)
{
    w->left[budget]--;
    *fault = 100;
    commit_step(w, i);
    *fault = 0;
}

static void take_of_worker(struct explore_world *w, int kind, int i)
{
    struct explore_worker *k = &w->workers[i];
    struct sim_faults *faults = &w->sim.faults;

    switch (kind) {
    case STEP_START:
        start(w, i);
        return;
    case STEP_COMMIT:
        commit_step(w, i);
        return;
    case STEP_LOSE:
        with_fault(w, i, &faults->lose, EXPLORE_LOSE);
        return;
    case STEP_LATE:
        with_fault(w, i, &faults->late, EXPLORE_LATE);
        return;
    case STEP_FATAL:
        with_fault(w, i, &faults->fatal, EXPLORE_FATAL);
        return;
    case STEP_BEGIN: /* Which nobody else sees, nor what follows at once. */
        commit_start(k->commit, w->sim.now_ms);
        sim_spy_note(&k->spy, STEP_BEGIN, 0);
        commit_step(w, i);
        return;
    case STEP_TURN:
        turn(w, k);
        return;
    case STEP_CRASH:
        w->left[EXPLORE_CRASH]--;
        stop(w, i);
        return;
    default:
        return;
    }
}

static void take_of_others(struct explore_world *w, int kind, int i)
{
    switch (kind) {
    case STEP_ASSIGN:
        assign(w, i);
        return;
    case STEP_REVOKE:
        w->left[EXPLORE_REVOKE]--;
        revoke(w, i);
        return;
    case STEP_KICK:
        w->left[EXPLORE_KICK]--;
        w->sim.member[i] = 0;
        w->owner = -1;
        return;
    case STEP_NOTICE:
        notice(w, i);
        return;
    case STEP_TIMEOUT:
        w->left[EXPLORE_TIMEOUT] -= w->workers[i].alive;
        sim_expire(&w->sim, i);
        return;
    case STEP_DELIVER:
        sim_step_deliver(&w->sim);
        return;
    case STEP_TICK:
        w->sim.now_ms += TICK_MS;
        w->ticks++;
        return;
    case STEP_OFFSETS:
        sim_marker_at(&w->sim, i, SIM_TOPICS_MAX);
        return;
    default:
        write_markers(w, i, kind - STEP_MARKERS);
        return;
    }
}

/* ---- what a reader sees --------------------------------------------------- */

/* The next committed entry of LOG from *AT on; NULL if a transaction is open
 * there, or at the end. */
static const struct sim_entry *next_visible(const struct sim_log *log,
                                            size_t *at)
{
    while (*at < log->count) {
        const struct sim_entry *entry = &log->entries[(*at)++];
        if (!entry->is_marker && entry->status == SIM_OPEN)
            return NULL;
        if (!entry->is_marker && entry->status == SIM_COMMITTED)
            return entry;
    }
    return NULL;
}

/* How many of TOPIC are visible that should be; -1: something else is. */
static int visible(struct explore_world *w, int topic)
{
    const struct sim_log *got = &w->sim.logs[topic][0];
    const struct sim_log *want = &w->undisturbed->sim.logs[topic][0];
    const struct sim_entry *x, *y;
    size_t i = 0, j = 0;
    int count = 0;

    for (; (x = next_visible(got, &i)); count++) {
        y = next_visible(want, &j);
        if (y && x->value_len == y->value_len &&
            !memcmp(x->value, y->value, x->value_len))
            continue;
        wrong(w, "%s, number %d: %.150s; wanted: %.150s",
              broker_topic_name(topic), count + 1, x->value,
              y ? y->value : "nothing");
        return -1;
    }
    return count;
}

void explore_take(struct explore_world *w, int step)
{
    static const int topics[] = {BROKER_CHANGES, BROKER_TRIGGERS,
                                 BROKER_DEAD_LETTERS};
    int kind = step / EXPLORE_WORKERS, i = step % EXPLORE_WORKERS;

    w->sim.random.state = ALWAYS_THE_SAME; /* Nothing happens by chance. */
    w->workers[i].spy.moved = 0;
    if (kind < STEP_ASSIGN || kind == STEP_CRASH)
        take_of_worker(w, kind, i);
    else
        take_of_others(w, kind, i);
    if (w->sim.bad)
        wrong(w, "%s", w->sim.bad);
    for (int t = 0; t < 3; t++)
        visible(w, topics[t]);
}

/* ---- the end -------------------------------------------------------------- */

int explore_is_complete(const struct explore_world *w)
{
    const struct explore_worker *k =
        w->owner < 0 ? NULL : &w->workers[w->owner];
    struct explore_world *world = (struct explore_world *)w;

    if (!k || !k->partition || !w->sim.member[w->owner] ||
        partition_state(k->partition) != PARTITION_RUNNING ||
        commit_state(k->commit) != COMMIT_IDLE || !sim_is_quiet(&w->sim))
        return 0;
    return w->sim.committed[0][0].offset ==
               sim_end(&w->sim.logs[BROKER_INPUT(0)][0]) &&
           visible(world, BROKER_CHANGES) ==
               solo_count(w->undisturbed, BROKER_CHANGES) &&
           visible(world, BROKER_TRIGGERS) ==
               solo_count(w->undisturbed, BROKER_TRIGGERS);
}

static void compare_user(struct explore_world *w, const char *id,
                         const struct seg_engine *got,
                         const struct seg_engine *want)
{
    struct seg_text text = {id, strlen(id)};
    const struct seg_user *a = seg_user_find(got, text);
    const struct seg_user *b = seg_user_find(want, text);
    struct seg_membership as[16], bs[16];
    struct seg_user_info ai, bi;
    int n;

    if (!a || !b) {
        if (a || b)
            wrong(w, "user %s is known to one only", id);
        return;
    }
    seg_user_info(got, a, &ai);
    seg_user_info(want, b, &bi);
    n = seg_user_memberships(got, a, as, 16);
    if (ai.seq != bi.seq || ai.trigger_seq != bi.trigger_seq ||
        n != seg_user_memberships(want, b, bs, 16))
        wrong(w, "restored user %s: %d segments, seq %u", id, n, ai.seq);
    for (int i = 0; i < n && !w->bad[0]; i++)
        if (as[i].segment != bs[i].segment ||
            as[i].entered_at_ms != bs[i].entered_at_ms)
            wrong(w, "restored user %s: segment %d", id, as[i].segment);
}

void explore_check_end(struct explore_world *w)
{
    struct sim_client client;
    struct restore *restore;
    struct restore_stats stats;
    struct ledger *ledger;
    enum restore_state state;

    sim_client_init(&client, &w->sim, SIM_CLIENTS_MAX - 1);
    if (ledger_new(&ledger, &w->undisturbed->ledger, 0) ||
        restore_new(&restore, &client.broker, ledger))
        abort();
    for (int turns = 0; turns < 1000; turns++) {
        state = restore_turn(restore, w->sim.now_ms, 1000);
        if (state != RESTORE_BUSY && state != RESTORE_WAITS)
            break;
    }
    restore_stats(restore, &stats);
    if (state != RESTORE_DONE || stats.repairs)
        wrong(w, "a restore in the end: state %d, %d repairs, %s", state,
              (int)stats.repairs, ledger->broken.message);
    else
        for (int i = 0; i < 2; i++)
            compare_user(w, i ? "v" : "u", ledger->engine,
                         solo_ledger(w->undisturbed)->engine);
    restore_free(restore);
    ledger_free(ledger);
}

/* ---- what a state is ------------------------------------------------------ */

static uint64_t hash_log(const struct sim_log *log, uint64_t hash)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct sim_entry *e = &log->entries[i];
        int64_t what[] = {e->is_marker, (int64_t)e->status, e->producer,
                          (int64_t)e->value_len};
        hash = hash_bytes(what, sizeof(what), hash);
        if (e->value)
            hash = hash_bytes(e->value, e->value_len, hash);
        if (e->key)
            hash = hash_bytes(e->key, e->key_len, hash);
    }
    return hash;
}

/* Of a transaction what matters to what is to come: its epoch does so only in
 * comparison. */
static uint64_t hash_tx(const struct explore_world *w, int i, uint64_t hash)
{
    const struct sim_tx *tx = &w->sim.tx[i];
    const struct sim_client *client = &w->workers[i].spy.client;
    int64_t what[] = {(int64_t)tx->state,
                      tx->in_flight,
                      tx->in_flight && tx->flight_epoch == tx->epoch,
                      w->workers[i].alive ? client->epoch - tx->epoch : 0,
                      tx->offsets_set[0],
                      tx->offsets_set[0] ? tx->offsets[0][0].offset : 0};

    hash = hash_bytes(what, sizeof(what), hash);
    for (int t = 0; t < BROKER_OUTPUTS; t++)
        hash = hash_bytes(&tx->touched[t][0], sizeof(int), hash);
    if (tx->offsets_set[0])
        hash = hash_bytes(tx->offsets[0][0].metadata,
                          strlen(tx->offsets[0][0].metadata), hash);
    return hash;
}

uint64_t explore_hash(const struct explore_world *w)
{
    const struct broker_committed *committed = &w->sim.committed[0][0];
    uint64_t hash = hash_bytes(w->left, sizeof(w->left), 1);

    for (int t = 0; t < BROKER_OUTPUTS; t++)
        hash = hash_log(&w->sim.logs[t][0], hash + 1);
    hash = hash_bytes(committed->metadata, strlen(committed->metadata), hash);
    for (int i = 0; i < EXPLORE_WORKERS; i++) {
        const struct explore_worker *k = &w->workers[i];
        int64_t what[] = {k->alive,
                          k->joined,
                          k->assigned + 2 * w->assigned_once,
                          k->starts,
                          k->partition != NULL,
                          w->sim.member[i],
                          (int64_t)k->spy.history};
        hash = hash_bytes(what, sizeof(what), hash);
        hash = hash_tx(w, i, hash);
    }
    int64_t rest[] = {committed->offset, w->owner, w->sim.now_ms};
    return hash_bytes(rest, sizeof(rest), hash);
}
