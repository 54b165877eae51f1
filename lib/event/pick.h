/* pick.h: the values at some paths of a JSON text.
 *
 * The paths form one tree of names per root. An object of a text and a node of
 * a tree are walked down together, so that the cost depends on the members of
 * the objects that are entered, not on how many paths there are. All nodes
 * share one hash table, (node, name) → child; a filter of 64 bits in each node
 * turns most names away before their hash is taken.
 *
 * When two members of an object have one name the last holds, with all below
 * it: an object is read to its end before any member of it is entered. */
#ifndef EVENT_PICK_H
#define EVENT_PICK_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/event/event_spec.h"
#include "lib/event/json.h"

#define PICK_NONE UINT32_MAX

/* The roots that are objects of a message, and the first nodes. */
enum pick_root {
    PICK_PROPERTIES,
    PICK_CONTEXT,
    PICK_USER,
    PICK_ACCOUNT,
    PICK_ROOTS_,
};

struct pick {
    struct pick_node *nodes;
    struct pick_slot *slots; /* Size a power of two. */
    uint32_t node_count, mask;
    /* While picking: */
    uint32_t *values;  /* By node: token of its value; 0 none yet. */
    uint32_t *touched; /* A stack of nodes with a value. */
    uint32_t touched_count;
    /* What was picked, in no order, no path twice; in the arena of the text. */
    struct seg_field *fields;
    uint32_t field_count, field_max;
    /* Fields of the message's own, PICK_NONE if no segment reads them. */
    uint32_t event_name, event_type, event_id;
    uint32_t page_name;   /* properties.name */
    const uint8_t *whole; /* See event_spec.h; borrowed. */
};

/* Make PICK ready for the paths of SPEC, which is not needed afterwards but for
 * its names and `whole`. Returns 0 or SEG_ERR_NOMEM; pick_done is right in either case. */
int pick_init(struct pick *pick, const struct event_spec *spec);
void pick_done(struct pick *pick);

/* Begin with no fields, for the text of JSON. Returns 0 or SEG_ERR_NOMEM. */
int pick_begin(struct pick *pick, const struct json *json);

/* Add the fields below ROOT that the object at TOKEN, itself at depth DEPTH,
 * has and that are not missing. Returns 0 or an error of json_value; also
 * SEG_ERR_DEPTH for an object on the way at a depth beyond SEG_DEPTH_MAX. */
int pick_object(struct pick *pick, enum pick_root root, const struct json *json,
                uint32_t token, int depth);

/* Add the field PATH, which must not be there yet, with the value at TOKEN,
 * unless that is missing. Returns 0 or an error of json_value. */
int pick_value(struct pick *pick, uint32_t path, const struct json *json,
               uint32_t token, int depth);

/* The same with TEXT, unless that is absent or PATH is PICK_NONE. */
void pick_text(struct pick *pick, uint32_t path, struct seg_text text);

/* Whether the field PATH was picked. */
int pick_has(const struct pick *pick, uint32_t path);

/* Sort the fields by path. */
void pick_sort(struct pick *pick);

#endif
