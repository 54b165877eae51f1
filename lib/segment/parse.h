/* parse.h: segment files to syntax trees. */
#ifndef SEGMENT_PARSE_H
#define SEGMENT_PARSE_H

#include <seg/catalogue.h>

#include "lib/segment/rule.h"

/* Parse SOURCE and add what it defines to RULES.
 *
 * Errors go to DIAGNOSTICS, with recovery at the next definition, so that one
 * run shows up to SEG_DIAGNOSTICS_MAX of them. Returns 0 if there was no error
 * in this file, SEG_ERR_SYNTAX, SEG_ERR_LIMIT or SEG_ERR_NOMEM; RULES stays
 * usable for more files. SOURCE need not live on. */
int parse_source(struct rules *rules, const struct seg_source *source,
                 struct seg_diagnostics *diagnostics);

#endif
