// Evaluation by stages that AOTInductor compiled, mlff/export/compiled/stages.py, on the device that they were compiled for.
#include "stages.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/cuda.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

#include "model_file.h"

namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;
using Loader = torch::inductor::AOTIModelPackageLoader;

// The device of the card; of several GPUs of a machine a rank takes its own where the card names none.
at::Device device_of(const std::string &name, int local_rank) {
  const at::Device device(name);
  if (!device.is_cuda()) return device;
  const int n_devices = torch::cuda::device_count();
  if (n_devices == 0)
    throw std::runtime_error("the model was exported for device " + name + ", but PyTorch finds no GPU; run it where there is one, or export it "
                             "with engine.device=cpu");
  return device.has_index() ? device : at::Device(at::kCUDA, local_rank % n_devices);
}

// libtorch's errors without their stack, as the pair style expects them.
template <class Does> auto plainly(Does does) {
  try {
    return does();
  } catch (const c10::Error &e) {
    throw std::runtime_error(e.what_without_backtrace());
  }
}

class Stages : public mlff::Potential {
public:
  Stages(const mlff::ModelFile &file, const std::filesystem::path &folder, int local_rank)
      : device(device_of(file.card["device"], local_rank)), dtype(file.card["dtype"] == "float64" ? at::kDouble : at::kFloat) {
    const auto &card = file.card;
    species = card["species"].get<std::vector<std::string>>(), masses = card["masses"].get<std::vector<double>>();
    r_max = card["r_max"], n_members = card["n_members"], n_hop = card["n_hop"];
    n_isolated = least_slots = card["least"];
    std::vector<double> energies = file.tensor<double>("E0"), scales = file.tensor<double>("scale");
    E0 = onto(at::from_blob(energies.data(), {n_members, int64_t(species.size())}, at::kDouble));
    scale = onto(at::from_blob(scales.data(), {n_members}, at::kDouble));
    for (const std::string name : card["stages"]) {
      const auto path = folder / (name + ".pt2");
      if (!std::filesystem::exists(path))
        throw std::runtime_error("found no " + path.string() + ", expected it beside the model; copy the whole folder, or export the model again");
      // without the locks of calls from several threads
      loaders.emplace(name, std::make_unique<Loader>(path.string(), "model", true, 1, device.index()));
    }
  }

  void evaluate(const mlff::Sites &sites, const double *positions, mlff::Virials virials, int n_threads, const mlff::Exchange &exchange,
                mlff::Answer &answer) override {
    plainly([&] {
      const c10::InferenceMode mode;
      const c10::OptionalDeviceGuard guard(device.is_cuda() ? std::optional<at::Device>(device) : std::nullopt);
      if (at::get_num_threads() != n_threads) at::set_num_threads(n_threads);
      if (arranged != sites.n_arranged) arrange(sites);
      const Tensor r = vectors(sites, positions);
      auto [learned, pull] = n_hop > 0 ? with_message(sites, r, exchange) : whole(r);
      pull = pull.to(at::kDouble) * scale.view({-1, 1, 1, 1});
      Tensor energies = learned.to(at::kDouble);
      energies = ((E0.index_select(1, kind) + scale.unsqueeze(1) * (energies - energies.index_select(1, isolated))) * real).mean(0);
      if (loaders.contains("repelled")) {
        const Tensors found = loaders.at("repelled")->run({r, kind, example});
        energies += found[0], pull += found[1];
      }
      copy(energies, answer.energies);
      copy(forces(sites, pull), answer.forces);
      if (virials == mlff::Virials::none) return;
      // component by component, as virials_from_edges
      Tensors components;
      for (const Tensor &component : r.unbind(0)) components.push_back((component * pull).sum(2));
      const Tensor each = at::stack(components, 1).flatten(1, 2);  // (n_members, 9, n_sites)
      copy(virials == mlff::Virials::of_each ? each.mT() : each.sum(2), answer.virials);
    });
  }

  void get_h(int64_t site, double *to) const override { std::copy_n(&h[site * shared()], shared(), to); }
  void set_h(int64_t site, const double *from) override { std::copy_n(from, shared(), &h[site * shared()]); }
  void get_of_h(int64_t site, double *to) const override { std::copy_n(&of_h[site * shared()], shared(), to); }
  void add_of_h(int64_t site, const double *from) override {
    for (int64_t i = 0; i < shared(); ++i) of_h[site * shared() + i] += from[i];
  }

  double memory() const override { return double(h.capacity() + of_h.capacity()) * sizeof(double); }  // the device's is torch's to tell

private:
  const at::Device device;
  const at::ScalarType dtype;  // of the network
  Tensor E0, scale;            // (n_members, n_species), eV; (n_members,), eV per unit
  std::map<std::string, std::unique_ptr<Loader>> loaders;
  // of one arrangement, on the device
  int64_t arranged = -1;
  Tensor neighbor, filled;             // (n_slots * n_sites,); (n_slots, n_sites)
  Tensor place;                        // of each atom among sites and others
  Tensor kind, isolated, real;         // of each site: its species, the site that is isolated, and 1 or, of an isolated one, 0
  Tensor example;                      // of each slot an isolated site of its species
  Tensors sizes;                       // as long as there are slots and sites of each species
  std::vector<double> h, of_h;         // (n_sites + n_others, n_members * n_hop), where MPI reads them

  int64_t shared() const { return int64_t(n_members) * n_hop; }

  Tensor onto(const Tensor &tensor) const { return tensor.to(device, tensor.scalar_type(), false, true); }

  Tensor onto(std::vector<int64_t> &numbers) const { return onto(at::from_blob(numbers.data(), {int64_t(numbers.size())}, at::kLong)); }

  static void copy(const Tensor &from, std::vector<double> &to) {
    to.resize(from.numel());
    at::from_blob(to.data(), from.sizes(), at::kDouble).copy_(from);
  }

  void arrange(const mlff::Sites &sites) {
    // On a GPU AOTInductor counts elements in 32 bits, and does not look when there are more. These are the largest that go in or come out.
    const int64_t n_elements = int64_t(n_members) * std::max(n_hop, 3) * sites.n_slots * sites.n_sites;
    if (device.is_cuda() && n_elements > std::numeric_limits<int32_t>::max())
      throw std::runtime_error(std::to_string(sites.n_sites) + " atoms with " + std::to_string(sites.n_slots) +
                               " neighbours are more than the compiled model can count on one GPU; share them among more ranks");
    std::vector<int64_t> kinds, alone, examples, found = sites.neighbor, places = sites.site_of_atom;
    std::vector<double> counts;
    for (size_t s = 0; s < species.size(); ++s) {
      const int64_t n = sites.sites_per_species[s];
      kinds.insert(kinds.end(), n, s);
      alone.insert(alone.end(), n, kinds.size() - 1);
      counts.insert(counts.end(), n - n_isolated, 1.0), counts.insert(counts.end(), n_isolated, 0.0);
      examples.insert(examples.end(), sites.slots_per_species[s], kinds.size() - 1);
    }
    found.resize(sites.n_slots * sites.n_sites);
    neighbor = onto(found), place = onto(places), kind = onto(kinds), isolated = onto(alone), example = onto(examples);
    real = onto(at::from_blob(counts.data(), {sites.n_sites}, at::kDouble));
    filled = onto(at::from_blob(sites.filled.get(), {sites.n_slots, sites.n_sites}, at::kBool));
    sizes.clear();
    for (const auto *lengths : {&sites.slots_per_species, &sites.sites_per_species})
      for (const int64_t n : *lengths) sizes.push_back(at::empty({n}, at::TensorOptions(device).dtype(at::kFloat)));
    arranged = sites.n_arranged;
  }

  // (..., n_sites + n_others) -> (..., n_slots, n_sites)
  Tensor at_edges(const Tensor &values) const { return values.index_select(-1, neighbor).unflatten(-1, filled.sizes()); }

  // r_j - r_i, (3, n_slots, n_sites); beyond every cutoff where a slot is empty.
  Tensor vectors(const mlff::Sites &sites, const double *positions) const {
    const Tensor atoms = at::from_blob(const_cast<double *>(positions), {sites.n_atoms, 3}, at::kDouble).to(device);
    const Tensor all = at::zeros({sites.n_sites + sites.n_others, 3}, atoms.options()).index_copy_(0, place, atoms).t().contiguous();
    const Tensor padding = at::full({3, 1, 1}, 2 * r_max, atoms.options());
    return at::where(filled, at_edges(all) - all.narrow(1, 0, sites.n_sites).unsqueeze(1), padding).contiguous();
  }

  Tensors run(const std::string &name, Tensors inputs) {
    for (Tensor &input : inputs) input = input.contiguous();
    inputs.insert(inputs.end(), sizes.begin(), sizes.end());
    return loaders.at(name)->run(inputs);
  }

  std::pair<Tensor, Tensor> whole(const Tensor &r) {
    const Tensors found = run("whole", {r});
    return {found[0], found[1]};
  }

  std::pair<Tensor, Tensor> with_message(const mlff::Sites &sites, const Tensor &r, const mlff::Exchange &exchange) {
    const int64_t n_sites = sites.n_sites, n_all = n_sites + sites.n_others;
    const Tensors near = run("near", {r});
    const Tensor own = near[0].flatten(0, 1);
    h.resize(n_all * shared());
    Tensor host = at::from_blob(h.data(), {n_all, shared()}, at::kDouble);
    host.narrow(0, 0, n_sites).copy_(own.t());
    exchange.send_h();
    const Tensor others = host.narrow(0, n_sites, sites.n_others).t().to(device, dtype);
    const Tensor weights = at_edges(at::cat({own, others}, 1)).unflatten(0, {int64_t(n_members), int64_t(n_hop)});

    const Tensors far = run("far", {r, weights, near[1]});
    const Tensor sums = at::zeros({shared(), n_all}, own.options()).index_add_(1, neighbor, far[1].reshape({shared(), -1}));
    copy(sums.t(), of_h);
    exchange.collect_of_h();
    host = at::from_blob(of_h.data(), {n_sites, shared()}, at::kDouble);
    const Tensor into_h = host.t().to(device, dtype).unflatten(0, {int64_t(n_members), int64_t(n_hop)});
    return {far[0], far[3] + run("near_forces", {r, far[2], into_h})[0]};
  }

  // F_i = sum_j (f_ij - f_ji), (n_members, n_atoms, 3)
  Tensor forces(const mlff::Sites &sites, const Tensor &pull) const {
    Tensor sums = at::zeros({n_members * 3, sites.n_sites + sites.n_others}, pull.options());
    sums.narrow(1, 0, sites.n_sites) += pull.sum(2).flatten(0, 1);
    sums.index_add_(1, neighbor, pull.reshape({n_members * 3, -1}), -1);
    return sums.index_select(1, place).unflatten(0, {int64_t(n_members), 3}).mT();
  }
};

}  // namespace

extern "C" mlff::Potential *mlff_stages(const char *path, int local_rank) {
  return plainly([&]() -> mlff::Potential * {
    return new Stages(mlff::ModelFile(path), std::filesystem::absolute(path).parent_path(), local_rank);
  });
}
