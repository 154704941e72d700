import math

import pytest
import torch

from mlff.md.langevin import Langevin
from mlff.units import AMU, K_B
from tests.md.toys import Wells, begun, lithium


def test_positions_in_a_harmonic_well_are_exact_at_a_timestep_that_spoils_velocities():
    """BAOAB at ω dt = 1: k⟨x²⟩ = kT for any timestep, m⟨v²⟩ = kT (1 − (ω dt)²/4); other splittings have k⟨x²⟩ = 4/3 kT there."""
    stiffness, n = 2.0, 40
    timestep = math.sqrt(6.94 * AMU / stiffness)
    run = begun(lithium(8, 600.0, n), Langevin(friction=1e3 / timestep), timestep, lambda s, x, c: Wells(s, x, stiffness, floating=False))
    run.steps(30)
    at, speed = [], []
    for _ in range(600):
        run.steps(2)
        at.append((stiffness * (run.state.positions - run.dynamics.force_field.sites).square()).view(n, -1).mean(1))
        speed.append(run.dynamics.replicas.kT(run.state.velocities))
    for found, expected in ((at, 1.0), (speed, 0.75)):
        each = torch.stack(found).mean(0) / (600 * K_B)
        error = float(each.std()) / math.sqrt(n)
        assert error < 0.005
        assert abs(float(each.mean()) - expected) < 4.5 * error


def test_friction_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"friction is 0 1/ps, expected above 0; for none, use the ensemble nve"):
        Langevin(friction=0)


def test_velocities_forget_at_the_rate_of_the_friction():
    """A free particle: ⟨v(t)·v(0)⟩ falls as exp(−γt)."""
    n = 60
    run = begun(lithium(27, 600.0, n), Langevin(friction=10.0), 2.0, lambda s, x, c: Wells(s, x, 0.0, floating=False))
    first = run.state.velocities
    run.steps(50)
    each = (run.state.velocities * first).view(n, -1).sum(1) / first.square().view(n, -1).sum(1)
    error = float(each.std()) / math.sqrt(n)
    assert error < 0.02
    assert abs(float(each.mean()) - math.exp(-1.0)) < 4.5 * error
