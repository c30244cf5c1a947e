#include "record/thread_records.h"

#include "base/callout.h"
#include "base/heap.h"
#include "record/contexts.h"

/* ---- Records ----------------------------------------------------------------------------- */

void sp_thread_free(sp_thread *thread)
{
    sp_tree_free(&thread->tree);
    sp_log_free(&thread->log);
    sp_contexts_free(thread);
    sp_free(thread->stack.calls);
    sp_owner_release(thread->owner);
    sp_free(thread);
}

/* Whether the owner is over and has left nothing open, so that another thread may go on here. */
static bool is_free(const sp_thread *thread)
{
    return SP_LOAD(&thread->owner->over) && !sp_thread_has_open(thread) && thread->task == NULL;
}

/* This thread goes on where another ended: the tree and the log are used further. */
SP_MUST_USE static bool continue_record(sp_thread *thread, sp_owner *owner, int64_t number)
{
    sp_log_thread(&thread->log, number);
    sp_owner_release(thread->owner);
    thread->owner = sp_owner_hold(owner);
    thread->number = number;
    sp_contexts_take_over(thread);
    thread->stack.calls->node = thread->base = &thread->tree.root;
    return true;
}

/* ---- Whose ------------------------------------------------------------------------------- */

/* Serial numbers start at 1, so they can stand for addresses in a map. */
static const void *key_of(const sp_owner *owner) { return (const void *)(uintptr_t)owner->serial; }

static sp_thread *use(sp_manager *manager, sp_thread *thread)
{
    sp_here.thread = thread;
    sp_here.run = sp_unrecorded_for(manager) ? 0 : manager->run; /* or it would not be asked again */
    return thread;
}

bool sp_thread_record_find(sp_manager *manager)
{
    if (manager->run == SP_NO_RUN || !sp_local_is_mine())
        return false;
    SP_LOCK(&manager->lock);
    sp_thread *thread = sp_map_get(&manager->threads, key_of(sp_here.owner), NULL);
    SP_UNLOCK(&manager->lock);
    return thread != NULL && use(manager, thread);
}

static int find_spare(void *value, void *argument)
{
    sp_thread *thread = value;
    sp_manager *manager = argument;
    if (is_free(thread)) {
        thread->spare = manager->spare;
        manager->spare = thread;
    }
    else {
        manager->busy++;
    }
    return 0;
}

/* A record whose thread has ended, or NULL. They are looked for after as many new threads as had a
 * record in use the last time, which costs a thread the same however many there are. */
static sp_thread *pop_spare(sp_manager *manager)
{
    if (manager->spare == NULL && manager->unswept++ >= manager->busy) {
        manager->unswept = manager->busy = 0;
        sp_map_each(&manager->threads, find_spare, manager);
    }
    sp_thread *thread = manager->spare;
    if (thread != NULL)
        manager->spare = thread->spare;
    return thread;
}

/* The thread that begins here goes on with a record that is free. */
static sp_thread *take_over(sp_manager *manager, sp_owner *owner)
{
    sp_thread *thread = pop_spare(manager);
    if (thread == NULL)
        return NULL;
    const void *before = key_of(thread->owner);
    if (sp_map_add(&manager->threads, key_of(owner), NULL, thread) < 0)
        return NULL;
    if (!continue_record(thread, owner, manager->thread_count)) {
        sp_map_pop(&manager->threads, key_of(owner), NULL);
        return NULL;
    }
    sp_map_pop(&manager->threads, before, NULL);
    return thread;
}

static sp_thread *begin_record(sp_manager *manager, sp_owner *owner)
{
    sp_thread *thread =
        sp_thread_new(owner, manager->blocks, manager->events ? manager->shortest : UINT64_MAX,
                      manager->bounds);
    if (thread == NULL)
        return NULL;
    if (sp_map_add(&manager->threads, key_of(owner), NULL, thread) < 0) {
        sp_thread_free(thread);
        return NULL;
    }
    thread->log.waits = manager->waits;
    thread->number = thread->log.first = thread->log.thread = manager->thread_count;
    thread->older = manager->newest;
    SP_STORE(&manager->newest, thread);
    return thread;
}

/* Call on_thread for a new thread. It is entering a region: no exception of this may come out there. */
static void announce(sp_manager *manager, int64_t number)
{
    sp_callout callout;
    sp_lend_regions(manager);
    sp_callout_begin(&callout);
    PyObject *on_thread = sp_field_get((PyObject *)manager, &manager->on_thread);
    PyObject *result = on_thread == Py_None
                           ? NULL
                           : PyObject_CallFunction(on_thread, "L", (long long)number);
    Py_XDECREF(result); /* without one, the thread's facts are unknown */
    Py_DECREF(on_thread);
    sp_callout_end(&callout);
    sp_take_back_regions(manager);
}

sp_thread *sp_thread_record_make_always(sp_manager *manager)
{
    if (sp_thread_record_find(manager))
        return sp_here.thread;
    if (manager->run == SP_NO_RUN || !sp_local_is_mine())
        return NULL;
    sp_owner *owner = sp_here.owner;
    SP_LOCK(&manager->lock);
    sp_thread *thread = take_over(manager, owner);
    if (thread == NULL)
        thread = begin_record(manager, owner);
    manager->thread_count += thread != NULL;
    SP_UNLOCK(&manager->lock);
    if (thread == NULL)
        return NULL;
    if (manager->on_thread != NULL) {
        uint64_t run = manager->run;
        announce(manager, thread->number);
        if (manager->run != run) /* on_thread has begun another one, and the record is gone */
            return sp_thread_record_make_always(manager);
    }
    return use(manager, thread);
}

SP_NOINLINE sp_thread *sp_thread_record_make(sp_manager *manager)
{
    return sp_unrecorded_for(manager) ? NULL : sp_thread_record_make_always(manager);
}
