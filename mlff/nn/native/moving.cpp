// Rates of the densities as the edges move, and what leads back from them to the hop's weights; mlff/engine/rates.py says what each is.
#include "basis.h"
#include "multiply.h"
#include "slots.h"
#include "sums.h"

namespace {

// d(b_k)/dt and d(Y_m)/dt of the edges of one vector of sites.
template <class T> struct Rates {
  Scratch<T> velocity, b, Y;  // (3, slots in use), and as in Basis

  explicit Rates(const Basis<T> &basis) : velocity(3 * basis.e.n_slots), b(basis.b.size()), Y(basis.Y.size()) {}

  // velocities: (3, n_slots, n_sites)
  void fill(const Basis<T> &basis, const T *velocities, int64_t site, int n) {
    const int used = basis.n_used(), n_rows = basis.layout.n_rows;
    gather(basis, velocities, 3, site, n, velocity.data());
    for (int j = 0; j < used; ++j) {
      const Vec<T> *u = &basis.direction[j * 4], *of_Y = &basis.Y[j * HARMONICS];
      const Vec<T> v[3] = {velocity[j], velocity[used + j], velocity[2 * used + j]}, along = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
      for (int i = 0; i < n_rows; ++i) b[j * n_rows + i] = basis.db[j * n_rows + i] * along;
      Vec<T> *dY = &Y[j * HARMONICS];
      harmonics_rate<T>(basis.e.l_max, u[0], u[1], u[2], v, dY);
      for (int l = 0; l <= basis.e.l_max; ++l)
        for (int i = l * l; i < (l + 1) * (l + 1); ++i) dY[i] = u[3] * (dY[i] - static_cast<T>(l) * along * of_Y[i]);
    }
  }

  // d(phi)/dt (slot, n_features)
  void features(const Basis<T> &basis, Vec<T> *out) const {
    const Layout &layout = basis.layout;
    for (int j = 0; j < basis.n_used(); ++j)
      for (int l = 0; l <= basis.e.l_max; ++l)
        for (int k = 0; k < basis.e.n_radial[l]; ++k)
          for (int m = 0; m <= 2 * l; ++m) {
            const int row = j * layout.n_rows + layout.row_of_l[l] + k, harmonic = j * HARMONICS + l * l + m;
            *out++ = b[row] * basis.Y[harmonic] + basis.b[row] * Y[harmonic];
          }
  }
};

// velocities (n_members, 3, n_slots, n_sites) -> out[l] (n_members, n_species * K_l, 2l+1, n_sites)
template <class T> void density_rates(const Edges &e, int64_t n_members, const T *velocities, T *const *out) {
  struct Own {
    Basis<T> basis;
    Rates<T> rates;
    Scratch<T> sum;
    explicit Own(const Edges &e) : basis(e, true), rates(basis), sum(basis.layout.n_features) {}
  };
  const Layout layout(e);
  auto make = [&] { return Own(e); };
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](Own &own, int64_t site, int n) {
    const Basis<T> &basis = own.basis;
    own.basis.fill(site, n);
    for (int64_t member = 0; member < n_members; ++member) {
      own.rates.fill(basis, velocities + member * 3 * e.n_slots * e.n_sites, site, n);
      for (int s = 0; s < e.n_species; ++s) {
        const int *const count = &basis.n_of_l[s * (L_MAX + 1)], first = basis.first[s], row = first * layout.n_rows, harmonic = first * HARMONICS;
        own.sum.assign(own.sum.size(), Vec<T>{});
        sum_slots<T>(e, layout, count, own.rates.b.data() + row, basis.Y.data() + harmonic, own.sum.data());
        sum_slots<T>(e, layout, count, basis.b.data() + row, own.rates.Y.data() + harmonic, own.sum.data());
        Rows<T>{e, layout, out}.write(member * e.n_species + s, site, n, own.sum.data());
      }
    }
  });
}

// What both directions of the moving hop need for one vector of sites.
template <class T> struct MovingHop {
  const int64_t n_hop, n_features;
  Basis<T> basis;
  Rates<T> rates;
  Scratch<T> phi, phi_rate, h, h_rate, A2, A2_rate;

  MovingHop(const Edges &e, int64_t n_hop)
      : n_hop(n_hop), n_features(Layout(e).n_features), basis(e, true), rates(basis), phi(e.n_slots * n_features), phi_rate(phi.size()),
        h(n_hop * e.n_slots), h_rate(h.size()), A2(n_hop * n_features), A2_rate(A2.size()) {}

  void fill(int64_t site, int n) {
    basis.fill(site, n);
    basis.features(phi.data());
  }

  void fill_rates(const T *velocities, int64_t site, int n) {
    rates.fill(basis, velocities, site, n);
    rates.features(basis, phi_rate.data());
  }
};

// weights, weight_rates (n_members, n_hop, n_slots, n_sites) -> A2[l] and A2_rate[l] (n_members, n_hop * K_l, 2l+1, n_sites)
template <class T>
void moving_hop(const Edges &e, int64_t n_members, const T *velocities, int64_t n_hop, const T *weights, const T *weight_rates, T *const *A2,
                T *const *A2_rate) {
  auto make = [&] { return MovingHop<T>(e, n_hop); };
  const int64_t n_edges = e.n_slots * e.n_sites;
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](MovingHop<T> &own, int64_t site, int n) {
    own.fill(site, n);
    const int used = own.basis.n_used();
    const int64_t n_features = own.n_features;
    for (int64_t member = 0; member < n_members; ++member) {
      own.fill_rates(velocities + member * 3 * n_edges, site, n);
      gather(own.basis, weights + member * n_hop * n_edges, n_hop, site, n, own.h.data());
      gather(own.basis, weight_rates + member * n_hop * n_edges, n_hop, site, n, own.h_rate.data());
      own.A2.assign(own.A2.size(), Vec<T>{});
      own.A2_rate.assign(own.A2.size(), Vec<T>{});
      const auto add = [&](const Scratch<T> &h, const Scratch<T> &phi, Scratch<T> &sum) {
        multiply<T>(n_hop, n_features, used, {h.data(), used, 1}, {phi.data(), n_features, 1}, {sum.data(), n_features, 1});
      };
      add(own.h, own.phi, own.A2);
      add(own.h_rate, own.phi, own.A2_rate);
      add(own.h, own.phi_rate, own.A2_rate);
      for (int64_t c = 0; c < n_hop; ++c) {
        Rows<T>{e, own.basis.layout, A2}.write(member * n_hop + c, site, n, own.A2.data() + c * n_features);
        Rows<T>{e, own.basis.layout, A2_rate}.write(member * n_hop + c, site, n, own.A2_rate.data() + c * n_features);
      }
    }
  });
}

// Gradients of A2 and A2_rate -> those of the weights and of their rates.
template <class T>
void moving_hop_backward(const Edges &e, int64_t n_members, const T *velocities, int64_t n_hop, T *const *of_A2, T *const *of_A2_rate,
                         T *of_weights, T *of_weight_rates) {
  auto make = [&] { return MovingHop<T>(e, n_hop); };
  const int64_t n_edges = e.n_slots * e.n_sites;
  for_each_tile<T>(e.n_sites, e.n_threads, make, [&](MovingHop<T> &own, int64_t site, int n) {
    own.fill(site, n);
    const int used = own.basis.n_used();
    const int64_t n_features = own.n_features;
    for (int64_t member = 0; member < n_members; ++member) {
      own.fill_rates(velocities + member * 3 * n_edges, site, n);
      for (int64_t c = 0; c < n_hop; ++c) {
        Rows<T>{e, own.basis.layout, of_A2}.read(member * n_hop + c, site, n, own.A2.data() + c * n_features);
        Rows<T>{e, own.basis.layout, of_A2_rate}.read(member * n_hop + c, site, n, own.A2_rate.data() + c * n_features);
      }
      own.h.assign(own.h.size(), Vec<T>{});
      own.h_rate.assign(own.h.size(), Vec<T>{});
      const auto add = [&](const Scratch<T> &gradient, const Scratch<T> &phi, Scratch<T> &sum) {
        multiply<T>(n_hop, used, n_features, {gradient.data(), n_features, 1}, {phi.data(), 1, n_features}, {sum.data(), used, 1});
      };
      add(own.A2, own.phi, own.h);
      add(own.A2_rate, own.phi_rate, own.h);
      add(own.A2_rate, own.phi, own.h_rate);
      scatter(own.basis, own.h.data(), n_hop, site, n, of_weights + member * n_hop * n_edges);
      scatter(own.basis, own.h_rate.data(), n_hop, site, n, of_weight_rates + member * n_hop * n_edges);
    }
  });
}

}  // namespace

#define EXPORT(T, NAME)                                                                                                                   \
  extern "C" void density_rates_##NAME(const Edges *e, int64_t n_members, const T *velocities, T *const *out) {                           \
    density_rates<T>(*e, n_members, velocities, out);                                                                                     \
  }                                                                                                                                       \
  extern "C" void moving_hop_##NAME(const Edges *e, int64_t n_members, const T *velocities, int64_t n_hop, const T *weights,              \
                                    const T *weight_rates, T *const *A2, T *const *A2_rate) {                                             \
    moving_hop<T>(*e, n_members, velocities, n_hop, weights, weight_rates, A2, A2_rate);                                                  \
  }                                                                                                                                       \
  extern "C" void moving_hop_backward_##NAME(const Edges *e, int64_t n_members, const T *velocities, int64_t n_hop, T *const *of_A2,      \
                                             T *const *of_A2_rate, T *of_weights, T *of_weight_rates) {                                   \
    moving_hop_backward<T>(*e, n_members, velocities, n_hop, of_A2, of_A2_rate, of_weights, of_weight_rates);                             \
  }
EXPORT(float, float32)
EXPORT(double, float64)
