/* golden.c: files of questions and the answers they must get. */
#include "tests/support/golden.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_LINE "====\n"
#define ANSWER_LINE   "----\n"

struct row {
    const char *text, *answer; /* Parts of all. */
    size_t text_len, answer_len;
};

struct golden {
    const char *path;
    struct buf all;
    struct row rows[GOLDEN_MAX];
    int count;
};

static const char *next_line(const char *at, const char *line, const char *end)
{
    size_t len = strlen(line);
    for (; at < end; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : end)
        if (!strncmp(at, line, len))
            return at;
    return end;
}

static void read_all(struct golden *golden)
{
    FILE *file = fopen(golden->path, "r");
    size_t got = 1;
    ck_assert_msg(file != NULL, "cannot open %s", golden->path);
    while (got) {
        char *room = buf_reserve(&golden->all, 65536);
        ck_assert_ptr_nonnull(room);
        got = fread(room, 1, 65536, file);
        golden->all.len += got;
    }
    fclose(file);
    const char *end = buf_string(&golden->all) + golden->all.len;
    const char *at = next_line(golden->all.bytes, QUESTION_LINE, end);
    for (; at < end && golden->count < GOLDEN_MAX; golden->count++) {
        struct row *row = &golden->rows[golden->count];
        row->text = at + strlen(QUESTION_LINE);
        const char *answer = next_line(row->text, ANSWER_LINE, end);
        ck_assert_msg(answer < end, "question %d has no answer", golden->count);
        row->text_len = (size_t)(answer - row->text);
        row->answer = answer + strlen(ANSWER_LINE);
        at = next_line(row->answer, QUESTION_LINE, end);
        row->answer_len = (size_t)(at - row->answer);
    }
}

static void write_all(const struct golden *golden, golden_answer *answer)
{
    struct buf out;
    buf_init(&out);
    buf_add(&out, golden->all.bytes,
            (size_t)(golden->rows[0].text - golden->all.bytes));
    for (int i = 0; i < golden->count; i++) {
        const struct row *row = &golden->rows[i];
        if (i)
            buf_str(&out, QUESTION_LINE);
        buf_add(&out, row->text, row->text_len);
        buf_str(&out, ANSWER_LINE);
        answer(&out, row->text, row->text_len);
    }
    FILE *file = fopen(golden->path, "w");
    ck_assert_ptr_nonnull(file);
    fwrite(out.bytes, 1, out.len, file);
    fclose(file);
    buf_done(&out);
}

static void compare(const struct row *row, golden_answer *answer)
{
    struct buf got;
    buf_init(&got);
    answer(&got, row->text, row->text_len);
    ck_assert_msg(got.len == row->answer_len &&
                      !memcmp(buf_string(&got), row->answer, got.len),
                  "%.*sgot\n%swant\n%.*s", (int)row->text_len, row->text,
                  buf_string(&got), (int)row->answer_len, row->answer);
    ck_assert_msg(got.len > 0, "nothing is said of\n%.*s", (int)row->text_len,
                  row->text);
    buf_done(&got);
}

void golden_check(const char *path, int least, golden_answer *answer)
{
    static struct golden golden;
    golden = (struct golden){.path = path};
    buf_init(&golden.all);
    read_all(&golden);
    ck_assert_int_ge(golden.count, least);
    if (getenv("WRITE_GOLDEN"))
        write_all(&golden, answer);
    else
        for (int i = 0; i < golden.count; i++)
            compare(&golden.rows[i], answer);
    buf_done(&golden.all);
}
