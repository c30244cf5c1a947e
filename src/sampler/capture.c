#define _GNU_SOURCE
#include "sampler/capture.h"

#ifdef __linux__
#    include <errno.h>
#    include <pthread.h>
#    include <sched.h>
#    include <signal.h>
#    include <sys/syscall.h>
#    include <unistd.h>

enum { SLOT_BITS = 6, SLOTS = 1 << SLOT_BITS };

/* FREE to ASKED to FREE by who asks; ASKED to WRITING to ANSWERED or AWAY by who answers. */
typedef enum { FREE, CLAIMED, ASKED, WRITING, ANSWERED, AWAY } slot_state;

struct sp_capture {
    int state;
    uint32_t question; /* number of it, so that an answer that is late answers no other */
    const PyThreadState *thread;
    uint64_t run;
    sp_place place;
    sp_stack_copy stack;
};

static sp_capture slots[SLOTS];
static uint32_t questions;
static int asking; /* the signal; 0 for none */

static void answer(int signal, siginfo_t *info, void *unused)
{
    (void)signal, (void)unused;
    const int error = errno;
    const uintptr_t word = (uintptr_t)info->si_value.sival_ptr;
    sp_capture *slot = &slots[word & (SLOTS - 1)];
    int asked = ASKED;
    if (info->si_code == SI_QUEUE && SP_LOAD(&slot->question) == (uint32_t)(word >> SLOT_BITS)
        && SP_EXCHANGE_IF(&slot->state, &asked, WRITING)) {
        bool here = sp_stack_copy_own(slot->thread, &slot->stack);
        if (here)
            slot->place = sp_place_own(slot->run, slot->thread);
        SP_STORE(&slot->state, here ? ANSWERED : AWAY);
    }
    errno = error;
}

/* Who had been asked is not there in the child of a fork. */
static void forget_in_child(void)
{
    for (int i = 0; i < SLOTS; i++)
        slots[i].state = FREE;
}

/* It stays handled: a signal that is still on its way would end the process. */
bool sp_capture_init(void)
{
    struct sigaction before;
    struct sigaction handled = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    handled.sa_sigaction = answer;
    if (asking != 0 && sigaction(asking, NULL, &before) == 0 && before.sa_sigaction == answer)
        return true;
    sigfillset(&handled.sa_mask);
    for (int signal = SIGRTMAX - 1; signal >= SIGRTMIN; signal--) {
        if (sigaction(signal, NULL, &before) == 0 && !(before.sa_flags & SA_SIGINFO)
            && before.sa_handler == SIG_DFL && sigaction(signal, &handled, NULL) == 0) {
            if (asking == 0 && pthread_atfork(NULL, NULL, forget_in_child) != 0)
                return false;
            asking = signal;
            return true;
        }
    }
    return false;
}

static bool send_question(uint64_t native, const sp_capture *slot)
{
    siginfo_t info = {0};
    info.si_signo = asking;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr =
        (void *)((uintptr_t)slot->question << SLOT_BITS | (uintptr_t)(slot - slots));
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)native, asking, &info) == 0;
}

sp_capture *sp_capture_ask(const PyThreadState *state, uint64_t native, uint64_t run)
{
    for (int i = 0; i < SLOTS; i++) {
        sp_capture *slot = &slots[i];
        int nobody = FREE;
        if (!SP_EXCHANGE_IF(&slot->state, &nobody, CLAIMED))
            continue;
        slot->thread = state;
        slot->run = run;
        slot->place = (sp_place){0};
        SP_STORE(&slot->question, SP_ADD(&questions, 1));
        SP_STORE(&slot->state, ASKED);
        if (send_question(native, slot))
            return slot;
        SP_STORE(&slot->state, FREE);
        return NULL;
    }
    return NULL;
}

sp_capture_state sp_capture_look(const sp_capture *capture)
{
    int state = SP_LOAD(&capture->state);
    return state == ANSWERED ? SP_CAPTURED : state == AWAY ? SP_ELSEWHERE : SP_WAITING;
}

const sp_stack_copy *sp_capture_stack(const sp_capture *capture) { return &capture->stack; }
sp_place sp_capture_place(const sp_capture *capture) { return capture->place; }

void sp_capture_release(sp_capture *capture)
{
    int asked = ASKED;
    if (SP_EXCHANGE_IF(&capture->state, &asked, FREE))
        return;
    while (SP_LOAD(&capture->state) == WRITING)
        sched_yield();
    SP_STORE(&capture->state, FREE);
}

#else

bool sp_capture_init(void) { return false; }
sp_capture *sp_capture_ask(const PyThreadState *state, uint64_t native, uint64_t run)
{
    (void)state, (void)native, (void)run;
    return NULL;
}
sp_capture_state sp_capture_look(const sp_capture *capture)
{
    (void)capture;
    return SP_ELSEWHERE;
}
const sp_stack_copy *sp_capture_stack(const sp_capture *capture)
{
    (void)capture;
    return NULL;
}
sp_place sp_capture_place(const sp_capture *capture)
{
    (void)capture;
    return (sp_place){0};
}
void sp_capture_release(sp_capture *capture) { (void)capture; }

#endif
