"""CP2K's input for one energy, force and stress evaluation of a periodic cell."""

import math
import re
from collections.abc import Mapping, Sequence

from ase import Atoms

# electrons of each GTH-PBE pseudopotential, with the semicore shells that the MOLOPT bases are made for
VALENCE = {"H": 1, "Li": 3, "B": 3, "O": 6, "Na": 9, "Si": 4, "P": 5, "S": 6, "Cl": 7, "Ge": 4, "Sb": 5, "Br": 7, "I": 7}
VALENCE |= {"Ag": 11, "Sn": 4, "W": 14}
MIXINGS = {"broyden": ("BROYDEN_MIXING", "NBROYDEN"), "pulay": ("PULAY_MIXING", "NPULAY"), "kerker": ("KERKER_MIXING", None)}
ALGORITHMS = ("diagonalization", "ot")
OT_STEPS = 20  # iterations before orbital transformation renews its preconditioner


def render_input(atoms: Atoms, settings: Mapping[str, object], kpoints: Sequence[int], way: Mapping[str, object]) -> str:
    """The whole text.

    Args:
        settings: as CP2K.settings; kpoints: divisions along each cell vector; way: to the density, whole.
    Raises:
        ValueError: no valence is known for a species.
    """
    lines = [
        "&GLOBAL",
        "  PROJECT frame",
        "  RUN_TYPE ENERGY_FORCE",
        "  PRINT_LEVEL LOW",
        "&END GLOBAL",
        "&FORCE_EVAL",
        "  METHOD Quickstep",
        "  STRESS_TENSOR ANALYTICAL",
        "  &DFT",
        *(f"    BASIS_SET_FILE_NAME {file}" for file in _basis_files(atoms, settings)),
        "    POTENTIAL_FILE_NAME GTH_POTENTIALS",
        "    &MGRID",
        f"      CUTOFF {settings['cutoff']}",
        f"      REL_CUTOFF {settings['rel_cutoff']}",
        "    &END MGRID",
        "    &QS",
        f"      EPS_DEFAULT {settings['eps_default']:.1E}",
        "    &END QS",
        *_scf(settings["eps_scf"], way),
        *_kpoints(kpoints),
        "    &XC",
        f"      &XC_FUNCTIONAL {settings['functional']}",
        "      &END XC_FUNCTIONAL",
        *_dispersion(settings),
        "    &END XC",
        "  &END DFT",
        "  &SUBSYS",
        "    &CELL",
        *(f"      {name} {_numbers(vector)}" for name, vector in zip("ABC", atoms.cell.array, strict=True)),
        "      PERIODIC XYZ",
        "    &END CELL",
        "    &COORD",
        *(f"      {symbol} {_numbers(r)}" for symbol, r in zip(atoms.symbols, atoms.positions, strict=True)),
        "    &END COORD",
        *_kinds(atoms, settings),
        "  &END SUBSYS",
        "  &PRINT",
        "    &FORCES ON",
        "    &END FORCES",
        "    &STRESS_TENSOR ON",
        "    &END STRESS_TENSOR",
        "  &END PRINT",
        "&END FORCE_EVAL",
    ]
    return "\n".join(lines) + "\n"


def _scf(eps_scf: float, way: Mapping[str, object]) -> list[str]:
    if way["algorithm"] == "ot":
        iterations = min(OT_STEPS, int(way["max_scf"]))
        search = [
            "      &OT",
            "        MINIMIZER DIIS",
            "        PRECONDITIONER FULL_SINGLE_INVERSE",
            "      &END OT",
            "      &OUTER_SCF",
            f"        EPS_SCF {eps_scf:.1E}",
            f"        MAX_SCF {math.ceil(way['max_scf'] / iterations)}",
            "      &END OUTER_SCF",
        ]
    else:
        iterations = int(way["max_scf"])
        method, memory = MIXINGS[way["mixing"]]
        search = [
            "      &DIAGONALIZATION",
            "        ALGORITHM STANDARD",
            "      &END DIAGONALIZATION",
            "      &MIXING",
            f"        METHOD {method}",
            f"        ALPHA {way['alpha']}",
            *([f"        {memory} {int(way['history'])}"] if memory else []),
            "      &END MIXING",
        ]
    return [
        "    &SCF",
        f"      EPS_SCF {eps_scf:.1E}",
        f"      MAX_SCF {iterations}",
        "      SCF_GUESS ATOMIC",
        *search,
        "      &PRINT",
        "        &RESTART OFF",
        "        &END RESTART",
        "      &END PRINT",
        "    &END SCF",
    ]


def _kpoints(divisions: Sequence[int]) -> list[str]:
    if max(divisions) == 1:
        return []
    # FULL_GRID OFF keeps time-reversal pairs only once; frames of MD have no other symmetry
    return [
        "    &KPOINTS",
        f"      SCHEME MONKHORST-PACK {divisions[0]} {divisions[1]} {divisions[2]}",
        "      SYMMETRY OFF",
        "      FULL_GRID OFF",
        "    &END KPOINTS",
    ]


def _dispersion(settings: Mapping[str, object]) -> list[str]:
    if not settings["dispersion"]:
        return []
    return [
        "      &VDW_POTENTIAL",
        "        POTENTIAL_TYPE PAIR_POTENTIAL",
        "        &PAIR_POTENTIAL",
        "          TYPE DFTD3(BJ)",
        "          PARAMETER_FILE_NAME dftd3.dat",
        f"          REFERENCE_FUNCTIONAL {settings['functional']}",
        f"          R_CUTOFF [angstrom] {settings['dispersion_cutoff']}",
        "        &END PAIR_POTENTIAL",
        "      &END VDW_POTENTIAL",
    ]


def _kinds(atoms: Atoms, settings: Mapping[str, object]) -> list[str]:
    species = sorted(set(atoms.symbols))
    unknown = [s for s in species if s not in VALENCE and isinstance(settings["potential"], str)]
    if unknown:
        raise ValueError(f"no GTH valence is known for {unknown}; name the pseudopotential of each species in `oracle.potential`")
    lines = []
    for symbol in species:
        potential = _by_species(settings["potential"], symbol)
        if not re.search(r"-q\d+$", potential):
            potential = f"{potential}-q{VALENCE[symbol]}"
        lines += [
            f"    &KIND {symbol}",
            f"      BASIS_SET {_by_species(settings['basis'], symbol).rpartition(':')[2]}",
            f"      POTENTIAL {potential}",
            "    &END KIND",
        ]
    return lines


def _basis_files(atoms: Atoms, settings: Mapping[str, object]) -> list[str]:
    """In the order of the species, each once."""
    files = [_by_species(settings["basis"], symbol).rpartition(":")[0] for symbol in sorted(set(atoms.symbols))]
    return list(dict.fromkeys(file or "BASIS_MOLOPT" for file in files))


def _by_species(value: str | Mapping[str, str], symbol: str) -> str:
    return value if isinstance(value, str) else value[symbol]


def _numbers(vector: Sequence[float]) -> str:
    return " ".join(f"{x:.10f}" for x in vector)
