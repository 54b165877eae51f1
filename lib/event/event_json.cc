/* event_json.cc: the vector code of simdjson, seen from C. */
#include "lib/event/event_json.h"

#include <memory>
#include <new>

#include <simdjson.h>

#include <seg/error.h>

struct event_json {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

/* The implementation is the best that this processor can run. The depth is of
 * no use to the first stage. */
int event_json_new(struct event_json **ret, size_t capacity)
{
    std::unique_ptr<event_json> json(new (std::nothrow) event_json);
    if (!json)
        return SEG_ERR_NOMEM;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, 1, json->parser))
        return SEG_ERR_NOMEM;
    *ret = json.release();
    return 0;
}

void event_json_free(struct event_json *json)
{
    delete json;
}

/* Which of two faults simdjson names first depends on the processor. Bad UTF-8
 * comes first here. */
int event_json_index(struct event_json *json, const char *bytes, size_t len,
                     const uint32_t **tokens)
{
    simdjson::error_code error =
        json->parser->stage1(reinterpret_cast<const uint8_t *>(bytes), len,
                             simdjson::stage1_mode::regular);
    if (error == simdjson::EMPTY)
        return 0;
    if (error)
        return simdjson::validate_utf8(bytes, len) ? SEG_ERR_JSON
                                                   : SEG_ERR_UTF8;
    *tokens = json->parser->structural_indexes.get();
    return static_cast<int>(json->parser->n_structural_indexes);
}

double event_json_double(const char *digits, const char *end)
{
    return simdjson::internal::from_chars(digits, end);
}
