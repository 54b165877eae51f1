/* That tests/data/git-catalogue.seg leaves out no word of the language. */
#include <stdio.h>

#include "lib/segment/check.h"
#include "lib/segment/parse.h"
#include "tests/model/construct.h"
#include "tests/support/suite.h"

#define CATALOGUE "tests/data/git-catalogue.seg"

static void load(struct rules *rules)
{
    static char text[1 << 16];
    struct seg_diagnostics *diagnostics;
    FILE *file = fopen(CATALOGUE, "r");
    ck_assert_msg(file, "cannot open " CATALOGUE);
    size_t len = fread(text, 1, sizeof(text), file);
    fclose(file);
    ck_assert_uint_lt(len, sizeof(text));
    const struct seg_source source = {CATALOGUE, text, len};
    rules_init(rules);
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(parse_source(rules, &source, diagnostics), 0);
    ck_assert_int_eq(check_rules(rules, diagnostics), 0);
    seg_diagnostics_free(diagnostics);
}

static void see(char seen[CONSTRUCT_COUNT_])
{
    struct rules rules;
    load(&rules);
    for (int i = 0; i < rules.segment_count; i++)
        construct_of_segment(&rules.segments[i], seen);
    ck_assert_int_ge(rules.segment_count, 40);
    rules_done(&rules);
}

START_TEST(every_word_is_there)
{
    char seen[CONSTRUCT_COUNT_] = {0};
    see(seen);
    for (int i = 0; i < CONSTRUCT_WHERE_OP; i++)
        ck_assert_msg(seen[i], "no segment says `%s`", construct_name(i));
}
END_TEST

/* Wherever it makes sense: of an event, an attribute or a measure. */
START_TEST(every_test_of_a_value_is_there)
{
    char seen[CONSTRUCT_COUNT_] = {0};
    see(seen);
    for (int op = 0; op < OP_COUNT_; op++)
        ck_assert_msg(seen[CONSTRUCT_WHERE_OP + op] ||
                          seen[CONSTRUCT_ATTRIBUTE_OP + op] ||
                          seen[CONSTRUCT_MEASURE_OP + op],
                      "no segment has `%s`",
                      construct_name(CONSTRUCT_WHERE_OP + op));
}
END_TEST

/* What the table above has no row for. */
START_TEST(so_is_what_stands_beside_the_conditions)
{
    struct rules rules;
    int titles = 0, owners = 0, docs = 0, tags = 0, shadows = 0, paths = 0,
        measures = 0;
    load(&rules);
    for (int i = 0; i < rules.segment_count; i++) {
        const struct rule_segment *s = &rules.segments[i];
        titles += s->title.bytes != NULL;
        owners += s->owner.bytes != NULL;
        docs += s->docs.bytes != NULL;
        tags += s->tag_count;
        shadows += s->shadow;
        for (int t = 0; t < s->trigger_count; t++)
            for (int p = 0; p < s->triggers[t].property_count; p++) {
                paths += s->triggers[t].properties[p].kind == PROPERTY_PATH;
                measures +=
                    s->triggers[t].properties[p].kind == PROPERTY_MEASURE;
            }
    }
    ck_assert(titles && owners && docs && tags && shadows);
    ck_assert(paths && measures);
    ck_assert(rules.list_count && rules.score_count && rules.trait_count &&
              rules.test_count);
    rules_done(&rules);
}
END_TEST

SUITE("constructs", NULL, NULL, TEST(every_word_is_there),
      TEST(every_test_of_a_value_is_there),
      TEST(so_is_what_stands_beside_the_conditions))
