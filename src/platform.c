/* The thread as the operating system has it: its stack, its end. */
#define _GNU_SOURCE
#include "compat.h"

#ifdef __linux__
#include <pthread.h>

size_t sp_stack_left(void)
{
    static SP_THREAD_LOCAL uintptr_t lowest = 0;
    char here;
    if (lowest == 0) {
        pthread_attr_t attributes;
        void *address = NULL;
        size_t size = 0;
        lowest = UINTPTR_MAX; /* it cannot be told */
        if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
            if (pthread_attr_getstack(&attributes, &address, &size) == 0)
                lowest = (uintptr_t)address;
            pthread_attr_destroy(&attributes);
        }
    }
    return (uintptr_t)&here > lowest ? (uintptr_t)&here - lowest : 0;
}

void sp_at_thread_end(void (*function)(void *), void *argument)
{
    static pthread_key_t key; /* one caller, one key */
    static bool made = false;
    if (!made)
        made = pthread_key_create(&key, function) == 0;
    if (made)
        pthread_setspecific(key, argument);
}

#else

void sp_at_thread_end(void (*function)(void *), void *argument) { (void)function, (void)argument; }

/* Unknown: say there is none to spare, so that nobody relies on it. */
size_t sp_stack_left(void) { return 0; }

#endif
