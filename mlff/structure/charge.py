"""The formal charge of a structure: of its polyatomic anions as wholes, and of the ions beside them; and of single atoms."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ase import Atoms

from mlff.geometry import classify

# e. By whole anions, because the atoms of a cage (B10H10) or of a P–P bond (P2S6) have no oxidation state of their own.
OF_ANION = {"PS4": -3, "P2S7": -4, "P2S6": -4, "SiS4": -4, "GeS4": -4, "AsS4": -3, "SnS4": -4, "SbS4": -3, "WS4": -2}
OF_ANION |= {"BH4": -1, "B6H6": -2, "B10H10": -2, "B12H12": -2}
OF_ION = {"Li": 1, "Na": 1, "K": 1, "Ag": 1, "Mg": 2, "Ca": 2, "Zn": 2, "Al": 3, "Y": 3, "La": 3, "Zr": 4}
OF_ION |= {"N": -3, "O": -2, "S": -2, "F": -1, "Cl": -1, "Br": -1, "I": -1}
# e, of single atoms, where sites and not anions carry the charge; P has 5 but in P2S6, where it has 4
OF_ATOM = OF_ION | {"H": -1, "B": 3, "Si": 4, "P": 5, "Ge": 4, "As": 5, "Sn": 4, "Sb": 5, "W": 6}


def atom_charges(symbols: Iterable[str], given: Mapping[str, float] | None = None) -> dict[str, float]:
    """e, of each of these elements: as given, else as in OF_ATOM.

    Raises:
        ValueError: an element has no charge.
    """
    known = OF_ATOM | dict(given or {})
    if unknown := sorted(set(symbols) - set(known)):
        raise ValueError(f"found {unknown} without a formal charge; give it, charges={{{unknown[0]}: …}}")
    return {symbol: known[symbol] for symbol in sorted(set(symbols))}


def formal_charge(atoms: Atoms) -> tuple[int, list[str]]:
    """The charge of the cell in e, and what it does not count because its charge is not known, such as ["P3S10", "Ti"]."""
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    pieces = found.anions + found.others + found.percolating
    alone = set(range(len(atoms))).difference(*(piece.atoms.tolist() for piece in pieces))
    parts = Counter(anion.kind for anion in found.anions) + Counter(atoms.symbols[i] for i in alone)
    charges = OF_ANION | OF_ION
    unknown = {kind for kind in parts if kind not in charges} | {piece.kind for piece in found.others + found.percolating}
    return sum(charges.get(kind, 0) * count for kind, count in parts.items()), sorted(unknown)
