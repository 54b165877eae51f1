/* traits.c: a record of the traits topic as steps of a link.
 *
 * The hash is removed and filled again, so a trait that is gone or has no value
 * is gone there, too. A value is JSON, as it stands in the record: a number is
 * 3, a text "3". */
#include "daemon/redis/traits.h"

#include <jansson.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

static void set_all(struct link *link, struct seg_text user,
                    const json_t *traits)
{
    const char *key;
    json_t *value;
    link_clear(link, user);
    json_object_foreach((json_t *)traits, key, value)
    {
        char *text = json_is_null(value)
                         ? NULL
                         : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (text)
            link_set(link, user, text_of(key), text_of(text));
        else
            link->failed |= !json_is_null(value);
        free(text);
    }
}

int traits_take(struct link *link, const char *value, size_t len,
                struct seg_error *detail)
{
    json_t *root =
        value ? json_loadb(value, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
                           NULL)
              : NULL;
    const json_t *user = json_object_get(root, "userId");
    const json_t *traits = json_object_get(root, "traits");
    int ret = 0;
    if (json_is_string(user) && json_is_object(traits))
        set_all(link,
                (struct seg_text){json_string_value(user),
                                  json_string_length(user)},
                traits);
    else
        ret = error_set(detail, SEG_ERR_RECORD, "no traits of a user");
    json_decref(root);
    return ret;
}
