/* Included by nearest.c once for each level: sums of up to GROUP queries with the tiles first..last-1. */

/* VECTORS cover a tile; with QUERIES queries that makes eight sums under way, enough to hide the latency of one. */
#undef QUERIES
#undef VECTORS
#define VECTORS (TILE / LANES)
#define QUERIES (LANES >= 16 ? 8 : LANES == 8 ? 4 : LANES == 4 ? 2 : 1)

TARGET static inline void NAME(check)(const vf *sum, search *s, const haystack *h, const questions *q, size tile) {
    vf limit = NAME(spread)(s->limit);
    unsigned hits = 0;
    for (size v = 0; v < VECTORS; v++) hits |= NAME(not_above)(sum[v], limit) << (v * LANES);
    if (hits) measure(s, h, q, tile * TILE, hits);
}

TARGET static void NAME(scan_some)(search *s, const float *doubled, const haystack *h, const questions *q, size first,
                                   size last) {
    size d = h->d;
    for (size t = first; t < last; t++) {
        const float *norm = h->tiles + t * (d + 1) * TILE, *at = norm + TILE;
        vf sum[QUERIES][VECTORS];
        for (size i = 0; i < QUERIES; i++)
            for (size v = 0; v < VECTORS; v++) sum[i][v] = NAME(load)(norm + v * LANES);
        for (size j = 0; j < d; j++, at += TILE) {
            FETCH_AHEAD(at + 2 * (d + 1) * TILE);
            vf x[VECTORS];
            for (size v = 0; v < VECTORS; v++) x[v] = NAME(load)(at + v * LANES);
            for (size i = 0; i < QUERIES; i++) {
                vf value = NAME(spread)(doubled[i * d + j]);
                for (size v = 0; v < VECTORS; v++) sum[i][v] = FUSED(value, x[v], sum[i][v]);
            }
        }
        for (size i = 0; i < QUERIES; i++) NAME(check)(sum[i], s + i, h, q, t);
    }
}

/* One query; two tiles at a time. */
TARGET static void NAME(scan_one)(search *s, const float *doubled, const haystack *h, const questions *q, size first,
                                  size last) {
    size d = h->d, stride = (d + 1) * TILE;
    for (size t = first; t < last; t += 2) {
        const float *a = h->tiles + t * stride, *b = t + 1 < last ? a + stride : a;
        vf one[VECTORS], two[VECTORS];
        for (size v = 0; v < VECTORS; v++) {
            one[v] = NAME(load)(a + v * LANES);
            two[v] = NAME(load)(b + v * LANES);
        }
        for (size j = 0; j < d; j++) {
            vf value = NAME(spread)(doubled[j]);
            for (size v = 0; v < VECTORS; v++) {
                one[v] = FUSED(value, NAME(load)(a + (j + 1) * TILE + v * LANES), one[v]);
                two[v] = FUSED(value, NAME(load)(b + (j + 1) * TILE + v * LANES), two[v]);
            }
        }
        NAME(check)(one, s, h, q, t);
        if (b != a) NAME(check)(two, s, h, q, t + 1);
    }
}

TARGET static void NAME(scan)(search *s, size count, const float *doubled, const haystack *h, const questions *q,
                              size first, size last) {
    size i = 0;
    for (; i + QUERIES <= count; i += QUERIES) NAME(scan_some)(s + i, doubled + i * h->d, h, q, first, last);
    for (; i < count; i++) NAME(scan_one)(s + i, doubled + i * h->d, h, q, first, last);
}
