"""Writes the coupling of `mlff.nn.self_coupling` as straight-line C++, so that only its non-zeros are computed.

With D(x, y)_r = Σ_{a≤b} C_rab (x_a y_b + x_b y_a) for each row r = (path, m), the self-product is P = w D(x, x) / 2. Everything
that its derivatives need follows from T(g, x, y; w) = Σ_r g_r w_path D_r, which is linear in each argument and symmetric in x and y.
"""

from mlff.nn.harmonics import L_MAX
from mlff.nn.self_coupling import SelfCoupling, self_coupling

HEADER = """// Written by coupling_source.py.
#pragma once

#include "lanes.h"

template <int L_MAX_> struct Coupling;
"""
CHOICE = """
template <class Call> void with_coupling(int l_max, Call call) {{
  switch (l_max) {{
{cases}
  }}
}}
"""


def coupling_source() -> str:
    """A header with `Coupling<l_max>` for each l_max; x, y, g and out hold m of all l, w and sum one entry for each path.

    `with_coupling(l_max, call)` calls with the one that is known only when the program runs.
    """
    structs = [_struct(l_max, self_coupling(l_max)) for l_max in range(L_MAX + 1)]
    cases = [f"    case {l_max}: return call(Coupling<{l_max}>{{}});" for l_max in range(L_MAX + 1)]
    return HEADER + "".join(structs) + CHOICE.format(cases="\n".join(cases))


def _struct(l_max: int, table: SelfCoupling) -> str:
    body = [
        f"static constexpr int N = {(l_max + 1) ** 2}, PATHS = {len(_paths(table))};",
        *_function("square", "const Vec<T> *x, const Vec<T> *w, Vec<T> *out", _out(table, _product)),
        *_function("couple", "const Vec<T> *x, const Vec<T> *y, const Vec<T> *w, Vec<T> *out", _out(table, _symmetric)),
        *_function("adjoint", "const Vec<T> *g, const Vec<T> *y, const Vec<T> *w, Vec<T> *out", _adjoint(table)),
        *_function("into_weights", "const Vec<T> *g, const Vec<T> *x, const Vec<T> *y, Vec<T> *sum", _into_weights(table)),
    ]
    return f"\ntemplate <> struct Coupling<{l_max}> {{\n" + "".join(f"  {line}\n" for line in body) + "};\n"


def _function(name: str, arguments: str, lines: list[str]) -> list[str]:
    return [f"template <class T> static inline void {name}({arguments}) {{", *(f"  {line}" for line in lines), "}"]


def _paths(table: SelfCoupling) -> list[tuple[int, list[int]]]:
    """l of each path, and its rows."""
    found, row = [], 0
    for l, n in enumerate(table.paths_per_l):
        for _ in range(n):
            found.append((l, list(range(row, row + 2 * l + 1))))
            row += 2 * l + 1
    return found


def _product(a: int, b: int) -> str:
    return f"x[{a}] * x[{b}]"


def _symmetric(a: int, b: int) -> str:
    return f"T(2) * x[{a}] * y[{a}]" if a == b else f"x[{a}] * y[{b}] + x[{b}] * y[{a}]"


def _pairs(table: SelfCoupling, rows: list[int], known: set[tuple[int, int]], form) -> list[str]:
    """Those of the rows' pairs that are not known yet."""
    lines = []
    for row in rows:
        for a, b, _ in table.nonzeros[row]:
            if (a, b) not in known:
                known.add((a, b))
                lines.append(f"const Vec<T> p{a}_{b} = {form(a, b)};")
    return lines


def _row(table: SelfCoupling, row: int, factor: float = 1.0) -> str:
    return " + ".join(f"T({factor * c!r}) * p{a}_{b}" for a, b, c in table.nonzeros[row])


def _out(table: SelfCoupling, form) -> list[str]:
    lines, known, started = [], set(), set()
    for path, (l, rows) in enumerate(_paths(table)):
        lines += _pairs(table, rows, known, form)
        for m, row in enumerate(rows):
            at = l * l + m
            sign = "+=" if at in started else "="
            started.add(at)
            lines.append(f"out[{at}] {sign} w[{path}] * ({_row(table, row, table.paths_per_l[l] ** -0.5)});")
    return lines


def _adjoint(table: SelfCoupling) -> list[str]:
    """∂T/∂x: for each pair s = Σ_r C_rab g_r w, then out_a += s y_b and out_b += s y_a."""
    lines, terms = [], {}
    for path, (l, rows) in enumerate(_paths(table)):
        for m, row in enumerate(rows):
            lines.append(f"const Vec<T> v{row} = w[{path}] * g[{l * l + m}];")
            for a, b, c in table.nonzeros[row]:
                terms.setdefault((a, b), []).append(f"T({table.paths_per_l[l] ** -0.5 * (2 * c if a == b else c)!r}) * v{row}")
    started: set[int] = set()
    for (a, b), parts in sorted(terms.items()):
        lines.append(f"const Vec<T> s{a}_{b} = {' + '.join(parts)};")
        for at, other in dict.fromkeys([(a, b), (b, a)]):
            lines.append(f"out[{at}] {'+=' if at in started else '='} s{a}_{b} * y[{other}];")
            started.add(at)
    return lines


def _into_weights(table: SelfCoupling) -> list[str]:
    lines, known = [], set()
    for path, (l, rows) in enumerate(_paths(table)):
        lines += _pairs(table, rows, known, _symmetric)
        factor = table.paths_per_l[l] ** -0.5
        total = " + ".join(f"g[{l * l + m}] * ({_row(table, row, factor)})" for m, row in enumerate(rows))
        lines.append(f"sum[{path}] += {total};")
    return lines
