import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.anions.orientation import OrientationAccumulator
from mlff.trajectory import Frames
from mlff.units import K_B, PS
from tests.analysis.turning_anions import CELL, MASSES, P2S6, PS4, about, diffusing, rotations, trajectory

DT = 10.0  # fs
BOND = np.array([1.0, 1.0, 1.0])  # one of the bonds of the template, and
TWO_FOLD = np.array([0.0, 0.0, 1.0])  # an axis between two of them


def measured(system, frames, **settings):
    accumulator = OrientationAccumulator.of(system, **settings)
    accumulator.update(frames)
    return accumulator.result()


def turns_of(rng, turns, **settings):
    return measured(*trajectory(rng, turns, dt=DT), **settings).turns["PS4"]


def many(rng, n: int) -> np.ndarray:
    """Places of n³ anions, 8 Å apart in a cubic cell of 8 n Å."""
    return np.stack(np.meshgrid(*3 * [np.arange(n) / n], indexing="ij"), axis=-1).reshape(-1, 3) + 0.01 * rng.normal(size=(n**3, 3))


def test_bodies_that_diffuse_forget_with_2_and_with_6(rng):
    """Rotational Brownian motion of known D_r: both correlations give it back, so that neither factor can be the other."""
    n, diffusivity = 3, 0.2e-3  # rad²/fs, 0.2 per ps
    turns = diffusing(rng, 6000, n**3, diffusivity, DT)
    system, frames = trajectory(rng, turns, cells=8 * n * np.eye(3), places=many(rng, n), dt=DT)
    found = measured(system, frames).directions["PS4 bonds"]
    for factor, c, error, estimate in ((2, found.c1, found.c1_error, 0), (6, found.c2, found.c2_error, 1)):
        closed = np.exp(-factor * diffusivity * found.times)
        early = found.times < 1e4
        assert np.abs(c - closed)[early].max() < 0.05
        assert (np.abs(c - closed) < 3 * error)[early].mean() > 0.7
        value = found.diffusivity[estimate]
        assert value.value == pytest.approx(diffusivity * PS, abs=3 * value.error)
        assert value.error < 0.1 * diffusivity * PS
    np.testing.assert_array_equal(found.times[:8] / DT, [1, 2, 3, 4, 6, 8, 12, 16])


def test_bodies_that_jump_forget_with_one_rate(rng):
    """To any orientation at random times: C1 and C2 fall alike, and the diffusivity from C2 is a third of that from C1."""
    n, rate = 3, 0.5e-3  # 1/fs
    orientations = rotations(np.pi * rng.normal(size=(27, 400, 3)))
    for _ in range(3):  # products of random turns are close to even
        orientations = orientations @ rotations(np.pi * rng.normal(size=(27, 400, 3)))
    jumps = (rng.random((6000, 27)) < rate * DT).cumsum(0)
    turns = orientations[np.arange(27), jumps]
    found = measured(*trajectory(rng, turns, cells=8 * n * np.eye(3), places=many(rng, n), dt=DT)).directions["PS4 bonds"]
    one, two = found.diffusivity
    assert one.value == pytest.approx(rate * PS / 2, rel=0.15)
    assert two.value == pytest.approx(rate * PS / 6, rel=0.15)


def test_librations_take_an_amplitude_and_leave_the_diffusivity(rng):
    n, diffusivity = 3, 0.1e-3
    turns = diffusing(rng, 6000, 27, diffusivity, DT) @ rotations(0.35 * rng.normal(size=(6000, 27, 3)))
    found = measured(*trajectory(rng, turns, cells=8 * n * np.eye(3), places=many(rng, n), dt=DT)).directions["PS4 bonds"]
    assert found.c1[0] < 0.9
    for value in found.diffusivity:
        assert value.value == pytest.approx(diffusivity * PS, abs=3 * value.error)


def test_still_bodies_have_a_bound(rng):
    turns = rotations(0.1 * rng.normal(size=(4000, 4, 3)))
    found = measured(*trajectory(rng, turns, dt=DT))
    unseen = -np.log(0.05) / (4 * 3999 * DT / PS)
    for value, lost in zip(found.directions["PS4 bonds"].diffusivity, (2 / 2, 1.5 / 6), strict=True):
        assert not value.known
        assert lost * unseen < value.upper < lost * unseen + 0.002  # a run too short to see a jump cannot exclude it
    assert found.turns["PS4"].frequency.upper == pytest.approx(unseen)


@pytest.mark.parametrize("axis", [BOND, TWO_FOLD, np.array([0.3, -1.0, 0.2])])
@pytest.mark.parametrize("step", [90.0, 120.0, 180.0])
def test_flips_at_known_times_are_counted_once_each(rng, axis, step):
    """Of named ligands: also by 120° about a bond, behind which the anion looks as before."""
    flips = np.zeros((8000, 2))
    flips[[1000, 3000, 5500], 0] = step
    flips[[4000], 1] = -step
    turns = about(axis, flips.cumsum(0)) @ rotations(0.15 * rng.normal(size=(8000, 2, 3)))
    found = turns_of(rng, turns)
    np.testing.assert_array_equal(found.events, [3, 1])
    assert found.frequency.value == pytest.approx(4 / (2 * 7999 * DT / PS))
    assert found.frequency.error >= 2 / (2 * 7999 * DT / PS)


@pytest.mark.parametrize("period", [30, 700, 20000])
@pytest.mark.parametrize("phase", [0.0, 0.25, 0.6])
def test_a_libration_is_no_turn(rng, period, phase):
    """By ±40°, so that it turns by 80° from where it may begin."""
    swing = 40 * np.cos(2 * np.pi * (np.arange(4000) / period + phase))
    found = turns_of(rng, about(TWO_FOLD, swing[:, None]))
    assert not found.events.any()
    if phase == 0 and period < 4000:
        assert found.turned.max() > 75  # farther from the first frame than `least`


def test_a_wiggle_across_the_limit_is_one_turn_and_a_glance_is_none(rng):
    wiggle, glance = np.zeros(3000), np.zeros(3000)
    wiggle[1000:] = 70 + 8 * np.sin(np.arange(2000) / 3)
    glance[1000:1008] = 90.0  # 80 fs, less than settle
    found = turns_of(rng, about(TWO_FOLD, np.stack([wiggle, glance], axis=1)))
    np.testing.assert_array_equal(found.events, [1, 0])
    hasty = turns_of(rng, about(TWO_FOLD, np.stack([wiggle, glance], axis=1)), settle=0.0)
    assert hasty.events[1] == 2


def test_a_slow_turn_counts_too(rng):
    ramp = np.interp(np.arange(9000), [3000, 6000], [0, 120])
    assert turns_of(rng, about(TWO_FOLD, ramp[:, None])).events.tolist() == [1]


def test_the_frequency_of_poisson_turns(rng):
    """Of 27 anions that turn independently: the rate, and an error that holds what it says."""
    rate, pulls = 4e-5, []
    for _ in range(6):
        flips = rng.random((1500, 27)) < rate * DT
        turns = about(TWO_FOLD, 120.0 * flips.cumsum(0))
        found = measured(*trajectory(rng, turns, cells=24 * np.eye(3), places=many(rng, 3), dt=DT)).turns["PS4"].frequency
        pulls.append((found.value - rate * PS) / found.error)
    assert np.sqrt(np.mean(np.square(pulls))) < 2


def test_angles_to_the_axes_of_a_skewed_cell(rng):
    """The axis of P2S6 along b: 0° to b, and to a and c what the cell says; to both sides, because it has no head."""
    b = CELL[1] / np.linalg.norm(CELL[1])
    turns = about(np.cross([0, 0, 1], b), np.full((3, 2), np.degrees(np.arccos(b[2]))))
    found = measured(*trajectory(rng, turns, P2S6, dt=DT), width=1.0)
    assert sorted(found.directions) == ["P2S6 axis", "P2S6 bonds"]
    density = found.directions["P2S6 axis"].density
    for k, axis in enumerate(CELL):
        angle = np.degrees(np.arccos(b @ axis / np.linalg.norm(axis)))
        wanted = {round(angle - 0.5), round(180 - angle - 0.5)} if k != 1 else {0, 179}
        assert {int(n) for n in np.flatnonzero(density[k])} <= wanted | {n + d for n in wanted for d in (-1, 1)}
        assert density[k].sum() == pytest.approx(1)
    trace = found.turns["P2S6"].to_axes[:, 0]
    expected = np.degrees(np.arccos([b @ axis / np.linalg.norm(axis) for axis in CELL]))
    np.testing.assert_allclose(trace, np.tile(expected, (3, 1)), atol=1e-5)


def test_directions_that_are_all_alike(rng):
    turns = rotations(np.pi * rng.normal(size=(3000, 4, 3))) @ rotations(np.pi * rng.normal(size=(3000, 4, 3)))
    found = measured(*trajectory(rng, turns, dt=DT)).directions["PS4 bonds"]
    expected = np.pi / 360 * np.sin(np.radians(found.angle))
    for density in found.density:
        np.testing.assert_allclose(density, expected, atol=6e-4)
    assert found.sphere.mean() == pytest.approx(1)
    assert found.sphere.std() < 2 / np.sqrt(3000 * 16 / found.sphere.size)


def test_the_free_energy_of_two_orientations(rng):
    """Three times as often along c as across: kT ln 3, from the density and from the sphere; without a temperature, none."""
    across = np.arange(4000)[:, None] % 4 == 0
    turns = about([1, 0, 0], np.where(across, 90.5, 0.5))
    cell = 20 * np.eye(3)
    kept = measured(*trajectory(rng, turns, P2S6, cells=cell, temperature=600.0, dt=DT), width=1.0).directions["P2S6 axis"]
    to_c = kept.free_energy[2]
    assert np.nanmin(to_c) == 0
    assert np.isfinite(to_c).sum() == 4  # 0.5° and 179.5°, 90.5° and 89.5°
    assert to_c[[89, 90]].mean() == pytest.approx(K_B * 600 * np.log(3))
    assert np.nanmax(kept.free_energy_map) == pytest.approx(K_B * 600 * np.log(3))
    none = measured(*trajectory(rng, turns, P2S6, cells=cell, dt=DT)).directions["P2S6 axis"]
    assert none.free_energy is None
    assert none.free_energy_map is None


def test_kinds_are_told_apart(rng):
    """PS4 that turns beside P2S6 that does not."""
    both = []
    for anion, place, flip in ((PS4, [0.1, 0.1, 0.1], 90.0), (P2S6, [0.6, 0.6, 0.6], 0.0)):
        turns = about(TWO_FOLD, np.where(np.arange(1000) < 500, 0.0, flip)[:, None])
        both.append(trajectory(rng, turns, anion, places=np.array([place]), dt=DT))
    symbols = sum((system.symbols[:-1] for system, _ in both), ())
    positions = np.concatenate([frames.positions[:, :-1] for _, frames in both], axis=1)
    masses = np.array([MASSES[s] for s in symbols])
    system = System((*symbols, "Li"), np.append(masses, 7.0), np.append(positions[0], [[0.0, 0, 0]], axis=0), CELL, "Li", DT)
    positions = np.concatenate([positions, np.zeros((1000, 1, 3))], axis=1)
    found = measured(system, Frames(np.arange(1000), positions, np.broadcast_to(CELL, (1000, 3, 3))))
    assert {kind: turns.events.tolist() for kind, turns in found.turns.items()} == {"P2S6": [0], "PS4": [1]}
    assert sorted(found.directions) == ["P2S6 axis", "P2S6 bonds", "PS4 bonds"]


def test_independent_runs_add_turns_and_time(rng):
    flip = np.where(np.arange(2000) < 700, 0.0, 90.0)
    system, frames = trajectory(rng, about(TWO_FOLD, np.stack([flip, 0 * flip], axis=1)), dt=DT)
    one, other = OrientationAccumulator.of(system), OrientationAccumulator.of(system)
    one.update(frames)
    other.update(Frames(frames.steps[:1000], frames.positions[:1000], frames.cells[:1000]))
    one.merge(other)
    found = one.result().turns["PS4"]
    np.testing.assert_array_equal(found.events, [2, 0])
    assert found.duration == (1999 + 999) * DT
    assert found.frequency.value == pytest.approx(2 / (2 * found.duration / PS))


def test_traces_are_bounded(rng):
    found = turns_of(rng, about(TWO_FOLD, np.zeros((5000, 4))), traces=2, points=64)
    assert found.to_axes.shape[1:] == (2, 3)
    assert 32 <= len(found.times) <= 64


def test_what_does_not_turn_is_refused(rng):
    silver = System(("Ag", "I"), np.ones(2), np.array([[0.0, 0, 0], [2.5, 2.5, 2.5]]), 5 * np.eye(3), "Ag", 1.0)
    with pytest.raises(NotApplicable, match="found no polyatomic anions among Ag, I"):
        OrientationAccumulator.of(silver)
    system, frames = trajectory(rng, about(TWO_FOLD, np.zeros((3, 1))))
    with pytest.raises(ValueError, match="expected 0° < least < 180°"):
        OrientationAccumulator.of(system, least=200)
    with pytest.raises(ValueError, match=r"settle -1, .*expected 0 < width ≤ 90"):
        OrientationAccumulator.of(system, settle=-1)
    with pytest.raises(ValueError, match="found no frame"):
        OrientationAccumulator.of(system).result()
    with pytest.raises(ValueError, match="lie 1 steps apart"):
        OrientationAccumulator.of(system).update(Frames(np.array([0, 1, 3]), frames.positions, frames.cells))
    with pytest.raises(ValueError, match=r"stored with least = 70\.0"):
        OrientationAccumulator.of(system, least=60).load(OrientationAccumulator.of(system).state())
