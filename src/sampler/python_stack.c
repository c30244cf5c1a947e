#define Py_BUILD_CORE 1
#include "sampler/python_stack.h"

#include "sampler/peek.h"

#if PY_VERSION_HEX >= 0x030E0000
#    include <internal/pycore_interpframe_structs.h>
#else
#    include <internal/pycore_frame.h>
#endif

typedef struct _PyInterpreterFrame frame_type;
enum {
    HEAD_SIZE = offsetof(frame_type, localsplus),
    WINDOW_SIZE = 16 * 1024, /* of the data stack, read at a time */
};

/* ---- What differs between versions ------------------------------------------------------------ */

#if PY_VERSION_HEX >= 0x030E0000
/* The lowest bits of a reference tell how it is counted. */
static const void *code_of(const frame_type *frame)
{
    return (const void *)((uintptr_t)frame->f_executable.bits & ~(uintptr_t)7);
}
#elif PY_VERSION_HEX >= 0x030D0000
static const void *code_of(const frame_type *frame) { return frame->f_executable; }
#else
static const void *code_of(const frame_type *frame) { return frame->f_code; }
#endif

#if PY_VERSION_HEX >= 0x030D0000
static const void *instruction_of(const frame_type *frame) { return frame->instr_ptr; }
#else
static const void *instruction_of(const frame_type *frame) { return frame->prev_instr; }
#endif

/* Frames that are none of Python's, but mark where C calls it. */
static bool is_of_c(const frame_type *frame)
{
#if PY_VERSION_HEX >= 0x030C0000
    return frame->owner > FRAME_OWNED_BY_FRAME_OBJECT;
#else
    (void)frame;
    return false;
#endif
}

static int32_t bytecode_of(const frame_type *frame)
{
#if PY_VERSION_HEX >= 0x030E0000 && defined(Py_GIL_DISABLED)
    return frame->tlbc_index;
#else
    (void)frame;
    return 0;
#endif
}

/* The innermost frame. Before 3.13 a struct on the thread's C stack says which it is. */
static bool top_frame(const PyThreadState *state, const void **top)
{
#if PY_VERSION_HEX >= 0x030D0000
    *top = state->current_frame;
    return true;
#else
    _PyCFrame frame;
    if (!sp_peek(&frame, state->cframe, sizeof frame))
        return false;
    *top = frame.current_frame;
    return true;
#endif
}

/* The thread that holds the GIL on 3.11, this one on newer versions. Not inlined: what the compiler is
 * told of PyThreadState_GetUnchecked() does not hold for a thread that looks again and again. */
static SP_APART const PyThreadState *current_state(void) { return PyThreadState_GetUnchecked(); }

bool sp_state_is_attached(const sp_state_copy *copy)
{
#if PY_VERSION_HEX >= 0x030D0000
    return copy->state.state != 0; /* 0: detached. Suspended threads (2) are left alone too. */
#elif PY_VERSION_HEX >= 0x030C0000
    return copy->state._status.active;
#else
    return current_state() == copy->address;
#endif
}

int64_t sp_frame_position(const sp_frame_copy *frame, const PyCodeObject *header)
{
    const char *begin = (const char *)frame->code + offsetof(PyCodeObject, co_code_adaptive);
#if PY_VERSION_HEX >= 0x030E0000 && defined(Py_GIL_DISABLED)
    if (frame->bytecode != 0
        && !sp_peek(&begin, &header->co_tlbc->entries[frame->bytecode], sizeof begin))
        return -1;
#endif
    int64_t position = ((const char *)frame->instruction - begin) / (int64_t)sizeof(_Py_CODEUNIT);
    return position < 0 || position >= Py_SIZE((PyObject *)header) ? -1 : position;
}

/* ---- Threads ---------------------------------------------------------------------------------- */

static bool copy_state(sp_state_copy *copy, const PyThreadState *address,
                       const PyInterpreterState *interpreter)
{
    copy->address = address;
    return sp_peek(&copy->state, address, sizeof copy->state)
           && copy->state.interp == interpreter;
}

bool sp_state_copy_again(sp_state_copy *copy)
{
    const PyInterpreterState *interpreter = copy->state.interp;
    return copy_state(copy, copy->address, interpreter);
}

/* The same threads as the last time, in one call of the system; false when there are others. */
static bool copy_same(const PyInterpreterState *interpreter, sp_state_copy *states, size_t count)
{
    enum { SOME = 64 };
    sp_peeked places[SOME];
    for (size_t first = 0; first < count; first += SOME) {
        size_t some = count - first < SOME ? count - first : SOME;
        for (size_t i = 0; i < some; i++) {
            sp_state_copy *copy = &states[first + i];
            places[i] = (sp_peeked){&copy->state, copy->address, sizeof copy->state};
        }
        if (!sp_peek_all(places, some))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        const PyThreadState *state = &states[i].state;
        if (state->interp != interpreter || state->prev != (i == 0 ? NULL : states[i - 1].address)
            || (i + 1 < count && state->next != states[i + 1].address)
            || (i + 1 == count && state->next != NULL))
            return false;
    }
    return count != 0;
}

size_t sp_states_copy(const PyThreadState *known, const PyInterpreterState *interpreter,
                      sp_state_copy *states, size_t before, size_t room)
{
    if (copy_same(interpreter, states, before))
        return before;
    /* New threads are put in front, so from the known one on towards them, and then the other way. */
    sp_state_copy newest;
    if (!copy_state(&newest, known, interpreter))
        return 0;
    for (size_t steps = 0; newest.state.prev != NULL; steps++) {
        if (steps > room || !copy_state(&newest, newest.state.prev, interpreter))
            return 0;
    }
    size_t count = 0;
    states[count++] = newest;
    while (count < room && states[count - 1].state.next != NULL) {
        if (!copy_state(&states[count], states[count - 1].state.next, interpreter))
            break; /* it has ended meanwhile: those behind it count the next time */
        count++;
    }
    return count;
}

/* ---- Frames ----------------------------------------------------------------------------------- */

/* Memory that is at hand: what stands at `bytes` is what stands, or stood, at `begin`. */
typedef struct {
    const char *begin, *bytes;
    size_t size;
} window;

static bool read_head(const window *hand, const void *address, frame_type *frame)
{
    size_t offset = (size_t)((const char *)address - hand->begin);
    if (offset < hand->size && hand->size - offset >= HEAD_SIZE) {
        memcpy(frame, hand->bytes + offset, HEAD_SIZE);
        return true;
    }
    return sp_peek(frame, address, HEAD_SIZE);
}

static bool walk(const window *hand, const void *address, sp_stack_copy *stack)
{
    enum { OF_C_AT_MOST = SP_STACK_FRAMES };
    frame_type frame;
    stack->depth = 0;
    for (int of_c = 0; address != NULL && stack->depth < SP_STACK_FRAMES;) {
        if (!read_head(hand, address, &frame))
            return false;
        if (!is_of_c(&frame))
            stack->frames[stack->depth++] = (sp_frame_copy){
                address, code_of(&frame), instruction_of(&frame), bytecode_of(&frame)};
        else if (of_c++ == OF_C_AT_MOST)
            return false;
        address = frame.previous;
    }
    stack->whole = address == NULL;
    return true;
}

bool sp_stack_copy_own(const PyThreadState *state, sp_stack_copy *stack)
{
    const void *top;
    if (current_state() != state)
        return false;
    /* Its own data stack is there: a chunk is in this place after it was allocated, and no longer when
     * it is freed. */
    const _PyStackChunk *chunk = state->datastack_chunk;
    window hand = {(const char *)chunk, (const char *)chunk, chunk == NULL ? 0 : chunk->size};
#if PY_VERSION_HEX < 0x030D0000
    top = state->cframe->current_frame; /* on the C stack that this runs on */
#else
    top = state->current_frame;
#endif
    return walk(&hand, top, stack);
}

bool sp_stack_copy_detached(sp_state_copy *copy, sp_stack_copy *stack)
{
    char bytes[WINDOW_SIZE];
    const void *top, *top_after;
    const char *end = (const char *)copy->state.datastack_top;
    const char *begin = (const char *)copy->state.datastack_chunk;
    if (begin == NULL || end < begin)
        begin = end;
    if (end - begin > WINDOW_SIZE)
        begin = end - WINDOW_SIZE;
    window hand = {begin, bytes, (size_t)(end - begin)};
    if (!top_frame(&copy->state, &top) || !sp_peek(bytes, begin, hand.size)
        || !walk(&hand, top, stack))
        return false;
    const sp_frame_copy first = stack->frames[0];
    frame_type frame;
    return sp_state_copy_again(copy) && !sp_state_is_attached(copy)
           && top_frame(&copy->state, &top_after) && top == top_after
           && (stack->depth == 0
               || (sp_peek(&frame, first.frame, HEAD_SIZE)
                   && instruction_of(&frame) == first.instruction
                   && code_of(&frame) == first.code));
}
