"""Nosé–Hoover chains (Martyna, Klein and Tuckerman, J. Chem. Phys. 97, 2635, 1992; Martyna et al., Mol. Phys. 87, 1117, 1996)."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mlff.md.dynamics import Dynamics, Target
from mlff.md.state import State

LENGTH = 3  # thermostats of a chain


@dataclass(frozen=True)
class Chain:
    """One chain for each replica: places η and rates η̇ of its thermostats, (n_replicas, LENGTH), rates in 1/fs."""

    places: Tensor
    rates: Tensor

    @classmethod
    def at_rest(cls, like: Tensor) -> "Chain":
        zeros = like.new_zeros(len(like), LENGTH)
        return cls(zeros, zeros)

    def moved(self, twice_kinetic: Tensor, n_dof: Tensor, kT: Tensor, period: float, time: float) -> tuple["Chain", Tensor]:
        """The chain after `time`, and by what factor it scales the velocities that it is coupled to.

        Args:
            twice_kinetic: 2K of these, (n_replicas,), eV. n_dof: how many they are, (n_replicas,). kT: eV, (n_replicas,).
            period: fs, that of the thermostats' oscillation; it sets their masses, n_dof kT τ² and kT τ².
        """
        inertia = _inertia(n_dof, kT, period)
        places, rates = list(self.places.unbind(1)), list(self.rates.unbind(1))
        scale = torch.ones_like(kT)

        def push(k: int) -> Tensor:
            if k == 0:
                return (scale.square() * twice_kinetic - n_dof * kT) / inertia[0]
            return (inertia[k - 1] * rates[k - 1].square() - kT) / inertia[k]

        for k in reversed(range(LENGTH)):
            rates[k] = _damped(rates, k, push(k), time)
        scale = torch.exp(-time * rates[0])
        places = [place + time * rate for place, rate in zip(places, rates, strict=True)]
        for k in range(LENGTH):
            rates[k] = _damped(rates, k, push(k), time)
        return Chain(torch.stack(places, 1), torch.stack(rates, 1)), scale

    def energy(self, n_dof: Tensor, kT: Tensor, period: float) -> Tensor:
        """What the chain holds, (n_replicas,), eV."""
        inertia = torch.stack(_inertia(n_dof, kT, period), 1)
        kinetic = 0.5 * (inertia * self.rates.square()).sum(1)
        return kinetic + kT * (n_dof * self.places[:, 0] + self.places[:, 1:].sum(1))


def _inertia(n_dof: Tensor, kT: Tensor, period: float) -> list[Tensor]:
    tau = period / (2 * torch.pi)
    return [n_dof * kT * tau**2] + [kT * tau**2] * (LENGTH - 1)


def _damped(rates: list[Tensor], k: int, push: Tensor, dt: float) -> Tensor:
    """The rate of thermostat k after half of dt, under its push and the friction of the next one."""
    if k + 1 == LENGTH:
        return rates[k] + 0.5 * dt * push
    damping = torch.exp(-0.25 * dt * rates[k + 1])
    return (rates[k] * damping + 0.5 * dt * push) * damping


class NoseHoover:
    """Canonical, deterministic, with a conserved quantity.

    Args:
        period: fs, of the thermostat's oscillation; a few times that of the vibrations.
    """

    conserves_momentum, varies_cell = True, False

    def __init__(self, period: float = 200.0):
        if not period > 0:
            raise ValueError(f"period is {period} fs, expected above 0; 200 fs serves solids")
        self.period = period

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        chain = Chain.at_rest(state.energy)
        return replace(state, bath={"places": chain.places, "rates": chain.rates})

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool = False) -> State:
        state = self._coupled(dynamics, state, target)
        return self._coupled(dynamics, dynamics.verlet(state, stress), target)

    def _coupled(self, dynamics: Dynamics, state: State, target: Target) -> State:
        """After half a timestep of the chain alone."""
        replicas = dynamics.replicas
        twice = 2 * replicas.kinetic_energy(state.velocities)
        chain, scale = _chain(state).moved(twice, replicas.n_dof, target.kT, self.period, 0.5 * dynamics.timestep)
        velocities = replicas.to_atoms(scale).unsqueeze(-1) * state.velocities
        return replace(state, velocities=velocities).with_bath(places=chain.places, rates=chain.rates)

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        """The total energy and what the chain holds."""
        return dynamics.total_energy(state) + _chain(state).energy(dynamics.replicas.n_dof, target.kT, self.period)


def _chain(state: State) -> Chain:
    return Chain(state.bath["places"], state.bath["rates"])
