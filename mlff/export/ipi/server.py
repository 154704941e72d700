"""A run of the i-PI server, with this process as its only driver."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms, units

from mlff.export.ipi.protocol import Evaluate, connect, drive
from mlff.units import ATOMIC_TIME, BOHR, ELECTRON_MASS

PATIENCE = 60.0  # s for the server to start and, when the run is over, to end
SILENCE = 600.0  # s without a word of it
INPUT = """
<simulation verbosity='low' floatformat='%.17e' safe_stride='1000000000' sockets_prefix='{folder}/'>
  <output prefix='run'> <properties stride='1' filename='out'> [ {properties} ] </properties> </output>
  <total_steps> {n_steps} </total_steps>
  <ffsocket name='mlff' mode='unix' pbc='false'>
    <address> socket </address> <latency> 1e-4 </latency> <exit_on_disconnect> true </exit_on_disconnect>
  </ffsocket>
  <system>
    <initialize nbeads='1'>
      <positions mode='manual'> {positions} </positions>
      <labels mode='manual'> {labels} </labels>
      <masses mode='manual'> {masses} </masses>
      <cell mode='manual'> {cell} </cell>
      <velocities mode='manual'> {velocities} </velocities>
    </initialize>
    <forces> <force forcefield='mlff'/> </forces>
    <ensemble> <temperature units='kelvin'> 300 </temperature> </ensemble>
    <motion mode='dynamics'>
      <fixcom> False </fixcom>
      <dynamics mode='nve'> <timestep> {timestep} </timestep> </dynamics>
    </motion>
  </system>
</simulation>
"""


def program() -> str | None:
    """The server's, of this Python's environment or on the PATH."""
    return shutil.which("i-pi", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def run_nve(atoms: Atoms, evaluate: Evaluate, timestep: float, n_steps: int, properties: list[str]) -> np.ndarray:
    """What i-PI writes of an NVE run.

    Args:
        atoms: of `oriented`.
        evaluate: as `drive` takes it.
        timestep: fs.
        properties: as i-PI names them; vectors take several columns.
    Returns:
        (n_steps + 1, n_columns), atomic units.
    Raises:
        RuntimeError: i-PI failed; the message holds the end of its output.
    """
    with tempfile.TemporaryDirectory(prefix="ipi") as name:  # at the top of /tmp, because paths of UNIX sockets are short
        folder = Path(name)
        (folder / "input.xml").write_text(_input(folder, atoms, timestep, n_steps, properties))
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([program(), "input.xml"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _serve(server, folder, evaluate)
            if server.wait(PATIENCE) != 0:
                raise _failure(folder)
            return np.loadtxt(folder / "run.out", ndmin=2)[: n_steps + 1]
        finally:
            server.kill()
            server.wait()


def _serve(server: subprocess.Popen, folder: Path, evaluate: Evaluate) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection = connect(str(folder / "socket"))
            break
        except ConnectionError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise _failure(folder) from None
            time.sleep(0.02)
    with connection:
        connection.settimeout(SILENCE)
        try:
            drive(connection, evaluate)
        except OSError as error:
            raise _failure(folder) from error


def _failure(folder: Path) -> RuntimeError:
    return RuntimeError("i-PI stopped before its run was over; it said\n" + "\n".join((folder / "log").read_text().splitlines()[-20:]))


def _input(folder: Path, atoms: Atoms, timestep: float, n_steps: int, properties: list[str]) -> str:
    velocities = atoms.get_velocities() * units.fs  # Å/fs
    return INPUT.format(
        folder=folder,
        properties=", ".join(properties),
        n_steps=max(n_steps, 1),  # i-PI runs no fewer
        positions=_list(atoms.positions / BOHR),
        labels="[" + ", ".join(atoms.get_chemical_symbols()) + "]",
        masses=_list(atoms.get_masses() / ELECTRON_MASS),
        cell=_list(atoms.cell.array.T / BOHR),
        velocities=_list(velocities / (BOHR / ATOMIC_TIME)),
        timestep=repr(timestep / ATOMIC_TIME),
    )


def _list(values: np.ndarray) -> str:
    return "[" + ", ".join(repr(float(value)) for value in values.ravel()) + "]"
