/* Everything that depends on the version of Python or on the compiler sits here; the other files speak
 * one dialect. */
#ifndef SP_COMPAT_H
#define SP_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_T_BOOL T_BOOL
#define Py_READONLY READONLY
#endif

#if PY_VERSION_HEX < 0x030D0000
#define PyThreadState_GetUnchecked _PyThreadState_UncheckedGet
#endif

#if PY_VERSION_HEX < 0x030B0000
#error "scope_profiler needs CPython 3.11 or newer"
#endif

/* sys.monitoring (PEP 669) carries line mode from 3.12 on; 3.11 has the trace function. */
#if PY_VERSION_HEX >= 0x030C0000
#define SP_MONITORING 1
#else
#define SP_MONITORING 0
#endif

/* A branch hint says "this is rare" to the reader as much as to the compiler. */
#if defined(__GNUC__) || defined(__clang__)
#define SP_LIKELY(x) __builtin_expect(!!(x), 1)
#define SP_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SP_NOINLINE __attribute__((noinline, cold))
#define SP_APART __attribute__((noinline)) /* it is as usual as what calls it */
#define SP_PREFETCH(address) __builtin_prefetch(address) /* any address will do */
#define SP_INLINE static inline __attribute__((always_inline))
#define SP_MUST_USE __attribute__((warn_unused_result))
#else
#define SP_LIKELY(x) (x)
#define SP_UNLIKELY(x) (x)
#define SP_NOINLINE
#define SP_APART
#define SP_PREFETCH(address) ((void)(address))
#define SP_INLINE static inline
#define SP_MUST_USE
#endif

/* The initial-exec model makes a thread-local load one instruction instead of a call to
 * __tls_get_addr. The dynamic loader reserves few bytes for libraries that come late: there is one
 * such variable, a pointer (local.h). */
#if defined(__GNUC__) && defined(__ELF__)
#define SP_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#elif defined(_MSC_VER)
#define SP_THREAD_LOCAL __declspec(thread)
#else
#define SP_THREAD_LOCAL _Thread_local
#endif

/* Threads end without the GIL, and count where there is none. */
#if defined(__GNUC__) || defined(__clang__)
#define SP_LOAD(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
#define SP_STORE(place, value) __atomic_store_n(place, value, __ATOMIC_RELEASE)
#define SP_ADD(place, value) __atomic_add_fetch(place, value, __ATOMIC_ACQ_REL)
/* Whether *before stood there, and the value does now; else *before is what stands there. */
#    define SP_EXCHANGE_IF(place, before, value)                                                 \
        __atomic_compare_exchange_n(place, before, value, false, __ATOMIC_ACQ_REL,               \
                                    __ATOMIC_ACQUIRE)
#else
#define SP_LOAD(place) (*(place))
#define SP_STORE(place, value) (*(place) = (value))
#define SP_ADD(place, value) (*(place) += (value))
#    define SP_EXCHANGE_IF(place, before, value)                                                 \
        (*(place) == *(before) ? (*(place) = (value), true) : (*(before) = *(place), false))
#endif

/* The exception that is set, if any, is taken away and set again. On 3.11 it may be in parts, and stays
 * so, as putting them together can run Python. */
#if PY_VERSION_HEX >= 0x030C0000
typedef PyObject *sp_exception;
SP_INLINE sp_exception sp_exception_take(void) { return PyErr_GetRaisedException(); }
SP_INLINE void sp_exception_restore(sp_exception taken) { PyErr_SetRaisedException(taken); }
SP_INLINE PyTypeObject *sp_exception_type(sp_exception taken) { return Py_TYPE(taken); }
#else
typedef struct {
    PyObject *type, *value, *traceback;
} sp_exception;
SP_INLINE sp_exception sp_exception_take(void)
{
    sp_exception taken;
    PyErr_Fetch(&taken.type, &taken.value, &taken.traceback);
    return taken;
}
SP_INLINE void sp_exception_restore(sp_exception taken)
{
    PyErr_Restore(taken.type, taken.value, taken.traceback);
}
SP_INLINE PyTypeObject *sp_exception_type(sp_exception taken) { return (PyTypeObject *)taken.type; }
#endif

/* The exception that is set as an object, which is the caller's, and no longer set; NULL for none. */
SP_INLINE PyObject *sp_exception_object(void)
{
    sp_exception taken = sp_exception_take();
#if PY_VERSION_HEX >= 0x030C0000
    return taken;
#else
    PyErr_NormalizeException(&taken.type, &taken.value, &taken.traceback);
    Py_XDECREF(taken.type);
    Py_XDECREF(taken.traceback);
    return taken.value;
#endif
}

/* The object stays as long as the process, with all that it holds, and its references are not counted:
 * without the GIL, threads that use one object at the same time wait for each other at its counts. With
 * the GIL nobody waits, and this does nothing. The thread that made the object calls it, before others
 * have it. CPython does the same with functions, types and modules in 3.13, and has no call for it
 * before 3.15. */
SP_INLINE void sp_make_immortal(PyObject *object)
{
#ifdef Py_GIL_DISABLED
    if (PyObject_IS_GC(object))
        PyObject_GC_UnTrack(object);
    object->ob_tid = 0; /* no thread owns it */
    object->ob_ref_shared = 0;
    object->ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL;
#else
    (void)object;
#endif
}

/* No other thread changes the object in between, where nothing may return. */
#ifdef Py_GIL_DISABLED
#define SP_BEGIN_CRITICAL_SECTION(object) Py_BEGIN_CRITICAL_SECTION(object)
#define SP_END_CRITICAL_SECTION() Py_END_CRITICAL_SECTION()
#else
#define SP_BEGIN_CRITICAL_SECTION(object) { (void)(object);
#define SP_END_CRITICAL_SECTION() }
#endif

/* A field of an object that any thread may replace at any time: a new reference, None for NULL; and
 * in its place another, which is taken over. */
SP_INLINE PyObject *sp_field_get(PyObject *object, PyObject *const *field)
{
    PyObject *value;
    SP_BEGIN_CRITICAL_SECTION(object);
    value = Py_NewRef(*field == NULL ? Py_None : *field);
    SP_END_CRITICAL_SECTION();
    return value;
}

SP_INLINE void sp_field_set(PyObject *object, PyObject **field, PyObject *value)
{
    PyObject *before;
    SP_BEGIN_CRITICAL_SECTION(object);
    before = *field;
    *field = value;
    SP_END_CRITICAL_SECTION();
    Py_XDECREF(before);
}

/* Calls of decorated functions go through C. Until 3.14, which looks itself, they must be kept from
 * using the stack up where Python's recursion limit has been raised. */
#define SP_CHECK_STACK (PY_VERSION_HEX < 0x030E0000)
enum { SP_STACK_RESERVE = 256 * 1024 };

/* CPython 3.12 and 3.13 count nested calls through C and stop at a number far below what the stack
 * holds, so a decorated function could not recurse as deep as the undecorated one, which calls
 * itself without C. While the stack has room, a decorated call gives back what it takes; Python's
 * own recursion limit goes on counting the frames. */
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000
#define SP_C_RECURSION 1
enum { SP_C_RECURSION_LOW = 200 };
#else
#define SP_C_RECURSION 0
#endif

/* It is the same throughout any function of ours, so that one call of it is enough there. */
#if defined(__GNUC__) || defined(__clang__)
PyAPI_FUNC(PyThreadState *) PyThreadState_GetUnchecked(void) __attribute__((const));
#endif

/* The number that the system has for this thread; 0 where it has none. */
SP_INLINE uint64_t sp_native_thread(void)
{
#ifdef PY_HAVE_THREAD_NATIVE_ID
    return PyThread_get_thread_native_id();
#else
    return 0;
#endif
}

/* The address of the interpreter frame that runs now: the identity of one activation,
 * without making a frame object. */
SP_INLINE const void *sp_current_frame(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked()->current_frame;
#else
    return PyThreadState_GetUnchecked()->cframe->current_frame;
#endif
}

/* The bottom of the Python stack that is in use: another one for each greenlet, which brings its own
 * and puts it in the place of the thread's. NULL where no Python has run yet. */
SP_INLINE const void *sp_stack_bottom_of(const PyThreadState *state)
{
    /* A chunk of the stack begins with the address of the one below. */
    const void *const *chunk = (const void *)state->datastack_chunk;
    while (chunk != NULL && *chunk != NULL)
        chunk = *chunk;
    return chunk;
}
SP_INLINE const void *sp_stack_bottom(void)
{
    return sp_stack_bottom_of(PyThreadState_GetUnchecked());
}

/* The context that runs now, NULL before a thread has used one. */
SP_INLINE PyObject *sp_current_context(void)
{
    return PyThreadState_GetUnchecked()->context;
}

/* The one from which an entered context was entered, NULL for none: the first field of CPython's
 * PyContext, in 3.7 to 3.15 (a test asks). */
SP_INLINE PyObject *sp_outer_context(PyObject *context)
{
    return *(PyObject **)((char *)context + sizeof(PyObject));
}

/* Position of the highest set bit; x must not be 0. */
SP_INLINE unsigned sp_highest_bit(uint64_t x)
{
#if defined(__GNUC__) || defined(__clang__)
    return 63u - (unsigned)__builtin_clzll(x);
#else
    unsigned bit = 0;
    while (x >>= 1)
        bit++;
    return bit;
#endif
}

/* An exact 128-bit sum: squares of tick counts pass 64 bits within seconds. */
typedef struct {
    uint64_t low, high;
} sp_wide;

SP_INLINE void sp_wide_add(sp_wide *sum, sp_wide value)
{
    sum->low += value.low;
    sum->high += value.high + (sum->low < value.low);
}

SP_INLINE sp_wide sp_wide_product(uint64_t x, uint64_t y)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 product = (unsigned __int128)x * y;
    return (sp_wide){(uint64_t)product, (uint64_t)(product >> 64)};
#else
    uint64_t a = x & 0xffffffffu, b = x >> 32, c = y & 0xffffffffu, d = y >> 32;
    sp_wide product = {a * c, b * d};
    sp_wide_add(&product, (sp_wide){(a * d) << 32, (a * d) >> 32});
    sp_wide_add(&product, (sp_wide){(b * c) << 32, (b * c) >> 32});
    return product;
#endif
}

SP_INLINE sp_wide sp_wide_negative(sp_wide value)
{
    return (sp_wide){~value.low + 1, ~value.high + (value.low == 0)};
}

SP_INLINE double sp_wide_double(sp_wide value)
{
    return (double)value.high * 18446744073709551616.0 + (double)value.low;
}

#endif
