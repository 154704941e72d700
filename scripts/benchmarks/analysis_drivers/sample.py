"""What the drivers of all programs share: a trajectory and settings in, one line of JSON out.

A driver runs in the environment of the program that it drives, where this project is not installed: numpy is all that is used here.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

ROUNDS = 3
ENOUGH = 2.0  # s, after which no further round is timed
WITHOUT_ORDER = ("Li", "S")  # of the walkers and the framework beside them
E2_PER_K_B = 1.602176634e-19**2 / 1.380649e-23  # C² K/J


@dataclass(frozen=True)
class Sample:
    """A trajectory, in memory.

    symbols: of each atom. masses: (n_atoms,), amu. positions: (n_frames, n_atoms, 3), Å, unwrapped. cell: (3, 3) rows, Å.
    frame_time: fs. temperature: K. mobile: symbol. rests: whether the framework's drift is none of the physics.
    sites: file of fractional coordinates of the sites that ours found; ours runs first.
    rounds: of what is timed, at most.
    lags: frames, at which the MSD is told. r_max, width: Å, of g(r). pair: of species, whose first peak is told.
    """

    symbols: np.ndarray
    masses: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    frame_time: float
    temperature: float
    mobile: str
    rests: bool
    lags: tuple[int, ...]
    r_max: float
    width: float
    pair: tuple[str, str]
    sites: Path
    rounds: int

    @cached_property
    def ions(self) -> np.ndarray:
        return np.flatnonzero(self.symbols == self.mobile)

    @cached_property
    def framework(self) -> np.ndarray:
        return np.flatnonzero(self.symbols != self.mobile)

    @cached_property
    def fractions(self) -> np.ndarray:
        """In the cell, from 0 to 1, as programs write them that do not follow the atoms."""
        found = self.positions @ np.linalg.inv(self.cell)
        return found - np.floor(found)

    @cached_property
    def wrapped(self) -> np.ndarray:
        return self.fractions @ self.cell

    @cached_property
    def upright(self) -> np.ndarray:
        """The cell turned so that a lies along x and b in the plane of x and y, as programs expect it that keep lengths and angles."""
        _, r = np.linalg.qr(self.cell.T)
        return (r * np.sign(np.diag(r))[:, None]).T

    @property
    def volume(self) -> float:
        return float(abs(np.linalg.det(self.cell)))

    def without_drift(self) -> np.ndarray:
        """Unwrapped positions, of which the motion of the framework's centre of mass is taken, as ours are; for programs that leave
        that to the user."""
        if not self.rests:
            return self.positions
        weights = self.masses[self.framework] / self.masses[self.framework].sum()
        drift = np.einsum("a,tac->tc", weights, self.positions[:, self.framework])
        return self.positions - (drift - drift[0])[:, None]

    def conductivity(self, diffusivity: float) -> float:
        """N e² D / V k_B T, S/cm, of singly charged ions; D in cm²/s."""
        density = len(self.ions) / (self.volume * 1e-24)  # 1/cm³
        return float(density * E2_PER_K_B * diffusivity / self.temperature)


def loaded(path: str, rounds: int) -> Sample:
    with np.load(path, allow_pickle=False) as stored:
        words = json.loads(stored["words"].tobytes())
        words |= {
            "lags": tuple(words["lags"]),
            "pair": tuple(words["pair"]),
            "sites": Path(path).with_suffix(".sites.npy"),
            "rounds": rounds,
        }
        return Sample(stored["symbols"], stored["masses"], stored["positions"], stored["cell"], **words)


def row(observable: str, label: str, value: float | None, error: float | None = None, ns: float | None = None, remark: str = "") -> dict:
    """value: None where the program gives none. error: as the program tells it. ns: of processor time per atom and frame."""
    plain = [None if x is None or not np.isfinite(x) else float(x) for x in (value, error, ns)]
    return {"observable": observable, "label": label, "value": plain[0], "error": plain[1], "ns": plain[2], "remark": remark}


def timed(compute: Callable[[], object], sample: Sample, atoms: int | None = None) -> tuple[object, float]:
    """What it gives, and ns of processor time, of all threads, per atom of the trajectory and frame: the least of some rounds."""
    spent, answer = [], None
    while len(spent) < sample.rounds and sum(spent) < ENOUGH:
        begin = time.process_time()
        answer = compute()
        spent.append(time.process_time() - begin)
    return answer, 1e9 * min(spent) / (len(sample.positions) * (atoms or len(sample.symbols)))


def g_row(sample: Sample, label: str, r: np.ndarray, g: np.ndarray, ns: float, remark: str = "") -> dict:
    """The highest bin of the first peak, or, without order, the mean beyond a few Å."""
    if sample.pair == WITHOUT_ORDER:
        return row("g(r) on the average from 2 Å on", label, float(np.average(g[r > 2], weights=r[r > 2] ** 2)), None, ns, remark)
    high = int(np.argmax(g > 1.0))
    low = high + int(np.argmax(g[high:] < 1.0)) if (g[high:] < 1.0).any() else len(g)
    top = high + int(np.argmax(g[high:low]))
    return row("first peak of g(r)", label, g[top], None, ns, f"at {r[top]:.3f} Å{'; ' * bool(remark)}{remark}")


def largest_slip(found: np.ndarray, sample: Sample) -> float:
    """Å, by which displacements of the mobile ions from the first frame, (n_frames, n_ions, 3), are off those of the sample."""
    true = sample.positions[:, sample.ions] - sample.positions[0, sample.ions]
    return float(abs(found - true).max())


def answer(rows_of: Callable[[Sample, bool], list[dict]], versions: dict[str, str]) -> None:
    """Run the program on each of the trajectories that the first argument names: a JSON list of files. The first of them is compared in all
    respects, the others tell how far the results scatter."""
    found = [rows_of(loaded(path, 1 if k else ROUNDS), k == 0) for k, path in enumerate(json.loads(sys.argv[1]))]
    print("\n" + json.dumps({"versions": versions, "rows": found}))  # on a line of its own: programs print too
