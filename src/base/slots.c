#include "base/slots.h"

int sp_slots_add(sp_slots *slots, const void *a, const void *b, void *value)
{
    sp_slot *slot = &slots->slots[sp_slot_of(a, b)];
    if (SP_LIKELY(slot->value == NULL)) {
        *slot = (sp_slot){a, b, value};
    } else {
        if (sp_map_add(&slots->rest, a, b, value) < 0)
            return -1;
        slots->rest_count++;
    }
    slots->count++;
    return 0;
}

void *sp_slots_pop(sp_slots *slots, const void *a, const void *b)
{
    sp_slot *slot = &slots->slots[sp_slot_of(a, b)];
    void *value = NULL;
    if (SP_LIKELY(slot->a == a && slot->b == b)) {
        value = slot->value;
        *slot = (sp_slot){.a = slot};
    } else if (slots->rest_count != 0) {
        value = sp_map_pop(&slots->rest, a, b);
        slots->rest_count -= value != NULL;
    }
    slots->count -= value != NULL;
    return value;
}

int sp_slots_each(const sp_slots *slots, int (*visit)(void *value, void *argument),
                  void *argument)
{
    for (const sp_slot *slot = slots->slots; slot < slots->slots + SP_SLOTS; slot++) {
        int result = slot->value == NULL ? 0 : visit(slot->value, argument);
        if (result != 0)
            return result;
    }
    return sp_map_each(&slots->rest, visit, argument);
}

void sp_slots_free(sp_slots *slots) { sp_map_free(&slots->rest); }
