#define _GNU_SOURCE
#include "base/platform.h"

#ifdef __linux__
#include <pthread.h>

size_t sp_stack_left(void)
{
    uintptr_t lowest = UINTPTR_MAX; /* it cannot be told */
    pthread_attr_t attributes;
    void *address = NULL;
    size_t size = 0;
    char here;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &address, &size) == 0)
            lowest = (uintptr_t)address;
        pthread_attr_destroy(&attributes);
    }
    return (uintptr_t)&here > lowest ? (uintptr_t)&here - lowest : 0;
}

void sp_at_thread_end(sp_thread_end *end, void (*function)(void *), void *argument)
{
    static sp_mutex lock;
    SP_LOCK(&lock);
    if (!end->made)
        end->made = pthread_key_create(&end->key, function) == 0;
    SP_UNLOCK(&lock);
    if (end->made)
        pthread_setspecific(end->key, argument);
}

#else

void sp_at_thread_end(sp_thread_end *end, void (*function)(void *), void *argument)
{
    (void)end, (void)function, (void)argument;
}

/* Unknown: say there is none to spare, so that nobody relies on it. */
size_t sp_stack_left(void) { return 0; }

#endif

#ifdef Py_GIL_DISABLED
#include <sched.h>
#include <time.h>

SP_NOINLINE void sp_lock_slow(sp_mutex *mutex)
{
    enum { YIELDS = 100 };
    const struct timespec moment = {0, 20000};
    for (int tries = 0; __atomic_exchange_n(mutex, 1, __ATOMIC_ACQUIRE); tries++) {
        if (tries < YIELDS)
            sched_yield();
        else
            nanosleep(&moment, NULL);
    }
}

#endif

#ifdef _WIN32

bool sp_is_writable(void *memory, size_t size)
{
    (void)memory, (void)size;
    return false; /* unknown */
}

void sp_signals_hold(sp_signals *before) { (void)before; }
void sp_signals_allow_ends(void) {}
void sp_signals_release(const sp_signals *before) { (void)before; }

#else
#    include <unistd.h>

/* The system writes there what there is, and says when it cannot. */
bool sp_is_writable(void *memory, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    bool written = write(ends[1], memory, size) == (ssize_t)size
                   && read(ends[0], memory, size) == (ssize_t)size;
    close(ends[0]);
    close(ends[1]);
    return written;
}

void sp_signals_hold(sp_signals *before)
{
    static const int errors[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t held;
    sigfillset(&held);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        sigdelset(&held, errors[i]);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

void sp_signals_allow_ends(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t allowed;
    sigemptyset(&allowed);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        sigaddset(&allowed, ends[i]);
    pthread_sigmask(SIG_UNBLOCK, &allowed, NULL);
}

void sp_signals_release(const sp_signals *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }

#endif
