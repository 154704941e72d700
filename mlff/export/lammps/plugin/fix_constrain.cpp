#include "fix_constrain.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "atom.h"
#include "comm.h"
#include "compute.h"
#include "domain.h"
#include "error.h"
#include "group.h"
#include "modify.h"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;
using namespace FixConst;

namespace {

constexpr double STILL = 1e-6;     // A/ps: rounding of a step is 1e-14, a thermal velocity 1 to 10
constexpr double IN_PLACE = 1e-3;  // A: positions that were printed with few digits lie within
constexpr double SAME_MASS = 1e-6;

}  // namespace

// fix ID all mlff/constrain FILE
FixConstrain::FixConstrain(LAMMPS *lmp, int narg, char **arg) : Fix(lmp, narg, arg) {
  if (narg != 4) error->all(FLERR, "expected fix ID all mlff/constrain FILE, a file of mlff.export.lammps.write_constraint");
  if (igroup != 0) error->all(FLERR, "fix mlff/constrain is given group {}, but its file names the atoms; say all", group->names[igroup]);
  std::string text, problem;
  bigint length = -1;
  if (comm->me == 0) {
    std::ifstream file(arg[3], std::ios::binary);
    if (file) text.assign(std::istreambuf_iterator<char>(file), {}), length = text.size();
  }
  MPI_Bcast(&length, 1, MPI_LMP_BIGINT, 0, world);
  if (length < 0) error->all(FLERR, "fix mlff/constrain cannot read {}; write it with mlff.export.lammps.write_constraint", arg[3]);
  text.resize(length);
  MPI_Bcast(text.data(), length, MPI_CHAR, 0, world);
  try {
    held = std::make_unique<mlff::HeldAnions>(text, arg[3]);
  } catch (const std::exception &e) {
    problem = e.what();
  }
  if (!problem.empty()) error->all(FLERR, problem);
  dof_flag = 1;
  nevery = 1;
  sums.resize(held->first.back());
  if (comm->me == 0)
    utils::logmesg(lmp, "fix mlff/constrain: {} of {} anions takes away {} degrees of freedom\n", held->mode, held->anions.size(), sums.size());
}

int FixConstrain::setmask() { return POST_NEIGHBOR | POST_FORCE | END_OF_STEP | MIN_POST_NEIGHBOR | MIN_POST_FORCE; }

void FixConstrain::init() {
  if (strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, "the input has units {}, but fix mlff/constrain was written in Angstrom and amu; say units metal", update->unit_style);
  if (utils::strmatch(update->integrate_style, "^respa"))
    error->all(FLERR, "fix mlff/constrain projects whole forces, of which run_style {} has parts; say run_style verlet", update->integrate_style);
  if (!atom->tag_enable) error->all(FLERR, "fix mlff/constrain finds atoms by id, which atom_modify id no leaves out; say atom_modify id yes");
  if (atom->natoms != held->n_atoms)
    error->all(FLERR, "there are {} atoms, but fix mlff/constrain was written for {}; write the file for this structure", atom->natoms,
               held->n_atoms);
  // the others divide forces by masses: steps would leave the constraint
  const std::string minimizer = update->minimize_style;
  if (update->whichflag == 2 && minimizer != "cg" && minimizer != "sd" && minimizer != "hftn")
    error->all(FLERR, "min_style {} has velocities, which fix mlff/constrain does not project; say min_style cg, sd or hftn", minimizer);
  check_fixes();
  check_masses();
}

void FixConstrain::check_fixes() const {
  bool after = false;
  for (Fix *other : modify->get_fix_list()) {
    if (other == this) {
      after = true;
      continue;
    }
    if (strcmp(other->style, style) == 0) error->all(FLERR, "fix {} is a second fix mlff/constrain; write one file for all anions", other->id);
    if (other->box_change & ~BOX_CHANGE_DOMAIN)
      error->all(FLERR, "fix {} ({}) changes the box, but the constraints' forces of fix mlff/constrain have a virial of their own, which is not "
                 "derived; keep the box", other->id, other->style);
    if (after && modify->get_fix_mask(other) & (POST_FORCE | MIN_POST_FORCE))
      error->all(FLERR, "fix {} ({}) changes forces after fix mlff/constrain has projected them; put fix mlff/constrain after it", other->id,
                 other->style);
    if (!other->rigid_flag && !utils::strmatch(other->style, "^shake") && !utils::strmatch(other->style, "^rattle")) continue;
    int shared = 0;
    for (int i = 0; i < atom->nlocal; ++i) shared |= place_of(i) != nullptr && (atom->mask[i] & other->groupbit);
    MPI_Allreduce(MPI_IN_PLACE, &shared, 1, MPI_INT, MPI_MAX, world);
    if (shared)
      error->all(FLERR, "fix {} ({}) constrains atoms of anions that fix mlff/constrain constrains; leave them out of its group", other->id,
                 other->style);
  }
}

void FixConstrain::check_masses() const {
  for (int i = 0; i < atom->nlocal; ++i) {
    const auto *place = place_of(i);
    if (place == nullptr) continue;
    const double expected = held->anions[place->anion].masses[place->atom];
    if (std::abs(mass_of(i) / expected - 1) > SAME_MASS)
      error->one(FLERR, "atom {} has a mass of {} amu, but fix mlff/constrain was written for {}; write the file for this structure", atom->tag[i],
                 mass_of(i), expected);
  }
}

void FixConstrain::setup_post_neighbor() {
  check_positions();
  if (update->whichflag != 1) return;
  project(atom->v, Of::velocities);
  int anion;
  if (largest(anion) > STILL && comm->me == 0)
    utils::logmesg(lmp, "fix mlff/constrain: took the constrained motion out of velocities, up to {:.3g} A/ps of an anion; velocity all scale "
                   "sets the temperature anew\n", largest(anion));
}

void FixConstrain::setup(int vflag) {
  post_force(vflag);
  check_temperatures();
}

void FixConstrain::min_setup(int vflag) { min_post_force(vflag); }

void FixConstrain::post_force(int) { project(atom->f, Of::forces); }

// A minimizer steps along forces, masses apart.
void FixConstrain::min_post_force(int) { project(atom->f, Of::steps); }

void FixConstrain::end_of_step() {
  project(atom->v, Of::velocities);
  int anion;
  const double velocity = largest(anion);
  if (!(velocity <= STILL))
    error->all(FLERR, "at step {} the anion of atom {} had a velocity of {:.3g} A/ps along what fix mlff/constrain takes away, expected none; "
               "another fix gives it: move all with fix nve or nvt, and with a thermostat that adds forces or scales all velocities",
               update->ntimestep, held->anions[anion].tags[0], velocity);
}

// P v, P^T F, or forces as steps. Atoms of an anion may be any rank's: only the sums along what is taken away are shared.
void FixConstrain::project(double **vectors, Of of) {
  const auto weight = [&](int i) { return of == Of::steps ? 1.0 : of == Of::forces ? 1 / std::sqrt(mass_of(i)) : std::sqrt(mass_of(i)); };
  std::fill(sums.begin(), sums.end(), 0.0);
  for (const bool summing : {true, false}) {
    for (int i = 0; i < atom->nlocal; ++i) {
      const auto *place = place_of(i);
      if (place == nullptr) continue;
      const mlff::HeldAnion &anion = held->anions[place->anion];
      const size_t length = anion.reference.size();
      const double *row = (of == Of::steps ? anion.plane : anion.taken).data() + 3 * place->atom, w = weight(i);
      double *sum = &sums[held->first[place->anion]], *vector = vectors[i];
      for (int k = 0; k < anion.n_taken; ++k, row += length) {
        if (summing)
          sum[k] += w * (row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]);
        else
          for (int a = 0; a < 3; ++a) vector[a] -= sum[k] * row[a] / w;
      }
    }
    if (summing) MPI_Allreduce(MPI_IN_PLACE, sums.data(), sums.size(), MPI_DOUBLE, MPI_SUM, world);
  }
}

// The velocity of an anion along what was taken away, A/ps, and which anion's it is.
double FixConstrain::largest(int &anion) const {
  double found = -1;
  for (size_t k = 0; k < held->anions.size(); ++k) {
    double square = 0, mass = 0;
    for (int64_t row = held->first[k]; row < held->first[k + 1]; ++row) square += sums[row] * sums[row];
    for (const double one : held->anions[k].masses) mass += one;
    const double velocity = std::sqrt(square / mass);
    if (!(velocity <= found)) found = velocity, anion = k;  // NaN too
  }
  return found;
}

// Each anion lies as its reference does, but for what it is free to do.
void FixConstrain::check_positions() const {
  std::vector<double> x(4 * held->n_places, 0.0);  // and whether it is there
  for (int i = 0; i < atom->nlocal; ++i)
    if (const auto *place = place_of(i)) {
      for (int a = 0; a < 3; ++a) x[4 * place->of_all + a] = atom->x[i][a];
      x[4 * place->of_all + 3] = 1;
    }
  MPI_Allreduce(MPI_IN_PLACE, x.data(), x.size(), MPI_DOUBLE, MPI_SUM, world);
  for (const auto &anion : held->anions) {
    const int n = anion.tags.size();
    const double *begin = &x[4 * held->place[anion.tags[0]].of_all];
    std::vector<double> moved(3 * n);
    double mass = 0, centre[3] = {};
    for (int i = 0; i < n; ++i) {
      if (begin[4 * i + 3] != 1) error->all(FLERR, "atom {} of an anion of fix mlff/constrain is lost; write the file for this structure", anion.tags[i]);
      double d[3];  // from the reference, small in the nearest image, however large the anion
      for (int a = 0; a < 3; ++a) d[a] = begin[4 * i + a] - begin[a] - anion.reference[3 * i + a] + anion.reference[a];
      domain->minimum_image(FLERR, d[0], d[1], d[2]);
      mass += anion.masses[i];
      for (int a = 0; a < 3; ++a) moved[3 * i + a] = d[a], centre[a] += anion.masses[i] * d[a];
    }
    double square = 0;
    for (int k = 0; k < anion.n_taken; ++k) {
      double along = 0;
      for (int a = 0; a < 3 * n; ++a) along += anion.taken[k * 3 * n + a] * std::sqrt(anion.masses[a / 3]) * (moved[a] - centre[a % 3] / mass);
      square += along * along;
    }
    if (!(std::sqrt(square / mass) <= IN_PLACE))
      error->all(FLERR, "the anion of atom {} lies {:.3g} A from its reference along what fix mlff/constrain takes away, expected within {:g}; write "
                 "the file for this structure, and the data file of what write_constraint returns", anion.tags[0], std::sqrt(square / mass),
                 IN_PLACE);
  }
}

// LAMMPS takes 3 for the total momentum unless it is told otherwise.
void FixConstrain::check_temperatures() const {
  bool langevin = false;
  for (const Fix *other : modify->get_fix_list()) langevin |= utils::strmatch(other->style, "^langevin");
  if (!held->pins_momentum && !langevin) return;
  const double free = 3.0 * atom->natoms - held->first.back();
  for (const Compute *compute : modify->get_compute_list())
    if (compute->tempflag && compute->igroup == 0 && strcmp(compute->style, "temp") == 0 && compute->dof < free - 0.5 && comm->me == 0)
      error->warning(FLERR, "compute {} counts {:g} degrees of freedom, but {:g} are free, because {} not conserve the total momentum; say "
                     "compute_modify {} extra/dof 0", compute->id, compute->dof, free,
                     held->pins_momentum ? "constrained translations do" : "fix langevin, unless it says zero yes, does", compute->id);
}

// The trace of what is taken away over the group's atoms: of an anion that the group cuts, the part of its energy that they lack.
bigint FixConstrain::dof(int which) {
  double found = 0;
  for (int i = 0; i < atom->nlocal; ++i) {
    const auto *place = place_of(i);
    if (place == nullptr || !(atom->mask[i] & group->bitmask[which])) continue;
    const mlff::HeldAnion &anion = held->anions[place->anion];
    for (int k = 0; k < anion.n_taken; ++k)
      for (int a = 0; a < 3; ++a) {
        const double one = anion.taken[k * anion.reference.size() + 3 * place->atom + a];
        found += one * one;
      }
  }
  MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_DOUBLE, MPI_SUM, world);
  return std::llround(found);
}

double FixConstrain::memory_usage() {
  double bytes = (sums.size() + held->first.size()) * sizeof(double) + held->place.size() * sizeof(mlff::HeldAnions::Place);
  for (const auto &anion : held->anions) bytes += (anion.taken.size() + anion.plane.size() + anion.reference.size()) * sizeof(double);
  return bytes;
}

const mlff::HeldAnions::Place *FixConstrain::place_of(int i) const {
  const tagint tag = atom->tag[i];
  return tag <= held->n_atoms && held->place[tag].anion >= 0 ? &held->place[tag] : nullptr;
}

double FixConstrain::mass_of(int i) const { return atom->rmass ? atom->rmass[i] : atom->mass[atom->type[i]]; }
