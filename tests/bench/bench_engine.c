/* bench_engine.c: CPU time of decoding and applying an event, and bytes a user.
 *
 *   bench_engine [EVENTS [USERS [SEGMENTS [UNTOUCHED [only]]]]]
 *   bench_engine full USERS
 *
 * Events are made in chunks outside the time that is measured. Prints JSON
 * lines: decode alone, decode and apply, and the bytes per user of populations
 * (everything the engine holds, divided by users):
 *   sparse       what the workload leaves, ids aged out by the clock
 *   full_N       ten features full, in N of the hundred segments, ids aged out
 *   full_N_ids   the same with 64 live message ids
 *   full_N_seconds, full_N_seconds_ids   the same, events whole seconds apart
 * Ids of full users have twelve bytes. `bench_engine full USERS` measures but
 * full_100 of so many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/seg.h>

#include "tests/bench/workload.h"

#define CHUNK      50000
#define BATCH      1000
#define AHEAD      6 /* Events between prefetch and use of a user's block. */
#define START_MS   INT64_C(1767323000000)
#define DAY_MS     INT64_C(86400000)
#define FULL_USERS 100000
#define FULL_IDS   64

struct chunk {
    size_t len[CHUNK];
    int64_t time_ms[CHUNK];
    char bytes[CHUNK][WORKLOAD_EVENT_BYTES];
};

struct bench {
    const struct seg_catalogue *catalogue;
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    int64_t offset;
    uint64_t changes;
};

static void fail(const char *what, int err)
{
    fprintf(stderr, "%s: %s\n", what, seg_error_name(err));
    exit(1);
}

static void open_engine(struct bench *bench)
{
    static const char *const topics[] = {"events"};
    const struct seg_engine_options options = {
        .catalogue = bench->catalogue,
        .topic_count = 1,
        .topics = topics,
        .clock_ms = START_MS,
        .hash_seed = 1,
    };
    int ret = seg_engine_new(&bench->engine, &options);
    if (ret == 0)
        ret = seg_decoder_new(&bench->decoder, bench->catalogue);
    if (ret < 0)
        fail("engine", ret);
}

static void apply(struct bench *bench, const struct seg_event *event,
                  int64_t time_ms)
{
    struct seg_origin origin = {0, bench->offset++, time_ms};
    while (seg_engine_advance(bench->engine, time_ms, 1000) == 1)
        ;
    int ret = seg_engine_apply(bench->engine, event, &origin);
    if (ret < 0)
        fail("apply", ret);
}

/* As a worker does it: decode a batch, then apply it. */
static void run_batch(struct bench *bench, const struct chunk *chunk, int from,
                      int to, int applied)
{
    static struct seg_event events[BATCH];
    size_t count;
    seg_decoder_reset(bench->decoder);
    for (int i = from; i < to; i++) {
        int ret = seg_decode(bench->decoder, chunk->bytes[i], chunk->len[i],
                             &events[i - from], NULL);
        if (ret < 0)
            fail("decode", ret);
        seg_engine_prefetch(bench->engine, &events[i - from]);
    }
    for (int i = from; applied && i < to; i++) {
        if (i + AHEAD < to)
            seg_engine_prefetch_user(bench->engine, &events[i - from + AHEAD]);
        apply(bench, &events[i - from], chunk->time_ms[i]);
    }
    seg_engine_outputs(bench->engine, &count);
    bench->changes += count;
    seg_engine_outputs_clear(bench->engine);
    if (seg_engine_dirty_count(bench->engine) > CHUNK)
        seg_engine_flushed(bench->engine, CHUNK);
}

static double run(struct bench *bench, int64_t events, int64_t users,
                  int applied)
{
    static struct chunk chunk;
    struct workload workload;
    double cpu = 0;
    workload_init(&workload, events, users, START_MS);
    for (int64_t done = 0; done < events; done += CHUNK) {
        for (int i = 0; i < CHUNK; i++)
            chunk.len[i] = workload_event(&workload, chunk.bytes[i], NULL,
                                          &chunk.time_ms[i]);
        double start = workload_cpu();
        for (int i = 0; i < CHUNK; i += BATCH)
            run_batch(bench, &chunk, i, i + BATCH, applied);
        cpu += workload_cpu() - start;
    }
    return cpu / (double)events * 1e6;
}

static void close_engine(struct bench *bench)
{
    seg_engine_free(bench->engine);
    seg_decoder_free(bench->decoder);
    bench->changes = 0;
    bench->offset = 0;
}

static void print_bytes(struct bench *bench, const char *population)
{
    uint32_t users = seg_engine_user_count(bench->engine);
    uint64_t members = 0;
    for (int i = 0; i < seg_catalogue_segment_count(bench->catalogue); i++)
        members += seg_engine_segment_size(bench->engine, i);
    printf("{\"bench\":\"bytes_per_user\",\"population\":\"%s\",\"users\":%u,"
           "\"memberships_per_user\":%.1f,\"bytes\":%.0f}\n",
           population, users, (double)members / users,
           (double)seg_engine_bytes(bench->engine) / users);
}

static void age_ids(struct bench *bench, int64_t to_ms)
{
    while (seg_engine_advance(bench->engine, to_ms, 100000) == 1)
        seg_engine_outputs_clear(bench->engine);
    seg_engine_outputs_clear(bench->engine);
    seg_engine_flushed(bench->engine, UINT32_MAX);
}

/* When USER sends his N-th event: every quarter of an hour, at a multiple of
 * STEP_MS. What no step of a second divides takes longer to write. */
static int64_t fill_time(int user, int n, int step_ms)
{
    uint32_t hash = (uint32_t)user * 2654435761u + (uint32_t)n * 2246822519u;
    uint32_t after_ms = (hash >> 8) % 600000;
    return START_MS + n * INT64_C(900000) + after_ms - after_ms % step_ms;
}

/* USERS users with IDS events each: five of each name at the end, so that the
 * features are full. */
static void fill(struct bench *bench, int users, int ids, int step_ms)
{
    char json[WORKLOAD_EVENT_BYTES];
    struct seg_event event;
    for (int n = 0; n < ids; n++)
        for (int user = 0; user < users; user++) {
            int64_t time_ms = fill_time(user, n, step_ms);
            int len =
                snprintf(json, sizeof(json),
                         "{\"type\":\"track\",\"event\":\"%s\",\"userId\":"
                         "\"user-%07d\",\"messageId\":\"m-%08d-%08d\"}",
                         workload_name(n % 10), user, user, n);
            seg_decoder_reset(bench->decoder);
            int ret =
                seg_decode(bench->decoder, json, (size_t)len, &event, NULL);
            if (ret < 0)
                fail("decode", ret);
            apply(bench, &event, time_ms);
            seg_engine_outputs_clear(bench->engine);
            seg_engine_flushed(bench->engine, UINT32_MAX);
        }
}

/* Users in MEMBERSHIPS of the segments: the others are closed to them. */
static void measure_full(int users, int memberships, int step_ms)
{
    const char *suffix = step_ms == 1 ? "" : "_seconds";
    const struct workload_plan plan = {WORKLOAD_SEGMENTS, 0,
                                       WORKLOAD_SEGMENTS - memberships};
    struct bench bench = {.catalogue = workload_catalogue(&plan)};
    char population[32];
    open_engine(&bench);
    fill(&bench, users, FULL_IDS, step_ms);
    snprintf(population, sizeof(population), "full_%d%s_ids", memberships,
             suffix);
    print_bytes(&bench, population);
    age_ids(&bench, START_MS + 3 * DAY_MS);
    snprintf(population, sizeof(population), "full_%d%s", memberships, suffix);
    print_bytes(&bench, population);
    close_engine(&bench);
    seg_catalogue_free((struct seg_catalogue *)bench.catalogue);
}

static int64_t number(int argc, char **argv, int i, int64_t otherwise)
{
    return argc > i ? atoll(argv[i]) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "full") == 0) {
        measure_full(atoi(argv[2]), WORKLOAD_SEGMENTS, 1);
        return 0;
    }
    int64_t events = number(argc, argv, 1, 3000000);
    int64_t users = number(argc, argv, 2, 1000000);
    const struct workload_plan plan = {
        (int)number(argc, argv, 3, WORKLOAD_SEGMENTS),
        (int)number(argc, argv, 4, 0), 0};
    struct bench bench = {.catalogue = workload_catalogue(&plan)};
    open_engine(&bench);
    double decode = run(&bench, events, users, 0);
    close_engine(&bench);
    open_engine(&bench);
    double engine = run(&bench, events, users, 1);
    printf(
        "{\"bench\":\"engine\",\"events\":%lld,\"users\":%lld,\"segments\":%d,"
        "\"untouched\":%d,\"changes\":%llu,\"decode_us\":%.3f,"
        "\"decode_apply_us\":%.3f}\n",
        (long long)events, (long long)users, plan.segments, plan.untouched,
        (unsigned long long)bench.changes, decode, engine);
    age_ids(&bench, START_MS + 3 * DAY_MS);
    print_bytes(&bench, "sparse");
    close_engine(&bench);
    for (int i = 0; argc < 6 && i < 3; i++)
        measure_full(FULL_USERS,
                     i == 0   ? 0
                     : i == 1 ? 10
                              : WORKLOAD_SEGMENTS,
                     1);
    if (argc < 6)
        measure_full(FULL_USERS, WORKLOAD_SEGMENTS, 1000);
    seg_catalogue_free((struct seg_catalogue *)bench.catalogue);
    return 0;
}
