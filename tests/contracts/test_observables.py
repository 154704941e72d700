"""What every observable of a trajectory promises: chunks, translation, names of atoms and a restart change nothing."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from mlff.analysis import Accumulator
from mlff.trajectory import Frames, Series
from tests.contracts import observables

# those that follow how atoms came to where they are; the others may be given wrapped positions
FOLLOWING = ("msd", "non_affine", "hop_indicator", "stability", "hops", "van_hove", "non_gaussian", "slabs")
# those that tell of places in the cell, which move with the atoms; their own tests say how
PLACED = ("hops", "density", "slabs")


@pytest.fixture(params=observables.names())
def name(request) -> str:
    return request.param


@pytest.fixture
def seen_by(rng):
    """(system, what an observable reads of it: frames or velocities)."""
    system, frames, velocities = observables.walk(rng)
    return system, {"frames": frames, "velocities": velocities}


def part_of(given: Frames | Series, part: slice) -> Frames | Series:
    if isinstance(given, Series):
        return Series(given.steps[part], {name: values[part] for name, values in given.values.items()})
    return Frames(given.steps[part], given.positions[part], given.cells[part])


def seen(accumulator: Accumulator, given: dict, sizes=(observables.N_FRAMES,), begin: int = 0, end: int = observables.N_FRAMES):
    k = 0
    while begin < end:
        stop = min(begin + sizes[k % len(sizes)], end)
        accumulator.update(part_of(given[accumulator.reads], slice(begin, stop)))
        begin, k = stop, k + 1
    return accumulator


def numbers(result) -> list[np.ndarray]:
    """All arrays of a result, in order."""
    if is_dataclass(result):
        return [a for field in fields(result) for a in numbers(getattr(result, field.name))]
    if isinstance(result, dict):
        return [a for value in result.values() for a in numbers(value)]
    if isinstance(result, (tuple, list)):
        return [a for value in result for a in numbers(value)]
    return [] if result is None or isinstance(result, str) else [np.asarray(result)]


def assert_same(one, other, **tolerance):
    first, second = numbers(one.result()), numbers(other.result())
    assert any(np.size(a) > 1 for a in first)
    for a, b in zip(first, second, strict=True):
        if a.dtype.kind in "OU":
            assert a.tolist() == b.tolist()
        else:
            np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("sizes", [(1, 7, 333), (1024,)])
def test_chunks_do_not_matter_in_any_bit(name, seen_by, sizes):
    system, given = seen_by
    assert_same(seen(observables.make(name, system), given), seen(observables.make(name, system), given, sizes), rtol=0, atol=0)


def test_reading_a_result_changes_nothing(name, seen_by):
    system, given = seen_by
    once, often = observables.make(name, system), observables.make(name, system)
    for begin in range(0, observables.N_FRAMES, 1000):
        seen(once, given, begin=begin, end=begin + 1000)
        seen(often, given, begin=begin, end=begin + 1000)
        often.result()
    assert_same(once, often, rtol=0, atol=0)


def test_a_restart_changes_no_bit(name, seen_by, tmp_path):
    system, given = seen_by
    whole, first, second = (observables.make(name, system) for _ in range(3))
    seen(whole, given, sizes=(1111,))
    seen(first, given, end=1111)
    np.savez(tmp_path / "state.npz", **first.state())
    with np.load(tmp_path / "state.npz") as stored:  # arrays alone: nothing is pickled
        second.load(dict(stored))
    seen(first, given, begin=1111)  # the state is a copy
    seen(second, given, begin=1111)
    assert_same(whole, second, rtol=0, atol=0)


def test_a_merged_run_survives_a_restart(name, seen_by):
    system, given = seen_by
    one, other = (seen(observables.make(name, system), given) for _ in range(2))
    one.merge(other)
    assert_same(other, seen(observables.make(name, system), given), rtol=0, atol=0)  # the other is as it was
    again = observables.make(name, system)
    again.load(one.state())
    assert_same(one, again, rtol=0, atol=0)


def test_a_state_of_another_kind_is_refused(name, seen_by):
    system, given = seen_by
    state = seen(observables.make(name, system), given).state()
    order = np.arange(len(system.symbols))[::-1]
    other = observables.system_of(system.positions[order], system.cell, tuple(system.symbols[k] for k in order))
    with pytest.raises(ValueError, match="build it alike"):
        observables.make(name, other).load(state)
    with pytest.raises(ValueError, match="another observable"):
        observables.make(name, system).load({})


def test_translation_does_not_matter(name, seen_by):
    system, given = seen_by
    frames = given["frames"]
    shift = np.array([0.3, -0.7, 0.1])
    moved = {"frames": Frames(frames.steps, frames.positions + shift @ frames.cells[:, None], frames.cells)} | {
        "velocities": given["velocities"]
    }
    there = observables.system_of(moved["frames"].positions[0], system.cell)
    one, other = (seen(observables.make(name, s), g) for s, g in ((system, given), (there, moved)))
    if name in PLACED:
        pytest.skip("it tells where in the cell something is")
    # pairs near the edge of a bin may change it by rounding: hardly one, of thousands
    assert_same(one, other, rtol=1e-3, atol=1e-9)


def test_names_of_atoms_do_not_matter(name, seen_by, rng):
    system, given = seen_by
    order = rng.permutation(len(system.symbols))
    frames, velocities = given["frames"], given["velocities"]
    renamed = {
        "frames": Frames(frames.steps, frames.positions[:, order], frames.cells),
        "velocities": Series(velocities.steps, {"velocities": velocities.values["velocities"][:, order]}),
    }
    other = observables.system_of(renamed["frames"].positions[0], system.cell, tuple(system.symbols[k] for k in order))
    one, two = (numbers(seen(observables.make(name, s), g).result()) for s, g in ((system, given), (other, renamed)))
    for a, b in zip(one, two, strict=True):  # arrays by ion or by anion are in another order
        if a.dtype.kind not in "OU":
            np.testing.assert_allclose(np.sort(a.ravel()), np.sort(b.ravel()), rtol=1e-6, atol=1e-9)


def test_wrapping_does_not_matter(name, seen_by, rng):
    if name in FOLLOWING:
        pytest.skip("it follows displacements, and is given unwrapped positions by every reader")
    system, given = seen_by
    frames = given["frames"]
    images = rng.integers(-3, 4, size=frames.positions.shape) @ frames.cells
    wrapped = given | {"frames": Frames(frames.steps, frames.positions + images, frames.cells)}
    one, other = (seen(observables.make(name, system), g) for g in (given, wrapped))
    assert_same(one, other, rtol=1e-3, atol=1e-9)
