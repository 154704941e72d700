import numpy as np
import pytest

from mlff.engine import Committee
from mlff.train.loss import Loss
from mlff.train.module import ForceField
from tests.contracts.potentials import build


def module(stage_two: float) -> ForceField:
    committee = Committee([build("pair")])
    loss = Loss(committee.species, force_unit=1.0, stress_unit=0.1, energy_unit=0.1)
    return ForceField(
        committee,
        loss,
        optimizer=lambda groups: None,
        schedule=lambda share: 1.0,
        frames=[],
        weight_decay=0.0,
        ema_decay=0.99,
        stage_two=stage_two,
        stage_two_energy_factor=10.0,
    )


def energy_factors(monkeypatch, stage_two: float, shares) -> np.ndarray:
    trained, factors = module(stage_two), []
    for share in shares:
        monkeypatch.setattr(ForceField, "progress", share)
        factors.append(trained.energy_factor)
    return np.array(factors)


def test_the_energys_weight_rises_without_a_jump(monkeypatch):
    shares = np.linspace(0, 1, 201)
    factors = energy_factors(monkeypatch, 0.75, shares)
    assert (factors[shares <= 0.75] == 1).all()
    assert factors[shares >= 0.875] == pytest.approx(10.0)
    assert (np.diff(factors) >= 0).all()
    # tenfold over an eighth of the training: 10^(0.005/0.125) from one share to the next
    assert (factors[1:] / factors[:-1]).max() < 1.1


def test_no_stage_two_no_rise(monkeypatch):
    assert (energy_factors(monkeypatch, 1.0, np.linspace(0, 1, 11)) == 1).all()
