/* segment_json.h: segment files as JSON, for programs.
 *
 * The same tree in another notation; config/schemas/segments.json is its
 * schema. Comments are left out, all else comes back as it was:
 *
 *     { "definitions": [
 *       { "segment": "goals_weekly",
 *         "when": { "did": { "names": ["Goal Used"] },
 *                   "times": { "at_least": 3 },
 *                   "window": { "in": "7d" } } } ] }
 *
 * Only here a group may be empty: `all` of nothing is true, `any` of nothing
 * false. */
#ifndef SEGMENT_SEGMENT_JSON_H
#define SEGMENT_SEGMENT_JSON_H

#include "lib/base/buf.h"
#include "lib/segment/diagnostics.h"
#include "lib/segment/rule.h"

/* File FILE of RULES as JSON into BUF; memory running out is remembered there.
 * Call it before check, which sorts the definitions. */
void segment_json_write(struct buf *buf, const struct rules *rules,
                        uint32_t file);

/* The JSON at SOURCE as the text of a segment file, appended to TEXT. What it
 * says is not looked at, parse TEXT for that. Returns 0; SEG_ERR_SYNTAX, and
 * says in DIAGNOSTICS what is no JSON or not of this form; or SEG_ERR_NOMEM. */
int segment_json_read(struct buf *text, const struct seg_source *source,
                      struct seg_diagnostics *diagnostics);

#endif
