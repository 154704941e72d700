"""What every builder asserts of the structure it returns."""

from collections import Counter
from collections.abc import Mapping

from ase import Atoms

from mlff.structure.charge import formal_charge
from mlff.structure.distances import check_distances
from mlff.units import G_PER_CM3


def check(atoms: Atoms, name: str, composition: Mapping[str, int], density: float) -> None:
    """Composition, charge neutrality, distances and density, in this order.

    Args:
        composition: atoms of each element in the cell.
        density: g/cm³, of the reference; a substitution changes it by less than the tolerance.
    Raises:
        ValueError: names what was found and what was expected.
    """
    found = dict(Counter(atoms.get_chemical_symbols()))
    if found != dict(composition):
        raise ValueError(f"{name}: found {found}, expected {dict(composition)}; correct the sites or their occupancies")
    check_distances(atoms, name)
    charge, unknown = formal_charge(atoms)
    if unknown or charge:
        raise ValueError(
            f"{name}: found a formal charge of {charge:+d} e and {unknown or 'nothing'} of unknown charge, expected a neutral cell of "
            "known ions and anions; compensate a substitution by vacancies, or correct the coordinates"
        )
    actual = atoms.get_masses().sum() / atoms.get_volume() / G_PER_CM3
    if abs(actual / density - 1) > 0.02:
        raise ValueError(f"{name}: found {actual:.3f} g/cm³, expected {density:.3f} within 2 %; correct the cell")
