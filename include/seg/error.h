/* error.h: how libseg says that something went wrong.
 *
 * Every function that can fail returns int: 0 or more is good, a negative
 * enum seg_err is not. The codes stand in one table with their short name
 * (the `reason` of a dead letter, the label of a metric) and a sentence for
 * people. Where more detail helps, a function takes an optional last
 * struct seg_error and fills it; the library never logs, exits or aborts on
 * bad input. */
#ifndef SEG_ERROR_H
#define SEG_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(code, name, sentence). The first block is about calls and files, the
 * second about one event (lib/event/poison_table.h says what becomes of it),
 * the third about one user record. */
#define SEG_ERR_TABLE(X)                                                       \
    X(NOMEM, "no_memory", "Out of memory.")                                    \
    X(SYNTAX, "syntax", "A segment file does not check.")                      \
    X(LIMIT, "limit", "A named limit was reached.")                            \
    X(NOT_FOUND, "not_found", "Nothing of that name.")                         \
    X(INVALID, "invalid", "An argument is out of its range.")                  \
    X(EMPTY, "empty_value", "The record has no value.")                        \
    X(EVENT_BYTES, "event_too_large", "The event has too many bytes.")         \
    X(JSON, "bad_json", "The event is not valid JSON.")                        \
    X(UTF8, "bad_utf8", "The event is not valid UTF-8.")                       \
    X(NOT_OBJECT, "not_an_object", "The event is not a JSON object.")          \
    X(DEPTH, "too_deep", "The event is nested too deeply.")                    \
    X(TYPE_MISSING, "no_type", "The event says no type.")                      \
    X(TYPE_UNKNOWN, "unknown_type", "The event's type is not known.")          \
    X(TYPE_ALIAS, "alias_unsupported",                                         \
      "Alias messages are not understood yet.")                                \
    X(NAME_MISSING, "no_event_name", "A track event has no name.")             \
    X(USER_MISSING, "no_user_id", "No userId and no anonymousId.")             \
    X(USER_ID, "bad_user_id",                                                  \
      "The user id is no text, too long, or not whole.")                       \
    X(NAME_BYTES, "event_name_too_long", "The event's name is too long.")      \
    X(GROUP_MISSING, "no_group_id", "A group message has no groupId.")         \
    X(GROUP_ID, "bad_group_id",                                                \
      "The group id is no text, too long, or not whole.")                      \
    X(PROPERTIES, "too_many_properties", "The event has too many properties.") \
    X(STRING_BYTES, "string_too_long", "A text that is read is too long.")     \
    X(PARTITION, "wrong_partition",                                            \
      "The user id belongs to another partition.")                             \
    X(USER_BYTES, "user_too_large", "The user's state would grow too large.")  \
    X(RECORD, "bad_record", "A user record cannot be read.")                   \
    X(RECORD_VERSION, "newer_record", "A user record is of a newer version.")  \
    X(SEQ_GAP, "seq_gap", "A change of this user is missing.")

enum seg_err {
    SEG_OK = 0,
    SEG_ERR_FIRST_ = -1000,
#define SEG_ERR_X(code, name, sentence) SEG_ERR_##code,
    SEG_ERR_TABLE(SEG_ERR_X)
#undef SEG_ERR_X
        SEG_ERR_END_
};

/* Detail of one error. Plain values: no pointer to free. */
struct seg_error {
    int code;          /* enum seg_err. */
    int line;          /* From 1; 0 when it is about no place in a file. */
    int column;        /* From 1, in bytes. */
    char file[256];    /* As given by the caller; cut when longer. */
    char message[512]; /* One sentence, no newline. */
};

/* The short name of CODE, e.g. "bad_json"; "unknown" if it is none of ours.
 * Static. */
const char *seg_error_name(int code);

/* The sentence of CODE. Static. */
const char *seg_error_sentence(int code);

#ifdef __cplusplus
}
#endif
#endif
