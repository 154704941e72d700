"""A program run in a folder: what comes back, and that nothing of it outlives its time-out or its asker."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlff.oracle import Missing, TimedOut
from mlff.oracle.program import Program
from tests.oracle.programs import alive, program

# Its child leaves the process group, as the ranks of Open MPI's mpirun do, and neither heeds SIGTERM.
STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-ISc", "import time; time.sleep(60)"], preexec_fn=lambda: os.setpgid(0, 0))
unfinished = pathlib.Path("pids.tmp")
unfinished.write_text(f"{os.getpid()} {child.pid}")
unfinished.rename(sys.argv[1])
time.sleep(60)
"""


def made(tmp_path: Path, body: str, timeout: float = 30.0) -> Program:
    return Program("Test", program(tmp_path / "program", body), threads=3, timeout=timeout, remedy="install Test")


def gone(pids: list[int], within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_arguments_arrive_as_they_are_in_the_folder_with_the_threads(tmp_path):
    body = "print(sys.argv[1:], os.getcwd(), os.environ['OMP_NUM_THREADS'], repr(sys.stdin.read()))"
    (tmp_path / "run").mkdir()
    ended = made(tmp_path, body).run(tmp_path / "run", "a b", "; touch here", "$HOME")
    assert ended.output == f"['a b', '; touch here', '$HOME'] {tmp_path / 'run'} 3 ''\n"
    assert ended.status == 0
    assert not (tmp_path / "run" / "here").exists()


@pytest.mark.parametrize(
    ("body", "status", "how"),
    [
        ("sys.exit(3)", 3, "exited with status 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "was killed by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "was killed by SIGKILL (by the kernel where memory ran out)"),
        ("sys.exit(255)", 255, "exited with status 255"),
    ],
)
def test_an_end_is_told_in_words(body, status, how, tmp_path):
    ended = made(tmp_path, body).run(tmp_path)
    assert (ended.status, ended.how) == (status, how)


def test_standard_error_is_kept_where_there_is_nothing_else(tmp_path):
    assert made(tmp_path, "print('no licence', file=sys.stderr)").run(tmp_path).output == "no licence\n"


def test_a_missing_program_is_not_a_failed_frame(tmp_path):
    with pytest.raises(Missing, match=r"the program 'no-such-program' was not found; install Test, or name yours in `oracle.command`"):
        Program("Test", ["no-such-program"], 1, 1.0, "install Test").run(tmp_path)


def test_a_launcher_that_finds_no_program_says_the_same(tmp_path):
    launcher = program(tmp_path / "launcher", "sys.exit(f'execve(): {sys.argv[1]}: No such file or directory')")
    with pytest.raises(Missing, match=r"launcher did not find the program 'no-such-program'; install Test"):
        Program("Test", [*launcher, "no-such-program"], 1, 30.0, "install Test").run(tmp_path)
    # a program that is there may miss a file of its own: that is its output's to tell
    assert Program("Test", [*launcher, sys.executable], 1, 30.0, "install Test").run(tmp_path).status == 1


def test_a_shell_string_is_refused():
    with pytest.raises(ValueError, match=r"`oracle.command` is 'mpirun -np 2 pw.x', expected a list, one entry per word"):
        Program("Test", "mpirun -np 2 pw.x", 1, 1.0, "")


def test_a_time_out_leaves_nothing_running(tmp_path):
    started = time.monotonic()
    with pytest.raises(TimedOut, match=r"Test did not finish within 1 s; raise `oracle.timeout`"):
        made(tmp_path, STUBBORN, timeout=1.0).run(tmp_path, "pids")
    assert time.monotonic() - started < 20
    assert gone([int(pid) for pid in (tmp_path / "pids").read_text().split()], within=1.0)


def test_what_a_program_leaves_behind_ends_with_it(tmp_path):
    body = STUBBORN.replace("time.sleep(60)\n", "print('done')\n")
    assert made(tmp_path, body).run(tmp_path, "pids").output == "done\n"
    assert gone([int(pid) for pid in (tmp_path / "pids").read_text().split()], within=1.0)


def test_killed_with_its_asker(tmp_path):
    program(tmp_path / "program", STUBBORN)
    code = (
        "from mlff.oracle.program import Program; from pathlib import Path; "
        f"Program('Test', [{str(tmp_path / 'program')!r}], 1, 60.0, '').run(Path({str(tmp_path)!r}), 'pids')"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}) as asker:
        while not (tmp_path / "pids").exists():
            assert asker.poll() is None
            time.sleep(0.01)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(alive(pid) for pid in pids)
        asker.send_signal(signal.SIGKILL)
        asker.wait()
    assert gone(pids)


def test_a_guard_spares_the_session_that_it_was_started_in(tmp_path):
    """In a session of this test's own, so that only its two processes are at stake."""
    code = (
        "import subprocess, sys; from mlff.oracle import guard; "
        "neighbour = subprocess.Popen([sys.executable, '-ISc', 'input()'], stdin=subprocess.PIPE); "
        "guarded = subprocess.Popen([sys.executable, '-IS', guard.__file__, 'true'], stdin=subprocess.PIPE); "
        "print(guarded.wait(), neighbour.poll()); neighbour.kill()"  # its input stays open until it has ended by itself
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert done.stdout == "0 None\n", done


@pytest.mark.skipif(shutil.which("mpirun.openmpi") is None, reason="mpirun.openmpi is not installed (Debian: apt install openmpi-bin)")
def test_ranks_end_with_the_time_out(tmp_path):
    rank = program(tmp_path / "rank", "pathlib.Path(f'rank-{os.getpid()}').touch(); time.sleep(60)")
    with pytest.raises(TimedOut, match="did not finish within 4 s"):
        Program("Test", ["mpirun.openmpi", "--oversubscribe", "-np", "2", *rank], 1, 4.0, "").run(tmp_path)
    pids = [int(path.name.removeprefix("rank-")) for path in tmp_path.glob("rank-*")]
    assert len(pids) == 2
    assert gone(pids, within=1.0)
