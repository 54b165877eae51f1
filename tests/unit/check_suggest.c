/* check_suggest.c: "did you mean". */
#include "lib/base/suggest.h"

#include "lib/base/text.h"
#include "tests/support/suite.h"

static const char *const offered[] = {
    "flush_interval", "future_skew", "clock", "app", "redo", "undo"};

static const struct {
    const char *word, *want; /* NULL: nothing. */
} words[] = {
    {"flush_interval", "flush_interval"},  /* The word itself. */
    {"flush_intervl", "flush_interval"},   /* One left out. */
    {"flush_intervall", "flush_interval"}, /* One too many. */
    {"flsuh_interval", "flush_interval"},  /* Two swapped. */
    {"FLUSH_interval", "flush_interval"},  /* Case is free. */
    {"flash_inteval", "flush_interval"},   /* Two mistakes. */
    {"flash_inteva", NULL},                /* Three. */
    {"clokc", "clock"},
    {"ndo", "undo"},  /* Up to three letters one mistake is allowed, */
    {"nod", NULL},    /* not two; */
    {"udno", "undo"}, /* a swap is one; */
    {"ap", "app"},
    {"x", NULL}, /* and of one letter none. */
    {"", NULL},
};

static char longest[SUGGEST_BYTES_MAX + 2];

START_TEST(words_beyond_the_limit_have_no_suggestion)
{
    for (int len = SUGGEST_BYTES_MAX - 1; len <= SUGGEST_BYTES_MAX + 1; len++) {
        struct suggest suggest;
        memset(longest, 'a', (size_t)len);
        struct seg_text word = {longest, (size_t)len};
        suggest_init(&suggest, word);
        suggest_offer(&suggest, word);
        ck_assert_msg(!suggest.best.bytes == (len > SUGGEST_BYTES_MAX),
                      "%d bytes", len);
    }
}
END_TEST

START_TEST(words_separated_by_bars_are_offered_each)
{
    struct suggest suggest;
    suggest_init(&suggest, text_of("recods"));
    suggest_offer_all(&suggest, "wall|records");
    ck_assert(text_equal(suggest.best, text_of("records")));
}
END_TEST

START_TEST(the_nearest_candidate_is_suggested)
{
    struct suggest suggest;
    suggest_init(&suggest, text_of(words[_i].word));
    for (int i = 0; i < COUNT(offered); i++)
        suggest_offer(&suggest, text_of(offered[i]));
    struct seg_text want = text_of(words[_i].want);
    ck_assert_msg(text_equal(suggest.best, want) &&
                      !suggest.best.bytes == !want.bytes,
                  "%s: got %s, want %s", words[_i].word,
                  suggest.best.bytes ? suggest.best.bytes : "nothing",
                  want.bytes ? want.bytes : "nothing");
}
END_TEST

SUITE("suggest", NULL, NULL, TABLE(the_nearest_candidate_is_suggested, words),
      TEST(words_beyond_the_limit_have_no_suggestion),
      TEST(words_separated_by_bars_are_offered_each))
