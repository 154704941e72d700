import dataclasses
import math

import pytest
import torch

from mlff.md.csvr import CSVR
from mlff.units import K_B
from tests.md.toys import Wells, begun, lithium


def test_kinetic_energy_relaxes_at_the_rate_of_its_time():
    """Of free particles begun at four times the temperature: ⟨K⟩ − K̄ falls as exp(−t/τ), and directions of motion stay."""
    n = 80
    run = begun(lithium(8, 300.0, n), CSVR(relaxation_time=50.0), 1.0, lambda s, x, c: Wells(s, x, 0.0, floating=True))
    run.state = type(run.state)(**{**vars(run.state), "velocities": 2 * run.state.velocities})
    first, kinetic = run.state.velocities, run.dynamics.replicas.kinetic_energy
    expected = 21 * K_B * 300 / 2 + (kinetic(first) - 21 * K_B * 300 / 2) * math.exp(-1.0)
    run.steps(50)
    gained = kinetic(run.state.velocities) / expected - 1
    error = float(gained.std()) / math.sqrt(n)
    assert error < 0.05
    assert abs(float(gained.mean())) < 4.5 * error
    ratio = run.state.velocities / first
    torch.testing.assert_close(ratio, ratio.view(n, -1).mean(1).repeat_interleave(8).unsqueeze(1).expand_as(ratio))


def test_atoms_at_rest_are_not_scaled_to_no_number():
    run = begun(lithium(2, 300.0, 1), CSVR(), 1.0, lambda s, x, c: Wells(s, x, 1.0, floating=True))
    run.state = dataclasses.replace(run.state, velocities=torch.zeros_like(run.state.velocities), forces=torch.zeros_like(run.state.forces))
    run.steps(1)
    assert torch.isfinite(run.state.velocities).all()


def test_no_relaxation_time_is_refused():
    with pytest.raises(ValueError, match=r"relaxation_time is -1 fs, expected above 0"):
        CSVR(relaxation_time=-1)
