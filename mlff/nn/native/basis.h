// The edges of one vector of sites: radial functions and harmonics of every slot in which any of the sites has a neighbour.
#pragma once

#include <algorithm>

#include "harmonics.h"
#include "lanes.h"
#include "radial.h"

extern "C" struct Edges {  // as in library.py
  int32_t l_max, n_radial[L_MAX + 1];
  double r_cut[L_MAX + 1];
  int32_t n_threads, n_species;
  int64_t n_slots, n_sites;
  const int64_t *slots_per_species;
  const void *vectors;  // (3, n_slots, n_sites)
};

// Where the functions of each l lie. Features phi = b_k Y_m run over l slowest, then k, then m.
struct Layout {
  int n_cutoffs = 0, n_of_cutoff[L_MAX + 1] = {}, row_of_cutoff[L_MAX + 1] = {};
  double cutoff[L_MAX + 1] = {}, r_max = 0;
  int n_rows = 0, row_of_l[L_MAX + 1] = {};  // radial functions, those of one cutoff shared by every l that has it
  int feature_of_l[L_MAX + 2] = {}, n_features = 0;

  explicit Layout(const Edges &e) {
    int which[L_MAX + 1];
    for (int l = 0; l <= e.l_max; ++l) {
      int c = 0;
      while (c < n_cutoffs && cutoff[c] != e.r_cut[l]) ++c;
      if (c == n_cutoffs) cutoff[n_cutoffs++] = e.r_cut[l];
      which[l] = c;
      if (e.n_radial[l] > n_of_cutoff[c]) n_of_cutoff[c] = e.n_radial[l];
      if (e.r_cut[l] > r_max) r_max = e.r_cut[l];
      feature_of_l[l + 1] = feature_of_l[l] + e.n_radial[l] * (2 * l + 1);
    }
    for (int c = 0; c < n_cutoffs; ++c) row_of_cutoff[c] = n_rows, n_rows += n_of_cutoff[c];
    for (int l = 0; l <= e.l_max; ++l) row_of_l[l] = row_of_cutoff[which[l]];
    n_features = feature_of_l[e.l_max + 1];
  }
};

template <class T> struct Basis {
  const Edges &e;
  const Layout layout;
  bool derivatives;  // whether fill gives them too
  std::vector<int64_t> slot;  // those in use, species by species
  std::vector<int> first;     // of each species among them, and their number at the end
  Scratch<T> b, db, Y;        // (slot, n_rows), (slot, n_rows), (slot, HARMONICS)
  Scratch<T> r, direction;    // (slot,) and (slot, 4): unit vector and 1 / r; only with derivatives

  // reach: where slots must be in use that reach beyond the longest cutoff
  Basis(const Edges &e, bool derivatives, double reach = 0)
      : e(e), layout(e), derivatives(derivatives), slot(e.n_slots), first(e.n_species + 1), b(e.n_slots * layout.n_rows),
        db(derivatives ? b.size() : 0), Y(e.n_slots * HARMONICS), r(derivatives ? e.n_slots : 0),
        direction(derivatives ? e.n_slots * 4 : 0), reach(std::max(reach, layout.r_max)) {}

  int n_used() const { return first.back(); }

  void fill(int64_t site, int n) { fill(static_cast<const T *>(e.vectors), site, n); }

  // the same of vectors that may be double whatever T is
  template <class Given> void fill(const Given *vectors, int64_t site, int n) {
    const Given *x = vectors + site, *y = x + e.n_slots * e.n_sites, *z = y + e.n_slots * e.n_sites;
    const T far = static_cast<T>(2 * reach), bound = static_cast<T>(reach * reach);
    int used = 0;
    int64_t s = 0;
    for (int species = 0; species < e.n_species; ++species) {
      first[species] = used;
      for (const int64_t end = s + e.slots_per_species[species]; s < end; ++s) {
        const int64_t at = s * e.n_sites;
        const Vec<T> vx = load_as<T>(x + at, n), vy = load_as<T>(y + at, n), vz = load_as<T>(z + at, n, far), r2 = vx * vx + vy * vy + vz * vz;
        if (!any_below<T>(r2, bound)) continue;
        functions(used, vx, vy, vz, root<T>(r2));
        slot[used++] = s;
      }
    }
    first[e.n_species] = used;
  }

  // phi (slot, n_features)
  void features(Vec<T> *phi) const {
    for (int j = 0; j < n_used(); ++j, phi += layout.n_features) outer(&b[j * layout.n_rows], &Y[j * HARMONICS], phi);
  }

  void outer(const Vec<T> *b, const Vec<T> *Y, Vec<T> *phi) const {
    for (int l = 0; l <= e.l_max; ++l)
      for (int k = 0; k < e.n_radial[l]; ++k)
        for (int m = 0; m <= 2 * l; ++m) *phi++ = b[layout.row_of_l[l] + k] * Y[l * l + m];
  }

private:
  const double reach;

  void functions(int j, Vec<T> x, Vec<T> y, Vec<T> z, Vec<T> length) {
    const Vec<T> inverse = T(1) / length, ux = x * inverse, uy = y * inverse, uz = z * inverse;
    harmonics<T>(e.l_max, ux, uy, uz, &Y[j * HARMONICS]);
    for (int c = 0; c < layout.n_cutoffs; ++c) {
      const int64_t row = j * layout.n_rows + layout.row_of_cutoff[c];
      radial<T>(length, static_cast<T>(layout.cutoff[c]), layout.n_of_cutoff[c], &b[row], derivatives ? &db[row] : nullptr);
    }
    if (derivatives) {
      r[j] = length;
      Vec<T> *u = &direction[j * 4];
      u[0] = ux, u[1] = uy, u[2] = uz, u[3] = inverse;
    }
  }
};

// One feature per row: the arrays of each l, (..., K_l, 2l+1, n_sites), as the rows of all of them.
template <class T> struct Rows {
  const Edges &e;
  const Layout &layout;
  T *const *of_l;

  // Calls visit(feature, pointer to its row) for the block-th group of (K_l, 2l+1) rows of each l.
  template <class Visit> void each(int64_t block, int64_t site, Visit visit) const {
    for (int l = 0; l <= e.l_max; ++l) {
      const int first = layout.feature_of_l[l], n = layout.feature_of_l[l + 1] - first;
      T *row = of_l[l] + block * n * e.n_sites + site;
      for (int f = 0; f < n; ++f, row += e.n_sites) visit(first + f, row);
    }
  }

  void read(int64_t block, int64_t site, int n, Vec<T> *to) const {
    each(block, site, [&](int f, T *row) { to[f] = load<T>(row, n); });
  }

  void write(int64_t block, int64_t site, int n, const Vec<T> *from) const {
    each(block, site, [&](int f, T *row) { store<T>(row, from[f], n); });
  }
};
