/* metric.c: counting, and reading it from another thread.
 *
 * Everything made known stands in groups: the structs of one scope with the
 * same labels. A group prints as one series per label set, each the sum over
 * its structs:
 *
 *     group {SEGMENT, labels ->  [segment="a"]  [segment="b"]}
 *       cells of worker 0        entered=3      entered=1
 *       cells of worker 1        entered=4      entered=0
 *     segment_entered_total{segment="a"} 7
 *     segment_entered_total{segment="b"} 1
 *
 * Segments come and go with catalogues: their labels only ever grow, and an
 * array of structs may be shorter than they are. The lock guards the groups,
 * not the numbers. */
#include "daemon/base/metric.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "lib/base/alloc.h"
#include "lib/base/intern.h"
#include "lib/base/text.h"

enum type { COUNTER, GAUGE, HISTOGRAM };
enum unit { ONE, MS, US, SINCE };

static const char *const type_names[] = {"counter", "gauge", "histogram"};

static const struct row {
    enum metric_scope scope;
    size_t offset; /* Of the member in the struct of the scope. */
    const char *name;
    enum type type;
    enum unit unit;
    const char *help;
} rows[] = {
#define ROW(SCOPE, of, field, name, type, unit, help) \
    {SCOPE, offsetof(struct of, field), name, type, unit, help},
#define PROCESS(...)   ROW(METRIC_PROCESS, metric_process, __VA_ARGS__)
#define PARTITION(...) ROW(METRIC_PARTITION, metric_partition, __VA_ARGS__)
#define INPUT(...)     ROW(METRIC_INPUT, metric_input, __VA_ARGS__)
#define SEGMENT(...)   ROW(METRIC_SEGMENT, metric_segment, __VA_ARGS__)
#define REASON(...)    ROW(METRIC_REASON, metric_reason, __VA_ARGS__)
#define STATE(...)     ROW(METRIC_STATE, metric_state, __VA_ARGS__)
#define WORKER(...)    ROW(METRIC_WORKER, metric_worker, __VA_ARGS__)
#define VIEW(...)      ROW(METRIC_VIEW, metric_view, __VA_ARGS__)
#define BUILD(...)     ROW(METRIC_BUILD, metric_build, __VA_ARGS__)
#define CATALOGUE(...) ROW(METRIC_CATALOGUE, metric_catalogue, __VA_ARGS__)
    METRIC_TABLE(PROCESS, PARTITION, INPUT, SEGMENT, REASON, STATE, WORKER,
                 VIEW, BUILD, CATALOGUE) /* Each ends in a comma. */
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const size_t struct_sizes[METRIC_SCOPE_COUNT] = {
    [METRIC_PROCESS] = sizeof(struct metric_process),
    [METRIC_PARTITION] = sizeof(struct metric_partition),
    [METRIC_INPUT] = sizeof(struct metric_input),
    [METRIC_SEGMENT] = sizeof(struct metric_segment),
    [METRIC_REASON] = sizeof(struct metric_reason),
    [METRIC_STATE] = sizeof(struct metric_state),
    [METRIC_WORKER] = sizeof(struct metric_worker),
    [METRIC_VIEW] = sizeof(struct metric_view),
    [METRIC_BUILD] = sizeof(struct metric_build),
    [METRIC_CATALOGUE] = sizeof(struct metric_catalogue),
};

static const char *const reason_labels[] = {
#define X(code, name, sentence) "reason=\"" name "\"",
    SEG_ERR_TABLE(X)
#undef X
};

static const char *const no_labels[] = {""};

struct group {
    enum metric_scope scope;
    const char *const *labels; /* METRIC_SEGMENT: NULL, see struct metrics. */
    int label_count;
    struct cells {
        const char *at; /* One array of structs ... */
        int count;      /* ... of so many. */
    } * cells;
    size_t count, cap;
};

struct metrics {
    pthread_mutex_t lock;
    struct group *groups;
    size_t count, cap;
    struct intern segments; /* Their labels. */
};

/* From a commit on an idle broker to a restore of an hour's input. */
static const int64_t bounds_us[METRIC_BOUND_COUNT] = {
    1000,   2000,    5000,    10000,   20000,    50000,    100000,   200000,
    500000, 1000000, 2000000, 5000000, 10000000, 30000000, 60000000, 300000000,
};

void metric_observe(struct metric_histogram *histogram, int64_t us)
{
    int i = 0;
    while (i < METRIC_BOUND_COUNT && us > bounds_us[i])
        i++;
    metric_add(&histogram->buckets[i], 1);
    metric_add(&histogram->sum, us > 0 ? us : 0);
}

void metric_label(struct buf *buf, const char *name, const char *value)
{
    if (buf->len)
        buf_char(buf, ',');
    buf_printf(buf, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            buf_char(buf, '\\');
        if (*value == '\n')
            buf_str(buf, "\\n");
        else
            buf_char(buf, *value);
    }
    buf_char(buf, '"');
}

/* ---- groups ---------------------------------------------------------- */

static int label_segments(struct metrics *metrics,
                          const struct seg_catalogue *catalogue)
{
    uint32_t number;
    int err = 0;
    struct buf label;
    buf_init(&label);
    for (int i = 0; !err && i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_segment_info info;
        seg_catalogue_segment(catalogue, i, &info);
        buf_reset(&label);
        metric_label(&label, "segment", info.key);
        if (buf_failed(&label) ||
            intern_add(&metrics->segments,
                       (struct seg_text){label.bytes, label.len}, &number) < 0)
            err = SEG_ERR_NOMEM;
    }
    buf_done(&label);
    return err;
}

int metrics_add_segments(struct metrics *metrics,
                         const struct seg_catalogue *catalogue)
{
    pthread_mutex_lock(&metrics->lock);
    int err = label_segments(metrics, catalogue);
    pthread_mutex_unlock(&metrics->lock);
    return err;
}

int metrics_new(struct metrics **ret, const struct seg_catalogue *catalogue)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (!metrics)
        return SEG_ERR_NOMEM;
    pthread_mutex_init(&metrics->lock, NULL);
    intern_init(&metrics->segments);
    int err = label_segments(metrics, catalogue);
    if (err < 0) {
        metrics_free(metrics);
        return err;
    }
    *ret = metrics;
    return 0;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->count; i++)
        free(metrics->groups[i].cells);
    intern_done(&metrics->segments);
    free(metrics->groups);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static const char *const *scope_labels(enum metric_scope scope)
{
    if (scope == METRIC_SEGMENT)
        return NULL;
    return scope == METRIC_REASON ? reason_labels : no_labels;
}

static const char *label_at(const struct metrics *metrics,
                            const struct group *group, int index)
{
    return group->labels ? group->labels[index]
                         : metrics->segments.texts[index].bytes;
}

/* The group of SCOPE and LABELS, made if need be; NULL: no memory. */
static struct group *find_group(struct metrics *metrics,
                                enum metric_scope scope,
                                const char *const *labels, int count)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (metrics->groups[i].scope == scope &&
            metrics->groups[i].labels == labels)
            return &metrics->groups[i];
    if (alloc_grow((void **)&metrics->groups, &metrics->cap, metrics->count + 1,
                   sizeof(struct group)) < 0)
        return NULL;
    struct group *group = &metrics->groups[metrics->count++];
    *group =
        (struct group){.scope = scope, .labels = labels, .label_count = count};
    return group;
}

/* The place of what was added to GROUP with CELLS, else a new one; NULL: no
 * memory. */
static struct cells *find_cells(struct group *group, const void *cells)
{
    for (size_t i = 0; cells && i < group->count; i++)
        if (group->cells[i].at == cells)
            return &group->cells[i];
    if (alloc_grow((void **)&group->cells, &group->cap, group->count + 1,
                   sizeof(*group->cells)) < 0)
        return NULL;
    return &group->cells[group->count++];
}

static int put(struct metrics *metrics, enum metric_scope scope,
               const void *before, struct cells cells,
               const char *const *labels)
{
    pthread_mutex_lock(&metrics->lock);
    struct group *group = find_group(metrics, scope, labels, cells.count);
    struct cells *place = group ? find_cells(group, before) : NULL;
    if (place)
        *place = cells;
    if (place && group->label_count < cells.count)
        group->label_count = cells.count;
    pthread_mutex_unlock(&metrics->lock);
    return place ? 0 : SEG_ERR_NOMEM;
}

int metrics_add(struct metrics *metrics, enum metric_scope scope,
                const void *cells, int count, const char *const *labels)
{
    return put(metrics, scope, NULL, (struct cells){cells, count},
               labels ? labels : scope_labels(scope));
}

int metrics_replace(struct metrics *metrics, enum metric_scope scope,
                    const void *before, const void *cells, int count)
{
    return put(metrics, scope, before, (struct cells){cells, count},
               scope_labels(scope));
}

void metrics_remove(struct metrics *metrics, const void *cells)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->count; i++) {
        struct group *group = &metrics->groups[i];
        for (size_t j = 0; j < group->count; j++)
            if (group->cells[j].at == cells)
                group->cells[j] = group->cells[--group->count];
        if (!group->count) {
            free(group->cells);
            *group = metrics->groups[--metrics->count];
            i--;
        }
    }
    pthread_mutex_unlock(&metrics->lock);
}

/* ---- printing -------------------------------------------------------- */

/* The sum over GROUP of the number OFFSET bytes into the INDEX-th struct. */
static int64_t sum(const struct group *group, int index, size_t offset)
{
    int64_t total = 0;
    offset += (size_t)index * struct_sizes[group->scope];
    for (size_t i = 0; i < group->count; i++)
        if (index < group->cells[i].count)
            total += metric_get(
                (const struct metric *)(group->cells[i].at + offset));
    return total;
}

static void print_value(struct buf *out, enum unit unit, int64_t value)
{
    if (unit == SINCE && value)
        value = clock_monotonic_ms() - value;
    if (unit == ONE)
        buf_printf(out, " %lld\n", (long long)value);
    else if (unit == MS || unit == SINCE)
        buf_printf(out, " %.3f\n", (double)value / 1e3);
    else
        buf_printf(out, " %.6f\n", (double)value / 1e6);
}

static void print_name(struct buf *out, const struct row *row,
                       const char *suffix, const char *labels)
{
    buf_printf(out, "segmentd_%s%s", row->name, suffix);
    if (*labels)
        buf_printf(out, "{%s}", labels);
}

static void print_histogram(struct buf *out, const struct row *row,
                            const struct group *group, int index,
                            const char *labels)
{
    int64_t count = 0;
    for (int i = 0; i <= METRIC_BOUND_COUNT; i++) {
        count +=
            sum(group, index,
                row->offset + offsetof(struct metric_histogram, buckets[i]));
        buf_printf(out, "segmentd_%s_bucket{%s%sle=\"", row->name, labels,
                   *labels ? "," : "");
        if (i < METRIC_BOUND_COUNT)
            buf_printf(out, "%g\"}", (double)bounds_us[i] / 1e6);
        else
            buf_str(out, "+Inf\"}");
        print_value(out, ONE, count);
    }
    print_name(out, row, "_sum", labels);
    print_value(out, row->unit,
                sum(group, index,
                    row->offset + offsetof(struct metric_histogram, sum)));
    print_name(out, row, "_count", labels);
    print_value(out, ONE, count);
}

static void print_group(struct buf *out, const struct row *row,
                        const struct metrics *metrics,
                        const struct group *group)
{
    for (int i = 0; i < group->label_count; i++) {
        const char *labels = label_at(metrics, group, i);
        if (row->type == HISTOGRAM) {
            print_histogram(out, row, group, i, labels);
            continue;
        }
        print_name(out, row, "", labels);
        print_value(out, row->unit, sum(group, i, row->offset));
    }
}

static void print_row(struct buf *out, const struct row *row,
                      const struct metrics *metrics)
{
    int started = 0;
    for (size_t i = 0; i < metrics->count; i++) {
        if (metrics->groups[i].scope != row->scope)
            continue;
        if (!started++)
            buf_printf(out, "# HELP segmentd_%s %s\n# TYPE segmentd_%s %s\n",
                       row->name, row->help, row->name, type_names[row->type]);
        print_group(out, row, metrics, &metrics->groups[i]);
    }
}

int metrics_print(struct metrics *metrics, struct buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < ROW_COUNT; i++)
        print_row(out, &rows[i], metrics);
    pthread_mutex_unlock(&metrics->lock);
    return buf_failed(out) ? SEG_ERR_NOMEM : 0;
}
