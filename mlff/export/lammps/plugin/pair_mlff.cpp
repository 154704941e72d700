#include "pair_mlff.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "universe.h"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;

namespace {

constexpr int MOST_THREADS = 4;     // as in Python: a rank's few thousand atoms feed no more
constexpr double MASS_RANGE = 0.2;  // isotopes lie within, other elements hardly
// of (3, 3) in LAMMPS's order xx yy zz xy xz yz; an energy that does not change when everything turns has no antisymmetric part
constexpr int FIRST[6] = {0, 4, 8, 1, 2, 5}, SECOND[6] = {0, 4, 8, 3, 6, 7};

}  // namespace

PairMLFF::PairMLFF(LAMMPS *lmp)
    : Pair(lmp), exchange{[this] { comm->forward_comm(this, comm_forward); },
               [this] {
                 sums_forces = false;
                 comm->reverse_comm(this, comm_forward);
               }} {
  single_enable = 0;
  restartinfo = 0;
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;
  centroidstressflag = CENTROID_NOTAVAIL;
}

PairMLFF::~PairMLFF() {
  if (allocated) memory->destroy(setflag), memory->destroy(cutsq);
}

// pair_style mlff [threads N] [out_file FILE] [out_freq N] [flag F] [stop F]
void PairMLFF::settings(int narg, char **arg) {
  if (narg % 2) error->all(FLERR, "pair_style mlff: {} has no value", arg[narg - 1]);
  // the same style named again is this object again
  n_threads = 0, devi_path.clear(), devi_file.reset(), devi_every = 10, last_devi = -1;
  flag_above = stop_above = std::numeric_limits<double>::infinity();
  for (int i = 0; i < narg; i += 2) {
    const std::string key = arg[i];
    if (key == "threads") {
      n_threads = utils::inumeric(FLERR, arg[i + 1], false, lmp);
      if (n_threads < 1) error->all(FLERR, "pair_style mlff: threads is {}, expected 1 or more", n_threads);
    } else if (key == "out_file") {
      devi_path = arg[i + 1];
    } else if (key == "out_freq") {
      devi_every = utils::bnumeric(FLERR, arg[i + 1], false, lmp);
      if (devi_every < 1) error->all(FLERR, "pair_style mlff: out_freq is {}, expected 1 or more steps", devi_every);
    } else if (key == "flag") {
      flag_above = utils::numeric(FLERR, arg[i + 1], false, lmp);
    } else if (key == "stop") {
      stop_above = utils::numeric(FLERR, arg[i + 1], false, lmp);
    } else {
      error->all(FLERR, "pair_style mlff has no setting {}, expected threads, out_file, out_freq, flag or stop", key);
    }
  }
}

// pair_coeff * * model.safetensors Li P S, one element for each atom type
void PairMLFF::coeff(int narg, char **arg) {
  const int n_types = atom->ntypes;
  if (narg < 3 || strcmp(arg[0], "*") != 0 || strcmp(arg[1], "*") != 0)
    error->all(FLERR, "expected pair_coeff * * FILE ELEMENT ..., with one element for each of the {} atom types", n_types);
  if (narg != 3 + n_types)
    error->all(FLERR, "pair_coeff names {} elements, expected one for each of the {} atom types", narg - 3, n_types);
  std::string problem;
  try {
    const std::string found = utils::get_potential_file_path(arg[2]);  // looks into LAMMPS_POTENTIALS too
    potential = mlff::Potential::read(found.empty() ? arg[2] : found, local_rank());
  } catch (const std::exception &e) {
    problem = e.what();
  }
  int first = problem.empty() ? comm->nprocs : comm->me;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, world);
  if (first < comm->nprocs) {  // on a machine that lacks the file, say: none goes on alone, and the first rank, which is heard, says why
    int length = problem.size();
    MPI_Bcast(&length, 1, MPI_INT, first, world);
    problem.resize(length);
    MPI_Bcast(problem.data(), length, MPI_CHAR, first, world);
    error->all(FLERR, problem);
  }
  const auto &known = potential->species;
  species_of_type.assign(n_types + 1, -1);
  for (int type = 1; type <= n_types; ++type) {
    const std::string name = arg[2 + type];
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end() && name != "NULL")
      error->all(FLERR, "atom type {} is {}, but the model was trained on {}; name one of these, or train it on {} too", type, name,
                 utils::join_words(known, " "), name);
    species_of_type[type] = found == known.end() ? -1 : found - known.begin();
  }
  if (!allocated) memory->create(setflag, n_types + 1, n_types + 1, "pair:setflag"), memory->create(cutsq, n_types + 1, n_types + 1, "pair:cutsq");
  allocated = 1;
  for (int i = 1; i <= n_types; ++i)
    for (int j = i; j <= n_types; ++j) setflag[i][j] = species_of_type[i] >= 0 && species_of_type[j] >= 0;
  if (potential->n_members < 2 && (!devi_path.empty() || std::isfinite(flag_above) || std::isfinite(stop_above)))
    error->all(FLERR, "{} holds one potential, which deviates from nothing; leave out out_file, flag and stop, or train a committee", arg[2]);
  comm_forward = potential->n_members * potential->n_hop;
  comm_reverse = std::max(comm_forward, 3 * potential->n_members);
}

void PairMLFF::init_style() {
  if (strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, "the input has units {}, but pair_style mlff speaks eV and Angstrom; say units metal", update->unit_style);
  if (!force->newton_pair) error->all(FLERR, "pair_style mlff sends forces of ghost atoms home, which newton off would drop; say newton on");
  for (int k = 1; k <= 3 && atom->molecular != Atom::ATOMIC && atom->nbonds > 0; ++k)
    if (force->special_lj[k] == 0 && force->special_coul[k] == 0)
      error->all(FLERR, "special_bonds hides bonded neighbors from pair_style mlff; say special_bonds lj/coul 1 1 1");
  // pair_style hybrid asked for these before pair_coeff gave them; LAMMPS's buffers are as long as it says
  force->pair->comm_forward = std::max(force->pair->comm_forward, comm_forward);
  force->pair->comm_reverse = std::max(force->pair->comm_reverse, comm_reverse);
  if (n_threads == 0) n_threads = threads_of_rank();
  check_masses();
  if (comm->me == 0)
    utils::logmesg(lmp, "pair_style mlff: {} of {}, cutoff {:.2f} A, {} thread{} on each of {} rank{}\n",
                   potential->n_members == 1 ? std::string("one potential") : std::to_string(potential->n_members) + " potentials",
                   utils::join_words(potential->species, " "), potential->r_max, n_threads, n_threads > 1 ? "s" : "", comm->nprocs,
                   comm->nprocs > 1 ? "s" : "");
  neighbor->add_request(this, NeighConst::REQ_FULL);
}

double PairMLFF::init_one(int, int) { return potential->r_max; }

void PairMLFF::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  const bool looks = potential->n_members > 1 && (update->ntimestep % devi_every == 0 || wants_std);
  if (neighbor->ago == 0 || sites.n_atoms != atom->nlocal + atom->nghost) arrange();
  const auto virials = vflag_atom ? mlff::Virials::of_each : vflag_global || looks ? mlff::Virials::of_all : mlff::Virials::none;
  const double *positions = sites.n_atoms ? atom->x[0] : nullptr;
  try {
    potential->evaluate(sites, positions, virials, n_threads, exchange, answer);
  } catch (const std::runtime_error &e) {
    error->one(FLERR, e.what());
  }
  const double weight = 1.0 / potential->n_members;
  for (int64_t k = 0; k < potential->n_members; ++k)
    for (int64_t i = 0; i < sites.n_atoms; ++i)
      for (int a = 0; a < 3; ++a) atom->f[i][a] += weight * answer.forces[(k * sites.n_atoms + i) * 3 + a];
  tally();
  if (looks) deviate();
}

void PairMLFF::arrange() {
  species.resize(atom->nlocal + atom->nghost);
  for (size_t i = 0; i < species.size(); ++i) species[i] = species_of_type[atom->type[i]];
  const double *positions = species.empty() ? nullptr : atom->x[0];
  sites.arrange({int64_t(species.size()), list->inum, list->ilist, list->firstneigh, list->numneigh, species.data(), positions},
                int(potential->species.size()), potential->n_isolated, potential->least_slots);
}

void PairMLFF::tally() {
  double energy = 0;
  for (const double one : answer.energies) energy += one;
  if (!std::isfinite(energy))
    error->one(FLERR, "the model answered NaN at step {}, expected a finite energy; two atoms probably coincide: look at the structure, or at "
               "the timestep", update->ntimestep);
  if (eflag_global) eng_vdwl += energy;
  if (eflag_atom)
    for (int64_t site = 0; site < sites.n_sites; ++site)
      if (sites.atom_of_site[site] >= 0) eatom[sites.atom_of_site[site]] += answer.energies[site];
  if (!vflag_global && !vflag_atom) return;
  const int64_t n_groups = vflag_atom ? sites.n_sites : 1;
  for (int64_t k = 0; k < potential->n_members; ++k)
    for (int64_t group = 0; group < n_groups; ++group)
      for (int c = 0; c < 6; ++c) {
        const double *of_group = &answer.virials[(k * n_groups + group) * 9];
        const double v = -0.5 * (of_group[FIRST[c]] + of_group[SECOND[c]]) / potential->n_members;
        if (vflag_global) virial[c] += v;
        if (vflag_atom && sites.atom_of_site[group] >= 0) vatom[sites.atom_of_site[group]][c] += v;
      }
}

// Forces of members are whole only once what other ranks' sites do to atoms here has come home.
void PairMLFF::deviate() {
  sums_forces = true;
  comm->reverse_comm(this, 3 * potential->n_members);
  forces_std = mlff::force_deviation(answer.forces, potential->n_members, sites.n_atoms, atom->nlocal);
  std::vector<double> virials(9 * potential->n_members, 0.0);
  const int64_t n_groups = vflag_atom ? sites.n_sites : 1;
  for (int64_t k = 0; k < potential->n_members; ++k)
    for (int64_t i = 0; i < n_groups * 9; ++i) virials[9 * k + i % 9] += answer.virials[k * n_groups * 9 + i];
  MPI_Allreduce(MPI_IN_PLACE, virials.data(), virials.size(), MPI_DOUBLE, MPI_SUM, world);
  const std::vector<int64_t> tags(atom->tag, atom->tag + atom->nlocal);
  const auto found = mlff::deviation(forces_std, tags, virials, potential->n_members, world);
  const bigint step = std_step = update->ntimestep;
  const bool is_new = step != last_devi && step % devi_every == 0;  // a second run begins at the step where the first ended
  if (is_new) last_devi = step;
  if (is_new && comm->me == 0 && !devi_path.empty()) {
    try {
      if (!devi_file) devi_file = std::make_unique<mlff::DeviationFile>(devi_path);
      devi_file->append(step, found);
    } catch (const std::exception &e) {
      error->one(FLERR, e.what());
    }
  }
  if (found.force.largest > stop_above)
    error->all(FLERR, "at step {} the members' forces on atom {} deviate by {:.3g} eV/A, more than stop {:.3g}; label this structure and train again",
               step, found.worst, found.force.largest, stop_above);
  if (found.force.largest > flag_above && comm->me == 0)
    error->warning(FLERR, "at step {} the members' forces on atom {} deviate by {:.3g} eV/A, more than flag {:.3g}", step, found.worst,
                   found.force.largest, flag_above);
}

int PairMLFF::pack_forward_comm(int n, int *list, double *buffer, int, int *) {
  for (int i = 0; i < n; ++i) potential->get_h(sites.site_of_atom[list[i]], buffer + i * comm_forward);
  return n * comm_forward;
}

void PairMLFF::unpack_forward_comm(int n, int first, double *buffer) {
  for (int i = 0; i < n; ++i) potential->set_h(sites.site_of_atom[first + i], buffer + i * comm_forward);
}

int PairMLFF::pack_reverse_comm(int n, int first, double *buffer) {
  const int n_members = potential->n_members;
  if (!sums_forces) {
    for (int i = 0; i < n; ++i) potential->get_of_h(sites.site_of_atom[first + i], buffer + i * comm_forward);
    return n * comm_forward;
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n_members; ++k)
      std::copy_n(&answer.forces[(k * sites.n_atoms + first + i) * 3], 3, buffer + (i * n_members + k) * 3);
  return n * n_members * 3;
}

void PairMLFF::unpack_reverse_comm(int n, int *list, double *buffer) {
  const int n_members = potential->n_members;
  if (!sums_forces) {
    for (int i = 0; i < n; ++i) potential->add_of_h(sites.site_of_atom[list[i]], buffer + i * comm_forward);
    return;
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n_members; ++k)
      for (int a = 0; a < 3; ++a) answer.forces[(k * sites.n_atoms + list[i]) * 3 + a] += buffer[(i * n_members + k) * 3 + a];
}

void *PairMLFF::extract(const char *name, int &n_dimensions) {
  n_dimensions = 0;
  return strcmp(name, "forces_std_flag") == 0 ? &wants_std : nullptr;
}

void *PairMLFF::extract_peratom(const char *name, int &n_columns) {
  n_columns = 0;
  if (strcmp(name, "forces_std") != 0 || std_step != update->ntimestep) return nullptr;  // atoms have moved on to other places since
  forces_std.resize(std::max(1, atom->nmax));
  return forces_std.data();
}

double PairMLFF::memory_usage() {
  return Pair::memory_usage() + potential->memory() + double(sites.neighbor.capacity()) * (sizeof(int64_t) + 1) +
         double(answer.forces.capacity()) * sizeof(double);
}

MPI_Comm PairMLFF::machine() const {
  MPI_Comm ranks;
  MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, comm->me, MPI_INFO_NULL, &ranks);
  return ranks;
}

// Those of earlier partitions come first, if all are on one machine.
int PairMLFF::local_rank() const {
  MPI_Comm ranks = machine();
  int rank, n_ranks;
  MPI_Comm_rank(ranks, &rank), MPI_Comm_size(ranks, &n_ranks);
  MPI_Comm_free(&ranks);
  return universe->iworld * n_ranks + rank;
}

// What OMP_NUM_THREADS says, else the cores that this process may use shared among the ranks of the machine. Other partitions may have
// theirs here too; all of them together are never asked, because they come here at times of their own.
int PairMLFF::threads_of_rank() const {
  if (const char *said = std::getenv("OMP_NUM_THREADS")) return std::max(1, std::atoi(said));
  MPI_Comm ranks = machine();
  int n_ranks = 1;
  MPI_Comm_size(ranks, &n_ranks);
  MPI_Comm_free(&ranks);
  cpu_set_t cores;
  const int n_cores = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
  return std::clamp(n_cores / (n_ranks * universe->nworlds), 1, MOST_THREADS);
}

// Elements given in another order than the types are wrong numbers without any other sign.
void PairMLFF::check_masses() const {
  if (atom->mass == nullptr || comm->me != 0) return;
  for (int type = 1; type <= atom->ntypes; ++type) {
    if (species_of_type[type] < 0 || !atom->mass_setflag[type]) continue;
    const double expected = potential->masses[species_of_type[type]], found = atom->mass[type];
    if (std::abs(found - expected) > MASS_RANGE * expected)
      error->warning(FLERR, "atom type {} has mass {:.4g}, but pair_coeff calls it {} ({:.4g}); are the elements in the order of the types?", type,
                     found, potential->species[species_of_type[type]], expected);
  }
}
