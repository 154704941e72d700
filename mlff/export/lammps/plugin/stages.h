// A library of its own, mlff/export/lammps/torch_plugin/: linked to it, every LAMMPS with the plugin would load libtorch.
#pragma once

#include "potential.h"

#define MLFF_STAGES "mlff_stages"  // its one function

namespace mlff {

// Stages compiled by AOTInductor, on their own device, of a file of mlff/export/lammps/staged.py; throws std::runtime_error.
using MakeStages = Potential *(const char *path, int local_rank);

}  // namespace mlff
