/* bench_decode.c: CPU time to decode one event of the workload.
 *
 *   bench_decode [EVENTS]
 *
 * Events are those of the whole benchmark (297 bytes, ten names), decoded in
 * batches as a worker does it. Jobs take turns, so that they share whatever
 * else the machine does; the median of each is printed as a line of JSON.
 * `copy` does nothing but read the bytes, `index` is simdjson's first stage
 * alone: the floor under everything built on it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/text.h"
#include "lib/event/decoder.h"
#include "lib/event/event_json.h"

#define DISTINCT    100000
#define BATCH       1000
#define RUNS        9
#define EVENT_BYTES 512

static const char *const names[] = {"Goal Used",      "Report Exported",
                                    "Pricing Viewed", "App Opened",
                                    "Page Viewed",    "Teammate Invited",
                                    "Order Placed",   "Integration Connected",
                                    "NPS Answered",   "Checkout Started"};

struct text_event {
    size_t len;
    char bytes[EVENT_BYTES];
};

static struct text_event *events;

static uint64_t next_random(void)
{
    static uint64_t s = UINT64_C(88172645463325252);
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    return s;
}

static void make_event(struct text_event *event, int i)
{
    uint64_t s = next_random();
    event->len = (size_t)snprintf(
        event->bytes, sizeof(event->bytes),
        "{\"type\":\"track\",\"event\":\"%s\",\"userId\":\"u%07d\","
        "\"messageId\":\"m-%016llx\",\"timestamp\":\"2026-01-02T03:%02d:%02d."
        "%03dZ\",\"properties\":{\"plan\":\"pro\",\"total\":%d.5,\"path\":"
        "\"/app/%d\",\"source\":\"web\"},\"context\":{\"device\":{\"type\":"
        "\"ios\"},\"ip\":\"10.0.0.1\",\"library\":{\"name\":\"js\","
        "\"version\":\"1.2\"}}}",
        names[(s >> 20) % 10], (int)(s % 1000000), (unsigned long long)s,
        i / 60 % 60, i % 60, i % 1000, (int)((s >> 30) % 100),
        (int)((s >> 40) % 50));
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t sum; /* So that nothing is optimized away. */

struct job {
    const char *what;
    int path_count; /* -1: copy only, -2: index only. */
    struct seg_decoder *decoder;
    double ns[RUNS];
};

static struct job jobs[] = {
    {.what = "copy", .path_count = -1},
    {.what = "index", .path_count = -2},
    {.what = "ten names", .path_count = 0},
    {.what = "ten names, path, total", .path_count = 2},
    {.what = "ten names, path, total, context.device.type", .path_count = 3},
};

#define JOBS ((int)(sizeof(jobs) / sizeof(jobs[0])))

static void copy_one(const struct text_event *text)
{
    char copy[EVENT_BYTES];
    memcpy(copy, text->bytes, text->len);
    sum += (uint64_t)copy[text->len / 2];
}

static void index_one(struct event_json *json, const struct text_event *text)
{
    const uint32_t *tokens;
    if (event_json_index(json, text->bytes, text->len, &tokens) < 0)
        abort();
    sum += tokens[1];
}

static void decode_one(struct seg_decoder *decoder,
                       const struct text_event *text)
{
    struct seg_event event;
    if (seg_decode(decoder, text->bytes, text->len, &event, NULL) < 0)
        abort();
    sum += event.name_id + event.field_count + (uint64_t)event.time_ms;
}

static double run(const struct job *job, struct event_json *json, int count)
{
    double start = cpu_ns();
    for (int i = 0; i < count; i++) {
        const struct text_event *text = &events[i % DISTINCT];
        if (job->path_count == -1) {
            copy_one(text);
        } else if (job->path_count == -2) {
            index_one(json, text);
        } else {
            if (i % BATCH == 0)
                seg_decoder_reset(job->decoder);
            decode_one(job->decoder, text);
        }
    }
    return (cpu_ns() - start) / count;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(int count)
{
    struct event_json *json;
    if (event_json_new(&json, EVENT_BYTES) < 0)
        abort();
    for (int i = 0; i < RUNS; i++)
        for (int j = 0; j < JOBS; j++)
            jobs[j].ns[i] = run(&jobs[j], json, count);
    event_json_free(json);
    for (int j = 0; j < JOBS; j++) {
        double *ns = jobs[j].ns;
        qsort(ns, RUNS, sizeof(ns[0]), by_number);
        printf("{\"bench\":\"decode\",\"job\":\"%s\",\"events\":%d,"
               "\"cpu_ns_per_event\":%.1f,\"least\":%.1f,\"most\":%.1f}\n",
               jobs[j].what, count, ns[RUNS / 2], ns[0], ns[RUNS - 1]);
    }
}

static void make_names(struct intern *intern)
{
    uint32_t number;
    intern_init(intern);
    for (int i = 0; i < 10; i++)
        if (intern_add(intern, text_of(names[i]), &number) < 0)
            abort();
}

int main(int argc, char **argv)
{
    static const struct seg_text name[] = {
        {"path", 4}, {"total", 5}, {"device", 6}, {"type", 4}};
    static const struct path paths[] = {{PATH_PROPERTIES, 1, name},
                                        {PATH_PROPERTIES, 1, name + 1},
                                        {PATH_CONTEXT, 2, name + 2}};
    struct event_spec specs[JOBS] = {0};
    int count = argc > 1 ? atoi(argv[1]) : 1000000;
    events = calloc(DISTINCT, sizeof(*events));
    if (!events || count < BATCH)
        return 1;
    for (int i = 0; i < DISTINCT; i++)
        make_event(&events[i], i);
    for (int i = 0; i < JOBS; i++) {
        make_names(&specs[i].names);
        specs[i].paths = paths;
        specs[i].path_count = jobs[i].path_count;
        if (jobs[i].path_count >= 0 &&
            decoder_new(&jobs[i].decoder, &specs[i]) < 0)
            return 1;
    }
    measure(count);
    for (int i = 0; i < JOBS; i++) {
        seg_decoder_free(jobs[i].decoder);
        intern_done(&specs[i].names);
    }
    free(events);
    return sum == 0;
}
