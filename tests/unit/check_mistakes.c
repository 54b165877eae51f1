/* check_mistakes.c: what people get wrong in segment files, and what they are
 * told: message, line, caret, suggestion. The files and the answers stand in
 * tests/data/mistakes.txt (golden.h). */
#include <seg/catalogue.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/golden.h"
#include "tests/support/suite.h"

#define LEAST 60

/* That there is no test is nobody's mistake here. */
static int is_beside(const struct seg_diagnostic *said)
{
    return strstr(said->message, "has no test.") != NULL;
}

static void answer(struct buf *into, const char *mistake, size_t len)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"a.seg", mistake, len};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    seg_catalogue_check(&source, 1, diagnostics);
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *said = seg_diagnostics_at(diagnostics, i);
        char *text = is_beside(said) ? NULL : seg_diagnostic_text(said);
        if (!text)
            continue;
        buf_str(into, text);
        free(text);
    }
    seg_diagnostics_free(diagnostics);
}

START_TEST(a_mistake_is_answered_by_message_caret_and_suggestion)
{
    golden_check("tests/data/mistakes.txt", LEAST, answer);
}
END_TEST

SUITE("mistakes", NULL, NULL,
      TEST(a_mistake_is_answered_by_message_caret_and_suggestion))
