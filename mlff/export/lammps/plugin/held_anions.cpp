#include "held_anions.h"

#include <cmath>
#include <stdexcept>

#include "json.h"

namespace {

using LAMMPS_NS::json;

constexpr int SCHEMA = 1;  // as in constraint.py
constexpr const char *REMEDY = "; write it with mlff.export.lammps.write_constraint";

// Gram and Schmidt's, of rows that are independent.
std::vector<double> orthonormal(std::vector<double> rows, int n_rows, int length) {
  for (int k = 0; k < n_rows; ++k) {
    double *row = &rows[size_t(k) * length];
    for (int pass = 0; pass < 2; ++pass)  // the second takes away what rounding left
      for (int j = 0; j < k; ++j) {
        const double *other = &rows[size_t(j) * length];
        double along = 0;
        for (int a = 0; a < length; ++a) along += row[a] * other[a];
        for (int a = 0; a < length; ++a) row[a] -= along * other[a];
      }
    double square = 0;
    for (int a = 0; a < length; ++a) square += row[a] * row[a];
    for (int a = 0; a < length; ++a) row[a] /= std::sqrt(square);
  }
  return rows;
}

}  // namespace

mlff::HeldAnions::HeldAnions(const std::string &text, const std::string &path) {
  const json file = json::parse(text, nullptr, false);
  if (!file.is_object() || !file.contains("schema") || !file.contains("anions"))
    throw std::runtime_error(path + " holds no constraint on anions" + REMEDY);
  if (file["schema"] != SCHEMA)
    throw std::runtime_error(path + " has schema " + file["schema"].dump() + ", but this fix reads " + std::to_string(SCHEMA) + REMEDY +
                             " of the same version of mlff");
  mode = file["mode"].get<std::string>(), n_atoms = file["n_atoms"], pins_momentum = file["pins_momentum"];
  place.resize(n_atoms + 1);
  first.push_back(0);
  for (const json &told : file["anions"]) {
    HeldAnion anion;
    anion.tags = told["tags"].get<std::vector<int64_t>>(), anion.masses = told["masses"].get<std::vector<double>>();
    for (const json &row : told["reference"])
      for (const double value : row) anion.reference.push_back(value);
    for (const json &row : told["taken"])
      for (const double value : row) anion.taken.push_back(value);
    const int n = anion.tags.size();
    anion.n_taken = told["taken"].size();
    anion.plane = anion.taken;
    for (int k = 0; k < anion.n_taken; ++k)
      for (int a = 0; a < 3 * n; ++a) anion.plane[k * 3 * n + a] *= std::sqrt(anion.masses[a / 3]);
    anion.plane = orthonormal(anion.plane, anion.n_taken, 3 * n);
    for (int i = 0; i < n; ++i) {
      if (anion.tags[i] < 1 || anion.tags[i] > n_atoms || place[anion.tags[i]].anion >= 0)
        throw std::runtime_error(path + " names atom " + std::to_string(anion.tags[i]) + " twice, or beyond its " + std::to_string(n_atoms) +
                                 " atoms; it is damaged" + REMEDY);
      place[anion.tags[i]] = {int(anions.size()), i, n_places++};
    }
    first.push_back(first.back() + anion.n_taken);
    anions.push_back(std::move(anion));
  }
}
