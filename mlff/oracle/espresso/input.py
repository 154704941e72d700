"""pw.x's input for one energy, force and stress evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ase import Atoms
from ase.data import atomic_masses, atomic_numbers


def render_input(
    atoms: Atoms,
    system: Mapping[str, object],
    electrons: Mapping[str, object],
    pseudopotentials: Mapping[str, str],
    pseudo_dir: Path,
    kpoints: Sequence[int],
) -> str:
    """The whole text.

    Args:
        system, electrons: what those namelists hold beside what the frame itself says.
        pseudopotentials: file by species, in pseudo_dir.
        kpoints: Monkhorst–Pack divisions along each cell vector, Γ among them.
    """
    species = sorted(set(atoms.symbols))
    control = {
        "calculation": "scf",
        "prefix": "frame",
        "pseudo_dir": str(pseudo_dir),
        "outdir": "./out",
        "disk_io": "none",
        "tprnfor": True,
        "tstress": True,
    }
    # no symmetry is looked for: frames of MD have none, and k-points that came and went with one would break the energy's slope
    frame = {"ibrav": 0, "nat": len(atoms), "ntyp": len(species), "nosym": True}
    lines = [
        *_namelist("CONTROL", control),
        *_namelist("SYSTEM", frame | dict(system)),
        *_namelist("ELECTRONS", electrons),
        "ATOMIC_SPECIES",
        *(f"{symbol} {atomic_masses[atomic_numbers[symbol]]:.3f} {pseudopotentials[symbol]}" for symbol in species),
        "CELL_PARAMETERS angstrom",
        *(_numbers(vector) for vector in atoms.cell.array),
        "ATOMIC_POSITIONS angstrom",
        *(f"{symbol} {_numbers(r)}" for symbol, r in zip(atoms.symbols, atoms.positions, strict=True)),
        # Γ alone has real wave functions: half the memory and time, the same label
        *(["K_POINTS gamma"] if max(kpoints) == 1 else ["K_POINTS automatic", " ".join(str(k) for k in kpoints) + " 0 0 0"]),
    ]
    return "\n".join(lines) + "\n"


def _namelist(name: str, values: Mapping[str, object]) -> list[str]:
    return [f"&{name}", *(f"  {key} = {_fortran(value)}" for key, value in values.items()), "/"]


def _fortran(value: object) -> str:
    if isinstance(value, bool):
        return ".true." if value else ".false."
    return f"'{value}'" if isinstance(value, str) else repr(value)


def _numbers(vector: Sequence[float]) -> str:
    return " ".join(f"{x:.10f}" for x in vector)
