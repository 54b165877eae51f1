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

enum format_lists { FORMAT_LIST_NAMES, FORMAT_LIST_VALUES };

/* All definitions of file FILE of RULES, comments kept where they stood. */
void format_rules(struct buf *buf, const struct rules *rules, uint32_t file);

/* Whether CHILD stands in brackets inside a condition of kind PARENT. */
int format_needs_brackets(enum rule_cond_kind parent,
                          const struct rule_cond *child);

/* One condition on one line. */
void format_cond(struct buf *buf, const struct rule_cond *cond,
                 enum format_lists lists);
void format_event(struct buf *buf, const struct rule_event *event,
                  enum format_lists lists);
void format_where(struct buf *buf, const struct rule_where *where,
                  enum format_lists lists);
void format_window(struct buf *buf, const struct rule_window *window);
void format_measure(struct buf *buf, const struct rule_measure *measure,
                    enum format_lists lists);
void format_test(struct buf *buf, const struct rule_test *test,
                 enum format_lists lists);
void format_path(struct buf *buf, const struct path *path);
void format_values(struct buf *buf, const struct rule_values *values,
                   enum format_lists lists);
/* name { "." name } = value, comma separated. */
void format_properties(struct buf *buf, const struct rule_property *properties,
                       int count);

#endif
