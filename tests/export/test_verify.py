"""The verification, with ASE as an engine that agrees, and wrapped so that it does not."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from omegaconf import DictConfig, OmegaConf

from mlff.artefact import read_golden, save
from mlff.artefact.locate import locate_model
from mlff.export.ase.engine import ASE
from mlff.export.engine import Answer, Engine, export
from mlff.export.verify import TOLERANCES, at_temperature, drift_of, judged, verify
from mlff.run.command import CONF
from mlff.run.verify import engines, names, verify_engines
from tests.contracts.potentials import build, describe


@pytest.fixture
def artefact() -> Path:
    """The shipped model, whose golden frames have 32, 16 and 32 atoms."""
    return locate_model("bundled:li3ps4")


class Wrong(Engine):
    """ASE whose answers are changed."""

    def __init__(self, change: Callable[[Answer], Answer], heat: float = 0.0):
        super().__init__(dtype="float64")
        self.inner, self.change, self.heat = ASE(dtype="float64"), change, heat

    def missing(self) -> None:
        return None

    def write(self, artefact: Path, folder: Path) -> None:
        self.inner.write(artefact, folder)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        return [self.change(answer) for answer in self.inner.answers(folder, frames)]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        return self.inner.nve(folder, atoms, timestep, n_steps) + self.heat * np.arange(n_steps + 1)


def changed(what: str, index, by: float) -> Callable[[Answer], Answer]:
    def change(answer: Answer) -> Answer:
        values = np.array(getattr(answer, what), dtype=float)
        values[index] += by
        return dataclasses.replace(answer, **{what: values if values.ndim else float(values)})

    return change


def verified(engine: Engine, artefact: Path, folder: Path):
    return verify("wrong", engine, artefact, read_golden(artefact), folder, n_steps=100)


def test_the_right_model_agrees(artefact, tmp_path):
    found = verified(Wrong(lambda answer: answer), artefact, tmp_path / "out")
    assert found.problems == ()
    assert found.forces < 1e-9  # float64 sums in another order
    assert (tmp_path / "out" / "structure.extxyz").exists()


@pytest.mark.parametrize(
    ("what", "index", "by", "sentence"),
    [
        # 4e-5 eV of 32 atoms exceed 1e-6 eV/atom
        ("energy", (), 4e-5, r"wrong, frame 1: found energy -\d+\.\d{6} eV, expected -\d+\.\d{6} eV; tolerance 1\.0e-06 eV/atom"),
        ("forces", (3, 1), 2e-6, r"wrong, frame 0, atom 3 \(\w+\): found force \(.*\) eV/Å, expected \(.*\) eV/Å; tolerance 1\.0e-06 eV/Å"),
        ("stress", (0, 2), -2e-7, r"wrong, frame 0: found stress xz .* eV/Å³, expected .* eV/Å³; tolerance 1\.0e-07 eV/Å³"),
        ("forces", (5, 0), np.nan, r"wrong, frame 1, atom 5 \(\w+\): found force \(nan, "),
    ],
)
def test_a_deviation_is_named(what, index, by, sentence, artefact, tmp_path):
    problems = verified(Wrong(changed(what, index, by)), artefact, tmp_path / "out").problems
    assert len(problems) == 3  # of every frame, and of nothing else
    assert re.search(sentence, "\n".join(problems))


def test_a_drift_is_named(artefact, tmp_path):
    heat = 32 * 1e-4  # eV a step of 32 atoms: 0.1 eV/atom/ps
    found = verified(Wrong(lambda answer: answer, heat), artefact, tmp_path / "out")
    assert found.drift == pytest.approx(0.1, abs=5e-3)
    assert [problem[:44] for problem in found.problems] == ["wrong, frame 0: the total energy drifts by 1"]


def test_an_answer_of_another_shape_is_refused(artefact, tmp_path):
    with pytest.raises(ValueError, match=r"array of shape \(\), expected \(3, 3\); correct its `answers`"):
        verified(Wrong(lambda answer: dataclasses.replace(answer, stress=None)), artefact, tmp_path / "out")


def test_energies_of_a_step_too_many_are_refused(artefact, tmp_path, monkeypatch):
    right = ASE.nve
    monkeypatch.setattr(ASE, "nve", lambda *args: np.append(right(*args), 0.0))
    with pytest.raises(ValueError, match="wrong gave 102 energies of 100 steps, expected the first and one after each"):
        verified(ASE(dtype="float64"), artefact, tmp_path / "out")


def test_a_straight_line_is_its_own_drift():
    assert drift_of(-7.0 + 2e-3 * np.arange(11), timestep=0.5) == pytest.approx(4.0)  # 2 meV every half fs


def test_velocities_have_the_temperature_and_stay_in_place():
    atoms = Atoms("LiS" * 2000, positions=np.zeros((4000, 3)))
    moving = at_temperature(atoms, 300.0, seed=1)
    # √(2/3N): 0.9 % for 4,000 atoms
    assert moving.get_temperature() == pytest.approx(300.0, rel=0.04)
    light = moving.symbols == "Li"
    kinetic = [0.5 * (moving.get_masses()[s, None] * moving.get_velocities()[s] ** 2).sum(1).mean() for s in (light, ~light)]
    np.testing.assert_allclose(kinetic, 1.5 * units.kB * 300, rtol=0.06)
    np.testing.assert_allclose(moving.get_momenta().sum(0), 0, atol=1e-9)
    np.testing.assert_array_equal(at_temperature(atoms, 300.0, seed=1).get_momenta(), moving.get_momenta())


def test_rounding_to_float32_passes_as_such_and_not_as_float64(artefact, tmp_path):
    golden, engine = read_golden(artefact), ASE(dtype="float32")
    export(engine, artefact, tmp_path)
    answers = engine.answers(tmp_path, [frame.atoms for frame in golden])
    assert judged("ase", TOLERANCES["float32"], golden, answers, drift=0.0).problems == ()
    assert judged("ase", TOLERANCES["float64"], golden, answers, drift=0.0).problems


def settings(**changes) -> DictConfig:
    return OmegaConf.merge(OmegaConf.load(CONF / "export" / "verify.yaml"), {"n_steps": 100} | changes)


def test_the_command_prints_what_agrees(artefact, capsys):
    rows = verify_engines(settings(model=str(artefact), engines=["ase"]))
    assert [row[:2] for row in rows] == [("ase", "float64"), ("ase", "float32")]
    printed = capsys.readouterr().out
    assert "agrees" in printed
    assert "differs" not in printed


def test_the_command_fails_where_an_engine_differs(artefact, monkeypatch, capsys):
    right = ASE.answers
    monkeypatch.setattr(ASE, "answers", lambda *args: [changed("energy", (), 0.1)(answer) for answer in right(*args)])
    with pytest.raises(ValueError, match=r"^engines answer otherwise than the trained model(.|\n)*in float64, ase, frame 0: found energy"):
        verify_engines(settings(model=str(artefact), engines=["ase"]))
    assert "differs" in capsys.readouterr().out


def test_what_cannot_run_is_listed_with_its_reason(artefact, monkeypatch, capsys):
    monkeypatch.setattr(ASE, "missing", lambda self: "there is no such program; install it" if self.dtype == "float64" else None)
    verify_engines(settings(model=str(artefact), engines=["ase"]))
    assert "ase cannot run here: there is no such program; install it (float64)" in capsys.readouterr().out
    monkeypatch.setattr(ASE, "missing", lambda self: "there is no such program; install it")
    with pytest.raises(ValueError, match="none of these engines runs here, so that nothing was verified"):
        verify_engines(settings(model=str(artefact), engines=["ase"]))


def test_engines_are_the_files_of_the_group():
    assert {"ase", "compiled"} <= set(names())
    assert [(name, engine.dtype) for name, engine, _ in engines(["ase"], "cpu", ["float64", "float32"])] == [
        ("ase", "float64"),
        ("ase", "float32"),
    ]
    with pytest.raises(ValueError, match=r"there is no engine 'gulp', expected some of ase, compiled.*; correct `engines`"):
        list(engines(["gulp"], "cpu", ["float64"]))
    assert next(iter(engines(["ase"], "cpu", ["half"])))[1] == "dtype is 'half', expected 'float32' or 'float64'"


def test_few_steps_are_refused(artefact, tmp_path):
    with pytest.raises(ValueError, match="n_steps is 3, expected at least 10"):
        verify("ase", ASE(), artefact, read_golden(artefact), tmp_path / "out", n_steps=3)


def test_a_model_without_golden_frames_is_refused(tmp_path):
    save(tmp_path / "model", build("pair"), {"model": describe("pair"), "dtype": "float64"}, [])
    with pytest.raises(ValueError, match="has no golden frames, so there is nothing to compare with"):
        verify_engines(settings(model=str(tmp_path / "model"), engines=["ase"]))
