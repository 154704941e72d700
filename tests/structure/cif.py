"""CIF files with partly occupied sites."""

CIF = """data_x
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt '{group}'
_space_group_IT_number {number}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
{sites}
"""


def cif(group: str, number: int, sites: str, a: float, c: float | None = None) -> str:
    """Of a tetragonal cell, or of a cubic one without c (Å). sites: lines of label, element, three fractions and occupancy."""
    return CIF.format(a=a, c=a if c is None else c, group=group, number=number, sites=sites)
