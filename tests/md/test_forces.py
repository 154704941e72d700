import numpy as np
import pytest
import torch

from mlff.engine import Committee
from mlff.md.batch import Batch, Settings
from mlff.md.replica import Replica
from tests.checks import answer_of
from tests.contracts.potentials import build_committee, crystal
from tests.md.toys import potential


def batch(model, rng, drivers=(-1, -1)) -> Batch:
    frames = [crystal(rng), crystal(rng, 7)]
    replicas = [Replica(f"{k}", atoms, 300.0, driver=driver) for k, (atoms, driver) in enumerate(zip(frames, drivers, strict=True))]
    return Batch(model, replicas, Settings(1.0, dtype="float64"))


def at_replica(batch: Batch, k: int):
    return batch.replicas[k].atoms, slice(batch.first[k], batch.first[k] + batch.sizes[k])


def test_each_replica_has_the_answer_of_the_potential(rng):
    together = batch(potential(), rng)
    state = together.start()
    found = together.force_field(state.positions, state.cell)
    for k in range(2):
        atoms, own = at_replica(together, k)
        expected = answer_of(potential())(atoms)
        assert float(found.energy[k]) == pytest.approx(expected.energy, abs=1e-9)
        np.testing.assert_allclose(found.forces[own], expected.forces, atol=1e-9)
        np.testing.assert_allclose(found.stress[k], expected.stress, atol=1e-9)
    assert torch.isnan(together.force_field(state.positions, state.cell, stress=False).stress).all()


def test_pressure_is_what_the_energy_does_as_the_volume_changes(rng):
    """−tr σ/3 = −∂E/∂V by differences, positive where the crystal pushes outwards."""
    together, step = batch(potential(), rng), 1e-5
    state = together.start()
    found = together.force_field(state.positions, state.cell)
    energy = [together.force_field(state.positions * s, state.cell * s).energy for s in (1 + step, 1 - step)]
    volume = [torch.linalg.det(state.cell * s) for s in (1 + step, 1 - step)]
    slope = (energy[0] - energy[1]) / (volume[0] - volume[1])
    torch.testing.assert_close(torch.einsum("raa->r", found.stress) / 3, slope, atol=1e-7, rtol=1e-5)


def test_members_and_their_mean_drive(rng):
    members = build_committee("lean", 2, size="XS")
    together = batch(Committee(members), rng, drivers=(1, -1))
    state = together.start()
    found = together.force_field(state.positions, state.cell)
    (first, of_first), (second, of_second) = at_replica(together, 0), at_replica(together, 1)
    driven = answer_of(members[1])(first)
    both = [answer_of(member)(second) for member in members]
    np.testing.assert_allclose(found.forces[of_first], driven.forces, atol=1e-9)
    np.testing.assert_allclose(found.stress[0], driven.stress, atol=1e-9)
    np.testing.assert_allclose(found.forces[of_second], (both[0].forces + both[1].forces) / 2, atol=1e-9)
    assert float(found.energy[1]) == pytest.approx((both[0].energy + both[1].energy) / 2, abs=1e-9)
    # √⟨|F − F̄|²⟩ of two is half of their distance
    spread = np.linalg.norm(both[0].forces - both[1].forces, axis=1) / 2
    np.testing.assert_allclose(found.deviation[of_second], spread, atol=1e-9)
