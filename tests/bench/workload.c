/* workload.c: the workload of the benchmarks. */
#include "tests/bench/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/instant.h"

#define SPAN_MS 60000

static const char *const names[WORKLOAD_FEATURES] = {
    "Goal Used",    "Report Exported",  "Pricing Viewed",        "App Opened",
    "Page Viewed",  "Teammate Invited", "Integration Connected", "Order Placed",
    "NPS Answered", "Checkout Started"};

const char *workload_name(int index)
{
    return names[index];
}

void workload_init(struct workload *workload, int64_t events, int64_t users,
                   int64_t start_ms)
{
    *workload = (struct workload){UINT64_C(88172645463325252), users, start_ms,
                                  events, 0};
}

size_t workload_event(struct workload *workload, char *out, int64_t *user,
                      int64_t *time_ms)
{
    uint64_t s = workload->state;
    char when[25];
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    workload->state = s;
    int64_t who = (int64_t)(s % (uint64_t)workload->users);
    int64_t ms =
        workload->start_ms + workload->made * SPAN_MS / workload->events;
    workload->made++;
    instant_string(when, ms);
    if (user)
        *user = who;
    if (time_ms)
        *time_ms = ms;
    return (size_t)snprintf(
        out, WORKLOAD_EVENT_BYTES,
        "{\"type\":\"track\",\"event\":\"%s\",\"userId\":\"u%07lld\","
        "\"messageId\":\"m-%016llx\",\"timestamp\":\"%s\",\"properties\":{"
        "\"plan\":\"pro\",\"total\":%d.5,\"path\":\"/app/"
        "%d\",\"source\":\"web\"},"
        "\"context\":{\"device\":{\"type\":\"ios\"},\"ip\":\"10.0.0.1\","
        "\"library\":{\"name\":\"js\",\"version\":\"1.2\"}}}",
        names[(s >> 20) % WORKLOAD_FEATURES], (long long)who,
        (unsigned long long)s, when, (int)((s >> 30) % 100),
        (int)((s >> 40) % 50));
}

static void put_segment(struct buf *buf, const char *kind, int s, int open)
{
    int threshold = 1 + s / 10 % WORKLOAD_THRESHOLD_MAX;
    if (threshold < WORKLOAD_THRESHOLD_MIN)
        threshold = WORKLOAD_THRESHOLD_MIN;
    const char *unseen = *kind == 'u' ? "Unseen " : "";
    buf_printf(buf,
               "segment %s_%d {\n  when did \"%s%s\" at least %d times in 7d",
               kind, s, unseen, names[s % 10], threshold);
    if (s % 100 >= 50)
        buf_printf(buf, " and did \"%s%s\" in 7d", unseen, names[(s + 3) % 10]);
    buf_str(buf, open ? "\n}\n" : " and did \"Never\"\n}\n");
}

char *workload_segments(const struct workload_plan *plan)
{
    struct buf buf;
    buf_init(&buf);
    for (int s = 0; s < plan->segments; s++)
        put_segment(&buf, "segment", s, s < plan->segments - plan->closed);
    for (int s = 0; s < plan->untouched; s++)
        put_segment(&buf, "untouched", s, 1);
    return buf_take(&buf);
}

struct seg_catalogue *workload_catalogue(const struct workload_plan *plan)
{
    char *text = workload_segments(plan);
    struct seg_diagnostics *diagnostics = NULL;
    struct seg_catalogue *catalogue = NULL;
    struct seg_source source = {"workload.seg", text, text ? strlen(text) : 0};
    if (!text || seg_diagnostics_new(&diagnostics) < 0 ||
        seg_catalogue_compile(&catalogue, &source, 1, diagnostics) < 0) {
        fprintf(stderr, "the workload's catalogue does not compile\n");
        exit(1);
    }
    seg_diagnostics_free(diagnostics);
    free(text);
    return catalogue;
}

double workload_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
