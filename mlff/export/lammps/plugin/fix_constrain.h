// fix mlff/constrain: motions of polyatomic anions taken away by constant projectors, mlff/geometry/anion_motion.py.
#pragma once

#include <memory>
#include <vector>

#include "fix.h"
#include "held_anions.h"

namespace LAMMPS_NS {

class FixConstrain : public Fix {
public:
  FixConstrain(LAMMPS *lmp, int narg, char **arg);

  int setmask() override;
  void init() override;
  void setup_post_neighbor() override;
  void setup(int vflag) override;
  void min_setup(int vflag) override;
  void post_force(int vflag) override;
  void min_post_force(int vflag) override;
  void end_of_step() override;
  bigint dof(int group) override;
  double memory_usage() override;

private:
  enum class Of { velocities, forces, steps };

  std::unique_ptr<mlff::HeldAnions> held;
  std::vector<double> sums;  // along each direction that is taken away, of all ranks

  void project(double **vectors, Of of);
  double largest(int &anion) const;
  const mlff::HeldAnions::Place *place_of(int i) const;
  double mass_of(int i) const;
  void check_fixes() const;
  void check_masses() const;
  void check_positions() const;
  void check_temperatures() const;
};

}  // namespace LAMMPS_NS
