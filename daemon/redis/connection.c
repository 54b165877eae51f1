/* connection.c: hiredis 0.14, with time limits and a temper for errors. */
#include "daemon/redis/connection.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "lib/base/buf.h"

#include <seg/error.h>

struct connection {
    struct connection_options options;
    redisContext *context; /* NULL: not connected. */
    redisReply *reply;     /* The last one. */
    uint64_t number;
    int64_t pause_ms;    /* The next one. */
    int64_t retry_ms;    /* No attempt before this instant. */
    const char *trouble; /* What was logged last; NULL: all is well. */
    int used;            /* It worked once. */
};

/* What the errors of Redis mean to us. In Redis before 7 the word of an error
 * inside a script stands further on in the text, so it is searched for. */
static const struct word {
    const char *word;
    int answer;
    int must_act; /* It will not pass by itself. */
} words[] = {
    {"NOSCRIPT", CONNECTION_NO_SCRIPT, 0},
    {"WRONGTYPE", CONNECTION_WRONG_TYPE, 0},
    {"LOADING", CONNECTION_WAIT, 0},
    {"MISCONF", CONNECTION_WAIT, 0},
    {"OOM", CONNECTION_WAIT, 0},
    {"READONLY", CONNECTION_WAIT, 0},
    {"MASTERDOWN", CONNECTION_WAIT, 0},
    {"NOREPLICAS", CONNECTION_WAIT, 0},
    {"BUSY", CONNECTION_WAIT, 0},
    {"TRYAGAIN", CONNECTION_WAIT, 0},
    {"CLUSTERDOWN", CONNECTION_WAIT, 0},
    {"NOAUTH", CONNECTION_WAIT, 1},
    {"WRONGPASS", CONNECTION_WAIT, 1},
    {"invalid password", CONNECTION_WAIT, 1}, /* Redis before 6. */
    {"NOPERM", CONNECTION_WAIT, 1},
    {"MOVED", CONNECTION_WAIT, 1},
    {"ASK ", CONNECTION_WAIT, 1},
    {"CROSSSLOT", CONNECTION_WAIT, 1},
    {"", CONNECTION_WAIT, 1}, /* Anything else. */
};

static const struct word *find_word(const char *text)
{
    const struct word *word = words;
    while (!strstr(text, word->word))
        word++;
    return word;
}

int connection_new(struct connection **ret,
                   const struct connection_options *options)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return SEG_ERR_NOMEM;
    connection->options = *options;
    connection->pause_ms = CONNECTION_PAUSE_MIN_MS;
    *ret = connection;
    return 0;
}

static void hang_up(struct connection *connection)
{
    if (connection->reply)
        freeReplyObject(connection->reply);
    if (connection->context)
        redisFree(connection->context);
    connection->reply = NULL;
    connection->context = NULL;
}

void connection_free(struct connection *connection)
{
    if (connection)
        hang_up(connection);
    free(connection);
}

uint64_t connection_number(const struct connection *connection)
{
    return connection->number;
}

/* Hang up because of TEXT, and do not try again for a while. Said once per
 * kind of trouble, which WORD is a sign of. */
static int give_up(struct connection *connection, int64_t now_ms,
                   const struct word *word, const char *text)
{
    const char *kind = word ? word->word : "away";
    if (!connection->trouble || strcmp(connection->trouble, kind)) {
        log_line(
            word && word->must_act ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
            "redis cannot be used, readers see old memberships until it can",
            "address=\"%s\" reason=\"%s\"", connection->options.host, text);
        connection->trouble = kind;
    }
    connection->retry_ms = now_ms + connection->pause_ms;
    connection->pause_ms *= 2;
    if (connection->pause_ms > CONNECTION_PAUSE_MAX_MS)
        connection->pause_ms = CONNECTION_PAUSE_MAX_MS;
    hang_up(connection);
    return CONNECTION_WAIT;
}

void connection_call(struct connection *connection, int argc, const char **argv,
                     const size_t *lens)
{
    assert(connection->context);
    /* Without memory the context is in error: the answer will tell. */
    redisAppendCommandArgv(connection->context, argc, argv, lens);
}

int connection_answer(struct connection *connection, int64_t now_ms,
                      redisReply **reply)
{
    void *got = NULL;
    assert(connection->context);
    if (connection->reply)
        freeReplyObject(connection->reply);
    connection->reply = NULL;
    if (redisGetReply(connection->context, &got) != REDIS_OK) {
        char text[sizeof(connection->context->errstr)];
        memcpy(text, connection->context->errstr, sizeof(text));
        return give_up(connection, now_ms, NULL, text);
    }
    connection->reply = got;
    if (connection->reply->type != REDIS_REPLY_ERROR) {
        *reply = connection->reply;
        return CONNECTION_OK;
    }
    const struct word *word = find_word(connection->reply->str);
    if (word->answer != CONNECTION_WAIT)
        return word->answer;
    char text[256];
    snprintf(text, sizeof(text), "%s", connection->reply->str);
    return give_up(connection, now_ms, word, text);
}

/* One call of terminated WORDS, the last one NULL, and its answer. */
static int ask(struct connection *connection, int64_t now_ms,
               const char **ask_words)
{
    redisReply *reply;
    int argc = 0;
    while (ask_words[argc])
        argc++;
    connection_call(connection, argc, ask_words, NULL);
    return connection_answer(connection, now_ms, &reply) == CONNECTION_OK;
}

/* Who we are, and which database we mean. PING finds out what AUTH may have
 * left unsaid: a server that wants a password, or is still loading. */
static int greet(struct connection *connection, int64_t now_ms)
{
    const struct connection_options *o = &connection->options;
    char database[24];
    snprintf(database, sizeof(database), "%" PRId64, o->database);
    if (*o->user && !ask(connection, now_ms,
                         (const char *[]){"AUTH", o->user, o->password, NULL}))
        return 0;
    if (!*o->user && *o->password &&
        !ask(connection, now_ms, (const char *[]){"AUTH", o->password, NULL}))
        return 0;
    if (o->database &&
        !ask(connection, now_ms, (const char *[]){"SELECT", database, NULL}))
        return 0;
    return ask(connection, now_ms, (const char *[]){"PING", NULL});
}

static redisContext *dial(const struct connection_options *options)
{
    struct timeval limit = {.tv_sec = options->timeout_ms / 1000,
                            .tv_usec = options->timeout_ms % 1000 * 1000};
    redisContext *context =
        options->port < 0
            ? redisConnectUnixWithTimeout(options->host, limit)
            : redisConnectWithTimeout(options->host, options->port, limit);
    if (context && !context->err &&
        redisSetTimeout(context, limit) == REDIS_OK && options->port >= 0)
        redisEnableKeepAlive(context);
    return context;
}

int connection_ready(struct connection *connection, int64_t now_ms)
{
    if (connection->context)
        return 1;
    if (now_ms < connection->retry_ms)
        return 0;
    connection->context = dial(&connection->options);
    if (!connection->context || connection->context->err) {
        char text[128] = "out of memory";
        if (connection->context)
            snprintf(text, sizeof(text), "%s", connection->context->errstr);
        give_up(connection, now_ms, NULL, text);
        return 0;
    }
    if (!greet(connection, now_ms)) {
        /* An answer that is no reason to wait is none to go on either. */
        if (connection->context)
            give_up(connection, now_ms, &words[0], "unexpected answer");
        return 0;
    }
    connection->number++;
    return 1;
}

void connection_worked(struct connection *connection)
{
    connection->pause_ms = CONNECTION_PAUSE_MIN_MS;
    if (connection->trouble || !connection->used)
        log_info("redis is in use", "address=\"%s\"", connection->options.host);
    connection->trouble = NULL;
    connection->used = 1;
}
