/* Sum over sets of the value of the smallest ball that covers a row. The centres of all sets stand side by side in
   tiles of 16; a row is measured against a whole tile at once. Differences are squared and added column by column,
   never fused, so that a centre lies on the ball of its nearest neighbour to the last bit. */
#include <stdlib.h>

#include "loops.h"
#if HAS_AVX
#include <immintrin.h>
#endif

enum { TILE = 16, ROWS = 4 };

typedef struct {
    float *tile, *radius2; /* (tiles, d, TILE), (tiles, TILE) */
    double *value; /* (sets, places + 1): one for each ball, by radius, then 1 for no ball */
    size tiles, sets, d, places; /* places: lanes that a set takes, a power of two or a multiple of TILE */
} cover;

#define LEVEL 0
#include "lanes.h"
#include "balls_of.h"
#undef LEVEL
#if HAS_AVX
#define LEVEL 1
#include "lanes.h"
#include "balls_of.h"
#undef LEVEL
#define LEVEL 2
#include "lanes.h"
#include "balls_of.h"
#undef LEVEL
#endif

/* order: (sets, psi), the balls of each set by radius. */
static int open_cover(cover *c, const float *centres, const float *radius2, const double *value, const int64_t *order,
                      size psi) {
    c->places = 1;
    while (c->places < psi && c->places < TILE) c->places *= 2;
    if (psi > TILE) c->places = (psi + TILE - 1) / TILE * TILE;
    c->tiles = (c->sets * c->places + TILE - 1) / TILE;
    c->tile = calloc((size_t)(c->tiles * c->d * TILE + 1), sizeof(float));
    c->radius2 = malloc((size_t)(c->tiles * TILE) * sizeof(float));
    c->value = malloc((size_t)(c->sets * (c->places + 1)) * sizeof(double));
    if (!c->tile || !c->radius2 || !c->value) return -1;
    for (size i = 0; i < c->tiles * TILE; i++) c->radius2[i] = -1.0f; /* an empty place covers nothing */
    for (size s = 0; s < c->sets; s++) {
        for (size p = 0; p < psi; p++) {
            size lane = s * c->places + p, ball = s * psi + (size)order[s * psi + p];
            for (size j = 0; j < c->d; j++)
                c->tile[(lane / TILE * c->d + j) * TILE + lane % TILE] = centres[ball * c->d + j];
            c->radius2[lane] = radius2[ball];
            c->value[s * (c->places + 1) + p] = value[ball];
        }
        for (size p = psi; p <= c->places; p++) c->value[s * (c->places + 1) + p] = 1.0;
    }
    return 0;
}

/* First covering ball of the set whose answers begin at bit `from`, or `places`. */
static inline size first_cover(const uint16_t *bits, size from, size places) {
    for (size p = 0; p < places; p++)
        if (bits[(from + p) / TILE] >> ((from + p) % TILE) & 1) return p;
    return places;
}

#if defined(__GNUC__) || defined(__clang__)
static inline size lowest_bit(unsigned bits) { return __builtin_ctz(bits); }
#else
static inline size lowest_bit(unsigned bits) {
    size at = 0;
    while (!(bits >> at & 1)) at++;
    return at;
}
#endif

static double add_sets(const cover *c, const uint16_t *bits) {
    double sum = 0;
    for (size s = 0; s < c->sets; s++) {
        size from = s * c->places, first;
        if (c->places <= TILE) {
            unsigned none = 1u << c->places, own = bits[from / TILE] >> (from % TILE);
            first = lowest_bit((own & (none - 1)) | none);
        } else
            first = first_cover(bits, from, c->places);
        sum += c->value[s * (c->places + 1) + first];
    }
    return sum;
}

int balls_sum(const float *X, size n, size d, const float *centres, const float *radius2, const double *value,
              const int64_t *order, size sets, size psi, double *out, int level) {
    cover c = {.sets = sets, .d = d};
    int status = open_cover(&c, centres, radius2, value, order, psi);
    uint16_t *bits = status ? NULL : malloc((size_t)(ROWS * c.tiles) * sizeof(uint16_t));
    if (!bits) status = -1;
    for (size i = 0; status == 0 && i < n; i += ROWS) {
        const float *row[ROWS];
        for (size r = 0; r < ROWS; r++) row[r] = X + (i + r < n ? i + r : n - 1) * d;
#if HAS_AVX
        if (level == AVX512) cover_rows_avx512(&c, row, bits);
        else if (level == AVX2) cover_rows_avx2(&c, row, bits);
        else
#endif
            cover_rows_plain(&c, row, bits);
        for (size r = 0; r < ROWS && i + r < n; r++) out[i + r] = add_sets(&c, bits + r * c.tiles);
    }
    (void)level;
    free(c.tile), free(c.radius2), free(c.value), free(bits);
    return status;
}
