"""Building the kernels: once for many processes, and never the reason why something does not run."""

import ctypes
import logging
import subprocess
import sys
import threading

import pytest

from mlff.nn.native.build import build, compiled
from mlff.nn.native.library import library

SOURCES = {"three.h": "constexpr int THREE = 3;\n", "three.cpp": '#include "three.h"\nextern "C" int three() { return THREE; }\n'}
needs_compiler = pytest.mark.skipif(library() is None, reason="no C++ compiler")


@needs_compiler
def test_builds_what_the_sources_say_and_only_once(tmp_path):
    path = build(SOURCES, tmp_path)
    assert ctypes.CDLL(str(path)).three() == 3
    made = path.stat().st_mtime_ns
    assert build(SOURCES, tmp_path) == path
    assert path.stat().st_mtime_ns == made
    assert build(SOURCES | {"three.h": "constexpr int THREE = 4;\n"}, tmp_path) != path


@needs_compiler
def test_builds_anew_for_other_headers_at_the_same_place(tmp_path):
    header = tmp_path / "include" / "of_others.h"
    header.parent.mkdir()
    sources = {"number.cpp": '#include "of_others.h"\nextern "C" int number() { return NUMBER; }\n'}
    for number in (1, 2):
        header.write_text(f"constexpr int NUMBER = {number};\n")
        path = compiled(sources, tmp_path, "number.so", ["-I", str(header.parent)], headers=[header])
        assert ctypes.CDLL(str(path)).number() == number


@needs_compiler
def test_several_may_build_at_once(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(build(SOURCES, tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(tmp_path.iterdir()) == [found[0].parent]
    assert found == 4 * found[:1]


@pytest.mark.parametrize("named", ["no-such-compiler", None])
def test_warns_where_there_is_no_compiler(named, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", "")
    if named:
        monkeypatch.setenv("CXX", named)
    else:
        monkeypatch.delenv("CXX", raising=False)
    with caplog.at_level(logging.WARNING):
        assert build(SOURCES, tmp_path) is None
    expected = f"found no C++ compiler ({named or 'g++, clang++, c++'}); install g++"
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(expected)


@needs_compiler
def test_says_what_the_compiler_says(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert build(SOURCES | {"three.h": "constexpr int TWO = 2;\n"}, tmp_path) is None
    (message,) = caplog.messages
    assert "THREE" in message
    assert "install g++" in message
    assert list(tmp_path.iterdir()) == []


def test_a_process_without_compiler_warns_once_and_goes_on(tmp_path):
    code = "import logging; logging.basicConfig(); from mlff.nn.native import library; print(library(), library())"
    environment = {"PATH": "", "CXX": "no-such-compiler", "MLFF_CACHE": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None None\n"
    assert done.stderr.count("found no C++ compiler (no-such-compiler)") == 1


@needs_compiler
def test_shares_the_openmp_that_torch_has_loaded():
    """A second one in the process would have threads of its own, and each would wait for cores that the other holds."""
    code = (
        "import torch; before = {l.split()[-1] for l in open('/proc/self/maps') if 'omp' in l};"
        "from mlff.nn.native import library; library();"
        "assert {l.split()[-1] for l in open('/proc/self/maps') if 'omp' in l} == before, before"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    subprocess.run([sys.executable, "-c", code], check=True)
