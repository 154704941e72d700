#include "potential.h"

#include <dlfcn.h>

#include <filesystem>

#include "kernels.h"
#include "stages.h"

namespace {

constexpr const char *REMEDY = "; export the model on this machine again, with engine=lammps engine.backend=stages, which builds it";

// Beside this plugin, where mlff/export/lammps/build.py puts it: no path has to be told, and the folder changes with the headers that both
// share. Its name holds torch's version, so that none is loaded that was built for another.
mlff::MakeStages *stages() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void *>(&stages), &self) == 0) throw std::runtime_error("cannot tell where pair_style mlff was loaded from");
  const auto path = std::filesystem::canonical(self.dli_fname).parent_path() / MLFF_TORCH_LIBRARY;
  if (!std::filesystem::exists(path)) throw std::runtime_error("the model runs by libtorch, but found no " + path.string() + REMEDY);
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void *found = library ? dlsym(library, MLFF_STAGES) : nullptr;
  if (found == nullptr) throw std::runtime_error("the model runs by libtorch, but cannot load it: " + std::string(dlerror()) + REMEDY);
  return reinterpret_cast<mlff::MakeStages *>(found);
}

}  // namespace

std::unique_ptr<mlff::Potential> mlff::Potential::read(const std::string &path, int local_rank) {
  const ModelFile file(path);
  if (file.card.value("backend", "kernels") == "stages") return std::unique_ptr<Potential>(stages()(path.c_str(), local_rank));
  return kernels(file);
}
