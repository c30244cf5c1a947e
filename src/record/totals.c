#include "record/totals.h"

#include <math.h>

#include "base/heap.h"

#define NO_TOTALS {.minimum = UINT64_MAX}

sp_totals sp_no_totals = NO_TOTALS;

sp_totals *sp_totals_new(void)
{
    sp_totals *totals = sp_malloc(sizeof *totals);
    if (totals != NULL)
        *totals = (sp_totals)NO_TOTALS;
    return totals;
}

void sp_totals_free(sp_totals *totals)
{
    if (totals == NULL)
        return;
    sp_sketch_free(&totals->sketch);
    sp_free(totals->memory);
    sp_free(totals->work);
    sp_thinning_free(totals->thinning);
    sp_free(totals);
}

void sp_totals_add(sp_totals *totals, uint64_t ticks)
{
    totals->sum += ticks;
    totals->minimum = ticks < totals->minimum ? ticks : totals->minimum;
    totals->maximum = ticks > totals->maximum ? ticks : totals->maximum;
    sp_wide_add(&totals->squares, sp_wide_product(ticks, ticks));
    sp_sketch_add(&totals->sketch, ticks);
}

void sp_totals_add_all(sp_totals *totals, const uint32_t *ticks, unsigned count)
{
    uint64_t sum = 0;
    uint32_t minimum = UINT32_MAX, maximum = 0;
    sp_wide squares = {0, 0};
    for (unsigned i = 0; i < count; i++) {
        uint64_t value = ticks[i];
        sum += value;
        minimum = ticks[i] < minimum ? ticks[i] : minimum;
        maximum = ticks[i] > maximum ? ticks[i] : maximum;
        sp_wide_add(&squares, (sp_wide){value * value, 0});
    }
    if (count == 0)
        return;
    totals->sum += sum;
    totals->minimum = minimum < totals->minimum ? minimum : totals->minimum;
    totals->maximum = maximum > totals->maximum ? maximum : totals->maximum;
    sp_wide_add(&totals->squares, squares);
    sp_sketch_add_all(&totals->sketch, ticks, count);
}

bool sp_totals_add_memory(sp_totals *totals, const sp_memory_span *span)
{
    if (totals->memory == NULL && (totals->memory = sp_calloc(1, sizeof *totals->memory)) == NULL)
        return false;
    sp_memory_span_add(totals->memory, span);
    return true;
}

sp_work *sp_totals_work(sp_totals *totals)
{
    if (SP_UNLIKELY(totals->work == NULL))
        totals->work = sp_calloc(1, sizeof *totals->work);
    return totals->work;
}

static bool merge_work(sp_totals *into, const sp_totals *from)
{
    if (from->work == NULL)
        return true;
    if (sp_totals_work(into) == NULL)
        return false;
    sp_work_merge(into->work, from->work);
    return true;
}

int sp_totals_merge(sp_totals *into, const sp_totals *from)
{
    into->sum += from->sum;
    if (from->minimum < into->minimum)
        into->minimum = from->minimum;
    if (from->maximum > into->maximum)
        into->maximum = from->maximum;
    sp_wide_add(&into->squares, from->squares);
    for (int i = 0; i < SP_COSTS; i++)
        into->costs[i] += from->costs[i];
    into->errors += from->errors;
    into->throttled += from->throttled;
    into->nested += from->nested;
    into->waiting += from->waiting;
    into->open += from->open;
    into->open_own += from->open_own;
    if ((from->memory != NULL && !sp_totals_add_memory(into, from->memory))
        || !merge_work(into, from))
        return -1;
    return sp_sketch_merge(&into->sketch, &from->sketch);
}

double sp_totals_quantile(sp_totals *totals, double q)
{
    uint64_t count = sp_totals_count(totals);
    if (count == 0)
        return 0.0;
    double position = q * (double)(count - 1);
    uint64_t rank = (uint64_t)position, next = rank + 1 < count ? rank + 1 : rank;
    double value[2] = {(double)totals->maximum, (double)totals->maximum};
    sp_sketch_values_at(&totals->sketch, rank, next, value);
    double result = value[0] + (position - (double)rank) * (value[1] - value[0]);
    if (result < (double)totals->minimum)
        return (double)totals->minimum;
    if (result > (double)totals->maximum)
        return (double)totals->maximum;
    return result;
}

/* With q the mean without its fraction f, the sum of (x - q)^2 is squares - 2 q sum + n q^2:
 * integers of 128 bits hold each term, so nothing cancels; the rest is its mean less f^2. */
double sp_totals_deviation(const sp_totals *totals)
{
    uint64_t count = sp_totals_count(totals);
    if (count < 2)
        return 0.0;
    uint64_t q = totals->sum / count;
    double fraction = (double)(totals->sum % count) / (double)count;
    sp_wide squares = totals->squares, twice = sp_wide_product(q, totals->sum);
    sp_wide_add(&twice, twice);
    sp_wide_add(&squares, sp_wide_negative(twice));
    sp_wide_add(&squares, sp_wide_product(count * q, q));
    double variance = sp_wide_double(squares) / (double)count - fraction * fraction;
    return variance > 0.0 ? sqrt(variance) : 0.0;
}
