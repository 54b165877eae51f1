/* check_event.c: JSON in, event out (lib/event/decoder.c and what it is made
 * of). What bad input becomes is in check_poison.c. */
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/event/decoder.h"
#include "tests/support/suite.h"

/* ---- a decoder that reads these -------------------------------------- */

#define NAMES(...)            \
    (const struct seg_text[]) \
    {                         \
        __VA_ARGS__           \
    }

static const struct path paths[] = {
    {PATH_PROPERTIES, 1, NAMES({"total", 5})},
    {PATH_PROPERTIES, 1, NAMES({"path", 4})},
    {PATH_PROPERTIES, 1, NAMES({"name", 4})},
    {PATH_CONTEXT, 2, NAMES({"device", 6}, {"type", 4})},
    {PATH_EVENT, 1, NAMES({"name", 4})},
    {PATH_EVENT, 1, NAMES({"type", 4})},
    {PATH_EVENT, 1, NAMES({"id", 2})},
    {PATH_PROPERTIES, 2, NAMES({"cart", 4}, {"id", 2})},
    {PATH_PROPERTIES, 1, NAMES({"cart", 4})},
    {PATH_PROPERTIES, 3, NAMES({"a", 1}, {"", 0}, {"c", 1})},
    {PATH_PROPERTIES, 1, NAMES({"first name", 10})},
    {PATH_PROPERTIES, 1, NAMES({"a name of more than 16 bytes", 28})},
    {PATH_PROPERTIES, 1, NAMES({"a name of more THAN 16 bytes", 28})},
    {PATH_PROPERTIES, 1, NAMES({"list", 4})},
    {PATH_CONTEXT, 1, NAMES({"total", 5})},
};

static const struct path trait_paths[] = {
    {PATH_USER, 2, NAMES({"address", 7}, {"city", 4})},
    {PATH_ACCOUNT, 2, NAMES({"plan", 4}, {"tier", 4})},
};

static struct event_spec spec = {
    .path_count = COUNT(paths),
    .paths = paths,
    .trait_path_count = COUNT(trait_paths),
    .trait_paths = trait_paths,
};

static struct seg_decoder *decoder;

static void setup(void)
{
    uint32_t number;
    intern_init(&spec.names);
    ck_assert_int_eq(intern_add(&spec.names, text_of("Order Placed"), &number),
                     1);
    ck_assert_int_eq(intern_add(&spec.names, text_of("Page Viewed"), &number),
                     1);
    ck_assert_int_eq(decoder_new(&decoder, &spec), 0);
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    intern_done(&spec.names);
}

/* ---- an event as text ------------------------------------------------ */

static void show_text(struct buf *buf, const char *what, struct seg_text text)
{
    if (!text.bytes)
        return;
    buf_printf(buf, " %s=", what);
    buf_json_text(buf, text);
}

static void show_value(struct buf *buf, const struct seg_value *value)
{
    if (value->type == SEG_OBJECT)
        buf_str(buf, "{..}");
    else
        buf_json_value(buf, value);
}

static void show(struct buf *buf, const struct seg_event *event)
{
    static const char *const types[] = {"track", "page", "screen", "identify",
                                        "group"};
    buf_str(buf, types[event->type]);
    show_text(buf, "name", event->name);
    if (event->name_id != SEG_NAME_NONE)
        buf_printf(buf, "#%u", event->name_id);
    show_text(buf, "user", event->user_id);
    show_text(buf, "id", event->message_id);
    show_text(buf, "group", event->group_id);
    if (event->time_state == SEG_TIME_GIVEN)
        buf_printf(buf, " at=%lld", (long long)event->time_ms);
    if (event->time_state == SEG_TIME_UNREADABLE)
        buf_str(buf, " at=?");
    for (uint32_t i = 0; i < event->field_count; i++) {
        buf_printf(buf, " %u=", event->fields[i].path);
        show_value(buf, &event->fields[i].value);
    }
    for (uint32_t i = 0; i < event->trait_count; i++) {
        buf_char(buf, ' ');
        buf_text(buf, event->traits[i].name);
        buf_char(buf, ':');
        show_value(buf, &event->traits[i].value);
    }
}

/* Decode the LEN bytes at JSON from memory that ends with them. */
static int decode(const char *json, size_t len, struct seg_event *event)
{
    char *exact = malloc(len ? len : 1);
    struct seg_error detail = {0};
    memcpy(exact, json, len);
    int result = seg_decode(decoder, exact, len, event, &detail);
    explicit_bzero(exact, len);
    free(exact);
    return result;
}

static void expect(const char *json, const char *want)
{
    struct seg_event event;
    struct buf got;
    buf_init(&got);
    int result = decode(json, strlen(json), &event);
    if (result < 0)
        buf_str(&got, seg_error_name(result));
    else
        show(&got, &event);
    ck_assert_msg(!strcmp(buf_string(&got), want),
                  "%s\n     got %s\n    want %s", json, buf_string(&got), want);
    buf_done(&got);
}

/* ---- tables ---------------------------------------------------------- */

#define T "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\""
#define E "track name=\"E\" user=\"u\""
#define DEEP                                                           \
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" \
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
#define OWN " 4=\"E\" 5=\"track\""

static const struct {
    const char *json, *want;
} messages[] = {
    {"{\"type\":\"track\",\"event\":\"Order Placed\",\"userId\":\"u1\","
     "\"messageId\":\"m1\",\"timestamp\":\"2026-01-02T03:04:05.678Z\","
     "\"properties\":{\"total\":9.5,\"path\":\"/a\"}}",
     "track name=\"Order Placed\"#0 user=\"u1\" id=\"m1\" at=1767323045678 "
     "0=9.5 1=\"/a\" 4=\"Order Placed\" 5=\"track\" 6=\"m1\""},
    {" { \"userId\" : \"u\" , \"event\" : \"E\" , \"type\" : \"track\" } \n",
     E OWN},
    {T "}", E OWN},

    /* Who. */
    {"{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\"}",
     "track name=\"E\" user=\"a\"" OWN},
    {"{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\",\"userId\":"
     "\"u\"}",
     E OWN},
    {"{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\",\"userId\":"
     "null}",
     "track name=\"E\" user=\"a\"" OWN},
    {"{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\",\"userId\":"
     "\"\"}",
     "track name=\"E\" user=\"a\"" OWN},
    {"{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":7,\"userId\":\"u\"}",
     E OWN},
    {"{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":7}", "bad_user_id"},
    {"{\"type\":\"track\",\"event\":\"E\",\"userId\":\"\\u00fc \\\"x\\\"\"}",
     "track name=\"E\" user=\"\xc3\xbc \\\"x\\\"\"" OWN},

    {"{\"type\":\"track\",\"event\":\"E\",\"userId\":\"\\ufffd\"}",
     "track name=\"E\" user=\"\xef\xbf\xbd\"" OWN},

    /* When. */
    {T ",\"timestamp\":\"2026-01-02\"}", E " at=1767312000000" OWN},
    {T ",\"timestamp\":\"2026-01-02T03:04:05+01:00\"}",
     E " at=1767319445000" OWN},
    {T ",\"timestamp\":\"2026-01-02T03\\u003a04:05.678Z\"}",
     E " at=1767323045678" OWN},
    {T ",\"timestamp\":1767323045}", E " at=1767323045000" OWN},
    {T ",\"timestamp\":1767323045678}", E " at=1767323045678" OWN},
    {T ",\"timestamp\":1767323045.678}", E " at=1767323045678" OWN},
    {T ",\"timestamp\":null}", E OWN},
    {T ",\"timestamp\":\"\"}", E " at=?" OWN},
    {T ",\"timestamp\":true}", E " at=?" OWN},
    {T ",\"timestamp\":{}}", E " at=?" OWN},
    {T ",\"timestamp\":1e309}", E " at=?" OWN},

    /* Pages and screens. */
    {"{\"type\":\"page\",\"userId\":\"u\",\"name\":\"Home\"}",
     "page name=\"Page Viewed\"#1 user=\"u\" 2=\"Home\" 4=\"Page Viewed\" "
     "5=\"page\""},
    {"{\"type\":\"page\",\"userId\":\"u\",\"name\":\"Home\",\"properties\":"
     "{\"name\":\"Inner\"}}",
     "page name=\"Page Viewed\"#1 user=\"u\" 2=\"Inner\" 4=\"Page Viewed\" "
     "5=\"page\""},
    {"{\"type\":\"page\",\"userId\":\"u\",\"name\":\"Home\",\"properties\":"
     "{\"name\":null,\"path\":\"/\"}}",
     "page name=\"Page Viewed\"#1 user=\"u\" 1=\"/\" 2=\"Home\" "
     "4=\"Page Viewed\" 5=\"page\""},
    {"{\"type\":\"screen\",\"userId\":\"u\",\"event\":7}",
     "screen name=\"Screen Viewed\" user=\"u\" 4=\"Screen Viewed\" "
     "5=\"screen\""},
    {T ",\"name\":\"Home\"}", E OWN},

    /* Fields. */
    {T ",\"properties\":{\"total\":1,\"unread\":2},\"context\":{\"total\":3}}",
     E " 0=1" OWN " 14=3"},
    {T ",\"context\":{\"device\":{\"type\":\"ios\",\"type2\":1}}}",
     E " 3=\"ios\"" OWN},
    {T ",\"context\":{\"device\":\"ios\"}}", E OWN},
    {T ",\"context\":{\"device\":[{\"type\":\"ios\"}]}}", E OWN},
    {T ",\"properties\":{\"cart\":{\"id\":7}}}", E OWN " 7=7 8={..}"},
    {T ",\"properties\":{\"cart\":7}}", E OWN " 8=7"},
    {T ",\"properties\":{\"a\":{\"\":{\"c\":true}}}}", E OWN " 9=true"},
    {T ",\"properties\":{\"first name\":\"x\"}}", E OWN " 10=\"x\""},
    {T ",\"properties\":{\"fir\\u0073t\\u0020name\":\"x\"}}",
     E OWN " 10=\"x\""},
    {T
     ",\"properties\":{\"a name of more than 16 bytes\":1,"
     "\"a name of more THAN 16 bytes\":2,\"a name of more Than 16 bytes\":3}}",
     E OWN " 11=1 12=2"},
    {T ",\"properties\":null,\"context\":7}", E OWN},
    {"{\"\\u0074ype\":\"\\u0074rack\",\"event\":\"E\",\"userId\":\"u\","
     "\"properties\":{\"to\\u0074al\":1}}",
     E " 0=1" OWN},

    /* Values. */
    {T ",\"properties\":{\"total\":null}}", E OWN},
    {T ",\"properties\":{\"total\":\"\"}}", E " 0=\"\"" OWN},
    {T ",\"properties\":{\"total\":false}}", E " 0=false" OWN},
    {T ",\"properties\":{\"total\":{}}}", E " 0={..}" OWN},
    {T ",\"properties\":{\"list\":[]}}", E OWN " 13=[]"},
    {T ",\"properties\":{\"list\":[ 1 , \"a\" ,null,true,[2,[]],{\"b\":[3]}]}}",
     E OWN " 13=[1,\"a\",null,true,[2,[]],{}]"},
    {T ",\"properties\":{\"path\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}}",
     E " 1=\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\"" OWN},
    {T ",\"properties\":{\"path\":\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"}}",
     E " 1=\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" OWN},
    {T ",\"properties\":{\"path\":\"\\uDE00\\uD83D.\\uD83D\\uD83D\\uDE00\"}}",
     E " 1=\"\xef\xbf\xbd\xef\xbf\xbd.\xef\xbf\xbd\xf0\x9f\x98\x80\"" OWN},
    {T ",\"properties\":{\"path\":\"a\\u0000b\"}}", E " 1=\"a\\u0000b\"" OWN},
    {T ",\"properties\":{\"path\":\" \\\\\" }}", E " 1=\" \\\\\"" OWN},
    {T ",\"properties\":{\"path\":\"{}[]:,\\\"\"}}", E " 1=\"{}[]:,\\\"\"" OWN},

    /* The last of two members holds. */
    {"{\"type\":\"page\",\"event\":\"D\",\"userId\":\"v\",\"messageId\":\"m\","
     "\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"messageId\":null}",
     E OWN},
    {"{\"userId\":\"u\",\"userId\":null,\"anonymousId\":\"a\",\"type\":"
     "\"track\","
     "\"event\":\"E\"}",
     "track name=\"E\" user=\"a\"" OWN},
    {T ",\"properties\":{\"total\":1,\"path\":\"p\"},\"properties\":{\"total\":"
       "2}}",
     E " 0=2" OWN},
    {T ",\"properties\":{\"total\":1,\"total\":2}}", E " 0=2" OWN},
    {T ",\"properties\":{\"total\":1,\"total\":null}}", E OWN},
    {T ",\"properties\":{\"cart\":{\"id\":1},\"cart\":{\"x\":2}}}",
     E OWN " 8={..}"},
    {T ",\"properties\":{\"cart\":{\"id\":1,\"id\":3},\"cart\":{\"id\":1,"
       "\"id\":2}}}",
     E OWN " 7=2 8={..}"},
    {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":1,\"b\":2,"
     "\"\\u0061\":3}}",
     "identify user=\"u\" a:3 b:2"},

    {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":" DEEP
     ",\"a\":1}}",
     "identify user=\"u\" a:1"},
    {T ",\"properties\":{\"list\":" DEEP ",\"list\":1}}", E OWN " 13=1"},
    {T ",\"properties\":{\"list\":1,\"list\":" DEEP "}}", "too_deep"},

    /* Attributes. */
    {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"plan\":\"pro\","
     "\"age\":null,\"tags\":[\"a\"],\"address\":{\"city\":\"Bonn\",\"zip\":1}},"
     "\"properties\":{\"total\":1},\"context\":{\"total\":1},\"event\":7}",
     "identify user=\"u\" 15=\"Bonn\" plan:\"pro\" age:null tags:[\"a\"] "
     "address:{..}"},
    {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"address\":"
     "{\"city\":\"Bonn\"},\"address\":{\"city\":null}}}",
     "identify user=\"u\" address:{..}"},
    {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"plan\":{\"tier\":1}"
     "}}",
     "identify user=\"u\" plan:{..}"},
    {"{\"type\":\"identify\",\"userId\":\"u\",\"groupId\":7}",
     "identify user=\"u\""},
    {"{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"g\",\"traits\":"
     "{\"plan\":{\"tier\":1},\"address\":{\"city\":\"Bonn\"}}}",
     "group user=\"u\" group=\"g\" 16=1 plan:{..} address:{..}"},
    {"{\"type\":\"group\",\"userId\":\"u\",\"groupId\":null}", "no_group_id"},
    {"{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"\"}", "no_group_id"},
    {T ",\"traits\":{\"plan\":\"pro\"}}", E OWN},
};

START_TEST(a_message_becomes_an_event)
{
    expect(messages[_i].json, messages[_i].want);
}
END_TEST

static const struct {
    const char *json;
    enum seg_value_type type;
} numbers[] = {
    {"0", SEG_INT},
    {"-0", SEG_INT},
    {"-0.0", SEG_DOUBLE},
    {"1.0", SEG_DOUBLE},
    {"1e3", SEG_DOUBLE},
    {"1E+3", SEG_DOUBLE},
    {"25e-1", SEG_DOUBLE},
    {"9223372036854775807", SEG_INT},
    {"-9223372036854775808", SEG_INT},
    {"9223372036854775808", SEG_DOUBLE},
    {"-9223372036854775809", SEG_DOUBLE},
    {"18446744073709551615", SEG_DOUBLE},
    {"18446744073709551616", SEG_DOUBLE},
    {"123456789012345678901234567890", SEG_DOUBLE},
    {"0.1", SEG_DOUBLE},
    {"0.3", SEG_DOUBLE},
    {"9007199254740993.0", SEG_DOUBLE},
    {"9007199254740993", SEG_INT},
    {"0.7294837462938475", SEG_DOUBLE},
    {"7.2948374629384751e-5", SEG_DOUBLE},
    {"0.12345678901234567890123", SEG_DOUBLE},
    {"0.000000000000000000000000012345678901234567890123", SEG_DOUBLE},
    {"123456789012345678901234567890e-30", SEG_DOUBLE},
    {"2.2250738585072011e-308", SEG_DOUBLE},
    {"5e-324", SEG_DOUBLE},
    {"2e-324", SEG_DOUBLE},
    {"1e-400", SEG_DOUBLE},
    {"-1e-400", SEG_DOUBLE},
    {"1e-99999999999999999999", SEG_DOUBLE},
    {"0e99999999999999999999", SEG_DOUBLE},
    {"1.7976931348623157e308", SEG_DOUBLE},
    {"1.7976931348623159e308", SEG_MISSING},
    {"1e309", SEG_MISSING},
    {"-1e309", SEG_MISSING},
    {"1e99999999999999999999", SEG_MISSING},
    {"1e22", SEG_DOUBLE},
    {"1e23", SEG_DOUBLE},
    {"3.0e22", SEG_DOUBLE},
};

/* The C library is the judge. */
START_TEST(a_number_is_read_exactly_or_to_the_nearest_double)
{
    char json[256];
    struct seg_event event;
    const char *number = numbers[_i].json;
    enum seg_value_type want = numbers[_i].type;
    int len = snprintf(json, sizeof(json), T ",\"properties\":{\"total\":%s}}",
                       number);
    ck_assert_int_eq(decode(json, (size_t)len, &event), 0);
    const struct seg_value *got = &event.fields[0].value;
    ck_assert_int_eq(event.field_count, want == SEG_MISSING ? 2 : 3);
    if (want == SEG_MISSING)
        return;
    ck_assert_msg(got->type == want, "%s: type %d", number, got->type);
    if (want == SEG_INT)
        ck_assert_int_eq(got->as.integer, strtoll(number, NULL, 10));
    double nearest = strtod(number, NULL);
    ck_assert_msg(want == SEG_INT ||
                      !memcmp(&got->as.number, &nearest, sizeof(nearest)),
                  "%s: got %.17g", number, got->as.number);
}
END_TEST

static const char *const bad_texts[] = {
    "{",
    "}",
    "{}}",
    "{{}}",
    "{]",
    "[}",
    "{\"a\"}",
    "{\"a\":}",
    "{:1}",
    "{,}",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\" 1}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{\"a\":[1 2]}",
    "{\"a\":[,1]}",
    "{\"a\":[1,]}",
    "{\"a\":[1,,2]}",
    "{\"a\":[}",
    "{\"a\":[1}}",
    "{\"a\":{]}}",
    "{\"a\":[1:2]}",
    "{\"a\":[1 :2]}",
    "{\"a\":[\"b\":2]}",
    "{\"a\":\"b\":\"c\":2}",
    "{\"a\":]}",
    "{\"a\":tru}",
    "{\"a\":trues}",
    "{\"a\":true1}",
    "{\"a\":nul}",
    "{\"a\":nulll}",
    "{\"a\":fals}",
    "{\"a\":falsee}",
    "{\"a\":TRUE}",
    "{\"a\":t}",
    "{\"a\":f}",
    "{\"a\":n}",
    "{\"a\":-}",
    "{\"a\":+1}",
    "{\"a\":01}",
    "{\"a\":-01}",
    "{\"a\":1.}",
    "{\"a\":.5}",
    "{\"a\":1.e5}",
    "{\"a\":1e}",
    "{\"a\":1e+}",
    "{\"a\":1e1.5}",
    "{\"a\":0x1}",
    "{\"a\":NaN}",
    "{\"a\":Infinity}",
    "{\"a\":1a}",
    "{\"a\":1\"b\"}",
    "{\"a\":\"b\"c}",
    "{\"a\":\"b\"\"c\"}",
    "{\"a\":1/**/}",
    "{\"a\":1}//",
    "{\"a\"b:1}",
    "{\"a\":\"\\\"}",
    "{\"a\":\"\\a\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u123g\"}",
    "{\"a\":\"\\u 123\"}",
    "{\"a\":\"\\U0041\"}",
    "{\"a\":\"b}",
    "{\"a\":\\\"b\"}",
    "{\"a\":1\\}",
    "{\\}",
    "{\"a\":\"\t\"}",
    "{\"a\":\"b\",\"c\":\"d}",
    "{\"a\":true,\"b\":[1,{\"c\":2]}}",
    "{} {}",
    "{}1",
    "{}\"\"",
    "{}null",
    "{\"a\":1}]",
    "{\"a\":1\f}",
    "{\"a\":\v1}",
    "\xc2\xa0{}",
    "{\"a\":1\xc2\xa0}",
    "{\"a\":1}\xc2\xa0",
};

/* Before and behind something that is good, in a field that nobody reads. */
START_TEST(bad_json_is_refused_wherever_it_stands)
{
    static const char *const frames[][2] = {
        {"", ""},
        {"{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"x\":", "}"},
        {"{\"x\":[0,",
         "],\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"}"},
    };
    struct seg_event event;
    char json[512];
    for (int i = 0; i < COUNT(frames); i++) {
        int len = snprintf(json, sizeof(json), "%s%s%s", frames[i][0],
                           bad_texts[_i], frames[i][1]);
        int got = decode(json, (size_t)len, &event);
        ck_assert_msg(got == SEG_ERR_JSON || (!i && got == SEG_ERR_NOT_OBJECT),
                      "%s: got %s", json, seg_error_name(got));
    }
}
END_TEST

START_TEST(every_beginning_of_a_message_is_refused)
{
    const char *json = messages[0].json;
    struct seg_event event;
    for (size_t len = 1; len < strlen(json); len++) {
        int got = decode(json, len, &event);
        ck_assert_msg(got == SEG_ERR_JSON, "%zu bytes: got %s", len,
                      seg_error_name(got));
    }
}
END_TEST

/* ---- limits ---------------------------------------------------------- */

static void repeat(struct buf *buf, const char *text, size_t count)
{
    while (count--)
        buf_str(buf, text);
}

static const struct limit {
    const char *what, *head, *unit, *middle, *close, *tail;
    size_t max; /* Units at the limit. */
    int error;
} limits[] = {
    {"userId", "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"", "u", "", "",
     "\"}", SEG_ID_BYTES_MAX, SEG_ERR_USER_ID},
    {"anonymousId", "{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"",
     "u", "", "", "\"}", SEG_ID_BYTES_MAX, SEG_ERR_USER_ID},
    {"userId, escaped", "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"",
     "\\u0041", "", "", "\"}", SEG_ID_BYTES_MAX, SEG_ERR_USER_ID},
    {"groupId", "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"", "g", "",
     "", "\"}", SEG_ID_BYTES_MAX, SEG_ERR_GROUP_ID},
    {"event", "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"", "e", "", "",
     "\"}", SEG_NAME_BYTES_MAX, SEG_ERR_NAME_BYTES},
    {"a text", T ",\"properties\":{\"path\":\"", "a", "", "", "\"}}",
     SEG_STRING_BYTES_MAX, SEG_ERR_STRING_BYTES},
    {"a text in a list", T ",\"properties\":{\"list\":[1,\"", "a", "", "",
     "\"]}}", SEG_STRING_BYTES_MAX, SEG_ERR_STRING_BYTES},
    {"a trait", "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":\"",
     "a", "", "", "\"}}", SEG_STRING_BYTES_MAX, SEG_ERR_STRING_BYTES},
    {"a trait's name", "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"",
     "a", "", "", "\":1}}", SEG_STRING_BYTES_MAX, SEG_ERR_STRING_BYTES},
    {"depth", T ",\"properties\":{\"list\":", "[", "", "]", "}}",
     SEG_DEPTH_MAX - 2, SEG_ERR_DEPTH},
    {"depth of a trait",
     "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":", "[", "1",
     "]", "}}", SEG_DEPTH_MAX - 2, SEG_ERR_DEPTH},
    {"properties", T ",\"properties\":{", "\"a\":[[],{}],", "\"b\":1", "", "}}",
     SEG_PROPERTIES_MAX - 1, SEG_ERR_PROPERTIES},
    {"traits",
     "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"g\",\"traits\":{",
     "\"a\":1,", "\"b\":1", "", "}}", SEG_PROPERTIES_MAX - 1,
     SEG_ERR_PROPERTIES},
    {"bytes", T ",\"a\":\"", "a", "", "", "\"}",
     SEG_EVENT_BYTES_MAX - (sizeof(T ",\"a\":\"\"}") - 1), SEG_ERR_EVENT_BYTES},
};

START_TEST(a_limit_is_where_it_is_said_to_be)
{
    const struct limit *limit = &limits[_i];
    for (int beyond = -1; beyond <= 1; beyond++) {
        struct seg_event event;
        struct buf json;
        size_t count = limit->max + (size_t)beyond;
        buf_init(&json);
        buf_str(&json, limit->head);
        repeat(&json, limit->unit, count);
        buf_str(&json, limit->middle);
        repeat(&json, limit->close, count);
        buf_str(&json, limit->tail);
        int got = decode(json.bytes, json.len, &event);
        ck_assert_msg(got == (beyond > 0 ? limit->error : 0),
                      "%s: limit %+d (%zu bytes) gives %s", limit->what, beyond,
                      json.len, got ? seg_error_name(got) : "an event");
        buf_done(&json);
    }
}
END_TEST

START_TEST(a_message_id_beyond_the_limit_is_none)
{
    for (int beyond = -1; beyond <= 1; beyond++) {
        struct seg_event event;
        struct buf json;
        size_t len = (size_t)(SEG_ID_BYTES_MAX + beyond);
        buf_init(&json);
        buf_str(&json, T ",\"messageId\":\"");
        repeat(&json, "m", len);
        buf_str(&json, "\"}");
        ck_assert_int_eq(decode(json.bytes, json.len, &event), 0);
        ck_assert_int_eq(event.message_id.len, beyond > 0 ? 0 : len);
        ck_assert_int_eq(event.message_id.bytes == NULL, beyond > 0);
        buf_done(&json);
    }
}
END_TEST

/* Objects on the way to a path count, too. */
START_TEST(a_path_ends_at_the_greatest_depth)
{
    static struct seg_text names[SEG_DEPTH_MAX];
    struct path path = {PATH_PROPERTIES, 0, names};
    struct event_spec deep = {.path_count = 1, .paths = &path};
    for (int i = 0; i < SEG_DEPTH_MAX; i++)
        names[i] = text_of("a");
    for (int beyond = -1; beyond <= 1; beyond++) {
        struct seg_decoder *own;
        struct seg_event event;
        struct buf json;
        path.count = SEG_DEPTH_MAX - 1 + beyond;
        buf_init(&json);
        buf_str(&json, T ",\"properties\":");
        repeat(&json, "{\"a\":", (size_t)path.count);
        buf_str(&json, "7");
        repeat(&json, "}", (size_t)path.count + 1);
        ck_assert_int_eq(decoder_new(&own, &deep), 0);
        int got = seg_decode(own, json.bytes, json.len, &event, NULL);
        ck_assert_msg(got == (beyond > 0 ? SEG_ERR_DEPTH : 0), "limit %+d: %s",
                      beyond, seg_error_name(got));
        ck_assert(got < 0 || event.fields[0].value.as.integer == 7);
        seg_decoder_free(own);
        buf_done(&json);
    }
}
END_TEST

static const struct {
    const char *json, *want;
} faults[] = {
    {"{\"a\":1,}", "Not valid JSON at byte 7 of 8."},
    {"\xef\xbb\xbf{\"a\":1,}", "Not valid JSON at byte 10 of 11."},
    {"{\"a\":1", "Not valid JSON at byte 6 of 6."},
    {"{\"a\":\"\\x\"}", "Not valid JSON at byte 6 of 10."},
    {"{} {}", "Not valid JSON at byte 3 of 5."},
};

START_TEST(an_error_names_the_byte)
{
    struct seg_event event;
    struct seg_error detail;
    const char *json = faults[_i].json;
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, &detail),
                     SEG_ERR_JSON);
    ck_assert_str_eq(detail.message, faults[_i].want);
}
END_TEST

/* ---- many things at once --------------------------------------------- */

START_TEST(events_live_until_reset)
{
    enum { EVENTS = 3000 };
    static struct seg_event events[EVENTS];
    char json[256], want[64];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < EVENTS; i++) {
            int len = snprintf(json, sizeof(json),
                               T ",\"messageId\":\"m%d\",\"properties\":"
                                 "{\"total\":%d,\"path\":\"/\\u002f%d\"}}",
                               i, i, i);
            ck_assert_int_eq(decode(json, (size_t)len, &events[i]), 0);
        }
        for (int i = 0; i < EVENTS; i++) {
            snprintf(want, sizeof(want), "//%d", i);
            ck_assert_int_eq(events[i].field_count, 5);
            ck_assert_int_eq(events[i].fields[0].value.as.integer, i);
            const struct seg_value *path = &events[i].fields[1].value;
            ck_assert(text_equal((struct seg_text){path->as.text, path->len},
                                 text_of(want)));
            snprintf(want, sizeof(want), "m%d", i);
            ck_assert(text_equal(events[i].message_id, text_of(want)));
        }
        seg_decoder_reset(decoder);
    }
}
END_TEST

START_TEST(many_traits_of_which_some_are_there_twice)
{
    struct seg_event event;
    struct buf json;
    buf_init(&json);
    buf_str(&json, "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{");
    for (int i = 0; i < SEG_PROPERTIES_MAX; i++)
        buf_printf(&json, "%s\"t%d\":%d", i ? "," : "", i % 3000, i);
    buf_str(&json, "}}");
    ck_assert_int_eq(decode(json.bytes, json.len, &event), 0);
    ck_assert_int_eq(event.trait_count, 3000);
    for (int i = 0; i < 3000; i++) {
        char want[16];
        snprintf(want, sizeof(want), "t%d", i);
        ck_assert(text_equal(event.traits[i].name, text_of(want)));
        ck_assert_int_eq(event.traits[i].value.as.integer,
                         i + 3000 < SEG_PROPERTIES_MAX ? i + 3000 : i);
    }
    buf_done(&json);
}
END_TEST

/* Thousands of paths, of which a message has every third, last first. */
START_TEST(fields_are_sorted_by_path_however_many_there_are)
{
    enum { PATHS = 3000 };
    static char names[PATHS][16];
    static struct seg_text texts[PATHS];
    static struct path many[PATHS];
    struct event_spec wide = {.path_count = PATHS, .paths = many};
    struct seg_decoder *own;
    struct seg_event event;
    struct buf json;
    buf_init(&json);
    buf_str(&json, T ",\"properties\":{\"unread\":1");
    for (int i = PATHS - 1; i >= 0; i--) {
        snprintf(names[i], sizeof(names[i]), "path_%d", i);
        texts[i] = text_of(names[i]);
        many[i] = (struct path){PATH_PROPERTIES, 1, &texts[i]};
        if (i % 3 == 0)
            buf_printf(&json, ",\"path_%d\":%d", i, i);
    }
    buf_str(&json, "}}");
    ck_assert_int_eq(decoder_new(&own, &wide), 0);
    ck_assert_int_eq(seg_decode(own, json.bytes, json.len, &event, NULL), 0);
    ck_assert_int_eq(event.field_count, PATHS / 3);
    for (int i = 0; i < PATHS / 3; i++) {
        ck_assert_int_eq(event.fields[i].path, i * 3);
        ck_assert_int_eq(event.fields[i].value.as.integer, i * 3);
    }
    seg_decoder_free(own);
    buf_done(&json);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
    seg_decoder_free(NULL);
}
END_TEST

SUITE("event", setup, teardown, TABLE(a_message_becomes_an_event, messages),
      TABLE(a_number_is_read_exactly_or_to_the_nearest_double, numbers),
      TABLE(bad_json_is_refused_wherever_it_stands, bad_texts),
      TEST(every_beginning_of_a_message_is_refused),
      TABLE(a_limit_is_where_it_is_said_to_be, limits),
      TEST(a_message_id_beyond_the_limit_is_none),
      TEST(a_path_ends_at_the_greatest_depth),
      TABLE(an_error_names_the_byte, faults), TEST(events_live_until_reset),
      TEST(many_traits_of_which_some_are_there_twice),
      TEST(fields_are_sorted_by_path_however_many_there_are),
      TEST(freeing_nothing_is_fine))
