/* require.h: what must hold whatever the bytes are.
 *
 * What does not is said with its place, for the log: a stack has line numbers only
 * where there is a symbolizer. Then the program aborts, and libFuzzer keeps the
 * bytes. */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(condition)                                                    \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                    #condition);                                              \
            abort();                                                          \
        }                                                                     \
    } while (0)

#endif
