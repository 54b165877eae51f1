/* link.h: one call to Redis that moves a partition's view forward.
 *
 * The view of a partition in Redis has a *marker*, `<app>:position:<p>`. A link
 * is what is applied together, by one Lua script, so all of it or nothing:
 *
 *     if the marker is what the link expects:
 *         steps: put, drop, clear                 absolute values
 *         the marker becomes the next one
 *     else: tell where it is, and do nothing
 *
 * Links of a partition form a chain, each expecting what the one before left.
 * Whoever else writes, or whatever becomes of Redis, the chain breaks, and that
 * is noticed before anything is written. What markers say: view.h.
 *
 * The memberships of a user are the hash `<app>:user:<id>`, segment ->
 * entered_at in milliseconds since 1970 UTC. His traits are the hash
 * `<app>:traits:<id>`, trait -> value as JSON, with markers of their own,
 * `<app>:traits-position:<p>`.
 *
 * A link is filled, sent, answered; sent again, unchanged, as often as it
 * takes: steps set absolute values, and a link that was applied but whose
 * answer was lost finds the marker where it would have put it, which counts as
 * done. */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include <seg/event.h>

#include "daemon/redis/connection.h"
#include "lib/base/buf.h"

#define LINK_MARKER_BYTES 64 /* Longer ones are none of ours. */

/* A marker; "": there is none. */
struct link_marker {
    char text[LINK_MARKER_BYTES];
};

/* The script as the server knows it. One per connection; zero at first. */
struct link_script {
    char sha[41];
    int missing; /* The server lost it: the next link carries it along. */
};

/* What a view writes, and so the names of its keys. */
enum link_kind { LINK_MEMBERSHIPS, LINK_TRAITS };

struct link {
    const char *app; /* Borrowed. */
    enum link_kind kind;
    struct buf bytes;
    struct link_word {
        size_t at, len;
    } * keys, *values;
    size_t key_count, key_cap;     /* Markers, then one key per step. */
    size_t value_count, value_cap; /* Two per step. */
    struct link_marker *guards;    /* What each marker must be. */
    size_t guard_count, guard_cap;
    struct link_marker next; /* What the first marker becomes. */
    int failed;              /* No memory: the link is of no use. */
};

void link_init(struct link *link, const char *app, enum link_kind kind);
void link_done(struct link *link);
void link_reset(struct link *link);

/* The marker of PARTITION must be EXPECTED. Guards come before the steps; the
 * first one's marker becomes `next`. */
void link_guard(struct link *link, int partition,
                const struct link_marker *expected);

/* USER is in SEGMENT since ENTERED_AT_MS. */
void link_put(struct link *link, struct seg_text user, struct seg_text segment,
              int64_t entered_at_ms);

/* TRAIT of USER is VALUE, which is not empty. */
void link_set(struct link *link, struct seg_text user, struct seg_text trait,
              struct seg_text value);

/* USER is not in SEGMENT. */
void link_drop(struct link *link, struct seg_text user,
               struct seg_text segment);

/* USER is in no segment, or has no traits: the key is removed, whatever its
 * type. */
void link_clear(struct link *link, struct seg_text user);

/* How many steps there are. */
size_t link_steps(const struct link *link);

enum link_answer {
    LINK_DONE,
    LINK_ELSEWHERE,  /* A marker is not as expected. */
    LINK_WRONG_TYPE, /* A key, or a marker, is of another type; nothing but a
                        part of the steps was done. */
    LINK_AGAIN,      /* The server had lost the script: send it again. */
    LINK_WAIT,       /* As CONNECTION_WAIT. */
};

/* Learn the script's name on a new connection. Returns 0 on CONNECTION_WAIT. */
int link_script_ready(struct link_script *script, struct connection *connection,
                      int64_t now_ms);

/* Append the call of LINK. SCRIPT must be ready; LINK must not have failed.
 * Returns 0 or SEG_ERR_NOMEM. */
int link_send(const struct link *link, struct link_script *script,
              struct connection *connection);

/* The answer to LINK, enum link_answer. With LINK_ELSEWHERE *WHERE is the
 * marker that was found; "" if it is none of ours. */
int link_answer(const struct link *link, struct link_script *script,
                struct connection *connection, int64_t now_ms,
                struct link_marker *where);

/* Take REPLY, what GET says of a marker. Returns 1; or 0 if that is none of
 * ours, for its type, its length or a zero byte: MARKER is "" then. */
int link_marker_take(struct link_marker *marker, const redisReply *reply);

/* `<app>:user:<id>` without its id; written to the SIZE bytes at OUT. Returns
 * its length. */
size_t link_user_prefix(char *out, size_t size, const char *app);

/* `<app>:position:<PARTITION>`, or that of KIND. */
void link_marker_key(char *out, size_t size, const char *app,
                     enum link_kind kind, int partition);

#endif
