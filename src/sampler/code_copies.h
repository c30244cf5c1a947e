/* What the sampler knows of code objects: copies of their names and line tables, as the objects may be gone
 * by the time of the report, and it holds no references. A code object is found by its address, and is the
 * same as before while what it consists of stands at the same addresses. */
#ifndef SP_CODE_COPIES_H
#define SP_CODE_COPIES_H

#include "sampler/number_table.h"

/* A str as it lies in memory. */
typedef struct {
    void *characters; /* Owned. */
    uint32_t length;
    uint8_t kind; /* bytes of a character: 1, 2, 4 */
} sp_text_copy;

typedef struct {
    const void *file, *name, *table; /* where they stand. Not read. */
    int32_t first_line;
    uint32_t units; /* of its bytecode */
    int32_t *lines; /* of each of them; 0 for none. Owned. */
    sp_text_copy file_text, name_text;
} sp_code_copy;

typedef struct {
    sp_code_copy *codes; /* Owned. */
    uint32_t count, capacity;
    sp_number_table numbers; /* address -> place in `codes` of what stands there now */
} sp_code_copies;

enum { SP_CODES_AT_MOST = 1 << 16, SP_NO_CODE = UINT32_MAX };

/* The number of the code object of whose fixed part `header` is a copy; SP_NO_CODE when it is none, or
 * cannot be read. */
uint32_t sp_code_number(sp_code_copies *copies, const void *address, const PyCodeObject *header);
/* The line at a position of its bytecode; that of its begin where there is none. */
int32_t sp_code_line(const sp_code_copy *code, int64_t position);
/* (file, name, first line) for Python; NULL with an exception set. */
PyObject *sp_code_tuple(const sp_code_copy *code);
void sp_code_copies_free(sp_code_copies *copies);

#endif
