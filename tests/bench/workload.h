/* workload.h: the workload of the benchmarks.
 *
 * Events are Segment tracks of 297 bytes with ten names, uniform over the
 * users; the catalogue is a hundred segments over ten features, each an event
 * name counted in a rolling week: `name at least T times`, T of 3 to 5, half of
 * them `and` another name. Seeded: every run makes the same. */
#ifndef TESTS_BENCH_WORKLOAD_H
#define TESTS_BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <seg/catalogue.h>

#define WORKLOAD_SEGMENTS      100
#define WORKLOAD_FEATURES      10
#define WORKLOAD_THRESHOLD_MIN 3
#define WORKLOAD_THRESHOLD_MAX 5
#define WORKLOAD_EVENT_BYTES   512

struct workload {
    uint64_t state; /* Of the generator. */
    int64_t users;
    int64_t start_ms; /* Of the first event; one minute is filled evenly. */
    int64_t events;
    int64_t made;
};

void workload_init(struct workload *workload, int64_t events, int64_t users,
                   int64_t start_ms);

/* Write the next event to OUT (WORKLOAD_EVENT_BYTES). Returns its length; *USER
 * and *TIME_MS (may be NULL) get who and when. */
size_t workload_event(struct workload *workload, char *out, int64_t *user,
                      int64_t *time_ms);

/* The name of feature INDEX's events. */
const char *workload_name(int index);

/* A catalogue: SEGMENTS of the pattern above, the last CLOSED of which want
 * something that never happens as well; and UNTOUCHED more of the pattern whose
 * events do not occur. */
struct workload_plan {
    int segments, untouched, closed;
};

/* The catalogue as a segment file. Heap; free(). */
char *workload_segments(const struct workload_plan *plan);

/* The same compiled. Ends the program if it cannot be had. */
struct seg_catalogue *workload_catalogue(const struct workload_plan *plan);

/* CPU seconds of this process so far. */
double workload_cpu(void);

#endif
