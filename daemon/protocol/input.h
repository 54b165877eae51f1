/* input.h: a record of an input, on its way from the consumer to a partition.
 */
#ifndef PROTOCOL_INPUT_H
#define PROTOCOL_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* A view of one record: its bytes live until HANDLE is given back. */
struct input_record {
    const char *key; /* NULL: none. */
    size_t key_len;
    const char *value; /* NULL: none. */
    size_t value_len;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none. */
    void *handle;         /* The consumer's. */
};

#endif
