/* connection.h: one connection to Redis, synchronous, that comes back by
 * itself.
 *
 * Whoever uses it asks connection_ready first; while that says no, Redis is
 * away, or cannot be used, and there is nothing to do but wait. Calls are
 * appended, as many as one likes, and answered in order:
 *
 *     if (!connection_ready(c, now))
 *         return;
 *     connection_call(c, 2, (const char *[]){"GET", key}, NULL);
 *     switch (connection_answer(c, now, &reply)) ...
 *
 * After CONNECTION_WAIT nothing is known of the calls that were not answered,
 * and nobody will answer them: the connection is closed and made again after a
 * pause that grows from CONNECTION_PAUSE_MIN_MS to CONNECTION_PAUSE_MAX_MS
 * until the user says connection_worked: a server may well answer PING, and
 * refuse to write. That is the reaction to all of these alike, told apart in
 * the log only:
 *
 *   away     no connection, no answer in time, connection closed
 *   unable   -LOADING -MISCONF -OOM -READONLY -MASTERDOWN -BUSY ...: it will
 *            pass, or the next connection reaches another server
 *   refused  -NOAUTH -WRONGPASS -NOPERM -MOVED ...: somebody must act
 *
 * One thread. Redis without TLS; RESP2. */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#define CONNECTION_PAUSE_MIN_MS 100
#define CONNECTION_PAUSE_MAX_MS 5000

struct connection;

/* All borrowed, for as long as the connection lives. */
struct connection_options {
    const char *host; /* Or, with port -1, the path of a socket. */
    int port;
    const char *user;     /* "": the default user. */
    const char *password; /* "": none needed. */
    int64_t database;
    int64_t timeout_ms; /* For connecting, and for each answer. */
};

enum connection_answer {
    CONNECTION_OK,
    CONNECTION_NO_SCRIPT,  /* EVALSHA of a script that is not there. */
    CONNECTION_WRONG_TYPE, /* A key holds another type than ours. */
    CONNECTION_WAIT,       /* See above. */
};

/* Create one that is not connected yet. Returns 0 or SEG_ERR_NOMEM. */
int connection_new(struct connection **ret,
                   const struct connection_options *options);
void connection_free(struct connection *connection);

/* Whether calls can be made at NOW_MS; connects, which takes up to twice the
 * timeout, when that is due. */
int connection_ready(struct connection *connection, int64_t now_ms);

/* How many times it was connected so far: a new number is a new connection,
 * perhaps to another server. */
uint64_t connection_number(const struct connection *connection);

/* Append a call of ARGC words; LENS may be NULL when all are terminated. Words
 * are copied. */
void connection_call(struct connection *connection, int argc, const char **argv,
                     const size_t *lens);

/* The answer to the oldest call that has none, sending first what is not sent.
 *
 * *REPLY is set with CONNECTION_OK only and lives until the next call of this
 * function. NOW_MS is from when on the pause after CONNECTION_WAIT counts. */
int connection_answer(struct connection *connection, int64_t now_ms,
                      redisReply **reply);

/* A write was taken: the trouble, if there was any, is over. */
void connection_worked(struct connection *connection);

#endif
