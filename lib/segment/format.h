/* format.h: syntax trees to their one spelling.
 *
 * The canonical spelling names features and conditions: in evidence, in
 * explain, in the hash of a catalogue, in the key under which a feature's state
 * is kept. With EXPAND set lists stand with their values instead of their
 * names. */
#ifndef SEGMENT_FORMAT_H
#define SEGMENT_FORMAT_H

#include "lib/base/buf.h"
#include "lib/segment/rule.h"

/* SETS is VALUES with those of a list in one order: for comparing; never for a
 * key, since that would be another one than records have. */
enum format_lists { FORMAT_LIST_NAMES, FORMAT_LIST_VALUES, FORMAT_LIST_SETS };

/* All definitions of file FILE of RULES, comments kept where they stood. */
void format_rules(struct buf *buf, const struct rules *rules, uint32_t file);

/* Whether CHILD stands in brackets inside a condition of kind PARENT. */
int format_needs_brackets(enum rule_cond_kind parent,
                          const struct rule_cond *child,
                          enum format_lists lists);

/* One condition on one line. */
void format_cond(struct buf *buf, const struct rule_cond *cond,
                 enum format_lists lists);
void format_event(struct buf *buf, const struct rule_event *event,
                  enum format_lists lists);

/* Several names of an event with BRACKETS around them, or, inside a measure, a
 * score or `latest`, without. */
void format_selector(struct buf *buf, const struct rule_event *event,
                     int brackets, enum format_lists lists);

/* The three parts of a sequence: `did` with the first event and its window, one
 * step, and, after a space, what stands behind the steps. */
void format_sequence_start(struct buf *buf, const struct rule_cond *cond,
                           enum format_lists lists);
void format_step(struct buf *buf, const struct rule_step *step,
                 enum format_lists lists);
void format_sequence_end(struct buf *buf, const struct rule_sequence *sequence,
                         enum format_lists lists);

void format_where(struct buf *buf, const struct rule_where *where,
                  enum format_lists lists);
void format_window(struct buf *buf, const struct rule_window *window,
                   enum format_lists lists);
void format_measure(struct buf *buf, const struct rule_measure *measure,
                    enum format_lists lists);
void format_test(struct buf *buf, const struct rule_test *test,
                 enum format_lists lists);
void format_path(struct buf *buf, const struct path *path);
void format_values(struct buf *buf, const struct rule_values *values,
                   enum format_lists lists);
/* name { "." name } = value, comma separated. */
void format_properties(struct buf *buf, const struct rule_property *properties,
                       int count, enum format_lists lists);

#endif
