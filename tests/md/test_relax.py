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


def test_no_atom_makes_a_long_step_and_replicas_descend_by_themselves():
    run, alone = disturbed("RC", scale=1.0, n=2), disturbed("RC", scale=1.0, n=1)
    for _ in range(30):
        before = run.state.positions
        run.steps(1)
        alone.steps(1)
        assert (run.state.positions - before).norm(dim=1).max() < LONGEST * (1 + 1e-12)
    torch.testing.assert_close(run.state.positions[:32], alone.state.positions, atol=1e-10, rtol=0)
