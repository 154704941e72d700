"""CP2K: the input it is given, the outputs it leaves (stored ones, and a real run where the program is installed)."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from mlff.oracle import CP2K, Missing, OracleError, TimedOut, Unconverged
from mlff.oracle.cp2k.input import render_input
from mlff.oracle.cp2k.output import parse_output
from mlff.units import HARTREE, HARTREE_PER_BOHR

OUTPUTS = Path(__file__).parent / "outputs"
needs_cp2k = pytest.mark.skipif(shutil.which("cp2k.psmp") is None, reason="cp2k.psmp is not installed (Debian: apt install cp2k)")
FAST = {"cutoff": 200.0, "rel_cutoff": 40.0, "dispersion_cutoff": 8.0, "eps_scf": 1e-7, "eps_default": 1e-12}


def hydrogen() -> Atoms:
    """A stretched, tilted molecule in a small triclinic cell: the system of the stored outputs."""
    return Atoms("H2", [[0.1, 0.2, 0.3], [0.3, 0.4, 1.15]], cell=[[4.0, 0, 0], [0.3, 3.8, 0], [0, 0.2, 4.2]], pbc=True)


def lithium_sulphide() -> Atoms:
    return Atoms("Li2S", [[0, 0, 0], [0.25, 1 / 3, 1.123456789012], [2, 2, 2]], cell=[4.0, 5.0, 6.0], pbc=True)


def rendered(oracle: CP2K, atoms: Atoms, way: int = 0) -> str:
    return render_input(atoms, oracle.settings, oracle.kpoints.divisions(atoms.cell.array), oracle.ways[way])


def section(text: str, name: str) -> str:
    """The lines of one section, without their indentation."""
    found = re.search(rf"^ *&{name}\b.*?^ *&END {name}$", text, re.M | re.S)
    return "\n".join(line.strip() for line in found.group().splitlines()) if found else ""


def test_kinds_name_a_basis_and_a_potential_each():
    text = rendered(CP2K(basis={"Li": "DZVP-MOLOPT-SR-GTH", "S": "TZVP-MOLOPT-GTH"}), lithium_sulphide())
    kinds = text[text.index("&KIND") : text.index("&END SUBSYS")]
    assert [line.strip() for line in kinds.splitlines()][:-1] == [
        "&KIND Li",
        "BASIS_SET DZVP-MOLOPT-SR-GTH",
        "POTENTIAL GTH-PBE-q3",
        "&END KIND",
        "&KIND S",
        "BASIS_SET TZVP-MOLOPT-GTH",
        "POTENTIAL GTH-PBE-q6",
        "&END KIND",
    ]


def test_a_basis_may_name_its_file():
    text = rendered(CP2K(basis={"Li": "BASIS_MOLOPT_UZH:TZVP-MOLOPT-PBE-GTH-q3", "S": "TZVP-MOLOPT-GTH"}), lithium_sulphide())
    assert re.findall(r"BASIS_SET_FILE_NAME (\S+)", text) == ["BASIS_MOLOPT_UZH", "BASIS_MOLOPT"]
    assert re.findall(r"BASIS_SET (\S+)", text) == ["TZVP-MOLOPT-PBE-GTH-q3", "TZVP-MOLOPT-GTH"]
    assert re.findall(r"BASIS_SET_FILE_NAME (\S+)", rendered(CP2K(), lithium_sulphide())) == ["BASIS_MOLOPT"]


def test_a_potential_that_names_its_valence_keeps_it():
    text = rendered(CP2K(potential={"Li": "GTH-PBE-q1", "S": "GTH-PBE"}), lithium_sulphide())
    assert "POTENTIAL GTH-PBE-q1\n" in text
    assert "POTENTIAL GTH-PBE-q6\n" in text


def test_kpoints_are_written_unless_gamma():
    assert section(rendered(CP2K(), lithium_sulphide()), "KPOINTS") == ""
    assert section(rendered(CP2K(kpoints=(3, 2, 1)), lithium_sulphide()), "KPOINTS") == (
        "&KPOINTS\nSCHEME MONKHORST-PACK 3 2 1\nSYMMETRY OFF\nFULL_GRID OFF\n&END KPOINTS"
    )


def test_coordinates_survive_to_the_tenth_decimal():
    text = rendered(CP2K(), lithium_sulphide())
    assert section(text, "COORD").splitlines()[2] == "Li 0.2500000000 0.3333333333 1.1234567890"
    assert section(text, "CELL").splitlines()[1:] == [
        "A 4.0000000000 0.0000000000 0.0000000000",
        "B 0.0000000000 5.0000000000 0.0000000000",
        "C 0.0000000000 0.0000000000 6.0000000000",
        "PERIODIC XYZ",
        "&END CELL",
    ]


def test_dispersion_is_an_option():
    assert "R_CUTOFF [angstrom] 12.0" in section(rendered(CP2K(dispersion_cutoff=12), lithium_sulphide()), "VDW_POTENTIAL")
    assert section(rendered(CP2K(dispersion=False), lithium_sulphide()), "VDW_POTENTIAL") == ""


def test_a_kpoint_spacing_gives_each_cell_its_own_divisions():
    oracle = CP2K(kpoint_spacing=0.4)
    for cell, divisions in (([4, 8, 12], "4 2 2"), ([8, 8, 12], "2 2 2")):
        text = rendered(oracle, Atoms("Li", cell=cell, pbc=True))
        assert f"SCHEME MONKHORST-PACK {divisions}\n" in section(text, "KPOINTS")
    assert section(rendered(oracle, Atoms("Li", cell=[20, 20, 20], pbc=True)), "KPOINTS") == ""
    assert oracle.settings["kpoints"] == "spacing 0.4 1/Å"


def test_each_rung_searches_in_its_own_way():
    oracle = CP2K()
    assert section(rendered(oracle, lithium_sulphide()), "SCF").splitlines()[1:12] == [
        "EPS_SCF 1.0E-05",
        "MAX_SCF 60",
        "SCF_GUESS ATOMIC",
        "&DIAGONALIZATION",
        "ALGORITHM STANDARD",
        "&END DIAGONALIZATION",
        "&MIXING",
        "METHOD BROYDEN_MIXING",
        "ALPHA 0.4",
        "NBROYDEN 8",
        "&END MIXING",
    ]
    slower, pulay, transformed = (rendered(oracle, lithium_sulphide(), way) for way in (1, 2, 3))
    assert "ALPHA 0.1\nNBROYDEN 8" in section(slower, "MIXING")
    assert "MAX_SCF 200\n" in section(slower, "SCF")
    assert "METHOD PULAY_MIXING\nALPHA 0.1\nNPULAY 8" in section(pulay, "MIXING")
    assert section(transformed, "MIXING") == section(transformed, "DIAGONALIZATION") == ""
    # 200 iterations, the preconditioner renewed after each 20
    assert "MAX_SCF 20\n" in section(transformed, "SCF")
    assert section(transformed, "OUTER_SCF") == "&OUTER_SCF\nEPS_SCF 1.0E-05\nMAX_SCF 10\n&END OUTER_SCF"
    kerker = rendered(CP2K(search={"mixing": "kerker"}), lithium_sulphide())
    assert section(kerker, "MIXING") == "&MIXING\nMETHOD KERKER_MIXING\nALPHA 0.4\n&END MIXING"


def test_orbital_transformation_is_passed_over_where_there_are_kpoints():
    oracle = CP2K(kpoint_spacing=0.4)
    large, small = (Atoms("H2", cell=[size] * 3, pbc=True) for size in (20, 4))
    assert [way["algorithm"] for way in oracle.ways_for(large)] == ["diagonalization"] * 3 + ["ot"]
    assert [way["algorithm"] for way in oracle.ways_for(small)] == ["diagonalization"] * 3
    with pytest.raises(ValueError, match=r"`oracle.search.algorithm` is ot, which knows no k-points: set oracle.kpoints=\[1,1,1\]"):
        CP2K(kpoints=(2, 1, 1), search={"algorithm": "ot"}, retries=[]).ways_for(large)


def test_an_unknown_way_is_refused():
    with pytest.raises(
        ValueError, match=r"by algorithm 'diagonalization' and mixing 'anderson', expected one of .* and one of \['broyden', 'pulay'"
    ):
        CP2K(retries=[{"mixing": "anderson"}])


def test_numbers_that_change_the_label_change_the_settings():
    base = CP2K(kpoints=(2, 2, 2)).settings
    for change in ({"kpoints": (3, 2, 2)}, {"cutoff": 500}, {"basis": "TZVP-MOLOPT-GTH"}, {"dispersion": False}, {"eps_scf": 1e-6}):
        assert CP2K(**{"kpoints": (2, 2, 2)} | change).settings != base
    same = CP2K(kpoints=(2, 2, 2), threads=4, command=("mpirun", "-np", "2", "cp2k.psmp"), search={"alpha": 0.2}, retries=[])
    assert same.settings == base


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("H2", [[0, 0, 0], [0, 0, 0.7]]), r"found pbc \[False, False, False\], expected all True"),
        (Atoms("Xe", cell=[5, 5, 5], pbc=True), r"no GTH valence is known for \['Xe'\]; name the pseudopotential"),
    ],
)
def test_what_cannot_be_written_is_refused(atoms, message):
    with pytest.raises(ValueError, match=message):
        CP2K(command=("no-such-program",)).label(atoms)


def test_a_converged_output_is_read():
    read = parse_output((OUTPUTS / "h2_converged.out").read_text(), n_atoms=2, where="h2")
    energy, forces, stress = read.energy, read.forces, read.stress
    assert read.version == "2023.1"
    assert energy == -1.165523553043663 * HARTREE
    np.testing.assert_array_equal(forces[1], np.array([-0.01764966, -0.01725254, -0.07824694]) * HARTREE_PER_BOHR)
    # the bond is stretched: the atoms pull on each other, and so does the cell on its neighbours (tension, positive)
    assert forces[0, 2] > 0 > forces[1, 2]
    # 11.9 GPa of tension along the bond, which CP2K prints as −11.9
    np.testing.assert_allclose(stress[2, 2] * 160.21766208, 11.8979555626, rtol=1e-10)
    np.testing.assert_allclose(stress, stress.T, atol=1e-12)


@pytest.mark.parametrize(
    ("file", "error", "message"),
    [
        ("h2_unconverged.out", Unconverged, "the SCF did not converge; change the mixing"),
        ("h2_cut_in_scf.out", OracleError, r"holds no total energy: CP2K stopped early; it said:\n(.|\n)*6 Broy\./Diag"),
        ("h2_cut_in_forces.out", OracleError, "holds forces of 1 atoms, expected 2: the file is cut short"),
        (
            "h2_crashed.out",
            OracleError,
            r"it said:\nThe requested basis set <NO-SUCH-BASIS> for element <H> was not found",
        ),
        ("h2_no_stress_rows.out", OracleError, "holds a stress tensor that is cut short"),
        ("h2_no_forces.out", OracleError, "holds no atomic forces; set FORCE_EVAL/PRINT/FORCES on"),
        ("h2_twice.out", ValueError, r"2 copies of CP2K ran beside each other, expected one: .*launcher of the MPI"),
        ("h2_odd_unit.out", OracleError, r"gives its stress in atm, expected one of \['GPa', 'bar'\]"),
    ],
)
def test_other_outputs_are_refused_with_the_reason(file, error, message):
    whole = (OUTPUTS / "h2_converged.out").read_text()
    made = {
        "h2_no_stress_rows.out": whole[: whole.index(" STRESS|      y")],
        "h2_no_forces.out": whole.replace("ATOMIC FORCES in [a.u.]", ""),
        "h2_twice.out": whole + whole,
        "h2_odd_unit.out": whole.replace("tensor [GPa]", "tensor [atm]"),
    }
    text = made[file] if file in made else (OUTPUTS / file).read_text()
    with pytest.raises(error, match=message) as caught:
        parse_output(text, n_atoms=2, where=file)
    assert type(caught.value) is error  # unconverged is told from crashed


def test_a_missing_program_is_named():
    with pytest.raises(Missing, match=r"the program 'no-such-program' was not found; install CP2K"):
        CP2K(command=("no-such-program",)).label(hydrogen())
    with pytest.raises(Missing, match=r"the program 'no-such-program' was not found"):
        _ = CP2K(command=("no-such-program",)).version


@needs_cp2k
@pytest.mark.slow
def test_the_retry_ladder_ends_unconverged_or_labelled():
    with pytest.raises(Unconverged, match="did not converge"):
        CP2K(**FAST, search={"max_scf": 2}, retries=[]).label(hydrogen())
    assert CP2K(**FAST, search={"max_scf": 2}, retries=[{"max_scf": 3}, {"max_scf": 60}]).label(hydrogen()).retries == 2


@needs_cp2k
@pytest.mark.slow
@pytest.mark.parametrize("kpoints", [(1, 1, 1), (2, 1, 1)])
def test_every_rung_of_the_ladder_gives_the_same_label(kpoints):
    oracle = CP2K(**FAST, kpoints=kpoints)
    labels = [CP2K(**FAST, kpoints=kpoints, search=way, retries=[]).label(hydrogen()) for way in oracle.ways_for(hydrogen())]
    assert len(labels) == (4 if max(kpoints) == 1 else 3)
    for label in labels[1:]:
        assert label.energy == pytest.approx(labels[0].energy, abs=1e-8)  # eV: quadratic in the density's error
        np.testing.assert_allclose(label.forces, labels[0].forces, atol=5e-5)  # eV/Å: linear in it, at EPS_SCF 1e-7
        np.testing.assert_allclose(label.stress, labels[0].stress, atol=1e-6)


@needs_cp2k
@pytest.mark.slow
def test_two_ranks_of_a_launcher_give_the_label_of_one():
    if shutil.which("mpirun.openmpi") is None:
        pytest.skip("mpirun.openmpi is not installed (Debian: apt install openmpi-bin)")
    one = CP2K(**FAST).label(hydrogen())
    two = CP2K(**FAST, command=("mpirun.openmpi", "--oversubscribe", "-np", "2", "cp2k.psmp")).label(hydrogen())
    assert two.energy == pytest.approx(one.energy, abs=1e-7)
    np.testing.assert_allclose(two.forces, one.forces, atol=1e-5)
    assert two.settings_hash == one.settings_hash


@needs_cp2k
@pytest.mark.slow
def test_a_run_beyond_its_time_is_ended():
    with pytest.raises(TimedOut, match=r"CP2K did not finish within 0\.2 s; raise `oracle.timeout`"):
        CP2K(**FAST, timeout=0.2).label(hydrogen())
