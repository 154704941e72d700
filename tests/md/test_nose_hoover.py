import math
from itertools import pairwise

import pytest
import torch
from scipy.integrate import solve_ivp

from mlff.md.nose_hoover import LENGTH, Chain, NoseHoover

KT, N_DOF, PERIOD = 0.05, 9, 80.0


def test_a_chain_moves_as_its_equations_say_to_second_order():
    """ln v̇ = −η̇₁, Q₁η̈₁ = 2K − N kT − Q₁η̇₁η̇₂, Q_k η̈_k = Q_{k−1}η̇²_{k−1} − kT − Q_k η̇_k η̇_{k+1}."""
    tau = PERIOD / (2 * math.pi)
    inertia = [N_DOF * KT * tau**2] + [KT * tau**2] * (LENGTH - 1)
    twice = 1.7 * N_DOF * KT

    def slope(_, y):
        rate, scale = y[LENGTH:-1], math.exp(y[-1])
        force = [scale**2 * twice - N_DOF * KT] + [inertia[k - 1] * rate[k - 1] ** 2 - KT for k in range(1, LENGTH)]
        friction = [rate[k] * rate[k + 1] if k + 1 < LENGTH else 0 for k in range(LENGTH)]
        return [*rate, *(force[k] / inertia[k] - friction[k] for k in range(LENGTH)), -rate[0]]

    start = torch.tensor([[0.02, -0.01, 0.015]], dtype=torch.float64)
    exact = solve_ivp(slope, (0, 10), [0, 0, 0, *start[0].tolist(), 0], rtol=1e-11, atol=1e-12).y[:, -1]
    errors = []
    for n in (8, 16, 32):
        chain, factor = Chain(torch.zeros(1, LENGTH, dtype=torch.float64), start), torch.ones(1, dtype=torch.float64)
        for _ in range(n):
            chain, scale = chain.moved(
                factor.square() * twice, torch.tensor([N_DOF]), torch.tensor([KT], dtype=torch.float64), PERIOD, 10.0 / n
            )
            factor = factor * scale
        found = torch.cat([chain.places[0], chain.rates[0], factor.log()])
        errors.append(float((found - torch.from_numpy(exact)).abs().max()))
    assert errors[0] < 1e-2
    for coarse, fine in pairwise(errors):
        assert 3.5 < coarse / fine < 4.5


def test_no_period_is_refused():
    with pytest.raises(ValueError, match=r"period is 0 fs, expected above 0"):
        NoseHoover(period=0)
