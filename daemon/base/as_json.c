/* as_json.c: see as_json.h. */
#include "daemon/base/as_json.h"

#include <seg/engine.h>

#include "lib/base/buf.h"
#include "lib/base/instant.h"

json_t *as_json_instant(int64_t ms)
{
    char text[25];
    if (ms == INT64_MIN || ms == SEG_NEVER)
        return json_null();
    instant_string(text, ms);
    return json_string(text);
}

json_t *as_json_value(const struct seg_value *value)
{
    struct buf text;
    buf_init(&text);
    buf_json_value(&text, value);
    json_t *json = json_loadb(text.bytes, text.len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    int failed = buf_failed(&text);
    buf_done(&text);
    return json || failed ? json : json_null(); /* No UTF-8. */
}
