"""One pass over a trajectory for many observables at once, in threads, that a kill interrupts and a longer trajectory continues."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlff.analysis.accumulator import Accumulator
from mlff.trajectory import Frames, Series, Trajectory
from mlff.whole_file import written_whole

VELOCITIES = "velocities"
STATE = "state.npz"
AT_ONCE = 2**21  # numbers of a chunk, about: large enough that threads seldom wait for each other
BETWEEN_SAVES = 60.0  # s


@dataclass
class Pass:
    """Accumulators of one trajectory, and how far they have come.

    accumulators: by name. first: frame at which they begin; of velocities, those from the step of that frame on.
    n_frames: for which strides and lags were chosen; it is only remembered.
    done: entries taken in, by what is read: "frames", "velocities". seconds: of each accumulator, in all threads together.
    """

    accumulators: Mapping[str, Accumulator]
    first: int = 0
    n_frames: int = 0
    done: dict[str, int] = field(default_factory=lambda: {"frames": 0, VELOCITIES: 0})
    seconds: dict[str, float] = field(default_factory=dict)

    def run(
        self, trajectory: Trajectory, threads: int = 1, kept: Path | None = None, progress: Callable[[int], object] | None = None
    ) -> None:
        """Take in what the trajectory holds beyond what has been taken.

        Args:
            threads: that share the accumulators of a chunk.
            kept: folder to which the state goes every minute and at the end; None: nothing is kept.
            progress: called with the number of entries that were taken in since the last call.
        Raises:
            ValueError: as the accumulators; what was taken in before is kept.
        """
        last = time.monotonic()
        with ThreadPoolExecutor(threads) as pool:
            for reads, entries in self._entries(trajectory):
                readers = [name for name, accumulator in self.accumulators.items() if accumulator.reads == reads]
                readers.sort(key=lambda name: -self.seconds.get(name, 0.0))  # the slowest first, so that nobody waits long at the end
                for task in [pool.submit(self._take, name, entries) for name in readers]:
                    task.result()
                self.done[reads] += len(entries)
                if progress is not None:
                    progress(len(entries))
                if kept is not None and time.monotonic() - last > BETWEEN_SAVES:
                    self.keep(kept)
                    last = time.monotonic()
        if kept is not None:
            self.keep(kept)

    def left(self, trajectory: Trajectory) -> int:
        """Entries that `run` would take in."""
        return sum(len(which) for which in self._ranges(trajectory).values())

    def keep(self, folder: Path) -> None:
        """All states in one file, so that they are of one moment."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {f"{name}/{key}": array for name, accumulator in self.accumulators.items() for key, array in accumulator.state().items()}
        words = {name: getattr(self, name) for name in ("first", "n_frames", "done", "seconds")} | {"names": sorted(self.accumulators)}
        with written_whole(folder / STATE) as unfinished, open(unfinished, "wb") as file:
            np.savez(file, words=np.frombuffer(json.dumps(words).encode(), np.uint8), **arrays)

    @staticmethod
    def kept_frames(folder: Path) -> int | None:
        """For how long a trajectory what was kept was set up (`System.n_frames`); None where nothing was."""
        if not (folder / STATE).exists():
            return None
        with np.load(folder / STATE, allow_pickle=False) as stored:
            return json.loads(stored["words"].tobytes())["n_frames"]

    def resume(self, folder: Path) -> bool:
        """Take over what was kept; False where there is nothing, or what is there is of other observables, settings or frames."""
        path = folder / STATE
        if not path.exists():
            return False
        with np.load(path, allow_pickle=False) as stored:
            words = json.loads(stored["words"].tobytes())
            if words["names"] != sorted(self.accumulators) or words["first"] != self.first:
                return False
            for name, accumulator in self.accumulators.items():
                own = {key.partition("/")[2]: stored[key] for key in stored.files if key.partition("/")[0] == name}
                try:
                    accumulator.load(own)
                except ValueError:  # other settings
                    return False
        self.done, self.seconds = words["done"], words["seconds"]
        return True

    def _take(self, name: str, entries: Frames | Series) -> None:
        begin = time.thread_time()
        self.accumulators[name].update(entries)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - begin

    def _entries(self, trajectory: Trajectory) -> Iterator[tuple[str, Frames | Series]]:
        size = max(1, AT_ONCE // (3 * trajectory.n_atoms))
        for reads, which in self._ranges(trajectory).items():
            if reads == "frames":
                chunks = trajectory.chunks(which.start, which.stop, size=size)
            else:
                chunks = trajectory.series_chunks(reads, which.start, which.stop, size=size)
            for entries in chunks:
                yield reads, entries

    def _ranges(self, trajectory: Trajectory) -> dict[str, range]:
        """What is there and not taken in, of what is read at all."""
        wanted = {accumulator.reads for accumulator in self.accumulators.values()}
        found = {}
        if "frames" in wanted:
            found["frames"] = range(min(self.first + self.done["frames"], trajectory.n_frames), trajectory.n_frames)
        if VELOCITIES in wanted and VELOCITIES in trajectory.series_names:
            first = 0
            if self.first:
                steps = trajectory.series_steps(VELOCITIES)
                first = int(np.searchsorted(steps, trajectory.steps[min(self.first, trajectory.n_frames - 1)]))
            n = trajectory.n_entries(VELOCITIES)
            found[VELOCITIES] = range(min(first + self.done[VELOCITIES], n), n)
        return found
