"""Laws of every ensemble: its conserved quantity, and the distribution that it is named for.

Statistics come with their own error: each replica is independent of the others, so that the spread of what they give over the square
root of their number is the standard error. A value is right within four and a half of these (once in 10⁵ by chance, and seeds are
fixed), and the error itself must be small enough to tell the likeliest mistake.
"""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mlff.md.csvr import CSVR
from mlff.md.langevin import Langevin
from mlff.md.mtk import MTK
from mlff.md.nose_hoover import NoseHoover
from mlff.md.nve import NVE
from mlff.units import K_B
from tests.md.toys import Box, Run, Wells, begun, lithium, tetrahedra

ENSEMBLES = {
    "nve": NVE(),
    "langevin": Langevin(friction=2.0),
    "csvr": CSVR(relaxation_time=200.0),
    "nose_hoover": NoseHoover(period=100.0),
    "mtk": MTK(isotropic=True, period=100.0, box_period=400.0),
    "mtk_flexible": MTK(isotropic=False, period=100.0, box_period=400.0),
}
CANONICAL = {"langevin": Langevin(friction=20.0), "csvr": CSVR(relaxation_time=30.0), "nose_hoover": NoseHoover(period=100.0)}
CONSTRAINED = [(mode, "eckart") for mode in ("RC", "TC", "RTC", "RVC", "VC", "TVC", "RTVC")] + [("RC", "angular_momentum")]
STIFFNESS = 1.0  # eV/Å², of the harmonic crystal


def energy_error(ensemble, mode: str, timestep: float, kind: str = "eckart", time: float = 100.0, n: int = 1) -> float:
    """Standard deviation of the conserved quantity, eV."""
    run = begun(tetrahedra(np.random.default_rng(1), mode, n=n), ensemble, timestep, kind=kind)
    values = []
    for _ in range(round(time / timestep)):
        run.steps(1)
        values.append(run.conserved())
    return float(torch.stack(values).std(0).square().mean().sqrt())


@pytest.mark.parametrize("name", ENSEMBLES)
def test_error_of_the_conserved_quantity_falls_as_the_square_of_the_timestep(name):
    """The noise of a stochastic ensemble differs with the timestep: over replicas the ratio is sharp all the same."""
    stochastic = name in ("langevin", "csvr")
    coarse, fine = (energy_error(ENSEMBLES[name], "UC", dt, n=20 if stochastic else 1) for dt in (1.0, 0.5))
    assert 3.5 < coarse / fine < 4.5, f"{coarse} eV at 1 fs, {fine} eV at 0.5 fs"


UNDER_CONSTRAINTS = [("nve", *each) for each in CONSTRAINED] + [("nose_hoover", "RC", "eckart"), ("nose_hoover", "VC", "eckart")]


@pytest.mark.parametrize(("name", "mode", "kind"), UNDER_CONSTRAINTS)
def test_it_does_so_under_constraints(name, mode, kind):
    coarse, fine = (energy_error(ENSEMBLES[name], mode, dt, kind) for dt in (1.0, 0.5))
    assert 3.5 < coarse / fine < 4.5, f"{coarse} eV at 1 fs, {fine} eV at 0.5 fs"


@pytest.mark.parametrize(("name", "mode"), [("langevin", "RC"), ("langevin", "VC"), ("csvr", "RC")])
def test_noise_and_constraints_together_keep_the_order(name, mode):
    coarse, fine = (energy_error(ENSEMBLES[name], mode, dt, n=24) for dt in (1.0, 0.5))
    assert 3.5 < coarse / fine < 4.5, f"{coarse} eV at 1 fs, {fine} eV at 0.5 fs"


@pytest.mark.parametrize("mode", ["UC", "RC", "TC", "RTC", "RVC", "VC", "TVC"])
def test_motion_at_constant_energy_runs_back(mode):
    run = begun(tetrahedra(np.random.default_rng(1), mode), NVE(), 1.0)
    start = run.state.positions
    run.steps(200)
    assert (run.state.positions - start).abs().max() > 0.1
    run.state = type(run.state)(**{**vars(run.state), "velocities": -run.state.velocities})
    run.steps(200)
    # rounding of 400 steps, which the motion spreads
    torch.testing.assert_close(run.state.positions, start, atol=1e-10, rtol=0)


@pytest.mark.parametrize("mode", ["UC", "RC", "VC", "RVC"])
@pytest.mark.parametrize("name", ["nve", "csvr", "nose_hoover"])
def test_momentum_stays_zero(name, mode):
    run = begun(tetrahedra(np.random.default_rng(1), mode), ENSEMBLES[name], 1.0)
    run.steps(200)
    assert run.dynamics.replicas.momentum(run.state.velocities).abs().max() < 1e-10
    assert run.dynamics.replicas.kinetic_energy(run.state.velocities).min() > 0.1


def crystal(ensemble, temperature: float, n: int, timestep: float = 2.0, n_atoms: int = 4) -> Run:
    """Harmonic crystals of Li and S, begun where the canonical ensemble has them."""
    floating = ensemble.conserves_momentum
    run = begun(
        lithium(n_atoms, temperature, n, ("Li", "S")),
        ensemble,
        timestep,
        lambda sizes, positions, cell: Wells(sizes, positions, STIFFNESS, floating),
    )
    spread = math.sqrt(K_B * temperature / STIFFNESS)
    noise = torch.randn(run.state.positions.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    state = run.dynamics.evaluated(run.state, run.state.positions + spread * noise, run.state.cell, True)
    run.state = ensemble.begin(run.dynamics, state, run.target)
    return run


def sampled(run: Run, n_steps: int, every: int, discard: int, read) -> Tensor:
    """(n_samples, n_replicas, …)"""
    run.steps(discard)
    rows = []
    for _ in range(n_steps // every):
        run.steps(every)
        rows.append(read(run))
    return torch.stack(rows)


def assert_mean(samples: Tensor, expected: float, error: float, bias: float = 0.0) -> None:
    """The mean of samples (n_samples, n_replicas) is as expected.

    Args:
        error: as a fraction of `expected`, by how much the likeliest mistake would change it. bias: as a fraction, of the timestep.
    """
    each = samples.mean(0)
    deviation = float(each.std() / math.sqrt(len(each)))
    assert 4.5 * deviation + bias * expected < 0.7 * error * expected, f"a standard error of {deviation} tells no mistake from chance"
    assert abs(float(each.mean()) - expected) < 4.5 * deviation + bias * expected, (
        f"{float(each.mean())} ± {deviation}, expected {expected}"
    )


@pytest.mark.parametrize("name", CANONICAL)
def test_kinetic_energy_is_canonical(name):
    """Mean n_dof kT/2 and variance n_dof (kT)²/2; 3N counted instead would be a third too much."""
    kT = 500 * K_B
    run = crystal(CANONICAL[name], 500.0, n=64)
    n_dof = 12 if name == "langevin" else 9
    assert run.dynamics.replicas.n_dof.tolist() == [n_dof] * 64
    kinetic = sampled(run, 600, 10, 150, lambda run: run.dynamics.replicas.kinetic_energy(run.state.velocities))
    # (ω dt/2)² of Li at 2 fs, which is what Verlet takes off the kinetic energy, is 1.4e-3
    assert_mean(kinetic, n_dof * kT / 2, error=1 / 3, bias=2e-3)
    assert_mean((kinetic - n_dof * kT / 2).square(), n_dof * kT**2 / 2, error=0.5, bias=4e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", CANONICAL)
def test_potential_energies_at_two_temperatures_have_the_ratio_of_boltzmann(name):
    """ln p₁(U)/p₂(U) is a line of slope 1/kT₂ − 1/kT₁: fitted by maximum likelihood to groups of replicas."""
    temperatures, n_groups = (450.0, 600.0), 12
    energies = [
        sampled(crystal(CANONICAL[name], t, n=96), 2500, 25, 400, lambda run: run.state.energy)
        .view(-1, n_groups, 8)
        .transpose(0, 1)
        .flatten(1)
        for t in temperatures
    ]
    slopes = torch.tensor([_slope(cold.numpy(), warm.numpy()) for cold, warm in zip(*energies, strict=True)])
    expected = 1 / (K_B * temperatures[1]) - 1 / (K_B * temperatures[0])
    assert_mean(-slopes.unsqueeze(0), -expected, error=1 / 3)


def _slope(one: np.ndarray, other: np.ndarray) -> float:
    """Of ln p₁/p₂, by logistic regression: Newton's method on the likelihood of which sample a value is from."""
    x = np.concatenate([one, other])
    design = np.stack([np.ones_like(x), x - x.mean()], 1)
    label = np.repeat([1.0, 0.0], [len(one), len(other)])
    weights = np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ weights))
        weights += np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, design.T @ (label - p))
    return weights[1]


PRESSURE_OF = 9.0  # of kT/V0: n + 1, so that the mean volume is the one begun with


def boxes(ensemble, n: int) -> Run:
    kT = 600 * K_B
    volume = float(np.linalg.det(lithium(1, 600.0, 1)[0].atoms.cell.array))
    replicas = lithium(4, 600.0, n, ("Li", "S"), pressure=PRESSURE_OF * kT / volume)
    scaled = torch.from_numpy(np.concatenate([r.atoms.get_scaled_positions() for r in replicas]))
    return begun(replicas, ensemble, 2.0, lambda sizes, positions, cell: Box(sizes, scaled, cell, PRESSURE_OF - 1, kT))


BAROSTATS = {
    "isotropic": MTK(isotropic=True, period=100.0, box_period=250.0),
    "flexible": MTK(isotropic=False, period=100.0, box_period=250.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BAROSTATS)
def test_volume_pressure_and_box_are_those_of_the_isobaric_ensemble(name):
    """A crystal with the volumes of n = 8 ideal particles: ⟨PV⟩ = 9 kT, where a box without its 2K/N_f has 8 kT."""
    run = boxes(BAROSTATS[name], n=160)
    kT, replicas, target = 600 * K_B, run.dynamics.replicas, run.target

    def read(run: Run) -> Tensor:
        state, volume = run.state, torch.linalg.det(run.state.cell)
        pressure = replicas.kinetic_tensor(state.velocities) - volume.view(-1, 1, 1) * state.stress
        kinetic = replicas.kinetic_energy(state.velocities)
        return torch.cat([volume.unsqueeze(1), kinetic.unsqueeze(1), pressure.flatten(1), state.bath["box_rate"].flatten(1)], 1)

    samples = sampled(run, 2400, 10, 700, read)
    volume, kinetic, work, rate = samples[..., 0], samples[..., 1], samples[..., 2:11], samples[..., 11:]
    mean = PRESSURE_OF * kT / float(target.pressure[0])
    assert_mean(volume, mean, error=1 / 9)
    # (ω dt/2)² of the box: what Verlet adds to its spread
    assert_mean((volume - mean).square(), mean**2 / PRESSURE_OF, error=0.5, bias=5e-3)
    assert_mean(kinetic, 9 * kT / 2, error=1 / 3)
    inertia = float(run.ensemble._inertia(replicas, target)[0])
    if name == "isotropic":
        # the trace does work against the pressure: ⟨P_int V⟩ = ⟨P V⟩ − kT (Martyna, Tobias and Klein)
        trace = work[..., [0, 4, 8]].mean(-1)
        assert_mean(trace, float(target.pressure[0]) * mean - kT, error=1 / 9)
        assert_mean(3 * inertia * rate[..., 0].square(), kT, error=0.3)
        return
    for a in range(3):
        for b in range(3):
            # each of the six has the kinetic energy kT/2; one off the diagonal stands twice in the matrix
            assert_mean((1 if a == b else 2) * inertia * rate[..., 3 * a + b].square(), kT, error=0.5)
            if a == b:
                assert_mean(work[..., 3 * a + b], float(target.pressure[0]) * mean - kT, error=1 / 9)
            else:
                each = work[..., 3 * a + b].mean(0)
                assert abs(float(each.mean())) < 4.5 * float(each.std()) / math.sqrt(len(each))
