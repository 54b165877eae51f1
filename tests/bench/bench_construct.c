/* bench_construct.c: what an event costs, construct by construct.
 *
 *   bench_construct USERS KEPT[,KEPT]... [NAME]
 *
 * Each construct of construct_table.h, or the one of that name, has an engine
 * of its own. Every user sends KEPT events and some more, one each step, so
 * that his item is full; those that follow, one in and mostly one out, are
 * measured, timers included. Prints a JSON line for each construct and KEPT:
 * CPU ns per event, bytes per user, timers fired and changes made per event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/seg.h>

#include "lib/base/buf.h"
#include "tests/bench/construct_table.h"
#include "tests/bench/workload.h"

#define START_MS  INT64_C(1767323000000)
#define MINUTE_MS INT64_C(60000)
#define TURNS     24 /* Events of each user that are measured. */
#define BATCH     500
#define EVENT_MAX 512

struct construct {
    const char *name;
    int step_min;
    const char *names;
    const char *text;
};

static const struct construct constructs[] = {
#define X(name, step_min, names, text) {name, step_min, names, text},
    CONSTRUCT_TABLE(X)
#undef X
};

#define CONSTRUCTS ((int)(sizeof(constructs) / sizeof(constructs[0])))

struct bench {
    const struct construct *construct;
    struct seg_catalogue *catalogue;
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    int users, kept, measured;
    int64_t turn; /* Events of each user so far. */
    int64_t offset;
    uint64_t random;
    int64_t time_ms[BATCH];
    struct seg_event events[BATCH];
    char json[BATCH][EVENT_MAX];
};

static void fail(const char *what, int err)
{
    fprintf(stderr, "bench_construct: %s: %s\n", what, seg_error_name(err));
    exit(1);
}

/* ---- the catalogue ------------------------------------------------------- */

static void put_number(struct buf *buf, const struct bench *bench, char what)
{
    int64_t n = bench->kept, step = bench->construct->step_min;
    switch (what) {
    case 'N':
        buf_printf(buf, "%lld", (long long)n);
        return;
    case 'H':
        buf_printf(buf, "%lld", (long long)n / 2);
        return;
    case 'W':
        buf_printf(buf, "%lldm", (long long)(n * step));
        return;
    case 'V':
        buf_printf(buf, "%lldm", (long long)(n / 2 * step));
        return;
    case 'L':
        buf_printf(buf, "%lldm", (long long)(2 * n * step));
        return;
    default:
        buf_printf(buf, "$%c", what);
    }
}

static void compile(struct bench *bench)
{
    struct seg_diagnostics *diagnostics = NULL;
    struct buf buf;
    buf_init(&buf);
    for (const char *at = bench->construct->text; *at; at++)
        if (*at == '$' && strchr("NHWVL", at[1]))
            put_number(&buf, bench, *++at);
        else
            buf_add(&buf, at, 1);
    struct seg_source source = {"construct.seg", buf.bytes, buf.len};
    if (seg_diagnostics_new(&diagnostics) < 0 ||
        seg_catalogue_compile(&bench->catalogue, &source, 1, diagnostics) < 0) {
        fprintf(stderr, "bench_construct: %s does not compile: %.*s\n",
                bench->construct->name, (int)buf.len, buf.bytes);
        exit(1);
    }
    seg_diagnostics_free(diagnostics);
    buf_done(&buf);
}

static void bench_open(struct bench *bench)
{
    static const char *const topics[] = {"events"};
    compile(bench);
    const struct seg_engine_options options = {.catalogue = bench->catalogue,
                                               .topic_count = 1,
                                               .topics = topics,
                                               .clock_ms = START_MS,
                                               .hash_seed = 1};
    int ret = seg_engine_new(&bench->engine, &options);
    if (ret == 0)
        ret = seg_decoder_new(&bench->decoder, bench->catalogue);
    if (ret < 0)
        fail("engine", ret);
    bench->random = UINT64_C(88172645463325252);
    bench->turn = bench->offset = 0;
}

static void bench_close(struct bench *bench)
{
    seg_engine_free(bench->engine);
    seg_decoder_free(bench->decoder);
    seg_catalogue_free(bench->catalogue);
}

/* ---- events -------------------------------------------------------------- */

/* Total is anything up to 1000, rising and falling are what they say; of path
 * and cart there are as many values as events are kept. */
static void make_event(struct bench *bench, int i, int user)
{
    const char *names = bench->construct->names;
    uint64_t r = bench->random;
    r ^= r << 13, r ^= r >> 7, r ^= r << 17;
    bench->random = r;
    int64_t turn = bench->turn,
            step_ms = bench->construct->step_min * MINUTE_MS;
    bench->time_ms[i] =
        START_MS + turn * step_ms + user * step_ms / bench->users;
    int len = snprintf(
        bench->json[i], EVENT_MAX,
        "{\"type\":\"track\",\"event\":\"%c\",\"userId\":\"u%07d\","
        "\"properties\":{\"total\":%d.25,\"rising\":%lld,\"falling\":%lld,"
        "\"path\":\"/p/%lld\",\"cart\":\"c%lld\","
        "\"items\":[{\"kind\":\"y\",\"price\":5},"
        "{\"kind\":\"x\",\"price\":120}]}}",
        names[(size_t)turn % strlen(names)], user, (int)((r >> 30) % 1000),
        (long long)turn, (long long)(1000000 - turn),
        (long long)(turn % bench->kept), (long long)(turn % bench->kept));
    int ret = seg_decode(bench->decoder, bench->json[i], (size_t)len,
                         &bench->events[i], NULL);
    if (ret < 0)
        fail("decode", ret);
}

/* What is measured. Callgrind counts in here alone (counts.py). */
__attribute__((noinline)) static void
construct_apply(struct bench *bench, const struct seg_event *event,
                int64_t time_ms)
{
    const struct seg_origin origin = {0, bench->offset++, time_ms};
    while (seg_engine_advance(bench->engine, time_ms, 1000) == 1)
        ;
    int ret = seg_engine_apply(bench->engine, event, &origin);
    if (ret < 0)
        fail("apply", ret);
}

/* Callgrind begins at nought when this is entered ... */
__attribute__((noinline)) static void construct_begin(struct bench *bench)
{
    bench->measured = 1;
}

/* ... and writes down what it has counted when this is left. */
__attribute__((noinline)) static void construct_end(struct bench *bench)
{
    bench->measured = 0;
}

/* The next event of each user; returns CPU seconds of applying them. */
static double run_turn(struct bench *bench)
{
    double cpu = 0;
    for (int user = 0; user < bench->users; user += BATCH) {
        int count = bench->users - user < BATCH ? bench->users - user : BATCH;
        seg_decoder_reset(bench->decoder);
        for (int i = 0; i < count; i++)
            make_event(bench, i, user + i);
        double start = workload_cpu();
        for (int i = 0; i < count; i++)
            construct_apply(bench, &bench->events[i], bench->time_ms[i]);
        cpu += workload_cpu() - start;
        seg_engine_outputs_clear(bench->engine);
        seg_engine_flushed(bench->engine, UINT32_MAX);
    }
    bench->turn++;
    return cpu;
}

static void measure(struct bench *bench, const struct construct *construct)
{
    struct seg_engine_stats before, after;
    double cpu = 0;
    bench->construct = construct;
    bench_open(bench);
    for (int turn = 0; turn < bench->kept * 3 / 2; turn++)
        run_turn(bench);
    seg_engine_stats(bench->engine, &before);
    construct_begin(bench);
    for (int turn = 0; turn < TURNS; turn++)
        cpu += run_turn(bench);
    construct_end(bench);
    seg_engine_stats(bench->engine, &after);
    double events = (double)bench->users * TURNS;
    printf("{\"construct\": \"%s\", \"kept\": %d, \"events\": %.0f, "
           "\"ns\": %.0f, \"bytes\": %.0f, \"timers\": %.2f, "
           "\"changes\": %.2f}\n",
           construct->name, bench->kept, events, cpu / events * 1e9,
           (double)seg_engine_bytes(bench->engine) / bench->users,
           (double)(after.timers - before.timers) / events,
           (double)(after.entered + after.exited - before.entered -
                    before.exited) /
               events);
    fflush(stdout);
    bench_close(bench);
}

/* All of KEPT, a list of numbers, of each construct, or of the one NAMED. */
int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc < 3) {
        fprintf(stderr, "usage: bench_construct USERS KEPT[,KEPT]... [NAME]\n");
        return 2;
    }
    bench.users = atoi(argv[1]);
    for (int i = 0; i < CONSTRUCTS; i++) {
        const char *kept = argv[2];
        if (argc > 3 && strcmp(argv[3], constructs[i].name) != 0)
            continue;
        for (; *kept; kept += strcspn(kept, ","), kept += *kept == ',') {
            bench.kept = atoi(kept);
            measure(&bench, &constructs[i]);
        }
    }
    return 0;
}
