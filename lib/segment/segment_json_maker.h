/* segment_json_maker.h: values, names and paths of segment files as JSON, for
 * segment_json_write.c. What is returned belongs to the caller; NULL when memory
 * ran out, which whatever it is added to remembers in the maker. */
#ifndef SEGMENT_SEGMENT_JSON_MAKER_H
#define SEGMENT_SEGMENT_JSON_MAKER_H

#include <jansson.h>

#include "lib/segment/rule.h"

#define MAKER_DIGITS 15 /* Of a number; more only spell what it is not. */

struct maker {
    int failed; /* Memory ran out somewhere. */
};

/* Put VALUE (taken) into OBJECT, or at the end of ARRAY. */
void maker_set(struct maker *m, json_t *object, const char *name,
               json_t *value);
void maker_append(struct maker *m, json_t *array, json_t *value);

json_t *maker_text(struct seg_text text);
json_t *maker_duration(int64_t ms);
json_t *maker_value(struct maker *m, const struct rule_value *value);

/* A list, and a list or {"list": "key"}. */
json_t *maker_items(struct maker *m, const struct rule_values *values);
json_t *maker_values(struct maker *m, const struct rule_values *values);

json_t *maker_names(struct maker *m, const struct seg_text *names, int count);

/* ["user", "plan"] */
json_t *maker_path(struct maker *m, const struct path *path);

#endif
