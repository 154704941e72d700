"""The command answers --help at once, prints what is in a set, draws a picture, and says in one sentence what is wrong with its input."""

import os
import re
import subprocess
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from PIL import Image

from mlff.run.inspect import picture_name

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "scripts/inspect_data.py", *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )


@pytest.fixture
def argon(tmp_path, rng) -> Path:
    """Twelve frames of an argon cell, one of them with a wrong energy."""
    frames = []
    for index in range(12):
        atoms = Atoms("Ar8", positions=3.7 * np.indices((2, 2, 2)).reshape(3, -1).T, cell=np.eye(3) * 7.4, pbc=True)
        atoms.positions += rng.normal(scale=0.05, size=(8, 3))
        atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=7.0, smooth=True)
        atoms.get_stress()
        if index == 4:
            atoms.calc.results["energy"] += 3.0
            atoms.calc.results["free_energy"] += 3.0
        frames.append(atoms)
    path = tmp_path / "argon.extxyz"
    ase.io.write(path, frames)
    return path


def test_help_answers_without_what_takes_seconds_to_load(tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "scripts/inspect_data.py", "--help"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"torch", "matplotlib", "ase"})
    assert "robust standard deviations" in (ROOT / "conf/inspect.yaml").read_text()
    assert "path: ???" in done.stdout


def test_it_prints_and_draws(argon):
    done = command("path=argon.extxyz", "picture=picture.png", folder=argon.parent)
    assert done.returncode == 0, done.stderr
    for expected in (
        "argon.extxyz: 12 frames, 96 atoms, Ar",
        "labels taken from free_energy (energy), forces (forces), stress (stress)",
        "argon.extxyz, frame 4",
        "warning: 1 frame is an outlier (first: argon.extxyz, frame 4); look at it before training",
        f"picture: {argon.parent / 'picture.png'}",
    ):
        assert expected in done.stdout
    with Image.open(argon.parent / "picture.png") as picture:
        assert picture.width > 1500
        assert np.asarray(picture.convert("L")).std() > 10  # something was drawn
    assert sorted(p.name for p in argon.parent.iterdir()) == ["argon.extxyz", "picture.png"]


def test_energies_that_one_stoichiometry_does_not_fix_are_marked(argon):
    frames = ase.io.read(argon, ":")
    for atoms in frames:
        atoms.numbers[:4] = 36
    ase.io.write(argon.parent / "mixed.extxyz", frames)
    done = command("path=mixed.extxyz", "picture=null", folder=argon.parent)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"-?\d+\.\d{4} \(shared\)", done.stdout)) == 2
    assert "(shared): the compositions fix no E0 of Ar, Kr, only their sum; it is shared out per atom" in done.stdout
    # one species is fixed by one stoichiometry
    assert "(shared)" not in command("path=argon.extxyz", "picture=null", folder=argon.parent).stdout


def test_outliers_say_beside_what_they_stand_apart(argon):
    done = command("path=argon.extxyz", "picture=null", folder=argon.parent)
    assert "energy and pressure beside the frames of the same composition, largest force beside all frames" in " ".join(done.stdout.split())


def test_the_picture_is_named_after_the_data_and_said_to_be_there(argon):
    (argon.parent / "elsewhere").mkdir()
    done = command("path=../argon.extxyz", folder=argon.parent / "elsewhere")
    picture = argon.parent / "elsewhere" / "argon_inspection.png"
    assert f"picture: {picture}" in done.stdout
    assert picture.is_file()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("a/frames.extxyz.gz", "frames"),
        ("bundled:li3ps4", "li3ps4"),
        ("run/vasprun.xml", "vasprun"),
        ("OUTCAR.1", "OUTCAR.1"),
        ("sets/iter.000000-data.000/", "iter.000000-data.000"),
    ],
)
def test_names_of_pictures(data, name):
    assert picture_name(data) == f"{name}_inspection.png"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path=nowhere.extxyz"], "error: nowhere.extxyz: no such file or folder; check `path`"),
        (["path=argon.extxyz", "format=xml"], "error: format 'xml' is unknown; choose one of ase_db, "),
        (["path=argon.extxyz", "energy_kind=total"], "error: energy_kind 'total' is unknown; choose 'free' or 'sigma0'"),
        ([], "error: not given: path"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(argon, arguments, message):
    done = command(*arguments, folder=argon.parent)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
