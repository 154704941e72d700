// The derivative of sum_lkm G_lkm b_k Y_m along one edge with respect to its vector.
#pragma once

#include "basis.h"

// p_m = sum_k b_k G_km and q_m = sum_k db_k G_km of one l.
template <class T, int L> inline void contract(int n_radial, const Vec<T> *b, const Vec<T> *db, const Vec<T> *G, Vec<T> *p, Vec<T> *q) {
  constexpr int M = 2 * L + 1;
  Vec<T> of_b[M] = {}, of_db[M] = {};
  for (int k = 0; k < n_radial; ++k, G += M)
    for (int m = 0; m < M; ++m) of_b[m] += b[k] * G[m], of_db[m] += db[k] * G[m];
  for (int m = 0; m < M; ++m) p[m] = of_b[m], q[m] = of_db[m];
}

// f: (3). With R_l homogeneous of degree l, d(b Y)/dr = b' Y u + (b / r) (grad R(u) - l Y u) in the direction u.
template <class T> inline void pull_edge(const Basis<T> &basis, int j, const Vec<T> *G, Vec<T> *f) {
  const Edges &e = basis.e;
  const Layout &layout = basis.layout;
  const Vec<T> *b = &basis.b[j * layout.n_rows], *db = &basis.db[j * layout.n_rows], *Y = &basis.Y[j * HARMONICS], *u = &basis.direction[j * 4];
  const int *row = layout.row_of_l, *at = layout.feature_of_l, *K = e.n_radial;
  Vec<T> p[HARMONICS], q[HARMONICS], g[3], along{}, turning{};
  contract<T, 0>(K[0], b + row[0], db + row[0], G, p, q);
  const int l_max = basis.shells[j] - 1;
  if (l_max > 0) contract<T, 1>(K[1], b + row[1], db + row[1], G + at[1], p + 1, q + 1);
  if (l_max > 1) contract<T, 2>(K[2], b + row[2], db + row[2], G + at[2], p + 4, q + 4);
  if (l_max > 2) contract<T, 3>(K[3], b + row[3], db + row[3], G + at[3], p + 9, q + 9);
  for (int l = 0; l <= l_max; ++l)
    for (int i = l * l; i < (l + 1) * (l + 1); ++i) along += q[i] * Y[i], turning += static_cast<T>(l) * p[i] * Y[i];
  harmonics_gradient<T>(l_max, u[0], u[1], u[2], p, g);
  along -= u[3] * turning;
  for (int a = 0; a < 3; ++a) f[a] = along * u[a] + u[3] * g[a];
}
