// `lean2` of a stack, mlff/model/lean2.py: three passes over the tiles, parted where atoms exchange h and dE/dh.
#include <memory>

#include "evaluation.h"

namespace {

template <class T, class C> struct Lean2 {
  const Evaluation &v;
  const int64_t n_vectors;  // of all tiles
  TileEdges<T> edges;
  Scattered<T> pushed_h;  // dE/dh of the far end of each edge: (n_members, n_hop) of each site
  Shells<T> A, of_bins;
  std::vector<Shells<T>> A2, G;  // of each member; what is A2 first is dE/dA2 later
  const T *far_x[2 * (L_MAX + 1)];
  MemberNetwork<T, C> near, far;
  Scratch<T> far_features, near_rows, far_rows, of_near_rows, of_far_rows, message_rows, h, of_h, G2, sum;
  const T *const send_rows[1], *const all_rows[2];
  MemberPerceptron<T> message;
  TileReadout<T> readout;
  Repulsion repulsion;

  Lean2(const Evaluation &v, int64_t n_vectors, int thread)
      : v(v), n_vectors(n_vectors), edges(v, thread), pushed_h(v.pushed_h, v.touched_h, thread, n_neighbors(v), v.n_hop * v.n_members),
        A(*v.edges, v.n_bins ? v.n_bins : v.edges->n_species), of_bins(*v.edges, v.n_bins),
        near(*v.near, v.near_weights, A.of_l, false), far(*v.far, v.far_weights, far_x, true), far_features(far.n_saved() * VECTORS),
        near_rows(near.n_rows() * VECTORS), far_rows(far.n_rows() * VECTORS), of_near_rows(near_rows.size()), of_far_rows(far_rows.size()),
        message_rows(v.n_hop * VECTORS), h(v.n_hop * v.edges->n_slots), G2(v.n_hop * edges.basis.layout.n_features),
        send_rows{numbers<T>(near_rows)}, all_rows{numbers<T>(near_rows), numbers<T>(far_rows)},
        message(*v.message, v.message_weights, v.message_mean, v.message_inverse_spread, send_rows), readout(v, all_rows) {
    for (int64_t member = 0; member < v.n_members; ++member) {
      A2.emplace_back(*v.edges, v.n_hop);
      G.emplace_back(*v.edges, v.edges->n_species);
    }
  }

  // A -> h, of each site
  void send(const Tile &tile) {
    for (int k = 0; k < tile.n_vectors; ++k) {
      edges.fill(tile, k, false);
      edges.densities(k, A);
    }
    edges.to_bins(A);
    for (int64_t member = 0; member < v.n_members; ++member) {
      T *const rows[] = {numbers<T>(near_rows)}, *const out[] = {numbers<T>(message_rows)};
      near.of(member, near_features(tile, member)).forward(alone(tile), rows);
      message.of(member, hidden(tile, member)).forward(alone(tile), out);
      for (int64_t c = 0; c < v.n_hop; ++c)
        for (int k = 0; k < tile.n_sites; ++k) of_site(v.h, tile.site + k, member)[c] = out[0][c * STRIDE<T> + k];
    }
  }

  // A, h -> E, dE/dh and what is pulled along edges but through the sites' own h
  void read(const Tile &tile) {
    for (int k = 0; k < tile.n_vectors; ++k) {
      edges.fill(tile, k, false);
      edges.densities(k, A);
      edges.features();
      for (int64_t member = 0; member < v.n_members; ++member) {
        gather(tile, k, member);
        sum_hop(edges.basis, edges.phi, v.n_hop, h, sum);
        for_each_channel(k, member, sum, [&](const auto &rows, int64_t c, Vec<T> *at) { rows.write(c, k * WIDTH<T>, WIDTH<T>, at); });
      }
    }
    edges.to_bins(A);
    for (int64_t member = 0; member < v.n_members; ++member) read_member(tile, member);
    for (int k = 0; k < tile.n_vectors; ++k) {
      edges.fill(tile, k, true);
      edges.features();
      edges.repulsion(tile, k, repulsion);
      for (int64_t member = 0; member < v.n_members; ++member) {
        gather(tile, k, member);
        for_each_channel(k, member, G2, [&](const auto &rows, int64_t c, Vec<T> *at) { rows.read(c, k * WIDTH<T>, WIDTH<T>, at); });
        pull_hop(edges.basis, edges.phi, v.n_hop, G2, of_h);
        push(tile, k, member);
        edges.pull(tile, k, member, G[member], v.n_hop, h, G2);
      }
    }
  }

  void merge_read(const Tile &tile) {
    pushed_h.merge(static_cast<T *>(v.of_h));
    edges.merge(tile, v.repulsion ? &repulsion : nullptr);
  }

  // dE/dh -> what is pulled along edges through the sites' own h
  void answer(const Tile &tile) {
    for (int64_t member = 0; member < v.n_members; ++member) {
      T *const of_rows[] = {numbers<T>(of_near_rows)}, *const of_message = numbers<T>(message_rows);
      const T *const into[] = {numbers<T>(of_near_rows)}, *const into_message[] = {of_message};
      for (int64_t c = 0; c < v.n_hop; ++c)
        for (int k = 0; k < tile.n_sites; ++k) of_message[c * STRIDE<T> + k] = of_site(v.of_h, tile.site + k, member)[c];
      message.of(member, hidden(tile, member)).backward(alone(tile), into_message, of_rows, nullptr);
      const Vec<T> *read = of_rows_read(tile, member);
      for (int64_t row = 0; row < near.n_rows(); ++row)
        for (int k = 0; k < tile.n_vectors; ++k) of_near_rows[row * VECTORS + k] += *read++;
      near.of(member, near_features(tile, member)).backward(alone(tile), into, {near.p, into_densities(member)}, nullptr);
      if (v.n_bins) edges.from_bins(of_bins, G[member]);
    }
    for (int k = 0; k < tile.n_vectors; ++k) {
      edges.fill(tile, k, true);
      for (int64_t member = 0; member < v.n_members; ++member) edges.pull(tile, k, member, G[member], 0, h, G2);
    }
  }

  void merge_answer(const Tile &tile) { edges.merge(tile, nullptr); }

private:
  void read_member(const Tile &tile, int64_t member) {
    const int n_shells = v.edges->l_max + 1;
    std::copy_n(A.of_l, n_shells, far_x);
    std::copy_n(A2[member].of_l, n_shells, far_x + n_shells);
    T *const near_out[] = {numbers<T>(near_rows)}, *const far_out[] = {numbers<T>(far_rows)};
    T *const of_rows[] = {numbers<T>(of_near_rows), numbers<T>(of_far_rows)}, *of_x[2 * (L_MAX + 1)];
    const T *const into[] = {numbers<T>(of_far_rows)};
    near.of(member, near_features(tile, member)).rows(alone(tile), near_out);
    Network<T, C, 1> &network = far.of(member, far_features.data());
    network.forward(alone(tile), far_out);
    readout(tile, member, of_rows);
    Vec<T> *kept = of_rows_read(tile, member);
    for (int64_t row = 0; row < near.n_rows(); ++row)
      for (int k = 0; k < tile.n_vectors; ++k) *kept++ = of_near_rows[row * VECTORS + k];
    std::copy_n(into_densities(member), n_shells, of_x);
    std::copy_n(A2[member].of_l, n_shells, of_x + n_shells);
    network.backward(alone(tile), into, {far.p, of_x}, nullptr);
    if (v.n_bins) edges.from_bins(of_bins, G[member]);
  }

  // h of the neighbours in the slots in use, (n_hop, slots)
  void gather(const Tile &tile, int vector, int64_t member) {
    const Basis<T> &basis = edges.basis;
    const int used = basis.n_used(), n = lanes<T>(tile, vector);
    T *const to = numbers<T>(h);
    for (int j = 0; j < used; ++j) {
      const int64_t *index = v.neighbor + basis.slot[j] * v.edges->n_sites + tile.site + vector * WIDTH<T>;
      for (int lane = 0; lane < n; ++lane) {
        const T *from = of_site(v.h, index[lane], member);
        for (int64_t c = 0; c < v.n_hop; ++c) to[(c * used + j) * WIDTH<T> + lane] = from[c];
      }
    }
  }

  // of_h to the neighbours
  void push(const Tile &tile, int vector, int64_t member) {
    const Basis<T> &basis = edges.basis;
    const int used = basis.n_used(), n = lanes<T>(tile, vector);
    for (int j = 0; j < used; ++j) {
      const int64_t *index = v.neighbor + basis.slot[j] * v.edges->n_sites + tile.site + vector * WIDTH<T>;
      if (member == 0) pushed_h.touch(index, n);
      pushed_h.add(index, n, member * v.n_hop, v.n_hop, &of_h[j], used);
    }
  }

  // Calls visit(rows of A2, channel, where its features are in `from`).
  template <class Visit> void for_each_channel(int vector, int64_t member, Scratch<T> &from, Visit visit) {
    const Layout &layout = edges.basis.layout;
    for (int64_t c = 0; c < v.n_hop; ++c) visit(Rows<T>{edges.own, layout, A2[member].of_l}, c, from.data() + c * layout.n_features);
  }

  T *const *into_densities(int64_t member) const { return v.n_bins ? of_bins.of_l : G[member].of_l; }
  T *of_site(void *of_sites, int64_t site, int64_t member) const {
    return static_cast<T *>(of_sites) + (site * v.n_members + member) * v.n_hop;
  }
  // n rows of each tile and member
  Vec<T> *kept(void *all, int64_t n, const Tile &tile, int64_t member) const {
    return static_cast<Vec<T> *>(all) + (member * n_vectors + tile.first_vector) * n;
  }
  Vec<T> *near_features(const Tile &tile, int64_t member) const { return kept(v.features, near.n_saved(), tile, member); }
  Vec<T> *hidden(const Tile &tile, int64_t member) const { return kept(v.hidden, message.n_saved(), tile, member); }
  Vec<T> *of_rows_read(const Tile &tile, int64_t member) const { return kept(v.of_rows, near.n_rows(), tile, member); }
};

// Inside a parallel region: by its first thread, the only one that may communicate, while the others wait.
inline void once(const Evaluation &v, void (*exchange)(void *)) {
  if (exchange == nullptr) return;
#pragma omp master
  exchange(v.context);
#pragma omp barrier
}

template <class T, class C> void evaluate(const Evaluation &v) {
  const auto todo = tiles<T>(v);
  const int64_t n_vectors = todo.empty() ? 0 : todo.back().first_vector + todo.back().n_vectors;
  std::atomic<int> threads = 0;
  const int n_threads = v.edges->n_threads;
  start(v);
  std::fill_n(static_cast<T *>(v.of_h), n_neighbors(v) * v.n_members * v.n_hop, T(0));
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)
  {
    const auto own = std::make_unique<Lean2<T, C>>(v, n_vectors, threads++);
#pragma omp for schedule(dynamic)
    for (size_t i = 0; i < todo.size(); ++i) own->send(todo[i]);
    once(v, v.send_h);
    for_each_in_order(todo, [&](const Tile &tile) { own->read(tile); }, [&](const Tile &tile) { own->merge_read(tile); });
    once(v, v.collect_of_h);
    for_each_in_order(todo, [&](const Tile &tile) { own->answer(tile); }, [&](const Tile &tile) { own->merge_answer(tile); });
  }
  finish(v);
}

}  // namespace

#define EXPORT(T, NAME)                                                        \
  extern "C" void evaluate_lean2_##NAME(const Evaluation *v) {                 \
    with_coupling(v->near->l_max, [&](auto c) { evaluate<T, decltype(c)>(*v); }); \
  }
EXPORT(float, float32)
EXPORT(double, float64)
