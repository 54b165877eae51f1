/* notify.h: telling systemd how we are (sd_notify(3), without libsystemd).
 *
 * One datagram to the socket named by NOTIFY_SOCKET; without it nothing
 * happens. It never blocks: who does not read does not hear. */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/* Send STATE, newline-separated assignments: "READY=1\nSTATUS=4 partitions".
 * Returns 1 if it was sent; 0 if nobody is there; SEG_ERR_LIMIT if he does not
 * read fast enough: what matters is worth another try. */
int notify_send(const char *state);

/* READY=1: every partition runs, or the reload that was told is over. Returns
 * as notify_send. */
int notify_ready(void);

/* RELOADING=1 and since when, so that `systemctl reload` waits; notify_ready
 * ends it, whether the reload came to something or not. */
void notify_reloading(void);

/* How often systemd wants to hear WATCHDOG=1 of this process, in milliseconds:
 * a third of the time after which it kills us. 0: it does not. */
int64_t notify_watchdog_ms(void);

/* STATUS= with the text that FORMAT makes, for `systemctl status`. */
void notify_status(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
