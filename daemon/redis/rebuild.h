/* rebuild.h: writing a partition's memberships anew.
 *
 * For when the marker is missing or of no use. The worker that runs the
 * partition hands over its users in slices (slice.h), each taken right after a
 * commit; each becomes a link that replaces the whole hash of every user in it.
 * Users whom nobody knows are found by SCAN afterwards and removed; then the
 * marker becomes the position that went with the first slice, and the change
 * topic is followed from there.
 *
 *    marker   R7f3a.0     R7f3a.1    ...   R7f3a.9     R7f3a.10        4711
 *    link     begin       slice 1          slice 9     remove ghosts   end
 *
 * Why the position of the first slice: it goes with the state of that moment,
 * by the worker's own knowledge. What changed later, in slices taken later as
 * well, stands after it in the topic and is followed again: for a moment a
 * reader may see a membership as it was a little earlier. Since state and
 * position belong together, this holds even for a zombie.
 *
 * Partitions that need it at the same time are scanned for together: SCAN goes
 * over the keys of all of them. To remove a key we must know that its partition
 * is among them: by the partitioner, or, with `partitioner trust`, because all
 * partitions there are were rebuilt. Else a key nobody knows stays, which is
 * logged.
 *
 * A crash leaves a marker R<x>.<n>, which says nothing: the next owner begins
 * anew. Two processes at it at once break each other's chain until the one that
 * does not own the partition notices: it gets no slices. */
#ifndef REDIS_REBUILD_H
#define REDIS_REBUILD_H

#include "daemon/redis/mirror.h"

/* How long a chain broken by somebody else's rebuild pauses, and a random part
 * of it more. */
#define REBUILD_PAUSE_MS 1000

/* Do what can be done for the mirrors under rebuild: begin, ask for slices,
 * make links of those that came. Nothing is sent yet. */
void rebuild_turn(struct view *view, int64_t now_ms);

/* The link of MIRROR, which is under rebuild, was done. */
void rebuild_linked(struct view *view, struct mirror *mirror, int64_t now_ms);

/* Look for users nobody knows: one page of SCAN. Called between exchanges, on a
 * connection that is ready with nothing under way. */
void rebuild_scan(struct view *view, int64_t now_ms);

/* Forget what MIRROR has of a rebuild. */
void rebuild_reset(struct mirror *mirror);

#endif
