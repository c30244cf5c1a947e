#include "journal/journal.h"

#include <errno.h>
#include <stdio.h>

#include "base/heap.h"
#include "base/pages.h"
#include "journal/journal_items.h"
#include "journal/json_text.h"

typedef struct {
    char *path; /* Owned. */
    uint64_t device, inode;
} former_file;

typedef struct {
    sp_block_store store; /* first: it is what logs know */
    sp_mutex lock;
    sp_journal_space space;
    sp_journal_items items;
    sp_journal_block *state; /* the one written last, or NULL */
    char *planned;           /* path of the file. Owned. */
    char *path;              /* of that which there is, or NULL. Owned. */
    sp_json_text facts;
    int64_t process;     /* whose it is */
    bool is_temporary;   /* it goes when nobody will write results any more */
    bool is_over;
    uint64_t part;       /* 1 for the first file */
    former_file *former; /* that are to be removed. Owned. */
    size_t former_count;
} journal;

static sp_thread *thread_of_log(sp_log *log)
{
    return (sp_thread *)((char *)log - offsetof(sp_thread, log));
}

/* A thread that has blocks in the file has a new node, or one has changed. What cannot be written ends
 * the journal: no record of the node lies in a block that is taken later. Those in the block at hand name
 * what is not there. */
static void node_grown(sp_tree *tree, const sp_node *node)
{
    sp_thread *thread = (sp_thread *)((char *)tree - offsetof(sp_thread, tree));
    journal *into = (journal *)thread->log.store;
    SP_LOCK(&into->lock);
    if (into->space.is_open && thread->log.stored.part == into->part) {
        bool is_there = node->id < thread->log.stored.nodes;
        if (is_there ? !sp_journal_write_node(&into->items, thread, node)
                     : !sp_journal_write_nodes(&into->items, thread))
            sp_journal_fail(&into->space, ENOMEM);
    }
    SP_UNLOCK(&into->lock);
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* The planned path, or with a number before its suffix. */
static char *path_number(const char *planned, unsigned number)
{
    size_t size = strlen(planned) + 16;
    const char *suffix = strrchr(planned, '.');
    char *path = sp_malloc(size);
    if (path == NULL)
        return NULL;
    if (number < 2 || suffix == NULL)
        snprintf(path, size, "%s", planned);
    else
        snprintf(path, size, "%.*s-%u%s", (int)(suffix - planned), planned, number, suffix);
    return path;
}

static int create_file(journal *into)
{
    enum { TRIES = 1000 };
    int error = EEXIST;
    for (unsigned number = 1; error == EEXIST && number <= TRIES; number++) {
        char *path = path_number(into->planned, number);
        if (path == NULL)
            return ENOMEM;
        into->space.file = sp_mapped_file_create(path, &error);
        if (into->space.file != NULL) {
            into->path = path;
            return 0;
        }
        sp_free(path);
    }
    return error;
}

static void write_head(const journal *into, char *at)
{
    sp_journal_head head = {.order = SP_JOURNAL_ORDER,
                            .version = SP_JOURNAL_VERSION,
                            .page = SP_JOURNAL_PAGE,
                            .part = into->part,
                            .facts = into->facts.size,
                            .facts_hash = sp_journal_hash(into->facts.at, into->facts.size)};
    memcpy(head.magic, SP_JOURNAL_MAGIC, sizeof head.magic);
    sp_clock_first_pair(&head.ticks, &head.ns);
    head.hash = sp_journal_hash(&head, offsetof(sp_journal_head, hash));
    memcpy(at + sizeof head, into->facts.at, into->facts.size);
    memcpy(at + sizeof head.magic, (char *)&head + sizeof head.magic,
           sizeof head - sizeof head.magic);
    uint64_t magic;
    memcpy(&magic, head.magic, sizeof magic);
    SP_STORE((uint64_t *)at, magic);
}

static bool open_file(journal *into)
{
    int error = create_file(into);
    if (error != 0) {
        sp_journal_fail(&into->space, error);
        return false;
    }
    into->part++;
    into->space.sequence = 0;
    into->space.is_open = true;
    size_t head = sp_padded(sizeof(sp_journal_head) + into->facts.size, SP_JOURNAL_PAGE);
    sp_room found;
    if (!sp_journal_take_room(&into->space, head, head, &found))
        return false;
    write_head(into, found.at);
    return sp_journal_write_notes(&into->items);
}

static bool is_usable(journal *into)
{
    if (into->is_over || into->process != sp_mapped_file_process())
        return false;
    return into->space.is_open || (into->space.error == 0 && open_file(into));
}

/* ---- Blocks of logs --------------------------------------------------------------------------- */

static bool take_block(journal *into, sp_thread *thread, size_t records, sp_block *block)
{
    sp_log_stored *stored = &thread->log.stored;
    if (!is_usable(into))
        return false;
    if (stored->part != into->part)
        *stored = (sp_log_stored){.part = into->part};
    thread->tree.grown = node_grown;
    if (!sp_journal_write_nodes(&into->items, thread)) {
        sp_journal_fail(&into->space, ENOMEM);
        return false;
    }
    size_t wanted = sp_padded(records * sizeof(sp_record), SP_JOURNAL_PAGE);
    sp_room found;
    if (!sp_journal_take_room(&into->space, SP_JOURNAL_PAGE, wanted, &found))
        return false;
    sp_journal_block *head =
        sp_journal_begin_block(&into->space, found, SP_JOURNAL_CALLS, thread);
    sp_journal_hold_block(&into->space);
    stored->ordinal++;
    size_t capacity = (found.length - sizeof *head) / sizeof(sp_record);
    if (thread->log.bounds != NULL && capacity > records)
        capacity = records;
    *block = (sp_block){.records = (sp_record *)(head + 1),
                        .capacity = capacity,
                        .place = (uintptr_t)into->space.file};
    return true;
}

static bool take(sp_block_store *store, sp_log *log, size_t records, sp_block *block)
{
    journal *into = (journal *)store;
    SP_LOCK(&into->lock);
    bool done = take_block(into, thread_of_log(log), records, block);
    SP_UNLOCK(&into->lock);
    return done || sp_memory_blocks.take(&sp_memory_blocks, log, records, block);
}

/* Of a block in a file. A block's place is the file that it is in; 0 in memory. */
static sp_journal_block *head_of(const sp_block *block)
{
    return (sp_journal_block *)block->records - 1;
}

/* So a run takes as little memory as it writes to, however long it is. The first blocks of a thread are so
 * small that asking for it would cost more. */
static void rest(sp_block_store *store, const sp_block *block)
{
    enum { WORTH_IT = 1 << 17 };
    (void)store;
    if (block->place != 0 && head_of(block)->length >= WORTH_IT)
        sp_pages_rest(head_of(block), head_of(block)->length);
}

static void full(sp_block_store *store, const sp_log *log, const sp_block *block)
{
    (void)log;
    if (block->place != 0)
        sp_journal_settle_block(head_of(block), block->used * sizeof(sp_record));
    rest(store, block);
}

static void give_back(sp_block_store *store, const sp_block *block)
{
    journal *into = (journal *)store;
    if (block->place == 0) {
        sp_memory_blocks.give_back(&sp_memory_blocks, block);
        return;
    }
    sp_journal_block *head = head_of(block);
    SP_LOCK(&into->lock);
    sp_journal_give_back(&into->space, (sp_mapped_file *)(uintptr_t)block->place,
                         (sp_room){(char *)head, head->length});
    SP_UNLOCK(&into->lock);
}

/* ---- What managers see -------------------------------------------------------------------------- */

static void release(sp_block_store *store)
{
    journal *into = (journal *)store;
    sp_journal_space_free(&into->space);
    sp_journal_items_free(&into->items);
    sp_free(into->planned);
    sp_free(into->path);
    for (size_t i = 0; i < into->former_count; i++)
        sp_free(into->former[i].path);
    sp_free(into->former);
    sp_json_free(&into->facts);
    sp_free(into);
}

static void write_note(journal *into, const char *note, size_t size);

/* {"annotation": number, "values": ...}, and how the call ended where that is noted: "exception", null for
 * none. */
static void noted(sp_block_store *store, uint32_t number, PyObject *entry)
{
    journal *into = (journal *)store;
    sp_json_text text = {0};
    char head[64];
    if (into->space.error != 0 || into->process != sp_mapped_file_process())
        return;
    sp_own_memory_begin();
    bool has_outcome = PyTuple_Check(entry);
    snprintf(head, sizeof head, "{\"annotation\":%u,\"values\":", (unsigned)number);
    sp_json_put(&text, head);
    sp_json_put_value(&text, has_outcome ? PyTuple_GET_ITEM(entry, 0) : entry);
    if (has_outcome) {
        sp_json_put(&text, ",\"exception\":");
        sp_json_put_value(&text, PyTuple_GET_ITEM(entry, 1));
    }
    sp_json_put(&text, "}");
    if (!text.failed)
        write_note(into, text.at, text.size);
    sp_json_free(&text);
    sp_own_memory_end();
}

static void forget_notes(sp_block_store *store)
{
    journal *into = (journal *)store;
    SP_LOCK(&into->lock);
    into->items.notes.length = 0;
    SP_UNLOCK(&into->lock);
}

int sp_journal_begin(sp_manager *manager, const char *path, PyObject *facts, bool is_temporary)
{
    journal *begun = sp_calloc(1, sizeof *begun);
    if (begun == NULL)
        return -1;
    begun->store = (sp_block_store){take, full, rest, give_back, release, noted, forget_notes};
    begun->process = sp_mapped_file_process();
    begun->is_temporary = is_temporary;
    begun->items.space = &begun->space;
    begun->planned = path_number(path, 1);
    sp_json_put_value(&begun->facts, facts);
    if (begun->planned == NULL || begun->facts.failed) {
        release(&begun->store);
        return -1;
    }
    manager->blocks = &begun->store;
    return 0;
}

bool sp_journal_is_on(const sp_manager *manager)
{
    return manager->blocks != NULL && manager->blocks->take == take;
}

static journal *journal_of(const sp_manager *manager)
{
    return sp_journal_is_on(manager) ? (journal *)manager->blocks : NULL;
}

static void write_note(journal *into, const char *note, size_t size)
{
    SP_LOCK(&into->lock);
    bool done = size <= UINT32_MAX && sp_journal_keep_note(&into->items, note, size)
                && (!into->space.is_open
                    || sp_journal_write_item(&into->items, SP_JOURNAL_NOTE, note, size));
    if (!done)
        sp_journal_fail(&into->space, ENOMEM);
    SP_UNLOCK(&into->lock);
}

void sp_journal_note(sp_manager *manager, const char *note, size_t size)
{
    journal *into = journal_of(manager);
    if (into != NULL)
        write_note(into, note, size);
}

/* The one before is there until this one is whole. */
void sp_journal_state(sp_manager *manager, const char *state, size_t size)
{
    journal *into = journal_of(manager);
    if (into == NULL)
        return;
    SP_LOCK(&into->lock);
    /* with room to grow, so that two places are used in turn */
    size_t wanted = sp_padded(sizeof(sp_journal_block) + size + size / 2, SP_JOURNAL_PAGE);
    sp_room found;
    if (is_usable(into) && sp_journal_take_room(&into->space, wanted, wanted, &found)) {
        sp_journal_block *before = into->state;
        into->state = sp_journal_begin_block(&into->space, found, SP_JOURNAL_STATE, NULL);
        memcpy(into->state + 1, state, size);
        sp_journal_settle_block(into->state, size);
        if (before != NULL)
            sp_journal_free_room(&into->space, (sp_room){(char *)before, before->length});
    }
    SP_UNLOCK(&into->lock);
}

static int end_block(void *thread, void *unused)
{
    (void)unused;
    sp_log_end_block(&((sp_thread *)thread)->log);
    return 0;
}

static bool keep_former(journal *into)
{
    former_file *former = sp_realloc(into->former, (into->former_count + 1) * sizeof *former);
    if (former == NULL)
        return false;
    into->former = former;
    former[into->former_count++] =
        (former_file){into->path, into->space.file->device, into->space.file->inode};
    return true;
}

/* What ended the file before, as a full disk, may be over. */
void sp_journal_cut(sp_manager *manager)
{
    journal *into = journal_of(manager);
    if (into == NULL)
        return;
    sp_map_each(&manager->threads, end_block, NULL);
    if (into->path != NULL && !keep_former(into))
        sp_free(into->path);
    into->path = NULL;
    into->state = NULL;
    sp_journal_space_end(&into->space);
    sp_journal_items_begin(&into->items);
}

void sp_journal_remove(sp_manager *manager)
{
    journal *from = journal_of(manager);
    if (from == NULL || from->process != sp_mapped_file_process())
        return;
    for (; from->former_count != 0; from->former_count--) {
        former_file *former = &from->former[from->former_count - 1];
        sp_mapped_file_unlink(former->path, former->device, former->inode);
        sp_free(former->path);
    }
}

void sp_journal_end(sp_manager *manager, bool kept)
{
    journal *from = journal_of(manager);
    if (from == NULL || from->is_over || from->process != sp_mapped_file_process())
        return;
    from->is_over = true;
    sp_journal_fail(&from->space, 0);
    if (!from->is_temporary || kept || from->path == NULL)
        return;
    const sp_mapped_file *file = from->space.file;
    sp_mapped_file_unlink(from->path, file->device, file->inode);
    sp_free(from->path);
    from->path = NULL;
}

const char *sp_journal_path(const sp_manager *manager)
{
    const journal *from = journal_of(manager);
    if (from == NULL)
        return NULL;
    if (from->path == NULL && from->former_count != 0)
        return from->former[from->former_count - 1].path;
    return from->path;
}

int sp_journal_error(const sp_manager *manager)
{
    const journal *from = journal_of(manager);
    return from == NULL ? 0 : from->space.error;
}
