/* Sorting float32 columns by their bits: four passes, 8 bits each, from the lowest: 256 places to
   write to stay in the nearest cache. */
#include <stdlib.h>
#include <string.h>

#include "loops.h"

enum { DIGITS = 1 << 8, PASSES = 4, TURNED = 5, STRIP = 1 << 12 };

/* Unsigned keys in the order of the floats: negative ones turned round, the others lifted above them. */
static inline uint32_t key_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint32_t)(-(int32_t)(bits >> 31)) | 0x80000000u);
}

static inline float value_of(uint32_t key) {
    uint32_t bits = key ^ ((uint32_t)((int32_t)(key >> 31) - 1) | 0x80000000u);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Where each digit of each pass begins. */
static void count_digits(const float *column, size n, uint32_t next[PASSES][DIGITS]) {
    uint32_t other[DIGITS] = {0}; /* the highest digits repeat: one would wait for the last one's count */
    for (size i = 0; i < n; i++) {
        uint32_t key = key_of(column[i]), *highest = i & 1 ? other : next[3];
        next[0][key & 255]++, next[1][(key >> 8) & 255]++, next[2][(key >> 16) & 255]++, highest[key >> 24]++;
    }
    for (uint32_t digit = 0; digit < DIGITS; digit++) next[3][digit] += other[digit];
    for (int p = 0; p < PASSES; p++)
        for (uint32_t digit = 0, sum = 0; digit < DIGITS; digit++) {
            uint32_t count = next[p][digit];
            next[p][digit] = sum, sum += count;
        }
}

static void scatter(const uint32_t *from, uint32_t *to, size n, int shift, uint32_t *next) {
    for (size i = 0; i < n; i++) to[next[(from[i] >> shift) & 255]++] = from[i];
}

static void sort_one(float *column, uint32_t *a, uint32_t *b, size n) {
    uint32_t next[PASSES][DIGITS] = {{0}};
    count_digits(column, n, next);
    for (size i = 0; i < n; i++) {
        uint32_t key = key_of(column[i]);
        a[next[0][key & 255]++] = key;
    }
    scatter(a, b, n, 8, next[1]);
    scatter(b, a, n, 16, next[2]);
    for (size i = 0; i < n; i++) column[next[3][a[i] >> 24]++] = value_of(a[i]);
}

/* A few columns at a time, so that X is read once for them and not once for each; in strips that stay in cache. */
static void turn(const float *X, size n, size d, size columns, float *turned) {
    for (size start = 0; start < n; start += STRIP)
        for (size j = 0; j < columns; j++)
            for (size i = start; i < (n < start + STRIP ? n : start + STRIP); i++) turned[j * n + i] = X[i * d + j];
}

int columns_sort(const float *X, size n, size d, size first, size count, float *columns) {
    uint32_t *space = malloc(2 * (size_t)n * sizeof(uint32_t) + 1);
    if (!space) return -1;
    for (size j = 0; j < count; j++) {
        if (j % TURNED == 0) turn(X + first + j, n, d, count - j < TURNED ? count - j : TURNED, columns + j * n);
        sort_one(columns + j * n, space, space + n, n);
    }
    free(space);
    return 0;
}
