/* query.h: what an engine knows of one user, and why.
 *
 * A query changes nothing. Texts borrow from the engine or its catalogue until
 * the next call on the engine that is not a query. */
#ifndef SEG_QUERY_H
#define SEG_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include <seg/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One user of an engine; NULL if ID is not known. */
struct seg_user;
const struct seg_user *seg_user_find(const struct seg_engine *engine,
                                     struct seg_text id);

struct seg_user_info {
    struct seg_text id;
    struct seg_text account; /* Id of his account; bytes = NULL if none. */
    uint32_t seq;            /* Changes so far. */
    uint32_t trigger_seq;    /* Triggers so far. */
    int64_t last_change_ms;  /* `at` of the last change; INT64_MIN if none. */
    int64_t next_due_ms;     /* Lower bound; SEG_NEVER. */
    size_t bytes;            /* Of his block. */
};

void seg_user_info(const struct seg_engine *engine, const struct seg_user *user,
                   struct seg_user_info *info);

struct seg_membership {
    int segment; /* Index in the catalogue; at or above its count: of a segment
                    that it does not have any more, until the sweep. */
    struct seg_text key;
    int64_t entered_at_ms;
};

/* The memberships of USER, up to MAX into OUT. Returns how many there are. */
int seg_user_memberships(const struct seg_engine *engine,
                         const struct seg_user *user,
                         struct seg_membership *out, int max);

/* Whether USER is in segment INDEX; *ENTERED_AT_MS (may be NULL) gets since
 * when. */
int seg_user_is_member(const struct seg_engine *engine,
                       const struct seg_user *user, int index,
                       int64_t *entered_at_ms);

struct seg_attribute {
    int account; /* 1: of the account, else of the user. */
    struct seg_text name;
    struct seg_value value;
};

/* Calls EACH with every attribute of USER that is set and visible. */
void seg_user_attributes(
    const struct seg_engine *engine, const struct seg_user *user,
    void (*each)(void *arg, const struct seg_attribute *attribute), void *arg);

/* Call EACH with every trait of USER as it is at the engine's clock, in the order
 * of their names; one that is warming is left out. */
void seg_user_traits(const struct seg_engine *engine,
                     const struct seg_user *user,
                     void (*each)(void *arg, const struct seg_trait *trait),
                     void *arg);

/* Call EACH with users until it returns non-zero, at most MAX of them. *CURSOR
 * is 0 at first and moves on. Returns 1 while there are more, 0 at the end.
 * Everybody known at the first call is seen by the last, even if users are
 * added between calls. */
int seg_engine_users(const struct seg_engine *engine, uint64_t *cursor, int max,
                     int (*each)(void *arg, const struct seg_user *user),
                     void *arg);

/* ---- why ------------------------------------------------------------- */

enum seg_truth { SEG_FALSE = 0, SEG_UNKNOWN = 1, SEG_TRUE = 2 };

/* Instants of events that are told of one predicate. */
#define SEG_REASON_EVENTS_MAX 5

/* A node of the condition as a tree. Children follow their parent. */
struct seg_reason {
    int depth;              /* 0 at the root. */
    int truth;              /* enum seg_truth, now. */
    const char *condition;  /* "all of", "any of", "not", "not until", or the
                               predicate in canonical spelling. */
    struct seg_value value; /* Measured now; SEG_MISSING if nothing. */
    struct seg_value other; /* Of two measures compared: the right one, without
                               its percentage; else SEG_MISSING. */
    const char *needed;     /* "at least 3", "" if there is nothing to say. */
    /* When the events were that make up the value, newest first; of an attribute,
     * when it was written. Of what is kept only as a number (a count ever, a
     * score) nothing is told. */
    int event_count;
    int more_events; /* There are more than these. */
    int written;     /* It is an attribute. */
    int64_t events_ms[SEG_REASON_EVENTS_MAX];
    int64_t changes_at_ms; /* When it may change by time alone; SEG_NEVER. */
    int segment;           /* Of `in segment`: which; else -1. */
    int64_t since_ms;      /* Of `in segment`: since when he is a member;
                               SEG_NEVER if he is none. */
    /* Of a predicate that is unknown, because this user was there before it was
     * observed: since when it is, and when it is decided at the latest
     * (SEG_NEVER: by what he still does, or never). Else SEG_NEVER. */
    int64_t observed_ms, decides_ms;
    /* Of a sequence: how far the events have come that came furthest. */
    int steps;           /* That must be matched; 0: it is no sequence. */
    int matched;         /* Of these. */
    int64_t matched_ms;  /* When the last of them was; SEG_NEVER: there is none,
                            or it holds. */
    int64_t step_due_ms; /* When time alone decides about it: the next one is
                            too late then, or a quiet time over; SEG_NEVER. */
};

struct seg_explanation;

/* Explain whether USER (NULL: a user never seen) is in segment INDEX at the
 * engine's clock. Returns 0 or SEG_ERR_NOMEM. */
int seg_explain(struct seg_explanation **ret, const struct seg_engine *engine,
                const struct seg_user *user, int segment);
void seg_explanation_free(struct seg_explanation *explanation);

int seg_explanation_count(const struct seg_explanation *explanation);
const struct seg_reason *
seg_explanation_at(const struct seg_explanation *explanation, int index);

/* Whether he is a member (as decided last), and since when. */
int seg_explanation_member(const struct seg_explanation *explanation,
                           int64_t *entered_at_ms);

/* The tree as people read it: one line a node, indented. Heap; free(). */
char *seg_explanation_text(const struct seg_explanation *explanation);

#ifdef __cplusplus
}
#endif
#endif
