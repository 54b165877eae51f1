/* snapshot.h: the record of one user, byte by byte.
 *
 * Numbers are little-endian; `n` is a LEB128 number, `z` a zigzag one, `text`
 * an n and as many bytes, `ms` an int64_t of milliseconds since 1970.
 *
 *   u8    version (SEG_STATE_VERSION)
 *   text  user id
 *   u8    input topics k; for each: u64 hash of its name,
 *         ms-wide position: the offset after the last event folded in
 *   u8    birth: place of its topic in that list; n offset
 *   n     seq            n  trigger seq
 *   ms    `at` of the last change; INT64_MIN if none
 *   ms    a lower bound of the next instant of a change by time; INT64_MAX
 *   n     epoch: of the catalogue under which it was written (observed.h)
 *   sections, each a u8 tag and its content, until tag 0:
 *     1  n memberships:  u64 hash of the segment's key, ms entered
 *     2  n features:     u64 hash of the canonical text, u8 kind
 *                        (feature_table.h), then by kind
 *          tally         n count
 *          window        u8 coarse; n entries: exact: ms of the first, then n
 *                        differences; coarse: ms bucket, n count
 *          *_time        ms
 *          first, last   u8 coarse; n entries: ms, stamp, value
 *          others        n bytes that follow, by the file of the kind in
 *                        lib/user: of version 2 on, and kinds that a build does
 *                        not know are passed over
 *     3  n attributes:   u8 1 if of the account, n names, each a text; write
 *     4  account:        write, its value the group id
 *     5  n spare attributes: u8 1 if of the account, 2: some could not be kept;
 *                        text name, write
 *     6  n message ids:  u64 hash, ms record time, oldest first
 *     7  n triggers:     u64 hash of segment, on and name, ms last fired
 *     8  n parked:       u8 kind, target, text name, write; of a feature that
 *                        asks for roles: owner is what must be the same, value
 *                        the role, or roles as bits
 *     9  n watches:      u64 hash of the segment's key, ms of the latest entry,
 *                        ms of the latest exit; INT64_MIN: none. Version 2 on
 *     10 published:  ms, u64 hash of the traits that were published last
 *                    (publish.c). Version 2 on
 *   write = ms, stamp, u64 owner (hash of the group id; 0: the user), value
 *   stamp = u8 place of the topic in the list, n offset
 *   value = u8 type (enum seg_value_type): 1 u8; 2 z; 3 u64 bits of the double;
 *           4 text; 5 n items, each a value; 0 and 6 nothing; 7 (version 2 on)
 *           an object: n items, names and values in turn
 *   target of a parked update = feature: u64 hash; attribute: as in 3 without
 *           the write; account, spare: u8
 *
 * Features, segments and triggers are named by hashes, so that a record
 * outlives a catalogue: features that it does not know are left out, an
 * attribute becomes a spare one and a spare one that it reads now an attribute
 * (carry.c). A topic that is no longer an input counts as the first. */
#ifndef ENGINE_SNAPSHOT_H
#define ENGINE_SNAPSHOT_H

#include <stdint.h>

#include <seg/engine.h>

#include "lib/base/buf.h"
#include "lib/base/reader.h"

/* No instant of a record lies further from 1970, so that sums of two never
 * overflow; but for the next one of a change, which may follow the last. */
#define SNAPSHOT_MS_MAX (INT64_MAX / 4)

/* What the records of VERSION end with: nothing, as long as only tests know a
 * third version. */
static inline void snapshot_tail_write(struct buf *buf, int version)
{
    if (version > 2)
        buf_u32(buf, SEG_STATE_TAIL);
}

/* Returns 1 if it is there. */
static inline int snapshot_tail_read(struct reader *reader, int version)
{
    return version < 3 || reader_u32(reader) == SEG_STATE_TAIL;
}

#define SNAPSHOT_WATCHES 2 /* Version from which on there may be any. */
#define SNAPSHOT_TRAITS  2 /* The same of what was published. */

static inline int snapshot_reads(int version)
{
    return version >= SEG_STATE_VERSION_OLDEST && version <= SEG_STATE_VERSION;
}

/* A stamp in memory: topic above, offset below (feature.h, fold_stamp). */
#define STAMP_TOPIC_SHIFT 56
#define STAMP_OFFSET_MASK ((UINT64_C(1) << STAMP_TOPIC_SHIFT) - 1)

enum section {
    SECTION_END,
    SECTION_MEMBERS,
    SECTION_FEATURES,
    SECTION_ATTRIBUTES,
    SECTION_ACCOUNT,
    SECTION_SPARE,
    SECTION_IDS,
    SECTION_FIRED,
    SECTION_PARKED,
    SECTION_WATCHES,
    SECTION_PUBLISHED,
};

#endif
