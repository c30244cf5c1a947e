/* A thread that runs is asked for its own stack, by a signal to it alone. Its handler copies the addresses
 * of frames, code and instructions, and follows no address that is not its own without asking the system
 * (peek.h); it allocates nothing and takes no lock. What waits in system calls is detached from the
 * interpreter as a rule, and is not asked. */
#ifndef SP_CAPTURE_H
#define SP_CAPTURE_H

#include "sampler/place.h"
#include "sampler/python_stack.h"

typedef struct sp_capture sp_capture;

/* Find a signal that nobody uses, and handle it from now on; false when there is none. */
bool sp_capture_init(void);

/* Ask the thread; NULL when it is over, or too many have been asked and have not answered yet. */
sp_capture *sp_capture_ask(const PyThreadState *state, uint64_t native, uint64_t run);
/* What has come of it. SP_ELSEWHERE: the thread was not attached when it was asked. */
typedef enum { SP_WAITING, SP_CAPTURED, SP_ELSEWHERE } sp_capture_state;
sp_capture_state sp_capture_look(const sp_capture *capture);
const sp_stack_copy *sp_capture_stack(const sp_capture *capture);
sp_place sp_capture_place(const sp_capture *capture);
/* No answer is waited for any longer. */
void sp_capture_release(sp_capture *capture);

#endif
