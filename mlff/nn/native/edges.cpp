// Densities, hop densities and their gradients back to the edges; mlff/engine/torch_edges.py says what each is.
#include "basis.h"
#include "multiply.h"
#include "pull.h"
#include "slots.h"
#include "sums.h"

namespace {

template <class T> void densities(const Edges &e, T *const *out) {
  struct Own {
    Basis<T> basis;
    Scratch<T> sum;
  };
  const Layout layout(e);
  auto make = [&] { return Own{Basis<T>(e, false), Scratch<T>(layout.n_features)}; };
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](Own &own, int64_t site, int n) {
    Basis<T> &basis = own.basis;
    basis.fill(site, n);
    for (int s = 0; s < e.n_species; ++s) {
      const int first = basis.first[s];
      own.sum.assign(layout.n_features, Vec<T>{});
      sum_slots<T>(e, layout, basis.first[s + 1] - first, basis.b.data() + first * layout.n_rows, basis.Y.data() + first * HARMONICS,
                   own.sum.data());
      Rows<T>{e, layout, out}.write(s, site, n, own.sum.data());
    }
  });
}

// weights (n_members, n_hop, n_slots, n_sites) -> out[l] (n_members, n_hop * K_l, 2l+1, n_sites)
template <class T> void hop(const Edges &e, int64_t n_members, int64_t n_hop, const T *weights, T *const *out) {
  struct Own {
    Basis<T> basis;
    Scratch<T> phi, h, sum;
  };
  const Layout layout(e);
  const int64_t n_features = layout.n_features;
  auto make = [&] {
    return Own{Basis<T>(e, false), Scratch<T>(e.n_slots * n_features), Scratch<T>(n_hop * e.n_slots), Scratch<T>(n_hop * n_features)};
  };
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](Own &own, int64_t site, int n) {
    own.basis.fill(site, n);
    own.basis.features(own.phi.data());
    const int used = own.basis.n_used();
    for (int64_t member = 0; member < n_members; ++member) {
      gather(own.basis, weights + member * n_hop * e.n_slots * e.n_sites, n_hop, site, n, own.h.data());
      own.sum.assign(own.sum.size(), Vec<T>{});
      multiply<T>(n_hop, n_features, used, {own.h.data(), used, 1}, {own.phi.data(), n_features, 1}, {own.sum.data(), n_features, 1});
      for (int64_t c = 0; c < n_hop; ++c)
        Rows<T>{e, layout, out}.write(member * n_hop + c, site, n, own.sum.data() + c * n_features);
    }
  });
}

// gradients[l] as `out` of hop -> out (n_members, n_hop, n_slots, n_sites)
template <class T> void into_weights(const Edges &e, int64_t n_members, int64_t n_hop, T *const *gradients, T *out) {
  struct Own {
    Basis<T> basis;
    Scratch<T> phi, G, sum;
  };
  const Layout layout(e);
  const int64_t n_features = layout.n_features;
  auto make = [&] {
    return Own{Basis<T>(e, false), Scratch<T>(e.n_slots * n_features), Scratch<T>(n_hop * n_features), Scratch<T>(n_hop * e.n_slots)};
  };
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](Own &own, int64_t site, int n) {
    own.basis.fill(site, n);
    own.basis.features(own.phi.data());
    const int used = own.basis.n_used();
    for (int64_t member = 0; member < n_members; ++member) {
      for (int64_t c = 0; c < n_hop; ++c) Rows<T>{e, layout, gradients}.read(member * n_hop + c, site, n, own.G.data() + c * n_features);
      own.sum.assign(own.sum.size(), Vec<T>{});
      multiply<T>(n_hop, used, n_features, {own.G.data(), n_features, 1}, {own.phi.data(), 1, n_features}, {own.sum.data(), used, 1});
      scatter(own.basis, own.sum.data(), n_hop, site, n, out + member * n_hop * e.n_slots * e.n_sites);
    }
  });
}

// gradients[l] (n_members, n_species * K_l, 2l+1, n_sites), weights and into_hop[l] as in hop (n_hop may be 0)
// -> out (n_members, 3, n_slots, n_sites)
template <class T>
void pull(const Edges &e, int64_t n_members, T *const *gradients, int64_t n_hop, const T *weights, T *const *into_hop, T *out) {
  struct Own {
    Basis<T> basis;
    Scratch<T> G, h, G2, of_edge, f;
  };
  const Layout layout(e);
  const int64_t n_features = layout.n_features;
  auto make = [&] {
    return Own{Basis<T>(e, true), Scratch<T>(n_features), Scratch<T>(n_hop * e.n_slots), Scratch<T>(n_hop * n_features),
               Scratch<T>(n_hop ? e.n_slots * n_features : 0), Scratch<T>(3 * e.n_slots)};
  };
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](Own &own, int64_t site, int n) {
    Basis<T> &basis = own.basis;
    basis.fill(site, n);
    const int used = basis.n_used();
    for (int64_t member = 0; member < n_members; ++member) {
      if (n_hop) {
        gather(basis, weights + member * n_hop * e.n_slots * e.n_sites, n_hop, site, n, own.h.data());
        for (int64_t c = 0; c < n_hop; ++c) Rows<T>{e, layout, into_hop}.read(member * n_hop + c, site, n, own.G2.data() + c * n_features);
      }
      for (int s = 0; s < e.n_species; ++s) {
        const int first = basis.first[s], last = basis.first[s + 1];
        Rows<T>{e, layout, gradients}.read(member * e.n_species + s, site, n, own.G.data());
        if (n_hop) {
          for (int j = 0; j < last - first; ++j) std::memcpy(&own.of_edge[j * n_features], own.G.data(), n_features * sizeof(Vec<T>));
          multiply<T>(last - first, n_features, n_hop, {own.h.data() + first, 1, used}, {own.G2.data(), n_features, 1},
                      {own.of_edge.data(), n_features, 1});
        }
        for (int j = first; j < last; ++j) {
          Vec<T> f[3];
          pull_edge(basis, j, n_hop ? &own.of_edge[(j - first) * n_features] : own.G.data(), f);
          for (int a = 0; a < 3; ++a) own.f[a * used + j] = f[a];
        }
      }
      scatter(basis, own.f.data(), 3, site, n, out + member * 3 * e.n_slots * e.n_sites);
    }
  });
}

}  // namespace

#define EXPORT(T, NAME)                                                                                                                    \
  extern "C" void densities_##NAME(const Edges *e, T *const *out) { densities<T>(*e, out); }                                               \
  extern "C" void hop_##NAME(const Edges *e, int64_t n_members, int64_t n_hop, const T *weights, T *const *out) {                          \
    hop<T>(*e, n_members, n_hop, weights, out);                                                                                            \
  }                                                                                                                                        \
  extern "C" void into_weights_##NAME(const Edges *e, int64_t n_members, int64_t n_hop, T *const *gradients, T *out) {                     \
    into_weights<T>(*e, n_members, n_hop, gradients, out);                                                                                 \
  }                                                                                                                                        \
  extern "C" void pull_##NAME(const Edges *e, int64_t n_members, T *const *gradients, int64_t n_hop, const T *weights, T *const *into_hop, \
                              T *out) {                                                                                                    \
    pull<T>(*e, n_members, gradients, n_hop, weights, into_hop, out);                                                                      \
  }
EXPORT(float, float32)
EXPORT(double, float64)
