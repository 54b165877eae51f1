/* check_lex.c: texts to tokens. */
#include "lib/base/lex.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "tests/support/suite.h"

static struct arena arena;
static struct buf got;

static void setup(void)
{
    arena_init(&arena);
    buf_init(&got);
}

static void teardown(void)
{
    arena_done(&arena);
    buf_done(&got);
}

static void show(const struct token *token)
{
    static const char *const kinds[] = {
        "end",      "error",   "comment", "word", "string", "number",
        "duration", "percent", "date",    "list", "mark"};
    buf_printf(&got, "%u:%u%s %s ", token->line, token->column,
               token->starts_line ? "^" : "", kinds[token->kind]);
    switch (token->kind) {
    case TOKEN_END:
        break;
    case TOKEN_ERROR:
        buf_json_text(&got, token->source);
        buf_printf(&got, " %s%s%s", token->error,
                   token->better.bytes ? " " : "",
                   token->better.bytes ? token->better.bytes : "");
        break;
    case TOKEN_STRING:
        buf_json_text(&got, token->text);
        ck_assert_int_eq(token->text.bytes[token->text.len], 0);
        break;
    case TOKEN_NUMBER:
    case TOKEN_PERCENT:
        buf_json_value(&got, &token->value);
        break;
    case TOKEN_DURATION:
    case TOKEN_DATE:
        buf_printf(&got, "%" PRId64, token->ms);
        break;
    case TOKEN_COMMENT:
    case TOKEN_WORD:
    case TOKEN_LIST:
    case TOKEN_MARK:
        buf_text(&got, token->text);
        break;
    }
    buf_str(&got, "; ");
}

static const char *tokens(const char *bytes, size_t len)
{
    struct lexer lexer;
    struct token token;
    lex_init(&lexer, (struct seg_text){bytes, len}, &arena);
    buf_reset(&got);
    do {
        token = lex_next(&lexer);
        show(&token);
    } while (token.kind != TOKEN_END);
    token = lex_next(&lexer);
    ck_assert_int_eq(token.kind, TOKEN_END);
    return buf_string(&got);
}

static const struct {
    const char *text, *want;
} texts[] = {
    {"", "1:1^ end ; "},
    {" \t\r\n ", "2:2^ end ; "},
    {"\xef\xbb\xbf"
     "a",
     "1:1^ word a; 1:2 end ; "},
    {"a_1 half-life B", "1:1^ word a_1; 1:5 word half-life; 1:15 word B; "
                        "1:16 end ; "},
    {"a- b", "1:1^ word a; 1:2 mark -; 1:4 word b; 1:5 end ; "},
    {"a.b=c", "1:1^ word a; 1:2 mark .; 1:3 word b; 1:4 mark =; 1:5 word c; "
              "1:6 end ; "},
    {"a<=b==c", "1:1^ word a; 1:2 mark <=; 1:4 word b; 1:5 mark ==; "
                "1:7 word c; 1:8 end ; "},
    {"{}()[],", "1:1^ mark {; 1:2 mark }; 1:3 mark (; 1:4 mark ); 1:5 mark [; "
                "1:6 mark ]; 1:7 mark ,; 1:8 end ; "},
    {"@l @", "1:1^ list l; 1:4 error \"@\" The name of a list follows @ "
             "directly.; 1:5 end ; "},
    /* comments */
    {"# own \r\na # trailing\n", "1:1^ comment # own; 2:1^ word a; "
                                 "2:3 comment # trailing; 3:1^ end ; "},
    {"// x\na", "1:1^ error \"// x\" Comments begin with #.; 2:1^ word a; "
                "2:2 end ; "},
    /* strings */
    {"\"\" \"a\\\"b\\\\\\/\\n\\t\\u00e9\\ud83d\\ude00\"",
     "1:1^ string \"\"; 1:4 string "
     "\"a\\\"b\\\\/\\n\\t\xc3\xa9\xf0\x9f\x98\x80\"; "
     "1:36 end ; "},
    {"\"a # b\"", "1:1^ string \"a # b\"; 1:8 end ; "},
    {"\"a\nb", "1:1^ error \"\\\"a\" The closing quote is missing.; "
               "2:1^ word b; 2:2 end ; "},
    {"\"a\\\nb", "1:1^ error \"\\\"a\\\\\" The closing quote is missing.; "
                 "2:1^ word b; 2:2 end ; "},
    {"\"", "1:1^ error \"\\\"\" The closing quote is missing.; 1:2 end ; "},
    {"\"\\", "1:1^ error \"\\\"\\\\\" The closing quote is missing.; "
             "1:3 end ; "},
    {"\"ab\\x\" c", "1:4^ error \"\\\\x\" This escape is unknown; a backslash "
                    "is written \\\\.; 1:8 word c; 1:9 end ; "},
    {"\"\\ud800x\"", "1:2^ error \"\\\\u\" This escape is no character.; "
                     "1:10 end ; "},
    {"\"\\udc00\"", "1:2^ error \"\\\\u\" This escape is no character.; "
                    "1:9 end ; "},
    {"\"\\u12g4\"", "1:2^ error \"\\\\u\" \\u needs four hex digits.; "
                    "1:9 end ; "},
    {"'a b' c", "1:1^ error \"'a b'\" Strings stand in plain double quotes. "
                "\"a b\"; 1:7 word c; 1:8 end ; "},
    {"don't", "1:1^ word don; 1:4 error \"'\" Strings stand in plain double "
              "quotes.; 1:5 word t; 1:6 end ; "},
    {"caf\xc3\xa9", "1:1^ error \"caf\xc3\xa9\" This can stand only inside "
                    "quotes. \"caf\xc3\xa9\"; 1:6 end ; "},
    /* numbers */
    {"0 -1 9223372036854775807 -9223372036854775808",
     "1:1^ number 0; 1:3 number -1; 1:6 number 9223372036854775807; "
     "1:26 number -9223372036854775808; 1:46 end ; "},
    {"9223372036854775808 -9223372036854775809",
     "1:1^ number 9.223372036854776e+18; 1:21 number -9.223372036854776e+18; "
     "1:41 end ; "},
    {"0.5 1e3 -2.5E-1 1.", "1:1^ number 0.5; 1:5 number 1000.0; "
                           "1:9 number -0.25; 1:17 number 1; 1:18 mark .; "
                           "1:19 end ; "},
    {"01 1e400", "1:1^ error \"01\" A number has no leading zeros.; "
                 "1:4 error \"1e400\" This number is too large.; 1:9 end ; "},
    {"5,6", "1:1^ number 5; 1:2 mark ,; 1:3 number 6; 1:4 end ; "},
    {"- 1", "1:1^ mark -; 1:3 number 1; 1:4 end ; "},
    /* durations, percents, dates */
    {"500ms 90s 15m 6h 7d 2w 1d12h",
     "1:1^ duration 500; 1:7 duration 90000; 1:11 duration 900000; "
     "1:15 duration 21600000; 1:18 duration 604800000; "
     "1:21 duration 1209600000; 1:24 duration 129600000; 1:29 end ; "},
    {"36500d", "1:1^ duration 3153600000000; 1:7 end ; "},
    {"1d12", "1:1^ error \"1d12\" This is no number, duration or date; "
             "durations are 500ms 90s 15m 6h 7d 2w and sums of them, up to "
             "36500d.; 1:5 end ; "},
    {"10minutes", "1:1^ error \"10minutes\" This is no number, duration or "
                  "date; durations are 500ms 90s 15m 6h 7d 2w and sums of "
                  "them, up to 36500d. 10m; 1:10 end ; "},
    {"70% 0.5% 12.25% 1.125% -1%",
     "1:1^ percent 7000; 1:5 percent 50; 1:10 percent 1225; "
     "1:17 error \"1.125%\" A percent is a number from 0 on with at most two "
     "decimals.; 1:24 error \"-1%\" A percent is a number from 0 on with at "
     "most two decimals.; 1:27 end ; "},
    {"1970-01-02 1970-01-01T00:00:01Z 1970-01-01T01:00+01:00",
     "1:1^ date 86400000; 1:12 date 1000; 1:33 date 0; 1:55 end ; "},
    {"2026-13-01", "1:1^ error \"2026-13-01\" This is no date; dates are "
                   "2026-01-31, 2026-01-31T12:00Z or "
                   "2026-01-31T12:00:00.000+02:00.; 1:11 end ; "},
    {"2026-a", "1:1^ number 2026; 1:5 mark -; 1:6 word a; 1:7 end ; "},
    /* bytes that no text has */
    {"a\n\x02"
     "b",
     "2:1 error \"\\u0002\" A control character stands here.; "
     "2:3 end ; "},
    {"a\rb", "1:2 error \"\\r\" A carriage return stands here alone; end lines "
             "with a line feed.; 1:4 end ; "},
};

START_TEST(a_text_is_its_tokens)
{
    const char *all = tokens(texts[_i].text, strlen(texts[_i].text));
    ck_assert_msg(!strcmp(all, texts[_i].want), "%s:\ngot  %s\nwant %s",
                  texts[_i].text, all, texts[_i].want);
}
END_TEST

START_TEST(a_zero_byte_is_no_text)
{
    ck_assert_str_eq(tokens("a\0b", 3),
                     "1:2 error \"\\u0000\" A control character stands here.; "
                     "1:4 end ; ");
}
END_TEST

/* UTF-8 is what RFC 3629 says, nothing longer, no surrogates. */
static const struct {
    const char *bytes;
    int len;
} sequences[] = {
    {"a", 1},
    {"\xc3\xa9", 2},
    {"\xe2\x82\xac", 3},
    {"\xf0\x9f\x98\x80", 4},
    {"\xf4\x8f\xbf\xbf", 4},
    {"\xed\x9f\xbf", 3},
    {"\xee\x80\x80", 3},
    {"\xc0\x80", 0},
    {"\xc1\xbf", 0},
    {"\xe0\x9f\xbf", 0},
    {"\xed\xa0\x80", 0},
    {"\xf0\x8f\xbf\xbf", 0},
    {"\xf4\x90\x80\x80", 0},
    {"\xf5\x80\x80\x80", 0},
    {"\x80", 0},
    {"\xe2\x82", 0},
    {"\xe2\x82"
     "a",
     0},
};

START_TEST(a_sequence_of_bytes_is_a_character)
{
    const char *bytes = sequences[_i].bytes;
    int len = utf8_len(bytes, bytes + strlen(bytes));
    ck_assert_msg(len == sequences[_i].len, "row %d: got %d want %d", _i, len,
                  sequences[_i].len);
}
END_TEST

START_TEST(strings_and_numbers_have_limits)
{
    for (int over = -1; over <= 1; over++) {
        struct lexer lexer;
        size_t len = (size_t)(SEG_STRING_BYTES_MAX + over);
        buf_reset(&got);
        buf_char(&got, '"');
        for (size_t i = 0; i < len; i++)
            buf_char(&got, 'x');
        buf_char(&got, '"');
        lex_init(&lexer, (struct seg_text){got.bytes, got.len}, &arena);
        enum token_kind kind = lex_next(&lexer).kind;
        ck_assert_int_eq(kind, over > 0 ? TOKEN_ERROR : TOKEN_STRING);
        ck_assert_int_eq(lex_next(&lexer).kind, TOKEN_END);
        buf_reset(&got);
        buf_str(&got, "0.");
        for (int i = 0; i < 509 + over; i++)
            buf_char(&got, '1');
        lex_init(&lexer, (struct seg_text){got.bytes, got.len}, &arena);
        kind = lex_next(&lexer).kind;
        ck_assert_int_eq(kind, over > 0 ? TOKEN_ERROR : TOKEN_NUMBER);
    }
}
END_TEST

static const struct {
    const char *word, *unit;
} units[] = {
    {"day", "d"},   {"Days", "d"}, {"d", "d"},       {"hrs", "h"},
    {"weeks", "w"}, {"min", "m"},  {"mins", "m"},    {"seconds", "s"},
    {"ms", "ms"},   {"dayss", ""}, {"month", ""},    {"ds", ""},
    {"", ""},       {"da", ""},    {"minutes", "m"},
};

START_TEST(a_word_means_a_unit)
{
    const char *unit = lex_unit(text_of(units[_i].word));
    ck_assert_msg(!strcmp(unit ? unit : "", units[_i].unit), "%s: got %s",
                  units[_i].word, unit ? unit : "none");
}
END_TEST

SUITE("lex", setup, teardown, TABLE(a_text_is_its_tokens, texts),
      TEST(a_zero_byte_is_no_text),
      TABLE(a_sequence_of_bytes_is_a_character, sequences),
      TEST(strings_and_numbers_have_limits), TABLE(a_word_means_a_unit, units))
