// A safetensors file whose header holds a model's card, mlff/export/lammps/packed.py.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "json.h"

namespace mlff {

using LAMMPS_NS::json;

class ModelFile {
public:
  json card;

  explicit ModelFile(const std::string &path);

  bool has(const std::string &name) const { return header.contains(name); }

  // The numbers of a tensor, which must be of this type.
  template <class T> std::vector<T> tensor(const std::string &name) const {
    if (!has(name)) throw std::runtime_error(path + " lacks " + name + "; it is damaged: export the model again");
    const json &entry = header[name];
    if (entry["dtype"] != (sizeof(T) == 4 ? "F32" : "F64")) throw std::runtime_error(path + ": " + name + " has another type than its card says; export the model again");
    const size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
    if (end > data.size() || begin > end) throw std::runtime_error(path + " is shorter than its header says; copy it again");
    std::vector<T> numbers((end - begin) / sizeof(T));
    std::memcpy(numbers.data(), data.data() + begin, numbers.size() * sizeof(T));
    return numbers;
  }

private:
  const std::string path;
  json header;
  std::vector<char> data;
};

}  // namespace mlff
