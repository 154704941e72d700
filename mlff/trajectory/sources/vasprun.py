"""VASP's vasprun.xml, an ionic step at a time: positions and cells; it holds no velocities."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mlff.trajectory.sources.source import Options, Source, SourceFrame, TruncatedFile
from mlff.trajectory.sources.text import numbers_of

PERIODIC = np.ones(3, bool)
MOLECULAR_DYNAMICS = "0"  # IBRION


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Steps count the ionic steps from 0; times are in units of POTIM, where the run is molecular dynamics (IBRION = 0)."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
        index, numbers, parameters, inside = 0, None, {}, []
        try:
            for event, element in ElementTree.iterparse(file, ("start", "end")):
                if event == "start":
                    inside.append(element)
                    continue
                inside.pop()
                if element.tag == "i" and element.get("name") in ("POTIM", "IBRION"):
                    parameters[element.get("name")] = (element.text or "").strip()
                elif element.tag == "array" and element.get("name") == "atoms":
                    numbers = numbers_of([row.find("c").text for row in element.iter("rc")], str(path))
                elif element.tag == "calculation":
                    yield _frame(path, index, element.find("structure"), numbers, _timestep(parameters))
                    index += 1
                if len(inside) <= 2 and inside:  # the children of <modeling> and of <calculation>: what is read of them is read
                    if element.tag != "structure":
                        element.clear()
                    if len(inside) == 1:
                        inside[-1].remove(element)
        except (ElementTree.ParseError, EOFError) as error:
            raise TruncatedFile(path, index, str(error)) from None


def _frame(path: Path, index: int, structure, numbers: np.ndarray | None, timestep: float | None) -> SourceFrame:
    arrays = {} if structure is None else {array.get("name"): _rows(array) for array in structure.iter("varray")}
    if numbers is None or arrays.keys() < {"basis", "positions"} or len(arrays["positions"]) != len(numbers):
        raise ValueError(
            f"{path}, frame {index}: found no species, cell or positions of all atoms, expected those of each ionic step; "
            "leave the file out, or read the XDATCAR of the run"
        )
    cell = arrays["basis"]
    time = None if timestep is None else index * timestep
    return SourceFrame(arrays["positions"] @ cell, cell, numbers, PERIODIC, step=index, time=time)


def _rows(varray) -> np.ndarray:
    return np.array(" ".join(row.text for row in varray.iter("v")).split(), float).reshape(-1, 3)


def _timestep(parameters: dict[str, str]) -> float | None:
    """POTIM, fs; None where it is no time."""
    if parameters.get("IBRION") != MOLECULAR_DYNAMICS or not float(parameters.get("POTIM") or 0) > 0:
        return None
    return float(parameters["POTIM"])


SOURCE = Source(read)
