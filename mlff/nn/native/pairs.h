// A tapered screened Coulomb repulsion of two atoms, mlff/model/repulsion.py.
#pragma once

#include <cmath>

#include "interface.h"

// At distance r of two atoms of a pair of species: one atom's half of the energy, and dE/dr / r of that half.
template <class T> struct Repelled {
  T energy, along;

  Repelled(const Pairs &p, int64_t pair, T r) {
    const T range = p.range[pair], u = r / range, t = 1 - u, cube = t * t * t;
    T screening = 0, slope = 0;
    for (int c = 0; c < TERMS; ++c) {
      const T term = p.coefficients[c] * std::exp(-p.exponents[c] * r / p.length[pair]);
      screening += term;
      slope -= p.exponents[c] / p.length[pair] * term;
    }
    const T taper = cube * t * (1 + u * (4 + u * (10 + u * (20 + 35 * u))));
    const T taper_slope = -280 * u * u * u * u * cube / range;
    const T bare = T(0.5) * p.strength[pair] / r;
    energy = bare * screening * taper;
    along = bare * (slope * taper + screening * taper_slope - screening * taper / r) / r;
  }
};
