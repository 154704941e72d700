// A trained model, one or the members of a committee, as a pair style sees it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sites.h"

namespace mlff {

enum class Virials { none, of_all, of_each };  // summed over all sites, or of each site

struct Answer {
  std::vector<double> energies;  // eV of each site, the members' mean
  std::vector<double> forces;    // eV/A, (n_members, n_atoms, 3), with what sites here do to atoms that are sites elsewhere
  std::vector<double> virials;   // eV, (n_members, 1 or n_sites, 9): sum of r (x) dE/dr
};

// What a model with messages shares between ranks while it is evaluated.
struct Exchange {
  std::function<void()> send_h;        // h of the sites to whoever has them as neighbours alone
  std::function<void()> collect_of_h;  // dE/dh of those back to the sites
};

class Potential {
public:
  std::vector<std::string> species;
  std::vector<double> masses;  // amu
  double r_max = 0;            // A
  int n_members = 1, n_hop = 0;
  int n_isolated = 1, least_slots = 0;  // of each species, as it wants its sites arranged

  virtual ~Potential() = default;
  // throws std::runtime_error where a device fails
  virtual void evaluate(const Sites &sites, const double *positions, Virials virials, int n_threads, const Exchange &exchange,
                        Answer &answer) = 0;

  // (n_members * n_hop) numbers of a site, or of one elsewhere
  virtual void get_h(int64_t site, double *to) const = 0;
  virtual void set_h(int64_t site, const double *from) = 0;
  virtual void get_of_h(int64_t site, double *to) const = 0;
  virtual void add_of_h(int64_t site, const double *from) = 0;
  virtual double memory() const = 0;  // bytes

  // A model file of mlff/export/lammps; throws std::runtime_error. local_rank: among those of this machine, who share its GPUs.
  static std::unique_ptr<Potential> read(const std::string &path, int local_rank);
};

}  // namespace mlff
