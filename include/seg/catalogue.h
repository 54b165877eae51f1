/* catalogue.h: segment files, compiled.
 *
 * A catalogue is the immutable, versioned set of segments in force: made once
 * from the texts of all segment files, then shared by any number of engines
 * and threads. It is named by the hash of its meaning (8 hex digits): titles,
 * comments, spelling and tests do not change it.
 *
 * What is wrong with a file is said in diagnostics: up to SEG_DIAGNOSTICS_MAX
 * errors in one run, each with file, line, column, the line itself, and a
 * suggestion where there is one. */
#ifndef SEG_CATALOGUE_H
#define SEG_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include <seg/error.h>
#include <seg/event.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEG_DIAGNOSTICS_MAX 20     /* Errors shown in one run. */
#define SEG_SEGMENTS_MAX    100000 /* Segments of one catalogue. */
#define SEG_FEATURES_MAX    60000  /* Features of one catalogue. */
#define SEG_ATTRIBUTES_MAX  60000  /* Attributes that one catalogue reads. */
#define SEG_FILE_BYTES_MAX  (16 * 1024 * 1024)

/* One segment file. The texts are borrowed during the call only. */
struct seg_source {
    const char *name; /* For messages. */
    const char *text;
    size_t len;
};

/* A note says to what limit something is exact: nothing is wrong with it. Where
 * what is asked lies beyond the limit it is a warning. */
enum seg_severity {
    SEG_SEVERITY_ERROR,
    SEG_SEVERITY_WARNING,
    SEG_SEVERITY_NOTE
};

struct seg_diagnostic {
    int severity;     /* enum seg_severity. */
    int line, column; /* From 1; column in bytes. */
    int width;        /* Bytes to underline, at least 1. */
    const char *file;
    const char *message;    /* One sentence. */
    const char *suggestion; /* "did you mean ...?", or NULL. */
    const char *source;     /* The line of the file, without its newline. */
};

/* All that was said about some files. */
struct seg_diagnostics;

int seg_diagnostics_new(struct seg_diagnostics **ret);
void seg_diagnostics_free(struct seg_diagnostics *diagnostics);
int seg_diagnostics_count(const struct seg_diagnostics *diagnostics);
int seg_diagnostics_errors(const struct seg_diagnostics *diagnostics);
int seg_diagnostics_warnings(const struct seg_diagnostics *diagnostics);
const struct seg_diagnostic *
seg_diagnostics_at(const struct seg_diagnostics *diagnostics, int index);

/* DIAGNOSTIC as people read it: `file:line:column: error: message`, the line,
 * a caret, the suggestion; a note is its first line alone. Returns a heap string
 * to free(), NULL: no memory. */
char *seg_diagnostic_text(const struct seg_diagnostic *diagnostic);

struct seg_catalogue;

/* Compile the COUNT files at SOURCES.
 *
 * DIAGNOSTICS (required) gets errors and warnings. Returns 0 and sets *RET;
 * SEG_ERR_SYNTAX when there is an error among the diagnostics; SEG_ERR_LIMIT;
 * SEG_ERR_NOMEM. *RET is written only on success. */
int seg_catalogue_compile(struct seg_catalogue **ret,
                          const struct seg_source *sources, int count,
                          struct seg_diagnostics *diagnostics);

/* The same without the compiled result: only what `segmentctl check` needs. */
int seg_catalogue_check(const struct seg_source *sources, int count,
                        struct seg_diagnostics *diagnostics);

/* Warn of each event that segments of CATALOGUE name and that is none of the
 * COUNT names at SEEN, which have come in; with the one that was meant, if there
 * is one. Returns 0 or SEG_ERR_NOMEM. */
int seg_catalogue_check_events(const struct seg_catalogue *catalogue,
                               const struct seg_text *seen, int count,
                               struct seg_diagnostics *diagnostics);

/* One file in its one spelling, comments kept, as a heap string in *RET. */
int seg_format(char **ret, const struct seg_source *source,
               struct seg_diagnostics *diagnostics);

/* One file as JSON (config/schemas/segments.json), and such JSON as a segment
 * file in its one spelling; as a heap string in *RET. Comments do not go over.
 * What is wrong with a tree that came as JSON is said of its text as a segment
 * file. Return 0, SEG_ERR_SYNTAX, SEG_ERR_LIMIT or SEG_ERR_NOMEM. */
int seg_to_json(char **ret, const struct seg_source *source,
                struct seg_diagnostics *diagnostics);
int seg_from_json(char **ret, const struct seg_source *source,
                  struct seg_diagnostics *diagnostics);

/* One owner more of CATALOGUE, who is to free it too. Any thread. */
struct seg_catalogue *
seg_catalogue_share(const struct seg_catalogue *catalogue);

/* Free CATALOGUE (NULL: nothing), once all of its owners have. Any thread. */
void seg_catalogue_free(struct seg_catalogue *catalogue);

/* The name of the catalogue: 8 hex digits, terminated; lives as long as it. */
const char *seg_catalogue_hash(const struct seg_catalogue *catalogue);

/* One segment, by its index in order of keys. Borrowed from the catalogue. */
struct seg_segment_info {
    const char *key;
    const char *title; /* "" if none; so are owner and docs. */
    const char *owner;
    const char *docs;
    const char *condition; /* `when` in canonical spelling; "" if none. */
    int shadow;            /* It is evaluated, and not published. */
    int tag_count;
    const struct seg_text *tags;
};

int seg_catalogue_segment_count(const struct seg_catalogue *catalogue);

/* INDEX must be below the count. */
void seg_catalogue_segment(const struct seg_catalogue *catalogue, int index,
                           struct seg_segment_info *info);

/* Index of the segment KEY, or SEG_ERR_NOT_FOUND. */
int seg_catalogue_segment_index(const struct seg_catalogue *catalogue,
                                const char *key);

/* One trigger: what is shown when a user enters or exits a segment. */
struct seg_trigger_info {
    int segment;      /* Index of its segment. */
    int on_enter;     /* 1: enter, 0: exit. */
    const char *name; /* "upgrade_modal". */
    int property_count;
    /* Paths are dotted names, already split: goal.id is a nested object. */
    const struct seg_trigger_property {
        int name_count;
        const struct seg_text *names;
        struct seg_value value;
    } * properties;
};

/* How many traits are published of every user. */
int seg_catalogue_trait_count(const struct seg_catalogue *catalogue);

int seg_catalogue_trigger_count(const struct seg_catalogue *catalogue);
void seg_catalogue_trigger(const struct seg_catalogue *catalogue, int index,
                           struct seg_trigger_info *info);

/* ---- test blocks ----------------------------------------------------- */

/* How one `test` block ended. Borrowed during the call of the callback. */
struct seg_test_result {
    const char *segment; /* Key. */
    const char *name;
    const char *file;
    int line; /* Of the block; of the line that failed. */
    int column;
    int passed;
    const char *message;  /* What was expected and what was; "" if passed. */
    const char *explain;  /* The condition as a tree at that instant; "" if
                            passed. */
    const char *warnings; /* Lines `file:line:column: warning: ...` about events
                             of the block that no segment asks for; "". */
};

typedef void seg_test_report(void *arg, const struct seg_test_result *result);

/* Run all test blocks of the files that CATALOGUE was made from, each on an
 * engine of its own under a virtual clock that begins at 2024-01-01T00:00Z.
 * Returns the number of tests that failed, or SEG_ERR_NOMEM. */
int seg_catalogue_test(const struct seg_catalogue *catalogue,
                       seg_test_report *report, void *arg);

/* One condition of a segment, and how its tests saw it at their lines `expect
 * in|out|enter|exit`. Its texts are the catalogue's. `everyone` and `user in P%
 * by` are none: no test can turn them. */
struct seg_coverage {
    const char *segment;   /* Key. */
    const char *condition; /* In canonical spelling. */
    const char *file;
    int line, column;
    int seen_true, seen_false;
};

typedef void seg_coverage_report(void *arg,
                                 const struct seg_coverage *coverage);

/* The same, and then call COVERED with every condition of every segment, in the
 * order of the keys, then as they stand. */
int seg_catalogue_test_coverage(const struct seg_catalogue *catalogue,
                                seg_test_report *report,
                                seg_coverage_report *covered, void *arg);

#ifdef __cplusplus
}
#endif
#endif
