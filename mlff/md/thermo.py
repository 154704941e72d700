"""What is told of a moment: temperature, energies, pressure, and how far the conserved quantity has drifted."""

import torch
from torch import Tensor

from mlff.md.dynamics import Dynamics, Ensemble, Target
from mlff.md.state import State
from mlff.units import K_B


def thermodynamics(dynamics: Dynamics, ensemble: Ensemble, state: State, target: Target, began_with: Tensor) -> dict[str, list[float]]:
    """Of each replica, by name: K, eV, Å³, eV/Å³, eV/Å.

    Args:
        began_with: the conserved quantity when the stage began, (n_replicas,), eV; `drift` is what was added since, eV per atom.
    Returns:
        `pressure` is the potential's and the atoms' alone: with anything held, or without a volume, it means nothing.
    """
    replicas = dynamics.replicas
    kinetic, volume = replicas.kinetic_energy(state.velocities), torch.linalg.det(state.cell).abs()
    conserved = ensemble.conserved(dynamics, state, target)
    rows = {
        "temperature": replicas.kT(state.velocities) / K_B,
        "target": target.kT / K_B,
        "potential_energy": state.energy,
        "kinetic_energy": kinetic,
        "conserved": conserved,
        "drift": (conserved - began_with) / torch.tensor(replicas.sizes, device=kinetic.device),
        "volume": volume,
        "pressure": (2 * kinetic / volume - torch.einsum("raa->r", state.stress)) / 3,
    }
    if len(state.deviation):
        rows["deviation"] = replicas.largest(state.deviation)
    return {name: values.tolist() for name, values in rows.items()}
