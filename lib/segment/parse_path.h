/* parse_path.h: paths of a segment file. Each function returns 0 or -1 as said
 * in parse_cursor.h. */
#ifndef SEGMENT_PARSE_PATH_H
#define SEGMENT_PARSE_PATH_H

#include "lib/segment/parse_cursor.h"

/* name { "." name }, a name being a NAME or a text in quotes, into the names
 * of PATH. */
int parse_names(struct cursor *cursor, struct path *path);

/* user.plan or account.industry. */
int parse_user_path(struct cursor *cursor, struct path *path);

/* The path of an event: total, properties.total, context.ip, event.name;
 * inside `has one` a member of the element. */
int parse_event_path(struct cursor *cursor, struct path *path);

/* Whether NAME alone, as the first name of an event's path, would be read as
 * something else and needs `properties.` before it. */
int path_is_reserved(struct seg_text name);

#endif
