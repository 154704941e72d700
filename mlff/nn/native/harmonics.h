// Real solid harmonics R_lm of mlff/nn/harmonics.py for l <= 3, and their gradients contracted with what stands beside them.
#pragma once

#include "interface.h"
#include "lanes.h"

constexpr int HARMONICS = (L_MAX + 1) * (L_MAX + 1);

// Y: R_lm(x, y, z) of all l <= l_max, l slowest.
template <class T> inline void harmonics(int l_max, Vec<T> x, Vec<T> y, Vec<T> z, Vec<T> *Y) {
  Y[0] = all<T>(1);
  if (l_max < 1) return;
  Y[1] = y, Y[2] = z, Y[3] = x;
  if (l_max < 2) return;
  const T s3 = std::sqrt(T(3)), half = 0.5;
  const Vec<T> x2 = x * x, y2 = y * y, z2 = z * z;
  Y[4] = s3 * x * y, Y[5] = s3 * y * z, Y[6] = z2 - half * (x2 + y2), Y[7] = s3 * x * z, Y[8] = half * s3 * (x2 - y2);
  if (l_max < 3) return;
  const T a = std::sqrt(T(5) / 8), b = std::sqrt(T(15)), c = std::sqrt(T(3) / 8);
  const Vec<T> planar = T(4) * z2 - x2 - y2;
  Y[9] = a * y * (T(3) * x2 - y2), Y[10] = b * x * y * z, Y[11] = c * y * planar, Y[12] = z * (z2 - T(1.5) * (x2 + y2));
  Y[13] = c * x * planar, Y[14] = half * b * z * (x2 - y2), Y[15] = a * x * (x2 - T(3) * y2);
}

// g = sum_lm p_lm grad R_lm.
template <class T> inline void harmonics_gradient(int l_max, Vec<T> x, Vec<T> y, Vec<T> z, const Vec<T> *p, Vec<T> *g) {
  g[0] = g[1] = g[2] = Vec<T>{};
  if (l_max < 1) return;
  g[0] = p[3], g[1] = p[1], g[2] = p[2];
  if (l_max < 2) return;
  const T s3 = std::sqrt(T(3));
  g[0] += s3 * (p[4] * y + p[7] * z + p[8] * x) - p[6] * x;
  g[1] += s3 * (p[4] * x + p[5] * z - p[8] * y) - p[6] * y;
  g[2] += s3 * (p[5] * y + p[7] * x) + T(2) * p[6] * z;
  if (l_max < 3) return;
  const T a = std::sqrt(T(5) / 8), b = std::sqrt(T(15)), c = std::sqrt(T(3) / 8);
  const Vec<T> x2 = x * x, y2 = y * y, z2 = z * z, xy = x * y, xz = x * z, yz = y * z, square = x2 - y2;
  const Vec<T> planar = T(4) * z2 - x2 - y2;
  g[0] += T(3) * a * (T(2) * p[9] * xy + p[15] * square) + b * (p[10] * yz + p[14] * xz) + c * (p[13] * (planar - T(2) * x2) - T(2) * p[11] * xy) -
          T(3) * p[12] * xz;
  g[1] += T(3) * a * (p[9] * square - T(2) * p[15] * xy) + b * (p[10] * xz - p[14] * yz) + c * (p[11] * (planar - T(2) * y2) - T(2) * p[13] * xy) -
          T(3) * p[12] * yz;
  g[2] += b * (p[10] * xy + T(0.5) * p[14] * square) + T(8) * c * (p[11] * yz + p[13] * xz) + T(3) * p[12] * (z2 - T(0.5) * (x2 + y2));
}

// dY: v . grad R_lm of all l <= l_max.
template <class T> inline void harmonics_rate(int l_max, Vec<T> x, Vec<T> y, Vec<T> z, const Vec<T> *v, Vec<T> *dY) {
  dY[0] = Vec<T>{};
  if (l_max < 1) return;
  const Vec<T> u = v[0], w = v[1], t = v[2];
  dY[1] = w, dY[2] = t, dY[3] = u;
  if (l_max < 2) return;
  const T s3 = std::sqrt(T(3)), two = 2;
  const Vec<T> xx = x * u, yy = y * w, zz = z * t, xy = x * w + y * u, yz = y * t + z * w, xz = x * t + z * u;
  dY[4] = s3 * xy, dY[5] = s3 * yz, dY[6] = two * zz - xx - yy, dY[7] = s3 * xz, dY[8] = s3 * (xx - yy);
  if (l_max < 3) return;
  const T a = std::sqrt(T(5) / 8), b = std::sqrt(T(15)), c = std::sqrt(T(3) / 8);
  const Vec<T> x2 = x * x, y2 = y * y, z2 = z * z;
  const Vec<T> planar = T(4) * z2 - x2 - y2, planar_rate = two * (T(4) * zz - xx - yy);
  dY[9] = a * (w * (T(3) * x2 - y2) + y * (T(6) * xx - two * yy));
  dY[10] = b * (xy * z + x * y * t);
  dY[11] = c * (w * planar + y * planar_rate);
  dY[12] = t * (z2 - T(1.5) * (x2 + y2)) + z * (two * zz - T(3) * (xx + yy));
  dY[13] = c * (u * planar + x * planar_rate);
  dY[14] = b * (T(0.5) * t * (x2 - y2) + z * (xx - yy));
  dY[15] = a * (u * (x2 - T(3) * y2) + x * (two * xx - T(6) * yy));
}
