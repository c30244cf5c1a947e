#include "journal/journal_format.h"

_Static_assert(sizeof(sp_journal_head) == 72, "as docs/journal.md has it");
_Static_assert(sizeof(sp_journal_block) == 96, "as docs/journal.md has it");
_Static_assert(sizeof(sp_journal_item) == 16, "as docs/journal.md has it");
_Static_assert(sizeof(sp_journal_node) == 24, "as docs/journal.md has it");
_Static_assert(sizeof(sp_record) == 16, "as docs/journal.md has it");

static uint64_t word_at(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    return word ^ word >> 32;
}

/* Eight polynomials side by side, each of every eighth word, do not wait for one another. */
uint64_t sp_journal_hash(const void *bytes, size_t size)
{
    enum { LANES = 8, STRIDE = LANES * sizeof(uint64_t) };
    const unsigned char *at = bytes, *end = at + size;
    uint64_t lanes[LANES] = {0}, step = SP_JOURNAL_FACTOR;
    for (int i = 1; i < LANES; i *= 2)
        step *= step;
    for (; end - at >= (ptrdiff_t)STRIDE; at += STRIDE) {
        for (int lane = 0; lane < LANES; lane++)
            lanes[lane] = lanes[lane] * step + word_at(at + lane * sizeof(uint64_t), 8);
    }
    uint64_t hash = 0;
    for (int lane = 0; lane < LANES; lane++)
        hash = hash * SP_JOURNAL_FACTOR + lanes[lane];
    for (; at < end; at += sizeof(uint64_t)) {
        size_t left = (size_t)(end - at);
        hash = hash * SP_JOURNAL_FACTOR + word_at(at, left < 8 ? left : 8);
    }
    return hash * SP_JOURNAL_FACTOR + size;
}
