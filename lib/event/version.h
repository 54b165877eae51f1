/* version.h: the order of versions, by SemVer 2.0 (https://semver.org). */
#ifndef EVENT_VERSION_H
#define EVENT_VERSION_H

#include <seg/event.h>

/* Whether A and B are both versions; *ORDER is then their precedence: below 0,
 * 0 or above 0. Numbers may have any length. What stands behind a + plays no
 * part in the order, but must be well formed. */
int version_compare(struct seg_text a, struct seg_text b, int *order);

#endif
