/* The model test notices every mistake of mutant_table.h. See model.h.
 *
 * A sanitizer would look for other things, slowly: there it is left out. */
#include "tests/model/model.h"

#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

int main(int argc, char **argv)
{
    if (SANITIZED) {
        puts("mutants: not under a sanitizer");
        return 0;
    }
    return model_mutants_main(argc, argv);
}
