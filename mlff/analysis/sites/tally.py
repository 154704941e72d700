"""What one run of ions on known sites shows, in memory that does not grow with it."""

from dataclasses import dataclass

import numpy as np

from mlff.analysis.accumulator import load_parts, part_of, stored_parts
from mlff.analysis.sites.assignment import FRAME, FROM, ION, SHIFT, TO, Counts, Ions, follow, nothing, nowhere, settle
from mlff.analysis.sites.lookup import lookup
from mlff.analysis.sites.residence import ENDS, bin_of
from mlff.analysis.sites.sites import Sites
from mlff.analysis.sites.strings import Strings
from mlff.analysis.statistics.blocks import Blocks

GROUP = 4096  # ion-frames that are one sample of the blocks
OCCUPIED, MULTIPLE, DEPARTED = range(3)  # rows of what is counted at each site: ions, frames with more than one, jumps from it


@dataclass(frozen=True)
class Run:
    """One run that is over. Frames are counted; lengths are fractions of the cell.

    fractions, labels, cores: of its sites. cell: (3, 3), Å, the mean. frame_time: fs. n_frames: (). window: (), frames, of strings.
    of_sites: (3, n_sites) int64: ions, summed over frames; frames with more than one; jumps from it. blocks: state of their Blocks, of
        `group` frames a sample.
    inside: (), ion-frames in a core. returns: (), jumps straight back.
    complete, censored: (n_bins,) int64, stays from a jump on, by length: to the next jump, and to the end of the run.
    of_site: (n_sites, 4), of_ion: (n_ions, 4), sums of vibration.
    jumps: (n_ions,) int64. net: (n_ions, 3), from its first place to its last.
    hops: (m, 5) int64, from, to, cells from image to image, sorted; counts: (m,) int64.
    strings: (2, n_ions + 1) int64.
    events: (k, 4) int64, frame, ion, from, to, the first of all jumps.
    """

    fractions: np.ndarray
    labels: np.ndarray
    cores: np.ndarray
    cell: np.ndarray
    frame_time: np.ndarray
    n_frames: np.ndarray
    window: np.ndarray
    of_sites: np.ndarray
    blocks_sums: np.ndarray
    blocks_length: np.ndarray
    group: np.ndarray
    inside: np.ndarray
    returns: np.ndarray
    complete: np.ndarray
    censored: np.ndarray
    of_site: np.ndarray
    of_ion: np.ndarray
    jumps: np.ndarray
    net: np.ndarray
    hops: np.ndarray
    counts: np.ndarray
    strings: np.ndarray
    events: np.ndarray

    @property
    def sites(self) -> Sites:
        return Sites(self.fractions, self.labels, self.cores)


class Tally:
    """Follows the ions of one run.

    Args:
        sites: of the run. cell: (3, 3), Å, in which the distance from a site is measured.
        window: frames, of strings. settled: frames that a stay lasts at least, to count as vibration. keep: jumps that are listed.
    """

    def __init__(self, sites: Sites, cell: np.ndarray, n_ions: int, window: int, settled: int, keep: int):
        self.sites, self.settled, self.keep = sites, settled, keep
        self.group = int(np.clip(GROUP // n_ions, 1, 64))  # frames
        self.ions, self.counts = nowhere(n_ions), nothing(len(sites), n_ions, ENDS)
        self.blocks, self.strings = Blocks((3, len(sites))), Strings(n_ions, window)
        self.hops: dict[tuple[int, ...], int] = {}
        self.departed = np.zeros(len(sites), np.int64)
        self.counted = np.zeros((3, len(sites)), np.int64)  # when the group began
        self.frames = np.zeros((), np.int64)
        self.cell_sum = np.zeros((3, 3))  # of what differs from the cell
        self.events = np.zeros((0, 4), np.int64)
        self._cell, self._table = cell, lookup(cell, sites.fractions, sites.cores)

    def update(self, fractions: np.ndarray, cells: np.ndarray) -> None:
        """Take in (n_frames, n_ions, 3), unwrapped, without drift, and (n_frames, 3, 3), Å."""
        begin = 0
        while begin < len(fractions):  # up to the end of a group, so that chunks do not matter
            part = slice(begin, begin + self.group - int(self.frames % self.group))
            now, begin = fractions[part], part.stop
            jumps = follow(now, cells[part], int(self.frames), self._table, self.settled, self.ions, self.counts)
            self.frames = self.frames + len(now)
            if len(jumps):
                self._take(jumps)
            if self.frames % self.group == 0:
                whole = self._of_sites()
                self.blocks.add(whole - self.counted)
                self.counted = whole
        for cell in cells if (cells != self._cell).any() else ():
            self.cell_sum = self.cell_sum + (cell - self._cell)

    def close(self, frame_time: float) -> Run:
        """What there is to tell, as if the run ended here; fs. The tally is of no use after that."""
        ions, counts, n = self.ions, self.counts, int(self.frames)
        for i in np.flatnonzero(ions.site >= 0):
            settle(ions, counts, i, self.settled)
        self.strings.close()
        open_stays = n - 1 - ions.entered[ions.entered >= 0]
        censored = np.bincount(bin_of(open_stays[open_stays > 0]), minlength=len(ENDS))
        placed = ions.site >= 0
        net = np.zeros((len(placed), 3))
        ends = self.sites.fractions[ions.site] + ions.image, self.sites.fractions[ions.first] + ions.image_first
        net[placed] = (ends[0] - ends[1])[placed]
        hops = np.array(sorted(self.hops), np.int64).reshape(-1, 5)
        return Run(
            *(np.array(a) for a in (self.sites.fractions, self.sites.labels, self.sites.cores)),
            cell=self._cell + self.cell_sum / n,
            frame_time=np.array(float(frame_time)),
            n_frames=np.array(n),
            window=np.array(self.strings.window),
            of_sites=self._of_sites(),
            blocks_sums=self.blocks.sums,
            blocks_length=self.blocks.length,
            group=np.array(self.group),
            inside=counts.inside[0],
            returns=counts.returns[0],
            complete=counts.complete,
            censored=censored,
            of_site=counts.of_site,
            of_ion=counts.of_ion,
            jumps=counts.jumps,
            net=net,
            hops=hops,
            counts=np.array([self.hops[tuple(hop)] for hop in hops.tolist()], np.int64),
            strings=self.strings.sizes,
            events=self.events,
        )

    def state(self) -> dict[str, np.ndarray]:
        arrays = {f"ions.{name}": a.copy() for name, a in self.ions._asdict().items()}
        arrays |= {f"counts.{name}": a.copy() for name, a in self.counts._asdict().items()}
        arrays |= stored_parts({"blocks": self.blocks, "strings": self.strings})
        arrays |= {name: np.array(getattr(self, name)) for name in ("departed", "counted", "frames", "cell_sum", "events")}
        return arrays | {"hops": np.array([(*hop, n) for hop, n in sorted(self.hops.items())], np.int64).reshape(-1, 6)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        ions, counts = ({entry: np.array(a) for entry, a in part_of(state, name).items()} for name in ("ions", "counts"))
        self.ions, self.counts = Ions(**ions), Counts(**counts)
        load_parts(state, {"blocks": self.blocks, "strings": self.strings})
        for name in ("departed", "counted", "frames", "cell_sum", "events"):
            setattr(self, name, np.array(state[name]))
        self.hops = {tuple(row[:-1]): row[-1] for row in state["hops"].tolist()}

    def _take(self, jumps: np.ndarray) -> None:
        np.add.at(self.departed, jumps[:, FROM], 1)
        room = self.keep - len(self.events)
        if room > 0:
            self.events = np.concatenate([self.events, jumps[:room, [FRAME, ION, FROM, TO]]])
        for row in jumps.tolist():
            self.strings.add(row[FRAME], row[ION], row[FROM], row[TO])
            hop = (row[FROM], row[TO], *row[SHIFT])
            self.hops[hop] = self.hops.get(hop, 0) + 1

    def _of_sites(self) -> np.ndarray:
        return np.stack([self.counts.occupied, self.counts.multiple, self.departed])
