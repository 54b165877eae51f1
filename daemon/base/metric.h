/* metric.h: counting, and reading it from another thread.
 *
 * Who counts owns plain structs, struct metric_process and so on, whose members
 * are the rows of metric_table.h. Each struct has one writer, a thread; readers
 * may look at any time: members are relaxed atomics, so counting costs what a
 * plain addition costs.
 *
 *     worker 0   process{} segment[n]{} reason[]{}   --.
 *     worker 1   process{} segment[n]{} reason[]{}   --+-- struct metrics: text
 *                partition{} input{} while owned     --'
 *
 * A struct is made known with metrics_add, together with its labels, and taken
 * out with metrics_remove before it ends. Structs of one scope with the same
 * labels array are added up; others stand by themselves. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

#include <seg/catalogue.h>

#include "daemon/base/metric_table.h"
#include "lib/base/buf.h"

/* One number. Written by one thread only. */
struct metric {
    _Atomic int64_t value;
};

/* Buckets with an upper bound (see metric.c); one more takes the rest. */
#define METRIC_BOUND_COUNT 16

struct metric_histogram {
    struct metric buckets[METRIC_BOUND_COUNT + 1]; /* Not cumulative. */
    struct metric sum;
};

#define METRIC_C_COUNTER   struct metric
#define METRIC_C_GAUGE     struct metric
#define METRIC_C_HISTOGRAM struct metric_histogram

#define METRIC_FIELD(field, name, type, unit, help) METRIC_C_##type field;
#define METRIC_NONE(field, name, type, unit, help)
#define F METRIC_FIELD
#define N METRIC_NONE

struct metric_process {
    METRIC_TABLE(F, N, N, N, N, N, N, N, N, N)
};
struct metric_partition {
    METRIC_TABLE(N, F, N, N, N, N, N, N, N, N)
};
struct metric_input {
    METRIC_TABLE(N, N, F, N, N, N, N, N, N, N)
};
struct metric_segment {
    METRIC_TABLE(N, N, N, F, N, N, N, N, N, N)
};
struct metric_reason {
    METRIC_TABLE(N, N, N, N, F, N, N, N, N, N)
};
struct metric_state {
    METRIC_TABLE(N, N, N, N, N, F, N, N, N, N)
};
struct metric_worker {
    METRIC_TABLE(N, N, N, N, N, N, F, N, N, N)
};
struct metric_view {
    METRIC_TABLE(N, N, N, N, N, N, N, F, N, N)
};
struct metric_build {
    METRIC_TABLE(N, N, N, N, N, N, N, N, F, N)
};
struct metric_catalogue {
    METRIC_TABLE(N, N, N, N, N, N, N, N, N, F)
};
#undef F
#undef N

enum metric_scope {
    METRIC_PROCESS,
    METRIC_PARTITION,
    METRIC_INPUT,
    METRIC_SEGMENT,
    METRIC_REASON,
    METRIC_STATE,
    METRIC_WORKER,
    METRIC_VIEW,
    METRIC_BUILD,
    METRIC_CATALOGUE,
    METRIC_SCOPE_COUNT,
};

/* Elements of an array of struct metric_reason: one per enum seg_err, so that
 * reasons[metric_reason_index(SEG_ERR_JSON)] counts `bad_json`. */
enum {
#define X(code, name, sentence) METRIC_REASON_##code,
    SEG_ERR_TABLE(X)
#undef X
        METRIC_REASON_COUNT
};

static inline int metric_reason_index(int code)
{
    return code - (SEG_ERR_FIRST_ + 1);
}

/* Add to a counter or gauge of the calling thread. */
static inline void metric_add(struct metric *metric, int64_t n)
{
    /* One writer: load and store need not be one operation. */
    int64_t value = atomic_load_explicit(&metric->value, memory_order_relaxed);
    atomic_store_explicit(&metric->value, value + n, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static inline int64_t metric_get(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/* Note one duration. Negative ones count as 0. */
void metric_observe(struct metric_histogram *histogram, int64_t us);

/* ---- all of them ----------------------------------------------------- */

struct metrics;

/* The segments of CATALOGUE are the labels of METRIC_SEGMENT. Returns 0 or
 * SEG_ERR_NOMEM. */
int metrics_new(struct metrics **ret, const struct seg_catalogue *catalogue);

/* Those of CATALOGUE that are new follow them, in its order. Any thread.
 * Returns 0 or SEG_ERR_NOMEM. */
int metrics_add_segments(struct metrics *metrics,
                         const struct seg_catalogue *catalogue);
void metrics_free(struct metrics *metrics);

/* Make known the COUNT structs of SCOPE at CELLS, zeroed by the caller, who
 * keeps them and takes them out before they end. Any thread.
 *
 * LABELS, COUNT strings such as `topic="clicks",partition="3"` made by
 * metric_label, live as long as CELLS. NULL: those of the scope, which are the
 * segments' keys in the order in which they were made known, the reasons
 * (METRIC_REASON_COUNT), or none. Returns 0 or SEG_ERR_NOMEM. */
int metrics_add(struct metrics *metrics, enum metric_scope scope,
                const void *cells, int count, const char *const *labels);

/* CELLS, an array of COUNT structs, take the place of those at BEFORE: nobody
 * sees both, or neither. As metrics_add where there was nothing; as that, it
 * changes nothing when it fails. */
int metrics_replace(struct metrics *metrics, enum metric_scope scope,
                    const void *before, const void *cells, int count);

/* Take out what was added with CELLS. Any thread; nobody reads CELLS when it
 * returns. What counters of thread-wide scopes had counted is forgotten. */
void metrics_remove(struct metrics *metrics, const void *cells);

/* Append NAME="VALUE" to BUF with VALUE escaped, a comma before it if BUF is
 * not empty. */
void metric_label(struct buf *buf, const char *name, const char *value);

/* Write everything as Prometheus text. Any thread. Returns 0 or
 * SEG_ERR_NOMEM. */
int metrics_print(struct metrics *metrics, struct buf *out);

#endif
