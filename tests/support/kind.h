/* kind.h: what every kind of feature that counts a set of events must hold.
 *
 * A test says what its feature ought to measure at an instant (from all events
 * that ever were), and at which instants that may change. Here stands what is
 * the same for all: measure and next change a millisecond before, at and after
 * each such instant, records that read back, records that are broken. */
#ifndef TESTS_SUPPORT_KIND_H
#define TESTS_SUPPORT_KIND_H

#include "lib/base/buf.h"
#include "tests/support/one_user.h"

enum { KIND_EVENTS_MAX = 4000, KIND_EDGES_MAX = 8000 };

struct kind {
    struct one_user one;
    struct feature feature;
    /* All events that were ever folded. */
    int count;
    struct kind_event {
        int64_t time_ms;
        int64_t value; /* An integer; or the role. */
    } events[KIND_EVENTS_MAX];
    /* What it ought to measure at NOW_MS. */
    uint64_t (*naive)(const struct kind *kind, int64_t now_ms);
    /* Instants at which that may change: KIND_EDGES_MAX at most into EDGES;
     * returns how many. */
    int (*edges)(const struct kind *kind, int64_t *edges);
};

/* The edges of a feature whose events count from when they enter its window to
 * when they leave it. */
int kind_window_edges(const struct kind *kind, int64_t *edges);

/* A user of times around NOW_MS, no events. */
void kind_begin(struct kind *kind, int64_t now_ms);
void kind_end(struct kind *kind);

/* Fold an event; what it did must be right. VALUE is its value, and its role.
 */
void kind_fold(struct kind *kind, int64_t time_ms, int64_t value,
               int64_t now_ms);

/* The same without a look at naive(), for what is not exact. */
void kind_fold_only(struct kind *kind, int64_t time_ms, int64_t value,
                    int64_t now_ms);

uint64_t kind_measure(struct kind *kind, int64_t now_ms);

/* Compare with naive() at every edge from NOW_MS on, and follow next() from one
 * change that matters to the next. */
void kind_compare(struct kind *kind, int64_t now_ms);

/* The feature's item as it stands in a record. */
void kind_write(const struct kind *kind, struct buf *buf);

/* Read the record back: the same bytes and the same measure at NOW_MS. Then
 * broken ones: cut short, and with each of its bytes changed; whatever they are
 * taken for, the user's block must be whole. */
void kind_check_record(struct kind *kind, int64_t now_ms);

#endif
