// Values of slots, (n_rows, n_slots, n_sites), as vectors of sites: only of the slots in use.
#pragma once

#include "basis.h"

// (n_rows, slots in use) of one vector of sites, from (n_rows, n_slots, n_sites).
template <class T> inline void gather(const Basis<T> &basis, const T *from, int64_t n_rows, int64_t site, int n, Vec<T> *to) {
  for (int64_t c = 0; c < n_rows; ++c, from += basis.e.n_slots * basis.e.n_sites)
    for (int j = 0; j < basis.n_used(); ++j) {
      const T *at = from + basis.slot[j] * basis.e.n_sites + site;
      __builtin_prefetch(at + 2 * WIDTH<T>);  // of a coming tile: rows lie too far apart for the machine to guess
      *to++ = load<T>(at, n);
    }
}

// The inverse; slots that are not in use become 0.
template <class T> inline void scatter(const Basis<T> &basis, const Vec<T> *from, int64_t n_rows, int64_t site, int n, T *to) {
  for (int64_t c = 0; c < n_rows; ++c, to += basis.e.n_slots * basis.e.n_sites)
    for (int64_t s = 0, j = 0; s < basis.e.n_slots; ++s)
      store<T>(to + s * basis.e.n_sites + site, j < basis.n_used() && basis.slot[j] == s ? (++j, *from++) : Vec<T>{}, n);
}
