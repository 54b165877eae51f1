/* plan.h: what `segmentctl plan` found, for the files that print it.
 *
 *   plan.c         the command line, and who is asked what
 *   plan_events.c  users of a file of events, by both catalogues
 *   plan_now.c     members as a running segmentd has them
 *   plan_state.c   users as they stand in the state topic
 *   plan_text.c    all of it for people      plan_json.c  for programs */
#ifndef CTL_PLAN_H
#define CTL_PLAN_H

#include <seg/seg.h>

#include "daemon/ctl/ask.h"
#include "daemon/kafka/client.h"
#include "lib/base/intern.h"

#define PLAN_UNKNOWN (-1)

/* A segment of one of the catalogues, or of both. */
struct plan_segment {
    const struct seg_difference *difference;
    int was_shadow, is_shadow; /* By the old catalogue, by the new one. */
    /* Of the users of the events: members by the old and the new catalogue, as
     * if each had been in force from the start, and who is in one but not in the
     * other. */
    int64_t before, after, enter, leave;
    /* Who enters and leaves when the new one takes the place of the old one at
     * the end: what it does not know yet changes nobody. */
    int64_t enter_at_once, leave_at_once;
    int64_t now; /* Members in the running segmentd; PLAN_UNKNOWN. */
    /* Of the users of the state topic: members, and who changes at once. */
    int64_t state_before, state_enter, state_leave;
};

struct plan {
    const char *old_path, *new_path;
    struct seg_catalogue *old_catalogue, *new_catalogue;
    int64_t at_ms;
    struct seg_diff *diff;
    int segment_count;
    struct plan_segment *segments;
    struct intern keys; /* Number = place in segments. */
    struct plan_users {
        const char *path; /* NULL: no events were given. */
        int64_t until_ms; /* SEG_NEVER: not given. */
        int64_t messages, bad, users, clock_ms;
    } users;
    struct plan_now {
        int asked;
        char catalogue[16]; /* Hash of the one in force there. */
        int64_t partitions, of;
    } now;
    struct plan_state {
        int read;
        char topic[CLIENT_TOPIC_BYTES];
        int64_t users;
    } state;
};

/* The place of the segment KEY in PLAN; -1. */
int plan_find_segment(const struct plan *plan, const char *key);

/* The same of the segment that OUTPUT, of an engine of the new catalogue, says
 * something changed in; -1 also if it is no change, or one that is not
 * published, unless the segment was a shadow and still is. */
int plan_find_changed(const struct plan *plan, const struct seg_output *output);

/* Whether OF is published by one of the catalogues only: all of its members
 * enter, or leave. */
int plan_is_turned(const struct plan_segment *of);

/* Run the file plan->users.path through both catalogues. Returns an exit status;
 * what is wrong is said. */
int plan_run_events(struct plan *plan);

/* Ask how many are in each segment now. Returns an exit status. */
int plan_ask_now(struct plan *plan, const struct ask_options *options);

/* Read the state topic of the configuration CONF (NULL: CTL_CONF_PATH). Returns
 * an exit status. */
int plan_read_state(struct plan *plan, const char *conf);

void plan_print_text(const struct plan *plan);

/* Returns an exit status: memory may run out. */
int plan_print_json(const struct plan *plan);

/* Words of enum seg_diff_part and seg_diff_kind, as JSON has them. */
const char *plan_part_name(int part);
const char *plan_kind_name(int kind);

#endif
