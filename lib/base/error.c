/* error.c: filling in a struct seg_error. */
#include "lib/base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct seg_error *error, int code, const char *format, ...)
{
    if (error) {
        va_list args;
        error->code = code;
        error->line = error->column = 0;
        error->file[0] = 0;
        va_start(args, format);
        vsnprintf(error->message, sizeof(error->message), format, args);
        va_end(args);
    }
    return code;
}
