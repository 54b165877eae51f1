/* view.h: memberships in Redis, as the change topic has them.
 *
 *   <app>:user:<id>        HASH   segment -> entered_at, ms since 1970 UTC
 *   <app>:position:<p>     STRING the marker of partition p
 *   <app>:heartbeat        STRING wall in ms, with a time to live: renewed
 * while every partition of this process is up to date
 *
 * A thread of its own follows <app>.changes of the partitions that this
 * process owns, and sends what is new to Redis in links (link.h): many changes
 * in one call, applied if the marker is where we left it. It can be late, stand
 * still or start over; Kafka processing never waits for it.
 *
 * WHY IT CONVERGES, whatever is lost. A number m as marker of p says:
 *
 *     (M)  every membership of p whose last change stands below offset m of
 *          the change topic is in Redis as that change left it.
 *
 * Changes hold absolute values, so following the topic from m on mends all
 * other memberships, whatever they were: at the end of the topic everything is
 * right. What writes to Redis keeps (M), one atomic step at a time:
 *
 *   - a link of changes m..n is applied only where the marker is m; then n.
 *   - a rebuild (rebuild.h) ends with the position that goes with the first of
 *     the engine states it wrote: later changes are followed, earlier ones were
 *     in the engine. It counts only if its links form an unbroken chain, for
 *     which its markers are R<random>.<n>: they say nothing, that is (M) too.
 *
 * What happens to Redis keeps (M) as well, or is seen by the next link, which
 * comes within a second also when nothing changes:
 *
 *   restarted empty, FLUSHALL, wiped    no marker: rebuild
 *   older copy, fail-over that lost     marker and memberships are as old as
 *     writes                            each other: follow from there; if the
 *                                       topic no longer reaches back: rebuild
 *   marker ahead of the topic           somebody else's server: rebuild
 *   a key of another type               the link fails: rebuild
 *   the same link twice                 the marker has moved: nothing is done
 *   two views of one partition (a       each link moves the marker from where
 *     zombie and its successor)         its writer believes it is: the loser
 *                                       follows from where the winner is. Both
 *                                       write the same changes, so who wins
 *                                       does not matter
 *   away, busy, full, read-only         the link waits, and is sent again
 *
 * A second view, with a thread of its own, does the same with the traits topic,
 * if there are any:
 *
 *   <app>:traits:<id>           HASH   trait -> value, as JSON
 *   <app>:traits-position:<p>   STRING the marker
 *
 * That topic is compacted and each record replaces the whole hash of its user,
 * so (M) holds for any position from which it was followed; a rebuild is to
 * follow it from its beginning. It does not beat.
 *
 * What is not seen: single user hashes changed by hand or evicted. Redis must
 * run with maxmemory-policy noeviction. */
#ifndef REDIS_VIEW_H
#define REDIS_VIEW_H

#include <stdint.h>

struct conf;
struct metrics;
struct view;
struct workers;

/* All borrowed until view_free. */
struct view_options {
    const struct conf *conf; /* With a redis address. */
    const char *bootstrap;   /* Wins over kafka { }; NULL: as said there. */
    struct metrics *metrics;
    struct workers *workers; /* Borrowed until view_stop only. */
    int traits;              /* Of traits, not of memberships. */
};

/* Start the thread. Redis need not be there. Returns 0; SEG_ERR_NOMEM,
 * SEG_ERR_INVALID (logged). */
int view_open(struct view **ret, const struct view_options *options);

/* End the thread; takes as long as the call to Redis or Kafka that is under
 * way, some seconds at most. Nothing is written on the way out: the next one to
 * follow begins at the marker. NULL: nothing. */
void view_stop(struct view *view);

/* Stop and free VIEW (may be NULL). Workers may still hold closures of it. */
void view_free(struct view *view);

#endif
