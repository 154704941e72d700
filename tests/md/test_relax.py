import numpy as np
import pytest
import torch

from mlff.geometry.superposition import angle, superposition
from mlff.md.relax import LONGEST, Relax
from tests.md.toys import Run, begun, tetrahedra


def disturbed(mode: str, scale: float = 0.4, n: int = 1) -> Run:
    """Anions as they are, lithium moved away from where its springs rest."""
    run = begun(tetrahedra(np.random.default_rng(1), mode, n=n), Relax(), 1.0)
    lithium = torch.from_numpy(np.concatenate([r.atoms.numbers for r in run.batch.replicas]) == 3)
    noise = torch.randn(run.state.positions.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moved = run.state.positions + scale * noise * lithium.unsqueeze(1)
    run.state = run.ensemble.begin(run.dynamics, run.dynamics.evaluated(run.state, moved, run.state.cell, False), run.target)
    return run


@pytest.mark.parametrize("mode", ["UC", "RC", "TC", "RTC", "RVC", "VC", "RTVC"])
def test_a_descent_ends_where_no_allowed_force_is_left_and_obeys_the_constraint(mode):
    run = disturbed(mode)
    atoms = np.stack([anion.atoms for anion in run.batch.replicas[0].constrained_anions])
    masses, before = run.batch.masses.numpy()[atoms], run.state.positions.numpy()[atoms]
    energy = float(run.state.energy[0])
    run.steps(500)
    assert float(run.state.energy[0]) < 0.01 * energy
    assert float(run.state.forces.abs().max()) < 1e-3
    after = run.state.positions.numpy()[atoms]
    if "R" in mode:
        assert angle(superposition(before, after, masses)[0]).max() < 1e-10
    if "T" in mode:
        np.testing.assert_allclose(np.einsum("ki,kia->ka", masses, after), np.einsum("ki,kia->ka", masses, before), atol=1e-8)
    if "V" in mode:
        lengths = [np.linalg.norm(at[:, :, None] - at[:, None], axis=-1) for at in (before, after)]
        np.testing.assert_allclose(*lengths, atol=1e-10)


def shaken(n: int) -> Run:
    """All atoms moved far, anions as their rotational constraint allows."""
    run = disturbed("RC", scale=0.0, n=n)
    noise = torch.randn(run.state.positions.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    moved = run.state.positions + run.dynamics.constraint.velocities(run.state.positions, 0.6 * noise)
    run.state = run.ensemble.begin(run.dynamics, run.dynamics.evaluated(run.state, moved, run.state.cell, False), run.target)
    return run


def test_no_atom_makes_a_long_step_and_replicas_descend_by_themselves():
    """Shortened steps obey the constraint as all others do."""
    run, alone = shaken(2), shaken(1)
    atoms = np.stack([anion.atoms for anion in run.batch.replicas[0].constrained_anions])
    masses, start, longest = run.batch.masses.numpy()[atoms], run.batch.start().positions.numpy()[atoms], []
    for _ in range(60):
        before = run.state.positions
        run.steps(1)
        alone.steps(1)
        longest.append(float((run.state.positions - before).norm(dim=1).max()))
        assert longest[-1] < LONGEST * (1 + 1e-12)
    assert max(longest) > LONGEST * (1 - 1e-12)
    assert angle(superposition(start, run.state.positions.numpy()[atoms], masses)[0]).max() < 1e-10
    torch.testing.assert_close(run.state.positions[:32], alone.state.positions, atol=1e-10, rtol=0)


def test_what_goes_uphill_stops_and_begins_anew_with_half_the_timestep():
    run = disturbed("UC", scale=0.02)
    push = run.state.forces * run.dynamics.replicas.inverse_mass
    run.state = type(run.state)(**{**vars(run.state), "velocities": -3 * push})
    run.steps(1)
    assert run.state.bath["timestep"].tolist() == [0.5]
    torch.testing.assert_close(run.state.velocities, 0.5 * push, atol=1e-12, rtol=0)
