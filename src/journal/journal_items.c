#include "journal/journal_items.h"

#include "base/clock.h"
#include "base/heap.h"

static void put_item(char *at, uint32_t kind, const void *bytes, size_t size)
{
    sp_journal_item *item = (sp_journal_item *)at;
    sp_journal_item head = {(uint32_t)size, kind, sp_journal_hash(bytes, size)};
    uint64_t first;
    memcpy(&first, &head, sizeof first);
    memcpy(item + 1, bytes, size);
    item->hash = head.hash;
    SP_STORE((uint64_t *)item, first);
}

static bool reserve_items(sp_journal_items *into, size_t size)
{
    enum { USUAL = 2 * SP_JOURNAL_PAGE };
    if (size <= into->room.length)
        return true;
    size_t least = sp_padded(sizeof(sp_journal_block) + size, SP_JOURNAL_PAGE);
    sp_room found;
    if (!sp_journal_take_room(into->space, least, least > USUAL ? least : USUAL, &found))
        return false;
    if (into->block != NULL)
        sp_journal_settle_block(into->block, (size_t)(into->room.at - (char *)(into->block + 1)));
    into->block = sp_journal_begin_block(into->space, found, SP_JOURNAL_ITEMS, NULL);
    into->room = (sp_room){(char *)(into->block + 1), found.length - sizeof *into->block};
    return true;
}

bool sp_journal_write_item(sp_journal_items *into, uint32_t kind, const void *bytes, size_t size)
{
    size_t taken = sp_padded(sizeof(sp_journal_item) + size, 8);
    if (size > UINT32_MAX || !reserve_items(into, taken))
        return false;
    put_item(into->room.at, kind, bytes, size);
    into->room.at += taken;
    into->room.length -= taken;
    return true;
}

/* Text as its length and UTF-8, which may hold what is no text (lone surrogates); NULL for none. */
static size_t put_text(char *at, PyObject *text)
{
    PyObject *bytes =
        text == NULL ? NULL : PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL)
        PyErr_Clear();
    uint32_t size = bytes == NULL ? 0 : (uint32_t)PyBytes_GET_SIZE(bytes);
    if (at != NULL)
        memcpy(at, &size, sizeof size);
    if (at != NULL && size != 0)
        memcpy(at + sizeof size, PyBytes_AS_STRING(bytes), size);
    Py_XDECREF(bytes);
    return sizeof size + size;
}

static size_t put_region(char *at, const sp_region *region)
{
    const uint32_t numbers[] = {region->id, (uint32_t)region->source_line};
    size_t size = sizeof numbers;
    if (at != NULL)
        memcpy(at, numbers, sizeof numbers);
    size += put_text(at == NULL ? NULL : at + size, region->name);
    size += put_text(at == NULL ? NULL : at + size, region->source_file);
    for (Py_ssize_t i = 0; region->tags != NULL && i < PyTuple_GET_SIZE(region->tags); i++)
        size += put_text(at == NULL ? NULL : at + size, PyTuple_GET_ITEM(region->tags, i));
    return size;
}

/* It is encoded twice: first for its length. */
static bool encode_region(sp_journal_items *into, const sp_region *region)
{
    sp_exception under_way = sp_exception_take();
    sp_own_memory_begin();
    size_t size = put_region(NULL, region);
    char *bytes = sp_malloc(size);
    bool done = bytes != NULL;
    if (done) {
        put_region(bytes, region);
        done = sp_journal_write_item(into, SP_JOURNAL_REGION, bytes, size);
    }
    sp_free(bytes);
    sp_own_memory_end();
    sp_exception_restore(under_way);
    return done;
}

static bool write_region(sp_journal_items *into, const sp_region *region)
{
    size_t at = region->id / 8;
    uint8_t bit = (uint8_t)(1 << region->id % 8);
    if (at >= into->regions_size) {
        size_t size = 2 * at + 64;
        uint8_t *regions = sp_realloc(into->regions, size);
        if (regions == NULL)
            return false;
        memset(regions + into->regions_size, 0, size - into->regions_size);
        into->regions = regions;
        into->regions_size = size;
    }
    if (into->regions[at] & bit)
        return true;
    if (!encode_region(into, region))
        return false;
    into->regions[at] |= bit;
    return true;
}

bool sp_journal_write_node(sp_journal_items *into, const sp_thread *thread, const sp_node *node)
{
    if (node->region != NULL && !write_region(into, node->region))
        return false;
    bool begins = node->first == UINT64_MAX && node->region != NULL; /* it was made for that */
    sp_journal_node item = {.thread = (uint32_t)thread->log.first,
                            .node = node->id,
                            .parent = node->parent->id,
                            .first = begins ? sp_now() : node->first,
                            .past = node->past,
                            .region = node->region == NULL ? SP_JOURNAL_NO_REGION
                                                           : (int32_t)node->region->id};
    return sp_journal_write_item(into, SP_JOURNAL_NODE, &item, sizeof item);
}

bool sp_journal_write_nodes(sp_journal_items *into, sp_thread *thread)
{
    sp_log_stored *stored = &thread->log.stored;
    for (; stored->nodes < thread->tree.count; stored->nodes++) {
        if (stored->nodes != 0
            && !sp_journal_write_node(into, thread, thread->tree.nodes[stored->nodes]))
            return false;
    }
    return true;
}

bool sp_journal_keep_note(sp_journal_items *into, const char *note, size_t size)
{
    size_t taken = sp_padded(sizeof(sp_journal_item) + size, 8);
    if (into->notes.length + taken > into->notes_capacity) {
        size_t capacity = 2 * (into->notes.length + taken);
        char *notes = sp_realloc(into->notes.at, capacity);
        if (notes == NULL)
            return false;
        into->notes.at = notes;
        into->notes_capacity = capacity;
    }
    memset(into->notes.at + into->notes.length, 0, taken);
    put_item(into->notes.at + into->notes.length, SP_JOURNAL_NOTE, note, size);
    into->notes.length += taken;
    return true;
}

bool sp_journal_write_notes(sp_journal_items *into)
{
    if (into->notes.length == 0)
        return true;
    if (!reserve_items(into, into->notes.length))
        return false;
    memcpy(into->room.at, into->notes.at, into->notes.length);
    into->room.at += into->notes.length;
    into->room.length -= into->notes.length;
    return true;
}

void sp_journal_items_begin(sp_journal_items *into)
{
    into->block = NULL;
    into->room = (sp_room){0};
    if (into->regions != NULL)
        memset(into->regions, 0, into->regions_size);
}

void sp_journal_items_free(sp_journal_items *items)
{
    sp_free(items->regions);
    sp_free(items->notes.at);
}
