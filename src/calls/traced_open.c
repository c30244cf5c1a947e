#include "calls/traced_open.h"

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
