"""Sites and jumps of the mobile ion, accumulated in one pass over a trajectory."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from mlff.analysis.accumulator import check_settings, load_parts, stored_parts
from mlff.analysis.sites.lattice_fractions import lattice_fractions
from mlff.analysis.sites.result import Hops, hops_of
from mlff.analysis.sites.site_search import CONTRAST, find_sites
from mlff.analysis.sites.sites import TOO_NEAR, Sites, matched, sites_in, sites_of
from mlff.analysis.sites.tally import Run, Tally
from mlff.analysis.sites.vibration import SETTLED
from mlff.analysis.statistics.even_steps import count_steps
from mlff.analysis.statistics.merged_runs import loaded_runs, stored_runs
from mlff.analysis.system import NotApplicable, System
from mlff.trajectory import Frames
from mlff.units import PS

MOST_HELD = 2**21  # ion-frames that are remembered while sites are searched: 50 MB
AT_ONCE = 256  # frames


class HopAccumulator:
    """Follows ions from site to site (sites, jumps and their statistics as in de Klerk, van der Maas and Wagemaker, ACS Appl. Energy
    Mater. 1, 3230, 2018; paper 002, Figure 2f and eq. 1, where the jump frequency is normalised by the number of ions).

    Positions are those relative to the framework, where the system rests, in units of the cell. Where no sites are given they are found in
    the first frames, which then are gone through again: a place that no ion visits in them is no site, and `Hops.outside` tells of it.

    Args:
        sites: fractional coordinates (n, 3) in the cell of the first frame; or a structure with every site filled, of which the cell is a
            whole multiple; None to find them.
        labels: type of each of the sites; None for one type.
        core: radius of a site's core as a share of the distance to the nearest other. largest_core: Å.
        search: frames in which sites are searched, at most; fewer where ions × frames would exceed MOST_HELD.
        distance: Å, between maxima of the density that are two sites. least: share of those frames that an ion is at a site.
        window: ps, in which jumps make a string.
        keep: jumps, the first ones, that are listed one by one.
        contrast: of the density on sites that are found and in the cell, below which ions move as in a liquid: there is no result.
    Raises:
        NotApplicable: no ions of the kind that moves, or no crystal.
        ValueError: sites or settings that cannot be.
    """

    reads = "frames"

    def __init__(
        self,
        system: System,
        sites: Sequence | np.ndarray | System | None = None,
        labels: Sequence[str] | None = None,
        core: float = 0.35,
        largest_core: float = 1.0,
        search: int = 20_000,
        distance: float = 1.5,
        least: float = 0.02,
        window: float = 1.0,
        keep: int = 1000,
        contrast: float = CONTRAST,
    ):
        if not len(system.ions):
            raise NotApplicable(f"found no {system.mobile} in the structure, expected ions that move; name another with `mobile`")
        if not (system.pbc.all() and abs(np.linalg.det(system.cell)) > 0):
            raise NotApplicable(
                f"found pbc {system.pbc.tolist()}, expected a cell that is periodic along all vectors; sites repeat with it"
            )
        if not (search >= 2 and distance >= TOO_NEAR and 0 <= least < 1 and window > 0 and keep >= 0):
            raise ValueError(
                f"found search {search}, distance {distance}, least {least}, window {window}, keep {keep}; expected search ≥ 2 frames, "
                f"distance ≥ {TOO_NEAR} Å, least from 0 to 1, window > 0 ps, keep ≥ 0"
            )
        if sites is None and labels is not None:
            raise ValueError("found labels without sites; give the sites that they name, or neither")
        self.system, self.cell = system, np.asarray(system.cell, float)
        self.core, self.largest_core = float(core), float(largest_core)
        self.distance, self.least, self.window, self.keep = float(distance), float(least), float(window), int(keep)
        self.contrast = float(contrast)
        self.search = int(min(search, max(2, MOST_HELD // len(system.ions))))
        weights = np.zeros(0) if system.drift is None else np.asarray(system.drift, float)
        self._weights = weights / weights.sum() if len(weights) else weights
        centre = self._weights @ system.positions if len(weights) else np.zeros(3)
        self._origin = np.linalg.solve(self.cell.T, centre)
        self._given = self._sites(sites, labels)
        self._clock = np.zeros(3, np.int64)  # frames seen, step of the last, steps between frames
        self._held: list[tuple[np.ndarray, np.ndarray]] = []  # fractions and cells, while sites are searched
        self._tally: Tally | None = None
        self._lost = ""  # why there are no sites, where none were found
        self._runs: tuple[Run, ...] = ()

    @classmethod
    def of(cls, system: System, **settings) -> Self:
        """Of the mobile ions, without the framework's drift where the system rests."""
        return cls(system, **settings)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, or another number of atoms."""
        if not len(frames):
            return
        self._check(frames)
        for begin in range(0, len(frames), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            cells = np.array(frames.cells[part], float)
            fractions = lattice_fractions(frames.positions[part], cells, self.system.ions, self._weights, self._origin)
            self._take(fractions, cells)

    def merge(self, other: "HopAccumulator") -> None:
        """Takes in independent runs of the same ions on the same sites. Later parts of one run are not for it: an ion would count as two;
        pass those to `update` in order.

        Raises:
            ValueError: other settings, another time between frames, no sites, or sites that are not the same.
        """
        check_settings(other._settings(), self._settings())
        added = (*other._own(), *other._runs)
        for run in added:
            for mine in (*self._own(), *self._runs):
                self._same(mine, run)
        self._runs = (*self._runs, *added)

    def result(self) -> Hops:
        """Raises: ValueError: fewer than two frames, no sites found, or joined runs whose sites are not the same."""
        runs = (*self._own(), *self._runs)
        if not runs:
            raise ValueError(f"found {self._clock[0]} frames, expected at least 2; a jump needs a second frame")
        for run in runs[1:]:
            self._same(runs[0], run)
        places = [matched(runs[0].sites, run.sites, runs[0].cell) for run in runs]
        return hops_of(runs, places, self._given is None, self.system)

    def state(self) -> dict[str, np.ndarray]:
        n = len(self.system.ions)
        arrays = {
            "clock": self._clock.copy(),
            "held": np.concatenate([np.zeros((0, n, 3)), *(fractions for fractions, _ in self._held)]),
            "held_cells": np.concatenate([np.zeros((0, 3, 3)), *(cells for _, cells in self._held)]),
            "lost": np.array(self._lost),
        }
        if self._tally is not None:
            arrays |= stored_parts({"tally": self._tally})
            sites = self._tally.sites
            arrays |= {"sites": sites.fractions.copy(), "labels": sites.labels.copy(), "cores": sites.cores.copy()}
        return arrays | stored_runs(self._runs) | self._settings() | self._place()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings() | self._place())
        self._clock, self._lost = np.array(state["clock"]), str(state["lost"])
        self._held = [(np.array(state["held"]), np.array(state["held_cells"]))] if len(state["held"]) else []
        self._tally = None
        if "sites" in state:
            self._begin(Sites(*(np.array(state[name]) for name in ("sites", "labels", "cores"))))
            load_parts(state, {"tally": self._tally})
        self._runs = loaded_runs(state, Run)

    def _settings(self) -> dict[str, np.ndarray]:
        """What runs that are joined have in common."""
        names = ("core", "largest_core", "search", "distance", "least", "window", "keep", "contrast")
        given = Sites(np.zeros((0, 3)), np.zeros(0, str), np.zeros(0)) if self._given is None else self._given
        return {
            "symbols": np.array(self.system.symbols),
            "mobile": np.array(self.system.mobile),
            "timestep": np.array(float(self.system.timestep)),
            "weights": self._weights,
            "given": given.fractions,
            "given_labels": given.labels,
        } | {name: np.array(getattr(self, name)) for name in names}

    def _place(self) -> dict[str, np.ndarray]:
        """What one run has of its own."""
        return {"cell": self.cell, "origin": self._origin}

    def _sites(self, sites: Sequence | np.ndarray | System | None, labels: Sequence[str] | None) -> Sites | None:
        if sites is None:
            return None
        fractions = sites_of(sites, self.cell) if isinstance(sites, System) else np.asarray(sites, float)
        named = [self.system.mobile] * len(fractions) if labels is None else list(labels)
        if isinstance(sites, System) and labels is not None:
            named *= max(1, len(fractions) // max(1, len(named)))  # of each repeat of the structure
        return sites_in(self.cell, fractions, named, self.core, self.largest_core)

    def _check(self, frames: Frames) -> None:
        n_atoms = len(self.system.symbols)
        if frames.positions.shape[1] != n_atoms:
            raise ValueError(f"found frames of {frames.positions.shape[1]} atoms, expected {n_atoms}; give frames of the system's run")
        count_steps(self._clock, frames.steps, "frames")

    @property
    def _frame_time(self) -> float:
        """fs; as the system says before there are two frames."""
        return self.system.timestep * float(self._clock[2] or self.system.interval)

    def _take(self, fractions: np.ndarray, cells: np.ndarray) -> None:
        if self._lost:
            return
        if self._tally is not None:
            self._tally.update(fractions, cells)
            return
        room = (self.search if self._given is None else 2) - sum(len(held) for held, _ in self._held)
        self._held.append((fractions[:room], cells[:room]))  # with given sites two frames, which tell the time between them
        if len(fractions) >= room:
            self._follow_held()
            self._take(fractions[room:], cells[room:])

    def _follow_held(self) -> None:
        """Finds the sites, unless they are given, and goes through the frames that were held.

        Where there are none, `result` says so: other observables of the same frames go on.
        """
        fractions = np.concatenate([held for held, _ in self._held])
        cells = np.concatenate([held for _, held in self._held])
        self._held = []
        sites = self._given
        if sites is None:
            try:
                found = find_sites(fractions, self.cell, self.distance, self.least, self.contrast)
            except ValueError as none:
                self._lost = str(none)
                return
            sites = sites_in(self.cell, found, [self.system.mobile] * len(found), self.core, self.largest_core)
        self._begin(sites)
        self._tally.update(fractions, cells)

    def _begin(self, sites: Sites) -> None:
        frames = [max(1, round(time / self._frame_time)) for time in (self.window * PS, SETTLED)]
        self._tally = Tally(sites, self.cell, len(self.system.ions), *frames, self.keep)

    def _own(self) -> tuple[Run, ...]:
        """This run as if it ended here, from a copy; none with fewer than two frames."""
        if self._clock[0] < 2:
            return ()
        whole = HopAccumulator.__new__(HopAccumulator)
        vars(whole).update(vars(self))
        whole.load(self.state())
        if whole._tally is None and not whole._lost:
            whole._follow_held()
        if whole._lost:
            raise ValueError(whole._lost)
        return (whole._tally.close(self._frame_time),)

    def _same(self, one: Run, other: Run) -> None:
        if one.frame_time != other.frame_time:
            raise ValueError(
                f"found runs with frames {one.frame_time:g} and {other.frame_time:g} fs apart, expected one spacing; "
                "read them with strides that agree"
            )
        matched(one.sites, other.sites, one.cell)
