#include "lines/lines_watch.h"

#include "lines/line_again.h"
#include "lines/line_columns.h"
#include "lines/line_match.h"
#include "lines/line_rests.h"
#include "lines/line_tables.h"
#include "record/counters.h"

/* The regions that want the lines of a frame of the code that begins now: those that watch it always,
 * those that are switched on, and then those that watch it and are open, outermost first. */
typedef struct {
    const sp_line_thread *here;
    const sp_line_code *code;
    const sp_line_watch *next; /* of those that watch it at all */
    uint32_t switched;         /* how many of those that are switched have been looked at, */
    uint32_t opened;           /* and of those that are open */
} watchers;

static watchers watchers_of(const sp_line_thread *here, const sp_line_code *entry)
{
    return (watchers){.here = here, .code = entry, .next = sp_line_always_watched ? entry->watches : NULL};
}

static bool records(const watchers *of, const sp_region *region)
{
    return sp_region_counts_lines(region) && !sp_unrecorded_for(region->manager)
           && sp_line_code_watched_by(of->code, region);
}

/* The next one, or NULL. */
static sp_region *next_watcher(watchers *of)
{
    while (of->next != NULL) {
        const sp_line_watch *watch = of->next;
        of->next = watch->next_of_code;
        if (watch->always && sp_region_counts_lines(watch->region)
            && !sp_unrecorded_for(watch->region->manager))
            return watch->region;
    }
    while (of->switched < of->here->switched_count) {
        const sp_line_switched *switched = &of->here->switched[of->switched++];
        if (switched->on && records(of, switched->region))
            return switched->region;
    }
    while (of->opened < of->here->stack.open_count) {
        sp_region *region = (sp_region *)of->here->stack.open[of->opened++].region;
        if (records(of, region))
            return region;
    }
    return NULL;
}

/* Whether a region wants the code; if so its plan is made and its line events are on. That runs Python
 * code, after which the stack may be another one. */
static bool is_wanted(const sp_line_thread *here, sp_line_code *entry)
{
    watchers of = watchers_of(here, entry);
    const sp_region *region = next_watcher(&of);
    if (region == NULL)
        return false;
    if (!sp_line_code_plan(region->manager, entry)) {
        sp_lose_line();
        return false;
    }
    if (entry->plan.count != 0)
        sp_line_code_lines_on(entry);
    return entry->plan.count != 0;
}

/* The regions that want the code now are why the frame is recorded, and not those of before. */
static void add_watchers(sp_line_thread *here, sp_line_frame *recorded)
{
    sp_line_leave_watched(recorded);
    watchers of = watchers_of(here, recorded->code);
    for (sp_region *region; (region = next_watcher(&of)) != NULL;) {
        sp_line_table *table = sp_line_table_of(here, recorded->code, region);
        if (table == NULL) {
            sp_lose_line();
            continue;
        }
        sp_line_add(recorded, table, SP_LINE_WATCHED);
        sp_line_table_remember(here, table);
    }
}

/* The frame goes on where it rested, if it did. */
static void go_on(sp_line_frame *recorded, const sp_line_rest *rest, uint64_t now)
{
    if (rest->line < 0)
        return;
    if (recorded->line < 0) {
        recorded->line = rest->line;
        recorded->so_far = rest->so_far;
        recorded->since = now;
    }
    sp_line_wait_watched(recorded, recorded->line, rest->waited);
}

/* Whatever regions may want the frame, and wherever it has been. */
static SP_NOINLINE sp_line_frame *frame_begins(sp_line_thread *here, const void *frame,
                                               PyCodeObject *code, sp_line_code *entry,
                                               bool fresh, const sp_line_rest *rest, uint64_t now)
{
    bool may_be = sp_line_watches(here) || sp_line_always_watched != 0;
    bool wanted = may_be && entry != NULL && entry->watches != NULL && is_wanted(here, entry);
    sp_line_frame *recorded = sp_line_match(frame, code, sp_now());
    if (SP_UNLIKELY(recorded != NULL && fresh && !recorded->decorated)) {
        sp_line_pop(here, 0); /* left from a frame whose end nobody reported */
        recorded = NULL;
    }
    if (!wanted)
        return recorded;
    if (recorded == NULL && (recorded = sp_line_push(here, frame, entry)) == NULL) {
        sp_lose_line();
        return NULL;
    }
    add_watchers(here, recorded);
    go_on(recorded, rest, now);
    if (recorded->reason_count != 0)
        return recorded;
    sp_line_pop(here, 0);
    return NULL;
}

sp_line_frame *sp_line_frame_begins(const void *frame, PyCodeObject *code, bool fresh)
{
    sp_line_thread *here = sp_line_thread_known();
    sp_line_code *entry = sp_line_code_find(code);
    sp_line_rest rest = {.line = -1};
    uint64_t now = fresh || entry == NULL ? 0 : sp_now();
    if (now != 0)
        rest = sp_line_rest_end(frame, entry, now);
    if (here == NULL)
        return NULL;
    sp_line_frame *recorded = NULL;
    if (entry != NULL && (fresh || rest.line >= 0)) /* it is not on the stack */
        recorded = sp_line_frame_begins_watched(here, frame, entry);
    if (recorded == NULL)
        return frame_begins(here, frame, code, entry, fresh, &rest, now);
    go_on(recorded, &rest, now);
    return recorded;
}

void sp_line_frame_ends(const void *frame, PyCodeObject *code, uint64_t now)
{
    sp_line_frame *recorded = sp_line_top(frame, code);
    sp_line_thread *here = recorded != NULL ? sp_line_here : sp_line_thread_known();
    if (recorded == NULL && here != NULL)
        recorded = sp_line_find(here, frame, code);
    if (recorded == NULL || recorded->decorated) /* a decorated call ends by itself */
        return;
    if (SP_UNLIKELY(recorded->code->suspends))
        sp_line_rest_forget(frame, recorded->code);
    sp_line_stop(recorded, now);
    sp_line_pop(here, now);
}

int sp_lines_watch(sp_region *region, PyCodeObject *code, sp_line_when when)
{
    bool first = region->watches == NULL;
    if (sp_line_code_watch(region, code, when) < 0)
        return -1;
    /* It may be open already. */
    sp_line_thread *here = sp_line_thread_known();
    for (uint32_t i = first && here != NULL ? sp_line_open_count(here, region) : 0; i > 0; i--)
        sp_line_open(here, region);
    return 0;
}
