/* unasked.h: events of test blocks that no segment asks for.
 *
 * A test whose event is misspelt often passes, for the wrong reason. An event is
 * *asked for* when some segment, score, trait or trigger of the catalogue names
 * it, or when the tested segment, or one that it refers to, asks for `any`. */
#ifndef ENGINE_UNASKED_H
#define ENGINE_UNASKED_H

#include "lib/segment/catalogue.h"

struct unasked {
    const struct seg_catalogue *catalogue;
    unsigned char *any; /* By segment: whether it asks for `any`. */
    int any_trait;      /* Some trait does. */
};

/* Returns 0 or SEG_ERR_NOMEM; UNASKED is to be ended in any case. */
int unasked_init(struct unasked *unasked,
                 const struct seg_catalogue *catalogue);
void unasked_done(struct unasked *unasked);

/* Append a line for each such event of BLOCK, the first time it is there. */
void unasked_write(const struct unasked *unasked,
                   const struct rule_test_block *block, struct buf *buf);

#endif
