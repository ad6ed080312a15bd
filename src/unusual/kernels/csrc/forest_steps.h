/* The inner loop of forest_nodes.c: for each step, out = value above cut ? right : left, for ROWS rows at once.
   An operand is a leaf number, the same for all rows, or a slot that an earlier step has filled. */
#ifndef UNUSUAL_FOREST_STEPS_H
#define UNUSUAL_FOREST_STEPS_H
#include <stdlib.h>

#include "loops.h"
#if HAS_AVX
#include <immintrin.h>
#endif

enum { ROWS = 128, WIDEST = 32, SLOTS = 18 };

typedef struct { int32_t number, is_slot; } operand;
typedef struct { operand left, right, out; int32_t column; int16_t cut; } step;
typedef struct { /* followed in memory by one vector for each leaf number */
    _Alignas(64) int16_t slot[SLOTS][ROWS];
    int16_t leaf[][WIDEST];
} workspace;

static inline void *aligned_block(size_t bytes) {
    char *raw = malloc(bytes + 64 + sizeof(void *));
    if (!raw) return NULL;
    char *at = (char *)(((uintptr_t)raw + sizeof(void *) + 63) & ~(uintptr_t)63);
    ((void **)at)[-1] = raw;
    return at;
}

static inline void aligned_free(void *at) {
    if (at) free(((void **)at)[-1]);
}

static workspace *open_workspace(size leaves, int level) {
    (void)level;
    workspace *w = aligned_block(sizeof(workspace) + (size_t)leaves * sizeof w->leaf[0]);
    for (size i = 0; w && i < leaves; i++)
        for (size l = 0; l < WIDEST; l++) w->leaf[i][l] = (int16_t)i;
    return w;
}

static inline const int16_t *at(const workspace *w, operand o) {
    return o.is_slot ? w->slot[o.number] : w->leaf[o.number];
}

#if HAS_AVX
TARGET_AVX512 static void steps_avx512(const step *s, const step *end, const int16_t *ranks, workspace *w) {
    for (; s < end; s++) {
        const int16_t *x = ranks + (size)s->column * ROWS, *left = at(w, s->left), *right = at(w, s->right);
        size l = s->left.is_slot ? 32 : 0, r = s->right.is_slot ? 32 : 0;
        int16_t *out = w->slot[s->out.number];
        __m512i cut = _mm512_set1_epi16(s->cut);
        for (size v = 0; v < ROWS / 32; v++) {
            __mmask32 above = _mm512_cmpgt_epi16_mask(_mm512_load_si512(x + 32 * v), cut);
            __m512i a = _mm512_load_si512(left + l * v), b = _mm512_load_si512(right + r * v);
            _mm512_store_si512(out + 32 * v, _mm512_mask_mov_epi16(a, above, b));
        }
    }
}

TARGET_AVX2 static void steps_avx2(const step *s, const step *end, const int16_t *ranks, workspace *w) {
    for (; s < end; s++) {
        const int16_t *x = ranks + (size)s->column * ROWS, *left = at(w, s->left), *right = at(w, s->right);
        size l = s->left.is_slot ? 16 : 0, r = s->right.is_slot ? 16 : 0;
        int16_t *out = w->slot[s->out.number];
        __m256i cut = _mm256_set1_epi16(s->cut);
        for (size v = 0; v < ROWS / 16; v++) {
            __m256i above = _mm256_cmpgt_epi16(_mm256_load_si256((const __m256i *)(x + 16 * v)), cut);
            __m256i a = _mm256_load_si256((const __m256i *)(left + l * v));
            __m256i b = _mm256_load_si256((const __m256i *)(right + r * v));
            _mm256_store_si256((__m256i *)(out + 16 * v), _mm256_blendv_epi8(a, b, above));
        }
    }
}
#endif

#if defined(__GNUC__) || defined(__clang__)
typedef int16_t eight __attribute__((vector_size(16), may_alias));
enum { PLAIN_LANES = 8 };
static inline eight choose(eight x, eight cut, eight a, eight b) {
    eight above = x > cut;
    return (a & ~above) | (b & above);
}
#else
typedef int16_t eight;
enum { PLAIN_LANES = 1 };
static inline eight choose(eight x, eight cut, eight a, eight b) { return x > cut ? b : a; }
#endif

static void steps_plain(const step *s, const step *end, const int16_t *ranks, workspace *w) {
    for (; s < end; s++) {
        const eight *x = (const eight *)(ranks + (size)s->column * ROWS);
        const eight *left = (const eight *)at(w, s->left), *right = (const eight *)at(w, s->right);
        size l = s->left.is_slot, r = s->right.is_slot;
        eight *out = (eight *)w->slot[s->out.number], cut = (eight){0} + s->cut;
        for (size v = 0; v < ROWS / PLAIN_LANES; v++) out[v] = choose(x[v], cut, left[l * v], right[r * v]);
    }
}

/* Leaf number of each of the ROWS rows; the last step fills slot 0. */
static inline const int16_t *run_steps(const step *s, const step *end, const int16_t *ranks, workspace *w, int level) {
#if HAS_AVX
    if (level == AVX512) steps_avx512(s, end, ranks, w);
    else if (level == AVX2) steps_avx2(s, end, ranks, w);
    else
#endif
        steps_plain(s, end, ranks, w);
    (void)level;
    return w->slot[0];
}
#endif
