/* link.c: filling, sending and answering links.
 *
 * The call on the wire, with two guards and the steps put, drop, clear:
 *
 *   EVALSHA sha 5  m1 m2 user1 user2 user3            KEYS: markers, a key a
 * step 2  guard1 guard2  next             ARGV segment entered_at   segment ""
 * "" ""
 *
 * A segment's key is never empty, so an empty one can mean the whole user. */
#include "daemon/redis/link.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/protocol/mutation.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"

#ifdef PROTOCOL_MUTATIONS
#define UNLESS_ANY " and ARGV[i + 1] ~= '*'"
#else
#define UNLESS_ANY ""
#endif

static const char SCRIPT[] =
    "local guards = tonumber(ARGV[1])\n"
    "for i = 1, guards do\n"
    "  local at = redis.call('GET', KEYS[i]) or ''\n"
    "  if at ~= ARGV[i + 1]" UNLESS_ANY " then return at end\n"
    "end\n"
    "local at = guards + 3\n"
    "for i = guards + 1, #KEYS do\n"
    "  local segment, entered = ARGV[at], ARGV[at + 1]\n"
    "  if segment == '' then redis.call('DEL', KEYS[i])\n"
    "  elseif entered == '' then redis.call('HDEL', KEYS[i], segment)\n"
    "  else redis.call('HSET', KEYS[i], segment, entered) end\n"
    "  at = at + 2\n"
    "end\n"
    "redis.call('SET', KEYS[1], ARGV[guards + 2])\n"
    "return 1\n";

static const struct {
    const char *user, *marker;
} names[] = {
    [LINK_MEMBERSHIPS] = {"user", "position"},
    [LINK_TRAITS] = {"traits", "traits-position"},
};

void link_init(struct link *link, const char *app, enum link_kind kind)
{
    memset(link, 0, sizeof(*link));
    link->app = app;
    link->kind = kind;
    buf_init(&link->bytes);
}

void link_done(struct link *link)
{
    buf_done(&link->bytes);
    free(link->keys);
    free(link->values);
    free(link->guards);
    link_init(link, link->app, link->kind);
}

void link_reset(struct link *link)
{
    buf_reset(&link->bytes);
    link->key_count = link->value_count = link->guard_count = 0;
    link->next.text[0] = 0;
    link->failed = 0;
}

size_t link_user_prefix(char *out, size_t size, const char *app)
{
    return (size_t)snprintf(out, size, "%s:user:", app);
}

void link_marker_key(char *out, size_t size, const char *app,
                     enum link_kind kind, int partition)
{
    snprintf(out, size, "%s:%s:%d", app, names[kind].marker, partition);
}

/* ---- filling ----------------------------------------------------------- */

/* What was written to the bytes since AT is another word of *WORDS. */
static void add_word(struct link *link, struct link_word **words, size_t *count,
                     size_t *cap, size_t at)
{
    if (buf_failed(&link->bytes) ||
        alloc_grow((void **)words, cap, *count + 1, sizeof(**words)) < 0) {
        link->failed = 1;
        return;
    }
    (*words)[(*count)++] = (struct link_word){at, link->bytes.len - at};
}

static void add_key(struct link *link, size_t at)
{
    add_word(link, &link->keys, &link->key_count, &link->key_cap, at);
}

static void add_value(struct link *link, size_t at)
{
    add_word(link, &link->values, &link->value_count, &link->value_cap, at);
}

void link_guard(struct link *link, int partition,
                const struct link_marker *expected)
{
    size_t at = link->bytes.len;
    assert(!link->value_count);
    if (alloc_grow((void **)&link->guards, &link->guard_cap,
                   link->guard_count + 1, sizeof(*link->guards)) < 0) {
        link->failed = 1;
        return;
    }
    link->guards[link->guard_count++] = *expected;
    buf_printf(&link->bytes, "%s:%s:%d", link->app, names[link->kind].marker,
               partition);
    add_key(link, at);
}

static void add_user(struct link *link, struct seg_text user)
{
    size_t at = link->bytes.len;
    assert(link->guard_count);
    buf_str(&link->bytes, link->app);
    buf_printf(&link->bytes, ":%s:", names[link->kind].user);
    buf_text(&link->bytes, user);
    add_key(link, at);
}

void link_put(struct link *link, struct seg_text user, struct seg_text segment,
              int64_t entered_at_ms)
{
    add_user(link, user);
    size_t at = link->bytes.len;
    buf_text(&link->bytes, segment);
    add_value(link, at);
    at = link->bytes.len;
    buf_int(&link->bytes, entered_at_ms);
    add_value(link, at);
}

void link_set(struct link *link, struct seg_text user, struct seg_text trait,
              struct seg_text value)
{
    add_user(link, user);
    size_t at = link->bytes.len;
    buf_text(&link->bytes, trait);
    add_value(link, at);
    at = link->bytes.len;
    buf_text(&link->bytes, value);
    add_value(link, at);
}

void link_drop(struct link *link, struct seg_text user, struct seg_text segment)
{
    add_user(link, user);
    size_t at = link->bytes.len;
    buf_text(&link->bytes, segment);
    add_value(link, at);
    add_value(link, link->bytes.len);
}

void link_clear(struct link *link, struct seg_text user)
{
    add_user(link, user);
    add_value(link, link->bytes.len);
    add_value(link, link->bytes.len);
}

size_t link_steps(const struct link *link)
{
    return link->value_count / 2;
}

/* ---- sending ----------------------------------------------------------- */

/* Words of a call under construction. */
struct call {
    const char **argv;
    size_t *lens;
    int argc;
};

static void add(struct call *call, const char *bytes, size_t len)
{
    /* hiredis may not be given NULL, not even with length 0. */
    call->argv[call->argc] = len ? bytes : "";
    call->lens[call->argc++] = len;
}

static void add_words(struct call *call, const struct link *link,
                      const struct link_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(call, link->bytes.bytes + words[i].at, words[i].len);
}

int link_send(const struct link *link, struct link_script *script,
              struct connection *connection)
{
    size_t most = 5 + link->key_count + link->guard_count + link->value_count;
    struct call call = {
        .argv = malloc(most * sizeof(*call.argv)),
        .lens = malloc(most * sizeof(*call.lens)),
    };
    char keys[24], guards[24];
    assert(!link->failed && link->guard_count && *script->sha);
    int got = call.argv && call.lens ? 0 : SEG_ERR_NOMEM;
    if (got == 0) {
        if (script->missing)
            add(&call, "EVAL", 4), add(&call, SCRIPT, sizeof(SCRIPT) - 1);
        else
            add(&call, "EVALSHA", 7), add(&call, script->sha, 40);
        script->missing = 0;
        add(&call, keys,
            (size_t)snprintf(keys, sizeof(keys), "%zu", link->key_count));
        add_words(&call, link, link->keys, link->key_count);
        add(&call, guards,
            (size_t)snprintf(guards, sizeof(guards), "%zu", link->guard_count));
        for (size_t i = 0; i < link->guard_count; i++) {
            const char *guard =
                MUTATED(REDIS_MARKER_IGNORED) ? "*" : link->guards[i].text;
            add(&call, guard, strlen(guard));
        }
        add(&call, link->next.text, strlen(link->next.text));
        add_words(&call, link, link->values, link->value_count);
        connection_call(connection, call.argc, call.argv, call.lens);
    }
    free(call.argv);
    free(call.lens);
    return got;
}

/* ---- answers ----------------------------------------------------------- */

int link_script_ready(struct link_script *script, struct connection *connection,
                      int64_t now_ms)
{
    redisReply *reply;
    if (*script->sha)
        return 1;
    connection_call(connection, 3, (const char *[]){"SCRIPT", "LOAD", SCRIPT},
                    NULL);
    if (connection_answer(connection, now_ms, &reply) != CONNECTION_OK ||
        reply->type != REDIS_REPLY_STRING || strlen(reply->str) != 40)
        return 0;
    memcpy(script->sha, reply->str, 41);
    return 1;
}

int link_marker_take(struct link_marker *marker, const redisReply *reply)
{
    int fits = reply->type == REDIS_REPLY_STRING &&
               reply->len < sizeof(marker->text) &&
               strlen(reply->str) == reply->len;
    snprintf(marker->text, sizeof(marker->text), "%s", fits ? reply->str : "");
    return fits || reply->type == REDIS_REPLY_NIL;
}

int link_answer(const struct link *link, struct link_script *script,
                struct connection *connection, int64_t now_ms,
                struct link_marker *where)
{
    redisReply *reply;
    switch (connection_answer(connection, now_ms, &reply)) {
    case CONNECTION_OK:
        break;
    case CONNECTION_NO_SCRIPT:
        script->missing = 1;
        return LINK_AGAIN;
    case CONNECTION_WRONG_TYPE:
        return LINK_WRONG_TYPE;
    default:
        return LINK_WAIT;
    }
    connection_worked(connection);
    if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1)
        return LINK_DONE;
    link_marker_take(where, reply);
    /* Applied before, its answer was lost. */
    if (link->guard_count == 1 && !strcmp(where->text, link->next.text))
        return LINK_DONE;
    return LINK_ELSEWHERE;
}
