/* suggest.c: which of many words was meant.
 *
 * Optimal string alignment: rows of the usual matrix, three of them kept as a
 * swap looks back two. */
#include "lib/base/suggest.h"

#include <stdlib.h>
#include <string.h>

#define DISTANCE_MAX 2

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

int suggest_distance(struct seg_text a, struct seg_text b, int limit)
{
    int rows[3][SUGGEST_BYTES_MAX + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    size_t apart = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > SUGGEST_BYTES_MAX || b.len > SUGGEST_BYTES_MAX ||
        apart > (size_t)limit)
        return limit + 1;
    for (size_t j = 0; j <= b.len; j++)
        last[j] = before[j] = (int)j;
    for (size_t i = 1; i <= a.len; i++) {
        int best = row[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = lower(a.bytes[i - 1]), y = lower(b.bytes[j - 1]);
            row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.bytes[j - 2]) &&
                y == lower(a.bytes[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1, row[j]);
            best = row[j] < best ? row[j] : best;
        }
        if (best > limit)
            return limit + 1;
        int *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b.len] > limit ? limit + 1 : last[b.len];
}

void suggest_init(struct suggest *suggest, struct seg_text word)
{
    int limit = word.len > 3 ? DISTANCE_MAX : word.len > 1;
    *suggest = (struct suggest){.word = word, .distance = limit + 1};
}

void suggest_offer(struct suggest *suggest, struct seg_text candidate)
{
    int distance =
        suggest_distance(suggest->word, candidate, suggest->distance - 1);
    if (distance < suggest->distance && suggest->distance > 0) {
        suggest->best = candidate;
        suggest->distance = distance;
    }
}

void suggest_offer_all(struct suggest *suggest, const char *words)
{
    while (*words) {
        size_t len = strcspn(words, "|");
        suggest_offer(suggest, (struct seg_text){words, len});
        words += len + (words[len] == '|');
    }
}
