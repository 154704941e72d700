"""The layers: imports point downwards only. The rules are read from the source, so an import inside a function counts too."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEIGHTS = (  # lowest first
    ("units", "bundled", "cache_folder", "whole_file", "geometry", "trajectory", "graph"),
    ("structure", "oracle", "data", "analysis", "nn"),
    ("model",),
    ("engine",),
    ("uncertainty",),
    ("artefact",),
    ("train", "md", "export"),
    ("active", "report"),
    ("run",),
)
HEIGHT = {package: height for height, packages in enumerate(HEIGHTS) for package in packages}
FRIENDS = HEIGHTS[0]  # the only packages of one height that may import each other
SOFTNESS_MAY_IMPORT = ("units", "geometry", "trajectory", "analysis")
ONLY_IN = {  # third-party package → the places of this project that may import it
    "pytorch_lightning": ("mlff.train",),
    "lightning": (),  # the same code under a second name, whose classes are not the first's
    "matplotlib": ("mlff.report", "scripts.benchmarks.picture"),
    "plotly": ("mlff.report",),
    "hydra": ("mlff.run", "softness.study", "train", "scripts"),
    "omegaconf": ("mlff.run", "softness.study", "train", "scripts"),
}
STARTS_WITHOUT_TORCH = ("units", "geometry", "trajectory", "analysis", "structure")


def test_imports_point_downwards():
    assert violations(ROOT) == []


def test_starts_without_torch():
    light = [name for name, path in modules(ROOT) if name == "mlff" or package_of(name) in STARTS_WITHOUT_TORCH]
    assert {"mlff", "mlff.units", "mlff.geometry"} <= set(light)
    # one after the other in one process: the first that brings torch is named
    code = "import importlib, sys\nfor n in sys.argv[1:]:\n    importlib.import_module(n)\n    assert 'torch' not in sys.modules, n"
    done = subprocess.run([sys.executable, "-c", code, *light], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        pytest.param(
            "mlff/nn/x.py", "from mlff.model import Potential", "mlff.nn.x imports mlff.model.Potential, which lies above it", id="upwards"
        ),
        pytest.param(
            "mlff/nn/x.py", "def f():\n    import mlff.run.train", "mlff.nn.x imports mlff.run.train, which", id="upwards-in-a-function"
        ),
        pytest.param("mlff/nn/x.py", "from .. import model", "mlff.nn.x imports mlff.model, which lies above it", id="upwards-relative"),
        pytest.param(
            "mlff/nn/x.py", "from mlff import report", "mlff.nn.x imports mlff.report, which lies above it", id="upwards-from-mlff"
        ),
        pytest.param(
            "mlff/geometry/x.py", "import mlff.data", "mlff.geometry.x imports mlff.data, which lies above it", id="upwards-from-below"
        ),
        pytest.param("mlff/__init__.py", "import mlff.units", "mlff imports mlff.units, but mlff/__init__ imports", id="the-door"),
        pytest.param("mlff/data/x.py", "import mlff.nn", "mlff.data.x imports mlff.nn, its neighbour", id="neighbours-low"),
        pytest.param(
            "mlff/md/x.py", "from mlff.train import loss", "mlff.md.x imports mlff.train.loss, its neighbour", id="neighbours-middle"
        ),
        pytest.param("mlff/active/x.py", "import mlff.report", "mlff.active.x imports mlff.report, its neighbour", id="neighbours-high"),
        pytest.param("mlff/utils/x.py", "import numpy", "mlff.utils.x has no height", id="unknown-package"),
        pytest.param("mlff/nn/x.py", "import mlff.utils", "mlff.nn.x imports mlff.utils, which has no height", id="unknown-import"),
        pytest.param("softness/x.py", "import mlff.data", "softness.x imports mlff.data, but softness may import only", id="softness-up"),
        pytest.param(
            "mlff/run/x.py", "import softness.field", "mlff.run.x imports softness.field, but mlff never", id="softness-into-mlff"
        ),
        pytest.param("mlff/run/x.py", "import scripts.sample", "mlff.run.x imports scripts.sample, which nothing imports", id="script"),
        pytest.param("softness/x.py", "from train import main", "softness.x imports train.main, which nothing imports", id="train.py"),
        pytest.param("mlff/artefact/x.py", "import pytorch_lightning as pl", "mlff.artefact.x imports pytorch_lightning", id="lightning"),
        pytest.param("mlff/train/x.py", "from lightning import Trainer", "mlff.train.x imports lightning", id="other-lightning"),
        pytest.param("mlff/train/x.py", "import matplotlib.pyplot as plt", "mlff.train.x imports matplotlib", id="matplotlib"),
        pytest.param("softness/x.py", "import plotly", "softness.x imports plotly", id="plotly"),
        pytest.param("mlff/train/x.py", "import hydra", "mlff.train.x imports hydra", id="hydra"),
        pytest.param("mlff/model/x.py", "from omegaconf import DictConfig", "mlff.model.x imports omegaconf", id="omegaconf"),
        pytest.param("scripts/x.py", "import pytorch_lightning", "scripts.x imports pytorch_lightning", id="lightning-in-a-script"),
        pytest.param(
            "mlff/nn/x.py", "import importlib\nimportlib.import_module('mlff.train')", "mlff.nn.x imports mlff.train, which", id="by-string"
        ),
        pytest.param(
            "softness/x.py", "from softness.study import study", "softness.x imports softness.study.study, which lies above", id="study"
        ),
        pytest.param(
            "mlff/nn/x.py", "from importlib import import_module\nimport_module(x)", "mlff.nn.x imports <computed>", id="computed"
        ),
    ],
)
def test_a_violation_is_caught(module, source, message, tmp_path):
    write(tmp_path, module, source)
    assert any(text.startswith(message) for text in violations(tmp_path)), violations(tmp_path)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("mlff/graph.py", "import torch\nfrom mlff.geometry import neighbor_list"),  # friends of height 0
        ("mlff/run/x.py", "import mlff.active, mlff.report\nimport hydra"),
        ("mlff/train/x.py", "from . import y\nimport pytorch_lightning\nimport hydrax"),  # hydrax is not hydra
        ("mlff/report/x.py", "import matplotlib.pyplot as plt"),
        ("softness/x.py", "from mlff.units import K_B\nfrom mlff import analysis\nfrom softness.labels import y"),
        ("softness/study/x.py", "from mlff.report.panels import Curve\nfrom softness.labels import y\nfrom omegaconf import OmegaConf"),
        ("scripts/x.py", "import hydra\nfrom mlff.run.train import train\nimport softness"),
        ("mlff/data/x.py", "from importlib import import_module\nimport_module(f'mlff.data.readers.{name}')"),
        ("train.py", "import hydra\nfrom mlff.run.train import train"),
    ],
)
def test_what_the_rules_allow(module, source, tmp_path):
    write(tmp_path, module, source)
    assert violations(tmp_path) == []


def violations(root: Path) -> list[str]:
    """One sentence for each import under root that breaks a rule."""
    found = []
    for module, path in modules(root):
        own = package_of(module)
        if module.startswith("mlff.") and own not in HEIGHT:
            found.append(f"{module} has no height; give mlff.{own} its place in HEIGHTS and in the README's table")
            continue
        found += [f"{module} imports {target}{reason}" for target in imports(module, path) if (reason := objection(module, own, target))]
    return found


def objection(module: str, own: str, target: str) -> str | None:
    """What is wrong with module importing target; None when nothing is."""
    top = target.split(".")[0]
    if top in ONLY_IN and not any(module == place or module.startswith(place + ".") for place in ONLY_IN[top]):
        return f", which only {' and '.join(ONLY_IN[top]) or 'nothing'} may import"
    if top in ("train", "scripts") and not module.startswith(top):
        return ", which nothing imports"
    if target == "<computed>":
        return ", a name this test cannot read; write the import out"
    if top == "softness" and module.split(".")[0] == "mlff":
        return ", but mlff never imports softness"
    if module.startswith("softness.study"):  # composes, as mlff.run does
        return None
    if target.startswith("softness.study") and top == module.split(".")[0]:
        return ", which lies above it"
    if top != "mlff":
        return None
    other = package_of(target)
    if module.split(".")[0] == "softness":
        return None if other in (*SOFTNESS_MAY_IMPORT, "") else f", but softness may import only {', '.join(SOFTNESS_MAY_IMPORT)} of mlff"
    if module.split(".")[0] != "mlff" or other == "":
        return None
    if module == "mlff":
        return ", but mlff/__init__ imports nothing of the project"
    if other not in HEIGHT:
        return ", which has no height; give it its place in HEIGHTS"
    if HEIGHT[other] > HEIGHT[own]:
        return ", which lies above it"
    if HEIGHT[other] == HEIGHT[own] and other != own and own not in FRIENDS:
        return ", its neighbour of the same height; move what both need one height down"
    return None


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of each module of the project under root."""
    for path in sorted(
        [*(root / "mlff").rglob("*.py"), *(root / "softness").rglob("*.py"), *(root / "scripts").rglob("*.py"), root / "train.py"]
    ):
        if path.exists():
            yield ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"), path


def package_of(module: str) -> str:
    """ "nn" for mlff.nn.harmonics, "" for mlff itself or a name of its __init__."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and not parts[1].startswith("__") else ""


def imports(module: str, path: Path) -> Iterator[str]:
    """The dotted names that a file imports anywhere in it; relative ones made absolute."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__"):
            yield written_name(node)


def written_name(call: ast.Call) -> str:
    """The name that import_module is given, as far as it is written out: f"mlff.data.readers.{x}" tells its package."""
    name = call.args[0] if call.args else None
    if isinstance(name, ast.JoinedStr):
        name = name.values[0]
    text = str(name.value) if isinstance(name, ast.Constant) else ""
    return text.rstrip(".") or "<computed>"


def write(root: Path, module: str, source: str) -> None:
    path = root / module
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
