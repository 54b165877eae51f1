/* error.h: filling in a struct seg_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <seg/error.h>

/* Fill ERROR (may be NULL) with CODE and the message FORMAT makes, about no
 * place in a file. Returns CODE. */
int error_set(struct seg_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
