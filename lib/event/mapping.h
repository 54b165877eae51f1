/* mapping.h: a message of the Segment spec as a struct seg_event.
 *
 * What a message of this form means stands here and nowhere else; how JSON is
 * read does not. Other forms will be other functions of the same shape.
 *
 *     type        track | page | screen | identify | group
 *     userId      whose it is; if missing, null or "" anonymousId is
 *     messageId   text of 1 to SEG_ID_BYTES_MAX bytes; anything else: none
 *     timestamp   what instant_of_value reads; else the record's counts
 *     event       track: its name
 *     name        page, screen: the property `name`, unless properties has one
 *     properties  track, page, screen: an object; anything else: none
 *     context     likewise
 *     traits      identify, group: an object; anything else: none
 *     groupId     group: the account
 *
 * Everywhere null is as good as missing, and of two members with one name the
 * last holds. */
#ifndef EVENT_MAPPING_H
#define EVENT_MAPPING_H

#include <seg/event.h>

#include "lib/event/event_spec.h"
#include "lib/event/json.h"
#include "lib/event/pick.h"

struct mapping {
    const struct event_spec *spec; /* Borrowed. */
    struct pick pick;
    uint32_t *trait_slots; /* A hash table of names, to find those that are */
    uint32_t trait_mask;   /* there twice: places plus 1, by name. */
};

/* Make MAPPING ready to read what SPEC asks for; SPEC must outlive it. Returns
 * 0 or SEG_ERR_NOMEM; mapping_done is right in either case. */
int mapping_init(struct mapping *mapping, const struct event_spec *spec);
void mapping_done(struct mapping *mapping);

/* The checked text of JSON, an object, into EVENT, whose parts are borrowed
 * from the text and the arena of JSON. Returns 0, or one of the errors of one
 * event in <seg/error.h> with EVENT undefined. */
int mapping_decode(struct mapping *mapping, const struct json *json,
                   struct seg_event *event);

#endif
