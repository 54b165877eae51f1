/* fuzz_plan.c: any bytes as two catalogues, old and new, with ==== between them.
 *
 * Nothing crashes or hangs. A catalogue differs from itself in nothing, and two
 * of one hash do not in what segments mean; what is added one way is removed the
 * other way, and what means something else one way does so the other way. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <seg/catalogue.h>
#include <seg/diff.h>

#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK       "====\n"
#define RELEASE_MS INT64_C(1700000000000)

/* By part and kind. */
struct counts {
    int of[SEG_DIFF_PARTS][SEG_DIFF_THROUGH + 1];
};

static struct counts compare(const struct seg_catalogue *before,
                             const struct seg_catalogue *after)
{
    struct counts counts = {0};
    struct seg_diff *diff;
    require(seg_catalogue_diff(&diff, before, after, RELEASE_MS) == 0);
    for (int i = 0; i < seg_diff_count(diff); i++) {
        const struct seg_difference *of = seg_diff_at(diff, i);
        counts.of[of->part][of->kind]++;
        require(*of->name);
        require(of->kind != SEG_DIFF_CHANGED || of->field_count);
        require(of->kind != SEG_DIFF_SAME || !of->field_count);
    }
    seg_diff_free(diff);
    return counts;
}

/* From part FROM on. */
static void require_equal(const struct seg_catalogue *a,
                          const struct seg_catalogue *b, int from)
{
    struct counts counts = compare(a, b);
    for (int p = from; p < SEG_DIFF_PARTS; p++)
        for (int k = SEG_DIFF_ADDED; k <= SEG_DIFF_THROUGH; k++)
            require(!counts.of[p][k]);
}

static void require_mirrored(const struct seg_catalogue *a,
                             const struct seg_catalogue *b)
{
    struct counts there = compare(a, b), back = compare(b, a);
    for (int p = 0; p < SEG_DIFF_PARTS; p++) {
        const int *to = there.of[p], *from = back.of[p];
        require(to[SEG_DIFF_ADDED] == from[SEG_DIFF_REMOVED]);
        require(to[SEG_DIFF_REMOVED] == from[SEG_DIFF_ADDED]);
        /* More of a feature is kept one way, less the other way. */
        if (p < SEG_DIFF_FEATURE)
            require(to[SEG_DIFF_SAME] == from[SEG_DIFF_SAME]);
    }
}

static struct seg_catalogue *compile(const char *text, size_t len)
{
    const struct seg_source source = {"x.seg", text, len};
    struct seg_diagnostics *diagnostics;
    struct seg_catalogue *catalogue = NULL;
    require(seg_diagnostics_new(&diagnostics) == 0);
    seg_catalogue_compile(&catalogue, &source, 1, diagnostics);
    seg_diagnostics_free(diagnostics);
    return catalogue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *mark = size ? memmem(text, size, MARK, strlen(MARK)) : NULL;
    size_t first = mark ? (size_t)(mark - text) : size;
    size_t skipped = mark ? first + strlen(MARK) : size;
    struct seg_catalogue *before = compile(text, first);
    struct seg_catalogue *after =
        before ? compile(text + skipped, size - skipped) : NULL;
    if (before)
        require_equal(before, before, 0);
    if (before && after) {
        require_mirrored(before, after);
        /* Lists go into the hash by what is in them, scores if they are used. */
        if (!strcmp(seg_catalogue_hash(before), seg_catalogue_hash(after)))
            require_equal(before, after, SEG_DIFF_SCORE + 1);
    }
    seg_catalogue_free(before);
    seg_catalogue_free(after);
    return 0;
}
