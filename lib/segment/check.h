/* check.h: what is wrong with segment files beyond their syntax.
 *
 * Errors: unknown lists and segments, names defined twice, cycles of segments,
 * tests that can never match, windows backwards, limits. Warnings:
 * contradictions and tautologies, unused lists, triggers without cooldown,
 * segments without a test, windows that are approximate beyond the exact limit.
 *
 * Check also resolves: lists into their values, `in segment` into an index, and
 * leaves the segments sorted by key. */
#ifndef SEGMENT_CHECK_H
#define SEGMENT_CHECK_H

#include <seg/catalogue.h>

#include "lib/segment/rule.h"

/* Check RULES, all files parsed. Returns 0 when there is no error,
 * SEG_ERR_SYNTAX, or SEG_ERR_NOMEM. What is said comes in the order of files'
 * names and lines. */
int check_rules(struct rules *rules, struct seg_diagnostics *diagnostics);

/* Parse the COUNT files at SOURCES into RULES (empty before) and check them;
 * no check when a file does not parse, as half of the names would be missing.
 * Returns as parse_source and check_rules do; RULES is to be ended anyway. */
int check_sources(struct rules *rules, const struct seg_source *sources,
                  int count, struct seg_diagnostics *diagnostics);

#endif
