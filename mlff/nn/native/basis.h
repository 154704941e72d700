// The edges of one vector of sites: radial functions and harmonics of every slot in which any of the sites has a neighbour.
#pragma once

#include <algorithm>

#include "harmonics.h"
#include "lanes.h"
#include "radial.h"

// Where the functions of each l lie. Features phi = b_k Y_m run over l slowest, then k, then m.
struct Layout {
  int n_cutoffs = 0, n_of_cutoff[L_MAX + 1] = {}, row_of_cutoff[L_MAX + 1] = {}, last_of_cutoff[L_MAX + 1] = {};  // last: l
  double cutoff[L_MAX + 1] = {}, r_max = 0;
  int n_rows = 0, row_of_l[L_MAX + 1] = {};  // radial functions, those of one cutoff shared by every l that has it
  int feature_of_l[L_MAX + 2] = {}, n_features = 0;

  explicit Layout(const Edges &e) {
    int which[L_MAX + 1];
    for (int l = 0; l <= e.l_max; ++l) {
      int c = 0;
      while (c < n_cutoffs && cutoff[c] != e.r_cut[l]) ++c;
      if (c == n_cutoffs) cutoff[n_cutoffs++] = e.r_cut[l];
      which[l] = c, last_of_cutoff[c] = l;
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
  std::vector<int> shells;    // of each slot in use: how many l some site is within the cutoff of, counted to the last of them
  std::vector<int> n_of_l;    // (species, L_MAX + 1): its slots in use up to the last that is within the cutoff
  Scratch<T> b, db, Y;        // (slot, n_rows), (slot, n_rows), (slot, HARMONICS)
  Scratch<T> r, direction;    // (slot,) and (slot, 4): unit vector and 1 / r; only with derivatives

  // reach: where slots must be in use that reach beyond the longest cutoff
  Basis(const Edges &e, bool derivatives, double reach = 0)
      : e(e), layout(e), derivatives(derivatives), slot(e.n_slots), first(e.n_species + 1), shells(e.n_slots),
        n_of_l(e.n_species * (L_MAX + 1)), b(e.n_slots * layout.n_rows),
        db(derivatives ? b.size() : 0), Y(e.n_slots * HARMONICS), r(derivatives ? e.n_slots : 0),
        direction(derivatives ? e.n_slots * 4 : 0), reach(std::max(reach, layout.r_max)) {}

  int n_used() const { return first.back(); }

  void fill(int64_t site, int n) { fill(static_cast<const T *>(e.vectors), site, n); }

  // The same of vectors that may be double whatever T is.
  template <class Given> void fill(const Given *vectors, int64_t site, int n) {
    const Given *x = vectors + site, *y = x + e.n_slots * e.n_sites, *z = y + e.n_slots * e.n_sites;
    constexpr int AHEAD = 12, LINE = 64;  // rows lie too far apart for the machine to guess the next one
    const T far = static_cast<T>(2 * reach), bound = static_cast<T>(reach * reach);
    int used = 0;
    int64_t s = 0;
    for (int species = 0; species < e.n_species; ++species) {
      first[species] = used;
      int *const n_of = &n_of_l[species * (L_MAX + 1)];
      std::fill_n(n_of, L_MAX + 1, 0);
      for (const int64_t end = s + e.slots_per_species[species]; s < end; ++s) {
        const int64_t at = s * e.n_sites, coming = at + AHEAD * e.n_sites;
        for (const Given *row : {x, y, z})
          for (size_t line = 0; line < WIDTH<T> * sizeof(Given); line += LINE) __builtin_prefetch(row + coming + line / sizeof(Given));
        const Vec<T> vx = load_as<T>(x + at, n), vy = load_as<T>(y + at, n), vz = load_as<T>(z + at, n, far), r2 = vx * vx + vy * vy + vz * vz;
        if (!any_below<T>(r2, bound)) continue;
        shells[used] = functions(used, vx, vy, vz, r2);
        for (int l = 0; l < shells[used]; ++l) n_of[l] = used - first[species] + 1;
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

  // Says how many l the slot is within the cutoff of.
  int functions(int j, Vec<T> x, Vec<T> y, Vec<T> z, Vec<T> r2) {
    const Vec<T> length = root<T>(r2), inverse = T(1) / length, ux = x * inverse, uy = y * inverse, uz = z * inverse;
    harmonics<T>(e.l_max, ux, uy, uz, &Y[j * HARMONICS]);
    int within = 1;
    for (int c = 0; c < layout.n_cutoffs; ++c) {
      const int64_t row = j * layout.n_rows + layout.row_of_cutoff[c];
      if (!any_below<T>(r2, static_cast<T>(layout.cutoff[c] * layout.cutoff[c]))) {
        std::fill_n(&b[row], layout.n_of_cutoff[c], Vec<T>{});
        if (derivatives) std::fill_n(&db[row], layout.n_of_cutoff[c], Vec<T>{});
        continue;
      }
      within = std::max(within, layout.last_of_cutoff[c] + 1);
      radial<T>(length, static_cast<T>(layout.cutoff[c]), layout.n_of_cutoff[c], &b[row], derivatives ? &db[row] : nullptr);
    }
    if (derivatives) {
      r[j] = length;
      Vec<T> *u = &direction[j * 4];
      u[0] = ux, u[1] = uy, u[2] = uz, u[3] = inverse;
    }
    return within;
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
