"""Numbers out of text are the float64 that Python finds; what is cut short or is no number is told."""

import gzip

import numpy as np
import pytest

from mlff.trajectory.sources.source import TruncatedFile
from mlff.trajectory.sources.table import NUMBER, SKIP, WORD, unpacked
from mlff.trajectory.sources.text import Text, numbers_of


def table(tmp_path, text: str, n_rows: int, kinds, name: str = "x"):
    (tmp_path / name).write_text(text)
    with Text(tmp_path / name) as opened:
        return opened.table(n_rows, kinds)


def test_numbers_are_those_that_python_reads(tmp_path, rng):
    """To the last bit where there are at most 15 digits and an exact power of ten; else to two units in the last place."""
    values = rng.normal(size=3000) * 10.0 ** rng.integers(-6, 4, 3000)  # below 10⁵, so that ten decimals make 15 digits
    for form in ("%.8f", "%15.10f", "%g", "%.10g", "%.9e"):
        words = [form % value for value in values]
        found, _ = table(tmp_path, "".join(f"  {word}\n" for word in words), 3000, [NUMBER])
        np.testing.assert_array_equal(found[:, 0], [float(word) for word in words])
    odd = ["1e-300", "-1.5E+30", "2.5D-3", ".5", "7.", "+3", "0.1234567890123456789", "123456789012345678901234", "-0.0", "1e-23"]
    found, _ = table(tmp_path, "\n".join(odd) + "\n", len(odd), [NUMBER])
    np.testing.assert_allclose(found[:, 0], [float(word.replace("D", "e")) for word in odd], rtol=5e-16)
    assert np.signbit(found[8, 0])


def test_columns_between_others(tmp_path):
    numbers, words = table(tmp_path, "1 Li 0.5\t9 x 2e1 more of it\r\n 2   Cl 1.5 9 y 3\n", 2, [NUMBER, WORD, SKIP, SKIP, SKIP, NUMBER])
    assert numbers.tolist() == [[1, 20], [2, 3]]
    assert [unpacked(word) for word in words[:, 0]] == ["Li", "Cl"]


@pytest.mark.parametrize("row", ["0.5 nan 1", "0.5 ******** 1", "0.5 1.2.3 1", "0.5 1", "0.5 - 1", "0.5 1e 1", "0.5 Li 1"])
def test_what_is_no_number_is_told(tmp_path, row):
    with pytest.raises(ValueError, match=r"x, frame 0: found '0.5 .*', expected 3 columns of an atom; repair the file"):
        table(tmp_path, f"1 2 3\n{row}\n4 5 6\n", 3, [NUMBER] * 3)


@pytest.mark.parametrize("text", ["1 2 3\n4 5", "1 2 3\n", "1 2 3\n4 5 6.2", "1 2 3\n4 5 6e"])
def test_a_number_without_a_line_end_may_be_cut(tmp_path, text):
    with pytest.raises(TruncatedFile, match=r"ends inside frame 0 \(after 1 of 2 atoms with their line ends\).*; 0 whole frames precede"):
        table(tmp_path, text, 2, [NUMBER] * 3)


def test_a_frame_larger_than_what_is_read_at_once(tmp_path, rng):
    """And a .gz that is whole, and one that is cut."""
    values = rng.normal(size=(60_000, 3))
    text = "title\n" + "".join(f"{x:.10f} {y:.10f} {z:.10f}\n" for x, y, z in values) + "end\n"
    assert len(text) > 2 * 2**20
    packed = gzip.compress(text.encode(), 1)
    for name, data in (("x", text.encode()), ("x.gz", packed)):
        (tmp_path / name).write_bytes(data)
        with Text(tmp_path / name) as opened:
            assert (opened.peek(), opened.line()) == ("title", "title")
            np.testing.assert_allclose(opened.table(60_000, [NUMBER] * 3)[0], values, rtol=0, atol=1e-10)
            assert (opened.line(), opened.line(), opened.peek()) == ("end", None, None)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    with Text(tmp_path / "cut.gz") as opened:
        opened.line()
        with pytest.raises(TruncatedFile, match="ends inside frame 0"):
            opened.table(60_000, [NUMBER] * 3)


def test_species():
    assert numbers_of(["Li", "Li_sv", "S/1f2e", "Cl3", " P "], "x").tolist() == [3, 3, 16, 17, 15]
    with pytest.raises(ValueError, match=r"x: found the species \['1', 'Xy'\], expected symbols of elements"):
        numbers_of(["Li", "Xy", "1"], "x")
