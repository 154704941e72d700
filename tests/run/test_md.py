"""The command as a user runs it: small replicas of the model that ships."""

import copy
import json
import re

import numpy as np
import pytest
import torch
import yaml
from ase.io import read, write
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mlff.artefact import load, save
from mlff.data import Frame
from mlff.engine import Committee
from mlff.run.md import run_md
from mlff.run.md.plan import plan_of, protocol_of, replicas_of
from mlff.structure import structure
from mlff.structure.glass import glass
from mlff.trajectory import Trajectory
from tests.run.conftest import CONF
from tests.test_experiments import unknown_keys

MD = CONF / "md"
EXPERIMENTS = sorted(path.stem for path in (MD / "experiment").glob("*.yaml"))
OPTIONS = [f"{group}={path.stem}" for group in ("ensemble", "constraint", "protocol") for path in sorted((MD / group).glob("*.yaml"))]
SMALL = ("model=bundled:li3ps4", "structures=[Li3PS4_alpha]", "temperatures=[700]", "record.frames=10", "record.chunk=100")
SHORT = ("protocol.equilibration=0.04", "protocol.production=0.4")


def config(*overrides):
    with initialize_config_dir(str(MD), version_base="1.3"):
        return compose("md", list(overrides))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("md") / "run"
    cfg = config(*SMALL, *SHORT, "constraint=ladder", "seeds=[0,1]", f"folder={folder}")
    return cfg, folder, run_md(cfg)


def test_it_leaves_trajectories_numbers_and_a_page(finished):
    _, folder, endings = finished
    assert len(endings) == 8
    assert set(endings.values()) == {"finished"}
    results = json.loads((folder / "results.json").read_text())
    assert [(row["mode"], len(row["replicas"])) for row in results["conditions"]] == [("UC", 2), ("RC", 2), ("RTC", 2), ("RTVC", 2)]
    assert results["anion_motions"][0].keys() >= {"structure", "temperature", "decrease", "share"}
    for row in results["conditions"]:  # so short that nothing is known, and it says so
        assert "value" not in row["diffusivity"]
        assert row["diffusivity"]["reason"]
    page = (folder / "report.html").read_text()
    assert "700K_RTVC_s1" in page
    assert (folder / "msd.csv").read_text().startswith("structure,temperature_K,mode,member,time_ps,msd_A2")
    trajectory = Trajectory(folder / "replicas" / "Li3PS4_alpha_700K_RC_s1" / "trajectory")
    assert len(trajectory) == 40  # the equilibration is not recorded
    assert trajectory.steps[0] == 25
    assert trajectory.about["mode"] == "RC"
    stage = {"name": "production", "first_step": 21, "last_step": 220, "ensemble": "CSVR", "conserves_momentum": True, "recorded": True}
    assert trajectory.about["stages"][1] == stage
    assert re.fullmatch("[0-9a-f]{64}", trajectory.about["model_hash"])


def test_with_all_of_an_anion_held_only_lithium_moves(finished):
    trajectory = Trajectory(finished[1] / "replicas" / "Li3PS4_alpha_700K_RTVC_s0" / "trajectory")
    frames = next(trajectory.chunks(size=len(trajectory)))
    moved = np.abs(frames.positions[-1] - frames.positions[0]).max(1)
    assert moved[trajectory.numbers != 3].max() < 1e-4
    assert moved[trajectory.numbers == 3].min() > 1e-2


def test_the_last_frame_is_one_to_begin_another_run_with(finished):
    folder = finished[1] / "replicas" / "Li3PS4_alpha_700K_UC_s0"
    frame, trajectory = read(folder / "final.extxyz"), Trajectory(folder / "trajectory")
    np.testing.assert_allclose(frame.positions, trajectory[len(trajectory) - 1].positions, atol=1e-5)  # as the trajectory rounds
    assert frame.info["step"] == 220
    thermo = trajectory.series("thermo")
    np.testing.assert_allclose(frame.get_kinetic_energy(), thermo.values["kinetic_energy"][-1], rtol=1e-6)
    np.testing.assert_allclose(frame.get_potential_energy(), thermo.values["potential_energy"][-1], rtol=1e-9)


def test_a_built_glass_is_relaxed_before_it_melts(tmp_path):
    """Its ions lie at random; without the descent it would heat itself beyond 1,000 K."""
    write(tmp_path / "glass.extxyz", glass({"PS4": 4, "P2S7": 2}, rng=np.random.default_rng(1)))
    quick = [f"protocol.{setting}" for setting in ("melt=400", "heating_rate=2000", "melting=0.1", "quench_rate=2000", "equilibration=0.1")]
    shared = ("model=bundled:li3ps4", f"structures=[{tmp_path / 'glass.extxyz'}]", "temperatures=[300]", "protocol=melt_quench")
    assert set(run_md(config(*shared, *quick, "guards.bond=null", f"folder={tmp_path / 'run'}")).values()) == {"finished"}
    (replica,) = (tmp_path / "run" / "replicas").iterdir()
    trajectory = Trajectory(replica / "trajectory")
    thermo, heating = trajectory.series("thermo"), trajectory.about["stages"][1]
    assert heating["name"] == "heating"
    assert thermo.values["temperature"][thermo.steps >= heating["first_step"]].max() < 600


def test_what_makes_numbers_doubtful_is_said(tmp_path, caplog):
    """At constant energy a crystal that starts at rest in its sites keeps half of its heat; 5 fs are too long."""
    caplog.set_level("INFO")
    few = (*SMALL, "protocol.equilibration=0.04", "protocol.production=0.8", f"folder={tmp_path}", "record.check=5", "record.thermo=5")
    run_md(config(*few, "ensemble=nve", "timestep=5"))
    assert "the timestep is 5 fs; with atoms of 6.94 amu 2 fs is usual, 4 fs the most" in caplog.text
    told = r"UC_s0: the mean temperature of the last stage is [23]\d\d K, not 700 K; equilibrate longer"
    assert re.search(told, caplog.text)
    assert re.search(told, (tmp_path / "report.html").read_text())


def test_a_descent_leaves_frames_and_no_transport(tmp_path):
    run_md(config(*SMALL, *SHORT, f"folder={tmp_path}", "ensemble=relax"))
    folder = tmp_path / "replicas" / "Li3PS4_alpha_700K_UC_s0"
    energies = Trajectory(folder / "trajectory").series("thermo").values["potential_energy"]
    assert energies[-1] < energies[0] - 0.1
    assert read(folder / "final.extxyz").get_potential_energy() <= energies[0]
    assert not (tmp_path / "results.json").exists()


def test_an_interrupted_run_says_how_it_goes_on(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlff.md.csvr.CSVR.step", interrupted)
    with pytest.raises(SystemExit, match=r"interrupted; the same command goes on from the last checkpoint"):
        run_md(config(*SMALL, *SHORT, f"folder={tmp_path}"))


def test_a_finished_run_is_shown_again_and_a_longer_last_stage_goes_on(finished):
    cfg, folder, _ = finished
    path = folder / "replicas" / "Li3PS4_alpha_700K_UC_s0" / "trajectory"
    before = next(Trajectory(path).chunks(size=1000)).positions
    run_md(cfg)
    assert len(Trajectory(path)) == len(before)
    longer = OmegaConf.merge(cfg, {"protocol": {"production": 0.5}})
    run_md(longer)
    after = next(Trajectory(path).chunks(size=1000)).positions
    assert len(after) == 50
    np.testing.assert_array_equal(after[: len(before)], before)
    with pytest.raises(ValueError, match=r"protocol.production 0.5 → 0.4[\s\S]*Only the last stage may become longer"):
        run_md(cfg)
    with pytest.raises(ValueError, match=r"holds a run with other settings \(timestep 2.0 → 1.0\)"):
        run_md(OmegaConf.merge(longer, {"timestep": 1.0}))
    run_md(OmegaConf.merge(longer, {"threads": 1}))


def test_replicas_that_a_guard_stops_are_told_and_the_others_are_complete(tmp_path):
    """The bound lies between what 100 and 3000 K need."""
    cfg = config(*SMALL, *SHORT, f"folder={tmp_path}", "guards.force=6", "guards.bond=null")
    cfg.temperatures = [100, 3000]
    with pytest.raises(
        ValueError,
        match=r"1 of 2 replicas were stopped[\s\S]*_3000K_UC_s0: the force on atom \d+ is [\d.]+ eV/Å, expected \d",
    ):
        run_md(cfg)
    assert len(Trajectory(tmp_path / "replicas" / "Li3PS4_alpha_100K_UC_s0" / "trajectory")) == 40
    stopped = json.loads((tmp_path / "replicas" / "Li3PS4_alpha_3000K_UC_s0" / "stopped.json").read_text())
    assert stopped.keys() == {"step", "stage", "reason", "atom"}
    assert (tmp_path / "replicas" / "Li3PS4_alpha_3000K_UC_s0" / "stopped.extxyz").exists()
    assert (tmp_path / "report.html").exists()


@pytest.fixture(scope="module")
def committee(tmp_path_factory):
    """The model that ships, and the same with weights a thousandth off."""
    bundled = load("bundled:li3ps4")
    other = copy.deepcopy(bundled.potential)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in other.architecture.parameters():
            weight.mul_(1 + 1e-3 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype))
    frames = [Frame.from_atoms(structure("Li3PS4_gamma"))]
    return save(tmp_path_factory.mktemp("model") / "two", Committee([bundled.potential, other]), bundled.card, frames)


def test_members_that_disagree_are_told_or_stop_and_each_can_drive(committee, tmp_path):
    given = (*SMALL[1:], *SHORT, f"model={committee}", "guards.deviation=1e-4")
    message = r"1 of 1 replicas were stopped[\s\S]*the members disagree on atom \d+ by 0\.\d+ eV/Å, more than 0\.0001"
    with pytest.raises(ValueError, match=message):
        run_md(config(*given, f"folder={tmp_path / 'stops'}"))
    run_md(config(*given, f"folder={tmp_path / 'told'}", "guards.deviation_stops=false", "members=[0,1]"))
    page = (tmp_path / "told" / "report.html").read_text()
    assert re.search(r"_UC_s0_m0: the members disagreed by up to 0\.\d+ eV/Å, more than 0\.0001 at \d+ of 22 records", page)
    first, second = (Trajectory(tmp_path / "told" / "replicas" / f"Li3PS4_alpha_700K_UC_s0_m{k}" / "trajectory") for k in (0, 1))
    assert not np.array_equal(first.series("thermo").values["potential_energy"], second.series("thermo").values["potential_energy"])


def test_members_and_seeds_make_replicas_with_names_of_their_own():
    cfg = OmegaConf.to_container(config(*SMALL, "seeds=[3,4]", "members=[0,1]", "constraint=every"), resolve=True)
    replicas = replicas_of(cfg)
    assert len({replica.name for replica in replicas}) == len(replicas) == 2 * 2 * 8
    assert {replica.driver for replica in replicas} == {0, 1}
    assert replicas[1].name == "Li3PS4_alpha_700K_UC_s3_m1"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("temperatures=[300,300]", r"temperatures is \[300, 300\], expected a list .* and each once"),
        ("structures=Li3PS4_alpha", r"structures is 'Li3PS4_alpha', expected a list such as"),
        ("record.frames=7", r"record.frames is 7 fs, expected a multiple of the timestep, 2.0 fs"),
        ("record.frames=14", r"the interval of frames is 7 steps, expected a divisor of the chunk's 50 steps"),
        ("constraint.modes=[RX]", r"constraint mode is 'RX', expected one of UC"),
        ("dtype=float16", r"dtype is 'float16', expected 'float32' or 'float64'"),
        ("timestep=2fs", r"timestep is '2fs', expected a number"),
        ("temperatures=[27C]", r"temperatures\[0\] is '27C', expected a number"),
        ("guards.contact=near", r"guards.contact is 'near', expected a number"),
        ("timestep=0", r"timestep is 0 fs, expected above 0"),
        ("repeat=2", r"repeat is 2, expected three numbers of cells, such as \[2,2,2\]"),
        ("guards.deviation=0.5", r"guards.deviation is 0.5 eV/Å, but the model has one member only"),
        ("structures=[Na3PS4_cubic]", r"Na3PS4_cubic_700K_UC_s0 holds Na, but the model knows Li, P, S"),
        ("members=[1]", r"found members \[1\] as drivers, expected 0 … 0"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(override, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run_md(config(*SMALL, f"folder={tmp_path / 'run'}", override))
    assert not (tmp_path / "run").exists()


def test_constraints_at_constant_pressure_are_refused_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match="the constraint's share of the virial is not derived"):
        run_md(config(*SMALL, f"folder={tmp_path / 'run'}", "ensemble=npt", "constraint=ladder"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_composes_into_replicas_and_stages(name):
    """Of the published cells, but for the model, which is the user's."""
    own = yaml.safe_load((MD / "experiment" / f"{name}.yaml").read_text())
    lines = (MD / "experiment" / f"{name}.yaml").read_text().splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# conf/md/md.yaml: ")
    options = [f"{group.removeprefix('override /')}={option}" for default in own.pop("defaults", []) for group, option in default.items()]
    given = ["model=bundled:li3ps4"] if "model" not in own else []
    given += ["structures=[Li3PS4_alpha]"] if "structures" not in own else []
    assert unknown_keys(own, OmegaConf.to_container(config(*options))) == []
    composed = OmegaConf.to_container(config(f"+experiment={name}", *given), resolve=True)
    assert protocol_of(composed).stages[-1].name == "production"
    sizes = {int(match[1]) for source in own.get("structures", []) if (match := re.search(r"_(\d+)$", source))}
    assert {len(replica.atoms) for replica in replicas_of(composed)} >= sizes


@pytest.mark.parametrize(
    "choice", [f"{g}={path.stem}" for g in ("ensemble", "constraint", "protocol") for path in sorted((MD / g).glob("*.yaml"))]
)
def test_every_option_makes_a_plan(choice):
    assert plan_of(config(*SMALL, choice)).protocol.stages
