/* said.h: what was said about segment files, as text for tables of tests. */
#ifndef TESTS_SUPPORT_SAID_H
#define TESTS_SUPPORT_SAID_H

#include <seg/catalogue.h>

#include "lib/base/buf.h"

/* One line for each: `3:24 message | suggestion`, `warning` or `note` before
 * the message of one. */
static inline void said(struct buf *buf, const struct seg_diagnostics *all)
{
    for (int i = 0; i < seg_diagnostics_count(all); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(all, i);
        buf_printf(buf, "%d:%d+%d %s%s%s%s\n", one->line, one->column,
                   one->width,
                   one->severity == SEG_SEVERITY_WARNING ? "warning: "
                   : one->severity == SEG_SEVERITY_NOTE  ? "note: "
                                                         : "",
                   one->message, one->suggestion ? " | " : "",
                   one->suggestion ? one->suggestion : "");
    }
}

#endif
