/* convert.c: segment files to JSON and back, one file at a time. */
#include <seg/catalogue.h>

#include "lib/segment/format.h"
#include "lib/segment/parse.h"
#include "lib/segment/segment_json.h"

/* What BUF holds to *RET, or SEG_ERR_NOMEM. */
static int take(struct buf *buf, char **ret)
{
    char *text = buf_take(buf);
    if (!text)
        return SEG_ERR_NOMEM;
    *ret = text;
    return 0;
}

int seg_to_json(char **ret, const struct seg_source *source,
                struct seg_diagnostics *diagnostics)
{
    struct rules rules;
    struct buf buf;
    rules_init(&rules);
    buf_init(&buf);
    int status = parse_source(&rules, source, diagnostics);
    if (status == 0) {
        segment_json_write(&buf, &rules, 0);
        status = take(&buf, ret);
    }
    buf_done(&buf);
    rules_done(&rules);
    return status;
}

int seg_from_json(char **ret, const struct seg_source *source,
                  struct seg_diagnostics *diagnostics)
{
    struct rules rules;
    struct buf text, buf;
    rules_init(&rules);
    buf_init(&text);
    buf_init(&buf);
    int status = segment_json_read(&text, source, diagnostics);
    if (status == 0) {
        struct seg_source written = {source->name, buf_string(&text), text.len};
        status = parse_source(&rules, &written, diagnostics);
    }
    if (status == 0) {
        format_rules(&buf, &rules, 0);
        status = take(&buf, ret);
    }
    buf_done(&text);
    buf_done(&buf);
    rules_done(&rules);
    return status;
}
