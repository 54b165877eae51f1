/* away.h: why the brokers do not answer.
 *
 * What a call of the library says is that no broker answered, not why: that the
 * password was wrong, or the certificate of an authority nobody knows, stands in
 * a line of its log only. The last such line of any client of this process is
 * kept, for the sentence that people get to see.
 *
 * Any thread. */
#ifndef KAFKA_AWAY_H
#define KAFKA_AWAY_H

#define AWAY_KEPT_MS 60000 /* The library repeats itself every 30 s. */

/* A connection failed; TEXT is what the library logs about it. */
void away_note(const char *text);

/* "WHAT: REASON." into the CLIENT_WHY_BYTES at WHY, which may be behind the
 * start of a longer buffer. REASON is why connections failed if ERR (of the
 * library) only says that they did, else TEXT. */
void away_say(char *why, const char *what, int err, const char *text);

#endif
