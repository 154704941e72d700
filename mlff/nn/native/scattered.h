// Numbers that one thread adds to sites anywhere, n of each site side by side, until they are merged; between tiles all are 0 again.
#pragma once

#include "lanes.h"

template <class T> class Scattered {
public:
  // sums: (n_threads, n_sites, n); touched: (n_threads, n_sites / BLOCK rounded up), both 0
  Scattered(void *sums, uint8_t *touched, int thread, int64_t n_sites, int64_t n)
      : n_sites(n_sites), n(n), sums(static_cast<T *>(sums) + thread * n_sites * n), touched(touched + thread * n_blocks()) {}

  void touch(const int64_t *sites, int lanes) {
    for (int i = 0; i < lanes; ++i) touched[sites[i] / BLOCK] = 1;
  }

  // Adds `count` vectors, `stride` apart, each lane to the numbers of its site that begin `at` there.
  template <class Count> void add(const int64_t *sites, int lanes, int64_t at, Count count, const Vec<T> *f, int64_t stride, T sign = 1) {
    T x[MOST][WIDTH<T>];
    for (int c = 0; c < count; ++c) {
      const Vec<T> signed_f = sign * f[c * stride];
      std::memcpy(x[c], &signed_f, sizeof signed_f);
    }
    for (int i = 0; i < lanes; ++i) {
      T *to = sums + sites[i] * n + at;
      for (int c = 0; c < count; ++c) to[c] += x[c][i];
    }
  }

  // total (n_sites, n) += the sums, which become 0
  template <class Total> void merge(Total *total) {
    for (int64_t block = 0; block < n_blocks(); ++block) {
      if (!touched[block]) continue;
      touched[block] = 0;
      for (int64_t i = block * BLOCK * n, end = std::min((block + 1) * BLOCK, n_sites) * n; i < end; ++i) total[i] += sums[i], sums[i] = 0;
    }
  }

  static constexpr int MOST = 32;

private:
  static constexpr int64_t BLOCK = 32;
  const int64_t n_sites, n;
  T *const sums;
  uint8_t *const touched;

  int64_t n_blocks() const { return (n_sites + BLOCK - 1) / BLOCK; }
};
