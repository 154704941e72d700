#include "deviation.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace {

// sqrt(mean over members |x - <x>|^2) of vectors of n numbers, the members `stride` apart; infinite where one is not finite.
double spread(const double *x, int n_members, int64_t stride, int n) {
  double sum = 0;
  for (int a = 0; a < n; ++a) {
    double mean = 0;
    for (int k = 0; k < n_members; ++k) mean += x[k * stride + a] / n_members;
    for (int k = 0; k < n_members; ++k) sum += (x[k * stride + a] - mean) * (x[k * stride + a] - mean) / n_members;
  }
  return std::isfinite(sum) ? std::sqrt(sum) : std::numeric_limits<double>::infinity();
}

}  // namespace

std::vector<double> mlff::force_deviation(const std::vector<double> &forces, int n_members, int64_t n_atoms, int64_t n_local) {
  std::vector<double> found(n_local);
  for (int64_t i = 0; i < n_local; ++i) found[i] = spread(&forces[3 * i], n_members, 3 * n_atoms, 3);
  return found;
}

mlff::Deviation mlff::deviation(const std::vector<double> &of_atoms, const std::vector<int64_t> &tags, const std::vector<double> &virials,
                                int n_members, MPI_Comm world) {
  int rank;
  MPI_Comm_rank(world, &rank);
  const auto largest = std::max_element(of_atoms.begin(), of_atoms.end());
  struct { double value; int rank; } mine = {of_atoms.empty() ? -1.0 : *largest, rank}, worst;
  int64_t tag = of_atoms.empty() ? 0 : tags[largest - of_atoms.begin()];
  double sums[2] = {0, double(of_atoms.size())}, smallest = std::numeric_limits<double>::infinity();
  for (const double value : of_atoms) sums[0] += value, smallest = std::min(smallest, value);
  MPI_Allreduce(&mine, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, world);
  MPI_Bcast(&tag, 1, MPI_INT64_T, worst.rank, world);
  MPI_Allreduce(MPI_IN_PLACE, &smallest, 1, MPI_DOUBLE, MPI_MIN, world);
  MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, world);

  Deviation found = {{0, std::numeric_limits<double>::infinity(), 0}, {worst.value, smallest, sums[0] / sums[1]}, tag};
  for (int a = 0; a < 9; ++a) {
    const double one = spread(&virials[a], n_members, 9, 1) / sums[1];
    found.virial.largest = std::max(found.virial.largest, one), found.virial.smallest = std::min(found.virial.smallest, one);
    found.virial.mean += one * one / 9;
  }
  found.virial.mean = std::sqrt(found.virial.mean);
  return found;
}

mlff::DeviationFile::DeviationFile(const std::string &path) : file(std::fopen(path.c_str(), "a+b")) {
  if (file == nullptr) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
  std::fseek(file, 0, SEEK_END);
  long whole = std::ftell(file);
  const bool is_new = whole == 0;
  for (; whole > 0; --whole) {
    std::fseek(file, whole - 1, SEEK_SET);
    if (std::fgetc(file) == '\n') break;
  }
  std::fflush(file);
  if (ftruncate(fileno(file), whole) != 0) throw std::runtime_error("cannot shorten " + path + ": " + std::strerror(errno));
  if (!is_new && whole > 0) return;
  std::fprintf(file, "#%11s", "step");
  for (const char *name : {"max_devi_v", "min_devi_v", "avg_devi_v", "max_devi_f", "min_devi_f", "avg_devi_f"}) std::fprintf(file, "%19s", name);
  std::fprintf(file, "\n");
}

mlff::DeviationFile::~DeviationFile() { std::fclose(file); }

void mlff::DeviationFile::append(int64_t step, const Deviation &d) {
  std::fprintf(file, "%12lld", static_cast<long long>(step));
  for (const Range &range : {d.virial, d.force})
    for (const double value : {range.largest, range.smallest, range.mean}) std::fprintf(file, " %18.6e", value);
  std::fprintf(file, "\n");
  std::fflush(file);
}
