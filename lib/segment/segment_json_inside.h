/* segment_json_inside.h: reading segment files from JSON, shared by the files
 * segment_json_*.c. Each function that puts something writes the words of a
 * segment file for one JSON value and returns 0, or -1 after saying what is
 * wrong with it. */
#ifndef SEGMENT_SEGMENT_JSON_INSIDE_H
#define SEGMENT_SEGMENT_JSON_INSIDE_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/segment/diagnostics.h"
#include "lib/segment/rule.h"

struct json_reader {
    struct buf *text; /* The segment file so far. */
    struct buf path;  /* Where we are: `definitions[3].when.did`. */
    int depth;        /* Of that. */
    int wrong;        /* Something was said; the first is enough. */
    struct rules *rules;
    struct seg_diagnostics *diagnostics;
};

typedef int json_put(struct json_reader *r, json_t *value);

/* Say WHAT (a sentence without its beginning) about where we are. -1. */
int json_wrong(struct json_reader *r, const char *what);

/* Into the member NAME, or into item INDEX if NAME is NULL; what is returned is
 * for json_leave. */
size_t json_enter(struct json_reader *r, const char *name, size_t index);
void json_leave(struct json_reader *r, size_t mark);

/* OBJECT must be one, and its members among NAMES, separated by |. */
int json_known(struct json_reader *r, json_t *object, const char *names);

/* Put the member NAME of OBJECT, which must be there; or, if it is there, after
 * BEFORE. */
int json_member(struct json_reader *r, json_t *object, const char *name,
                json_put *put);
int json_if_there(struct json_reader *r, json_t *object, const char *name,
                  const char *before, json_put *put);

/* Put all items of ARRAY, with BETWEEN between them. */
int json_each(struct json_reader *r, json_t *array, const char *between,
              json_put *put);

/* Put WORD if the member NAME of OBJECT is true. */
int json_flag(struct json_reader *r, json_t *object, const char *name,
              const char *word);

/* ---- segment_json_read.c --------------------------------------------- */

json_put json_put_text, json_put_key, json_put_duration, json_put_date,
    json_put_percent, json_put_integer, json_put_value, json_put_values,
    json_put_names, json_put_path;

/* ---- segment_json_cond.c: conditions and measures -------------------- */

json_put json_put_cond, json_put_event, json_put_measure;

/* ---- segment_json_block.c: properties, all definitions ----------------- */

json_put json_put_property_value, json_put_definitions;

#endif
