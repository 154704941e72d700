"""pw.x: the input it is given, the outputs it left (stored: Quantum ESPRESSO 6.7, timings cut out), and its whole path by a stand-in.

The contract suite runs pw.x itself where it is installed.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from mlff.oracle import Missing, OracleError, QuantumEspresso, TimedOut, Unconverged
from mlff.oracle.espresso.output import parse_output
from mlff.units import BOHR, RYDBERG
from tests.oracle.programs import program

OUTPUTS = Path(__file__).parent / "outputs" / "espresso"

# A pw.x that wants gentle mixing, answers with stored outputs, and may be told another fate by the file name of its pseudopotential.
PWX = f"""
outputs = pathlib.Path({str(OUTPUTS)!r})
text = pathlib.Path(sys.argv[2]).read_text()
if not text:
    sys.exit(print((outputs / "h2_crashed.out").read_text()) or 1)
assert "calculation = 'scf'" in text and "tstress = .true." in text and "H 0.1000000000 0.2000000000 0.3000000000" in text, text
folder = text.split("pseudo_dir = '")[1].split("'")[0]
fate = (pathlib.Path(folder) / "H.upf").read_text()
if fate == "hang":
    time.sleep(60)
converges = fate == "converge" and "mixing_beta = 0.2" in text
print((outputs / ("h2_crashed.out" if fate == "crash" else "h2_converged.out" if converges else "h2_unconverged.out")).read_text())
sys.exit(1 if fate == "crash" else 0 if converges else 2)
"""


def hydrogen() -> Atoms:
    """The system of the stored outputs."""
    return Atoms("H2", [[0.1, 0.2, 0.3], [0.3, 0.4, 1.15]], cell=[[4.0, 0, 0], [0.3, 3.8, 0], [0, 0.2, 4.2]], pbc=True)


def oracle(tmp_path: Path, fate: str = "converge", **arguments) -> QuantumEspresso:
    (tmp_path / "H.upf").write_text(fate)
    command = program(tmp_path / "pw.x", PWX)
    return QuantumEspresso({"H": "H.upf"}, pseudo_dir=tmp_path, **{"command": command, "timeout": 30.0} | arguments)


def test_the_input_says_all_of_it(tmp_path):
    (tmp_path / "Li.upf").touch()
    (tmp_path / "S.upf").touch()
    atoms = Atoms("SLi", [[0, 0, 0], [0.25, 1 / 3, 1.123456789012]], cell=[[4.0, 0, 0], [0.3, 3.8, 0], [0, 0.2, 4.2]], pbc=True)
    asked = QuantumEspresso(
        {"Li": "Li.upf", "S": "S.upf", "P": "P.upf"},
        pseudo_dir=tmp_path,
        kpoints=(3, 2, 1),
        system={"ecutwfc": 50.0, "occupations": "smearing", "smearing": "mv", "degauss": 0.01, "lspinorb": False},
        search={"electron_maxstep": 60},
    )
    assert asked.write(atoms, asked.ways[1], tmp_path) == ["-i", "frame.in"]
    assert (tmp_path / "frame.in").read_text() == (
        f"""&CONTROL
  calculation = 'scf'
  prefix = 'frame'
  pseudo_dir = '{tmp_path}'
  outdir = './out'
  disk_io = 'none'
  tprnfor = .true.
  tstress = .true.
/
&SYSTEM
  ibrav = 0
  nat = 2
  ntyp = 2
  nosym = .true.
  ecutwfc = 50.0
  occupations = 'smearing'
  smearing = 'mv'
  degauss = 0.01
  lspinorb = .false.
/
&ELECTRONS
  conv_thr = 1e-09
  diagonalization = 'david'
  mixing_mode = 'plain'
  mixing_beta = 0.2
  mixing_ndim = 8
  electron_maxstep = 200
/
ATOMIC_SPECIES
Li 6.940 Li.upf
S 32.060 S.upf
CELL_PARAMETERS angstrom
4.0000000000 0.0000000000 0.0000000000
0.3000000000 3.8000000000 0.0000000000
0.0000000000 0.2000000000 4.2000000000
ATOMIC_POSITIONS angstrom
S 0.0000000000 0.0000000000 0.0000000000
Li 0.2500000000 0.3333333333 1.1234567890
K_POINTS automatic
3 2 1 0 0 0
"""
    )


def test_gamma_alone_is_asked_for_by_its_name(tmp_path):
    asked = oracle(tmp_path)
    asked.write(hydrogen(), asked.ways[0], tmp_path)
    assert (tmp_path / "frame.in").read_text().endswith("K_POINTS gamma\n")


def test_a_converged_output_is_read():
    read = parse_output((OUTPUTS / "h2_converged.out").read_text(), n_atoms=2, where="h2")
    text = (OUTPUTS / "h2_converged.out").read_text()
    assert read.version == "6.7MaX"
    assert read.energy == float(re.search(r"!.*=\s+(\S+) Ry", text)[1]) * RYDBERG
    row = re.search(r"atom    2 type  1   force =(.*)", text)[1].split()
    np.testing.assert_array_equal(read.forces[1], np.array(row, dtype=float) * RYDBERG / BOHR)
    # the bond is stretched: the atoms pull on each other, and the cell is in tension along it: P is negative, ours positive
    assert read.forces[0, 2] > 0 > read.forces[1, 2]
    pressure = float(re.search(r"P=\s+(\S+)", text)[1])
    assert np.trace(read.stress) / 3 * 1602.1766208 == pytest.approx(-pressure, abs=0.02)  # kbar; 0.01: its printed decimals
    np.testing.assert_array_equal(read.stress, read.stress.T)


def test_with_smearing_the_energy_is_the_free_one():
    text = (OUTPUTS / "h2_smeared.out").read_text()
    read = parse_output(text, n_atoms=2, where="h2")
    internal = float(re.search(r"internal energy E=F\+TS\s+=\s+(\S+) Ry", text)[1])
    entropy = float(re.search(r"smearing contrib. \(-TS\)\s+=\s+(\S+) Ry", text)[1])
    assert entropy < -0.1
    assert read.energy / RYDBERG == pytest.approx(internal + entropy, abs=2e-8)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda text: (OUTPUTS / "h2_unconverged.out").read_text(), Unconverged, "the SCF did not converge; change the mixing"),
        (
            lambda text: (OUTPUTS / "h2_crashed.out").read_text(),
            OracleError,
            r"it said:\nError in routine set_occupations \(1\): occupations",
        ),
        (lambda text: text[: text.index("!    total")], OracleError, "holds no converged energy: pw.x stopped early"),
        (lambda text: text[: text.index("     atom    2 type  1   force")], OracleError, "holds forces of 1 atoms, expected 2"),
        (lambda text: text[: text.index("     Forces acting")], OracleError, "holds forces of 0 atoms, expected 2"),
        (lambda text: text[: text.index("(kbar)")], OracleError, "holds no whole stress tensor: the file is cut short"),
        (
            lambda text: re.sub(r"type  1   force = +\S+", "type  1   force = *********", text),
            OracleError,
            "no number .*shortest distances",
        ),
        (lambda text: text.replace("PWSCF v.6.7MaX", "PWSCF"), OracleError, "names no version of pw.x"),
        (lambda text: text + text, ValueError, r"2 copies of pw.x ran beside each other, expected one: .*launcher of the MPI"),
    ],
)
def test_other_outputs_are_refused_with_the_reason(change, error, message):
    with pytest.raises(error, match=message) as caught:
        parse_output(change((OUTPUTS / "h2_converged.out").read_text()), n_atoms=2, where="h2")
    assert type(caught.value) is error


def test_the_second_rung_converges(tmp_path):
    label = oracle(tmp_path).label(hydrogen())
    assert (label.retries, label.converged, label.code, label.version) == (1, True, "Quantum ESPRESSO", "6.7MaX")
    gentle = oracle(tmp_path, search={"mixing_beta": 0.2}).label(hydrogen())
    assert gentle.retries == 0
    # how the density was found is no part of a label's name
    assert gentle.settings_hash == label.settings_hash


def test_no_rung_converges(tmp_path):
    with pytest.raises(Unconverged, match=r"did not converge.*\(the last of 2 ways that were tried\)"):
        oracle(tmp_path, retries=[{"mixing_beta": 0.3}]).label(hydrogen())


def test_a_crash_and_a_hang_are_told_apart(tmp_path):
    with pytest.raises(
        OracleError, match=r"Quantum ESPRESSO exited with status 1: .* it said:\nError in routine set_occupations"
    ) as caught:
        oracle(tmp_path, fate="crash").label(hydrogen())
    assert type(caught.value) is OracleError
    with pytest.raises(TimedOut, match=r"Quantum ESPRESSO did not finish within 0\.5 s"):
        oracle(tmp_path, fate="hang", timeout=0.5).label(hydrogen())


def test_the_version_is_asked_of_the_program(tmp_path):
    asked = oracle(tmp_path, command=["mpirun", "-np", "2", *program(tmp_path / "pw.x", PWX)])
    assert asked.version == "6.7MaX"
    with pytest.raises(Missing, match=r"the program 'no-such-pw.x' was not found; install Quantum ESPRESSO"):
        _ = oracle(tmp_path, command=["no-such-pw.x"]).version


def test_pseudopotentials_are_looked_for_before_the_run(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"no pseudopotential of \['Li'\] is given, only of \['H'\]; name it in"):
        oracle(tmp_path).label(Atoms("LiH", positions=[[0, 0, 0], [0, 0, 1.6]], cell=[4, 4, 4], pbc=True))
    monkeypatch.delenv("ESPRESSO_PSEUDO", raising=False)
    with pytest.raises(Missing, match=r"no folder of pseudopotentials is named; give `oracle.pseudo_dir`, or set ESPRESSO_PSEUDO"):
        QuantumEspresso({"H": "H.upf"}).label(hydrogen())
    monkeypatch.setenv("ESPRESSO_PSEUDO", str(tmp_path))
    with pytest.raises(Missing, match=r"the pseudopotential 'other.upf' of H is not in .*; put it there, or name another"):
        QuantumEspresso({"H": "other.upf"}).label(hydrogen())


def test_what_the_frame_decides_cannot_be_set():
    with pytest.raises(ValueError, match=r"`oracle.system` holds \['nat', 'nosym'\], which the frame and this oracle decide"):
        QuantumEspresso({}, system={"nat": 3, "nosym": False, "ecutwfc": 30.0})
    with pytest.raises(ValueError, match=r"hold \['degauss'\], expected"):
        QuantumEspresso({}, retries=[{"degauss": 0.1}])


@pytest.mark.slow
def test_every_rung_of_the_ladder_gives_the_same_label():
    folder = Path("/usr/share/espresso/pseudo")
    if shutil.which("pw.x") is None or not (folder / "H.pbe-kjpaw.UPF").exists():
        pytest.skip("pw.x or its pseudopotentials are not installed (Debian: apt install quantum-espresso quantum-espresso-data)")
    quick = {"pseudopotentials": {"H": "H.pbe-kjpaw.UPF"}, "pseudo_dir": folder, "system": {"ecutwfc": 30.0, "ecutrho": 200.0}}
    labels = [QuantumEspresso(**quick, search=way, retries=[]).label(hydrogen()) for way in QuantumEspresso(**quick).ways]
    assert len(labels) == 4
    for label in labels[1:]:
        assert label.energy == pytest.approx(labels[0].energy, abs=1e-6)  # eV: the eighth decimal of its Ry, a few times
        np.testing.assert_allclose(label.forces, labels[0].forces, atol=1e-3)  # eV/Å: linear in the density's error, at 1e-9 Ry
        np.testing.assert_allclose(label.stress, labels[0].stress, atol=1e-5)
