// Densities, hop densities and their gradients back to the edges; mlff/engine/torch_edges.py says what each is.
#include "edge_tiles.h"
#include "slots.h"

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
      sum_density(basis, s, own.sum);
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
    for (int64_t member = 0; member < n_members; ++member) {
      gather(own.basis, weights + member * n_hop * e.n_slots * e.n_sites, n_hop, site, n, own.h.data());
      sum_hop(own.basis, own.phi, n_hop, own.h, own.sum);
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
    for (int64_t member = 0; member < n_members; ++member) {
      for (int64_t c = 0; c < n_hop; ++c) Rows<T>{e, layout, gradients}.read(member * n_hop + c, site, n, own.G.data() + c * n_features);
      pull_hop(own.basis, own.phi, n_hop, own.G, own.sum);
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
        Rows<T>{e, layout, gradients}.read(member * e.n_species + s, site, n, own.G.data());
        pull_edges(basis, s, own.G, n_hop, own.h, own.G2, own.of_edge, [&](int j, const Vec<T> *f) {
          for (int a = 0; a < 3; ++a) own.f[a * used + j] = f[a];
        });
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
