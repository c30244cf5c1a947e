/* The events of call tracing on CPython 3.11. */
#ifndef SP_CALLS_EVALUATOR_H
#define SP_CALLS_EVALUATOR_H

#include "base/compat.h"

void sp_calls_evaluator_init(void);

#endif
