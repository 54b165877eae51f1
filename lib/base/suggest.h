/* suggest.h: which of many words was meant.
 *
 * Offer all candidates to one struct suggest; it keeps the nearest by
 * Damerau-Levenshtein distance (insert, delete, replace a byte, swap two
 * neighbours), at most 2 and less than the word's length; of equal ones the
 * first offered. Upper and lower case of ASCII are one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <seg/event.h>

#define SUGGEST_BYTES_MAX 128 /* Longer words have no suggestion. */

struct suggest {
    struct seg_text word;
    struct seg_text best; /* Borrowed from its offer; bytes = NULL: none. */
    int distance;         /* Of best. */
};

void suggest_init(struct suggest *suggest, struct seg_text word);
void suggest_offer(struct suggest *suggest, struct seg_text candidate);

/* Offer each word of WORDS, separated by |. */
void suggest_offer_all(struct suggest *suggest, const char *words);

/* The distance of A and B, or LIMIT + 1 if it is more than LIMIT. */
int suggest_distance(struct seg_text a, struct seg_text b, int limit);

#endif
