/* The file of a journal as blocks: where the next one goes, how one begins and is settled. */
#ifndef SP_JOURNAL_SPACE_H
#define SP_JOURNAL_SPACE_H

#include "journal/journal_format.h"
#include "journal/mapped_file.h"
#include "record/thread.h"

typedef struct {
    char *at;
    size_t length;
} sp_room;

typedef struct {
    sp_mapped_file *file; /* or NULL. Owned, with those before that have blocks in use. */
    bool is_open;
    int error; /* what ended it: what errno said; or 0 */
    uint64_t sequence;
    sp_room rest;   /* of what was mapped last */
    sp_room *freed; /* blocks that were given back. Owned. */
    size_t freed_count, freed_capacity;
} sp_journal_space;

SP_INLINE size_t sp_padded(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

/* What comes goes to another file. */
void sp_journal_space_end(sp_journal_space *space);
/* A block that is of use to somebody; and of none any more: who wrote to it is done with its file. */
void sp_journal_hold_block(sp_journal_space *space);
void sp_journal_give_back(sp_journal_space *space, sp_mapped_file *file, sp_room given);
/* Nothing is written to it any more, because of that. */
void sp_journal_fail(sp_journal_space *into, int error);
/* Room for a block of so many bytes, at least; both are multiples of the page. False when there is none,
 * which ends it. */
SP_MUST_USE bool sp_journal_take_room(sp_journal_space *into, size_t least, size_t wanted,
                                      sp_room *found);
/* thread: whose calls it has; or NULL. */
sp_journal_block *sp_journal_begin_block(sp_journal_space *into, sp_room at, uint32_t kind,
                                         const sp_thread *thread);
/* So many bytes are in it, and no more will be. */
void sp_journal_settle_block(sp_journal_block *block, size_t used);
void sp_journal_free_room(sp_journal_space *into, sp_room given);
void sp_journal_space_free(sp_journal_space *space);

#endif
