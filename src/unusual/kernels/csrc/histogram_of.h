/* Included by histogram.c once for each level: the cells of `count` values, with the compiler's own vectors. */
TARGET static void NAME(find)(const ruler *r, const void *X, size count, int wide) {
    const double *restrict low = r->low, *restrict scale = r->scale, top = r->top, limit = r->limit, last = top - 1;
    const uint32_t *restrict first = r->first;
    uint32_t *restrict place = r->place;
    size period = r->period;
    if (wide) FIND(double) else FIND(float)
}
