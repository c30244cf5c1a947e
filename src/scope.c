#include "scope.h"

/* The newest scope of the region that this activation opened, else (an ExitStack enters in one
 * frame and leaves in another) the newest of the region at all. */
static sp_scope *find(sp_thread *thread, sp_region *region, const void *key)
{
    sp_scope *newest = NULL;
    for (sp_scope *scope = thread->top; scope > thread->scopes; scope--) {
        if (scope->region == region) {
            if (scope->key == key)
                return scope;
            if (newest == NULL)
                newest = scope;
        }
    }
    return newest;
}

/* Not every open call of a node is: others are of tasks that wait, in lanes of their own. In a
 * recursion it is near the top. */
SP_NOINLINE bool sp_scope_is_around(const sp_thread *thread, const sp_node *node)
{
    const sp_scope *scope = thread->top - 1;
    while (scope > thread->scopes && scope->node != node)
        scope--;
    return scope > thread->scopes;
}

SP_NOINLINE void sp_scope_wait(sp_thread *thread, sp_node *node, uint64_t waited, bool nested)
{
    if (!nested) /* or the call around it has waited too */
        node->waiting += waited;
    if (thread->log.on && thread->log.waits)
        sp_log_wait(&thread->log, waited);
}

/* A scope that ends below others (a generator left while another is still open) is moved to the
 * top. The time it shared with those above has to be charged once: they will charge their whole
 * time to what is then below them, so what they have used so far is taken from there now and
 * given to the one that ends. Exclusive times stay a partition of the thread's time. */
SP_NOINLINE sp_scope *sp_scope_surface(sp_thread *thread, sp_region *region,
                                       const void *key, uint64_t now)
{
    sp_scope *scope = find(thread, region, key);
    if (scope == NULL || scope == thread->top)
        return scope;
    /* What was entered inside it and goes on after it was no recursion of it. */
    for (sp_scope *above = scope + 1; above <= thread->top; above++) {
        if (above->node == scope->node)
            above->nested = false;
    }
    sp_scope ending = *scope;
    int64_t shared = (int64_t)(now - scope[1].start);
    ending.children += shared;
    scope[-1].children -= shared;
    memmove(scope, scope + 1, (size_t)(thread->top - scope) * sizeof *scope);
    *thread->top = ending;
    /* The caller pops the top and charges the ending scope to what lies below it then: charge
     * the true parent instead. */
    int64_t ticks = (int64_t)(now - ending.start);
    thread->top[-1].children -= ticks;
    scope[-1].children += ticks;
    return thread->top;
}
