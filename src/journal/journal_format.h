/* The journal as it lies in its file; docs/journal.md says the same byte by byte, and so does
 * scope_profiler/io/journal_format.py (tests/journal/test_journal_format.py compares). Numbers are in the
 * machine's byte order. */
#ifndef SP_JOURNAL_FORMAT_H
#define SP_JOURNAL_FORMAT_H

#include "record/threadlog.h"

#define SP_JOURNAL_MAGIC "SPJRNL\r\n"
#define SP_JOURNAL_ORDER UINT64_C(0x0102030405060708)
enum {
    SP_JOURNAL_VERSION = 2,
    SP_JOURNAL_PAGE = 4096, /* blocks begin at multiples of this */
    SP_JOURNAL_NO_REGION = -1
};

/* At the begin of the file; JSON follows. */
typedef struct {
    char magic[8];
    uint64_t order;
    uint32_t version;
    uint32_t page;
    uint64_t ticks; /* one instant, by the clock of the records */
    int64_t ns;     /* and as perf_counter_ns() has it */
    uint64_t part;  /* 1 for the first file of a run */
    uint64_t facts; /* bytes of JSON */
    uint64_t facts_hash;
    uint64_t hash; /* of what stands before */
} sp_journal_head;

/* Kinds of blocks. */
enum {
    SP_JOURNAL_FREE = 1,  /* means nothing */
    SP_JOURNAL_CALLS = 2, /* records of a thread (record/threadlog.h) */
    SP_JOURNAL_ITEMS = 3, /* what records name */
    SP_JOURNAL_STATE = 4  /* statistics, lines and counters of one moment, as JSON */
};
#define SP_JOURNAL_BLOCK UINT32_C(0x424a5053) /* "SPJB" */

typedef struct {
    uint32_t magic;
    uint32_t kind;
    uint64_t length;   /* with this header */
    uint64_t sequence; /* of the block in the file, from 0 */
    uint64_t thread;   /* whose record it is, */
    uint64_t ordinal;  /* which of its blocks, from 0, */
    uint64_t owner; /* and the number of the thread and the context that its first record has */
    uint64_t context;
    uint64_t ticks; /* when it began, by both clocks */
    int64_t ns;
    uint64_t hash; /* of what stands before */
    uint64_t used; /* bytes that follow the header, once nothing more is written; before that 0 */
    uint64_t contents; /* the hash of these */
} sp_journal_block;

/* In a block of items, each at a multiple of 8. `size` and `kind` are written last. */
typedef struct {
    uint32_t size; /* bytes that follow */
    uint32_t kind;
    uint64_t hash; /* of these */
} sp_journal_item;

enum {
    SP_JOURNAL_REGION =
        1, /* id, line (uint32); name, file, tags, each a length (uint32) and UTF-8 */
    SP_JOURNAL_NODE = 2, /* sp_journal_node */
    SP_JOURNAL_NOTE = 3  /* JSON */
};

typedef struct {
    uint32_t thread; /* whose record the node is in */
    uint32_t node, parent;
    int32_t region; /* SP_JOURNAL_NO_REGION for other paths */
    uint64_t first; /* when its first call began, in ticks */
    uint64_t past;  /* sp_past: calls below it do not tell that one of its own was open */
} sp_journal_node;

/* The hash of some bytes. They are rows of 8 words, the last row filled up with zeros. Of n rows, row i (from
 * 0) counts 2 (n - i) + 1 times; with words w ^ (w >> 32) that gives a sum for each column. The hash is the
 * polynomial of these sums, and of the number of bytes, in an odd number. All arithmetic is modulo 2^64. A
 * word that is wrong counts an odd number of times, so one alone always shows. */
#define SP_JOURNAL_FACTOR UINT64_C(0x9e3779b97f4a7c15)
enum { SP_JOURNAL_COLUMNS = 8 };
uint64_t sp_journal_hash(const void *bytes, size_t size);

#endif
