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

/* Where the search for x begins and ends. */
static inline void OF(bounds)(const OF(column) *c, VALUE x, size *from, size *to) {
    *from = 0, *to = c->n;
    if (c->start) {
        size cell = OF(cell)(c, x);
        *from = c->start[cell], *to = c->start[cell + 1];
    }
}

/* Number of reference values below x, which lies between `at` and `stop`. */
static inline size OF(below)(const OF(column) *c, VALUE x, size at, size stop) {
    size count = stop - at;
    while (count > 4) {
        size half = (count + 1) / 2;
        at += c->sorted[at + half - 1] < x ? half : 0;
        count -= half;
    }
    for (stop = at + count; at < stop && c->sorted[at] < x;) at++;
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

/* A cell with few values lies in one window: comparing all of it takes no branch that could be guessed wrong. Values
   of later cells are larger, so they change no count. */
static inline void OF(count_window)(const VALUE *sorted, VALUE x, size *below, size *at_most) {
    int less = 0, most = 0;
    for (int l = 0; l < WINDOW; l++) less += sorted[l] < x, most += sorted[l] <= x;
    *at_most = *below + most, *below += less;
}

/* Counts of a batch of values, in two rounds, so that waiting for one value's memory hides behind the others'. */
static void OF(count_batch)(const OF(column) *c, const VALUE *x, size stride, size count, size *below, size *at_most) {
    size stop[BATCH];
    for (size i = 0; i < count; i++) {
        OF(bounds)(c, x[i * stride], &below[i], &stop[i]);
        FETCH(c->sorted + below[i]);
        FETCH(c->sorted + (stop[i] < c->n ? stop[i] : c->n - 1));
    }
    for (size i = 0; i < count; i++) {
        size from = below[i];
        VALUE value = x[i * stride];
        if (stop[i] - from < WINDOW && from + WINDOW <= c->n) {
            OF(count_window)(c->sorted + from, value, below + i, at_most + i);
            continue;
        }
        below[i] = OF(below)(c, value, from, stop[i]);
        at_most[i] = OF(at_most)(c, value, below[i], stop[i]);
    }
}

static int OF(counts)(tails t, int64_t *at_most, int64_t *below) {
    OF(column) c;
    size upper[BATCH], lower[BATCH];
    if (OF(open_column)(&c, t)) return -1;
    for (size j = 0; j < t.d; j++) {
        OF(turn_to)(&c, t, j);
        for (size first = 0; first < t.n; first += BATCH) {
            size count = t.n - first < BATCH ? t.n - first : BATCH, at = first * t.d + j;
            OF(count_batch)(&c, (const VALUE *)t.X + at, t.d, count, lower, upper);
            for (size i = 0; i < count; i++, at += t.d) at_most[at] = upper[i], below[at] = lower[i];
        }
    }
    free(c.start);
    return 0;
}

static int OF(score)(tails t, rule r, const double *skew, double *out) {
    OF(column) c;
    size upper[BATCH], lower[BATCH];
    if (OF(open_column)(&c, t)) return -1;
    for (size j = 0; j < t.d; j++) {
        OF(turn_to)(&c, t, j);
        r.skew = skew[j];
        for (size first = 0; first < t.n; first += BATCH) {
            size count = t.n - first < BATCH ? t.n - first : BATCH;
            OF(count_batch)(&c, (const VALUE *)t.X + first * t.d + j, t.d, count, lower, upper);
            add_terms(r, lower, upper, count, out + first);
        }
    }
    free(c.start);
    return 0;
}
