// Model deviations of a committee, and the file that DeePMD-kit keeps them in; mlff/uncertainty/{deviation,model_devi}.py.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace mlff {

struct Range {
  double largest, smallest, mean;
};

struct Deviation {
  Range virial, force;  // eV per atom; eV/A
  int64_t worst;        // the tag of the atom whose force deviates most
};

// sqrt(mean over members |F - <F>|^2) of each atom, eV/A; forces (n_members, n_atoms, 3), of which the first n_local atoms count.
std::vector<double> force_deviation(const std::vector<double> &forces, int n_members, int64_t n_atoms, int64_t n_local);

// Of all ranks; virials (n_members, 9) are sums of all ranks. tags: of the local atoms.
Deviation deviation(const std::vector<double> &of_atoms, const std::vector<int64_t> &tags, const std::vector<double> &virials, int n_members,
                    MPI_Comm world);

class DeviationFile {
public:
  // Appends to what is there, less a line that a killed run left unfinished; throws std::runtime_error.
  explicit DeviationFile(const std::string &path);
  ~DeviationFile();
  DeviationFile(const DeviationFile &) = delete;
  void append(int64_t step, const Deviation &deviation);

private:
  FILE *file;
};

}  // namespace mlff
