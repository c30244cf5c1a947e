#include "calls/traced_open.h"

#include "record/after_call.h"

typedef struct {
    const void *key;
    sp_open_call *open;
} seeking;

static int seek(sp_thread *thread, void *argument)
{
    seeking *wanted = argument;
    sp_open_call *open = thread->stack.top;
    while (open > thread->stack.calls && open->key != wanted->key)
        open--;
    wanted->open = open == thread->stack.calls ? NULL : open;
    return wanted->open != NULL;
}

SP_NOINLINE sp_open_call *sp_traced_open_below(sp_thread *thread, const void *key)
{
    seeking wanted = {key, NULL};
    if (!seek(thread, &wanted) && !(sp_context_return(thread) && seek(thread, &wanted)))
        sp_contexts_each(thread, seek, &wanted);
    return wanted.open;
}

void sp_traced_ended_slow(void)
{
    for (const sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        if (SP_UNLIKELY(tracing->manager->slow_pending != 0)) {
            sp_after_call(tracing->manager, sp_now());
            return; /* the list may be another one now */
        }
    }
}
