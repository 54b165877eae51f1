/* threads.c: C11 threads for a program built with ThreadSanitizer.
 *
 * librdkafka makes its threads with thrd_create, of which the sanitizer knows
 * nothing: a thread that it has not seen begin crashes at the first call it
 * watches. Preloaded, this file says the same in words of pthreads, which it
 * knows; so it also sees librdkafka's locks, and what they order.
 *
 *     cc -D_GNU_SOURCE -shared -fPIC -o threads.so threads.c
 *     LD_PRELOAD=./threads.so build/thread/segmentd ...
 *
 * In glibc the types of both kinds are of one size and may be cast. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t");
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t");
static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t");

#define MUTEX(mutex)         ((pthread_mutex_t *)(void *)(mutex))
#define CONDITION(condition) ((pthread_cond_t *)(void *)(condition))

struct start {
    thrd_start_t run;
    void *arg;
};

static int result(int err)
{
    switch (err) {
    case 0:
        return thrd_success;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    return (void *)(intptr_t)start.run(start.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
    struct start *start = malloc(sizeof(*start));
    int err = ENOMEM;
    if (start) {
        *start = (struct start){run, arg};
        err = pthread_create((pthread_t *)thread, NULL, begin, start);
    }
    if (err)
        free(start);
    return result(err);
}

int thrd_join(thrd_t thread, int *ret)
{
    void *value = NULL;
    int err = pthread_join((pthread_t)thread, &value);
    if (ret)
        *ret = (int)(intptr_t)value;
    return result(err);
}

int thrd_detach(thrd_t thread)
{
    return result(pthread_detach((pthread_t)thread));
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    int err = pthread_mutex_init(MUTEX(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result(err);
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy(MUTEX(mutex));
}

int mtx_lock(mtx_t *mutex)
{
    return result(pthread_mutex_lock(MUTEX(mutex)));
}

int mtx_trylock(mtx_t *mutex)
{
    return result(pthread_mutex_trylock(MUTEX(mutex)));
}

int mtx_unlock(mtx_t *mutex)
{
    return result(pthread_mutex_unlock(MUTEX(mutex)));
}

int cnd_init(cnd_t *condition)
{
    return result(pthread_cond_init(CONDITION(condition), NULL));
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy(CONDITION(condition));
}

int cnd_signal(cnd_t *condition)
{
    return result(pthread_cond_signal(CONDITION(condition)));
}

int cnd_broadcast(cnd_t *condition)
{
    return result(pthread_cond_broadcast(CONDITION(condition)));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result(pthread_cond_wait(CONDITION(condition), MUTEX(mutex)));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    return result(
        pthread_cond_timedwait(CONDITION(condition), MUTEX(mutex), until));
}

void call_once(once_flag *flag, void (*run)(void))
{
    pthread_once((pthread_once_t *)(void *)flag, run);
}
