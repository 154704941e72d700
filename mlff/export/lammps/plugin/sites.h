// Atoms of one rank as the model takes them: centres sorted by species, their neighbours in padded slots, mlff/nn/slots.py.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace mlff {

// What LAMMPS knows of a rank's atoms, ghosts included.
struct Atoms {
  int64_t n_atoms, n_centres;
  const int *centres, *const *neighbors, *n_neighbors;  // atoms; of each centre its list, which may reach beyond the cutoff
  const int *species;                                   // of each atom, -1 for none
  const double *positions;                              // (n_atoms, 3), A
};

struct Sites {
  int64_t n_arranged = 0;  // how often: as long as it stays, only positions have changed
  int64_t n_atoms = 0, n_sites = 0, n_others = 0, n_slots = 0;
  std::vector<int64_t> sites_per_species, slots_per_species;  // with isolated sites at the end of each species
  std::vector<int64_t> site_of_atom;                          // of those that are no centre from n_sites on
  std::vector<int64_t> atom_of_site;                          // -1 of an isolated one
  std::vector<int64_t> neighbor;                              // (n_slots, n_sites), its own where the slot is empty
  std::unique_ptr<bool[]> filled;                             // (n_slots, n_sites)

  // Near neighbours come first: slots that none of adjacent sites needs are then left out. Of each species there are so many isolated
  // sites, and at least so many slots.
  void arrange(const Atoms &atoms, int n_species, int n_isolated, int least_slots);
};

}  // namespace mlff
