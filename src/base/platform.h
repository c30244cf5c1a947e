/* The thread as the operating system has it: how it waits, its stack, its end, its signals. */
#ifndef SP_PLATFORM_H
#define SP_PLATFORM_H

#include "base/compat.h"

/* With the GIL, C code between two calls into Python is atomic and locks cost nothing. Without it,
 * these are for short work in which no Python runs: who waits does not let the interpreter know. */
typedef char sp_mutex;
#ifdef Py_GIL_DISABLED
void sp_lock_slow(sp_mutex *mutex);
#define SP_LOCK(mutex)                                                                         \
    do {                                                                                       \
        if (SP_UNLIKELY(__atomic_exchange_n(mutex, 1, __ATOMIC_ACQUIRE)))                      \
            sp_lock_slow(mutex);                                                               \
    } while (0)
#define SP_UNLOCK(mutex) __atomic_store_n(mutex, 0, __ATOMIC_RELEASE)
#else
#define SP_LOCK(mutex) ((void)(mutex))
#define SP_UNLOCK(mutex) ((void)(mutex))
#endif

/* Bytes of C stack left below here; 0 when that cannot be told. */
size_t sp_stack_left(void);

/* Whether the memory can be written to, which is left as it is. */
bool sp_is_writable(void *memory, size_t size);

/* Call function(argument) when this thread ends. It runs without the GIL, and may never. `end` is
 * zeroed before the first time, and stands for this function. */
typedef struct {
    bool made;
    unsigned key;
} sp_thread_end;
void sp_at_thread_end(sp_thread_end *end, void (*function)(void *), void *argument);

/* Let no signal arrive in this thread until they are released, but for those that tell of an error in
 * the program. */
#ifdef _WIN32
typedef int sp_signals;
#else
#include <signal.h>
typedef sigset_t sp_signals;
#endif
void sp_signals_hold(sp_signals *before);
void sp_signals_release(const sp_signals *before);
/* ... nor for those that are to end the process. */
void sp_signals_allow_ends(void);

#endif
