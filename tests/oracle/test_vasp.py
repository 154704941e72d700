"""VASP: the inputs it is given, outputs written after its formats (outputs/vasp/README.md), and its whole path by a stand-in."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io.vasp import read_vasp

from mlff.oracle import VASP, Missing, OracleError, TimedOut, Unconverged
from mlff.oracle.vasp.input import order
from mlff.oracle.vasp.output import parse_run
from mlff.units import KBAR
from tests.oracle.programs import program

OUTPUTS = Path(__file__).parent / "outputs" / "vasp"

# A VASP that converges with ALGO = All, answers with stored outputs, and may be told another fate by its POTCAR.
VASP_STD = f"""
incar = dict(line.split(" = ") for line in pathlib.Path("INCAR").read_text().splitlines())
fate = pathlib.Path("POTCAR").read_text().split()[0]
assert pathlib.Path("POTCAR").read_text().split() == [fate, "H", fate, "Li_sv"], "POTCAR"
assert pathlib.Path("POSCAR").read_text().splitlines()[5:8] == ["H Li", "1 2", "Cartesian"], "POSCAR"
assert pathlib.Path("KPOINTS").read_text().splitlines()[2:4] == ["Gamma", "2 2 1"], "KPOINTS"
assert (incar["NSW"], incar["ISIF"], incar["LWAVE"]) == ("0", "2", ".FALSE."), "INCAR"
if fate == "hang":
    time.sleep(60)
name = "crashed" if fate == "crash" else "converged" if incar["ALGO"] == "All" else "unconverged"
for file in (pathlib.Path({str(OUTPUTS)!r}) / name).iterdir():
    if file.name != "stdout":
        shutil.copy(file, ".")
    else:
        print(file.read_text(), flush=True)
if fate == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
"""


def hydride() -> Atoms:
    """The frame of the stored outputs: VASP's order and the way back from it are different permutations."""
    positions = [[0.1, 0.2, 0.3], [2.0, 1.527, 3.6], [0.0922, 0.2129, 1.8]]
    return Atoms("Li2H", positions, cell=[[4.0, 0, 0], [0.3, 3.8, 0], [0, 0.2, 6.2]], pbc=True)


def oracle(tmp_path: Path, fate: str = "converge", **arguments) -> VASP:
    for setup in ("H", "Li_sv"):
        (tmp_path / "potpaw_PBE.54" / setup).mkdir(parents=True, exist_ok=True)
        (tmp_path / "potpaw_PBE.54" / setup / "POTCAR").write_text(f"{fate} {setup}\n")
    defaults = {
        "version": "6.4.2",
        "potentials": tmp_path / "potpaw_PBE.54",
        "setups": {"Li": "Li_sv"},
        "kpoints": (2, 2, 1),
        "retries": [{"ALGO": "All"}],
        "command": program(tmp_path / "vasp_std", VASP_STD),
        "timeout": 30.0,
    }
    return VASP(**defaults | arguments)


def test_all_four_files_are_written(tmp_path):
    asked = oracle(tmp_path, incar={"ENCUT": 520.0, "LREAL": False, "GGA": "PE", "MAGMOM": [1, 0.5]}, layout={"NCORE": 4})
    asked.write(hydride(), asked.ways[1], tmp_path)
    assert (tmp_path / "INCAR").read_text() == (
        "ISTART = 0\nICHARG = 2\nIBRION = -1\nNSW = 0\nISIF = 2\nISYM = 0\nLWAVE = .FALSE.\nLCHARG = .FALSE.\n"
        "ENCUT = 520.0\nLREAL = .FALSE.\nGGA = PE\nMAGMOM = 1 0.5\nALGO = All\nNELM = 100\nNCORE = 4\n"
    )
    assert (tmp_path / "KPOINTS").read_text() == "2 x 2 x 1\n0\nGamma\n2 2 1\n0 0 0\n"
    assert (tmp_path / "POSCAR").read_text() == (
        """HLi2
1.0
4.0000000000 0.0000000000 0.0000000000
0.3000000000 3.8000000000 0.0000000000
0.0000000000 0.2000000000 6.2000000000
H Li
1 2
Cartesian
0.0922000000 0.2129000000 1.8000000000
0.1000000000 0.2000000000 0.3000000000
2.0000000000 1.5270000000 3.6000000000
"""
    )
    assert (tmp_path / "POTCAR").read_text() == "converge H\nconverge Li_sv\n"


def test_an_independent_reader_finds_the_frame(tmp_path):
    asked = oracle(tmp_path)
    asked.write(hydride(), asked.ways[0], tmp_path)
    read = read_vasp(tmp_path / "POSCAR")
    expected = hydride()[order(hydride())]
    assert str(read.symbols) == str(expected.symbols)
    np.testing.assert_allclose(read.positions, expected.positions, atol=1e-9)
    np.testing.assert_allclose(read.cell.array, expected.cell.array, atol=1e-9)


def test_a_left_handed_cell_is_refused(tmp_path):
    atoms = hydride()
    atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    with pytest.raises(ValueError, match="VASP wants a right-handed cell; found vectors whose triple product is not positive"):
        oracle(tmp_path).label(atoms)


def test_a_label_is_in_the_frames_order_with_the_free_energy_and_our_signs(tmp_path):
    label = oracle(tmp_path, search={"ALGO": "All"}).label(hydride())
    # TOTEN with dispersion, which the last electronic step (-7.02) does not hold; the other two are extrapolated or without entropy
    assert label.energy == -7.52
    np.testing.assert_array_equal(label.forces, [[-0.03, 0.005, 0.5], [0.02, -0.025, 0.25], [0.01, 0.02, -0.75]])
    # VASP's 33 kbar are compression along z
    np.testing.assert_allclose(label.stress, -KBAR * np.array([[-11, -1.5, -2.5], [-1.5, -22, -3.5], [-2.5, -3.5, 33]]), rtol=1e-7)
    assert (label.retries, label.code, label.version) == (0, "VASP", "6.4.2")


def test_the_second_rung_converges(tmp_path):
    label = oracle(tmp_path).label(hydride())
    assert (label.retries, label.energy) == (1, -7.52)
    assert label.settings_hash == oracle(tmp_path, search={"ALGO": "All"}).label(hydride()).settings_hash


def test_no_rung_converges(tmp_path):
    with pytest.raises(Unconverged, match=r"did not converge within NELM = 100; .* \(the last of 2 ways that were tried\)"):
        oracle(tmp_path, retries=[{"ALGO": "Fast"}]).label(hydride())


def test_a_crash_and_a_hang_are_told_apart(tmp_path):
    with pytest.raises(
        OracleError, match=r"VASP was killed by SIGSEGV: VASP stopped early, after 1 electronic steps; it said:\n(.|\n)*severe"
    ) as e:
        oracle(tmp_path, fate="crash").label(hydride())
    assert type(e.value) is OracleError
    with pytest.raises(TimedOut, match=r"VASP did not finish within 0\.5 s"):
        oracle(tmp_path, fate="hang", timeout=0.5).label(hydride())


def test_another_version_stops_the_run(tmp_path):
    with pytest.raises(ValueError, match=r"`oracle.version` is 5.4.4, but the program that ran is VASP 6.4.2"):
        oracle(tmp_path, version="5.4.4").label(hydride())


@pytest.mark.parametrize(
    ("stored", "change", "error", "message"),
    [
        ("unconverged", lambda o, x: (o, x), Unconverged, "did not converge within NELM = 100"),
        # VASP 5 says nothing when it stops at NELM
        ("unconverged", lambda o, x: (o.replace("EDIFF was not reached", ""), x), Unconverged, "did not converge within NELM = 100"),
        ("crashed", lambda o, x: (o, x), OracleError, "VASP stopped early, after 1 electronic steps"),
        ("converged", lambda o, x: (o[: o.index(" General")], x), OracleError, "OUTCAR is cut short: VASP stopped after its SCF"),
        (
            "converged",
            lambda o, x: (o, x[: x.index('<varray name="forces"')]),
            OracleError,
            "vasprun.xml (cannot be read|holds 3 atoms and no)",
        ),
        ("converged", lambda o, x: (o, x[:20]), OracleError, "vasprun.xml cannot be read"),
        ("converged", lambda o, x: (o, x.replace('name="stress"', 'name="strain"')), OracleError, r"holds 3 atoms and no \['stress'\]"),
        ("converged", lambda o, x: (o, x.replace('<i name="version"', '<i name="v"')), OracleError, "names no version"),
    ],
)
def test_other_outputs_are_refused_with_the_reason(stored, change, error, message, tmp_path):
    shutil.copytree(OUTPUTS / stored, tmp_path / "run")
    vasprun = (OUTPUTS / "converged" / "vasprun.xml").read_text()
    outcar, vasprun = change((OUTPUTS / stored / "OUTCAR").read_text(), vasprun)
    (tmp_path / "run" / "OUTCAR").write_text(outcar)
    (tmp_path / "run" / "vasprun.xml").write_text(vasprun)
    with pytest.raises(error, match=message) as caught:
        parse_run(tmp_path / "run", (OUTPUTS / stored / "stdout").read_text(), order(hydride()), nelm=100)
    assert type(caught.value) is error


def test_a_broken_minimiser_is_worth_another_try(tmp_path):
    with pytest.raises(Unconverged, match=r"minimiser broke down \(Error EDDDAV\); another ALGO may not"):
        parse_run(tmp_path, " Error EDDDAV: Call to ZHEGV failed. Returncode =   7 2   8", order(hydride()), nelm=100)


def test_what_is_not_there_is_named(tmp_path, monkeypatch):
    with pytest.raises(Missing, match=r"no POTCAR of Li at .*potpaw_PBE.54/Li/POTCAR; name its setup in `oracle.setups` \(as Li: Li_sv\)"):
        oracle(tmp_path, setups={}).label(hydride())
    with pytest.raises(Missing, match=r"there is no folder of POTCARs .*nowhere"):
        oracle(tmp_path, potentials="nowhere").label(hydride())
    with pytest.raises(Missing, match=r"the program 'no-such-vasp' was not found; VASP is licensed: install your copy"):
        oracle(tmp_path, command=["no-such-vasp"]).label(hydride())
    monkeypatch.setenv("VASP_PP_PATH", str(tmp_path))
    named = oracle(tmp_path, potentials="potpaw_PBE.54")
    assert named.label(hydride()).settings_hash == oracle(tmp_path).label(hydride()).settings_hash


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"incar": {"ENCUT": 400.0, "NELM": 60, "NSW": 5}}, r"`oracle.incar` holds \['NELM', 'NSW'\]; it is for what changes the label"),
        ({"search": {"ISMEAR": 0}}, r"hold \['ISMEAR'\], expected"),
        ({"retries": [{"ALGO": "GW0"}]}, r"ALGO is to be 'GW0', expected one of \['Normal'"),
        ({"layout": {"ENCUT": 1}}, r"`oracle.layout` holds \['ENCUT'\], expected some of \['NCORE'"),
    ],
)
def test_settings_out_of_place_are_refused(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        oracle(tmp_path, **arguments)
