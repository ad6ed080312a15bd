/* Included by windows.c once for each level: LAGS lanes as vectors of doubles. Nothing is fused, so that all levels give
   the same bits. */
enum { NAME(VECTORS) = LAGS / DOUBLES };
#define EACH for (int v = 0; v < NAME(VECTORS); v++)

TARGET static inline uint64_t NAME(better)(vd likeness, const double *worst, vd own, int v) {
    return (NAME(above)(likeness, NAME(load_d)(worst + v * DOUBLES)) | NAME(above)(likeness, own)) << (v * DOUBLES);
}

TARGET static void NAME(offer)(const diagonals *d, size row, uint64_t hits, const vd *likeness) {
    double values[LAGS];
    for (int v = 0; v < NAME(VECTORS); v++) NAME(store_d)(values + v * DOUBLES, likeness[v]);
    take(d, row, hits, values);
}

/* Covariances (channels, LAGS) of window `row` with the windows of the lanes, from the values. */
TARGET static void NAME(begin)(const diagonals *d, double *covariance, size row) {
    const series *a = d->row, *b = d->lane;
    size j = row + d->lag;
    for (size c = 0; c < a->channels; c++, covariance += LAGS) {
        const double *x = a->values + c * a->steps + row, *y = b->values + c * b->steps + j;
        const double *means = b->mean + c * (b->n + LAGS) + j;
        double mean = a->mean[c * (a->n + LAGS) + row];
        vd sum[NAME(VECTORS)];
        EACH sum[v] = NAME(spread_d)(0);
        for (size t = 0; t < a->m; t++) {
            vd own = NAME(spread_d)(x[t] - mean);
            EACH {
                vd other = NAME(sub_d)(NAME(load_d)(y + t + v * DOUBLES), NAME(load_d)(means + v * DOUBLES));
                sum[v] = NAME(add_d)(sum[v], NAME(mul_d)(own, other));
            }
        }
        EACH NAME(store_d)(covariance + v * DOUBLES, sum[v]);
    }
}

/* Rows from..to - 1; the covariances are those of row `from` before and of row `to` after. */
TARGET static void NAME(follow_one)(const diagonals *d, double *covariance, size from, size to) {
    const series *a = d->row, *b = d->lane;
    vd sum[NAME(VECTORS)], likeness[NAME(VECTORS)];
    EACH sum[v] = NAME(load_d)(covariance + v * DOUBLES);
    for (size i = from; i < to; i++) {
        size j = i + d->lag;
        const double *half = b->half + j + 1, *gap = b->gap + j + 1, *inverse = b->inverse + j, *bonus = b->bonus + j;
        const double *worst = d->of_lane.worst + j;
        vd own_half = NAME(spread_d)(a->half[i + 1]), own_gap = NAME(spread_d)(a->gap[i + 1]);
        vd own_inverse = NAME(spread_d)(a->inverse[i]), own_bonus = NAME(spread_d)(a->bonus[i]);
        vd own_worst = NAME(spread_d)(d->of_row.worst[i]);
        uint64_t hits = 0;
        EACH {
            vd scale = NAME(mul_d)(own_inverse, NAME(load_d)(inverse + v * DOUBLES));
            vd more = NAME(add_d)(own_bonus, NAME(load_d)(bonus + v * DOUBLES));
            likeness[v] = NAME(add_d)(NAME(mul_d)(sum[v], scale), more);
            hits |= NAME(better)(likeness[v], worst, own_worst, v);
            sum[v] = NAME(add_d)(sum[v], NAME(mul_d)(own_half, NAME(load_d)(gap + v * DOUBLES)));
            sum[v] = NAME(add_d)(sum[v], NAME(mul_d)(own_gap, NAME(load_d)(half + v * DOUBLES)));
        }
        if (hits & d->lanes) NAME(offer)(d, i, hits & d->lanes, likeness);
    }
    EACH NAME(store_d)(covariance + v * DOUBLES, sum[v]);
}

/* The same for several channels, whose covariances stay in memory. */
TARGET static void NAME(follow_all)(const diagonals *d, double *covariance, size from, size to) {
    const series *a = d->row, *b = d->lane;
    vd likeness[NAME(VECTORS)];
    for (size i = from; i < to; i++) {
        size j = i + d->lag;
        vd own_bonus = NAME(spread_d)(a->bonus[i]), own_worst = NAME(spread_d)(d->of_row.worst[i]);
        uint64_t hits = 0;
        EACH likeness[v] = NAME(add_d)(own_bonus, NAME(load_d)(b->bonus + j + v * DOUBLES));
        for (size c = 0; c < a->channels; c++) {
            size own = c * (a->n + LAGS) + i, other = c * (b->n + LAGS) + j;
            vd own_half = NAME(spread_d)(a->half[own + 1]), own_gap = NAME(spread_d)(a->gap[own + 1]);
            vd own_inverse = NAME(spread_d)(a->inverse[own]);
            EACH {
                double *at = covariance + c * LAGS + v * DOUBLES;
                vd sum = NAME(load_d)(at), scale = NAME(load_d)(b->inverse + other + v * DOUBLES);
                scale = NAME(mul_d)(own_inverse, scale);
                likeness[v] = NAME(add_d)(likeness[v], NAME(mul_d)(sum, scale));
                sum = NAME(add_d)(sum, NAME(mul_d)(own_half, NAME(load_d)(b->gap + other + 1 + v * DOUBLES)));
                sum = NAME(add_d)(sum, NAME(mul_d)(own_gap, NAME(load_d)(b->half + other + 1 + v * DOUBLES)));
                NAME(store_d)(at, sum);
            }
        }
        EACH hits |= NAME(better)(likeness[v], d->of_lane.worst + j, own_worst, v);
        if (hits & d->lanes) NAME(offer)(d, i, hits & d->lanes, likeness);
    }
}

/* Minus the squared distances of step `step` to those of the lanes. */
TARGET static inline void NAME(apart)(const diagonals *d, size step, vd *out) {
    const series *a = d->row, *b = d->lane;
    EACH out[v] = NAME(spread_d)(0);
    for (size c = 0; c < a->channels; c++) {
        const double *y = b->values + c * b->steps + step + d->lag;
        vd x = NAME(spread_d)(a->values[c * a->steps + step]);
        EACH {
            vd gap = NAME(sub_d)(x, NAME(load_d)(y + v * DOUBLES));
            out[v] = NAME(sub_d)(out[v], NAME(mul_d)(gap, gap));
        }
    }
}

/* Fills sums (m, LAGS) with minus the squared distances of steps from..from + m - 1. */
TARGET static void NAME(pile)(const diagonals *d, double *sums, size from) {
    vd step[NAME(VECTORS)];
    for (size t = 0; t < d->row->m; t++) {
        NAME(apart)(d, from + t, step);
        EACH NAME(store_d)(sums + t * LAGS + v * DOUBLES, step[v]);
    }
}

/* Windows from..to - 1, at most m of them, which end m - 1 steps later: a window is the end of the m steps that `sums`
   holds and a start of the next m, and both are sums of one sign. Leaves the next m steps in `sums`. */
TARGET static void NAME(compare)(const diagonals *d, double *sums, size from, size to) {
    size m = d->row->m;
    vd sum[NAME(VECTORS)], step[NAME(VECTORS)], likeness[NAME(VECTORS)];
    EACH sum[v] = NAME(load_d)(sums + (m - 1) * LAGS + v * DOUBLES);
    for (size t = m - 1; t-- > 0;) {
        EACH {
            double *at = sums + t * LAGS + v * DOUBLES;
            NAME(store_d)(at, sum[v] = NAME(add_d)(NAME(load_d)(at), sum[v]));
        }
    }
    EACH sum[v] = NAME(spread_d)(0);
    for (size i = from; i < to; i++) {
        double *at = sums + (i - from) * LAGS;
        const double *worst = d->of_lane.worst + i + d->lag;
        vd own_worst = NAME(spread_d)(d->of_row.worst[i]);
        uint64_t hits = 0;
        EACH {
            likeness[v] = NAME(add_d)(NAME(load_d)(at + v * DOUBLES), sum[v]);
            hits |= NAME(better)(likeness[v], worst, own_worst, v);
        }
        if (hits & d->lanes) NAME(offer)(d, i, hits & d->lanes, likeness);
        NAME(apart)(d, i + m, step);
        EACH {
            NAME(store_d)(at + v * DOUBLES, step[v]);
            sum[v] = NAME(add_d)(sum[v], step[v]);
        }
    }
}
#undef EACH
