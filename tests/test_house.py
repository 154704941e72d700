"""The house: what is installed is declared and pinned, the source is clean, commands answer at once and say what is missing."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# run in environments of the codes that they drive, never in this project's
ELSEWHERE = [ROOT / "scripts/benchmarks" / name for name in ("peer_drivers", "analysis_drivers")]
OWN = {"mlff", "softness", "train", "scripts", "tests"}


def requirements(*extras: str) -> list[Requirement]:
    return [Requirement(text) for text in [*PROJECT["dependencies"], *(text for extra in extras for text in EXTRAS[extra])]]


def test_every_import_is_a_declared_dependency():
    """Where it is imported decides nothing: a package of an extra may be imported inside a function, but must be declared."""
    declared = {canonicalize_name(requirement.name) for requirement in requirements(*EXTRAS)}
    # TorchSim's name is given, because no test needs it to be installed
    distributions = {"torch_sim": ["torch-sim-atomistic"]} | packages_distributions()
    files = [path for folder in ("mlff", "softness", "scripts") for path in (ROOT / folder).rglob("*.py")]
    undeclared = set()
    for path in [*(path for path in files if path.parent not in ELSEWHERE), ROOT / "train.py"]:
        for name in top_level_imports(path) - OWN - set(sys.stdlib_module_names):
            if not declared & {canonicalize_name(distribution) for distribution in distributions.get(name, [name])}:
                undeclared.add(f"{path.relative_to(ROOT)} imports {name}, which pyproject.toml does not declare")
    assert undeclared == set()


def test_every_declared_dependency_is_pinned_within_its_range():
    lines = (ROOT / ".ci/constraints.txt").read_text().splitlines()
    pins = {canonicalize_name(name): version for name, version in (line.split("==") for line in lines if line and not line.startswith("#"))}
    for requirement in requirements(*EXTRAS):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), str(requirement)


def test_the_source_is_clean():
    for arguments in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *arguments, "--no-cache", "."], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_help_answers_without_what_takes_seconds_to_load():
    command = [sys.executable, "-X", "importtime", "train.py", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert imported.isdisjoint({"torch", "pytorch_lightning", "ase", "scipy"})
    assert "train is powered by Hydra" in done.stdout


def test_make_names_the_remedy_where_python_is_too_old(tmp_path):
    """On a PATH whose python3 is an old one, in a copy, so that nothing is installed."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "make", "env"):
        (programs / name).symlink_to(shutil.which(name))
    old = programs / "python3"
    old.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.18; else exit 1; fi\n')
    old.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")} | {"PATH": str(programs)}
    done = subprocess.run(["make", "test"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "is Python 3.11 or newer (Python 3.9.18); install Python 3.11" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("target", ["train", "test"])
def test_make_runs_the_command_with_what_it_installed(target, tmp_path):
    """With a .venv newer than the pins nothing is installed again."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.installed").touch()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", "-n", target], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    command = {
        "train": "train.py +experiment=quickstart",
        "test": "-m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder",
    }[target]
    assert done.stdout == f".venv/bin/python {command}\n"


def test_changelog_knows_the_version():
    version = re.search(r'__version__ = "(.+)"', (ROOT / "mlff/__init__.py").read_text())[1]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def top_level_imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names
