"""Pictures of structures: every atom and bond is drawn, at one scale, inside the picture."""

import numpy as np
from ase import Atoms
from ase.data.colors import jmol_colors
from matplotlib.image import imread

from mlff.report.structure_picture import write_structure_picture


def test_a_picture_shows_each_element_in_its_colour_in_three_views(tmp_path):
    tetrahedron = 1.2 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    atoms = Atoms("PS4Cl", [[4, 4, 4], *(tetrahedron + 4), [0.5, 0.5, 7]], cell=[8, 8, 12], pbc=True)
    path = write_structure_picture(tmp_path / "new" / "x.png", atoms, "PS4 and Cl")
    pixels = imread(path)[..., :3]
    for view in np.array_split(pixels[: int(0.9 * len(pixels))], 3, axis=1):  # above the legend
        nearest = view[:, :, None] - jmol_colors[[15, 16, 17]]
        assert (np.abs(nearest).max(3).min((0, 1)) < 0.2).sum() >= 2  # P lies behind an S in some views
    # front atoms have their own colours
    for z in (16, 17):
        assert (np.abs(pixels - jmol_colors[z]).max(2) < 0.02).sum() > 50
    bond = np.array([0x8B, 0x8F, 0x63]) / 255
    assert (np.abs(pixels - bond).max(2) < 0.02).sum() > 50
    atoms.symbols[1:5] = "O"  # which the table of bonds does not hold
    assert (np.abs(imread(write_structure_picture(path, atoms, "no bonds"))[..., :3] - bond).max(2) < 0.02).sum() == 0
