/* version.h: the version of this program, as CHANGELOG.md names it. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SEGMENTD_VERSION "0.1.0"

#endif
