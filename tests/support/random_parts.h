/* random_parts.h: what random syntax trees are made of. All of it lives in the
 * arena of the rules. */
#ifndef SUPPORT_RANDOM_PARTS_H
#define SUPPORT_RANDOM_PARTS_H

#include "lib/segment/rule.h"

#define PICK(r, a) ((a)[random_below(r, sizeof(a) / sizeof((a)[0]))])

struct random {
    uint64_t state;
    struct rules *rules;
    int element;   /* Inside so many `has one`. */
    uint32_t line; /* Of the definition being made. */
    uint32_t column;
};

/* A number below N; 1 in PERCENT of all cases. */
size_t random_below(struct random *r, size_t n);
int random_chance(struct random *r, unsigned percent);

void *random_make(struct random *r, size_t count, size_t size);

/* A place after all before it. */
struct rule_pos random_place(struct random *r);

struct seg_text random_copy(struct random *r, const char *text);

/* The name of an event or a property, any text, a key, a duration. */
struct seg_text random_name(struct random *r);
struct seg_text random_string(struct random *r);
struct seg_text random_key(struct random *r);
int64_t random_duration(struct random *r);

struct rule_value random_text(struct random *r);
struct rule_value random_value(struct random *r);

/* `(a, b)`, or with LISTS sometimes @key. */
struct rule_values random_values(struct random *r, int lists);

/* Of the user or account, else of an event or element. */
struct path random_path(struct random *r, int of_user);

struct rule_test random_test(struct random *r);
struct rule_event random_event(struct random *r);
struct rule_window random_window(struct random *r);
struct rule_times random_times(struct random *r);
void random_measure(struct random *r, struct rule_measure *measure);

/* Of at most MOST hundredths. */
struct rule_percent random_percent(struct random *r, int most);

#endif
