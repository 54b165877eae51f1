/* options.h: what segmentd.conf says about ledgers. */
#ifndef PROTOCOL_OPTIONS_H
#define PROTOCOL_OPTIONS_H

#include "daemon/base/conf.h"
#include "daemon/protocol/ledger.h"

/* Fill OPTIONS, and the INPUTS that it points to, as CONF says, which is
 * borrowed. Catalogue, seed, numbers of partitions and who listens are left to
 * the caller. */
void ledger_options_init(struct ledger_options *options,
                         struct ledger_input inputs[SEG_TOPICS_MAX],
                         const struct conf *conf);

#endif
