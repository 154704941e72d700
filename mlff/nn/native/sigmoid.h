// The logistic function of each lane.
#pragma once

#include "lanes.h"

template <class T> struct Exponential;
template <> struct Exponential<float> {
  typedef uint32_t Bits __attribute__((vector_size(LANE_BYTES)));
  static constexpr int MANTISSA = 23, DEGREE = 7;
  static constexpr uint32_t BIAS = 127;
  static constexpr float LOWEST = -87, HIGHEST = 88, ROUND = 12582912.0f, LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;
};
template <> struct Exponential<double> {
  typedef uint64_t Bits __attribute__((vector_size(LANE_BYTES)));
  static constexpr int MANTISSA = 52, DEGREE = 13;
  static constexpr uint64_t BIAS = 1023;
  static constexpr double LOWEST = -708, HIGHEST = 709, ROUND = 6755399441055744.0, LN2_HIGH = 6.93147180369123816490e-01,
                          LN2_LOW = 1.90821492927058770002e-10;
};

// 2^n e^r with |r| <= ln(2) / 2 and e^r by its series, to the last bit or two; adding ROUND leaves n in the lowest bits.
template <class T> inline Vec<T> exponential(Vec<T> x) {
  using E = Exponential<T>;
  using Bits = typename E::Bits;
  x = x < E::LOWEST ? all<T>(E::LOWEST) : x;
  x = x > E::HIGHEST ? all<T>(E::HIGHEST) : x;
  const Vec<T> shifted = x * T(1.44269504088896340736) + E::ROUND, n = shifted - E::ROUND;
  const Vec<T> r = x - n * E::LN2_HIGH - n * E::LN2_LOW;
  Vec<T> sum = all<T>(1);
  for (int k = E::DEGREE; k > 0; --k) sum = T(1) + sum * r * (T(1) / T(k));
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + E::BIAS) << E::MANTISSA;
  Vec<T> power;
  std::memcpy(&power, &bits, sizeof power);
  return sum * power;
}

template <class T> inline Vec<T> sigmoid(Vec<T> x) { return T(1) / (T(1) + exponential<T>(-x)); }
