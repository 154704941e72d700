"""Constant pressure after Martyna, Tobias and Klein (J. Chem. Phys. 101, 4177, 1994), integrated as by Yu et al. (2010).

The rate of the box v_g is symmetric, so that the cell does not turn:

    ṙ = v + v_g r,  ḣ = v_g h,  v̇ = F/m − (v_g + Tr v_g / N_f) v,  W v̇_g = V (P_int − P) + (2K / N_f) 1,

with V P_int = Σ m v ⊗ v − V σ. The isotropic barostat keeps a third of the trace of what drives it.
"""

from dataclasses import replace

import torch
from torch import Tensor

from mlff.md.dynamics import Dynamics, Target
from mlff.md.nose_hoover import Chain
from mlff.md.state import Replicas, State


class MTK:
    """Constant pressure and temperature, deterministic, with a conserved quantity; chains for the atoms and for the box.

    Args:
        isotropic: whether the cell keeps its shape; else all six of its components fluctuate.
        period: fs, of the thermostats. box_period: fs, of the barostat.
    """

    conserves_momentum, varies_cell = True, True

    def __init__(self, isotropic: bool = True, period: float = 200.0, box_period: float = 2000.0):
        if not (period > 0 and box_period > 0):
            raise ValueError(f"periods are {period} and {box_period} fs, expected above 0; 200 and 2000 fs serve solids")
        self.isotropic, self.period, self.box_period = isotropic, period, box_period

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        chain = Chain.at_rest(state.energy)
        bath = {"places": chain.places, "rates": chain.rates, "box_places": chain.places, "box_rates": chain.rates}
        return replace(state, bath={**bath, "box_rate": torch.zeros_like(state.cell)})

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool = True) -> State:
        d, dt = dynamics, dynamics.timestep
        state = self._thermostatted(d, state, target)
        rate = state.bath["box_rate"] + 0.5 * dt * self._acceleration(d, state, target)
        values, axes = self._modes(rate)
        velocities = _slowed(d, state, values, axes)
        # ṙ = v + v_g r with v as it is, along each axis by itself
        grow, along = torch.exp(dt * values), dt * torch.exp(0.5 * dt * values) * _sinhc(0.5 * dt * values)
        grown, reach = _function(grow, axes), _function(along, axes)
        positions = _each(d.replicas, state.positions, grown) + _each(d.replicas, velocities, reach)
        state = replace(d.evaluated(state, positions, state.cell @ grown, True), velocities=velocities)
        state = replace(state, velocities=_slowed(d, state, values, axes))
        rate = rate + 0.5 * dt * self._acceleration(d, state, target)
        state = self._thermostatted(d, state.with_bath(box_rate=rate), target)
        return replace(state, step=state.step + 1)

    def _acceleration(self, d: Dynamics, state: State, target: Target) -> Tensor:
        """v̇_g, (n_replicas, 3, 3)."""
        kinetic, volume = d.replicas.kinetic_tensor(state.velocities), torch.linalg.det(state.cell).abs()
        one = torch.eye(3, dtype=kinetic.dtype, device=kinetic.device)
        twice = torch.einsum("raa->r", kinetic)
        pressures = (twice / d.replicas.n_dof - volume * target.pressure).view(-1, 1, 1) * one
        drive = kinetic - volume.view(-1, 1, 1) * state.stress + pressures
        if self.isotropic:
            drive = torch.einsum("raa->r", drive).view(-1, 1, 1) / 3 * one
        return drive / self._inertia(d.replicas, target).view(-1, 1, 1)

    def _inertia(self, replicas: Replicas, target: Target) -> Tensor:
        """W = (N_f + 3) kT τ² / 3, (n_replicas,)."""
        return (replicas.n_dof + 3) * target.kT * (self.box_period / (2 * torch.pi)) ** 2 / 3

    def _modes(self, rate: Tensor) -> tuple[Tensor, Tensor]:
        """Eigenvalues (n_replicas, 3) and axes (n_replicas, 3, 3) of the box's rate."""
        if self.isotropic:
            one = torch.eye(3, dtype=rate.dtype, device=rate.device).expand_as(rate)
            return torch.diagonal(rate, dim1=1, dim2=2), one
        return torch.linalg.eigh(rate)

    def _thermostatted(self, d: Dynamics, state: State, target: Target) -> State:
        """After half a timestep of both chains alone."""
        half, bath, n_dof = 0.5 * d.timestep, state.bath, d.replicas.n_dof
        twice = 2 * d.replicas.kinetic_energy(state.velocities)
        chain, scale = Chain(bath["places"], bath["rates"]).moved(twice, n_dof, target.kT, self.period, half)
        box, box_scale = Chain(bath["box_places"], bath["box_rates"]).moved(
            2 * self._box_energy(d, state, target), self._box_dof(n_dof), target.kT, self.box_period, half
        )
        return replace(state, velocities=d.replicas.to_atoms(scale).unsqueeze(-1) * state.velocities).with_bath(
            places=chain.places,
            rates=chain.rates,
            box_places=box.places,
            box_rates=box.rates,
            box_rate=box_scale.view(-1, 1, 1) * bath["box_rate"],
        )

    def _box_dof(self, like: Tensor) -> Tensor:
        return torch.full_like(like, 1.0 if self.isotropic else 6.0)

    def _box_energy(self, d: Dynamics, state: State, target: Target) -> Tensor:
        return 0.5 * self._inertia(d.replicas, target) * state.bath["box_rate"].square().sum((1, 2))

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        """Enthalpy, the box's kinetic energy, and what both chains hold."""
        d, bath, n_dof = dynamics, state.bath, dynamics.replicas.n_dof
        enthalpy = d.total_energy(state) + target.pressure * torch.linalg.det(state.cell).abs()
        chains = Chain(bath["places"], bath["rates"]).energy(n_dof, target.kT, self.period)
        of_box = Chain(bath["box_places"], bath["box_rates"]).energy(self._box_dof(n_dof), target.kT, self.box_period)
        return enthalpy + self._box_energy(d, state, target) + chains + of_box


def _slowed(d: Dynamics, state: State, values: Tensor, axes: Tensor) -> Tensor:
    """Velocities after half a timestep of the forces and of −(v_g + Tr v_g / N_f) v, along each axis by itself."""
    half = 0.5 * d.timestep
    damping = values + (values.sum(1) / d.replicas.n_dof).unsqueeze(1)
    kept = _function(torch.exp(-half * damping), axes)
    pushed = _function(half * torch.exp(-0.5 * half * damping) * _sinhc(0.5 * half * damping), axes)
    return _each(d.replicas, state.velocities, kept) + _each(d.replicas, state.forces * d.replicas.inverse_mass, pushed)


def _function(values: Tensor, axes: Tensor) -> Tensor:
    """A symmetric matrix for each replica, of its eigenvalues and axes."""
    return (axes * values.unsqueeze(1)) @ axes.mT


def _each(replicas: Replicas, vectors: Tensor, matrices: Tensor) -> Tensor:
    """Vectors of atoms (n_atoms, 3) times the symmetric matrix of their replica."""
    return (vectors.unsqueeze(1) @ replicas.to_atoms(matrices)).squeeze(1)


def _sinhc(x: Tensor) -> Tensor:
    """sinh x / x; by its series, because x is of the order of 10⁻³ and may be 0."""
    square = x.square()
    return 1 + square / 6 * (1 + square / 20 * (1 + square / 42))
