/* poison_table.h: every kind of bad input, and what becomes of it.
 *
 * From this table come the tests of the decoder and the list in the manual.
 *
 *   X(name, fate, error, place, example, sentence)
 *   fate      DEAD_LETTER    no event: the bytes go to the dead letters, ERROR is
 *                            the reason
 *             VALUE_MISSING  an event, as if the value were not there
 *             ACCEPTED       an event, the value is read as SENTENCE says
 *   place     MESSAGE        the message, or a member that is always read: the
 *                            fate is the same under every catalogue
 *             FIELD          a property, a member of the context: only under a
 *                            catalogue that reads it, else the event is accepted
 *             TIME           the timestamp; then the record's counts
 *             MESSAGE_ID     the message id; then duplicates are not seen
 *   example   JSON that is it. Where the place is FIELD it is the property x.
 *             REPEAT(text, n) stands for n times TEXT.
 *
 * JSON is always checked as a whole: bad JSON is a dead letter also where nobody
 * reads. Two reasons come from elsewhere: wrong_partition, user_too_large. */
#ifndef EVENT_POISON_TABLE_H
#define EVENT_POISON_TABLE_H

#define REPEAT(text, n) "\x01" text "\x02" #n "\x03"
#define TRACK(members) "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"" members "}"
#define WITH_X(x) TRACK(",\"properties\":{\"x\":" x "}")
#define IDENTIFY(members) "{\"type\":\"identify\",\"userId\":\"u\"" members "}"
#define GROUP(members) "{\"type\":\"group\",\"userId\":\"u\"" members "}"

#define POISON_TABLE(X) \
    X(empty_value, DEAD_LETTER, EMPTY, MESSAGE, "", "The record has no value: a tombstone.") \
    X(white_space, DEAD_LETTER, JSON, MESSAGE, " \r\n\t", "Nothing but white space.") \
    X(too_large, DEAD_LETTER, EVENT_BYTES, MESSAGE, WITH_X("\"" REPEAT("a", 1048576) "\""), "More bytes than an event may have; not looked at further.") \
    X(string_of_50_mb, DEAD_LETTER, EVENT_BYTES, MESSAGE, WITH_X("\"" REPEAT("a", 50000000) "\""), "Likewise.") \
    X(plain_text, DEAD_LETTER, NOT_OBJECT, MESSAGE, "hello", "No JSON at all.") \
    X(list, DEAD_LETTER, NOT_OBJECT, MESSAGE, "[" TRACK("") "]", "Valid JSON, but no object.") \
    X(scalar, DEAD_LETTER, NOT_OBJECT, MESSAGE, "17", "Valid JSON, but no object.") \
    X(byte_order_mark, ACCEPTED, OK, MESSAGE, "\xef\xbb\xbf" TRACK(""), "A byte order mark at the start is skipped.") \
    X(truncated, DEAD_LETTER, JSON, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"properties\":{\"x\":1}", "The end is missing.") \
    X(truncated_in_string, DEAD_LETTER, JSON, MESSAGE, "{\"type\":\"track\",\"event\":\"E}", "The end is missing.") \
    X(garbage_after_end, DEAD_LETTER, JSON, MESSAGE, TRACK("") " x", "Something but white space stands after the object.") \
    X(two_objects, DEAD_LETTER, JSON, MESSAGE, TRACK("") TRACK(""), "Likewise.") \
    X(nul_after_end, DEAD_LETTER, JSON, MESSAGE, TRACK("") "\0", "Likewise: zero bytes are no white space.") \
    X(bad_grammar, DEAD_LETTER, JSON, MESSAGE, TRACK(",\"unread\":[1,]"), "Bad JSON anywhere, read or not.") \
    X(bad_number, DEAD_LETTER, JSON, MESSAGE, TRACK(",\"unread\":01"), "A number that JSON does not know; so are NaN, .5, 1., 0x1.") \
    X(bad_literal, DEAD_LETTER, JSON, MESSAGE, TRACK(",\"unread\":True"), "A word that JSON does not know.") \
    X(bad_escape, DEAD_LETTER, JSON, MESSAGE, TRACK(",\"unread\":\"\\x41\""), "An escape that JSON does not know.") \
    X(control_character, DEAD_LETTER, JSON, MESSAGE, TRACK(",\"unread\":\"a\nb\""), "A control character in a string, not escaped.") \
    X(bad_utf8, DEAD_LETTER, UTF8, MESSAGE, TRACK(",\"unread\":\"\xff\""), "Bytes that are no UTF-8, read or not.") \
    X(utf8_surrogate, DEAD_LETTER, UTF8, MESSAGE, TRACK(",\"unread\":\"\xed\xa0\x80\""), "A surrogate written as UTF-8.") \
    X(deep_unread, ACCEPTED, OK, MESSAGE, TRACK(",\"unread\":" REPEAT("[", 100000) REPEAT("]", 100000)), "Any depth where nobody reads.") \
    X(deep, DEAD_LETTER, DEPTH, FIELD, WITH_X(REPEAT("[", 100000) REPEAT("]", 100000)), "A list nested deeper than SEG_DEPTH_MAX that is read.") \
    X(duplicate_member, ACCEPTED, OK, FIELD, WITH_X("1,\"x\":2"), "Of members with one name the last holds, everywhere.") \
    \
    X(no_type, DEAD_LETTER, TYPE_MISSING, MESSAGE, "{\"event\":\"E\",\"userId\":\"u\"}", "No type, or null.") \
    X(type_no_text, DEAD_LETTER, TYPE_UNKNOWN, MESSAGE, "{\"type\":1,\"event\":\"E\",\"userId\":\"u\"}", "A type that is no text.") \
    X(type_unknown, DEAD_LETTER, TYPE_UNKNOWN, MESSAGE, "{\"type\":\"Track\",\"event\":\"E\",\"userId\":\"u\"}", "A type that is none of ours, by the letter.") \
    X(type_alias, DEAD_LETTER, TYPE_ALIAS, MESSAGE, "{\"type\":\"alias\",\"previousId\":\"a\",\"userId\":\"u\"}", "Two ids of one user: kept among the dead letters until we can merge.") \
    \
    X(no_user_id, DEAD_LETTER, USER_MISSING, MESSAGE, "{\"type\":\"track\",\"event\":\"E\"}", "Neither userId nor anonymousId.") \
    X(user_id_empty, DEAD_LETTER, USER_MISSING, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"\",\"anonymousId\":null}", "An empty id or null is none.") \
    X(user_id_null, ACCEPTED, OK, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":null,\"anonymousId\":\"a\"}", "Without a userId the anonymousId is the user.") \
    X(user_id_number, DEAD_LETTER, USER_ID, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":7,\"anonymousId\":\"a\"}", "An id that is no text; nothing is coerced.") \
    X(user_id_too_long, DEAD_LETTER, USER_ID, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"" REPEAT("u", 513) "\"}", "More bytes than SEG_ID_BYTES_MAX.") \
    X(user_id_nul, DEAD_LETTER, USER_ID, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\\u0000v\"}", "A zero byte, at which other programs would cut the id.") \
    X(user_id_half_pair, DEAD_LETTER, USER_ID, MESSAGE, "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\\ud83d\"}", "Half a surrogate pair: several ids would become one.") \
    \
    X(no_event_name, DEAD_LETTER, NAME_MISSING, MESSAGE, "{\"type\":\"track\",\"userId\":\"u\"}", "A track message without a name, or with null.") \
    X(event_name_empty, DEAD_LETTER, NAME_MISSING, MESSAGE, "{\"type\":\"track\",\"event\":\"\",\"userId\":\"u\"}", "An empty name is none.") \
    X(event_name_number, DEAD_LETTER, NAME_MISSING, MESSAGE, "{\"type\":\"track\",\"event\":7,\"userId\":\"u\"}", "A name that is no text is none.") \
    X(event_name_too_long, DEAD_LETTER, NAME_BYTES, MESSAGE, "{\"type\":\"track\",\"event\":\"" REPEAT("e", 513) "\",\"userId\":\"u\"}", "More bytes than SEG_NAME_BYTES_MAX.") \
    X(no_group_id, DEAD_LETTER, GROUP_MISSING, MESSAGE, GROUP(""), "A group message without groupId, or with null or an empty one.") \
    X(group_id_number, DEAD_LETTER, GROUP_ID, MESSAGE, GROUP(",\"groupId\":7"), "An id that is no text.") \
    X(group_id_too_long, DEAD_LETTER, GROUP_ID, MESSAGE, GROUP(",\"groupId\":\"" REPEAT("g", 513) "\""), "More bytes than SEG_ID_BYTES_MAX.") \
    \
    X(message_id_number, VALUE_MISSING, OK, MESSAGE_ID, TRACK(",\"messageId\":7"), "An id that is no text.") \
    X(message_id_empty, VALUE_MISSING, OK, MESSAGE_ID, TRACK(",\"messageId\":\"\""), "An empty id would make duplicates of all.") \
    X(message_id_too_long, VALUE_MISSING, OK, MESSAGE_ID, TRACK(",\"messageId\":\"" REPEAT("m", 513) "\""), "More bytes than SEG_ID_BYTES_MAX.") \
    X(time_unreadable, VALUE_MISSING, OK, TIME, TRACK(",\"timestamp\":\"yesterday\""), "A time that cannot be read; counted.") \
    X(time_no_date, VALUE_MISSING, OK, TIME, TRACK(",\"timestamp\":\"2023-02-29T12:00:00Z\""), "A day that the calendar does not have; counted.") \
    X(time_out_of_range, VALUE_MISSING, OK, TIME, TRACK(",\"timestamp\":1e18"), "A number outside the years 0 to 9999; counted.") \
    X(time_no_time, VALUE_MISSING, OK, TIME, TRACK(",\"timestamp\":" REPEAT("[", 100) REPEAT("]", 100)), "Neither text nor number; counted.") \
    X(time_absurd, ACCEPTED, OK, TIME, TRACK(",\"timestamp\":\"9999-12-31T23:59:59Z\""), "A time far away is read; the engine sets bounds to it.") \
    \
    X(properties_list, VALUE_MISSING, OK, FIELD, TRACK(",\"properties\":[]"), "Properties that are no object are none.") \
    X(traits_list, ACCEPTED, OK, MESSAGE, IDENTIFY(",\"traits\":[]"), "Traits that are no object are none.") \
    X(context_text, ACCEPTED, OK, MESSAGE, TRACK(",\"context\":\"web\""), "A context that is no object is none.") \
    X(too_many_properties, DEAD_LETTER, PROPERTIES, MESSAGE, TRACK(",\"properties\":{" REPEAT("\"a\":1,", 100000) "\"x\":1}"), "More members than SEG_PROPERTIES_MAX, duplicates included.") \
    X(too_many_traits, DEAD_LETTER, PROPERTIES, MESSAGE, IDENTIFY(",\"traits\":{" REPEAT("\"a\":1,", 4096) "\"x\":1}"), "Likewise.") \
    X(large_context, ACCEPTED, OK, MESSAGE, TRACK(",\"context\":{" REPEAT("\"a\":1,", 100000) "\"x\":1}"), "The context may have any number of members.") \
    X(string_too_long, DEAD_LETTER, STRING_BYTES, FIELD, WITH_X("\"" REPEAT("a", 65537) "\""), "A text of more bytes than SEG_STRING_BYTES_MAX that is read.") \
    X(trait_too_long, DEAD_LETTER, STRING_BYTES, MESSAGE, IDENTIFY(",\"traits\":{\"x\":\"" REPEAT("a", 65537) "\"}"), "Likewise; traits are always read.") \
    X(null_value, VALUE_MISSING, OK, FIELD, WITH_X("null"), "Null is as good as missing.") \
    X(number_too_large, VALUE_MISSING, OK, FIELD, WITH_X("1e309"), "A number that no double can hold.") \
    X(number_too_small, ACCEPTED, OK, FIELD, WITH_X("1e-400"), "Read as 0, the nearest double.") \
    X(integer_2_63, ACCEPTED, OK, FIELD, WITH_X("9223372036854775808"), "An integer beyond 64 bits is read as a double.") \
    X(integer_2_64, ACCEPTED, OK, FIELD, WITH_X("18446744073709551616"), "Likewise.") \
    X(minus_zero, ACCEPTED, OK, FIELD, WITH_X("-0"), "Read as 0.") \
    X(nul_in_text, ACCEPTED, OK, FIELD, WITH_X("\"a\\u0000b\""), "A zero byte is a character like others.") \
    X(half_pair_in_text, ACCEPTED, OK, FIELD, WITH_X("\"a\\ud83d\""), "Half a surrogate pair is read as U+FFFD.")

#endif
