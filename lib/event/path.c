/* path.c: comparing paths. */
#include "lib/event/path.h"

#include "lib/base/text.h"

int path_equal(const struct path *a, const struct path *b)
{
    if (a->root != b->root || a->count != b->count)
        return 0;
    for (int i = 0; i < a->count; i++)
        if (!text_equal(a->names[i], b->names[i]))
            return 0;
    return 1;
}
