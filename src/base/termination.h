/* A signal that ends the process is heard: see termination.c. */
#ifndef SP_TERMINATION_H
#define SP_TERMINATION_H

#include "base/compat.h"

extern PyMethodDef sp_termination_functions[];

#endif
