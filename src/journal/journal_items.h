/* What the records of a journal name: regions, nodes, and notes of other things. It is written before the
 * first record that names it. */
#ifndef SP_JOURNAL_ITEMS_H
#define SP_JOURNAL_ITEMS_H

#include "journal/journal_space.h"
#include "record/region.h"

typedef struct {
    sp_journal_space *space; /* Borrowed. */
    sp_journal_block *block; /* in which the next one goes; or NULL */
    sp_room room;            /* where */
    uint8_t *regions;        /* a bit for each that stands there. Owned. */
    size_t regions_size;
    sp_room notes; /* all there were, as items. Owned. */
    size_t notes_capacity;
} sp_journal_items;

/* A new file has none yet. */
void sp_journal_items_begin(sp_journal_items *into);
/* False when there is no room, in the file or in memory. */
SP_MUST_USE bool sp_journal_write_item(sp_journal_items *into, uint32_t kind, const void *bytes,
                                       size_t size);
/* A node, also of one that stands there and has changed: what was written last counts. */
SP_MUST_USE bool sp_journal_write_node(sp_journal_items *into, const sp_thread *thread,
                                       const sp_node *node);
/* The nodes of a thread that do not stand there yet, with their regions. */
SP_MUST_USE bool sp_journal_write_nodes(sp_journal_items *into, sp_thread *thread);
/* Keep a note for files to come; write those that there are. */
SP_MUST_USE bool sp_journal_keep_note(sp_journal_items *into, const char *note, size_t size);
SP_MUST_USE bool sp_journal_write_notes(sp_journal_items *into);
void sp_journal_items_free(sp_journal_items *items);

#endif
