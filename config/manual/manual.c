/* manual.c: the manual pages and the shell completions.
 *
 *     manual < segmentd.conf.5.in > segmentd.conf.5
 *
 * A template is copied line by line; a line `@WORD@` or `@WORD ARGUMENT@`
 * stands for what is said in a table:
 *
 *     @TITLE SEGMENTD 8 2026-11-30@ the heading: page, section, last change
 *     @SETTINGS@, @SETTINGS redis@  settings outside blocks, those of a block
 *     @TESTS@, @MEASURES@           of segment files
 *     @ROUTES@                      what can be asked over HTTP
 *     @METRICS@                     all metrics
 *     @VERBS@                       segmentctl's verbs, with their help
 *     @NAMES names=@                the names of the verbs, after `names=`
 *     @BASH words@, @BASH valued@, @ZSH names@, @ZSH words@
 *                                   the verbs, and what may follow each
 *
 * A row that no line asked for is an error: a block of settings that is new
 * must be in the page. So nothing here can be out of date. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/conf_table.h"
#include "daemon/base/metric_table.h"
#include "daemon/base/version.h"
#include "daemon/ctl/verb_table.h"
#include "daemon/http/route_table.h"
#include "lib/segment/measure_table.h"
#include "lib/segment/op_table.h"

#define WIDTH        72 /* Of a line in a page's source, about. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct setting {
    const char *name, *type, *initial, *range, *help;
} settings[] = {
#define X(field, name, type, initial, range, help) \
    {name, #type, initial, range, help},
    CONF_TABLE(X, X)
#undef X
};

static const struct {
    const char *method, *path, *help;
} routes[] = {
#define X(name, method, path, help) {method, path, help},
    ROUTE_TABLE(X)
#undef X
};

static const struct {
    const char *labels, *name, *type, *help;
} metrics[] = {
#define X(labels, name, type, help)            {labels, name, #type, help},
#define PROCESS(field, name, type, unit, help) X("", name, type, help)
#define PARTITION(field, name, type, unit, help) \
    X("partition", name, type, help)
#define INPUT(field, name, type, unit, help) \
    X("topic, partition", name, type, help)
#define SEGMENT(field, name, type, unit, help) X("segment", name, type, help)
#define REASON(field, name, type, unit, help)  X("reason", name, type, help)
#define STATE(field, name, type, unit, help)   X("state", name, type, help)
#define WORKER(field, name, type, unit, help)  X("worker", name, type, help)
#define VIEW(field, name, type, unit, help)    X("", name, type, help)
#define BUILD(field, name, type, unit, help) \
    X("version, librdkafka", name, type, help)
#define CATALOGUE(field, name, type, unit, help) X("hash", name, type, help)
    METRIC_TABLE(PROCESS, PARTITION, INPUT, SEGMENT, REASON, STATE, WORKER,
                 VIEW, BUILD, CATALOGUE)
#undef X
};

static struct verb {
    char name[32]; /* See spell_verbs. */
    const char *arguments, *summary, *help;
} verbs[] = {
#define X(name, arguments, summary, help) {#name, arguments, summary, help},
    VERB_TABLE(X)
#undef X
};

static const struct {
    const char *words, *operand, *of;
    int fold;
} tests[] = {
#define X(name, words, operand, of, fold) {words, #operand, #of, fold},
    OP_TABLE(X)
#undef X
};

static const struct {
    const char *word, *operand;
    int window;
    const char *help;
} measures[] = {
#define X(name, word, operand, window, help) {word, #operand, window, help},
    MEASURE_TABLE(X)
#undef X
};

/* ---- roff
 * -------------------------------------------------------------------- */

/* Print the LEN bytes at TEXT as they are, whatever roff makes of them. */
static void put(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        switch (text[i]) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '"':
            fputs("\\(dq", stdout);
            break;
        case '\'':
            fputs("\\(aq", stdout);
            break;
        case '`':
            fputs("\\(ga", stdout);
            break;
        case '^':
            fputs("\\(ha", stdout);
            break;
        case '~':
            fputs("\\(ti", stdout);
            break;
        default:
            putchar(text[i]);
        }
}

static void puts_escaped(const char *text)
{
    put(text, strlen(text));
}

/* TEXT in lines of WIDTH; a new sentence begins a new line, as roff wants it.
 */
static void flow(const char *text)
{
    size_t column = 0;
    for (const char *word = text; *word;) {
        size_t len = strcspn(word, " \n");
        if (column && column + 1 + len > WIDTH)
            column = 0, putchar('\n');
        if (column)
            putchar(' ');
        else if (*word == '.' || *word == '\'')
            fputs("\\&", stdout);
        put(word, len);
        column += len + 1;
        char last = len ? word[len - 1] : ' ';
        if ((last == '.' || last == '?') && word[len])
            column = 0, putchar('\n');
        word += len + strspn(word + len, " \n");
    }
    putchar('\n');
}

/* What is laid out by hand stays so: lines that begin with a blank. */
static void help(const char *text)
{
    int laid_out = 0;
    while (*text) {
        size_t len = strcspn(text, "\n"), flowing = 0;
        if (*text == ' ') {
            fputs(laid_out++ ? "" : ".nf\n", stdout);
            put(text, len);
            putchar('\n');
            text += len + (text[len] == '\n');
            continue;
        }
        fputs(laid_out ? ".fi\n" : "", stdout);
        laid_out = 0;
        while (text[flowing] &&
               (text[flowing] != '\n' || text[flowing + 1] != ' '))
            flowing++;
        char *copy = strndup(text, flowing);
        flow(copy ? copy : "");
        free(copy);
        text += flowing + (text[flowing] == '\n');
    }
    fputs(laid_out ? ".fi\n" : "", stdout);
}

/* ---- settings, routes, metrics, verbs
 * ---------------------------------------- */

static size_t shown[6]; /* Rows of each table, in the order of main. */

static int is_number(const char *type)
{
    return !strcmp(type, "NUMBER") || !strcmp(type, "DURATION") ||
           !strcmp(type, "SIZE");
}

static void setting(const struct setting *row)
{
    const char *dot = strrchr(row->name, '.');
    int bare = is_number(row->type) || !strcmp(row->type, "CHOICE") ||
               !strcmp(row->type, "START");
    printf(".TP\n.BR %s \" [", dot ? dot + 1 : row->name);
    if (!row->initial)
        fputs("must be set", stdout);
    else if (bare)
        puts_escaped(row->initial);
    else
        printf("\\(dq%s\\(dq", row->initial);
    if (bare) {
        fputs("; ", stdout);
        for (const char *c = row->range; *c; c++)
            if (c[0] == '.' && c[1] == '.')
                c++, fputs(" to ", stdout);
            else if (*c == '|')
                fputs(", ", stdout);
            else
                put(c, 1);
    }
    puts("]\"");
    flow(row->help);
}

static void print_title(const char *argument)
{
    printf(".TH %s \"segmentd " SEGMENTD_VERSION "\"\n", argument);
}

static void print_settings(const char *block)
{
    size_t len = strlen(block);
    for (size_t i = 0; i < COUNT(settings); i++) {
        const char *dot = strchr(settings[i].name, '.');
        size_t prefix = dot ? (size_t)(dot - settings[i].name) : 0;
        if (prefix == len && !strncmp(settings[i].name, block, len)) {
            setting(&settings[i]);
            shown[0]++;
        }
    }
}

/* What stands after the words of a test, in italics. */
static const char *operand_of(const char *operand)
{
    static const char *const rows[][2] = {
        {"VALUE", "VALUE"},
        {"ORDERED", "VALUE"},
        {"RANGE", "VALUE and VALUE"},
        {"VALUES", "VALUES"},
        {"STRING", "TEXT"},
        {"DURATION", "DURATION"},
        {"DATE", "DATE"},
        {"WHERE", "where CONDITION"},
        {"NONE", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i][0], operand))
            return rows[i][1];
    fprintf(stderr, "manual: what is the operand %s?\n", operand);
    exit(1);
}

static void print_tests(const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT(tests); i++, shown[4]++) {
        const char *operand = operand_of(tests[i].operand);
        printf(".TP\n.BR \"%s\"", tests[i].words);
        if (*operand)
            printf(" \" \\fI%s\\fP\"", operand);
        if (!strcmp(tests[i].words, "more than"))
            fputs(" \" ago\"", stdout);
        putchar('\n');
        printf("Of %s.\n", !strcmp(tests[i].of, "TEXT")   ? "text"
                           : !strcmp(tests[i].of, "LIST") ? "a list"
                           : !strcmp(tests[i].of, "TIME") ? "a time"
                                                          : "any value");
        if (tests[i].fold)
            puts("May end in\n.BR \"ignoring case\" .");
    }
}

static void print_measures(const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT(measures); i++, shown[5]++) {
        const char *word = measures[i].word;
        if (!strcmp(measures[i].operand, "KEY"))
            printf(".TP\n.BI %s%s KEY%s\n", word,
                   strcmp(word, "trait") ? "(" : ".",
                   strcmp(word, "trait") ? " )" : "");
        else
            printf(".TP\n.BI \"%s%s\" EVENT%s \")\"%s\n", word,
                   strchr(word, '(') ? " " : "(",
                   strcmp(measures[i].operand, "EVENT") ? " \", \" PROPERTY"
                                                        : "",
                   measures[i].window ? " \" \" [WINDOW]" : "");
        flow(measures[i].help);
    }
}

static void print_routes(const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT(routes); i++, shown[1]++) {
        fputs(".TP\n.B ", stdout);
        if (strcmp(routes[i].method, "GET"))
            printf("%s ", routes[i].method);
        puts_escaped(routes[i].path);
        putchar('\n');
        flow(routes[i].help);
    }
}

static void print_metrics(const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT(metrics); i++, shown[2]++) {
        printf(".TP\n.BR segmentd_%s \" (", metrics[i].name);
        for (const char *c = metrics[i].type; *c; c++)
            putchar(tolower((unsigned char)*c));
        if (*metrics[i].labels)
            printf(" by %s", metrics[i].labels);
        puts(")\"");
        flow(metrics[i].help);
    }
}

static void print_verbs(const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT(verbs); i++, shown[3]++) {
        printf(".SS \"segmentctl %s ", verbs[i].name);
        puts_escaped(verbs[i].arguments);
        puts("\"");
        flow(verbs[i].summary);
        help(verbs[i].help);
    }
}

/* ---- completions
 * ----------------------------------------------------------------- */

/* A word of a verb's arguments. */
struct argument {
    char text[64];
    char value[64]; /* Of an option: what follows it; "": nothing does. */
};

/* The next word at *AT, without brackets; 0 at the end. */
static int next_word(const char **at, char out[64])
{
    *at += strspn(*at, " []|.");
    size_t len = strcspn(*at, " []|");
    while (len && (*at)[len - 1] == '.')
        len--;
    if (!len)
        return 0;
    snprintf(out, 64, "%.*s", (int)len, *at);
    *at += len;
    return 1;
}

/* Whether the option that was just read is followed by a value: `[--a B]`, but
 * not `[--a] B`. */
static int has_value(const char *at)
{
    return at[0] == ' ' && at[1] != '[' && at[1] != '-';
}

/* The arguments of VERB, up to MAX, into OUT. Returns how many. */
static size_t arguments(const struct verb *verb, struct argument *out,
                        size_t max)
{
    const char *at = verb->arguments;
    size_t count = 0;
    while (count < max && next_word(&at, out[count].text)) {
        out[count].value[0] = '\0';
        if (!strncmp(out[count].text, "--", 2) && has_value(at))
            next_word(&at, out[count].value);
        count++;
    }
    return count;
}

/* What people type as it is: an option, or the verb of a verb (`create`). */
static int is_literal(const char *word)
{
    return word[0] == '-' ? word[1] == '-' : islower((unsigned char)word[0]);
}

static int is_path(const char *word)
{
    return !strcmp(word, "FILE") || !strcmp(word, "PATH") ||
           !strcmp(word, "FOLDER");
}

/* In quotes, after what ARGUMENT says. */
static void print_names(const char *argument)
{
    printf("%s'", argument);
    for (size_t i = 0; i < COUNT(verbs); i++)
        printf("%s ", verbs[i].name);
    puts("help'");
}

/* A case for each verb: KIND is words, all that may follow it, or valued, the
 * options that a value follows. */
static void print_bash(const char *kind)
{
    struct argument found[32];
    for (size_t i = 0; i < COUNT(verbs); i++) {
        size_t count = arguments(&verbs[i], found, COUNT(found));
        const char *between = "";
        printf("    %s) printf '%%s\\n' '", verbs[i].name);
        for (size_t k = 0; k < count; k++) {
            if (strcmp(kind, "words") ? !found[k].value[0]
                                      : !is_literal(found[k].text))
                continue;
            printf("%s%s", between, found[k].text);
            between = " ";
        }
        puts("' ;;");
    }
}

/* In single quotes of a shell, inside the brackets of _arguments. */
static void put_zsh(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
}

/* The names with what they are for, or what _arguments is to know of each. */
static void print_zsh(const char *kind)
{
    struct argument found[32];
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (!strcmp(kind, "names")) {
            printf("    '%s:", verbs[i].name);
            put_zsh(verbs[i].summary);
            puts("'");
            continue;
        }
        size_t count = arguments(&verbs[i], found, COUNT(found));
        printf("    %s) _arguments", verbs[i].name);
        for (size_t k = 0; k < count; k++)
            if (found[k].value[0])
                printf(" '*%s:%s:%s'", found[k].text, found[k].value,
                       is_path(found[k].value) ? "_files" : "");
            else if (!strncmp(found[k].text, "--", 2))
                printf(" '%s'", found[k].text);
        fputs(" '*:argument:{", stdout);
        const char *call = "_segmentctl_words";
        for (size_t k = 0; k < count; k++)
            if (is_literal(found[k].text) && found[k].text[0] != '-') {
                printf("%s %s", call, found[k].text);
                call = "";
            }
        puts(*call ? "_files}' ;;" : "}' ;;");
    }
}

/* ---- templates
 * -------------------------------------------------------------------- */

static const struct {
    const char *word;
    void (*print)(const char *argument);
    int table; /* In `shown`; -1: it need not be whole. */
} words[] = {
    {"TITLE", print_title, -1},      {"SETTINGS", print_settings, 0},
    {"ROUTES", print_routes, 1},     {"METRICS", print_metrics, 2},
    {"VERBS", print_verbs, 3},       {"TESTS", print_tests, 4},
    {"MEASURES", print_measures, 5}, {"NAMES", print_names, -1},
    {"BASH", print_bash, -1},        {"ZSH", print_zsh, -1},
};

/* Print what LINE, `@WORD ARGUMENT@`, stands for. Returns its table, or -2. */
static int expand(char *line)
{
    char *word = line + 1, *end = strrchr(line, '@');
    *end = '\0';
    char *argument = strchr(word, ' ');
    if (argument)
        *argument++ = '\0';
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcmp(words[i].word, word)) {
            words[i].print(argument ? argument : "");
            return words[i].table;
        }
    fprintf(stderr, "manual: what is @%s@?\n", word);
    return -2;
}

/* As they are typed: an underscore of the table is a dash. */
static void spell_verbs(void)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        for (char *c = verbs[i].name; *c; c++)
            *c = *c == '_' ? '-' : *c;
}

int main(void)
{
    const size_t rows[] = {COUNT(settings), COUNT(routes), COUNT(metrics),
                           COUNT(verbs),    COUNT(tests),  COUNT(measures)};
    int asked[COUNT(rows)] = {0}, status = 0;
    char line[1024];
    spell_verbs();
    while (fgets(line, sizeof(line), stdin)) {
        if (line[0] != '@') {
            fputs(line, stdout);
            continue;
        }
        int table = expand(line);
        if (table >= 0)
            asked[table] = 1;
        status |= table == -2;
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        if (asked[i] && shown[i] != rows[i]) {
            fprintf(stderr, "manual: %zu of %zu rows of a table are shown\n",
                    shown[i], rows[i]);
            status = 1;
        }
    return fflush(stdout) || status;
}
