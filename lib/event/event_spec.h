/* event_spec.h: what a decoder has to pick out of a message.
 *
 * Made by the planner (lib/segment/plan), so that decoding knows nothing of
 * segments. Immutable and shared between threads. */
#ifndef EVENT_EVENT_SPEC_H
#define EVENT_EVENT_SPEC_H

#include "lib/base/intern.h"
#include "lib/event/path.h"

struct event_spec {
    /* Names of events that some segment names, by name_id. "Page Viewed" and
     * "Screen Viewed" among them only if a segment names them. */
    struct intern names;
    /* Paths of roots PROPERTIES, CONTEXT, EVENT that some segment reads; a
     * seg_field's path is an index into them. */
    int path_count;
    const struct path *paths;
    /* Paths of roots USER and ACCOUNT below a top-level attribute that some
     * segment reads: `user.address.city`. A trait that is an object is decoded
     * to SEG_OBJECT, and each of these paths below it that is set yields one
     * more field: its index is path_count + its place here. */
    int trait_path_count;
    const struct path *trait_paths;
    /* By field, those of trait paths too: 1: some segment looks into objects in
     * a list there (`has one`), which are read with all their members. */
    const uint8_t *whole; /* NULL: none. */
    int whole_traits;     /* The same of some top-level attribute: of all. */
};

#endif
