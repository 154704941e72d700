import numpy as np
import torch

from mlff.md.state import Replicas, State


def numbers(rng, n: int) -> torch.Tensor:
    return torch.from_numpy(rng.normal(size=(n, 3)))


def test_sums_of_replicas_are_those_of_each_alone(rng):
    masses, v = torch.from_numpy(rng.uniform(1, 9, size=9)), numbers(rng, 9)
    both = Replicas([4, 5], masses, [12, 9])
    for k, (own, n_dof) in enumerate(((slice(0, 4), 12), (slice(4, 9), 9))):
        alone = Replicas([own.stop - own.start], masses[own], [n_dof])
        for name in ("kinetic_energy", "kinetic_tensor", "kT", "momentum"):
            torch.testing.assert_close(getattr(both, name)(v)[k], getattr(alone, name)(v[own])[0])
        kinetic = 0.5 * sum(m * u @ u for m, u in zip(masses[own].tolist(), v[own].numpy(), strict=True))
        np.testing.assert_allclose(alone.kinetic_energy(v[own]), [kinetic])
        np.testing.assert_allclose(alone.kT(v[own]), [2 * kinetic / n_dof])
        np.testing.assert_allclose(alone.kinetic_tensor(v[own])[0].trace(), 2 * kinetic)
    assert both.largest(torch.arange(9.0)).tolist() == [3, 8]


def test_drift_is_taken_where_asked_and_nothing_else(rng):
    masses, v = torch.from_numpy(rng.uniform(1, 9, size=9)), numbers(rng, 9)
    replicas = Replicas([4, 5], masses, [12, 12])
    resting = replicas.at_rest(v, torch.tensor([False, True]))
    torch.testing.assert_close(resting[:4], v[:4])
    assert replicas.momentum(resting)[1].abs().max() < 1e-12
    torch.testing.assert_close(resting[4:] - resting[4], v[4:] - v[4])


def test_some_of_the_replicas_alone(rng):
    sizes = [2, 3, 1]
    atoms, cells = numbers(rng, 6), torch.arange(27.0).view(3, 3, 3)
    state = State(7, atoms, 2 * atoms, cells, 3 * atoms, torch.arange(3.0), cells + 1, atoms.new_zeros(0), {"heat": torch.arange(3.0)})
    some = state.of([0, 2], sizes)
    assert some.step == 7
    assert torch.equal(some.forces, 3 * atoms[[0, 1, 5]])
    assert torch.equal(some.cell, cells[[0, 2]])
    assert some.bath["heat"].tolist() == some.energy.tolist() == [0, 2]
    assert len(some.deviation) == 0
