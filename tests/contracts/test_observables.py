"""What every observable of a trajectory promises: chunks, translation, names of atoms and a restart change nothing."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from mlff.analysis import MeanSquareDisplacement, PairDistributionAccumulator
from mlff.trajectory import Frames

SPECIES = np.array(["Li"] * 5 + ["S"] * 7)
OBSERVABLES = {  # name → an accumulator for atoms of these species
    "msd": lambda species: MeanSquareDisplacement(species == "Li", 2.0),
    "msd_without_drift": lambda species: MeanSquareDisplacement(species == "Li", 2.0, drift=32.0 * (species == "S")),
    "pair_distribution": lambda species: PairDistributionAccumulator(species, r_max=7.0, width=0.5, stride=3),
}
WRAPPABLE = ("pair_distribution",)  # those that ask where atoms are, not how they came there
N_FRAMES = 3000  # more than a block of the cascade


@pytest.fixture(params=list(OBSERVABLES))
def make(request):
    return OBSERVABLES[request.param]


@pytest.fixture
def frames(rng) -> Frames:
    """A walk in a skewed cell that fluctuates."""
    cells = np.array([[8.0, 0, 0], [2.0, 7.0, 0], [-1.0, 3.0, 9.0]]) @ (np.eye(3) + 0.01 * rng.normal(size=(N_FRAMES, 3, 3)))
    fraction = rng.random((len(SPECIES), 3)) + 0.02 * rng.normal(size=(N_FRAMES, len(SPECIES), 3)).cumsum(0)
    return Frames(5 * np.arange(N_FRAMES), fraction @ cells, cells)


def seen(accumulator, frames, sizes=(N_FRAMES,)):
    begin = k = 0
    while begin < len(frames):
        part = slice(begin, begin + sizes[k % len(sizes)])
        accumulator.update(Frames(frames.steps[part], frames.positions[part], frames.cells[part]))
        begin, k = part.stop, k + 1
    return accumulator


def numbers(result) -> list[np.ndarray]:
    """All arrays of a result, in order."""
    if is_dataclass(result):
        return [a for field in fields(result) for a in numbers(getattr(result, field.name))]
    if isinstance(result, dict):
        return [a for value in result.values() for a in numbers(value)]
    if isinstance(result, tuple):
        return [a for value in result for a in numbers(value)]
    return [np.asarray(result)]


def assert_same(one, other, **tolerance):
    for a, b in zip(numbers(one.result()), numbers(other.result()), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("sizes", [(1, 7, 333), (1024,)])
def test_chunks_do_not_matter_in_any_bit(make, frames, sizes):
    assert_same(seen(make(SPECIES), frames), seen(make(SPECIES), frames, sizes), rtol=0, atol=0)


def test_reading_a_result_changes_nothing(make, frames):
    once, often = make(SPECIES), make(SPECIES)
    for begin in range(0, N_FRAMES, 500):
        part = Frames(*(a[begin : begin + 500] for a in (frames.steps, frames.positions, frames.cells)))
        once.update(part)
        often.update(part)
        often.result()
    assert_same(once, often, rtol=0, atol=0)


def test_a_restart_changes_no_bit(make, frames, tmp_path):
    parts = [Frames(*(a[part] for a in (frames.steps, frames.positions, frames.cells))) for part in (slice(0, 1111), slice(1111, None))]
    whole, first, second = make(SPECIES), make(SPECIES), make(SPECIES)
    whole.update(parts[0])
    whole.update(parts[1])
    first.update(parts[0])
    np.savez(tmp_path / "state.npz", **first.state())
    with np.load(tmp_path / "state.npz") as stored:
        second.load(dict(stored))
    first.update(parts[1])  # the state is a copy
    second.update(parts[1])
    assert_same(whole, second, rtol=0, atol=0)


def test_a_merged_run_survives_a_restart(make, frames):
    one, other = seen(make(SPECIES), frames), seen(make(SPECIES), frames)
    one.merge(other)
    assert_same(other, seen(make(SPECIES), frames), rtol=0, atol=0)  # the other is as it was
    again = make(SPECIES)
    again.load(one.state())
    assert_same(one, again, rtol=0, atol=0)


def test_a_state_of_another_kind_is_refused(make, frames):
    state = seen(make(SPECIES), frames).state()
    with pytest.raises(ValueError, match="build it alike"):
        make(SPECIES[::-1]).load(state)
    with pytest.raises(ValueError, match="another observable"):
        make(SPECIES).load({})


def test_translation_does_not_matter(make, frames):
    moved = Frames(frames.steps, frames.positions + np.array([0.3, -0.7, 0.1]) @ frames.cells[:, None], frames.cells)
    # pairs near the edge of a bin may change it by rounding: hardly one, of thousands
    assert_same(seen(make(SPECIES), frames), seen(make(SPECIES), moved), rtol=1e-3, atol=1e-9)


def test_names_of_atoms_do_not_matter(make, frames, rng):
    order = rng.permutation(len(SPECIES))
    order = np.concatenate([order[SPECIES[order] == "Li"], order[SPECIES[order] == "S"]])
    mixed = np.concatenate([order[::2], order[1::2]])
    renamed = Frames(frames.steps, frames.positions[:, mixed], frames.cells)
    one, other = (numbers(a.result()) for a in (seen(make(SPECIES), frames), seen(make(SPECIES[mixed]), renamed)))
    for a, b in zip(one, other, strict=True):  # per-ion arrays are in another order
        np.testing.assert_allclose(np.sort(a.ravel()), np.sort(b.ravel()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", WRAPPABLE)
def test_wrapping_does_not_matter(name, frames, rng):
    images = rng.integers(-3, 4, size=(N_FRAMES, len(SPECIES), 3)) @ frames.cells
    wrapped = Frames(frames.steps, frames.positions + images, frames.cells)
    assert_same(seen(OBSERVABLES[name](SPECIES), frames), seen(OBSERVABLES[name](SPECIES), wrapped), rtol=1e-3, atol=1e-9)
