/* bench_decode.c: CPU time to decode one event of the workload.
 *
 *   bench_decode [EVENTS]
 *
 * Events are those of the whole benchmark (297 bytes, ten names), decoded in
 * batches as a worker does it. The median of several runs is printed for each
 * spec, as JSON lines; `copy` is the part that only copies the bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/text.h"
#include "lib/event/decoder.h"

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

static void decode_one(struct seg_decoder *decoder,
                       const struct text_event *text)
{
    struct seg_event event;
    struct seg_error error;
    if (seg_decode(decoder, text->bytes, text->len, &event, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    sum += event.name_id + event.field_count + (uint64_t)event.time_ms;
}

static double run(struct seg_decoder *decoder, int count)
{
    char copy[EVENT_BYTES];
    double start = cpu_ns();
    for (int i = 0; i < count; i++) {
        const struct text_event *text = &events[i % DISTINCT];
        if (decoder && i % BATCH == 0)
            seg_decoder_reset(decoder);
        if (decoder) {
            decode_one(decoder, text);
        } else {
            memcpy(copy, text->bytes, text->len);
            sum += (uint64_t)copy[i % 8];
        }
    }
    return (cpu_ns() - start) / count;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *what, struct seg_decoder *decoder, int count)
{
    double ns[RUNS];
    run(decoder, count / 10);
    for (int i = 0; i < RUNS; i++)
        ns[i] = run(decoder, count);
    qsort(ns, RUNS, sizeof(ns[0]), by_number);
    printf("{\"bench\":\"decode\",\"what\":\"%s\",\"events\":%d,"
           "\"cpu_ns_per_event\":%.1f,\"least\":%.1f,\"most\":%.1f}\n",
           what, count, ns[RUNS / 2], ns[0], ns[RUNS - 1]);
}

static void measure_spec(const char *what, const struct path *paths,
                         int path_count, int count)
{
    struct event_spec spec = {.paths = paths, .path_count = path_count};
    struct seg_decoder *decoder;
    uint32_t number;
    intern_init(&spec.names);
    for (int i = 0; i < 10; i++)
        if (intern_add(&spec.names, text_of(names[i]), &number) < 0)
            abort();
    if (decoder_new(&decoder, &spec) < 0)
        abort();
    measure(what, decoder, count);
    seg_decoder_free(decoder);
    intern_done(&spec.names);
}

int main(int argc, char **argv)
{
    static const struct seg_text name[] = {
        {"path", 4}, {"total", 5}, {"device", 6}, {"type", 4}};
    static const struct path paths[] = {{PATH_PROPERTIES, 1, name},
                                        {PATH_PROPERTIES, 1, name + 1},
                                        {PATH_CONTEXT, 2, name + 2}};
    int count = argc > 1 ? atoi(argv[1]) : 1000000;
    events = calloc(DISTINCT, sizeof(*events));
    if (!events || count < BATCH)
        return 1;
    for (int i = 0; i < DISTINCT; i++)
        make_event(&events[i], i);
    measure("copy", NULL, count);
    measure_spec("ten names", NULL, 0, count);
    measure_spec("ten names, 2 properties", paths, 2, count);
    measure_spec("ten names, 2 properties, context.device.type", paths, 3,
                 count);
    free(events);
    return sum == 0;
}
