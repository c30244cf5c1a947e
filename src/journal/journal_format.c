#include "journal/journal_format.h"

_Static_assert(sizeof(sp_journal_head) == 72, "as docs/journal.md has it");
_Static_assert(sizeof(sp_journal_block) == 96, "as docs/journal.md has it");
_Static_assert(sizeof(sp_journal_item) == 16, "as docs/journal.md has it");
_Static_assert(sizeof(sp_journal_node) == 32, "as docs/journal.md has it");
_Static_assert(sizeof(sp_record) == 16, "as docs/journal.md has it");

typedef struct {
    uint64_t sum[SP_JOURNAL_COLUMNS], of_sums[SP_JOURNAL_COLUMNS];
} column_sums;

/* The columns do not wait for one another, so compilers use vectors. */
SP_INLINE void add_row(column_sums *into, const unsigned char *at)
{
    for (int column = 0; column < SP_JOURNAL_COLUMNS; column++) {
        uint64_t word;
        memcpy(&word, at + (size_t)column * sizeof word, sizeof word);
        into->sum[column] += word ^ word >> 32;
        into->of_sums[column] += into->sum[column];
    }
}

uint64_t sp_journal_hash(const void *bytes, size_t size)
{
    enum { ROW = SP_JOURNAL_COLUMNS * sizeof(uint64_t) };
    const unsigned char *at = bytes, *end = at + size;
    column_sums sums = {0};
    for (; end - at >= (ptrdiff_t)ROW; at += ROW)
        add_row(&sums, at);
    if (at < end) {
        unsigned char last[ROW] = {0};
        memcpy(last, at, (size_t)(end - at));
        add_row(&sums, last);
    }
    uint64_t hash = 0;
    for (int column = 0; column < SP_JOURNAL_COLUMNS; column++)
        hash = hash * SP_JOURNAL_FACTOR + sums.sum[column] + 2 * sums.of_sums[column];
    return hash * SP_JOURNAL_FACTOR + size;
}
