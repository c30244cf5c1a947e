/* JSON of plain Python values, written without running any Python. */
#ifndef SP_JSON_TEXT_H
#define SP_JSON_TEXT_H

#include "base/compat.h"

typedef struct {
    char *at; /* Owned. */
    size_t size, capacity;
    bool failed; /* memory is out */
} sp_json_text;

/* text: ASCII that is JSON as it is. */
void sp_json_put(sp_json_text *into, const char *text);
/* None, bool, int, float, str, and lists, tuples and dicts of those. Of others the name of the type stands
 * there, as a str. */
void sp_json_put_value(sp_json_text *into, PyObject *value);
void sp_json_put_int(sp_json_text *into, int64_t value);
void sp_json_put_float(sp_json_text *into, double value);
void sp_json_free(sp_json_text *text);

#endif
