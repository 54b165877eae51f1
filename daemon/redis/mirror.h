/* mirror.h: what the view knows of one partition, and of all of them.
 *
 * Inside daemon/redis only: turn.c moves mirrors along the left side of this
 * picture, rebuild.c along the right.
 *
 *              marker unknown
 *       +----> LOOKING -- no marker, or one of no use --> BEGINNING <--+
 *       |         |                                          | R<x>.0  | worker
 *   marker is     | marker in the topic                   SLICING -----+ gone
 *   elsewhere     v                                          | R<x>.n
 *       +----- TAILING <------- position of the slices --- SLICED
 *       |                                                    |
 *       +----------------------------------------------------+
 *
 * Traits need no rebuild: their topic has the last of every user, and without a
 * marker of use is followed from its beginning (LOOKING, TAILING).
 *
 * Each mirror has at most one link under way. It is filled, then sent in every
 * turn until Redis says what became of it (exchange in turn.c). */
#ifndef REDIS_MIRROR_H
#define REDIS_MIRROR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "daemon/base/metric.h"
#include "daemon/protocol/partitioner.h"
#include "daemon/redis/feed.h"
#include "daemon/redis/link.h"
#include "daemon/redis/slice.h"

#define MIRROR_NONE INT64_MAX /* No instant. */

enum mirror_state {
    MIRROR_LOOKING,
    MIRROR_TAILING,
    MIRROR_BEGINNING, /* Waits for its turn, then sets the marker of a rebuild.
                       */
    MIRROR_SLICING,
    MIRROR_SLICED, /* All users are written; others may not be that far. */
};

struct connection_options;

struct mirror {
    int partition;
    int state;                 /* enum mirror_state. */
    struct link_marker marker; /* What Redis has, as far as we know. */
    struct link *link; /* Under way: `own`, or that of `slice`; or NULL. */
    struct link own;
    int sent;       /* In this turn: an answer to `link` will come. */
    int64_t due_ms; /* LOOKING, BEGINNING: not before. */

    /* TAILING: the changes below `next` are in Redis or in `own`. */
    int64_t next;
    int64_t oldest_ms; /* Record time of the first change in `own`. */
    int64_t
        fresh_ms; /* Of the last one that was read; NONE: there is no other. */
    int64_t behind_ms; /* Not TAILING: since when. */

    /* A rebuild. */
    int64_t start;   /* Where tailing will begin. */
    uint64_t number; /* Random: its markers are R<number>.<links>. */
    uint64_t links;  /* Of its chain so far. */
    uint64_t incarnation, cursor;
    int asked;           /* A slice is on its way. */
    int last;            /* The slice that came holds the last users. */
    struct slice *slice; /* It came back, and is being written. */
    uint64_t *users; /* slice_hash of all users written; sorted when SLICED. */
    size_t user_count, user_cap;
};

struct view {
    const char *app;
    enum link_kind kind;
    int64_t heartbeat_ms;
    enum partitioner partitioner; /* TRUST: a user's partition is not known. */
    struct feed feed;
    struct connection *connection;
    struct link_script script;
    struct metric_view metric;

    struct mirror **mirrors; /* By partition, ascending. */
    size_t count;
    int *owned;      /* Room for feed.owned. */
    uint64_t change; /* Of feed.change, when it was asked last. */
    int64_t tick_ms; /* When every marker is looked at again. */
    size_t pending;  /* Changes in links. */
    int usable;      /* Redis, in the last turn. */

    struct {
        int on;
        int ended;           /* Every key was seen. */
        uint64_t connection; /* A cursor means nothing on another one. */
        char cursor[24];
    } scan;

    /* Of view_open; not there in tests. */
    struct metrics *metrics;
    pthread_t thread;
    int running;
    _Atomic int stop;
};

/* ---- turn.c ------------------------------------------------------------- */

/* A view without a thread, over FEED, which is taken only on success. APP and
 * what REDIS points to are borrowed. One of memberships; before its first turn
 * its kind may be made another. Returns 0 or SEG_ERR_NOMEM. */
int turn_new(struct view **ret, const char *app,
             const struct connection_options *redis, const struct feed *feed);
void turn_free(struct view *view);

/* One turn: take what is new, at most waiting WAIT_MS for it, and bring Redis
 * forward as far as it goes at once. NOW_MS is the wall. */
void turn(struct view *view, int64_t now_ms, int wait_ms);

/* Whether Redis has everything that was read from the topic. */
int turn_idle(const struct view *view);

/* ---- mirror.c ----------------------------------------------------------- */

/* Start all over with MIRROR at DUE_MS: what stands in Redis is not known. */
void mirror_look(struct view *view, struct mirror *mirror, int64_t now_ms,
                 int64_t due_ms);

/* What stands in Redis is of no use: rebuild. MIRROR's marker must be known. */
void mirror_begin(struct view *view, struct mirror *mirror, int64_t now_ms,
                  const char *why);

/* Redis has all changes below POSITION: follow from there. The marker says so
 * already. */
void mirror_tail(struct view *view, struct mirror *mirror, int64_t position);

/* Empty MIRROR's own link, guarded by its marker. */
struct link *mirror_link(struct mirror *mirror);

/* Empty MIRROR's link, if it has one under way. */
void mirror_unlink(struct view *view, struct mirror *mirror);

/* The mirror of PARTITION, or NULL. */
struct mirror *mirror_find(const struct view *view, int partition);

/* Have mirrors of the COUNT partitions at OWNED, ascending, and no others.
 * Returns 0 or SEG_ERR_NOMEM, with all as it was. */
int mirror_replace(struct view *view, const int *owned, size_t count,
                   int64_t now_ms);

#endif
