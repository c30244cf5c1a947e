#include "calls/tracings.h"

#include "base/heap.h"
#include "base/thread_guard.h"
#include "calls/c_calls.h"
#include "calls/call_backend.h"
#include "calls/call_pairs.h"
#include "calls/calls.h"
#include "record/task.h"

/* ---- Traced sections --------------------------------------------------------------------- */

static sp_tracing *tracing_of(const sp_manager *manager)
{
    sp_tracing *tracing = sp_tracings;
    while (tracing != NULL && tracing->manager != manager)
        tracing = tracing->next;
    return tracing;
}

static uint64_t begin_section(sp_manager *manager)
{
    const sp_tracing *tracing = tracing_of(manager);
    if (tracing == NULL || sp_section_is_open(tracing) || !sp_local_is_mine())
        return 0;
    sp_traced_sections *sections =
        &sp_here.sections; /* of the struct that may just have been made */
    if (sections->count == SP_TRACED_SECTIONS) {
        sp_calls_lost(manager);
        return 0;
    }
    sections->tracings[sections->count++] = tracing->serial;
    sp_calls_need(1);
    return tracing->serial;
}

uint64_t sp_section_begin(sp_manager *manager)
{
    sp_shared_take();
    uint64_t section = begin_section(manager);
    sp_shared_release();
    return section;
}

void sp_section_end(uint64_t section)
{
    sp_traced_sections *sections = &sp_here.sections;
    for (uint32_t i = 0; i < sections->count; i++) {
        if (sections->tracings[i] == section) {
            sections->tracings[i] = sections->tracings[--sections->count];
            sp_calls_need(-1);
            return;
        }
    }
}

/* ---- Beginning and ending a tracing ------------------------------------------------------ */

static void find_simple(void)
{
    sp_tracing *first = sp_tracings;
    bool simple = first != NULL && first->next == NULL && first->max_depth == UINT32_MAX
                  && first->throttle.calls == 0 && !first->notes_pairs;
    sp_tracing_alone = simple ? first : NULL;
    sp_plain_calls_forget();
}

static sp_tracing *new_tracing(sp_manager *manager)
{
    static uint64_t last_serial = 0;
    sp_tracing *tracing = sp_calloc(1, sizeof *tracing);
    if (tracing == NULL)
        return NULL;
    if (sp_tracings == NULL)
        sp_decisions_watch();
    tracing->manager = manager;
    tracing->serial = ++last_serial;
    tracing->next = sp_tracings;
    tracing->max_depth = UINT32_MAX;
    sp_tracings = tracing;
    find_simple();
    return tracing;
}

bool sp_tracing_begin(sp_manager *manager, PyObject *decide, PyObject *decide_c, PyObject *plain,
                      bool everywhere, uint32_t max_depth, sp_throttle_bound throttle)
{
    sp_tracing *tracing = tracing_of(manager);
    if (tracing == NULL)
        tracing = new_tracing(manager);
    if (tracing == NULL)
        return false;
    sp_decisions_forget(tracing);
    sp_c_functions_forget(tracing);
    Py_XSETREF(tracing->decide, Py_NewRef(decide));
    sp_c_calls_needed += (decide_c != NULL) - (tracing->decide_c != NULL);
    Py_XSETREF(tracing->decide_c, Py_XNewRef(decide_c));
    Py_XSETREF(tracing->plain, Py_XNewRef(plain));
    sp_calls_need((int)everywhere - (int)tracing->everywhere);
    tracing->everywhere = everywhere;
    tracing->max_depth = max_depth;
    tracing->throttle = tracing->notes_pairs ? (sp_throttle_bound){0} : throttle;
    find_simple();
    return true;
}

void sp_tracing_note_pairs(const sp_manager *manager)
{
    sp_tracing *tracing = tracing_of(manager);
    if (tracing != NULL) {
        tracing->notes_pairs = true;
        tracing->throttle = (sp_throttle_bound){0};
    }
    find_simple();
}

PyObject *sp_tracing_pairs(const sp_manager *manager)
{
    const sp_tracing *tracing = tracing_of(manager);
    return tracing == NULL ? PyList_New(0) : sp_call_pairs_list(tracing);
}

/* End the calls that are open in this thread's stack, the innermost first, as if they left. */
static void end_open(sp_tracing *tracing)
{
    for (;;) {
        const sp_open_call *open = sp_here.thread->stack.top;
        while (open > sp_here.thread->stack.calls && !sp_traced_is(open))
            open--;
        if (open == sp_here.thread->stack.calls)
            return;
        const void *frame = (const char *)open->key - 1;
        const sp_suspended_call *suspended = sp_slots_get(&tracing->suspended, frame, NULL);
        if (suspended == NULL)
            sp_open_call_leave(tracing->manager, open->region, open->key, sp_now(), false,
                               sp_c_call_is(open) ? SP_TRACED_C : SP_TRACED);
        else
            sp_calls_leave_step(tracing, frame, suspended->code, SP_STEP_ENDS);
    }
}

static int end_open_in(sp_thread *thread, void *tracing)
{
    (void)thread; /* the one at hand */
    end_open(tracing);
    return 0;
}

/* The same in the thread's other stacks: of other contexts, and those of which tasks have taken the
 * place. */
static int end_open_of(void *value, void *tracing)
{
    sp_thread *thread = value;
    sp_here.thread = thread;
    sp_here.run = ((sp_tracing *)tracing)->manager->run;
    end_open(tracing);
    sp_contexts_each(thread, end_open_in, tracing);
    for (sp_task *task = thread->task; task != NULL; task = task->outer) {
        sp_stack *below = task->outer == NULL ? &thread->home : &task->outer->stack;
        uint32_t number = thread->task_number;
        thread->task_number = task->outer == NULL ? 0 : task->outer->number;
        sp_thread_exchange(thread, below);
        end_open(tracing);
        sp_thread_exchange(thread, below);
        thread->task_number = number;
    }
    return 0;
}

static void end_calls(sp_tracing *tracing)
{
    if (!sp_local_is_mine())
        return;
    sp_stop_threads();
    uint64_t run = sp_here.run;
    sp_thread *thread = sp_here.thread;
    sp_map_each(&tracing->manager->threads, end_open_of, tracing);
    sp_suspended_calls_end(tracing);
    sp_here.run = run;
    sp_here.thread = thread;
    sp_resume_threads();
}

static void end_tracing(sp_tracing *tracing)
{
    sp_tracing **link = &sp_tracings;
    while (*link != tracing)
        link = &(*link)->next;
    *link = tracing->next;
    find_simple();
    end_calls(tracing);
    sp_decisions_forget(tracing);
    if (sp_tracings == NULL)
        sp_decisions_unwatch();
    sp_c_functions_forget(tracing);
    sp_call_pairs_forget(tracing);
    sp_suspended_calls_free(tracing);
    sp_calls_need(-(int)tracing->everywhere);
    Py_DECREF(tracing->decide);
    sp_c_calls_needed -= tracing->decide_c != NULL;
    Py_XDECREF(tracing->decide_c);
    Py_XDECREF(tracing->plain);
    sp_free(tracing);
}

void sp_tracing_end(const sp_manager *manager)
{
    sp_tracing *tracing = tracing_of(manager);
    if (tracing != NULL)
        end_tracing(tracing);
}

void sp_tracing_decide_anew(const sp_manager *manager, const PyCodeObject *code)
{
    sp_tracing *tracing = tracing_of(manager);
    if (tracing != NULL)
        sp_decision_forget(tracing, code);
}

void sp_tracing_keep_regions(const sp_manager *manager)
{
    const sp_tracing *tracing = tracing_of(manager);
    if (tracing != NULL) {
        sp_decisions_keep(tracing);
        sp_c_functions_keep(tracing);
    }
}
