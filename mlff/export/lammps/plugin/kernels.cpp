// Evaluation by the project's own kernels, mlff/nn/native/: the same code that Python runs on a CPU.
#include <numeric>

#include "aligned.h"
#include "interface.h"
#include "kernels.h"

extern "C" {
void evaluate_lean_float32(const Evaluation *);
void evaluate_lean_float64(const Evaluation *);
void evaluate_lean2_float32(const Evaluation *);
void evaluate_lean2_float64(const Evaluation *);
void edge_vectors_float64(const EdgeVectors *, const double *positions, const double *cells, double *vectors);
}

namespace {

using mlff::json;

constexpr int64_t TOUCHED_AT_ONCE = 32;                      // BLOCK of scattered.h
template <class T> constexpr int64_t LANES = 64 / sizeof(T);  // the widest of lanes.h

template <class Array> void fill(Array &array, const json &numbers) {
  for (size_t i = 0; i < numbers.size(); ++i)
    if constexpr (std::is_array_v<std::remove_reference_t<decltype(array[0])>>)
      fill(array[i], numbers[i]);
    else
      array[i] = numbers[i];
}

Block block_of(const json &card) {
  Block block = {};
  block.l_max = card["l_max"], block.n_layers = card["n_layers"], block.n_gram = card["n_gram"], block.n_pieces = card["n_pieces"];
  block.n_species = card["n_species"], block.n_members = card["n_members"], block.n_product = card["n_product"];
  fill(block.channels, card["channels"]);
  fill(block.n_in, card["n_in"]);
  return block;
}

Mlp mlp_of(const json &card) {
  Mlp mlp = {};
  mlp.n_inputs = card["n_inputs"], mlp.n_hidden = card["n_hidden"], mlp.n_species = card["n_species"], mlp.is_direct = card["is_direct"];
  mlp.n_members = card["n_members"], mlp.n_out = card["n_out"];
  fill(mlp.n_in, card["n_in"]);
  fill(mlp.widths, card["widths"]);
  return mlp;
}

// A network's weights, and of a perceptron what standardises its rows.
template <class T> struct Weights {
  std::vector<T> weights, mean, inverse_spread;

  Weights() = default;
  Weights(const mlff::ModelFile &file, const std::string &name, bool standardises) : weights(file.tensor<T>(name + ".weights")) {
    if (!standardises) return;
    mean = file.tensor<T>(name + ".mean"), inverse_spread = file.tensor<T>(name + ".inverse_spread");
  }
};

template <class T> class Kernels : public mlff::Potential {
public:
  explicit Kernels(const mlff::ModelFile &file)
      : E0(file.tensor<double>("E0")), scale(file.tensor<double>("scale")), near_weights(file, "near", false), readout_weights(file, "readout", true),
        has_message(file.card.contains("message")), has_repulsion(file.card.contains("repulsion")), near(block_of(file.card["near"])),
        readout(mlp_of(file.card["readout"])), n_saved(file.card["n_saved"]), n_rows(file.card["n_rows"]) {
    const json &card = file.card;
    species = card["species"].get<std::vector<std::string>>(), masses = card["masses"].get<std::vector<double>>();
    r_max = card["r_max"], n_members = card["n_members"];
    edges.l_max = card["edges"]["l_max"], edges.n_species = species.size();
    fill(edges.n_radial, card["edges"]["n_radial"]);
    fill(edges.r_cut, card["edges"]["r_cut"]);
    if (file.has("bins")) bins = file.tensor<T>("bins");
    if (has_message) {
      far_weights = {file, "far", false}, message_weights = {file, "message", true};
      far = block_of(card["far"]), message = mlp_of(card["message"]);
      n_hop = message.n_out;
    }
    if (has_repulsion) {
      strength = file.tensor<double>("repulsion.strength"), length = file.tensor<double>("repulsion.length");
      range = file.tensor<double>("repulsion.range");
      pairs.n_species = species.size();
      fill(pairs.coefficients, card["repulsion"]["coefficients"]);
      fill(pairs.exponents, card["repulsion"]["exponents"]);
      pairs.strength = strength.data(), pairs.length = length.data(), pairs.range = range.data();
    }
  }

  void evaluate(const mlff::Sites &sites, const double *positions, mlff::Virials virials, int n_threads, const mlff::Exchange &exchange,
                mlff::Answer &answer) override {
    find_vectors(sites, positions, n_threads);
    for (Block *block : {&near, &far}) block->n_sites = sites.n_sites, block->sites_per_species = sites.sites_per_species.data();
    for (Mlp *mlp : {&readout, &message}) mlp->n_sites = sites.n_sites, mlp->sites_per_species = sites.sites_per_species.data();
    Evaluation e = {};
    e.n_members = n_members, e.n_atoms = sites.n_atoms, e.n_others = sites.n_others;
    e.n_bins = bins.size() / species.size();
    e.edges = &edges, e.neighbor = sites.neighbor.data(), e.site_of_atom = sites.site_of_atom.data();
    e.near = &near, e.near_weights = near_weights.weights.data();
    e.readout = &readout, e.readout_weights = readout_weights.weights.data();
    e.readout_mean = readout_weights.mean.data(), e.readout_inverse_spread = readout_weights.inverse_spread.data();
    e.scale = scale.data(), e.bins = bins.empty() ? nullptr : bins.data();
    if (has_repulsion) {
      pairs.n_threads = n_threads, pairs.n_slots = sites.n_slots, pairs.n_sites = sites.n_sites;
      pairs.sites_per_species = sites.sites_per_species.data(), pairs.slots_per_species = sites.slots_per_species.data();
      e.repulsion = &pairs, e.repelled = resized(repelled, sites.n_sites), e.repulsive_pull = resized(repulsive_pull, 3 * sites.n_sites);
    }
    e.energies = resized(energies, n_members * sites.n_sites);
    e.forces = resized(answer.forces, n_members * sites.n_atoms * 3);
    e.n_graphs = virials == mlff::Virials::of_each ? sites.n_sites : 1;
    group.assign(sites.n_sites, 0);
    if (virials == mlff::Virials::of_each) std::iota(group.begin(), group.end(), 0);
    e.graph_of_site = group.data();
    if (virials != mlff::Virials::none) e.virials = resized(answer.virials, n_members * e.n_graphs * 9);

    const int64_t n_all = sites.n_sites + sites.n_others, n_touched = (n_all + TOUCHED_AT_ONCE - 1) / TOUCHED_AT_ONCE;
    e.pushed = resized(pushed, n_threads * n_all * n_members * 3), e.touched = resized(touched, n_threads * n_touched);
    e.pull = resized(pull, n_all * n_members * 3);
    if (has_message) {
      int64_t n_padded = 0;
      for (const int64_t n : sites.sites_per_species) n_padded += (n + LANES<T> - 1) / LANES<T> * LANES<T>;
      e.n_hop = n_hop;
      e.far = &far, e.far_weights = far_weights.weights.data();
      e.message = &message, e.message_weights = message_weights.weights.data();
      e.message_mean = message_weights.mean.data(), e.message_inverse_spread = message_weights.inverse_spread.data();
      e.pushed_h = resized(pushed_h, n_threads * n_all * n_members * n_hop), e.touched_h = resized(touched_h, n_threads * n_touched);
      e.h = resized(h, n_all * n_members * n_hop), e.of_h = resized(of_h, n_all * n_members * n_hop);
      e.features = resized(features, n_members * n_padded * n_saved), e.of_rows = resized(of_rows, n_members * n_padded * n_rows);
      e.hidden = resized(hidden, n_members * n_padded * std::accumulate(message.widths, message.widths + message.n_hidden, int64_t(0)));
      e.send_h = [](void *context) { static_cast<const mlff::Exchange *>(context)->send_h(); };
      e.collect_of_h = [](void *context) { static_cast<const mlff::Exchange *>(context)->collect_of_h(); };
      e.context = const_cast<mlff::Exchange *>(&exchange);
    }
    call(e);
    sum_energies(sites, answer.energies);
  }

  void get_h(int64_t site, double *to) const override { std::copy_n(&h[site * shared()], shared(), to); }
  void set_h(int64_t site, const double *from) override { std::copy_n(from, shared(), &h[site * shared()]); }
  void get_of_h(int64_t site, double *to) const override { std::copy_n(&of_h[site * shared()], shared(), to); }
  void add_of_h(int64_t site, const double *from) override {
    for (int64_t i = 0; i < shared(); ++i) of_h[site * shared() + i] += from[i];
  }

  double memory() const override {
    const size_t n = pushed.capacity() + pushed_h.capacity() + h.capacity() + of_h.capacity() + features.capacity() + hidden.capacity() +
                     of_rows.capacity() + energies.capacity();
    return double(n) * sizeof(T) + double(vectors.capacity() + pull.capacity() + repulsive_pull.capacity() + repelled.capacity()) * sizeof(double);
  }

private:
  const std::vector<double> E0, scale;  // (n_members, n_species), eV; (n_members,), eV per unit
  const Weights<T> near_weights, readout_weights;
  Weights<T> far_weights, message_weights;
  const bool has_message, has_repulsion;
  std::vector<T> bins;
  std::vector<double> strength, length, range;
  Edges edges = {};
  Pairs pairs = {};
  Block near, far = {};
  Mlp readout, message = {};
  const int64_t n_saved, n_rows;  // numbers of each member and site, see evaluation.py
  // kept from call to call; what is pushed and touched is 0 between calls
  std::vector<double> vectors, pull, repulsive_pull, repelled;
  std::vector<T> energies, pushed, pushed_h, h, of_h;
  mlff::Aligned<T> features, hidden, of_rows;
  std::vector<uint8_t> touched, touched_h;
  std::vector<int64_t> group;

  int64_t shared() const { return int64_t(n_members) * n_hop; }

  template <class Numbers> static auto *resized(Numbers &numbers, int64_t n) {
    if (int64_t(numbers.size()) < n) numbers.resize(n);
    return numbers.data();
  }

  void find_vectors(const mlff::Sites &sites, const double *positions, int n_threads) {
    edges.n_threads = n_threads, edges.n_slots = sites.n_slots, edges.n_sites = sites.n_sites;
    edges.slots_per_species = sites.slots_per_species.data();
    edges.vectors = resized(vectors, 3 * sites.n_slots * sites.n_sites);
    const std::vector<int64_t> no_graph(sites.n_atoms, 0);
    const double no_cell[9] = {};
    EdgeVectors e = {};
    e.n_threads = n_threads, e.n_atoms = sites.n_atoms, e.n_slots = sites.n_slots, e.n_sites = sites.n_sites, e.n_others = sites.n_others;
    e.padding = 2 * r_max;
    e.site_of_atom = sites.site_of_atom.data(), e.graph_index = no_graph.data();
    e.neighbor = sites.neighbor.data(), e.filled = sites.filled.get();
    edge_vectors_float64(&e, positions, no_cell, vectors.data());
  }

  void call(const Evaluation &e) const {
    if constexpr (sizeof(T) == 4)
      has_message ? evaluate_lean2_float32(&e) : evaluate_lean_float32(&e);
    else
      has_message ? evaluate_lean2_float64(&e) : evaluate_lean_float64(&e);
  }

  // Each site's, less what the network says of an isolated one: then such an atom has exactly E0.
  void sum_energies(const mlff::Sites &sites, std::vector<double> &sums) const {
    sums.assign(sites.n_sites, 0.0);
    const int64_t n_species = species.size();
    for (int64_t member = 0; member < n_members; ++member)
      for (int64_t s = 0, site = 0; s < n_species; ++s) {
        const T *of_member = &energies[member * sites.n_sites];
        const int64_t isolated = site + sites.sites_per_species[s] - 1;
        for (; site < isolated; ++site)
          sums[site] += (E0[member * n_species + s] + scale[member] * (double(of_member[site]) - double(of_member[isolated]))) / n_members;
        ++site;
      }
    for (int64_t site = 0; has_repulsion && site < sites.n_sites; ++site) sums[site] += repelled[site];
  }
};

}  // namespace

std::unique_ptr<mlff::Potential> mlff::kernels(const ModelFile &file) {
  if (file.card["dtype"] == "float64") return std::make_unique<Kernels<double>>(file);
  return std::make_unique<Kernels<float>>(file);
}
