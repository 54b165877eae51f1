/* loop.h: the event loop of the main thread (libevent).
 *
 * Signals, timers, HTTP, and whatever other threads post here. All functions
 * belong to the thread that runs the loop, except loop_post. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdint.h>

struct event_base;
struct loop;
struct loop_timer;

/* Returns 0, SEG_ERR_NOMEM or SEG_ERR_LIMIT. */
int loop_open(struct loop **ret);

/* Ends timers and signals with it; what is still posted runs. */
void loop_free(struct loop *loop);

/* Run until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Run FN in the loop. Any thread. Returns as mailbox_post: when it is refused
 * FN will not be called. */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Call FN every INTERVAL_MS from now on, until the loop or the timer ends.
 * Returns 0 or SEG_ERR_NOMEM. RET may be NULL. */
int loop_every(struct loop *loop, int64_t interval_ms, void (*fn)(void *arg),
               void *arg, struct loop_timer **ret);

/* Call FN once in DELAY_MS; the timer is still to be ended by the caller. */
int loop_after(struct loop *loop, int64_t delay_ms, void (*fn)(void *arg),
               void *arg, struct loop_timer **ret);
void loop_timer_free(struct loop_timer *timer);

/* Call FN in the loop when signal NUMBER came. Returns 0 or SEG_ERR_NOMEM. */
int loop_signal(struct loop *loop, int number,
                void (*fn)(void *arg, int number), void *arg);

/* For daemon/http. */
struct event_base *loop_base(struct loop *loop);

#endif
