"""VASP's OUTCAR and vasprun.xml. ASE reads the numbers; this file adds convergence, settings and the choice of energy.

Both files hold the free energy ("free energy TOTEN", whose derivative the forces are) and the energy extrapolated to
zero smearing ("energy(sigma->0)"). The free energy is taken unless `energy_kind="sigma0"`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from mlff.data.frame import Frame
from mlff.data.readers.extxyz import open_text
from mlff.data.settings import describe_settings

log = logging.getLogger(__name__)

# POTCAR titles begin with the functional the potential was made with, which VASP uses when GGA is unset
_BY_TITLE = (("PAW_PBE", "PE"), ("PAW_GGA", "91"), ("PAW", "CA"))
_CONVERGED = "aborting loop because EDIFF is reached"


def read_outcar(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Every finished ionic step of an OUTCAR (also .xz, .gz).

    A step cut off by a killed run is left out, with a warning. A step whose self-consistency stopped at NELM is kept with
    info["converged"] = False, with a warning.

    Raises:
        ValueError: no ionic step was finished, or a step cannot be read.
    """
    from ase.io.vasp_parsers.vasp_outcar_parsers import OutcarHeaderParser, ParseError, outcarchunks

    with open_text(path) as file:
        header = [line for line, _ in zip(file, range(200_000), strict=False)]
    settings = describe_settings(_outcar_settings("".join(header)))
    n_begun = sum("POSITION    " in line and "TOTAL-FORCE" in line for line in header)
    n, unconverged = 0, []
    with open_text(path) as file:
        try:
            # no working directory: constraints from a POSCAR beside the file do not belong to the labels
            for chunk in outcarchunks(_Named(file, path), header_parser=OutcarHeaderParser()):
                converged = any(_CONVERGED in line for line in chunk.lines)
                if not converged:
                    unconverged.append(n)
                info = {"trajectory": str(path), "settings": settings, "converged": converged}
                yield Frame.from_atoms(chunk.build(), source=str(path), index=n, energy_kind=energy_kind, info=info)
                n += 1
        except (ParseError, IndexError) as error:
            raise ValueError(f"{path}, frame {n}: cannot be read as an OUTCAR ({error}); repair the file or leave it out") from error
    if n == 0:
        raise ValueError(f"{path}: no finished ionic step found; the run stopped during its first one: leave the file out")
    if n_begun > n:
        log.warning("%s: the last ionic step is cut off and was left out (%d frames read)", path, n)
    _warn_unconverged(path, unconverged)


class _Named:
    """A text file with the name ASE asks for (lzma and gzip wrappers have none)."""

    def __init__(self, file, path: Path):
        self._file, self.name = file, str(path)

    def __iter__(self):
        return self

    def __next__(self) -> str:
        return next(self._file)


def read_vasprun(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Every finished ionic step of a vasprun.xml (also .xz, .gz); a step cut off by a killed run is left out.

    A step that used all NELM electronic steps is kept with info["converged"] = False, with a warning.

    Raises:
        ValueError: the file breaks off before its first structure or holds no finished step.
    """
    import xml.etree.ElementTree as ElementTree

    from ase.io.vasp import read_vasp_xml

    with open_text(path) as file:
        text = file.read()
    steps = re.findall(r"<calculation>(.*?)</calculation>", text, re.DOTALL)
    n_electronic = [step.count("<scstep>") for step in steps]
    nelm = _first(r'name="NELM"\s*>\s*(\d+)', text)
    settings = describe_settings(_vasprun_settings(text))
    unconverged, n = [], 0
    try:
        with open_text(path) as file:
            for atoms in read_vasp_xml(file, index=slice(None)):
                if atoms.calc is None or n >= len(steps):
                    break  # ASE returns the bare initial structure where no step was finished
                converged = nelm is None or n_electronic[n] < int(nelm)
                if not converged:
                    unconverged.append(n)
                info = {"trajectory": str(path), "settings": settings, "converged": converged}
                yield Frame.from_atoms(atoms, source=str(path), index=n, energy_kind=energy_kind, info=info)
                n += 1
    except (ElementTree.ParseError, AttributeError, IndexError, TypeError) as error:
        raise ValueError(f"{path}, frame {n}: cannot be read as a vasprun.xml ({error}); repair the file or leave it out") from error
    if n == 0:
        raise ValueError(f"{path}: no finished ionic step found; the run stopped during its first one: leave the file out")
    if "</modeling>" not in text:
        log.warning("%s: the file is cut off; %d finished frames were read", path, n)
    _warn_unconverged(path, unconverged)


def _outcar_settings(header: str) -> dict[str, object]:
    titles = re.findall(r"^\s*TITEL\s*=\s*(.+?)\s*$", header, re.M)
    return _settings(
        titles,
        # the line that VASP explains, not the echo of the INCAR above it
        gga=_first(r"^\s*GGA\s*=\s*(\S+)\s+GGA type", header),
        encut=_first(r"^\s*ENCUT\s*=\s*(\S+) eV", header),
        metagga=_first(r"^\s*METAGGA\s*=\s*(?!F\b|--)(\S+)", header),
        hybrid=_first(r"^\s*LHFCALC\s*=\s*(\S+)", header),
        ivdw=_first(r"^\s*IVDW\s*=\s*(\S+)", header),
    )


def _vasprun_settings(text: str) -> dict[str, object]:
    parameters = text[text.find("<parameters>") : text.find("</parameters>")]
    titles = re.findall(r"<c>\s*(PAW\S* [^<]+?)\s*</c>", text[: text.find("</atominfo>")])

    def parameter(name: str) -> str | None:
        return _first(rf'name="{name}"[^>]*>\s*([^<]*?)\s*<', parameters)

    return _settings(
        titles,
        gga=parameter("GGA"),
        encut=parameter("ENMAX"),
        metagga=parameter("METAGGA"),
        hybrid=parameter("LHFCALC"),
        ivdw=parameter("IVDW"),
    )


def _settings(
    titles: list[str], *, gga: str | None, encut: str | None, metagga: str | None, hybrid: str | None, ivdw: str | None
) -> dict[str, object]:
    if gga in (None, "", "--"):
        gga = next((name for start, name in _BY_TITLE if titles and titles[0].startswith(start)), None)
    found: dict[str, object] = {
        "code": "VASP",
        "functional": gga,
        "ENCUT": f"{float(encut):g}" if encut else None,
        "METAGGA": None if metagga in (None, "", "--", "F") else metagga,
        "LHFCALC": "T" if hybrid and hybrid.strip(".").upper().startswith("T") else None,
        "IVDW": None if ivdw in (None, "", "0") else ivdw,
    }
    # an absent METAGGA, LHFCALC or IVDW means "none", and none differs from some
    found = {key: "none" if value is None and key in ("METAGGA", "LHFCALC", "IVDW") else value for key, value in found.items()}
    for title in titles:
        words = title.split()
        if len(words) > 1:
            found[f"POTCAR {words[1].split('_')[0]}"] = title
    return found


def _first(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.M)
    return match.group(1) if match else None


def _warn_unconverged(path: Path, frames: list[int]) -> None:
    if frames:
        shown = ", ".join(map(str, frames[:10])) + (" ..." if len(frames) > 10 else "")
        log.warning("%s: %d frame(s) whose self-consistency did not converge (%s) are marked converged=False", path, len(frames), shown)
