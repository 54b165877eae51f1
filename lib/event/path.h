/* path.h: a path into a message or a user: where a value stands.
 *
 * `total` and `properties.total` are one path, of the event's properties;
 * `context.device.type` goes into its context; `event.name`, `event.type` and
 * `event.id` are the message's own; `user.plan` and `account.industry` are
 * attributes. */
#ifndef EVENT_PATH_H
#define EVENT_PATH_H

#include <seg/event.h>

enum path_root {
    PATH_PROPERTIES,
    PATH_CONTEXT,
    PATH_EVENT, /* One name: name, type or id. */
    PATH_USER,
    PATH_ACCOUNT,
    PATH_ELEMENT, /* Of an element of a list: inside `has one where`. */
};

struct path {
    enum path_root root;
    int count; /* Names after the root, at least 1. */
    const struct seg_text *names;
};

int path_equal(const struct path *a, const struct path *b);

#endif
