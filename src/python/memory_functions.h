/* What Python asks of measuring memory: count_memory() and the like. */
#ifndef SP_MEMORY_FUNCTIONS_H
#define SP_MEMORY_FUNCTIONS_H

#include "base/compat.h"

extern PyMethodDef sp_memory_functions[];

#endif
