// Anions whose motion is constrained, and the file that tells them, mlff/export/lammps/constraint.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlff {

struct HeldAnion {
  std::vector<int64_t> tags;
  std::vector<double> masses;     // amu
  std::vector<double> reference;  // (n, 3), A, about the centre of mass
  int n_taken;
  std::vector<double> taken;  // (n_taken, 3n), orthonormal directions in coordinates sqrt(m) r
  std::vector<double> plane;  // (n_taken, 3n), orthonormal directions in r that span the same constraints
};

class HeldAnions {
public:
  std::string mode;
  int64_t n_atoms;  // of the structure
  bool pins_momentum;
  std::vector<HeldAnion> anions;
  std::vector<int64_t> first;  // of each anion the place of its first direction; at last how many there are
  int64_t n_places = 0;        // atoms of all anions

  // of an atom among those of all anions
  struct Place {
    int anion = -1, atom;
    int64_t of_all;
  };
  std::vector<Place> place;  // of each tag

  // The text of a file; throws std::runtime_error.
  HeldAnions(const std::string &text, const std::string &path);
};

}  // namespace mlff
