#include "model_file.h"

#include <fstream>

namespace {

constexpr int SCHEMA = 1;  // as in packed.py
constexpr const char *REMEDY = "; write it with `python scripts/export_model.py engine=lammps model=...`";

}  // namespace

mlff::ModelFile::ModelFile(const std::string &path) : path(path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path + ", expected a model for LAMMPS" + REMEDY);
  uint64_t length = 0;
  file.read(reinterpret_cast<char *>(&length), sizeof length);
  std::string text;
  if (file && length < (uint64_t(1) << 28)) {
    text.resize(length);
    file.read(text.data(), length);
  }
  header = file ? json::parse(text, nullptr, false) : json();
  if (!header.is_object() || !header.contains("__metadata__") || !header["__metadata__"].contains("mlff"))
    throw std::runtime_error(path + " is no model for LAMMPS" + REMEDY);
  card = json::parse(header["__metadata__"]["mlff"].get<std::string>());
  if (card["schema"] != SCHEMA)
    throw std::runtime_error(path + " has schema " + card["schema"].dump() + ", but this pair style reads " + std::to_string(SCHEMA) +
                             "; use the version of mlff that wrote it, or export the model again");
  data.assign(std::istreambuf_iterator<char>(file), {});
}
