/* watchdog.h: whether the threads that must turn still turn.
 *
 * A worker has a mark: one atomic instant, written by the worker and read by
 * the main thread. It says when the worker last turned, or since when it has
 * been inside a call of librdkafka that may wait for brokers:
 *
 *        turn       enter               leave      turn
 *     ----+-----------+===================+----------+----
 *          at most       at most             at most
 *          TURN_MS       CALL_MS             TURN_MS
 *
 * A turn is bounded work and lasts milliseconds; a call may last as long as an
 * outage of the brokers does, and being killed for that would help nobody. Who
 * exceeds his limit hangs: a deadlock, an endless loop, a disk that does not
 * answer a page fault.
 *
 * As long as nobody hangs systemd is fed (WATCHDOG=1, systemd.service(5)); when
 * it is not fed for WatchdogSec it kills the process and starts it again. The
 * feeding stands in the loop of the main thread: should that hang, it ends too.
 */
#ifndef BASE_WATCHDOG_H
#define BASE_WATCHDOG_H

#include <stdint.h>

#define WATCHDOG_TURN_MS 10000  /* A turn takes milliseconds ... */
#define WATCHDOG_CALL_MS 300000 /* ... a call up to its time-out, seconds. */

struct loop;
struct metric_process;
struct watchdog;

/* Zeroed: nobody is watched. It must not move while it is added. */
struct watchdog_mark {
    _Atomic int64_t instant; /* 0: not watched; negative: of a call's begin. */
    int number;              /* For the log. */
    struct watchdog_mark *next, **link;
};

/* Feed systemd from LOOP, if it waits for that (WATCHDOG_USEC, WATCHDOG_PID),
 * and write METRICS->hung_workers; both are borrowed. Returns 0 or
 * SEG_ERR_NOMEM. */
int watchdog_open(struct watchdog **ret, struct loop *loop,
                  struct metric_process *metrics);

/* All marks are taken out before. NULL: nothing. */
void watchdog_close(struct watchdog *watchdog);

/* Watch MARK (borrowed), of worker NUMBER, from its first turn on. The thread
 * of LOOP; WATCHDOG may be NULL. */
void watchdog_add(struct watchdog *watchdog, struct watchdog_mark *mark,
                  int number);
void watchdog_remove(struct watchdog_mark *mark);

/* ---- for the thread that is watched; a MARK of NULL is nobody's ---------- */

/* It turns, or is back from a call. */
void watchdog_turn(struct watchdog_mark *mark);

/* It goes into a call that may wait for brokers, until it turns. Calls are not
 * nested. */
void watchdog_enter(struct watchdog_mark *mark);

/* It ends, and is watched no longer. */
void watchdog_end(struct watchdog_mark *mark);

/* ---- for the other ------------------------------------------------------- */

/* For how long MARK has been where it is at NOW_MS (clock_monotonic_ms) if that
 * is longer than it may, else 0. */
int64_t watchdog_hangs_ms(const struct watchdog_mark *mark, int64_t now_ms);

/* Look at all marks at once, and feed systemd if nobody hangs. Returns how many
 * hang. */
int watchdog_look(struct watchdog *watchdog);

#endif
