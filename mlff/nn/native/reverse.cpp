// Where the edge j -> i of each edge i -> j lies, mlff/nn/slots.py: looked for in the slots of j that hold the species of i, from behind
// the one found last on. Where neighbours are sorted, that is the one.
#include <cstdint>
#include <vector>

extern "C" struct Reverse {  // as in reverse.py
  int64_t n_species, n_slots, n_sites;
  const int64_t *slots_per_species;
};

extern "C" void reverse(const Reverse &r, const int64_t *species, const int64_t *neighbor, const int32_t *shift, const bool *filled,
                        int64_t *out, int64_t *missing) {
  const int64_t n_edges = r.n_slots * r.n_sites, n_lists = r.n_sites * r.n_species;
  std::vector<int64_t> first(r.n_species);
  std::vector<int32_t> count(n_lists), next(n_lists);
  for (int64_t s = 0, slot = 0; s < r.n_species; ++s) {
    first[s] = slot;
    for (const int64_t end = slot + r.slots_per_species[s]; slot < end; ++slot)
      for (int64_t i = 0; i < r.n_sites; ++i) {
        const int64_t at = slot * r.n_sites + i;
        count[i * r.n_species + s] += filled[at];
        out[at] = filled[at] ? -1 : at;
      }
  }
  *missing = 0;
  for (int64_t i = 0; i < r.n_sites; ++i)
    for (int64_t s = 0; s < r.n_species; ++s)
      for (int64_t k = 0; k < count[i * r.n_species + s]; ++k) {
        const int64_t at = (first[s] + k) * r.n_sites + i, j = neighbor[at], list = j * r.n_species + species[i];
        int32_t tried = 0;
        while (out[at] < 0) {
          if (tried++ == count[list]) {
            *missing = 1;
            return;
          }
          const int64_t back = (first[species[i]] + next[list]) * r.n_sites + j;
          next[list] = next[list] + 1 < count[list] ? next[list] + 1 : 0;
          if (neighbor[back] == i && shift[back] == -shift[at] && shift[n_edges + back] == -shift[n_edges + at] &&
              shift[2 * n_edges + back] == -shift[2 * n_edges + at]) {
            out[at] = back;
            out[back] = at;
          }
        }
      }
}
