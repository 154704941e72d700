// pair_style mlff: a trained model in LAMMPS.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deviation.h"
#include "pair.h"
#include "potential.h"

namespace LAMMPS_NS {

class PairMLFF : public Pair {
public:
  explicit PairMLFF(LAMMPS *lmp);
  ~PairMLFF() override;

  void settings(int narg, char **arg) override;
  void coeff(int narg, char **arg) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void compute(int eflag, int vflag) override;
  int pack_forward_comm(int n, int *list, double *buffer, int pbc_flag, int *pbc) override;
  void unpack_forward_comm(int n, int first, double *buffer) override;
  int pack_reverse_comm(int n, int first, double *buffer) override;
  void unpack_reverse_comm(int n, int *list, double *buffer) override;
  // "forces_std": eV/A, at a step that was looked at, as every step is where somebody sets "forces_std_flag" to 1
  void *extract(const char *name, int &n_dimensions) override;
  void *extract_peratom(const char *name, int &n_columns) override;
  double memory_usage() override;

private:
  std::unique_ptr<mlff::Potential> potential;
  mlff::Sites sites;
  mlff::Answer answer;
  std::vector<int> species_of_type, species;  // of each atom; -1: none
  int n_threads = 0;                          // 0: not given
  // of a committee
  std::string devi_path;
  std::unique_ptr<mlff::DeviationFile> devi_file;
  bigint devi_every, last_devi;  // last_devi: the last step in the file
  double stop_above, flag_above;
  std::vector<double> forces_std;
  bigint std_step = -1;      // of forces_std
  int wants_std = 0;
  bool sums_forces = false;  // what a reverse communication is about
  const mlff::Exchange exchange;

  void arrange();
  void tally();
  void deviate();
  MPI_Comm machine() const;  // the ranks that share this one's
  int local_rank() const;  // on its machine
  int threads_of_rank() const;
  void check_masses() const;
};

}  // namespace LAMMPS_NS
