/* solo.c: see solo.h. */
#include "tests/support/solo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_feed.h"
#include "tests/support/sim_world.h"

void solo_init(struct solo *solo, int inputs)
{
    static const char *const topics[] = {"a", "b", "c"};

    memset(solo, 0, sizeof(*solo));
    sim_init(&solo->sim, 1, inputs, 1);
    solo->sim.now_ms = WORLD_START_MS;
    for (int i = 0; i < inputs; i++)
        solo->inputs[i] = (struct ledger_input){topics[i], PARTITIONER_TRUST,
                                                LEDGER_EARLIEST};
    solo->ledger = (struct ledger_options){.catalogue = sim_catalogue(0),
                                           .app = "sim",
                                           .version = "0",
                                           .inputs = solo->inputs,
                                           .input_count = inputs,
                                           .partition_count = 1,
                                           .clock_records = 1,
                                           .trigger_max_age_ms = 300000,
                                           .flush_interval_ms = 30000,
                                           .refresh_ms = INT64_C(1) << 40,
                                           .users_per_flush = 1000,
                                           .record_bytes_max = 1 << 20,
                                           .dead_letter_bytes = 64};
    solo->options = (struct partition_options){.ledger = &solo->ledger,
                                               .release = sim_release,
                                               .arg = &solo->handles,
                                               .records_max = 4096,
                                               .records_per_turn = 1000,
                                               .timers_per_turn = 1000,
                                               .restore_per_turn = 1000,
                                               .proof_interval_ms = 50,
                                               .future_skew_ms = 300000};
    solo->commit_options =
        (struct commit_options){.transaction_age_ms = 0,
                                .outbox_bytes = 1 << 20,
                                .transaction_timeout_ms = 10000,
                                .deadline_ms = 10000,
                                .slow_ms = 9000,
                                .retry_ms = 100,
                                .retry_max_ms = 5000};
}

void solo_start(struct solo *solo)
{
    sim_client_init(&solo->client, &solo->sim, 0);
    solo->commit_options.broker = &solo->client.broker;
    solo->options.broker = &solo->client.broker;
    if (commit_new(&solo->commit, &solo->commit_options))
        abort();
    solo->options.commit = solo->commit;
    while (commit_turn(solo->commit, solo_now(solo)) != COMMIT_IDLE)
        sim_step_marker(&solo->sim);
    solo->sim.member[0] = 1;
    if (partition_new(&solo->partition, &solo->options, 0))
        abort();
}

void solo_kill(struct solo *solo)
{
    partition_free(solo->partition);
    commit_free(solo->commit);
    solo->partition = NULL;
    solo->commit = NULL;
    solo->sim.member[0] = 0;
}

void solo_done(struct solo *solo)
{
    if (solo->partition)
        solo_kill(solo);
    if (solo->handles)
        abort();
    sim_done(&solo->sim);
}

int64_t solo_now(const struct solo *solo)
{
    return solo->sim.now_ms;
}

void solo_track(struct solo *solo, int input, const char *user,
                const char *event, int64_t ms)
{
    char json[256], time[25];
    int len;

    instant_string(time, WORLD_START_MS + ms);
    len = snprintf(json, sizeof(json),
                   "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"%s\","
                   "\"timestamp\":\"%s\"}",
                   user, event, time);
    sim_append(&solo->sim, input, 0, WORLD_START_MS + ms, user, json,
               (size_t)len, 0);
}

int solo_turn(struct solo *solo)
{
    int moved = sim_step_marker(&solo->sim);

    if (commit_turn(solo->commit, solo_now(solo)) != COMMIT_IDLE)
        return 1;
    for (int i = 0; i < solo->sim.inputs; i++)
        sim_feed(&solo->sim, solo->partition, i, 1000, &solo->handles);
    moved |= partition_turn(solo->partition, solo_now(solo)) != PARTITION_IDLE;
    if (commit_due_ms(solo->commit, COMMIT_LOAD_IDLE) <= solo_now(solo)) {
        commit_start(solo->commit, solo_now(solo));
        moved = 1;
    }
    return moved;
}

void solo_settle(struct solo *solo)
{
    int still = 0;

    for (int n = 0; n < 10000 && still < 20; n++)
        still = solo_turn(solo) ? 0 : still + 1;
}

int solo_count(const struct solo *solo, int topic)
{
    const struct sim_log *log = &solo->sim.logs[topic][0];
    int count = 0;

    for (int64_t i = log->low; i < sim_end(log); i++)
        count += !log->entries[i].is_marker &&
                 log->entries[i].status == SIM_COMMITTED;
    return count;
}

const struct ledger *solo_ledger(const struct solo *solo)
{
    return partition_ledger(solo->partition);
}
