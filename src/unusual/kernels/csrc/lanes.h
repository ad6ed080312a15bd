/* A vector of floats for one level. Included after LEVEL is set, once for each level; defines LANES, vf, NAME, TARGET,
   FUSED (a b + c) and load, spread (one value in all lanes), sub, add, mul, at_most (bit l: a <= b in lane l) and
   not_above (bit l: not a > b, so NaN counts). */
#undef NAME
#undef TARGET
#undef LANES
#undef vf
#undef FUSED
#if LEVEL == 2
#define NAME(x) x##_avx512
#define TARGET TARGET_AVX512
#define LANES 16
#define vf __m512
#define FUSED(a, b, c) _mm512_fmadd_ps(a, b, c)
#elif LEVEL == 1
#define NAME(x) x##_avx2
#define TARGET TARGET_AVX2
#define LANES 8
#define vf __m256
#define FUSED(a, b, c) _mm256_fmadd_ps(a, b, c)
#elif HAS_AVX
#define NAME(x) x##_plain
#define TARGET
#define LANES 4
#define vf __m128
#define FUSED(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#else
#define NAME(x) x##_plain
#define TARGET
#define LANES 1
#define vf float
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif

#if LEVEL == 2
TARGET static inline vf NAME(load)(const float *at) { return _mm512_loadu_ps(at); }
TARGET static inline vf NAME(spread)(float x) { return _mm512_set1_ps(x); }
TARGET static inline vf NAME(sub)(vf a, vf b) { return _mm512_sub_ps(a, b); }
TARGET static inline vf NAME(add)(vf a, vf b) { return _mm512_add_ps(a, b); }
TARGET static inline vf NAME(mul)(vf a, vf b) { return _mm512_mul_ps(a, b); }
TARGET static inline unsigned NAME(at_most)(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
TARGET static inline unsigned NAME(not_above)(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NGT_UQ); }
#elif LEVEL == 1
TARGET static inline vf NAME(load)(const float *at) { return _mm256_loadu_ps(at); }
TARGET static inline vf NAME(spread)(float x) { return _mm256_set1_ps(x); }
TARGET static inline vf NAME(sub)(vf a, vf b) { return _mm256_sub_ps(a, b); }
TARGET static inline vf NAME(add)(vf a, vf b) { return _mm256_add_ps(a, b); }
TARGET static inline vf NAME(mul)(vf a, vf b) { return _mm256_mul_ps(a, b); }
TARGET static inline unsigned NAME(at_most)(vf a, vf b) {
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OQ));
}
TARGET static inline unsigned NAME(not_above)(vf a, vf b) {
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NGT_UQ));
}
#elif HAS_AVX
static inline vf NAME(load)(const float *at) { return _mm_loadu_ps(at); }
static inline vf NAME(spread)(float x) { return _mm_set1_ps(x); }
static inline vf NAME(sub)(vf a, vf b) { return _mm_sub_ps(a, b); }
static inline vf NAME(add)(vf a, vf b) { return _mm_add_ps(a, b); }
static inline vf NAME(mul)(vf a, vf b) { return _mm_mul_ps(a, b); }
static inline unsigned NAME(at_most)(vf a, vf b) { return (unsigned)_mm_movemask_ps(_mm_cmple_ps(a, b)); }
static inline unsigned NAME(not_above)(vf a, vf b) { return (unsigned)_mm_movemask_ps(_mm_cmpngt_ps(a, b)); }
#else
static inline vf NAME(load)(const float *at) { return *at; }
static inline vf NAME(spread)(float x) { return x; }
static inline vf NAME(sub)(vf a, vf b) { return a - b; }
static inline vf NAME(add)(vf a, vf b) { return a + b; }
static inline vf NAME(mul)(vf a, vf b) { return a * b; }
static inline unsigned NAME(at_most)(vf a, vf b) { return a <= b; }
static inline unsigned NAME(not_above)(vf a, vf b) { return !(a > b); }
#endif
