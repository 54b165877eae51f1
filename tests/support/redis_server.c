/* redis_server.c: fork, exec, poll until it answers. */
#include "tests/support/redis_server.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static void give_up(const char *what)
{
    fprintf(stderr, "redis-server: %s\n", what);
    abort();
}

static void launch(struct redis_server *server)
{
    server->pid = fork();
    if (server->pid < 0)
        give_up("cannot fork");
    if (server->pid)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen("/dev/null", "w", stdout))
        _exit(127);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
           server->socket, "--dir", server->folder, "--save", "",
           "--appendonly", "no", "--enable-debug-command", "yes", (char *)NULL);
    _exit(127);
}

static void connect_client(struct redis_server *server)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 5) {
        server->client = redisConnectUnix(server->socket);
        if (server->client && !server->client->err)
            return;
        redisFree(server->client);
        server->client = NULL;
        poll(NULL, 0, 5);
    }
    give_up("does not answer");
}

void redis_server_start(struct redis_server *server)
{
    snprintf(server->folder, sizeof(server->folder),
             "/tmp/segmentd-redis-XXXXXX");
    if (!mkdtemp(server->folder))
        give_up("no folder");
    snprintf(server->socket, sizeof(server->socket), "%s/socket",
             server->folder);
    launch(server);
    connect_client(server);
}

void redis_server_kill(struct redis_server *server)
{
    redisFree(server->client);
    server->client = NULL;
    if (!server->pid)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
    unlink(server->socket);
}

void redis_server_restart(struct redis_server *server)
{
    redis_server_kill(server);
    launch(server);
    connect_client(server);
}

void redis_server_end(struct redis_server *server)
{
    redis_server_kill(server);
    rmdir(server->folder);
}

static redisReply *ask(struct redis_server *server, const char *format,
                       va_list args)
{
    redisReply *reply = redisvCommand(server->client, format, args);
    if (!reply)
        give_up(server->client->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        give_up(reply->str);
    return reply;
}

redisReply *redis_server_ask(struct redis_server *server, const char *format,
                             ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(server, format, args);
    va_end(args);
    return reply;
}

void redis_server_do(struct redis_server *server, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    freeReplyObject(ask(server, format, args));
    va_end(args);
}

void redis_server_start_sleep(struct redis_server *server, const char *seconds)
{
    int done = 0;
    redisAppendCommand(server->client, "DEBUG SLEEP %s", seconds);
    while (!done)
        if (redisBufferWrite(server->client, &done) != REDIS_OK)
            give_up(server->client->errstr);
}

void redis_server_end_sleep(struct redis_server *server)
{
    void *reply;
    if (redisGetReply(server->client, &reply) != REDIS_OK)
        give_up(server->client->errstr);
    freeReplyObject(reply);
}
