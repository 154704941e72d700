"""Compiles the kernels once per machine, compiler and source, into a folder of the user."""

import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from mlff.cache_folder import cache_folder

log = logging.getLogger(__name__)

COMPILERS = ("g++", "clang++", "c++")
# no -ffast-math: it would drop NaN
FLAGS = ("-O3", "-march=native", "-std=c++17", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast")
REMEDY = "install g++ (for example `apt-get install g++`) or name a C++ compiler in CXX; until then slower tensor code computes the same"


def find_compiler() -> list[str] | None:
    """The C++ compiler that CXX names, with its arguments, else the first of `COMPILERS` that is there; None for none."""
    named = os.environ.get("CXX")
    for candidate in [shlex.split(named)] if named else [[name] for name in COMPILERS]:
        found = shutil.which(candidate[0])
        if found is not None:
            return [found, *candidate[1:]]
    return None


def build(sources: dict[str, str], folder: Path | None = None) -> Path | None:
    """The shared library of the sources, compiled where it was not before; None, with a warning, where that cannot be.

    Several processes may build at once: each writes under a name of its own and renames.

    Args:
        sources: text by file name; each .cpp is compiled, the others are included by them.
        folder: None: `cache_folder()` / native.
    """
    compiler = find_compiler()
    if compiler is None:
        log.warning("found no C++ compiler (%s); %s", os.environ.get("CXX") or ", ".join(COMPILERS), REMEDY)
        return None
    try:
        version = _run([*compiler, "--version"])
        flags, linked = _openmp(version)
        texts = [text for item in sorted(sources.items()) for text in item]
        parts = [*compiler, version, *FLAGS, *flags, *map(str, linked), _cpu(), *texts]
        library = (folder or cache_folder() / "native") / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}.so"
        if not library.exists():
            log.info("compiling kernels for this machine, once, into %s", library)
            _compile([*compiler, *FLAGS, *flags], linked, sources, library)
    except (OSError, subprocess.CalledProcessError) as error:
        log.warning("the kernels could not be compiled: %s %s; %s", error, getattr(error, "stderr", None) or "", REMEDY)
        return None
    return library


def _compile(command: Sequence[str], linked: Sequence[Path], sources: dict[str, str], library: Path) -> None:
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=library.parent) as name:
        place = Path(name)
        for file, text in sources.items():
            (place / file).write_text(text)
        units = [place / file for file in sources if file.endswith(".cpp")]
        commands = [[*command, "-c", str(unit), "-o", str(unit.with_suffix(".o"))] for unit in units]
        running = [subprocess.Popen(c, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for c in commands]
        errors = [process.communicate()[1] for process in running]
        for arguments, process, error in zip(commands, running, errors, strict=True):
            if process.returncode != 0:
                raise subprocess.CalledProcessError(process.returncode, arguments, stderr=error)
        # linked without -fopenmp, which would bring the compiler's own OpenMP beside torch's
        compiler = [part for part in command if part != "-fopenmp"]
        _run([*compiler, "-shared", *(str(unit.with_suffix(".o")) for unit in units), *map(str, linked), "-o", str(place / "kernels.so")])
        os.replace(place / "kernels.so", library)


def _openmp(version: str) -> tuple[list[str], list[Path]]:
    """Flags, and the OpenMP library that torch has loaded: two in one process stall each other.

    Where torch brings none that this compiler can use, the kernels run on one thread.
    """
    root = Path(torch.__file__).parent
    found = sorted([*root.glob("lib/libgomp*.so*"), *root.parent.glob("torch.libs/libgomp*.so*")])
    usable = found and "clang" not in version.lower()
    return (["-fopenmp"], found[:1]) if usable else ([], [])


def _cpu() -> str:
    """What -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
