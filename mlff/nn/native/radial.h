// Radial functions of mlff/nn/radial.py: e(u) T_k(1 - 2u), u = r / r_cut, and their derivatives.
#pragma once

#include "lanes.h"

// b: n functions; db: where not null, their derivatives with respect to r. Both exactly 0 beyond the cutoff.
template <class T> inline void radial(Vec<T> r, T r_cut, int n, Vec<T> *b, Vec<T> *db) {
  const T inverse = 1 / r_cut;
  const Vec<T> u = r * inverse, inside = T(1) - u;
  const Vec<T> t = inside < T(0) ? Vec<T>{} : inside;  // in this order NaN stays NaN
  const Vec<T> t2 = t * t, x0 = T(1) - T(2) * u;
  const Vec<T> x = x0 < T(-1) ? all<T>(-1) : x0;  // as in Python: keeps high T_k from overflowing
  b[0] = t2 * t2 * (T(1) + u * (T(4) + u * (T(10) + u * (T(20) + T(35) * u))));
  if (n > 1) b[1] = b[0] * x;
  for (int k = 2; k < n; ++k) b[k] = T(2) * x * b[k - 1] - b[k - 2];
  if (!db) return;
  const Vec<T> u2 = u * u;
  const T slope = -2 * inverse;  // of x
  db[0] = T(-280) * inverse * u2 * u2 * t2 * t;
  if (n > 1) db[1] = db[0] * x + slope * b[0];
  for (int k = 2; k < n; ++k) db[k] = T(2) * (slope * b[k - 1] + x * db[k - 1]) - db[k - 2];
}
