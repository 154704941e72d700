"""Closed-form ridge regression of an architecture's last linear layer on energies and forces.

The energy is w · Σ_i x_i, and a displacement v of all atoms changes it by w · D_v x = −F·v: each random direction
gives one linear equation from the forces. It starts training close to the answer, fits
the `linear` model entirely, and can settle the last layer at the end.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from mlff.graph import AtomGraph
from mlff.model.architecture import LinearReadout
from mlff.model.potential import Potential
from mlff.nn.slots import Neighborhood


def ridge_solution(
    potential: Potential,
    graphs: Iterable[AtomGraph],
    n_directions: int,
    energy_unit: float,
    force_unit: float,
    ridge: float,
    seed: int,
    around: Tensor | None = None,
) -> Tensor:
    """The weights w that minimise the squared errors of energies and directional forces, plus ridge · ‖w − around‖².

    Args:
        potential: its architecture must be a LinearReadout; its E0 and repulsion are taken as they are.
        graphs: labelled, one or several frames each.
        n_directions: random displacements of all atoms per batch.
        energy_unit, force_unit: eV/atom and eV/Å that count the same.
        ridge: relative to the mean diagonal of the normal equations.
        around: (n_features,), what the ridge pulls to; 0 by default.
    Returns:
        w, (n_features,) float64.
    """
    generator = torch.Generator().manual_seed(seed)
    normal = right = None
    was_training = potential.training
    potential.eval()
    for graph in graphs:
        rows, targets = _equations(potential, graph, n_directions, energy_unit, force_unit, generator)
        if normal is None:
            normal = rows.new_zeros(rows.shape[1], rows.shape[1])
            right = rows.new_zeros(rows.shape[1])
        normal += rows.T @ rows
        right += rows.T @ targets
    potential.train(was_training)
    if normal is None:
        raise ValueError("found no frames to fit the linear layer to, expected at least one; look at `data.split`")
    damping = ridge * normal.diagonal().mean().clamp(min=1e-300)
    if around is not None:
        right = right + damping * around.double()
    normal.diagonal().add_(damping)
    return torch.linalg.solve(normal, right)


def _equations(
    potential: Potential, graph: AtomGraph, n_directions: int, energy_unit: float, force_unit: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rows (n_equations, n_features) and targets (n_equations,), float64, each in units of its own error."""
    hood = potential.neighborhood(graph)
    architecture = potential.architecture
    assert isinstance(architecture, LinearReadout)
    scale = potential.energy_scale
    rows, targets = [], []
    baseline = _baseline(potential, graph)
    n_atoms = torch.bincount(hood.graph_index, minlength=hood.n_graphs).double()

    vectors = hood.vectors.detach().requires_grad_()
    with torch.enable_grad():
        per_atom = hood.beyond_vacuum(architecture.linear_features(hood.moved(vectors.to(potential.dtype))))
        x = per_atom.new_zeros(hood.n_graphs, len(per_atom)).index_add(0, hood.graph_index, per_atom.T)
        # D_v x for all features at once, by two reverse passes: u·x is pulled back to the edges, and what is pulled
        # back is linear in u, so that its derivative with respect to u along v is D_v x
        u = torch.zeros_like(x, requires_grad=True)
        (pull,) = torch.autograd.grad((u * x).sum(), vectors, create_graph=True)

    if graph.has_energy.any():
        weight = 1 / (n_atoms * energy_unit)
        rows.append((x.detach().double() * scale * weight.unsqueeze(1))[graph.has_energy])
        targets.append(((graph.energy - baseline.energy) * weight)[graph.has_energy])
    if graph.has_forces.any():
        residual = torch.where(graph.has_forces[hood.graph_index].unsqueeze(1), graph.forces - baseline.forces, 0.0)
        for _ in range(n_directions):
            direction = torch.randn(residual.shape, generator=generator, dtype=torch.float64)
            (slope,) = torch.autograd.grad((pull * _edge_motion(direction, hood)).sum(), u, retain_graph=True)
            work = direction.new_zeros(hood.n_graphs).index_add(0, hood.graph_index, (residual * direction).sum(1))
            # Σ over 3N random components of F has a spread of √(3N) force units
            weight = 1 / ((3 * n_atoms).sqrt() * force_unit)
            rows.append((-slope.double() * scale * weight.unsqueeze(1))[graph.has_forces])
            targets.append((work * weight)[graph.has_forces])
    return torch.cat(rows), torch.cat(targets)


def _edge_motion(direction: Tensor, hood: Neighborhood) -> Tensor:
    """How each edge vector moves when the atoms move: (n_atoms, 3) → (3, n_slots, n_sites); empty slots rest."""
    d = hood.at_sites(direction.T)
    return (d[:, hood.neighbor] - d.unsqueeze(1)) * hood.filled


def _baseline(potential: Potential, graph: AtomGraph):
    """What the potential says with the linear layer at zero: E0 and repulsion."""
    architecture = potential.architecture
    weights = architecture.linear_weights().detach().clone()
    architecture.set_linear_weights(torch.zeros_like(weights))
    try:
        return potential(graph, compute_stress=False)
    finally:
        architecture.set_linear_weights(weights)
