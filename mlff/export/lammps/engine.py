"""LAMMPS with `pair_style mlff` as an engine."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from mlff.export.engine import STRUCTURE, Answer, Engine, copy_example, no_device
from mlff.export.lammps.build import torch_plugin
from mlff.export.lammps.library import missing
from mlff.export.lammps.model_file import BACKENDS, card_of
from mlff.export.lammps.packed import write_packed
from mlff.export.lammps.simulation import reading, stress_of
from mlff.export.lammps.staged import write_staged
from mlff.export.lammps.structure import data_file, prism_of
from mlff.export.lammps_launch import beside_python, environment, launcher
from mlff.nn.native.build import no_compiler

EXAMPLE = Path(__file__).parent / "example"
FILE = "model.safetensors"
NKTV2P = 1.6021765e6  # LAMMPS's own bar per eV/Å³ in units metal


class LAMMPS(Engine):
    """The plugin, on any number of MPI ranks, by `lmp` and an input file.

    Args:
        ranks: that answers are computed on; what is written serves any number.
        backend: "kernels", the project's own on a CPU; "stages", compiled ahead of time and run by libtorch, on a CPU or a GPU, whose
            ranks take the GPUs of a machine in turn; None for kernels on a CPU and stages on a GPU. The tests run stages on a CPU; no
            GPU has run them in LAMMPS yet.
    Raises:
        ValueError: another backend, or kernels on a GPU.
    """

    def __init__(self, device: str = "cpu", dtype: str = "float32", ranks: int = 1, backend: str | None = None):
        super().__init__(device, dtype)
        self.ranks, self.backend = ranks, backend or ("kernels" if device == "cpu" else "stages")
        if self.backend not in BACKENDS:
            raise ValueError(f"backend is {backend!r}, expected one of {', '.join(BACKENDS)}, or null")
        if self.backend == "kernels" and device != "cpu":
            raise ValueError(f"backend is kernels, which run on a CPU, but device is {device!r}; set backend to stages or device to cpu")
        self.takes_minutes = self.backend == "stages"

    def missing(self) -> str | None:
        if why := missing():
            return why
        return no_compiler("builds pair_style mlff once") or no_device(self.device)

    def write(self, artefact: Path, folder: Path) -> None:
        """As `Engine.write`; stages take minutes to compile once, and the same ones come from `mlff.cache_folder` then."""
        if why := no_device(self.device):
            raise ValueError(why)  # it is compiled there
        if self.backend == "stages":
            write_staged(artefact, folder / FILE, self.device, self.dtype)
            torch_plugin()
        else:
            write_packed(artefact, folder / FILE, self.dtype)
        copy_example(EXAMPLE, folder)
        species = card_of(folder / FILE)["species"]
        (folder / "species.lammps").write_text(f"pair_coeff * * {FILE} {' '.join(species)}\n")
        if (folder / STRUCTURE).is_file():
            (folder / "structure.data").write_text(data_file(read(folder / STRUCTURE), species))

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            script = [line for k, atoms in enumerate(frames) for line in (*_structure(scratch, k, atoms, folder), *_tell(k))]
            self._run(scratch, script)
            return [_answer(scratch, k, atoms) for k, atoms in enumerate(frames)]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            script = [
                *_structure(scratch, 0, atoms, folder),
                f"timestep {timestep / 1000!r}",
                "fix nve all nve",
                "thermo 1",  # has the energy computed at each step
                'fix print all print 1 "$(etotal:%.17g)" file energies screen no title ""',
                f"run {n_steps}",
            ]
            self._run(scratch, script)
            return np.array([float(line) for line in (scratch / "energies").read_text().split()])

    def _run(self, scratch: Path, script: Sequence[str]) -> None:
        (scratch / "in.lammps").write_text("\n".join([*script, ""]))
        command = [*launcher(self.ranks), beside_python("lmp"), "-in", "in.lammps", "-log", "none"]
        done = subprocess.run(command, env=environment(), cwd=scratch, capture_output=True, text=True)
        if done.returncode != 0:
            said = re.findall(r"^ERROR.*", done.stdout, re.MULTILINE) or [done.stdout[-1000:] + done.stderr[-1000:]]
            raise RuntimeError(f"LAMMPS ended with status {done.returncode}: {said[0]}")


def _structure(scratch: Path, k: int, atoms: Atoms, folder: Path) -> list[str]:
    """Commands that begin anew with a structure and the model."""
    file, species = folder.resolve() / FILE, card_of(folder / FILE)["species"]
    (scratch / f"{k}.data").write_text(data_file(atoms, species))
    return [*reading(atoms, Path(f"{k}.data")), "pair_style mlff", f'pair_coeff * * "{file}" {" ".join(species)}']


def _tell(k: int) -> list[str]:
    """Commands that write energy, the pressures without velocities and the volume, and forces, with all digits."""
    pressures = [f"c_pressure[{c + 1}]" for c in range(6)]
    told = " ".join(f"$({name}:%.17g)" for name in ("pe", *pressures, "vol"))
    return [
        "compute pressure all pressure NULL virial",
        f"thermo_style custom step pe vol {' '.join(pressures)}",
        "run 0",
        f'print "{told}" file {k}.txt',
        f"write_dump all custom {k}.dump fx fy fz modify sort id format float %.17g",
    ]


def _answer(scratch: Path, k: int, atoms: Atoms) -> Answer:
    energy, *pressures, volume = (float(word) for word in (scratch / f"{k}.txt").read_text().split())
    forces = np.loadtxt(scratch / f"{k}.dump", skiprows=9, ndmin=2)
    return Answer(energy, prism_of(atoms).to_ase(forces), stress_of(pressures, volume, NKTV2P, atoms))
