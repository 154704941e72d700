import numpy as np
import pytest
import torch

from mlff.md.mtk import MTK
from mlff.units import K_B
from tests.md.toys import Box, begun, lithium, tetrahedra


def moved(isotropic: bool, n_steps: int = 50):
    run = begun(tetrahedra(np.random.default_rng(2), pressure=0.02), MTK(isotropic, period=100.0, box_period=300.0), 1.0)
    start = run.state.cell[0]
    run.steps(n_steps)
    return run, torch.linalg.solve(start, run.state.cell[0])


def test_an_isotropic_box_keeps_its_shape():
    _, deformation = moved(True)
    torch.testing.assert_close(deformation, deformation[0, 0] * torch.eye(3, dtype=torch.float64), atol=1e-12, rtol=0)
    assert abs(float(deformation[0, 0]) - 1) > 1e-3


def test_a_flexible_box_changes_in_all_six_ways_and_does_not_turn():
    run, _ = moved(False)
    rate = run.state.bath["box_rate"][0]
    assert torch.equal(rate, rate.mT) or (rate - rate.mT).abs().max() < 1e-15
    assert rate[*np.triu_indices(3)].abs().min() > 1e-7
    before = run.state.cell[0]
    run.steps(1)
    step = torch.linalg.solve(before, run.state.cell[0])
    torch.testing.assert_close(step, step.mT, atol=1e-13, rtol=0)


@pytest.mark.parametrize("isotropic", [True, False])
def test_the_mass_of_a_box_is_that_of_its_period(isotropic):
    """W = (N_f + 3) kT (period/2π)²/3: what sets an atom at rest in a box with E = −n kT ln V off is n kT − PV."""
    kT, pressure = 600 * K_B, 0.01
    replicas = lithium(4, 600.0, 1, pressure=pressure)
    scaled = torch.from_numpy(replicas[0].atoms.get_scaled_positions())
    ensemble = MTK(isotropic, box_period=300.0)
    run = begun(replicas, ensemble, 0.01, lambda s, x, c: Box(s, scaled, c, 8.0, kT))
    run.state = type(run.state)(**{**vars(run.state), "velocities": 0 * run.state.velocities})
    drive = 8 * kT - pressure * replicas[0].atoms.get_volume()
    inertia = (9 + 3) * kT * (300.0 / (2 * np.pi)) ** 2 / 3
    run.steps(1)
    expected = 0.01 * drive / inertia * torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(run.state.bath["box_rate"][0], expected, atol=1e-4 * float(expected.abs().max()), rtol=0)


def test_positions_follow_the_box_about_the_origin():
    """Atoms that no force moves, at rest, keep their places in the cell."""
    kT = 600 * K_B
    replicas = lithium(4, 600.0, 1, pressure=0.01)
    scaled = torch.from_numpy(replicas[0].atoms.get_scaled_positions())
    run = begun(replicas, MTK(False, box_period=200.0), 1.0, lambda s, x, c: Box(s, scaled, c, 8.0, kT))
    run.state = type(run.state)(**{**vars(run.state), "velocities": 0 * run.state.velocities})
    run.steps(100)
    assert (run.state.cell - torch.from_numpy(replicas[0].atoms.cell.array)).abs().max() > 0.1
    torch.testing.assert_close(torch.linalg.solve(run.state.cell[0].mT, run.state.positions.mT).mT, scaled, atol=1e-12, rtol=0)


@pytest.mark.parametrize("toy", ["box", "springs"])
def test_toys_have_the_stress_of_their_energy(toy, rng):
    """(1/V) ∂E/∂ε for all six strains, by differences: what the statistics of boxes are built on."""
    if toy == "box":
        replicas = lithium(4, 600.0, 1, ("Li", "S"))
        scaled = torch.from_numpy(replicas[0].atoms.get_scaled_positions())
        run = begun(replicas, MTK(), 1.0, lambda s, x, c: Box(s, scaled, c, 8.0, 0.05))
    else:
        run = begun(tetrahedra(rng), MTK(), 1.0)
    field = run.dynamics.force_field
    cell = run.state.cell @ (torch.eye(3) + 0.05 * torch.from_numpy(rng.normal(size=(3, 3))))
    at = run.state.positions + 0.1 * torch.from_numpy(rng.normal(size=run.state.positions.shape))
    found, step = field(at, cell), 1e-5
    for a in range(3):
        for b in range(a, 3):
            strain = torch.zeros(3, 3, dtype=torch.float64)
            strain[a, b] += step / 2
            strain[b, a] += step / 2
            one = torch.eye(3, dtype=torch.float64)
            more, less = (float(field(at @ (one + s * strain), cell @ (one + s * strain)).energy[0]) for s in (1, -1))
            slope = (more - less) / (2 * step) / abs(float(torch.linalg.det(cell)[0]))
            assert slope == pytest.approx(float(found.stress[0, a, b]), abs=1e-8)
    push = torch.from_numpy(rng.normal(size=at.shape))
    more, less = (float(field(at + s * step * push, cell).energy[0]) for s in (1, -1))
    assert (less - more) / (2 * step) == pytest.approx(float((found.forces * push).sum()), abs=1e-6)


def test_no_periods_are_refused():
    with pytest.raises(ValueError, match=r"periods are 200.0 and 0 fs, expected above 0"):
        MTK(box_period=0)
