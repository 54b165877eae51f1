/* mailbox.c: asking another thread to do something.
 *
 * A list under a lock, a flag that saves the lock when nothing waits, and an
 * eventfd that is 1 exactly while the list is not empty. Draining takes the
 * whole list first: what a closure posts to its own box runs next time. */
#include "daemon/base/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <seg/error.h>

struct letter {
    struct letter *next;
    mailbox_run *run;
    void *arg;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letter *first, **last;
    atomic_int waiting; /* first != NULL. */
    int closed;
    int fd;
};

int mailbox_open(struct mailbox **ret)
{
    struct mailbox *box = calloc(1, sizeof(*box));
    if (!box)
        return SEG_ERR_NOMEM;
    box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (box->fd < 0) {
        free(box);
        return SEG_ERR_LIMIT;
    }
    pthread_mutex_init(&box->lock, NULL);
    box->last = &box->first;
    *ret = box;
    return 0;
}

int mailbox_fd(const struct mailbox *box)
{
    return box->fd;
}

/* The flag of the descriptor, up or down. An eventfd of 0 can always take 1,
 * one of 1 can always be read. */
static void set_waiting(struct mailbox *box, int waiting)
{
    uint64_t one = 1;
    ssize_t n = waiting ? write(box->fd, &one, sizeof(one))
                        : read(box->fd, &one, sizeof(one));
    (void)n;
    box->waiting = waiting;
}

int mailbox_post(struct mailbox *box, mailbox_run *run, void *arg)
{
    struct letter *letter = malloc(sizeof(*letter));
    if (!letter)
        return SEG_ERR_NOMEM;
    *letter = (struct letter){NULL, run, arg};
    pthread_mutex_lock(&box->lock);
    int closed = box->closed;
    if (!closed) {
        if (!box->first)
            set_waiting(box, 1);
        *box->last = letter;
        box->last = &letter->next;
    }
    pthread_mutex_unlock(&box->lock);
    if (closed)
        free(letter);
    return closed ? SEG_ERR_NOT_FOUND : 0;
}

/* All that waits; BOX is empty afterwards, and CLOSED if it was or is to be. */
static struct letter *take(struct mailbox *box, int closed)
{
    pthread_mutex_lock(&box->lock);
    struct letter *first = box->first;
    if (first)
        set_waiting(box, 0);
    box->first = NULL;
    box->last = &box->first;
    box->closed |= closed;
    pthread_mutex_unlock(&box->lock);
    return first;
}

static int run_all(struct letter *letter, void *context)
{
    int count = 0;
    for (struct letter *next; letter; letter = next, count++) {
        next = letter->next;
        letter->run(context, letter->arg);
        free(letter);
    }
    return count;
}

int mailbox_drain(struct mailbox *box, void *context)
{
    return box->waiting ? run_all(take(box, 0), context) : 0;
}

void mailbox_close(struct mailbox *box)
{
    run_all(take(box, 1), NULL);
}

void mailbox_free(struct mailbox *box)
{
    if (!box)
        return;
    mailbox_close(box);
    close(box->fd);
    pthread_mutex_destroy(&box->lock);
    free(box);
}
