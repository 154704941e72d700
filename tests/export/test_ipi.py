import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write

from mlff.artefact.locate import locate_model
from mlff.engine import Committee
from mlff.export.ase import MLFFCalculator
from mlff.export.ase.engine import ASE
from mlff.export.engine import export
from mlff.export.ipi import Evaluation, connect, drive
from mlff.export.ipi.__main__ import main
from mlff.export.ipi.engine import IPI
from mlff.export.ipi.protocol import Reply
from mlff.export.ipi.server import run_nve
from mlff.export.orientation import oriented
from mlff.units import BOHR, HARTREE, HARTREE_PER_BOHR
from tests.contracts.potentials import build, crystal
from tests.export.programs import assert_says_what_ase_says, moving, saved_model, telling_structures

installed = pytest.mark.skipif(IPI().missing() is not None, reason="i-PI is not installed")


@pytest.fixture
def folder(tmp_path):
    IPI().write(saved_model(tmp_path / "artefact"), tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def ends():
    """The server's end of a connection and the driver's."""
    server, driver = socket.socketpair()
    with server, driver:
        server.settimeout(10)
        yield server, driver


def said(word: str) -> bytes:
    return word.ljust(12).encode()


@installed
@pytest.mark.slow
def test_ipi_says_what_ase_says(folder, rng):
    # 1e-11: its files keep all digits, and units and rotations go back and forth
    assert_says_what_ase_says(IPI(dtype="float64"), folder, telling_structures(rng), energy=1e-11, forces=1e-11, stress=1e-11)


@installed
def test_fifty_steps_are_velocity_verlets(folder, rng):
    atoms = moving(rng, crystal(rng))
    # 1e-7 eV: mlff has the eV and amu of CODATA 2018, ASE those of 2014, and they differ by 1e-8
    ours, ases = (engine.nve(folder, atoms, 0.5, 50) for engine in (IPI(dtype="float64"), ASE(dtype="float64")))
    np.testing.assert_allclose(ours, ases, rtol=0, atol=1e-7)
    assert atoms.get_kinetic_energy() > 0.1


@installed
def test_what_ipi_says_when_it_fails_is_passed_on(rng):
    atoms = oriented(crystal(rng))[0]
    with pytest.raises(RuntimeError, match=r"i-PI stopped before its run was over; it said\n(.|\n)*nonsense is not a recognized property"):
        run_nve(atoms, lambda cell, positions: Reply(0.0, np.zeros((12, 3)), np.zeros((3, 3))), 1.0, 1, ["nonsense"])


@installed
def test_no_server_is_left_behind_by_a_model_that_fails(rng, monkeypatch):
    started, start = [], subprocess.Popen

    def watched(*arguments, **options) -> subprocess.Popen:
        started.append((start(*arguments, **options), options["cwd"]))
        return started[-1][0]

    def fail(cell: np.ndarray, positions: np.ndarray) -> Reply:
        raise FloatingPointError("the model answered NaN")

    monkeypatch.setattr(subprocess, "Popen", watched)
    with pytest.raises(FloatingPointError):
        run_nve(oriented(crystal(rng))[0], fail, 1.0, 1, ["potential"])
    ((server, folder),) = started
    assert server.returncode is not None
    assert not folder.exists()


def test_unknown_species_are_refused_before_a_server_waits(folder):
    with pytest.raises(ValueError, match="holds Na, but the model was trained on Li, P, S, Ge"):
        IPI().answers(folder, [Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]])])


def test_the_protocol_in_small_pieces(ends, rng):
    """Units, the order of the cell's numbers, and words that arrive in parts."""
    server, driver = ends
    cell, positions = np.tril(rng.normal(size=(3, 3))) + 5 * np.eye(3), rng.normal(size=(2, 3))
    forces, virial = rng.normal(size=(2, 3)), rng.normal(size=(3, 3))
    asked = []

    def evaluate(*question: np.ndarray) -> Reply:
        asked.append(question)
        return Reply(2.0, forces, virial, "å")

    with ThreadPoolExecutor(1) as pool:
        driving = pool.submit(drive, driver, evaluate)
        server.sendall(said("STATUS"))
        assert server.recv(12, socket.MSG_WAITALL) == said("NEEDINIT")
        server.sendall(said("INIT") + np.int32([0, 3]).tobytes() + b"abc" + said("STATUS"))
        assert server.recv(12, socket.MSG_WAITALL) == said("READY")
        question = (
            said("POSDATA") + (cell.T / BOHR).tobytes() + np.zeros(9).tobytes() + np.int32(2).tobytes() + (positions / BOHR).tobytes()
        )
        for start in range(0, len(question), 7):
            server.sendall(question[start : start + 7])
        server.sendall(said("STATUS"))
        assert server.recv(12, socket.MSG_WAITALL) == said("HAVEDATA")
        server.sendall(said("GETFORCE"))
        reply = server.recv(12 + 8 + 4 + 48 + 72 + 4 + 2, socket.MSG_WAITALL)
        server.sendall(said("STATUS") + said("EXIT"))
        assert server.recv(12, socket.MSG_WAITALL) == said("READY")
        driving.result(10)
    np.testing.assert_allclose(asked[0][0], cell, rtol=1e-14)
    np.testing.assert_allclose(asked[0][1], positions, rtol=1e-14)
    assert reply.startswith(said("FORCEREADY"))
    energy, told_virial = np.frombuffer(reply[12:20]), np.frombuffer(reply[72:144]).reshape(3, 3)
    np.testing.assert_allclose(energy * HARTREE, 2.0, rtol=1e-14)
    assert np.frombuffer(reply[20:24], np.int32) == 2
    np.testing.assert_allclose(np.frombuffer(reply[24:72]).reshape(2, 3) * HARTREE_PER_BOHR, forces, rtol=1e-14)
    np.testing.assert_allclose(told_virial * HARTREE, virial, rtol=1e-14)
    assert np.frombuffer(reply[144:148], np.int32) == 2
    assert reply[148:].decode() == "å"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (said("GETFORCE"), "i-PI said 'GETFORCE', expected STATUS, INIT, POSDATA, GETFORCE after POSDATA, or EXIT"),
        (b"HTTP/1.1 200", "is it i-PI that listens there"),
        (
            said("INIT") + np.int32([0, 12]).tobytes() + b"batch_size:4",
            "several structures at once .batch_size:4., but this driver takes one",
        ),
    ],
)
def test_what_the_driver_does_not_understand(sent, message, ends):
    server, driver = ends
    server.sendall(sent)
    with pytest.raises(ValueError, match=message):
        drive(driver, lambda cell, positions: None)


def test_a_server_that_goes_away(ends):
    server, driver = ends
    server.sendall(b"STA")
    server.close()
    with pytest.raises(ConnectionError, match="i-PI closed the connection without EXIT"):
        drive(driver, lambda cell, positions: None)


def test_no_server_listens(tmp_path):
    with pytest.raises(ConnectionError, match=r"no i-PI server listens at UNIX socket .*/nobody .*; start `i-pi input.xml` first"):
        connect(str(tmp_path / "nobody"))
    with pytest.raises(ConnectionError, match="at UNIX socket /tmp/ipi_nobody_at_all"):
        connect("nobody_at_all")
    port = free_port()
    with pytest.raises(ConnectionError, match=f"at localhost, port {port}"):
        connect("localhost", port)


def test_a_committee_tells_what_its_members_say(rng):
    """In the numbers that i-PI reads of a committee in one driver."""
    atoms = crystal(rng)
    members = [build("pair") for _ in range(2)]
    for parameter in members[1].architecture.parameters():
        parameter.mul_(1.1)
    reply = Evaluation(MLFFCalculator(Committee(members), dtype="float64"), atoms)(atoms.cell.array, atoms.positions)
    told = json.loads(reply.extra)
    alone = [Evaluation(MLFFCalculator(member, dtype="float64"), atoms)(atoms.cell.array, atoms.positions) for member in members]
    assert alone[0].extra == ""
    assert abs(alone[0].energy - alone[1].energy) > 1e-3
    np.testing.assert_allclose(np.array(told["committee_pot"]) * HARTREE, [each.energy for each in alone], rtol=1e-12)
    np.testing.assert_allclose(np.array(told["committee_force"]) * HARTREE_PER_BOHR, [each.forces for each in alone], atol=1e-12)
    np.testing.assert_allclose(np.array(told["committee_virial"]) * HARTREE, [each.virial for each in alone], atol=1e-11)


def test_another_number_of_atoms_is_refused(rng):
    evaluation = Evaluation(MLFFCalculator(build("pair")), crystal(rng))
    with pytest.raises(ValueError, match="i-PI sends 11 atoms, but the structure of this driver has 12; give both the same file"):
        evaluation(np.eye(3), np.zeros((11, 3)))


def test_the_program_says_what_is_wrong(tmp_path, monkeypatch):
    salt = tmp_path / "salt.extxyz"
    write(salt, Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]]))
    arguments = ["--model", "bundled:li3ps4", "--structure", str(salt), "--address", "nobody", "--unix", "--wait", "0"]
    monkeypatch.setattr(sys, "argv", ["ipi", *arguments])
    with pytest.raises(SystemExit, match="holds Na, but the model was trained on Li, P, S"):
        main()
    write(salt, Atoms("LiS", [[0, 0, 0], [0, 0, 2.2]]))
    with pytest.raises(SystemExit, match="no i-PI server listens at UNIX socket /tmp/ipi_nobody"):
        main()


@installed
@pytest.mark.slow
def test_the_example_runs_as_it_is(tmp_path):
    """But for its length; where the driver refuses the model, it fails."""
    export(IPI(), locate_model("bundled:li3ps4"), tmp_path)
    settings = tmp_path / "input.xml"
    settings.write_text(settings.read_text().replace(">1000<", ">20<"))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    running = subprocess.Popen(["sh", "run.sh"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        assert running.wait(120) == 0
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    assert np.loadtxt(tmp_path / "run.out")[:, 0].tolist() == [0, 10, 20]
    assert len(read(tmp_path / "run.pos_0.extxyz", ":")) == 3
    (tmp_path / "model").rename(tmp_path / "elsewhere")
    failed = subprocess.run(["sh", "run.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert failed.returncode != 0
    assert "model holds no weights.safetensors" in failed.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]
