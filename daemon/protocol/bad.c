/* bad.c: a ring of bits. */
#include "daemon/protocol/bad.h"

#include <assert.h>

void bad_note(struct bad *bad, int is_bad)
{
    uint64_t bit = UINT64_C(1) << bad->next % 64;
    uint64_t *word = &bad->bits[bad->next / 64];

    if (*word & bit)
        bad->bad--;
    *word = is_bad ? *word | bit : *word & ~bit;
    bad->bad += is_bad != 0;
    bad->next = (uint16_t)((bad->next + 1) % BAD_WINDOW);
    if (bad->count < BAD_WINDOW)
        bad->count++;
}

int bad_at(const struct bad *bad, int index)
{
    int at = (bad->next + BAD_WINDOW - bad->count + index) % BAD_WINDOW;

    assert(index >= 0 && index < bad->count);
    return (int)(bad->bits[at / 64] >> at % 64 & 1);
}
