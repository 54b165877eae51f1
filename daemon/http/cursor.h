/* cursor.h: how far a list of members was read.
 *
 * A client gets it with a page and gives it back for the next one: the daemon
 * keeps nothing in between. To the client it is a word without meaning; here it
 * is a place among the users of one partition, and where in the change topic
 * every partition stood when it was begun:
 *
 *     boot  partition  incarnation  place   (partition, position)...
 *                      0: at its beginning  in the order in which they were
 *                                           begun
 *
 * as varints, then four bytes of a hash over them and the segment's key, all of
 * it base64url. A place means something only in the engine it came from, hence
 * the incarnation, and the random number `boot` of the process, in which
 * incarnations are counted. */
#ifndef HTTP_CURSOR_H
#define HTTP_CURSOR_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/buf.h"

/* Partitions one list may cover: the word has to fit into a request line, see
 * SERVER_HEADER_BYTES_MAX. */
#define CURSOR_PARTITIONS_MAX 1024

struct cursor {
    uint64_t boot;
    int partition;        /* Where it goes on. */
    uint64_t incarnation; /* 0: at the beginning of that partition. */
    uint64_t place;       /* Of seg_engine_users. */
    int count;
    struct cursor_position {
        int partition;
        int64_t position; /* In the change topic, before its first page. */
    } positions[CURSOR_PARTITIONS_MAX];
};

/* Append CURSOR, of a list of the segment KEY, to OUT. */
void cursor_write(struct buf *out, const struct cursor *cursor,
                  const char *key);

/* Read TEXT. Returns 0; SEG_ERR_INVALID if it is none, or of another segment
 * than KEY; or SEG_ERR_NOMEM. */
int cursor_read(struct cursor *cursor, const char *text, const char *key);

#endif
