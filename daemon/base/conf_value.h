/* conf_value.h: one row of the table of settings, and its value as text. */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include <stddef.h>

#include "daemon/base/conf.h"

enum conf_type {
    CONF_TEXT,
    CONF_NAME,
    CONF_PATH,
    CONF_PATHS,
    CONF_SECRET,
    CONF_ADDRESS,
    CONF_START,
    CONF_NUMBER,
    CONF_DURATION,
    CONF_SIZE,
    CONF_CHOICE,
};

struct conf_row {
    const char *name, *initial, *range, *help;
    enum conf_type type;
    int input;     /* A row of struct conf_input, else of struct conf. */
    size_t offset; /* Of the field in it. */
};

#define CONF_ONE(field, name, type, initial, range, help) +1
enum { CONF_ROW_COUNT = 0 CONF_TABLE(CONF_ONE, CONF_ONE) };
#undef CONF_ONE

/* The INDEX-th row of the table; NULL from its end on. */
const struct conf_row *conf_row(int index);

/* Index of the row of NAME, or -1. */
int conf_row_find(struct seg_text name);

/* Read TEXT as a value of ROW into FIELD; what it needs to keep goes into
 * ARENA. A PATHS field gets one path more each time. Returns NULL, or what is
 * wrong as a sentence (static or in ARENA; "" when memory ran out). */
const char *conf_value_read(struct arena *arena, const struct conf_row *row,
                            struct seg_text text, void *field);

/* Write the value of FIELD as it may stand in the file; secrets are masked. */
void conf_value_print(struct buf *out, const struct conf_row *row,
                      const void *field);

/* Write SECRET as it may stand in the file: `file "PATH"`, or masked. */
void conf_secret_print(struct buf *out, const struct conf_secret *secret);

/* Whether ADDRESS can be reached from this machine only. */
int conf_address_is_loopback(const struct conf_address *address);

#endif
