"""`model_devi.out`: the deviations of a trajectory, one line per frame, as DeePMD-kit writes them in LAMMPS.

`#` and seven columns: step (12 characters wide), then max, min and avg of the virial deviation (eV per atom) and of the force
deviation (eV/Å), each 19 wide with six decimals, so that `numpy.loadtxt` and scripts made for DP-GEN read it.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from mlff.uncertainty.deviation import FrameDeviation

COLUMNS = ("step", "max_devi_v", "min_devi_v", "avg_devi_v", "max_devi_f", "min_devi_f", "avg_devi_f")
HEADER = f"#{COLUMNS[0]:>11}" + "".join(f"{name:>19}" for name in COLUMNS[1:]) + "\n"


class ModelDeviWriter:
    """Appends frames to the file, which is made with its header where there is none.

    Each line is on disk when `append` returns, as far as the operating system goes; a line that a killed run left unfinished is cut
    off. A frame without a virial has NaN in its columns, not 0, which would be perfect agreement.
    """

    def __init__(self, path: str | Path):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._file.seek(0)
        text = self._file.read()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)
        if not whole:
            self._write(HEADER)

    def append(self, step: int, deviation: FrameDeviation) -> None:
        """step: of the integrator, not the number of the frame."""
        virial = (deviation.max_virial, deviation.min_virial, deviation.mean_virial)
        force = (deviation.max_force, deviation.min_force, deviation.mean_force)
        self._write(f"{step:>12d}" + "".join(f" {value:18.6e}" for value in (*virial, *force)) + "\n")

    def close(self) -> None:
        self._file.close()

    def _write(self, line: str) -> None:
        self._file.write(line.encode())
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def read_model_devi(path: str | Path) -> dict[str, np.ndarray]:
    """The columns by their names, each (n_frames,); steps are integers.

    Reads what DeePMD-kit writes too: columns behind the seventh (of the energy, of every atom) are left alone, and so is a last line
    that is still being written.
    """
    text = Path(path).read_text(encoding="utf-8")
    rows = []
    for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            step, *values = (float(word) for word in line.split()[: len(COLUMNS)])
        except ValueError:
            values = []
        if len(values) != len(COLUMNS) - 1:
            raise ValueError(f"{path}, line {number}: found {line.strip()[:60]!r}, expected {len(COLUMNS)} numbers: {', '.join(COLUMNS)}")
        rows.append((step, *values))
    table = np.array(rows, np.float64).reshape(-1, len(COLUMNS))
    return {"step": table[:, 0].astype(np.int64)} | {name: table[:, column] for column, name in enumerate(COLUMNS) if column}
