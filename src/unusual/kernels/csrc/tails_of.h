/* Included by tails.c once for each level and VALUE type. A column of the reference is sorted; an even grid over its
   middle says where to begin, a binary search inside the cell does the rest. Values beyond the middle share the end
   cells. */

typedef struct {
    const VALUE *sorted;
    size n, cells;
    double low, scale;
    uint32_t *start; /* (cells + 1,), or NULL: search the whole column */
} OF(column);

/* The cells of a batch; NaN goes to 0. Written without branches, for vectors. */
TARGET static void OF(cells)(const OF(column) *c, const VALUE *x, size stride, size count, int32_t *cell) {
    double low = c->low, scale = c->scale, last = (double)(c->cells - 1);
    VALUE side[BATCH];
    for (size i = 0; i < count; i++) side[i] = x[i * stride];
    for (size i = 0; i < count; i++) {
        double place = ((double)side[i] - low) * scale, kept = place < last ? place : last;
        cell[i] = (int32_t)(place >= 0 ? kept : 0.0);
    }
}

TARGET static void OF(lay_grid)(OF(column) *c) {
    int32_t cell[BATCH];
    size margin = c->n / 1000;
    double high = (double)c->sorted[c->n - 1 - margin];
    c->low = (double)c->sorted[margin];
    c->scale = (double)c->cells / (high - c->low);
    if (!isfinite(c->low) || !isfinite(c->scale)) c->low = c->scale = 0.0;
    memset(c->start, 0, (size_t)(c->cells + 1) * sizeof(uint32_t));
    for (size first = 0; first < c->n; first += BATCH) { /* the last value of a cell says where the next one starts */
        size count = c->n - first < BATCH ? c->n - first : BATCH;
        OF(cells)(c, c->sorted + first, 1, count, cell);
        for (size i = 0; i < count; i++) c->start[cell[i] + 1] = (uint32_t)(first + i + 1);
    }
    for (size i = 0; i < c->cells; i++)
        if (c->start[i + 1] < c->start[i]) c->start[i + 1] = c->start[i];
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
TARGET static inline void OF(count_window)(const VALUE *sorted, VALUE x, size *below, size *at_most) {
#if IN_VECTORS
    vf asked = NAME(spread)(x);
    unsigned less = 1u << WINDOW, most = 0;
    for (size v = 0; v < WINDOW / LANES; v++) {
        vf values = NAME(load)(sorted + v * LANES);
        less |= NAME(not_above)(asked, values) << (v * LANES), most |= NAME(at_most)(values, asked) << (v * LANES);
    }
    *at_most = *below + __builtin_ctz(~most), *below += __builtin_ctz(less);
#else
    int less = 0, most = 0;
    for (int l = 0; l < WINDOW; l++) less += sorted[l] < x, most += sorted[l] <= x;
    *at_most = *below + most, *below += less;
#endif
}

/* Counts of a batch of values, in rounds, so that waiting for one value's memory hides behind the others'. */
TARGET static void OF(count_batch)(const OF(column) *c, const VALUE *x, size stride, size count, size *below,
                                   size *at_most) {
    size stop[BATCH];
    int32_t cell[BATCH];
    if (c->start) {
        OF(cells)(c, x, stride, count, cell);
        for (size i = 0; i < count; i++) FETCH(c->start + cell[i]);
        for (size i = 0; i < count; i++) {
            below[i] = c->start[cell[i]], stop[i] = c->start[cell[i] + 1];
            FETCH(c->sorted + below[i]);
            FETCH(c->sorted + (below[i] + WINDOW < c->n ? below[i] + WINDOW - 1 : c->n - 1));
        }
    } else {
        for (size i = 0; i < count; i++) below[i] = 0, stop[i] = c->n;
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

TARGET static int OF(counts)(tails t, int64_t *at_most, int64_t *below) {
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

/* Adds the terms of one column for n of its values. */
TARGET static void OF(add_column)(const OF(column) *c, rule r, const VALUE *x, size n, double *out) {
    size upper[BATCH], lower[BATCH];
    for (size first = 0; first < n; first += BATCH) {
        size count = n - first < BATCH ? n - first : BATCH;
        OF(count_batch)(c, x + first, 1, count, lower, upper);
        add_terms(r, lower, upper, count, out + first);
    }
}

/* A few columns of n rows, each on its own: X is read once for them, not once for each. */
static void OF(turn)(const VALUE *x, size d, size columns, size n, VALUE *turned) {
    for (size i = 0; i < n; i++)
        for (size j = 0; j < columns; j++) turned[j * n + i] = x[i * d + j];
}

TARGET static int OF(score)(tails t, rule r, const double *skew, double *out) {
    OF(column) c;
    size most = t.n < MOST_ROWS ? t.n : MOST_ROWS;
    VALUE *turned = malloc((size_t)(TURNED * most) * sizeof(VALUE) + 1);
    int status = turned ? OF(open_column)(&c, t) : -1;
    for (size start = 0, n; status == 0 && start < t.n; start += n) {
        const VALUE *x = (const VALUE *)t.X + start * t.d;
        n = t.n - start < most ? t.n - start : most;
        for (size j = 0; j < t.d; j++) {
            size at = j % TURNED, columns = t.d - j < TURNED ? t.d - j : TURNED;
            if (at == 0) OF(turn)(x + j, t.d, columns, n, turned);
            OF(turn_to)(&c, t, j);
            r.skew = skew[j];
            OF(add_column)(&c, r, turned + at * n, n, out + start);
        }
    }
    if (status == 0) free(c.start);
    free(turned);
    return status;
}
