// The sites of a network whose weights belong to a member, and some of them to a species: tiles of few vectors of sites, one after another.
#pragma once

#include <algorithm>

#include "multiply.h"

namespace {

constexpr int VECTORS = 4;  // of sites in a tile, at most

// Some vectors of sites of one member and one species.
struct Tile {
  int64_t member, species, site, first_vector;
  int n_sites, n_vectors;
};

template <class T> int lanes(const Tile &tile, int vector) { return std::min(WIDTH<T>, tile.n_sites - vector * WIDTH<T>); }

// Of all members, member by member, then species by species.
template <class T, class Network> std::vector<Tile> tiles(const Network &p) {
  std::vector<Tile> found;
  for (int64_t member = 0, vector = 0; member < p.n_members; ++member)
    for (int64_t species = 0, first = 0; species < p.n_species; first += p.sites_per_species[species++])
      for (int64_t site = 0; site < p.sites_per_species[species]; site += VECTORS * WIDTH<T>) {
        const int n = static_cast<int>(std::min<int64_t>(VECTORS * WIDTH<T>, p.sites_per_species[species] - site));
        const int n_vectors = (n + WIDTH<T> - 1) / WIDTH<T>;
        found.push_back({member, species, first + site, vector, n, n_vectors});
        vector += n_vectors;
      }
  return found;
}

// y += W x and x += W^T y with the columns (m, vector) of one l.
template <class T> void apply(const T *w, int64_t n_out, int64_t n_in, int columns, const Vec<T> *x, Vec<T> *y) {
  multiply<T>(n_out, columns, n_in, Matrix<const T>{w, n_in, 1}, {x, columns, 1}, {y, columns, 1});
}

template <class T> void apply_transposed(const T *w, int64_t n_out, int64_t n_in, int columns, const Vec<T> *y, Vec<T> *x) {
  multiply<T>(n_in, columns, n_out, Matrix<const T>{w, 1, n_in}, {y, columns, 1}, {x, columns, 1});
}

// Sum over lanes, halves at a time.
template <class T, int N> inline T total(const T *x) {
  if constexpr (N == 1) {
    return *x;
  } else {
    typedef T Half __attribute__((vector_size(sizeof(T) * N / 2)));
    Half low, high;
    std::memcpy(&low, x, sizeof low);
    std::memcpy(&high, x + N / 2, sizeof high);
    low += high;
    T sum[N / 2];
    std::memcpy(sum, &low, sizeof low);
    return total<T, N / 2>(sum);
  }
}

template <class T> inline T total(const Vec<T> &v) { return total<T, WIDTH<T>>(reinterpret_cast<const T *>(&v)); }

template <class T, int I, int J>
inline void outer_rows(T *w, int64_t n_out, int64_t row, int columns, const Vec<T> *y, const Vec<T> *x) {
  for (; n_out >= I; n_out -= I, y += I * columns, w += I * row) {
    Vec<T> sum[I][J] = {};
    for (int p = 0; p < columns; ++p) {
      Vec<T> right[J];
      for (int j = 0; j < J; ++j) right[j] = x[j * columns + p];
      for (int i = 0; i < I; ++i) {
        const Vec<T> left = y[i * columns + p];
        for (int j = 0; j < J; ++j) sum[i][j] += left * right[j];
      }
    }
    for (int i = 0; i < I; ++i)
      for (int j = 0; j < J; ++j) w[i * row + j] += total<T>(sum[i][j]);
  }
  if constexpr (I > 1)
    if (n_out > 0) outer_rows<T, I - 1, J>(w, n_out, row, columns, y, x);
}

// W (n_out, n_in) += y x^T, all lanes together; `row` lies between two rows of W.
template <class T, int J = COLUMNS> void outer(T *w, int64_t n_out, int64_t n_in, int64_t row, int columns, const Vec<T> *y, const Vec<T> *x) {
  for (; n_in >= J; n_in -= J, w += J, x += J * columns) outer_rows<T, ROWS, J>(w, n_out, row, columns, y, x);
  if constexpr (J > 1)
    if (n_in > 0) outer<T, J - 1>(w, n_out, n_in, row, columns, y, x);
}

template <class T> void outer(T *w, int64_t n_out, int64_t n_in, int columns, const Vec<T> *y, const Vec<T> *x) {
  outer<T>(w, n_out, n_in, n_in, columns, y, x);
}

// Tiles of one member and species whose weight gradients one thread sums, whatever the number of threads: the same bits with any.
inline std::vector<size_t> units(const std::vector<Tile> &todo, size_t most) {
  std::vector<size_t> first{0};
  for (size_t i = 1; i < todo.size(); ++i)
    if (i - first.back() == most || todo[i].member != todo[i - 1].member || todo[i].species != todo[i - 1].species) first.push_back(i);
  first.push_back(todo.size());
  return first;
}

// Calls work(thread's own network, tile) for each tile of all members.
template <class T, class Network, class Make, class Work> void for_each_tile_of_members(const Network &p, Make make, Work work) {
  const auto todo = tiles<T>(p);
#pragma omp parallel num_threads(p.n_threads) if (p.n_threads > 1)
  {
    auto own = make();
#pragma omp for schedule(dynamic)
    for (size_t i = 0; i < todo.size(); ++i) work(own, todo[i]);
  }
}

// Calls work(thread's own network, tile, sums) for each tile of all members; what it adds to sums, the gradients of n_of_species weights
// of the tile's species and of n_common others, is added up in of_weights, (n_members, for each species n_of_species, then n_common).
// Where that is null, so are the sums.
template <class T, class Network, class Make, class Work>
void sum_over_tiles(const Network &p, int64_t n_of_species, int64_t n_common, T *of_weights, Make make, Work work) {
  constexpr size_t SUMMED_TILES = 4;
  const auto todo = tiles<T>(p);
  const auto unit = units(todo, of_weights == nullptr ? 1 : SUMMED_TILES);
  const size_t n_units = unit.size() - 1;
  const int64_t n_own = of_weights == nullptr ? 0 : n_of_species + n_common;
  std::vector<T> sums(n_units * n_own);
#pragma omp parallel num_threads(p.n_threads) if (p.n_threads > 1)
  {
    auto own = make();
#pragma omp for schedule(dynamic)
    for (size_t u = 0; u < n_units; ++u)
      for (size_t i = unit[u]; i < unit[u + 1]; ++i) work(own, todo[i], of_weights == nullptr ? nullptr : &sums[u * n_own]);
  }
  if (of_weights == nullptr) return;
  const int64_t n_weights = p.n_species * n_of_species + n_common;
  std::fill_n(of_weights, p.n_members * n_weights, T(0));
  for (size_t u = 0; u < n_units; ++u) {
    const Tile &tile = todo[unit[u]];
    const T *sum = &sums[u * n_own];
    T *of_species = of_weights + tile.member * n_weights + tile.species * n_of_species;
    T *of_common = of_weights + tile.member * n_weights + p.n_species * n_of_species;
    for (int64_t i = 0; i < n_of_species; ++i) of_species[i] += sum[i];
    for (int64_t i = 0; i < n_common; ++i) of_common[i] += sum[n_of_species + i];
  }
}

}  // namespace
