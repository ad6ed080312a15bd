/* Included by tails.c once for each VALUE type. A column of the reference is sorted; an even grid over its middle
   says where to begin, a binary search inside the cell does the rest. Values beyond the middle share the end cells. */

typedef struct {
    const VALUE *sorted;
    size n, cells;
    double low, scale;
    uint32_t *start; /* (cells + 1,), or NULL: search the whole column */
} OF(column);

static inline size OF(cell)(const OF(column) *c, VALUE x) {
    double place = ((double)x - c->low) * c->scale;
    return place >= 0 ? (place < (double)c->cells ? (size)place : c->cells - 1) : 0; /* NaN goes to 0 */
}

static void OF(lay_grid)(OF(column) *c) {
    size margin = c->n / 1000;
    double high = (double)c->sorted[c->n - 1 - margin];
    c->low = (double)c->sorted[margin];
    c->scale = (double)c->cells / (high - c->low);
    if (!isfinite(c->low) || !isfinite(c->scale)) c->low = c->scale = 0.0;
    size at = 0;
    for (size i = 0; i < c->n; i++)
        for (size cell = OF(cell)(c, c->sorted[i]); at <= cell; at++) c->start[at] = (uint32_t)i;
    for (; at <= c->cells; at++) c->start[at] = (uint32_t)c->n;
}

/* Number of reference values below x; *stop is set to a bound on where its equals end. */
static inline size OF(below)(const OF(column) *c, VALUE x, size *stop) {
    size at = 0, count = c->n;
    if (c->start) {
        size cell = OF(cell)(c, x);
        at = c->start[cell], count = c->start[cell + 1] - at;
    }
    *stop = at + count;
    while (count > 0) {
        size half = (count + 1) / 2;
        at += c->sorted[at + half - 1] < x ? half : 0;
        count -= half;
    }
    return at;
}

static inline size OF(at_most)(const OF(column) *c, VALUE x, size at, size stop) {
    if (at >= stop || c->sorted[at] != x) return at;
    if (at + 1 >= stop || c->sorted[at + 1] != x) return at + 1;
    size count = stop - at;
    while (count > 0) {
        size half = (count + 1) / 2;
        at += c->sorted[at + half - 1] <= x ? half : 0;
        count -= half;
    }
    return at;
}

static int OF(open_column)(OF(column) *c, tails t) {
    c->n = t.reference, c->start = NULL, c->cells = 16;
    if (t.n < t.reference / 8 + 64 || t.reference < 64 || (uint64_t)t.reference >= UINT32_MAX) return 0;
    while (c->cells * PER_CELL < c->n && c->cells < MOST_CELLS) c->cells *= 2;
    c->start = malloc((size_t)(c->cells + 1) * sizeof(uint32_t));
    return c->start ? 0 : -1;
}

static void OF(turn_to)(OF(column) *c, tails t, size j) {
    c->sorted = (const VALUE *)t.columns + j * t.reference;
    if (c->start) OF(lay_grid)(c);
}

static int OF(counts)(tails t, int64_t *at_most, int64_t *below) {
    OF(column) c;
    if (OF(open_column)(&c, t)) return -1;
    for (size j = 0; j < t.d; j++) {
        OF(turn_to)(&c, t, j);
        for (size i = 0; i < t.n; i++) {
            VALUE x = ((const VALUE *)t.X)[i * t.d + j];
            size stop, lower = OF(below)(&c, x, &stop);
            below[i * t.d + j] = lower;
            at_most[i * t.d + j] = OF(at_most)(&c, x, lower, stop);
        }
    }
    free(c.start);
    return 0;
}

static int OF(score)(tails t, const surprise *s, const double *skew, double *out, int copod, int leave_out) {
    OF(column) c;
    if (OF(open_column)(&c, t)) return -1;
    for (size j = 0; j < t.d; j++) {
        OF(turn_to)(&c, t, j);
        for (size i = 0; i < t.n; i++) {
            VALUE x = ((const VALUE *)t.X)[i * t.d + j];
            size stop, lower = OF(below)(&c, x, &stop), upper = OF(at_most)(&c, x, lower, stop);
            size left = upper - leave_out, right = t.reference - lower - leave_out;
            out[i] += term(s, left > 0 ? left : 0, right > 0 ? right : 0, skew[j], copod);
        }
    }
    free(c.start);
    return 0;
}
