#pragma once

#include "model_file.h"
#include "potential.h"

namespace mlff {

// On a CPU, of a file of mlff/export/lammps/packed.py; throws std::runtime_error.
std::unique_ptr<Potential> kernels(const ModelFile &file);

}  // namespace mlff
