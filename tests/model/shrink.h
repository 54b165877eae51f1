/* shrink.h: a failing case made small enough to read. */
#ifndef MODEL_SHRINK_H
#define MODEL_SHRINK_H

#include "tests/model/run.h"

/* Take out of HISTORY whatever it fails without: steps, segments, lines and
 * parts of conditions, properties. It still fails afterwards, and RUN says how.
 * Runs a few hundred children. */
void shrink(struct run *run, struct history *history);

#endif
