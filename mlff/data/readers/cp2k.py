"""CP2K: the output of an ENERGY_FORCE run, or the files of an MD run (project-pos-1.xyz, -frc-1.xyz, -1.cell).

The -1.stress file of an MD run is not read: it holds the kinetic part of the pressure, which is no label of a structure.
CP2K's "Total FORCE_EVAL energy" is the one its forces derive from (a free energy with smearing), in Hartree; its stress
tensor is a pressure tensor (compression positive).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlff.data.frame import Frame
from mlff.data.readers.extxyz import open_text
from mlff.data.settings import describe_settings
from mlff.units import BAR, GPA, HARTREE, HARTREE_PER_BOHR

_NUMBER = r"[-+]?\d+\.\d+(?:[EeDd][-+]?\d+)?"
_ROW = rf"({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})"
_STRESS_UNITS = {"GPa": GPA, "bar": BAR}


def read_cp2k(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Frames of a CP2K run. `path`: an output file, or the -pos-*.xyz of a trajectory (its -frc- and .cell lie beside it).

    Raises:
        ValueError: an output that is cut short or unconverged, an MD output without its trajectory files, or files of unequal length.
    """
    if energy_kind == "sigma0":
        raise ValueError(f"{path}: CP2K prints the energy its forces derive from, expected energy_kind 'free'; leave energy_kind out")
    if re.search(r"-pos-\d+\.xyz", path.name):
        yield from _read_trajectory(path)
    else:
        yield _read_output(path)


def _read_output(path: Path) -> Frame:
    with open_text(path) as file:
        text = file.read()
    where = f"{path}, frame 0"
    if "SCF run NOT converged" in text:
        raise ValueError(f"{where}: the self-consistency did not converge; label the frame again with other mixing, or leave it out")
    energies = re.findall(r"ENERGY\| Total FORCE_EVAL \( \w+ \) energy \[[^\]]+\]:?\s+(\S+)", text)
    if not energies:
        raise ValueError(f"{where}: no 'ENERGY| Total FORCE_EVAL' line found; CP2K stopped early: run it again or leave the file out")
    if len(energies) > 1:
        raise ValueError(
            f"{path}: {len(energies)} energies found, expected 1 (an output repeats no coordinates); give the run's -pos-1.xyz file instead"
        )
    numbers, positions = _coordinates(text, where)
    forces = _forces(text, len(numbers), where)
    if forces is not None and len(forces) != len(numbers):
        raise ValueError(f"{where}: forces of {len(forces)} atoms, expected {len(numbers)}; the file is cut off: leave it out")
    cell = _cell(text)
    return Frame(
        numbers=numbers,
        positions=positions,
        cell=np.zeros((3, 3)) if cell is None else cell,
        pbc=np.full(3, cell is not None),
        energy=float(energies[0]) * HARTREE,
        forces=forces,
        stress=_stress(text, where),
        energy_kind="free",
        source=str(path),
        index=0,
        info={"trajectory": path.stem, "settings": describe_settings(_settings(text))},
    )


def _coordinates(text: str, where: str) -> tuple[np.ndarray, np.ndarray]:
    start = re.search(r"ATOMIC COORDINATES IN (?i:angstrom)", text)
    rows = []
    if start:
        block = text[start.end() :].split("SCF", 1)[0]
        rows = re.findall(rf"^\s+\d+\s+\d+\s+\S+\s+(\d+)\s+{_ROW}\s", block, re.M)
    if not rows:
        raise ValueError(f"{where}: no atomic coordinates in ångström found; run CP2K with PRINT_LEVEL MEDIUM, which prints them")
    return np.array([int(row[0]) for row in rows]), np.array([row[1:] for row in rows], dtype=float)


def _forces(text: str, n_atoms: int, where: str) -> np.ndarray | None:
    """Both layouts: "ATOMIC FORCES in [a.u.]" and, since 2024, "FORCES| Atomic forces [hartree/bohr]"."""
    if (start := text.rfind("ATOMIC FORCES in [a.u.]")) >= 0:
        rows = re.findall(rf"^\s+\d+\s+\d+\s+[A-Z]\S*\s+{_ROW}\s*$", text[start:], re.M)
    elif (start := text.rfind("FORCES| Atomic forces")) >= 0:
        unit = re.match(r"FORCES\| Atomic forces \[([^\]]+)\]", text[start:])
        if unit is None or unit.group(1).lower() != "hartree/bohr":
            raise ValueError(f"{where}: forces in {unit.group(1) if unit else 'an unknown unit'}, expected hartree/bohr; print them so")
        rows = re.findall(rf"^\s*FORCES\|\s+\d+\s+{_ROW}", text[start:], re.M)
    else:
        return None
    return np.array(rows[:n_atoms], dtype=float).reshape(-1, 3) * HARTREE_PER_BOHR


def _cell(text: str) -> np.ndarray | None:
    """The cell: vectors are printed to 3 decimals, lengths and angles to 6, so these give its shape and those turn it.

    In CP2K's usual orientation (a along x, b in the xy plane) nothing is turned and the cell is right to 1e-6 Å.
    """
    rows = re.findall(rf"^ CELL\| Vector [abc] \[angstrom\]:?\s+{_ROW}\s+\|[abc]\| =\s+({_NUMBER})", text, re.M)[:3]
    if len(rows) < 3:
        return None
    from ase.geometry import cellpar_to_cell

    printed = np.array([row[:3] for row in rows], dtype=float)
    lengths = [float(row[3]) for row in rows]
    angles = [float(angle) for angle in re.findall(rf"^ CELL\| Angle .*\[degree\]:\s+({_NUMBER})", text, re.M)[:3]]
    if len(angles) == 3:
        exact = cellpar_to_cell([*lengths, *angles])
        if np.abs(exact - printed).max() < 1e-3:
            return exact
        left, _, right = np.linalg.svd(exact.T @ printed)
        return exact @ left @ right
    return printed


def _stress(text: str, where: str) -> np.ndarray | None:
    """Both layouts: "STRESS| Analytical stress tensor [GPa]" and "STRESS TENSOR [GPa]"."""
    headers = list(re.finditer(r"(?:STRESS\| (?:Analytical|Numerical) stress tensor|STRESS TENSOR) \[(\w+)\]", text))
    if not headers:
        return None
    header = headers[-1]
    if header.group(1) not in _STRESS_UNITS:
        raise ValueError(f"{where}: stress in {header.group(1)}, expected one of {', '.join(_STRESS_UNITS)}; print it in one of these")
    rows = re.findall(rf"^\s*(?:STRESS\|)?\s*[xyzXYZ]\s+{_ROW}\s*$", text[header.end() :], re.M)[:3]
    if len(rows) < 3:
        raise ValueError(f"{where}: the stress tensor is cut short; leave the file out")
    stress = -np.array(rows, dtype=float) * _STRESS_UNITS[header.group(1)]
    return 0.5 * (stress + stress.T)


def _settings(text: str) -> dict[str, object]:
    def first(pattern: str) -> str | None:
        match = re.search(pattern, text, re.M)
        return match.group(1) if match else None

    return {
        "code": "CP2K",
        "functional": first(r"^ FUNCTIONAL\| (\S+?):"),
        "CUTOFF": first(r"QS\| Density cutoff \[a\.u\.\]:?\s+(\S+)"),
        "REL_CUTOFF": first(r"QS\| Relative density cutoff \[a\.u\.\]:?\s+(\S+)"),
    }


def _read_trajectory(path: Path) -> Iterator[Frame]:
    project, number = re.match(r"(.*)-pos-(\d+)\.xyz", path.name).groups()
    forces_file = path.with_name(f"{project}-frc-{number}.xyz")
    frames = list(_xyz(path))
    forces = list(_xyz(forces_file)) if forces_file.is_file() else None
    if forces is not None and len(forces) != len(frames):
        raise ValueError(
            f"{forces_file}: {len(forces)} frames, but {path.name} has {len(frames)}; "
            "print both every same number of steps, and cut both to the shorter one"
        )
    cells = _cells(path.with_name(f"{project}-{number}.cell"))
    constant_cell = None if cells is not None else _cell_of_run(path.parent, project)
    for index, (step, time, energy, symbols, positions) in enumerate(frames):
        where = f"{path}, frame {index}"
        if forces is not None and forces[index][0] != step:
            raise ValueError(f"{where}: is step {step}, but the forces beside it are of step {forces[index][0]}; print both equally often")
        if cells is not None and step not in cells:
            raise ValueError(f"{where}: step {step} has no row in the .cell file; print the cell as often as the positions")
        cell = cells[step] if cells is not None else constant_cell
        from ase.data import atomic_numbers

        yield Frame(
            numbers=np.array([atomic_numbers[symbol] for symbol in symbols]),
            positions=positions,
            cell=np.zeros((3, 3)) if cell is None else cell,
            pbc=np.full(3, cell is not None),
            energy=None if energy is None else energy * HARTREE,
            forces=None if forces is None else forces[index][4] * HARTREE_PER_BOHR,
            stress=None,
            energy_kind="free",
            source=str(path),
            index=index,
            info={"trajectory": project, **({} if time is None else {"time": time})},
        )


def _xyz(path: Path) -> Iterator[tuple[int, float | None, float | None, list[str], np.ndarray]]:
    """(step, time in fs, energy in Hartree, symbols, three columns) of each frame of CP2K's xyz."""
    with open_text(path) as file:
        index = 0
        while header := file.readline():
            if not header.strip():
                continue
            where = f"{path}, frame {index}"
            n_atoms = int(header)
            comment = file.readline()
            rows = [file.readline().split() for _ in range(n_atoms)]
            short = next((k for k, row in enumerate(rows) if len(row) < 4), None)
            if short is not None:
                raise ValueError(f"{where}: the file ends after {short} of {n_atoms} atoms; remove this frame")
            step = re.search(r"i\s*=\s*(\d+)", comment)
            time = re.search(rf"time\s*=\s*({_NUMBER})", comment)
            energy = re.search(rf"E\s*=\s*({_NUMBER})", comment)
            yield (
                int(step.group(1)) if step else index,
                float(time.group(1)) if time else None,
                float(energy.group(1)) if energy else None,
                [re.match(r"[A-Z][a-z]?", row[0]).group(0) for row in rows],
                np.array([row[1:4] for row in rows], dtype=float),
            )
            index += 1


def _cells(path: Path) -> dict[int, np.ndarray] | None:
    """Step → cell, Å, from a table of step, time, nine components and volume; None where the file is missing."""
    if not path.is_file():
        return None
    return {int(row[0]): row[2:11].reshape(3, 3) for row in np.loadtxt(path, ndmin=2)}


def _cell_of_run(folder: Path, project: str) -> np.ndarray:
    """The constant cell, from the run's output beside the trajectory."""
    for file in sorted((*folder.glob("*.out"), *folder.glob("*.log"))):
        with open_text(file) as opened:
            cell = _cell(opened.read(2_000_000))
        if cell is not None:
            return cell
    raise ValueError(
        f"{folder / (project + '-1.cell')}: missing, and no output (*.out, *.log) with 'CELL| Vector' lies beside it; "
        "put the run's .cell file or its output next to the trajectory"
    )
