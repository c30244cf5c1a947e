/* The code objects that line mode knows: what it knows of each, and which regions watch it.
 *
 * An entry is found by the address of its code object, and a weak reference tells of the code's end.
 * The slots that CPython keeps on code objects for extensions (PEP 523) would spare the table; but when
 * one of them is filled, CPython calls the destructors of all others that were ever asked for, also
 * those that are gone. An entry does not keep the code alive; what was counted for code that is gone
 * stays until its run is forgotten, under the code's name. */
#ifndef SP_LINE_CODES_H
#define SP_LINE_CODES_H

#include "lines/line_types.h"

/* A region wants the lines of the code while it is open, or always. */
typedef struct sp_line_watch {
    struct sp_region *region;
    bool always;
    sp_line_code *code;
    struct sp_line_watch *next_of_region, **link_of_region;
    struct sp_line_watch *next_of_code, **link_of_code;
} sp_line_watch;

/* What is known of the code object, or NULL when it is nothing. */
sp_line_code *sp_line_code_find(PyCodeObject *code);
/* The same, made when it is new; NULL when memory is out. */
sp_line_code *sp_line_code_make(PyCodeObject *code);
/* The same with its plan. NULL when that cannot be now. */
sp_line_code *sp_line_code_get(sp_manager *manager, PyCodeObject *code);
/* Make the plan, if there is none yet; false when that cannot be now. */
bool sp_line_code_plan(sp_manager *manager, sp_line_code *entry);
/* A decorated call or a block of it is recorded: its line events stay on. */
void sp_line_code_lines_stay_on(sp_line_code *entry);
/* A frame of it is recorded because its code is watched: its line events are on, until too many of
 * them were of frames that are not recorded, one of which the second is told of. */
void sp_line_code_lines_on(sp_line_code *entry);
void sp_line_code_line_unrecorded(PyCodeObject *code);
extern uint32_t sp_line_codes_on; /* how many are on in this way */
/* A frame of the code began, or was resumed, while nothing was open in its thread. After too many of
 * them the code has no events until a region that watches it is switched on. */
void sp_line_code_begin_unrecorded(PyCodeObject *code);
/* The region is switched on. */
void sp_line_codes_wake(struct sp_region *region);
/* How many regions are of the kind that is switched: nothing else falls asleep. */
extern uint32_t sp_line_switches;
/* Its tables were made, or freed. */
void sp_line_code_used(sp_line_code *entry, int change);
/* All that live, as a list of code objects; NULL with an exception set. */
PyObject *sp_line_codes(void);

/* Whether all that watch the code are regions that are switched. */
bool sp_line_code_only_switched(const sp_line_code *entry);
/* Whether any region watches the code; whether this one does. */
bool sp_line_code_is_watched(PyCodeObject *code);
bool sp_line_code_watched_by(const sp_line_code *entry, const struct sp_region *region);
/* How often a region watches code whether it is open or not. */
extern uint32_t sp_line_always_watched;
/* Whether any region watches any code and may be open. */
bool sp_line_any_watched(void);
typedef enum { SP_WATCH_AS_BEFORE, SP_WATCH_OPEN, SP_WATCH_ALWAYS } sp_line_when;
/* The region watches the code from now on, while it is open or always; what says neither is while it
 * is open, or as it was. -1 with an exception set. */
SP_MUST_USE int sp_line_code_watch(struct sp_region *region, PyCodeObject *code, sp_line_when when);
/* The region dies. */
void sp_line_codes_unwatch(struct sp_region *region);

#endif
