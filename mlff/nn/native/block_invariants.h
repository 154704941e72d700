// Invariants of features, mlff/nn/invariants.py, of values alone (D = 1) or with their rates (D = 2).
#pragma once

#include "block.h"

namespace {

// Calls single(row) for each l = 0 channel, and pair(row, a, b, components, 1 / components) for each other invariant; a, b: first rows.
template <class Single, class Pair> void for_each_invariant(const BlockLayout &layout, Single single, Pair pair) {
  const Shape &shape = layout.channels;
  int64_t row = 0;
  for (; row < shape.n[0]; ++row) single(row);
  for (int l = 1; l < shape.n_shells; ++l) {
    const int size = 2 * l + 1;
    const auto at = [&](int64_t channel) { return shape.at[l] + channel * size; };
    for (int64_t c = 0; c < shape.n[l]; ++c) pair(row++, at(c), at(c), size);
    for (int64_t a = 0; a < layout.n_gram(l); ++a)
      for (int64_t b = a + 1; b < layout.n_gram(l); ++b) pair(row++, at(a), at(b), size);
  }
}

// B -> out[d], rows of n_sites numbers
template <class T, int D> void invariants(const BlockLayout &layout, const Tile &tile, const Vec<T> *B, T *const *out) {
  const int n = tile.n_vectors, width = D * n;
  const auto write = [&](int d, int64_t row, int v, Vec<T> value) {
    store<T>(out[d] + row * layout.p.n_sites + tile.site + v * WIDTH<T>, value, lanes<T>(tile, v));
  };
  for_each_invariant(
      layout,
      [&](int64_t row) {
        for (int d = 0; d < D; ++d)
          for (int v = 0; v < n; ++v) write(d, row, v, B[row * width + d * n + v]);
      },
      [&](int64_t row, int64_t a, int64_t b, int size) {
        const T share = T(1) / size;
        for (int v = 0; v < n; ++v) {
          const Vec<T> *first = B + a * width + v, *second = B + b * width + v;
          Vec<T> sum{}, rate{};
          for (int m = 0; m < size; ++m, first += width, second += width) {
            sum += first[0] * second[0];
            if constexpr (D == 2) rate += first[0] * second[n] + first[n] * second[0];
          }
          write(0, row, v, share * sum);
          if constexpr (D == 2) write(1, row, v, share * rate);
        }
      });
}

// of_B += what the gradients into[d] of the rows say
template <class T, int D>
void invariants_backward(const BlockLayout &layout, const Tile &tile, const Vec<T> *B, const T *const *into, Vec<T> *of_B) {
  const int n = tile.n_vectors, width = D * n;
  const auto read = [&](int d, int64_t row, int v) {
    return load<T>(into[d] + row * layout.p.n_sites + tile.site + v * WIDTH<T>, lanes<T>(tile, v));
  };
  for_each_invariant(
      layout,
      [&](int64_t row) {
        for (int d = 0; d < D; ++d)
          for (int v = 0; v < n; ++v) of_B[row * width + d * n + v] += read(d, row, v);
      },
      [&](int64_t row, int64_t a, int64_t b, int size) {
        const T share = T(1) / size;
        for (int v = 0; v < n; ++v) {
          const Vec<T> of_value = share * read(0, row, v), of_rate = D == 2 ? share * read(D - 1, row, v) : Vec<T>{};
          for (int m = 0; m < size; ++m) {
            const int64_t i = (a + m) * width + v, j = (b + m) * width + v;
            Vec<T> of_i = of_value * B[j], of_j = of_value * B[i];
            if constexpr (D == 2) {
              of_i += of_rate * B[j + n], of_j += of_rate * B[i + n];
              of_B[i + n] += of_rate * B[j];
              of_B[j + n] += of_rate * B[i];
            }
            of_B[i] += of_i;
            of_B[j] += of_j;
          }
        }
      });
}

}  // namespace
