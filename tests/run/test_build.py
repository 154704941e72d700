"""The command that builds structures: what it writes, and what it says of them."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from mlff.run.build import build_structures, print_rows, row_of
from mlff.structure import crystal


def three(*, rng):
    return [crystal("Li4P2S6", (1, 1, n), rng=rng) for n in (1, 2, 1)]


def test_structures_are_written_with_their_provenance(tmp_path):
    rows, files = build_structures(three, 7, tmp_path / "new" / "x.extxyz", cif=True)
    names = ["x.extxyz"] + [f"x_00{k}.{kind}" for k in range(3) for kind in ("cif", "png")]
    assert [file.name for file in files] == names
    assert all(file.stat().st_size for file in files)
    frames = read(files[0], ":")
    assert [len(atoms) for atoms in frames] == [row.atoms for row in rows] == [12, 24, 12]
    assert (frames[1].info["builder"], frames[1].info["seed"], frames[1].info["prototype"]) == ("three", 7, "Li4P2S6")
    assert [file.name for file in build_structures(three, 7, tmp_path / "y.extxyz", pictures=False)[1]] == ["y.extxyz"]


def test_a_row_tells_density_and_shortest_distances(capsys):
    atoms = Atoms("NaCl", [[0, 0, 0], [0, 0, 2.0]], cell=[3.0, 10, 10], pbc=True, info={"charge": 0})
    row = row_of(atoms)
    assert row.density == pytest.approx(58.4428 / 300 * 1.66053906660, rel=1e-4)
    assert {pair: round(distance, 6) for pair, distance in row.shortest.items()} == {"Na–Cl": 2.0, "Na–Na": 3.0, "Cl–Cl": 3.0}
    np.testing.assert_allclose(row.cell, (3, 10, 10, 90, 90, 90))
    print_rows([row], [])
    assert "NaCl" in capsys.readouterr().out


def test_a_row_tells_the_anions():
    assert row_of(crystal("Li7P3S11", rng=np.random.default_rng(0))).units == "2 P2S7, 2 PS4"
