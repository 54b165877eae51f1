/* decoder.h: a decoder for whoever has an event_spec.
 *
 * seg_decode and its fellows in <seg/event.h> work on what decoder_new made;
 * seg_decoder_new calls it with the spec of a catalogue. */
#ifndef EVENT_DECODER_H
#define EVENT_DECODER_H

#include <seg/event.h>

#include "lib/event/event_spec.h"

/* Create a decoder that picks what SPEC asks for; SPEC must outlive it. Returns
 * 0, or SEG_ERR_NOMEM with *RET untouched. */
int decoder_new(struct seg_decoder **ret, const struct event_spec *spec);

#endif
