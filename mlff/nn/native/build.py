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

from mlff.cache_folder import cache_folder, one_at_a_time

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


class CannotCompile(RuntimeError):
    """There is no C++ compiler, or it refused; the message says which and why."""


def no_compiler(purpose: str) -> str | None:
    """Why what has this purpose cannot be compiled here, with the remedy; None where it can."""
    return None if find_compiler() else f"found no C++ compiler, which {purpose}; install g++ or set CXX to one"


def build(sources: dict[str, str], folder: Path | None = None) -> Path | None:
    """As `compiled`, of kernels in `cache_folder()` / native; None, with a warning, where that cannot be."""
    try:
        return compiled(sources, folder or cache_folder() / "native", "kernels.so")
    except CannotCompile as error:
        log.warning("%s; %s", error, REMEDY)
        return None


def compiled(
    sources: dict[str, str],
    folder: Path,
    name: str,
    arguments: Sequence[str] = (),
    linked: Sequence[Path] = (),
    headers: Sequence[Path] = (),
) -> Path:
    """The shared library of the sources, compiled where it was not before, by one process while others wait.

    Args:
        sources: text by file name; each .cpp is compiled, the others are included by them.
        folder: the library lies below it, in a folder of its own.
        arguments: of the compiler besides `FLAGS`: folders of headers, another standard.
        linked: libraries besides torch's OpenMP.
        headers: of others; where one of them has changed, the library is compiled anew.
    Raises:
        CannotCompile.
    """
    compiler = find_compiler()
    if compiler is None:
        raise CannotCompile(f"found no C++ compiler ({os.environ.get('CXX') or ', '.join(COMPILERS)})")
    try:
        version = _run([*compiler, "--version"])
        flags, openmp = _openmp(version)
        links = _links([*linked, *openmp])
        texts = [text for item in sorted(sources.items()) for text in item]
        texts += [header.read_text(errors="replace") for header in headers]
        parts = [*compiler, version, *FLAGS, *flags, *arguments, *links, _cpu(), *texts]
        library = folder / hashlib.sha256(repr(parts).encode()).hexdigest()[:24] / name
        with one_at_a_time(folder):
            if not library.exists():
                log.info("compiling %s for this machine, once, into %s", name, library.parent)
                _compile([*compiler, *FLAGS, *flags, *arguments], links, sources, library)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotCompile(f"{name} could not be compiled: {error} {getattr(error, 'stderr', None) or ''}".rstrip()) from error
    return library


def _compile(command: Sequence[str], links: Sequence[str], sources: dict[str, str], library: Path) -> None:
    folder = library.parent.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as name:
        place = Path(name)
        for file, text in sources.items():
            (place / file).write_text(text)
        units = [place / file for file in sources if file.endswith(".cpp")]
        map_away = f"-ffile-prefix-map={place}/="  # messages name files, not a folder that is gone
        commands = [[*command, map_away, "-c", str(unit), "-o", str(unit.with_suffix(".o"))] for unit in units]
        running = [subprocess.Popen(c, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for c in commands]
        errors = [process.communicate()[1] for process in running]
        for arguments, process, error in zip(commands, running, errors, strict=True):
            if process.returncode != 0:
                raise subprocess.CalledProcessError(process.returncode, arguments, stderr=error)
        # linked without -fopenmp, which would bring the compiler's own OpenMP beside torch's
        compiler = [part for part in command if part != "-fopenmp"]
        _run([*compiler, "-shared", *(str(unit.with_suffix(".o")) for unit in units), *links, "-o", str(place / library.name)])
        library.parent.mkdir(exist_ok=True)
        os.replace(place / library.name, library)


def _links(libraries: Sequence[Path]) -> list[str]:
    """Arguments that link libraries where they lie, and let a program find them there that has not loaded them already."""
    return [part for path in libraries for part in (str(path), f"-Wl,-rpath,{path.parent}")]


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
