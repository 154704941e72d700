"""Every format gives the same frames, and every broken file is refused by name."""

import gzip
import itertools
import logging
import lzma
import re
import shutil

import ase.io
import numpy as np
import pytest
from ase.db import connect

from mlff.data import Frame, read_frames, write_store
from mlff.data.sniff import FORMATS, sniff

# what each code prints: positions Å, energy eV, forces eV/Å, stress eV/Å³
PRECISION = {
    "OUTCAR": (6e-6, 1e-8, 6e-7, 1e-8),
    "vasprun.xml": (1e-7, 1e-8, 6e-9, 1e-11),
    "ML_AB": (1e-10, 1e-10, 1e-10, 1e-12),
    "cp2k_2025.out": (6e-7, 1e-10, 6e-7, 1e-11),
}
LABELS = ("positions", "energy", "forces", "stress")


@pytest.mark.parametrize("name", PRECISION)
def test_stored_outputs_give_the_numbers_they_were_printed_from(files, li2s, name):
    frames = read_frames(files / name)
    assert len(frames) == (1 if name.endswith(".out") else 3)
    for index, (frame, expected) in enumerate(zip(frames, li2s, strict=False)):
        assert frame.numbers.tolist() == expected["numbers"]
        assert frame.index == index
        # CP2K prints three decimals of a turned cell
        np.testing.assert_allclose(frame.cell, expected["cell"], atol=6e-4 if name.endswith(".out") else 1e-9)
        np.testing.assert_allclose(frame.volume, np.linalg.det(expected["cell"]), rtol=1e-6)
        for label, tolerance in zip(LABELS, PRECISION[name], strict=True):
            np.testing.assert_allclose(getattr(frame, label), expected[label], atol=tolerance, err_msg=label)


@pytest.mark.parametrize("name", ["OUTCAR", "vasprun.xml"])
def test_vasp_agrees_with_ase(files, name):
    for ours, theirs in zip(read_frames(files / name), ase.io.read(files / name, index=":"), strict=True):
        np.testing.assert_array_equal(ours.positions, theirs.positions)
        np.testing.assert_array_equal(ours.forces, theirs.get_forces())
        np.testing.assert_allclose(ours.stress, theirs.get_stress(voigt=False), rtol=1e-14)
        assert ours.energy == theirs.calc.results["free_energy"]


@pytest.mark.parametrize("name", ["OUTCAR", "vasprun.xml"])
def test_vasp_energy_is_free_unless_asked_for_sigma0(files, name):
    free, sigma0 = read_frames(files / name), read_frames(files / name, energy_kind="sigma0")
    assert (free[0].energy_kind, sigma0[0].energy_kind) == ("free", "sigma0")
    # the files were written with −TS/2 = 2 meV
    np.testing.assert_allclose([s.energy - f.energy for f, s in zip(free, sigma0, strict=True)], 0.002, atol=2e-8)


def test_vasp_settings_are_the_same_from_both_files(files):
    settings = {read_frames(files / name)[0].info["settings"] for name in ("OUTCAR", "vasprun.xml")}
    assert len(settings) == 1
    assert "functional=PE" in settings.pop()


def test_a_killed_run_gives_its_finished_steps_and_names_unconverged_ones(files, caplog):
    frames = read_frames(files / "OUTCAR_cut")
    assert [frame.info["converged"] for frame in frames] == [True, False]
    assert "the last ionic step is cut off and was left out (2 frames read)" in caplog.text
    assert "1 frame(s) whose self-consistency did not converge (1)" in caplog.text


def test_vasprun_marks_a_step_that_used_every_electronic_step(files, tmp_path):
    # three electronic steps were stored per ionic step
    text = (files / "vasprun.xml").read_text()
    (tmp_path / "vasprun.xml").write_text(re.sub(r'name="NELM">\s*60', 'name="NELM">3', text))
    assert not any(frame.info["converged"] for frame in read_frames(tmp_path / "vasprun.xml"))


def test_vasprun_that_breaks_off_gives_its_finished_steps(files, tmp_path, caplog):
    text = (files / "vasprun.xml").read_text()
    (tmp_path / "vasprun.xml").write_text(text[: text.rfind("<calculation>") + 800])
    assert len(read_frames(tmp_path / "vasprun.xml")) == 2
    assert "the file is cut off; 2 finished frames were read" in caplog.text


def test_cp2k_output_of_a_real_run(files):
    """H₂ in a small triclinic cell by CP2K 2023.1; numbers as printed there, Hartree and bohr."""
    (frame,) = read_frames(files / "cp2k_2023.out")
    hartree, bohr = 27.211386245988, 0.529177210903
    assert frame.energy == pytest.approx(-1.172698812640305 * hartree)
    assert frame.energy_kind == "free"
    np.testing.assert_allclose(frame.forces[0], np.array([-0.00663458, -0.00624218, -0.02078648]) * hartree / bohr)
    np.testing.assert_allclose(frame.positions[1], [0.3, 0.4, 0.95])
    np.testing.assert_allclose(frame.cell, [[4, 0, 0], [0.6, 4.2, 0], [0.2, -0.3, 4.5]], atol=2e-6)
    # printed as a pressure: −1.883 GPa is tension
    assert frame.stress[0, 0] == pytest.approx(1.88295447265 / 160.21766208)
    assert frame.stress[1, 2] == pytest.approx(-0.514299227315 / 160.21766208)
    assert frame.info["settings"] == "CUTOFF=100.0; REL_CUTOFF=20.0; code=CP2K; functional=PBE"


def test_cp2k_trajectory_of_a_real_run(files):
    """The same H₂, three steps of MD; its first frame is the single point, and its energy falls by the work of its forces."""
    (point,) = read_frames(files / "cp2k_2023.out")
    frames = read_frames(files / "cp2k_md")
    assert [frame.info["time"] for frame in frames] == [0, 0.5, 1, 1.5]
    np.testing.assert_allclose(frames[0].forces, point.forces, atol=3e-7)
    np.testing.assert_allclose(frames[0].cell, point.cell, atol=2e-6)
    assert frames[0].energy == pytest.approx(point.energy, abs=3e-9)
    # the .stress file holds the kinetic part of the pressure too, and is no label
    assert all(frame.stress is None for frame in frames)
    work = [-0.5 * np.sum((a.forces + b.forces) * (b.positions - a.positions)) for a, b in itertools.pairwise(frames)]
    # 5 % of the largest: a coarse grid, on which the forces do not add up to zero
    np.testing.assert_allclose(work, np.diff([frame.energy for frame in frames]), atol=0.05 * np.abs(work).max())


def test_cp2k_trajectory_takes_a_constant_cell_from_the_output(files, tmp_path):
    for file in (files / "cp2k_md").glob("*.xyz"):
        shutil.copy(file, tmp_path)
    with pytest.raises(ValueError, match=r"h2md-1.cell: missing, and no output .* lies beside it; put the run's .cell file"):
        read_frames(tmp_path / "h2md-pos-1.xyz")
    shutil.copy(files / "cp2k_2023.out", tmp_path)
    frames = read_frames(tmp_path / "h2md-pos-1.xyz")
    np.testing.assert_allclose(frames[2].cell, [[4, 0, 0], [0.6, 4.2, 0], [0.2, -0.3, 4.5]], atol=2e-6)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("SCF run NOT converged", "frame 0: the self-consistency did not converge"),
        ("ENERGY|", "no 'ENERGY. Total FORCE_EVAL' line found; CP2K stopped early"),
        ("ATOMIC COORDINATES", "no atomic coordinates in ångström found; run CP2K with PRINT_LEVEL MEDIUM"),
    ],
)
def test_cp2k_output_that_is_no_label_is_refused(files, tmp_path, cut, message):
    text = (files / "cp2k_2025.out").read_text()
    text = text.replace("SCF run converged", cut) if cut.startswith("SCF") else text.replace(cut, "")
    (tmp_path / "frame.out").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_frames(tmp_path / "frame.out")


def test_ml_ab_with_two_functionals_is_refused_unless_told(files):
    path = files / "ML_AB_two_functionals"
    expected = (
        f"{path}: frame 0 was computed with PBE and frame 2 with LDA (their system names say so); energies of two functionals do not "
        "belong in one set: split the file, or say allow_mixed_settings=True"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        read_frames(path)
    assert len(read_frames(path, allow_mixed_settings=True)) == 3


def test_ml_ab_with_a_gap_between_energies_of_one_composition_is_refused(files):
    with pytest.raises(ValueError, match=r"3 frames \(first: 3\) lie 0.350 eV/atom below 3 frames of the same composition \(first: 0\)"):
        read_frames(files / "ML_AB_energy_gap")
    assert len(read_frames(files / "ML_AB_energy_gap", allow_mixed_settings=True)) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: t.rfind("     Stress")], "frame 2 .configuration 3.: section 'Stress .kbar.' is missing"),
        (lambda t: t[: t.rfind("     Configuration num.")], "2 configurations found, 3 expected from the header; the file is cut off"),
        (
            lambda t: t.replace("     Li      4", "     Li      5", 1),
            "frame 0 .configuration 1.: the atom types add up to 7 atoms, expected 6",
        ),
    ],
)
def test_a_damaged_ml_ab_is_refused(files, tmp_path, change, message):
    (tmp_path / "ML_AB").write_text(change((files / "ML_AB").read_text()))
    with pytest.raises(ValueError, match=message):
        read_frames(tmp_path / "ML_AB")


def test_two_settings_in_one_set_are_refused_unless_told(files, tmp_path):
    (tmp_path / "OUTCAR").write_text((files / "OUTCAR").read_text().replace("520.0 eV", "400.0 eV"))
    both = [files / "OUTCAR", tmp_path / "OUTCAR"]
    with pytest.raises(ValueError, match=r"OUTCAR, frame 0: DFT settings differ from .*OUTCAR, frame 0: ENCUT 400 here but 520 there; "):
        read_frames(both)
    assert len(read_frames(both, allow_mixed_settings=True)) == 6
    assert len(read_frames([files / "OUTCAR", files / "vasprun.xml"])) == 6


def test_hashes_of_settings_that_differ_are_a_warning(lj_run, tmp_path, caplog):
    frames = [frame.to_atoms() for frame in lj_run[:3]]
    for frame, settings in zip(frames, ("5be9ba", "5be9ba", "fe852b"), strict=True):
        frame.info["settings"] = settings
    ase.io.write(tmp_path / "two.extxyz", frames)
    assert len(read_frames(tmp_path / "two.extxyz")) == 3
    assert "frames of 2 DFT settings: 5be9ba (" in caplog.text
    assert "two.extxyz, frame 2); make sure that they differ in nothing but the k-points of the cell" in caplog.text


@pytest.fixture
def extxyz(lj_run, tmp_path):
    """Five frames written by ASE."""
    path = tmp_path / "lj.extxyz"
    ase.io.write(path, [frame.to_atoms() for frame in lj_run[:5]])
    return path


@pytest.mark.parametrize(("suffix", "opener"), [(".xz", lzma.open), (".gz", gzip.open)])
def test_compressed_extxyz_reads_like_the_plain_one(extxyz, suffix, opener):
    packed = extxyz.with_name(extxyz.name + suffix)
    with opener(packed, "wb") as file:
        file.write(extxyz.read_bytes())
    for plain, unpacked in zip(read_frames(extxyz), read_frames(packed), strict=True):
        np.testing.assert_array_equal(plain.forces, unpacked.forces)
        np.testing.assert_array_equal(plain.stress, unpacked.stress)


def test_extxyz_says_which_keys_it_used(extxyz, caplog):
    with caplog.at_level(logging.INFO, logger="mlff.data"):
        read_frames(extxyz)
    assert f"{extxyz}: labels taken from free_energy (energy), forces (forces), stress (stress)" in caplog.text


def test_a_truncated_extxyz_names_file_and_frame(extxyz):
    lines = extxyz.read_text().splitlines(keepends=True)
    extxyz.write_text("".join(lines[:-3]))
    expected = f"{extxyz}, frame 4: the file ends after 29 of 32 atoms; the writer was cut off: remove this frame or write the file again"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        read_frames(extxyz)


def test_an_extxyz_row_that_breaks_off_names_the_frame(extxyz):
    lines = extxyz.read_text().splitlines(keepends=True)
    lines[-1] = lines[-1][:20] + "\n"
    extxyz.write_text("".join(lines))
    with pytest.raises(ValueError, match=r"frame 4 .line 137.: cannot be read as extended XYZ"):
        read_frames(extxyz)


def test_nan_forces_in_a_file_name_file_and_frame(extxyz):
    lines = extxyz.read_text().splitlines(keepends=True)
    lines[36] = re.sub(r"\S+\s*$", "nan\n", lines[36])
    extxyz.write_text("".join(lines))
    expected = (
        f"{extxyz}, frame 1: forces hold 1 value(s) that are NaN or infinite, expected finite numbers; "
        "the calculation has probably failed: drop the frame or label it again"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        read_frames(extxyz)


def test_labels_of_two_origins_in_one_extxyz_are_refused(lj_run, tmp_path):
    first, second = lj_run[0].to_atoms(), lj_run[1].to_atoms()
    second.info["REF_energy"] = lj_run[1].energy
    path = tmp_path / "mixed.extxyz"
    ase.io.write(path, [first, second])
    with pytest.raises(
        ValueError, match="frame 1: energy stands under 'REF_energy', but under 'free_energy' in frame 0; labels of two origins"
    ):
        read_frames(path)


def test_database_and_trajectory_of_ase(lj_run, tmp_path):
    with connect(tmp_path / "lj.db") as database:
        for frame in lj_run[:3]:
            database.write(frame.to_atoms(), config_type="crystal")
    ase.io.write(tmp_path / "lj.traj", [frame.to_atoms() for frame in lj_run[:3]])
    from_db, from_traj = read_frames(tmp_path / "lj.db"), read_frames(tmp_path / "lj.traj")
    assert from_db[0].info["config_type"] == "crystal"
    for expected, one, other in zip(lj_run[:3], from_db, from_traj, strict=True):
        for frame in (one, other):
            np.testing.assert_allclose(frame.forces, expected.forces, atol=1e-12)
            np.testing.assert_allclose(frame.stress, expected.stress, atol=1e-12)
            assert frame.energy == pytest.approx(expected.energy, abs=1e-12)


def write_deepmd(folder, frames: list[Frame]) -> None:
    set_folder = folder / "set.000"
    set_folder.mkdir(parents=True)
    kinds = sorted(set(frames[0].symbols))
    (folder / "type_map.raw").write_text("\n".join(kinds))
    (folder / "type.raw").write_text("\n".join(str(kinds.index(s)) for s in frames[0].symbols))
    np.save(set_folder / "coord.npy", np.array([f.positions.ravel() for f in frames]))
    np.save(set_folder / "box.npy", np.array([f.cell.ravel() for f in frames]))
    np.save(set_folder / "energy.npy", np.array([f.energy for f in frames]))
    np.save(set_folder / "force.npy", np.array([f.forces.ravel() for f in frames]))
    np.save(set_folder / "virial.npy", np.array([-f.volume * f.stress.ravel() for f in frames]))


def test_deepmd_virial_is_minus_volume_times_stress(lj_run, tmp_path):
    write_deepmd(tmp_path / "a", lj_run[:3])
    write_deepmd(tmp_path / "b", lj_run[3:5])
    (tmp_path / "b" / "set.000" / "virial.npy").unlink()
    frames = read_frames(tmp_path)
    assert [frame.info["trajectory"] for frame in frames] == ["a"] * 3 + ["b"] * 2
    for frame, expected in zip(frames, lj_run, strict=False):
        np.testing.assert_allclose(frame.forces, expected.forces)
        assert frame.symbols == expected.symbols
    np.testing.assert_allclose(frames[1].stress, lj_run[1].stress, atol=1e-15)
    assert frames[3].stress is None


def test_deepmd_with_a_set_of_another_length_names_the_file(lj_run, tmp_path):
    write_deepmd(tmp_path / "a", lj_run[:3])
    np.save(tmp_path / "a" / "set.000" / "energy.npy", np.zeros(2))
    with pytest.raises(ValueError, match=r"energy.npy: 2 frames, but coord.npy of the same set has 3; copy the set again"):
        read_frames(tmp_path)


def test_real_deepmd_and_extxyz_sets(data_folder):
    lgps = read_frames(data_folder / "lgps_pbe" / "LiGePS-iter.000000-data.000")
    assert (len(lgps), lgps[0].symbols.count("Li")) == (300, 20)
    assert np.abs(lgps[0].forces.sum(axis=0)).max() < 0.05  # eV/Å, the set's own claim
    lips = read_frames(data_folder / "lips_520K" / "lips_1000.extxyz")
    assert (len(lips), len(lips[0]), lips[0].stress) == (1000, 83, None)


def test_a_store_is_a_format_like_any_other(lj_run, tmp_path):
    write_store(tmp_path / "store", lj_run)
    assert [frame.energy for frame in read_frames(tmp_path / "store")] == [frame.energy for frame in lj_run]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.extxyz: no such file or folder; check `path`"):
        read_frames(tmp_path / "nowhere.extxyz")


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path, extxyz):
    with pytest.raises(ValueError, match=f"format 'xml' is unknown; choose one of {', '.join(FORMATS)}, or leave it out"):
        read_frames(extxyz, format="xml")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"notes.txt: format not recognised by name or content; choose one of ase_db, "):
        read_frames(tmp_path / "notes.txt")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.xyz").write_text("")
    with pytest.raises(ValueError, match=r"empty.xyz: holds no frame of a known format; give a file with at least one structure"):
        read_frames(tmp_path / "empty.xyz")


def test_content_decides_where_the_name_says_nothing(files, extxyz, tmp_path):
    for name, format in (("OUTCAR", "outcar"), ("vasprun.xml", "vasprun"), ("ML_AB", "ml_ab"), ("cp2k_2023.out", "cp2k")):
        shutil.copy(files / name, tmp_path / "data")
        assert sniff(tmp_path / "data") == format
    shutil.copy(extxyz, tmp_path / "data")
    assert sniff(tmp_path / "data") == "extxyz"
