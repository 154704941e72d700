import numpy as np
import pytest
from ase.build import bulk

from mlff.analysis import NotApplicable, System
from mlff.analysis.anions.anion_angles import AnionAnglesAccumulator
from mlff.trajectory import Frames
from mlff.units import PER_CM
from tests.analysis.turning_anions import MASSES, P2S6, P2S7, PS4, about, rotations, trajectory


def measured(system, frames, **settings):
    accumulator = AnionAnglesAccumulator.of(system, **settings)
    accumulator.update(frames)
    return accumulator.result()


def vibrating(rng, amplitude, wavenumber, n_frames=4000, dt=10.0):
    """PS4 whose first ligand swings towards the second and back by a small part of its way."""
    _, template = PS4
    phase = 2 * np.pi * PER_CM * wavenumber * dt * np.arange(n_frames)
    swing = amplitude * np.sin(phase)[:, None] * (template[2] - template[1])
    system, frames = trajectory(rng, about([0, 0, 1], np.zeros((n_frames, 1))), dt=dt)
    positions = frames.positions.copy()
    positions[:, 1] += swing
    return system, Frames(frames.steps, positions, frames.cells)


def silver_iodide(rng, n_frames, spread, repeat=2):
    """Iodide around the sites of a bcc lattice, wrapped anew in every frame, and silver anywhere."""
    iodide = bulk("I", "bcc", a=5.08, cubic=True).repeat(repeat)
    n, cell = len(iodide), iodide.cell.array
    symbols = ("Ag",) * n + ("I",) * n
    positions = np.concatenate([rng.random((n, 3)) @ cell, iodide.positions]) + spread * rng.normal(size=(n_frames, 2 * n, 3))
    wrapped = positions + rng.integers(-2, 3, size=positions.shape) @ cell
    masses = np.array([MASSES[s] for s in symbols])
    system = System(symbols, masses, wrapped[0], cell, "Ag", 10.0, n_frames=n_frames)
    return system, Frames(np.arange(n_frames), wrapped, np.broadcast_to(cell, (n_frames, 3, 3)))


def test_an_ideal_tetrahedron_has_60_degrees_however_it_turns(rng):
    """Between ligands at a ligand; at the centre it would be 109.47°. A tetrahedron that turns has no angular velocity."""
    system, frames = trajectory(rng, rotations(rng.normal(size=(50, 4, 3))))
    found = measured(system, frames, width=2.0).kinds["PS4"]
    assert found.density[(found.theta > 58) & (found.theta < 62)].sum() * 2 == pytest.approx(1)
    assert found.mean.value == pytest.approx(60, abs=1e-9)
    assert found.spread.value < 1e-4
    assert found.omega_rms.value < 1e-9
    assert (found.n_tetrahedra, found.n_angles) == (4, 12)


def test_the_apex_of_a_bcc_tetrahedron(rng):
    system, frames = silver_iodide(rng, 3, 0.0)
    found = measured(system, frames).kinds["AgI4"]
    assert (found.n_tetrahedra, found.n_angles) == (6 * 16, 4)
    assert found.density[70] == pytest.approx(1)  # 70.53°; all angles of the faces would bring 54.74°
    assert np.degrees(np.arccos(1 / 3)) == pytest.approx(found.ideal)


def test_tetrahedra_of_a_lattice_keep_their_ions(rng):
    """With vibrations so wide that distances do not tell first neighbours from second, nor which image is the nearest."""
    system, frames = silver_iodide(rng, 400, 0.4)
    found = measured(system, frames).kinds["AgI4"]
    site, first, second = (0.4 * rng.normal(size=(100_000, 3)) + 2.54 * np.array(place) for place in ([0, 0, 0], [1, 1, 1], [1, 1, -1]))
    first, second = first - site, second - site  # ions of two body centres, seen from a corner
    expected = np.degrees(np.arccos((first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)))
    assert found.mean.value == pytest.approx(expected.mean(), abs=0.2)
    assert found.spread.value == pytest.approx(expected.std(), rel=0.02)


def test_the_angular_velocity_of_an_even_turn(rng):
    """One ligand goes around another at 0.05 °/fs, its angle with a third in the plane of the three: one of twelve angles turns evenly."""
    n_frames, dt = 600, 1.0
    system, frames = trajectory(rng, about([0, 0, 1], np.zeros((n_frames, 1))), dt=dt)
    positions = frames.positions.copy()
    _, template = PS4
    arm, other = template[2] - template[1], template[3] - template[1]
    turned = np.einsum("tab,b->ta", about(np.cross(other, arm), 0.05 * dt * np.arange(n_frames)), arm)
    positions[:, 2] += turned - arm
    found = measured(system, Frames(frames.steps, positions, frames.cells), omega_width=0.01, omega_max=1.0).kinds["PS4"]
    n_even = np.round(found.omega_density * 0.01 * 12 * (n_frames - 2))
    assert n_even[(found.omega > 0.04) & (found.omega < 0.06)].sum() >= n_frames - 2
    assert found.trace.shape == (n_frames, 1)
    assert found.resolved == pytest.approx(1, abs=1e-3)
    assert found.omega_density.sum() * 0.01 == pytest.approx(1)


@pytest.mark.parametrize("dt", [2.0, 10.0, 40.0])
def test_frames_too_far_apart_are_known_by_their_steps(rng, dt):
    """A vibration of 300 cm⁻¹, seen at every dt: the ratio is cos²(x/2), with the phase x that passes from frame to frame."""
    found = measured(*vibrating(rng, 0.01, 300.0, dt=dt)).kinds["PS4"]
    assert found.resolved == pytest.approx(np.cos(np.pi * PER_CM * 300 * dt) ** 2, abs=0.01)


def test_the_filter_keeps_what_is_slow(rng):
    slow, fast = (measured(*vibrating(rng, 0.05, wavenumber)).kinds["PS4"] for wavenumber in (1.0, 100.0))

    def spread(found, density):
        p = density / density.sum()
        return np.sqrt(p @ found.theta**2 - (p @ found.theta) ** 2)

    assert spread(slow, slow.filtered) == pytest.approx(spread(slow, slow.density), rel=0.1)
    assert spread(fast, fast.filtered) < 0.5 * spread(fast, fast.density)
    assert np.ptp(fast.filtered_trace) < 0.05 * np.ptp(fast.trace)
    assert fast.filtered_times[0] == pytest.approx(6671, abs=10)  # one period of the cut-off


def test_a_short_run_has_no_filtered_angles(rng):
    found = measured(*vibrating(rng, 0.05, 100.0, n_frames=100)).kinds["PS4"]
    assert np.isnan(found.filtered).all()
    assert found.density.sum() == pytest.approx(1)


def test_traces_stay_bounded(rng):
    found = measured(*vibrating(rng, 0.05, 100.0), points=100).kinds["PS4"]
    assert 50 <= len(found.times) <= 100
    assert found.times[1] == 10.0 * 64


def test_the_error_is_that_of_the_mean(rng):
    """Of the spread of AgI4, whose frames are independent here: 20 runs scatter by the error that each gives."""
    runs = [measured(*silver_iodide(rng, 320, 0.3), most=4).kinds["AgI4"].spread for _ in range(20)]
    assert np.std([run.value for run in runs], ddof=1) == pytest.approx(np.mean([run.error for run in runs]), rel=0.5)


def test_both_halves_of_an_anion_are_tetrahedra_and_others_are_said(rng):
    turns = about([0, 0, 1], np.zeros((1, 2)))
    assert measured(*trajectory(rng, turns, P2S7)).kinds["P2S7"].n_tetrahedra == 4
    with pytest.raises(NotApplicable, match="found P2S6; expected tetrahedral anions"):
        AnionAnglesAccumulator.of(trajectory(rng, turns, P2S6)[0])


def test_few_of_many_are_spread_over_all(rng):
    system, frames = silver_iodide(rng, 3, 0.1)
    found = measured(system, frames, most=10).kinds["AgI4"]
    assert (found.n_tetrahedra, found.n_all) == (10, 96)


def test_what_has_no_tetrahedra_is_refused(rng):
    fcc = bulk("I", "fcc", a=6.4, cubic=True).repeat(3)
    symbols = ("Ag", *fcc.get_chemical_symbols())
    positions = np.concatenate([[[1.0, 1, 1]], fcc.positions])
    system = System(symbols, np.ones(len(symbols)), positions, fcc.cell.array, "Ag", 1.0)
    with pytest.raises(NotApplicable, match="no bcc lattice of I"):
        AnionAnglesAccumulator.of(system)
    system, frames = trajectory(rng, about([0, 0, 1], np.zeros((3, 1))))
    with pytest.raises(ValueError, match=r"expected 0 < width ≤ 90 in °"):
        AnionAnglesAccumulator.of(system, width=0)
    with pytest.raises(ValueError, match="expected at least 1 tetrahedron"):
        AnionAnglesAccumulator.of(system, most=0)
    accumulator = AnionAnglesAccumulator.of(system)
    with pytest.raises(ValueError, match="found no frame"):
        accumulator.result()
    with pytest.raises(ValueError, match="lie 1 steps apart"):
        accumulator.update(Frames(np.array([0, 1, 3]), frames.positions, frames.cells))
    with pytest.raises(ValueError, match="has no volume"):
        accumulator.update(Frames(np.arange(2), frames.positions[:2], np.zeros((2, 3, 3))))
