/* cost.h: what a catalogue costs, before it is in force.
 *
 * What a segment reads of events is kept as *features* of every user, one
 * however many segments read it. An event feeds the features that select it,
 * and then the *conditions* that test them are looked at, no others. Bytes are
 * what one user takes at most who does all of it again and again; most users
 * take far less, and nothing is kept of what somebody never did.
 *
 * Attributes are as long as they are, and so is a text that `first` or `last`
 * keeps: they are counted, not measured. */
#ifndef SEG_COST_H
#define SEG_COST_H

#include <stdint.h>

#include <seg/catalogue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of one segment with its triggers, or of a trait. */
struct seg_part_cost {
    const char *key;
    int is_trait;
    int any_event;   /* Every track, page and screen event feeds it. */
    int event_count; /* Else those of these names. */
    const char *const *events;
    int condition_count;
    int timed_count; /* Conditions that time alone can change: by timer. */
    int feature_count;
    int shared_count; /* Of these, other segments or traits read as well. */
    int attribute_count;
    int text_count;     /* Features that keep a text. */
    uint64_t bytes_max; /* Of a user, all its features. */
};

/* Of one event of NAME, at most; NULL: of any other name. */
struct seg_event_cost {
    const char *name;
    int feature_count;
    int condition_count;
    int segment_count;
};

struct seg_cost {
    int part_count; /* Segments, then traits, by key. */
    const struct seg_part_cost *parts;
    int event_count; /* By name, NULL last. */
    const struct seg_event_cost *events;
    int feature_count;
    int attribute_count;
    uint64_t bytes_max;
};

/* The cost of CATALOGUE; its texts live as long as that. Returns 0 or
 * SEG_ERR_NOMEM. */
int seg_catalogue_cost(struct seg_cost **ret,
                       const struct seg_catalogue *catalogue);
void seg_cost_free(struct seg_cost *cost);

#ifdef __cplusplus
}
#endif
#endif
