/* guests.c: the connections of the HTTP server: how many, and for how long.
 *
 * evhttp tells nobody when it is done with a connection. So each is held by a
 * reference of ours as well: evhttp takes its callbacks back when it lets go of
 * one, that is looked for now and then, and then its socket is closed. To close
 * a guest is to shut his socket; evhttp finds it at its end. */
#include "daemon/http/guests.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <seg/error.h>

#include "daemon/base/clock.h"

#define LOOK_MS 1000

struct guest {
    struct guests *guests;
    struct guest *next, **link;
    struct bufferevent *socket; /* A reference. */
    int64_t since_ms;           /* Of the exchange, else of being idle. */
    int is_busy;                /* An exchange is going on. */
    int is_answered;            /* Some of its answer was written. */
    int is_unwanted;            /* To be closed, */
    int is_shut;                /* and he is. */
};

struct guests {
    struct guests_options options;
    struct loop_timer *look;
    struct event *tidy;  /* With the next turn of the loop. */
    struct guest *first; /* The newest. */
    int count;
};

/* ---- one of them ------------------------------------------------------- */

static int is_sent(const struct guest *guest)
{
    struct evbuffer *out = bufferevent_get_output(guest->socket);
    return guest->is_answered && !evbuffer_get_length(out);
}

static void become_idle(struct guest *guest)
{
    guest->is_busy = guest->is_answered = 0;
    guest->since_ms = clock_monotonic_ms();
}

static void on_input(struct evbuffer *buffer,
                     const struct evbuffer_cb_info *info, void *arg)
{
    struct guest *guest = arg;
    (void)buffer;
    if (!info->n_added)
        return;
    if (is_sent(guest))
        become_idle(guest);
    if (!guest->is_busy)
        guest->since_ms = clock_monotonic_ms();
    guest->is_busy = 1;
}

static void on_output(struct evbuffer *buffer,
                      const struct evbuffer_cb_info *info, void *arg)
{
    struct guest *guest = arg;
    guest->is_answered |= info->n_added > 0;
    if (info->n_deleted && !evbuffer_get_length(buffer))
        event_active(guest->guests->tidy, EV_TIMEOUT, 0);
}

/* Whether evhttp has let go of GUEST. */
static int is_gone(const struct guest *guest)
{
    bufferevent_event_cb on_event;
    bufferevent_getcb(guest->socket, NULL, NULL, &on_event, NULL);
    return !on_event;
}

static void guest_free(struct guest *guest)
{
    *guest->link = guest->next;
    if (guest->next)
        guest->next->link = guest->link;
    guest->guests->count--;
    evbuffer_remove_cb(bufferevent_get_input(guest->socket), on_input, guest);
    evbuffer_remove_cb(bufferevent_get_output(guest->socket), on_output, guest);
    bufferevent_decref(guest->socket);
    free(guest);
}

/* ---- all of them ------------------------------------------------------- */

static void close_guest(struct guest *guest)
{
    evutil_socket_t fd = bufferevent_getfd(guest->socket);
    if (fd < 0 || guest->is_shut)
        return;
    metric_add(&guest->guests->options.metrics->http_refused, 1);
    guest->is_shut = 1;
    shutdown(fd, SHUT_RDWR);
}

/* Let go of who is gone, and close who is to be. */
static void tidy(struct guests *guests)
{
    for (struct guest *next, *guest = guests->first; guest; guest = next) {
        next = guest->next;
        if (is_gone(guest))
            guest_free(guest);
        else if (guest->is_unwanted)
            close_guest(guest);
    }
}

static void on_tidy(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    tidy(arg);
}

static void look(void *arg)
{
    struct guests *guests = arg;
    int64_t now_ms = clock_monotonic_ms();
    for (struct guest *guest = guests->first; guest; guest = guest->next)
        if (is_sent(guest))
            become_idle(guest);
        else if (guest->is_busy &&
                 now_ms - guest->since_ms >= guests->options.exchange_ms)
            guest->is_unwanted = 1;
    tidy(guests);
}

/* Somebody is one too many: who has been idle for the longest, else GUEST. He
 * is closed when GUEST has his socket. */
static void make_room(struct guests *guests, struct guest *guest)
{
    struct guest *oldest = NULL;
    for (struct guest *each = guest->next; each; each = each->next)
        if (!each->is_busy && !each->is_unwanted &&
            (!oldest || each->since_ms <= oldest->since_ms))
            oldest = each;
    (oldest ? oldest : guest)->is_unwanted = 1;
    event_active(guests->tidy, EV_TIMEOUT, 0);
}

static void link_guest(struct guests *guests, struct guest *guest)
{
    guest->next = guests->first;
    guest->link = &guests->first;
    if (guest->next)
        guest->next->link = &guest->next;
    guests->first = guest;
    if (++guests->count > GUESTS_MAX)
        make_room(guests, guest);
}

struct bufferevent *guests_enter(struct event_base *base, void *arg)
{
    struct guests *guests = arg;
    struct guest *guest = calloc(1, sizeof(*guest));
    struct bufferevent *socket =
        guest ? bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (!socket) {
        free(guest);
        return NULL;
    }
    tidy(guests);
    bufferevent_incref(socket);
    evbuffer_add_cb(bufferevent_get_input(socket), on_input, guest);
    evbuffer_add_cb(bufferevent_get_output(socket), on_output, guest);
    guest->guests = guests;
    guest->socket = socket;
    guest->since_ms = clock_monotonic_ms();
    link_guest(guests, guest);
    return socket;
}

int guests_count(const struct guests *guests)
{
    return guests->count;
}

int guests_open(struct guests **ret, const struct guests_options *options)
{
    struct guests *guests = calloc(1, sizeof(*guests));
    if (!guests)
        return SEG_ERR_NOMEM;
    guests->options = *options;
    if (!options->exchange_ms)
        guests->options.exchange_ms = GUESTS_EXCHANGE_S * 1000;
    guests->tidy = evtimer_new(loop_base(options->loop), on_tidy, guests);
    int err = guests->tidy ? loop_every(options->loop, LOOK_MS, look, guests,
                                        &guests->look)
                           : SEG_ERR_NOMEM;
    if (err < 0)
        guests_close(guests);
    else
        *ret = guests;
    return err;
}

void guests_close(struct guests *guests)
{
    if (!guests)
        return;
    while (guests->first)
        guest_free(guests->first);
    loop_timer_free(guests->look);
    if (guests->tidy)
        event_free(guests->tidy);
    free(guests);
}
