/* The threads of the interpreter and the frames of each, as they lie in memory, read without the GIL.
 *
 * A stack is read whole only while it stands still: by its own thread, in a signal handler, or, while the
 * thread is detached from the interpreter, by the sampler. What others say of it (py-spy, and the
 * "blocking mode" of profiling.sampling in CPython 3.15): stacks that are read while they change are
 * mixtures, in which functions that take microseconds count for far too much or too little. */
#ifndef SP_PYTHON_STACK_H
#define SP_PYTHON_STACK_H

#include "base/compat.h"

enum { SP_STACK_FRAMES = 512 };

typedef struct {
    const void *frame, *code, *instruction;
    int32_t
        bytecode; /* which copy of its bytecode runs (3.14 and newer without the GIL); else 0 */
} sp_frame_copy;

/* The innermost frames come first. */
typedef struct {
    uint32_t depth;
    bool whole; /* down to the outermost frame */
    sp_frame_copy frames[SP_STACK_FRAMES];
} sp_stack_copy;

/* A thread of the interpreter, and what stood there. */
typedef struct {
    const PyThreadState *address;
    PyThreadState state;
} sp_state_copy;

/* Copy the threads of the interpreter to which the thread state `known` belongs, the newest first. It must
 * be there as long as the interpreter: that of the main thread. before: how many `states` has of the last
 * time. Returns how many there are, at most `room`; 0 when they cannot be read. */
size_t sp_states_copy(const PyThreadState *known, const PyInterpreterState *interpreter,
                      sp_state_copy *states, size_t before, size_t room);
/* Copy it again. */
SP_MUST_USE bool sp_state_copy_again(sp_state_copy *copy);

/* Whether the thread runs Python code, or C code that may change its stack. */
bool sp_state_is_attached(const sp_state_copy *copy);

/* In that thread, in a signal handler: its own stack. False when it is not attached. */
SP_MUST_USE bool sp_stack_copy_own(const PyThreadState *state, sp_stack_copy *stack);
/* Of a thread that is detached. False when it was not throughout. */
SP_MUST_USE bool sp_stack_copy_detached(sp_state_copy *copy, sp_stack_copy *stack);

/* The position of the frame's instruction in its code, of which `header` is a copy, counted in code
 * units; -1 before the first one. */
int64_t sp_frame_position(const sp_frame_copy *frame, const PyCodeObject *header);

#endif
