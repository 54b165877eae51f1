/* render.h: answers as JSON and as text.
 *
 * Takes libseg's types and plain values only. Every function returns a heap
 * string to free(), terminated, or NULL when memory ran out. Instants are
 * written as 2026-01-31T12:00:00.000Z, null where there is none. */
#ifndef HTTP_RENDER_H
#define HTTP_RENDER_H

#include <seg/catalogue.h>
#include <seg/engine.h>
#include <seg/query.h>

/* {"error": MESSAGE} */
char *render_error(const char *message);

/* {"catalogue", "before", "segments": COUNT, "said": what was said of the
 * files} */
char *render_reloaded(const struct seg_catalogue *catalogue, const char *before,
                      const char *said);

/* {"error", "catalogue": the one that stays, "said"} */
char *render_not_reloaded(const struct seg_catalogue *catalogue,
                          const char *said);

/* {"resumed": INPUTS} */
char *render_resumed(int inputs);

/* What was found: a user of the engine of a partition. */
struct render_user {
    const struct seg_catalogue *catalogue; /* Of the engine. */
    const struct seg_engine *engine;
    const struct seg_user *user;
    int partition;
};

/* {"user", "partition", "catalogue", "clock", "account", "seq", "trigger_seq",
 *  "last_change_at", "next_due_at", "bytes",
 *  "memberships": [{"segment", "title", "entered_at"}],
 *  "attributes": {"user": {…}, "account": {…}}} */
char *render_user(const struct render_user *found);

/* Why the user is in segment SEGMENT (an index; below 0: each of them) or not:
 * {"user", "partition", "catalogue", "clock", "segments": [
 *   {"key", "title", "shadow", "member", "entered_at", "text", "tree":
 *     {"condition", "holds": true | false | null if unknown, "value", "needed",
 *      "events": [INSTANT] of the value, newest first, "more_events",
 *      "changes_at", "children": […]}}]}
 * Besides: of a comparison "other", of a sequence "steps": {"of", "matched",
 * "matched_at", "due_at"}, of `in segment` "member_since", while it is not
 * known "observed_since", "decides_at". */
char *render_explain(const struct render_user *found, int segment);

/* The same as people read it: `key: in since …`, then the tree. */
char *render_explain_text(const struct render_user *found, int segment);

struct owners_question;

/* What an answer is about: partitions here, of all; who has the rest (may be
 * NULL). It begins with {"catalogue", "partitions": {"here", "total"},
 * "complete", "others": null or [URL] that have the rest. */
struct render_here {
    int here, total;
    const struct owners_question *others;
};

struct names;

/* ... "since", "full": names were left out, "events": [NAME], sorted}. */
char *render_events(const struct seg_catalogue *catalogue,
                    const struct names *names, const struct render_here *here);

struct render_backfill {
    int partition;
    const char *step, *reason; /* REASON may be NULL. */
    int64_t read, remaining;
};

/* All segments with their sizes. */
struct render_sizes {
    const struct seg_catalogue *catalogue;
    const int64_t *members;                  /* By index. */
    const struct render_backfill *backfills; /* That are not done. */
    int backfill_count;
};

/* ... "backfills": [{"partition", "step", "reason", "read", "remaining"}],
 * "segments": [{"key", "title", "owner", "tags", "docs", "condition", "shadow",
 * "members"}]}. */
char *render_segments(const struct render_sizes *sizes,
                      const struct render_here *here);

struct render_member {
    struct seg_text id;
    int partition;
    int64_t entered_at_ms;
    uint32_t seq; /* Changes of the user so far. */
};

struct cursor_position;

/* One page of the members of a segment. */
struct render_members {
    const char *segment, *catalogue, *app;
    const struct render_member *members;
    size_t count;
    const char *next; /* NULL: this is the last page. */
    /* Of the last page: the partitions that were read. */
    const struct cursor_position *positions;
    int position_count, partition_count;
};

/* {"segment", "catalogue", "members": [{"user", "partition", "entered_at",
 *  "seq"}], "next": NEXT or null, "follow": null or, on the last page,
 * {"topic", "complete", "partitions", "positions": [{"partition", "offset"}]}}
 */
char *render_members(const struct render_members *page);

struct render_partition {
    int partition;
    const char *state, *reason;
};

/* {"ready", "reason", "partitions": [{"partition", "state", "reason"}]} of
 * COUNT partitions that are not running. */
char *render_ready(int ready, const char *reason,
                   const struct render_partition *partitions, int count);

struct owners_process;

/* {"error", "partition": number or null, "owner": URL or null, "owners": [URL]}
 * of COUNT processes; PARTITION is negative if it is not known. */
char *render_elsewhere(const char *error, int partition,
                       const struct owners_process *processes, int count);

#endif
