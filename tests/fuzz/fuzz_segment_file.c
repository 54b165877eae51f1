/* fuzz_segment_file.c: any bytes as a segment file.
 *
 * Nothing crashes or hangs; an answer that is not 0 comes with an error, whose
 * text has no control byte; what parses has one spelling, that parses to the
 * same again with as many comments, and to the same through JSON; what checks
 * leaves every name resolved. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/segment/check.h"
#include "lib/segment/format.h"
#include "lib/segment/parse.h"
#include "tests/fuzz/require.h"
#include "tests/support/rule_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_clean(const char *text, int lines)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        require((c >= 0x20 && c != 0x7f) || (lines && c == '\n'));
        require(c != 0xc2 || (unsigned char)text[1] >= 0xa0);
    }
}

static void require_said(const struct seg_diagnostics *diagnostics, int ret)
{
    require((ret < 0) == (seg_diagnostics_errors(diagnostics) > 0));
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        size_t len = strlen(one->source);
        require(one->line >= 1 && one->column >= 1 && one->width >= 1);
        require((size_t)one->column <= len + 1);
        require((size_t)(one->column + one->width) <= len + 2);
        require_clean(one->message, 0);
        require_clean(one->suggestion ? one->suggestion : "", 0);
        require_clean(one->source, 0);
        char *text = seg_diagnostic_text(one);
        require(text);
        require_clean(text, 1);
        free(text);
    }
}

/* Parse TEXT, write its tree to TREE and its one spelling to SPELLING; the
 * number of its comments, or -1 if it does not parse. */
static int read_file(struct seg_text text, struct buf *tree,
                     struct buf *spelling)
{
    struct seg_diagnostics *diagnostics;
    struct rules rules;
    struct seg_source source = {"x.seg", text.bytes, text.len};
    int comments = -1;
    require(seg_diagnostics_new(&diagnostics) == 0);
    rules_init(&rules);
    int ret = parse_source(&rules, &source, diagnostics);
    require_said(diagnostics, ret);
    if (ret == 0) {
        format_rules(spelling, &rules, 0);
        comments = rules.comment_count;
        rules.comment_count = 0;
        dump_rules(tree, &rules);
        rules.comment_count = comments;
        ret = check_rules(&rules, diagnostics);
        require_said(diagnostics, ret);
    }
    rules_done(&rules);
    seg_diagnostics_free(diagnostics);
    return comments;
}

static int same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->bytes, b->bytes, a->len));
}

/* The tree of SPELLING again, by way of JSON. */
static void require_json(const struct buf *spelling, const struct buf *tree)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"x.seg", spelling->bytes, spelling->len};
    struct buf again, nothing;
    char *json = NULL, *text = NULL;
    require(seg_diagnostics_new(&diagnostics) == 0);
    require(seg_to_json(&json, &source, diagnostics) == 0);
    source = (struct seg_source){"x.json", json, strlen(json)};
    require(seg_from_json(&text, &source, diagnostics) == 0);
    buf_init(&again);
    buf_init(&nothing);
    require(read_file((struct seg_text){text, strlen(text)}, &again,
                      &nothing) == 0);
    require(same(tree, &again));
    buf_done(&again);
    buf_done(&nothing);
    free(json);
    free(text);
    seg_diagnostics_free(diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf tree, spelling, tree_again, spelling_again;
    buf_init(&tree);
    buf_init(&spelling);
    buf_init(&tree_again);
    buf_init(&spelling_again);
    int comments = read_file((struct seg_text){(const char *)data, size}, &tree,
                             &spelling);
    if (comments >= 0) {
        int again = read_file((struct seg_text){spelling.bytes, spelling.len},
                              &tree_again, &spelling_again);
        require(again == comments);
        require(same(&tree, &tree_again));
        require(same(&spelling, &spelling_again));
        require_json(&spelling, &tree);
    }
    buf_done(&tree);
    buf_done(&spelling);
    buf_done(&tree_again);
    buf_done(&spelling_again);
    return 0;
}
