/* redis_server.h: a real redis-server of a test's own.
 *
 * It listens on a socket in a new folder under /tmp, keeps nothing on the disk,
 * and dies with the process that started it, however that ends. */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include <sys/types.h>

#include <hiredis/hiredis.h>

struct redis_server {
    char folder[64];
    char socket[96];
    pid_t pid;
    redisContext *client; /* The test's own connection, connected. */
};

/* Start one and connect; returns when it answers. Aborts when it does not. */
void redis_server_start(struct redis_server *server);

/* kill -9, and start again: empty. */
void redis_server_restart(struct redis_server *server);

/* kill -9 only; for redis_server_restart to bring it back. */
void redis_server_kill(struct redis_server *server);

/* End it and remove its folder. */
void redis_server_end(struct redis_server *server);

/* A command as of redisCommand, which must not fail. The caller frees it. */
redisReply *redis_server_ask(struct redis_server *server, const char *format,
                             ...);

/* The same, its answer thrown away. */
void redis_server_do(struct redis_server *server, const char *format, ...);

/* Let the server sleep for SECONDS and answer nobody; returns at once. And wait
 * until it has woken up. */
void redis_server_start_sleep(struct redis_server *server, const char *seconds);
void redis_server_end_sleep(struct redis_server *server);

#endif
