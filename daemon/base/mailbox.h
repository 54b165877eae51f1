/* mailbox.h: asking another thread to do something.
 *
 * Any thread posts a function with its argument; the owner of the box runs what
 * was posted, in order, when it drains the box. The box's descriptor becomes
 * readable when something is posted, for owners that wait in poll or epoll.
 *
 * Every closure that was accepted is run exactly once: by mailbox_drain with
 * the owner's context, or, when the box closes first, with NULL, so that it can
 * answer "gone" and free its argument. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

typedef void mailbox_run(void *context, void *arg);

struct mailbox;

/* Returns 0; SEG_ERR_NOMEM; SEG_ERR_LIMIT without a descriptor left. */
int mailbox_open(struct mailbox **ret);

/* Run what waits with a NULL context; whatever is posted from now on is
 * refused. The box itself stays, for threads that still post. Twice is fine. */
void mailbox_close(struct mailbox *box);

/* Close and end BOX (may be NULL): nobody posts any more. */
void mailbox_free(struct mailbox *box);

/* Post RUN with ARG. Any thread. Returns 0; SEG_ERR_NOMEM, or SEG_ERR_NOT_FOUND
 * when the box is closed: RUN will not be called and ARG stays the caller's. */
int mailbox_post(struct mailbox *box, mailbox_run *run, void *arg);

/* Run everything posted so far. The owner only. Costs one atomic load when
 * nothing waits, so it may stand in every turn. Returns how many ran. */
int mailbox_drain(struct mailbox *box, void *context);

/* Readable while something waits; poll it, do not read it. */
int mailbox_fd(const struct mailbox *box);

#endif
