/* An order of rows in which neighbours in the list are neighbours in space: part at the median of the widest column,
   and go on in both halves. Halves begin at multiples of `unit`, and below that of `fine`. */
#include <stdlib.h>
#include <string.h>

#include "loops.h"

typedef struct { float key; int32_t row; } entry;
typedef struct {
    const float *rows;
    size d, unit, fine;
    entry *entries;
    float *low, *high;
} garden;

static size widest_column(garden g, const entry *e, size count) {
    memcpy(g.low, g.rows + (size)e[0].row * g.d, (size_t)g.d * sizeof(float));
    memcpy(g.high, g.low, (size_t)g.d * sizeof(float));
    for (size i = 1; i < count; i++) {
        const float *x = g.rows + (size)e[i].row * g.d;
        for (size j = 0; j < g.d; j++) {
            g.low[j] = x[j] < g.low[j] ? x[j] : g.low[j];
            g.high[j] = x[j] > g.high[j] ? x[j] : g.high[j];
        }
    }
    size widest = 0;
    for (size j = 1; j < g.d; j++)
        if (g.high[j] - g.low[j] > g.high[widest] - g.low[widest]) widest = j;
    return g.high[widest] > g.low[widest] ? widest : -1;
}

static inline int before(entry a, entry b) { return a.key < b.key || (a.key == b.key && a.row < b.row); }

static inline void swap(entry *a, entry *b) {
    entry kept = *a;
    *a = *b, *b = kept;
}

/* Quickselect: afterwards e[0..middle) come before e[middle..count). Pairs are distinct, so ties cannot slow it down;
   keys are never NaN here (the widest column is finite). */
static void part_at(entry *e, size count, size middle) {
    size low = 0, high = count - 1;
    while (low < high) {
        size centre = low + (high - low) / 2;
        if (before(e[centre], e[low])) swap(e + centre, e + low);
        if (before(e[high], e[low])) swap(e + high, e + low);
        if (before(e[high], e[centre])) swap(e + high, e + centre);
        entry pivot = e[centre];
        size i = low, j = high;
        while (i <= j) {
            while (before(e[i], pivot)) i++;
            while (before(pivot, e[j])) j--;
            if (i <= j) swap(e + i++, e + j--);
        }
        if (middle <= j) high = j;
        else if (middle >= i) low = i;
        else return;
    }
}

static void arrange(garden g, size start, size stop) {
    size count = stop - start, step = count > g.unit ? g.unit : g.fine;
    if (count <= g.fine) return;
    size column = widest_column(g, g.entries + start, count);
    if (column < 0) return;
    entry *e = g.entries + start;
    for (size i = 0; i < count; i++) e[i].key = g.rows[(size)e[i].row * g.d + column];
    size middle = (count / 2 + step - 1) / step * step;
    if (middle >= count) middle = count - 1 - (count - 1) % step;
    if (middle <= 0) return;
    part_at(e, count, middle);
    arrange(g, start, start + middle);
    arrange(g, start + middle, stop);
}

int place_order(const float *rows, size n, size d, size unit, size fine, int64_t *order) {
    garden g = {rows, d, unit, fine, malloc((size_t)n * sizeof(entry) + 1), malloc(2 * (size_t)d * sizeof(float)), NULL};
    int status = g.entries && g.low ? 0 : -1;
    if (status == 0) {
        g.high = g.low + d;
        for (size i = 0; i < n; i++) g.entries[i] = (entry){0.0f, (int32_t)i};
        if (n > 0) arrange(g, 0, n);
        for (size i = 0; i < n; i++) order[i] = g.entries[i].row;
    }
    free(g.entries), free(g.low);
    return status;
}
