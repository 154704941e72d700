"""The whole command on glasses whose mobility is planted: the plane finds it, the page shows it, and what was computed is kept."""

import json
import shutil

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from hydra import compose, initialize_config_dir

from mlff.run.command import CONF
from mlff.trajectory import Frames, TrajectoryWriter
from softness.artefact import Softness
from softness.radial import RadialFunctions
from softness.study import study

EDGE, N_LI = 20.0, 90
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 2.05 / np.sqrt(3)


def write_glass(folder, name: str, seed: int, temperature: float, n_frames: int = 200, lost: int | None = None) -> None:
    """PS4 on a lattice, lithium anywhere; those with much lithium at 2 to 4 Å vibrate widely, the others do not. lost: an atom that is 1 Å
    further away from half way on."""
    rng = np.random.default_rng(seed)
    centres = (np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3) + 0.5) * EDGE / 3
    sulphur = (centres[:, None] + TETRAHEDRON).reshape(-1, 3)
    symbols = ["Li"] * N_LI + ["P"] * len(centres) + ["S"] * len(sulphur)
    start = np.concatenate([rng.random((N_LI, 3)) * EDGE, centres, sulphur])
    functions = RadialFunctions(("Li",), first=2.0, last=4.0, step=0.5, width=0.5)
    crowded = functions.of_frame(start, np.eye(3) * EDGE, symbols, np.arange(N_LI)).sum(1)
    width = np.full(len(symbols), 0.03)
    width[:N_LI] = 0.05 * np.exp(0.8 * (crowded - crowded.mean()) / crowded.std()) * np.sqrt(temperature / 500)
    positions = start + width[:, None] * rng.normal(size=(n_frames, len(symbols), 3))
    if lost is not None:
        positions[n_frames // 2 :, lost] += (start[lost] - centres[0]) / 2.05
    path = folder / "replicas" / name / "trajectory"
    path.parent.mkdir(parents=True)
    words = {"timestep": 2.0, "name": name, "structure": "glass", "temperature": temperature, "mode": "UC", "stages": []}
    with TrajectoryWriter.create(path, Atoms(symbols, start, cell=[EDGE] * 3, pbc=True), words) as writer:
        writer.append(Frames(50 * np.arange(n_frames), positions, np.broadcast_to(np.eye(3) * EDGE, (n_frames, 3, 3))))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glasses")
    for side, seed in (("train", 0), ("test", 10)):
        for k, temperature in enumerate((400.0, 600.0)):
            write_glass(folder / side, f"{side}_{temperature:g}K", seed + k, temperature)
    return folder


def settings(runs, folder, *overrides: str):
    common = [f"train={runs}/train", f"test={runs}/test", f"folder={folder}", "windows.length=4.0", "percents=[10,30]", "permutations=4"]
    with initialize_config_dir(str(CONF / "softness"), version_base="1.3"):
        return compose("softness", [*common, "chosen.percent=30", "functions.last=6.0", *overrides])


@pytest.fixture(scope="module")
def done(runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    return study(settings(runs, folder, "pictures=[png]")), folder


def test_the_planted_reason_is_found(done):
    page, folder = done
    numbers = json.loads((folder / "numbers.json").read_text())
    plane = {n["name"]: n for n in numbers["observables"]["plane"]["Li"]}
    assert plane["test accuracy"]["value"] > 0.75
    assert abs(plane["accuracy with permuted labels"]["value"] - 0.5) < 0.1
    kept = Softness.load(folder / "plane")
    weights = dict(zip(kept.functions.names, kept.plane.weights_, strict=True))
    near = [weights[f"Li {r:g}"] for r in (2.4, 2.8, 3.2, 3.6)]
    assert np.mean(near) > 3 * abs(np.mean([weights[f"Li {r:g}"] for r in (5.2, 5.4, 5.6, 5.8)]))
    assert list(kept.provenance["trajectories"]["test"]) == ["test_400K", "test_600K"]
    html = page.read_text(encoding="utf-8")
    for word in ("Softness near units", "PS4", "permuted labels", "Voronoi volume", "Alike in space"):
        assert word in html
    assert "27 PS4" in html


def test_the_page_shows_glasses_in_space_and_how_fast_their_ions_are(done):
    page, folder = done
    html = page.read_text(encoding="utf-8")
    for word in ("Soft and hard", "Ways of ions", "near PS4", "Conduction"):
        assert word in html
    rows = (folder / "csv" / "space_soft_and_hard.csv").read_text(encoding="utf-8").splitlines()
    assert sum(row.startswith("particle") for row in rows) == N_LI
    assert sum(row.startswith("PS4") for row in rows) == 2 * 27 * 4  # both halves of each bond
    numbers = json.loads((folder / "numbers.json").read_text())["observables"]
    trajectory = {n["name"]: n for n in numbers["trajectories"]["test_600K"]}
    squares = trajectory["mean square displacement in a window near PS4"]
    assert squares["unit"] == "Å²"
    assert 0.01 < squares["value"] < 0.1  # of the planted vibration: 6 σ²
    assert [n["name"] for n in numbers["conduction"][""]][:2] == ["D*, glass 400 K", "D*, glass 600 K"]


def test_pictures_tables_and_frames_lie_beside_it(done):
    _, folder = done
    for name in ("csv/trajectories_softness_all_ions.csv", "figures/plane_weights.png", "numbers.csv"):
        assert (folder / name).stat().st_size > 0
    frames = read(folder / "softness_test_600K.extxyz", index=":")
    assert np.isfinite(frames[0].arrays["softness"]).tolist() == [True] * N_LI + [False] * 135
    kept = Softness.load(folder / "plane")
    symbols = frames[0].get_chemical_symbols()
    again = kept.of_frame(frames[0].positions, frames[0].cell.array, symbols)
    np.testing.assert_allclose(again, frames[0].arrays["softness"][:N_LI], atol=1e-4)  # positions are written with 8 digits


def test_structures_stand_side_by_side(runs, tmp_path):
    named = "{" + ", ".join(f"{name}: {runs}/test/replicas/test_{t}K/trajectory" for name, t in (("cold", 400), ("warm", 600))) + "}"
    study(settings(runs, tmp_path, f"test={named}", "pictures=[]", "percents=[30]", "neighbours={all: null}", "permutations=2"))
    rows = (tmp_path / "csv" / "structures_softness_by_structure.csv").read_text(encoding="utf-8").splitlines()
    assert {row.split(",")[0] for row in rows[1:]} == {"cold", "warm"}
    numbers = json.loads((tmp_path / "numbers.json").read_text())["observables"]["structures"][""]
    assert [n["name"] for n in numbers] == ["mean softness, cold", "mean softness, warm"]
    assert all(n["error"] > 0 for n in numbers)


def test_anions_that_change_are_told(runs, tmp_path, caplog):
    """In one trajectory of the test a sulphur leaves its anion half way."""
    shutil.copytree(runs / "test", tmp_path / "test")
    shutil.rmtree(tmp_path / "test/replicas/test_600K")
    write_glass(tmp_path / "test", "test_600K", 11, 600.0, lost=N_LI + 27)
    page = study(settings(runs, tmp_path / "out", f"test={tmp_path}/test", "pictures=[]", "percents=[30]", "neighbours={all: null}"))
    sentence = "the anions of glass do not stay the same (27 PS4: 7 beginnings and ends; "
    assert sentence in caplog.text
    assert "end of test_600K" in caplog.text
    assert sentence[1:] in page.read_text(encoding="utf-8")


def test_rings_and_what_others_measured_stand_beside_softness(runs, tmp_path):
    pytest.importorskip("gudhi", reason="needs gudhi: pip install .[topology]")
    (tmp_path / "measured.csv").write_text("name,temperature_K,conductivity_S_per_cm\nDietrich,300,1e-4\n")
    study(
        settings(
            runs,
            tmp_path,
            "rings.use=true",
            f"measured={tmp_path}/measured.csv",
            "pictures=[]",
            "percents=[30]",
            "neighbours={all: null}",
            "permutations=2",
        )
    )
    numbers = {n["name"]: n for n in json.loads((tmp_path / "numbers.json").read_text())["observables"]["rings"][""]}
    assert numbers["rings in a structure"]["value"] > 10
    assert numbers["correlation of softness with the size of the rings near an ion"]["error"] > 0
    assert "Dietrich" in (tmp_path / "csv/conduction_conductivity.csv").read_text()


def test_what_was_computed_is_read_again(done, runs):
    _, folder = done
    files = sorted((folder / "samples").iterdir())
    before = {file: file.stat().st_mtime_ns for file in files}
    files[0].write_bytes(files[0].read_bytes()[:1000])  # as a full disk leaves it: computed again
    study(settings(runs, folder, "pictures=[]", "percents=[30]", "neighbours={all: null}"))
    assert {file: file.stat().st_mtime_ns for file in files[1:]} == {file: before[file] for file in files[1:]}
    assert files[0].stat().st_size > 1000


def test_one_trajectory_cannot_be_both(runs, tmp_path):
    with pytest.raises(ValueError, match=r"train_400K/trajectory.* in training and in test, expected other trajectories"):
        study(settings(runs, tmp_path, f"test={runs}/train", "pictures=[]", "percents=[30]"))
    assert not (tmp_path / "plane").exists()
