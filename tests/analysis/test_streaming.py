"""Many observables in one pass: threads, a restart and a trajectory that grows change nothing."""

import numpy as np
import pytest
from ase import Atoms

from mlff.analysis import MeanSquareDisplacement, PairDistributionAccumulator
from mlff.analysis.streaming import Pass
from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter

SYMBOLS = ["Li"] * 6 + ["S"] * 4
CELL = 9.0 * np.eye(3)


class Momenta:
    """Sums the velocities, to see which entries came."""

    reads = "velocities"

    def __init__(self):
        self.sum, self.n = np.zeros(3), np.zeros((), np.int64)

    def update(self, velocities: Series) -> None:
        for frame in velocities.values["velocities"]:
            self.sum = self.sum + frame.sum(0, dtype=float)
        self.n = self.n + len(velocities)

    def state(self) -> dict[str, np.ndarray]:
        return {"sum": self.sum.copy(), "n": np.array(self.n)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.sum, self.n = np.array(state["sum"]), np.array(state["n"])


def make() -> dict:
    return {
        "msd": MeanSquareDisplacement(np.arange(6), 2.0),
        "pairs": PairDistributionAccumulator(SYMBOLS, r_max=4.0, width=0.5, stride=3),
        "momenta": Momenta(),
    }


@pytest.fixture
def walk(rng) -> tuple[Frames, Series]:
    """Velocities at every second frame."""
    positions = 9 * rng.random((10, 3)) + 0.1 * rng.normal(size=(400, 10, 3)).cumsum(0)
    steps = 5 * np.arange(400)
    frames = Frames(steps, positions, np.broadcast_to(CELL, (400, 3, 3)))
    return frames, Series(steps[::2], {"velocities": rng.normal(size=(200, 10, 3)).astype(np.float32)})


def part(walk, frames: slice) -> tuple[Frames, Series]:
    every = slice(frames.start // 2, frames.stop // 2)
    return (
        Frames(walk[0].steps[frames], walk[0].positions[frames], walk[0].cells[frames]),
        Series(walk[1].steps[every], {"velocities": walk[1].values["velocities"][every]}),
    )


def write(path, walk, stop: int = 400, begin: int = 0) -> Trajectory:
    if begin == 0:
        writer = TrajectoryWriter.create(path, Atoms(SYMBOLS, walk[0].positions[0], cell=CELL, pbc=True), {"timestep": 2.0}, chunk=32)
    else:
        writer = TrajectoryWriter.open(path, int(walk[0].steps[begin - 1]))
    with writer:
        frames, velocities = part(walk, slice(begin, stop))
        writer.append(frames, velocities=velocities)
    return Trajectory(path)


def assert_same(one: dict, other: dict) -> None:
    for name in one:
        for key, value in one[name].state().items():
            np.testing.assert_array_equal(value, other[name].state()[key], err_msg=f"{name}: {key}")


def test_threads_change_no_bit(tmp_path, walk):
    trajectory = write(tmp_path / "t", walk)
    one, two = Pass(make()), Pass(make())
    one.run(trajectory)
    two.run(trajectory, threads=2)
    assert_same(one.accumulators, two.accumulators)
    assert one.accumulators["momenta"].n == 200
    assert one.done == {"frames": 400, "velocities": 200}


def test_a_trajectory_that_grew_is_gone_on_with(tmp_path, walk):
    grown = Pass(make())
    grown.run(write(tmp_path / "growing", walk, stop=222), kept=tmp_path / "kept")
    again = Pass(make())
    assert again.resume(tmp_path / "kept")
    trajectory = write(tmp_path / "growing", walk, begin=222)
    assert again.left(trajectory) == 178 + 89
    told = []
    again.run(trajectory, kept=tmp_path / "kept", progress=told.append)
    assert sum(told) == 178 + 89
    whole = Pass(make())
    whole.run(trajectory)
    assert_same(whole.accumulators, again.accumulators)
    finished = Pass(make())
    assert finished.resume(tmp_path / "kept")
    assert finished.left(trajectory) == 0


def test_what_comes_before_the_first_frame_is_not_seen(tmp_path, walk):
    late = Pass(make(), first=100)
    late.run(write(tmp_path / "t", walk))
    assert late.done == {"frames": 300, "velocities": 150}
    expected = make()
    frames, velocities = part(walk, slice(100, 400))
    for accumulator in expected.values():
        accumulator.update(velocities if accumulator.reads == "velocities" else frames)
    np.testing.assert_array_equal(late.accumulators["momenta"].sum, expected["momenta"].sum)
    # the store rounds positions to 2⁻¹⁶ Å
    np.testing.assert_allclose(late.accumulators["msd"].result().msd(), expected["msd"].result().msd(), atol=1e-3)


def test_a_state_of_other_observables_or_settings_is_left_alone(tmp_path, walk):
    Pass(make()).run(write(tmp_path / "t", walk), kept=tmp_path / "kept")
    fewer = make()
    fewer.pop("pairs")
    assert not Pass(fewer).resume(tmp_path / "kept")
    assert not Pass(make(), first=3).resume(tmp_path / "kept")
    assert not Pass(make() | {"pairs": PairDistributionAccumulator(SYMBOLS, r_max=5.0)}).resume(tmp_path / "kept")
    assert not Pass(make()).resume(tmp_path / "elsewhere")


def test_a_refusal_keeps_what_came_before(tmp_path, walk):
    trajectory = write(tmp_path / "t", walk, stop=200)
    frames, velocities = part(walk, slice(202, 240))  # a frame is missing: the spacing changes
    with TrajectoryWriter.open(tmp_path / "t", int(trajectory.steps[-1])) as writer:
        writer.append(frames, velocities=velocities)
    run = Pass(make())
    run.run(trajectory, kept=tmp_path / "kept")
    with pytest.raises(ValueError, match="steps apart"):
        run.run(Trajectory(tmp_path / "t"), kept=tmp_path / "kept")
    kept = Pass(make())
    assert kept.resume(tmp_path / "kept")
    assert kept.done["frames"] == 200
