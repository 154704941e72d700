#include "sites.h"

#include <algorithm>

namespace {

constexpr int NEIGHBOR_MASK = 0x1FFFFFFF;  // LAMMPS keeps kinds of bonds in the bits above

struct Found {
  double square;
  int species, atom;
};

// Of one centre, species by species, near ones first.
void find(const mlff::Atoms &atoms, int64_t k, std::vector<Found> &found) {
  const int i = atoms.centres[k];
  const double *x = atoms.positions + 3 * i;
  found.clear();
  for (int n = 0; n < atoms.n_neighbors[i]; ++n) {
    const int j = atoms.neighbors[i][n] & NEIGHBOR_MASK, species = atoms.species[j];
    if (species < 0) continue;
    const double *y = atoms.positions + 3 * j, d[3] = {y[0] - x[0], y[1] - x[1], y[2] - x[2]};
    found.push_back({d[0] * d[0] + d[1] * d[1] + d[2] * d[2], species, j});
  }
  std::sort(found.begin(), found.end(), [](const Found &a, const Found &b) {
    return a.species != b.species ? a.species < b.species : a.square != b.square ? a.square < b.square : a.atom < b.atom;
  });
}

}  // namespace

void mlff::Sites::arrange(const Atoms &atoms, int n_species, int n_isolated, int least_slots) {
  ++n_arranged;
  n_atoms = atoms.n_atoms;
  sites_per_species.assign(n_species, n_isolated);
  slots_per_species.assign(n_species, least_slots);
  std::vector<int64_t> centres;  // positions in the list
  for (int64_t k = 0; k < atoms.n_centres; ++k) {
    const int species = atoms.species[atoms.centres[k]];
    if (species < 0) continue;
    centres.push_back(k), ++sites_per_species[species];
  }
  n_sites = centres.size() + n_species * n_isolated, n_others = n_atoms - centres.size();

  std::vector<int64_t> next(n_species, 0);
  for (int s = 1; s < n_species; ++s) next[s] = next[s - 1] + sites_per_species[s - 1];
  site_of_atom.assign(n_atoms, -1), atom_of_site.assign(n_sites, -1);
  for (const int64_t k : centres) {
    const int atom = atoms.centres[k];
    const int64_t site = next[atoms.species[atom]]++;
    site_of_atom[atom] = site, atom_of_site[site] = atom;
  }
  int64_t other = n_sites;
  for (int64_t &site : site_of_atom)
    if (site < 0) site = other++;

  std::vector<Found> found, all;
  std::vector<int64_t> first{0};
  for (const int64_t k : centres) {
    find(atoms, k, found);
    std::vector<int64_t> count(n_species, 0);
    for (const Found &one : found) ++count[one.species];
    for (int s = 0; s < n_species; ++s) slots_per_species[s] = std::max(slots_per_species[s], count[s]);
    all.insert(all.end(), found.begin(), found.end());
    first.push_back(all.size());
  }
  std::vector<int64_t> first_slot(n_species, 0);
  for (int s = 1; s < n_species; ++s) first_slot[s] = first_slot[s - 1] + slots_per_species[s - 1];
  n_slots = n_species ? first_slot.back() + slots_per_species.back() : 0;
  neighbor.resize(n_slots * n_sites);
  filled.reset(new bool[n_slots * n_sites]());
  for (int64_t slot = 0; slot < n_slots; ++slot)
    for (int64_t site = 0; site < n_sites; ++site) neighbor[slot * n_sites + site] = site;
  for (size_t c = 0; c < centres.size(); ++c) {
    const int64_t site = site_of_atom[atoms.centres[centres[c]]];
    for (int64_t e = first[c], rank = 0; e < first[c + 1]; ++e) {
      rank = e > first[c] && all[e].species == all[e - 1].species ? rank + 1 : 0;
      const int64_t at = (first_slot[all[e].species] + rank) * n_sites + site;
      neighbor[at] = site_of_atom[all[e].atom], filled[at] = true;
    }
  }
}
