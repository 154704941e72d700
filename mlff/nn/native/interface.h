// What the kernels are told: plain structs, for whoever calls them.
#pragma once

#include <cstdint>

constexpr int L_MAX = 3, MOST_SHELLS = L_MAX + 1, MOST_PIECES = 2, MOST_HIDDEN = 4, MOST_INPUTS = 2, TERMS = 4;

extern "C" struct Edges {  // as in library.py
  int32_t l_max, n_radial[L_MAX + 1];
  double r_cut[L_MAX + 1];
  int32_t n_threads, n_species;
  int64_t n_slots, n_sites;
  const int64_t *slots_per_species;
  const void *vectors;  // (3, n_slots, n_sites)
};

extern "C" struct EdgeVectors {  // as in edge_vectors.py
  int32_t n_threads;
  int64_t n_atoms, n_slots, n_sites, n_others;  // others: neighbours that follow the sites, see Evaluation
  double padding;
  const int64_t *site_of_atom, *graph_index, *neighbor;
  const int32_t *shift;  // or null, where every neighbour is given where it is
  const bool *filled;
};

extern "C" struct Pairs {  // as in pairs.py
  int32_t n_threads, n_species;
  int64_t n_slots, n_sites;
  const int64_t *sites_per_species, *slots_per_species;
  // of each pair of species: strength / r, lengths of the screening and of the taper
  const double *strength, *length, *range;
  double coefficients[TERMS], exponents[TERMS];
};

extern "C" struct Block {  // as in block.py
  int32_t l_max, n_threads, n_layers, n_gram, n_pieces, n_species;
  int64_t n_members, n_sites, n_product;
  int64_t channels[MOST_SHELLS];
  int64_t n_in[MOST_PIECES][MOST_SHELLS];     // of each piece of the input
  int32_t is_shared[2][MOST_PIECES];          // whether values, or rates, of a piece have no member dimension
  const int64_t *sites_per_species;
};

extern "C" struct Mlp {  // as in mlp.py
  int32_t n_threads, n_inputs, n_hidden, n_species, is_direct;
  int64_t n_members, n_sites, n_out;
  int64_t n_in[MOST_INPUTS], widths[MOST_HIDDEN];
  const int64_t *sites_per_species;
};

extern "C" struct Evaluation {  // as in evaluation.py
  // others: atoms that are neighbours alone; they follow the sites, wherever forces, h and dE/dh are kept
  int64_t n_members, n_atoms, n_graphs, n_hop, n_bins, n_others;
  const Edges *edges;                                    // their vectors in double, whatever the weights are
  const Pairs *repulsion;                                // or null
  const int64_t *neighbor, *site_of_atom, *graph_of_site;
  const double *scale;                                   // eV per unit of each member
  const void *bins;                                      // (n_bins, n_species), or null where each species has its own
  const Block *near, *far;
  const void *near_weights, *far_weights;
  const Mlp *readout, *message;
  const void *readout_weights, *readout_mean, *readout_inverse_spread, *message_weights, *message_mean, *message_inverse_spread;
  // what the passes keep, see evaluation.py
  void *pushed, *pushed_h, *h, *of_h, *features, *hidden, *of_rows;
  uint8_t *touched, *touched_h;
  double *pull, *repulsive_pull;
  // energies (n_members, n_sites), in units; eV of each site or null; eV/A, (n_members, n_atoms, 3); eV, (n_members, n_graphs, 9) or null
  void *energies;
  double *repelled, *forces, *virials;
  // of lean2, where somebody else has the others as sites: called by one thread once h of the sites is known, to fill that of the others,
  // and once dE/dh is, to add that of the others to the sites'; or null
  void (*send_h)(void *context), (*collect_of_h)(void *context);
  void *context;
};
