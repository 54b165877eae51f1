/* refused.c: events that were refused because their user had become too large.
 */
#include "daemon/protocol/refused.h"

#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/text.h"

void refused_reset(struct refused *refused)
{
    for (int i = 0; i < SEG_TOPICS_MAX; i++)
        free(refused->inputs[i].offsets);
    memset(refused, 0, sizeof(*refused));
}

/* The header NAME of LETTER; empty if it has none. */
static struct seg_text header(const struct broker_record *letter,
                              const char *name)
{
    for (int i = 0; i < letter->header_count; i++)
        if (!strcmp(letter->headers[i].name, name))
            return (struct seg_text){letter->headers[i].value,
                                     letter->headers[i].len};
    return (struct seg_text){"", 0};
}

static int find_input(const struct ledger_options *options,
                      struct seg_text topic)
{
    for (int i = 0; i < options->input_count; i++)
        if (text_equal(topic, text_of(options->inputs[i].topic)))
            return i;
    return -1;
}

/* The digits of TEXT, or -1. */
static int64_t number(struct seg_text text)
{
    int64_t value = 0;

    if (!text.len || text.len > 18)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return -1;
        value = 10 * value + (text.bytes[i] - '0');
    }
    return value;
}

static int add(struct refused_input *input, int64_t offset)
{
    uint32_t at = input->count;

    if (input->count == input->cap) {
        uint32_t cap = input->cap ? 2 * input->cap : 16;
        int64_t *offsets = realloc(input->offsets, cap * sizeof(*offsets));
        if (!offsets)
            return SEG_ERR_NOMEM;
        input->offsets = offsets;
        input->cap = cap;
    }
    /* They come in order, save what strangers write. */
    for (; at && input->offsets[at - 1] > offset; at--)
        input->offsets[at] = input->offsets[at - 1];
    input->offsets[at] = offset;
    input->count++;
    return 0;
}

int refused_note(struct refused *refused, const struct ledger_options *options,
                 const struct broker_record *letter)
{
    const char *reason = seg_error_name(SEG_ERR_USER_BYTES);
    int input = find_input(options, header(letter, "topic"));
    int64_t offset = number(header(letter, "offset"));

    if (!text_equal(header(letter, "reason"), text_of(reason)) || input < 0 ||
        offset < 0)
        return 0;
    return add(&refused->inputs[input], offset);
}

int refused_has(struct refused *refused, int input, int64_t offset)
{
    struct refused_input *r = &refused->inputs[input];

    while (r->next < r->count && r->offsets[r->next] < offset)
        r->next++;
    return r->next < r->count && r->offsets[r->next] == offset;
}
