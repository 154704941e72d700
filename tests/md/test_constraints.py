"""What constraints hold, and that what is left moves as mechanics says."""

import numpy as np
import pytest
import torch

from mlff.geometry.superposition import angle, superposition
from mlff.md.csvr import CSVR
from mlff.md.langevin import Langevin
from mlff.md.nose_hoover import NoseHoover
from mlff.md.nve import NVE
from mlff.units import K_B
from tests.md.toys import Run, begun, tetrahedra

NOSE_HOOVER = NoseHoover(period=100.0)
LANGEVIN = Langevin(friction=5.0)


def bodies(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Atoms of the anions of all replicas (n_anions, n), and their masses."""
    atoms = [
        anion.atoms + first
        for replica, first in zip(run.batch.replicas, run.batch.first, strict=True)
        for anion in replica.constrained_anions
    ]
    return np.stack(atoms), run.batch.masses.numpy()[np.stack(atoms)]


def centres(run: Run) -> np.ndarray:
    atoms, masses = bodies(run)
    return (run.state.positions.numpy()[atoms] * masses[..., None]).sum(1) / masses.sum(1)[:, None]


def bonds(run: Run) -> np.ndarray:
    at = run.state.positions.numpy()[bodies(run)[0]]
    return np.linalg.norm(at[:, :, None] - at[:, None], axis=-1)


def turned(run: Run, start: np.ndarray) -> float:
    atoms, masses = bodies(run)
    return float(angle(superposition(start[atoms], run.state.positions.numpy()[atoms], masses)[0]).max())


def constrained(mode: str, ensemble, timestep: float = 1.0, **options) -> Run:
    return begun(tetrahedra(np.random.default_rng(5), mode), ensemble, timestep, **options)


@pytest.mark.parametrize(("mode", "ensemble", "n_steps"), [("RC", LANGEVIN, 2000), ("RTC", NOSE_HOOVER, 300), ("RVC", LANGEVIN, 300)])
def test_no_anion_turns(mode, ensemble, n_steps):
    run = constrained(mode, ensemble)
    start = run.state.positions.numpy()
    run.steps(n_steps)
    assert turned(run, start) < 1e-8
    assert np.abs(run.state.positions.numpy() - start).max() > 0.1


@pytest.mark.parametrize("mode", ["TC", "RTC", "TVC"])
def test_no_anion_moves_away(mode):
    run = constrained(mode, LANGEVIN)
    start = centres(run)
    run.steps(200)
    np.testing.assert_allclose(centres(run), start, rtol=0, atol=1e-10)
    assert turned(run, run.batch.start().positions.numpy()) > 0.01 or mode == "RTC"


@pytest.mark.parametrize("ensemble", [LANGEVIN, NOSE_HOOVER])
def test_nothing_of_an_anion_moves_where_all_is_held(ensemble):
    run = constrained("RTVC", ensemble)
    start, atoms = run.state.positions, bodies(run)[0].ravel()
    run.steps(300)
    np.testing.assert_array_equal(run.state.positions[atoms], start[atoms])
    lithium = np.setdiff1d(np.arange(len(start)), atoms)
    assert (run.state.positions - start)[lithium].abs().amax(1).min() > 1e-3


@pytest.mark.parametrize("mode", ["VC", "TVC", "RVC"])
def test_rigid_anions_keep_their_shape_and_move(mode):
    run = constrained(mode, LANGEVIN)
    start, before = run.state.positions.numpy(), bonds(run)
    run.steps(200)
    np.testing.assert_allclose(bonds(run), before, rtol=0, atol=1e-10)
    if mode != "RVC":
        assert turned(run, start) > 0.05
    if mode != "TVC":
        assert np.abs(centres(run) - bodies_centres_at(run, start)).max() > 0.02


def bodies_centres_at(run: Run, positions: np.ndarray) -> np.ndarray:
    atoms, masses = bodies(run)
    return (positions[atoms] * masses[..., None]).sum(1) / masses.sum(1)[:, None]


@pytest.mark.parametrize("ensemble", [NVE(), LANGEVIN])
def test_without_angular_momentum_an_anion_turns_and_against_its_reference_it_does_not(ensemble):
    """Vibrations that trace loops turn an anion that has no angular momentum at any moment."""
    found = {}
    for kind in ("eckart", "angular_momentum"):
        run = constrained("RC", ensemble, kind=kind)
        start = run.state.positions.numpy()
        run.steps(400)
        found[kind] = turned(run, start)
        atoms, masses = bodies(run)
        at, v = run.state.positions.numpy()[atoms], run.state.velocities.numpy()[atoms]
        about = at - (at * masses[..., None]).sum(1, keepdims=True) / masses.sum(1)[:, None, None]
        momentum = np.abs((masses[..., None] * np.cross(about, v)).sum(1)).max()
        assert (momentum < 1e-10) == (kind == "angular_momentum")
    assert found["eckart"] < 1e-8
    assert found["angular_momentum"] > 1e-4


@pytest.mark.parametrize("mode", ["RC", "TC", "RTC", "VC"])
def test_forces_on_what_is_held_vanish_and_do_no_work(mode, rng):
    """F·v is that of the unprojected force for each allowed velocity, and what is projected is projected for good."""
    run = constrained(mode, NVE())
    run.steps(20)
    constraint, at = run.dynamics.constraint, run.state.positions
    force, push = (torch.from_numpy(rng.normal(size=at.shape)) for _ in range(2))
    allowed, projected = constraint.velocities(at, push), constraint.forces(at, force)
    torch.testing.assert_close((projected * allowed).sum(), (force * allowed).sum(), rtol=1e-10, atol=0)
    torch.testing.assert_close(constraint.forces(at, projected), projected, atol=1e-12, rtol=0)
    torch.testing.assert_close(constraint.velocities(at, allowed), allowed, atol=1e-12, rtol=0)
    assert (projected - force).abs().max() > 0.1


class Inverse:
    """Velocity Verlet in numpy under P = 1 − M⁻¹Aᵀ(A M⁻¹Aᵀ)⁻¹A of one matrix over all atoms, whose rows are written out one by one."""

    def __init__(self, run: Run, motions: str):
        positions, self.run = run.state.positions.numpy(), run
        n, rows = len(positions), []
        for atoms, masses in zip(*bodies(run), strict=True):
            c = positions[atoms] - np.average(positions[atoms], axis=0, weights=masses)
            for axis in np.eye(3):
                row = np.zeros((2, n, 3))
                for i, m, r in zip(atoms, masses, c, strict=True):
                    row[0, i] = m * axis
                    row[1, i] = m * np.cross(axis, r)  # axis · (c × v) = (axis × c) · v
                rows += [row[k].ravel() for k, motion in enumerate("TR") if motion in motions]
        self.a, self.mass = np.array(rows), np.repeat(run.batch.masses.numpy(), 3)

    def allowed(self, v: np.ndarray) -> np.ndarray:
        force = self.a.T @ np.linalg.inv(self.a / self.mass @ self.a.T) @ (self.a @ v)
        return v - force / self.mass

    def acceleration(self, r: np.ndarray) -> np.ndarray:
        found = self.run.dynamics.force_field(torch.from_numpy(r.reshape(-1, 3)), self.run.state.cell)
        return self.allowed(found.forces.numpy().ravel() / self.mass)

    def walk(self, r: np.ndarray, v: np.ndarray, dt: float, n_steps: int) -> np.ndarray:
        a = self.acceleration(r)
        for _ in range(n_steps):
            v = v + dt / 2 * a
            r = r + dt * v
            a = self.acceleration(r)
            v = v + dt / 2 * a
        return r.reshape(-1, 3)


@pytest.mark.parametrize(("mode", "motions"), [("RC", "R"), ("TC", "T"), ("RTC", "RT")])
def test_an_integrator_built_otherwise_agrees(mode, motions):
    run = constrained(mode, NVE())
    other = Inverse(run, motions)
    r, v = run.state.positions.numpy().ravel(), run.state.velocities.numpy().ravel()
    np.testing.assert_allclose(other.allowed(v), v, atol=1e-12)
    expected = other.walk(r, v, 1.0, 200)
    run.steps(200)
    np.testing.assert_allclose(run.state.positions.numpy(), expected, rtol=0, atol=1e-8)
    assert np.abs(expected.ravel() - r).max() > 0.1


@pytest.mark.parametrize(
    ("mode", "n_conserving", "n_pushed"), [("UC", 93, 96), ("RC", 81, 84), ("RTC", 72, 72), ("RTVC", 36, 36), ("VC", 57, 60)]
)
def test_degrees_of_freedom_of_a_replica(mode, n_conserving, n_pushed):
    """Three fewer where the total momentum rests: neither under Langevin's noise nor beside pinned anions."""
    counted = [constrained(mode, ensemble).dynamics.replicas.n_dof_counted for ensemble in (NVE(), CSVR(), NOSE_HOOVER, LANGEVIN)]
    assert counted == [[n_conserving]] * 3 + [[n_pushed]]


@pytest.mark.slow
@pytest.mark.parametrize("ensemble", [Langevin(friction=30.0), CSVR(relaxation_time=15.0)], ids=["langevin", "csvr"])
def test_temperature_under_constraints_is_the_one_asked_for(ensemble):
    """Of 24 degrees of freedom (PS4 and 3 Li) rotation takes 3: with 3N counted, 600 K would read 525 K, or be held at 686 K."""
    run = begun(tetrahedra(np.random.default_rng(5), "RC", n=64), ensemble, 2.0)
    run.steps(500)
    kelvin, lithium, masses = [], [], run.dynamics.replicas.mass
    free = torch.from_numpy(np.setdiff1d(np.arange(len(masses)), bodies(run)[0].ravel()))
    for _ in range(700):
        run.steps(5)
        v = run.state.velocities
        kelvin.append(run.dynamics.replicas.kT(v) / K_B)
        lithium.append((masses[free] * v[free].square()).view(64, -1).mean(1) / K_B)
    each = torch.stack(kelvin).mean(0)
    assert float(each.std()) / 64**0.5 < 5 / 4
    assert abs(float(each.mean()) - 600) < 5
    if isinstance(ensemble, CSVR):
        return  # leaves it to the springs to share the heat out, which takes long
    # equipartition tells what counting alone cannot: the lithium, which nothing holds, is as hot
    own = torch.stack(lithium).mean(0)
    assert float(own.std()) / 64**0.5 < 30 / 4
    assert abs(float(own.mean()) - 600) < 30
