// Sums over slots of radial functions times harmonics, all of one l at a time, kept in registers.
#pragma once

#include "basis.h"

// sum[k, m] += sum_j b[j, k] Y[j, m] for K radial functions.
template <class T, int L, int K> inline void sum_block(int n, const Vec<T> *b, int b_row, const Vec<T> *Y, Vec<T> *sum) {
  constexpr int M = 2 * L + 1;
  Vec<T> total[K][M];
  for (int k = 0; k < K; ++k)
    for (int m = 0; m < M; ++m) total[k][m] = sum[k * M + m];
  for (int j = 0; j < n; ++j, b += b_row, Y += HARMONICS)
    for (int k = 0; k < K; ++k)
      for (int m = 0; m < M; ++m) total[k][m] += b[k] * Y[m];
  for (int k = 0; k < K; ++k)
    for (int m = 0; m < M; ++m) sum[k * M + m] = total[k][m];
}

template <class T, int L, int K = REGISTERS * 3 / 4 / (2 * L + 1) < 8 ? REGISTERS * 3 / 4 / (2 * L + 1) : 8>
inline void sum_l(int n_radial, int n, const Vec<T> *b, int b_row, const Vec<T> *Y, Vec<T> *sum) {
  for (; n_radial >= K; n_radial -= K, b += K, sum += K * (2 * L + 1)) sum_block<T, L, K>(n, b, b_row, Y, sum);
  if constexpr (K > 1)
    if (n_radial > 0) sum_l<T, L, K - 1>(n_radial, n, b, b_row, Y, sum);
}

// sum (n_features) += sum_j b_k Y_m over slots j = 0 ... n[l] - 1; b (slot, n_rows), Y (slot, HARMONICS).
template <class T> inline void sum_slots(const Edges &e, const Layout &layout, const int *n, const Vec<T> *b, const Vec<T> *Y, Vec<T> *sum) {
  const int *row = layout.row_of_l, *at = layout.feature_of_l, *K = e.n_radial, stride = layout.n_rows;
  sum_l<T, 0>(K[0], n[0], b + row[0], stride, Y, sum);
  if (e.l_max > 0) sum_l<T, 1>(K[1], n[1], b + row[1], stride, Y + 1, sum + at[1]);
  if (e.l_max > 1) sum_l<T, 2>(K[2], n[2], b + row[2], stride, Y + 4, sum + at[2]);
  if (e.l_max > 2) sum_l<T, 3>(K[3], n[3], b + row[3], stride, Y + 9, sum + at[3]);
}
