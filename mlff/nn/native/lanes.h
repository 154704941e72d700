// Vectors of adjacent sites, as wide as the machine's registers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
constexpr int LANE_BYTES = 64, REGISTERS = 32;
#elif defined(__AVX__)
constexpr int LANE_BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int LANE_BYTES = 16, REGISTERS = 32;
#else
constexpr int LANE_BYTES = 16, REGISTERS = 16;
#endif

template <class T> struct Lanes {
  typedef T type __attribute__((vector_size(LANE_BYTES)));
};
template <class T> using Vec = typename Lanes<T>::type;
template <class T> constexpr int WIDTH = LANE_BYTES / sizeof(T);
template <class T> using Scratch = std::vector<Vec<T>>;

template <class T> inline Vec<T> all(T value) { return Vec<T>{} + value; }

// n < WIDTH at the end of a row only; the missing lanes are `fill`.
template <class T> inline Vec<T> load(const T *from, int n, T fill = 0) {
  Vec<T> v;
  if (n == WIDTH<T>) {
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  v = all<T>(fill);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_mask_loadu_ps(v, (1u << n) - 1, from);
  if constexpr (sizeof(T) == 8) return _mm512_mask_loadu_pd(v, (1u << n) - 1, from);
#endif
  for (int i = 0; i < n; ++i) v[i] = from[i];
  return v;
}

// The same of numbers of another type, rounded to T.
template <class T, class Given> inline Vec<T> load_as(const Given *from, int n, T fill = 0) {
  if constexpr (std::is_same_v<T, Given>) {
    return load(from, n, fill);
  } else {
    constexpr int HALF = WIDTH<Given>;
    static_assert(WIDTH<T> == 2 * HALF);
    typedef T Half __attribute__((vector_size(LANE_BYTES / 2)));
    Half parts[2];
    for (int i = 0; i < 2; ++i)
      parts[i] = __builtin_convertvector(load<Given>(from + i * HALF, std::clamp(n - i * HALF, 0, HALF), Given(fill)), Half);
    Vec<T> v;
    std::memcpy(&v, parts, sizeof v);
    return v;
  }
}

template <class T> inline void store(T *to, Vec<T> v, int n) {
  if (n == WIDTH<T>) {
    std::memcpy(to, &v, sizeof v);
    return;
  }
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_ps(to, (1u << n) - 1, v);
  if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_pd(to, (1u << n) - 1, v);
#endif
  for (int i = 0; i < n; ++i) to[i] = v[i];
}

// Keeps a vector that is used again in its register, where a compiler would rather read it from memory each time.
template <class V> inline void keep(V &v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
}

template <class T> inline Vec<T> root(Vec<T> v) {
  alignas(LANE_BYTES) T x[WIDTH<T>];
  std::memcpy(x, &v, sizeof v);
  for (int i = 0; i < WIDTH<T>; ++i) x[i] = std::sqrt(x[i]);
  std::memcpy(&v, x, sizeof v);
  return v;
}

// Whether any lane is below the bound; NaN counts, so that it is never skipped.
template <class T> inline bool any_below(Vec<T> v, T bound) {
  const auto beyond = v >= bound;
  uint64_t parts[LANE_BYTES / 8], together = ~uint64_t{0};
  std::memcpy(parts, &beyond, sizeof parts);
  for (uint64_t part : parts) together &= part;
  return together != ~uint64_t{0};
}

// Calls work(thread's own scratch, first site, lanes in use) for each vector of sites.
template <class T, class Make, class Work> void for_each_tile(int64_t n_sites, int n_threads, Make make, Work work) {
  const int64_t n_tiles = (n_sites + WIDTH<T> - 1) / WIDTH<T>;
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)
  {
    auto own = make();
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < n_tiles; ++tile) {
      const int64_t site = tile * WIDTH<T>, left = n_sites - site;
      work(own, site, left < WIDTH<T> ? static_cast<int>(left) : WIDTH<T>);
    }
  }
}
