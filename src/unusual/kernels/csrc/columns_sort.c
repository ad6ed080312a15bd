/* Sorting float32 columns by their bits: three passes, 11 bits each, from the lowest. */
#include <stdlib.h>
#include <string.h>

#include "loops.h"

enum { DIGITS = 1 << 11, PASSES = 3 };

/* Unsigned keys in the order of the floats: negative ones turned round, the others lifted above them. */
static inline uint32_t key_of(uint32_t bits) { return bits ^ ((uint32_t)(-(int32_t)(bits >> 31)) | 0x80000000u); }
static inline uint32_t bits_of(uint32_t key) { return key ^ ((uint32_t)((int32_t)(key >> 31) - 1) | 0x80000000u); }

static void scatter(const uint32_t *from, uint32_t *to, size n, int shift, uint32_t *next) {
    for (size i = 0; i < n; i++) to[next[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
}

static void sort_one(float *column, uint32_t *a, uint32_t *b, size n) {
    uint32_t next[PASSES][DIGITS] = {{0}};
    memcpy(a, column, (size_t)n * sizeof(float));
    for (size i = 0; i < n; i++) {
        uint32_t key = a[i] = key_of(a[i]);
        next[0][key & (DIGITS - 1)]++, next[1][(key >> 11) & (DIGITS - 1)]++, next[2][key >> 22]++;
    }
    for (int p = 0; p < PASSES; p++)
        for (uint32_t digit = 0, sum = 0; digit < DIGITS; digit++) {
            uint32_t count = next[p][digit];
            next[p][digit] = sum, sum += count;
        }
    scatter(a, b, n, 0, next[0]);
    scatter(b, a, n, 11, next[1]);
    scatter(a, b, n, 22, next[2]);
    for (size i = 0; i < n; i++) a[i] = bits_of(b[i]);
    memcpy(column, a, (size_t)n * sizeof(float));
}

int columns_sort(float *columns, size d, size n) {
    uint32_t *space = malloc(2 * (size_t)n * sizeof(uint32_t) + 1);
    if (!space) return -1;
    for (size j = 0; j < d; j++) sort_one(columns + j * n, space, space + n, n);
    free(space);
    return 0;
}
