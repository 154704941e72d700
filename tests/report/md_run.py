"""A synthetic run as a report shows it: two constraint modes, three temperatures, diffusion that freezes out."""

import numpy as np

from mlff.analysis import (
    MeanSquareDisplacement,
    fit_arrhenius,
    haven_ratio,
    nernst_einstein,
    times_temperature,
    tracer_diffusivity,
)
from mlff.report import ArrheniusSeries, MdReport, MsdCurve, Replica, TimeSeries
from mlff.trajectory import Frames
from mlff.units import CM2_PER_S, K_B

N_FRAMES, N_IONS, STEP = 1500, 48, 100.0  # STEP: fs between frames
CELL = 20.0 * np.eye(3)


def replica(rng: np.random.Generator, temperature: float, mode: str, energy: float) -> Replica:
    diffusivity = 2e-3 * np.exp(-energy / (K_B * temperature))  # cm²/s
    walk = (np.sqrt(2 * diffusivity * CM2_PER_S * STEP) * rng.normal(size=(N_FRAMES, N_IONS, 3))).cumsum(0)
    accumulator = MeanSquareDisplacement(np.arange(N_IONS), STEP)
    accumulator.update(Frames(np.arange(N_FRAMES), walk + 0.25 * rng.normal(size=walk.shape), np.broadcast_to(CELL, (N_FRAMES, 3, 3))))
    seen = accumulator.result()
    tracer = tracer_diffusivity(seen)
    time = STEP / 1000 * np.arange(N_FRAMES)
    return Replica(
        name=f"{mode} {temperature:g} K",
        temperature=temperature,
        mode=mode,
        duration=float(time[-1]),
        diffusivity=tracer.diffusivity,
        conductivity=nernst_einstein(tracer.diffusivity, N_IONS, 1.0, 8000.0, temperature),
        exponent=tracer.exponent,
        haven_ratio=haven_ratio(seen).haven_ratio,
        drift=float(1e-4 * rng.normal()),
        msd=MsdCurve.of(seen, tracer),
        series=[
            TimeSeries("temperature, K", time, temperature * (1 + 0.05 * rng.normal(size=N_FRAMES))),
            TimeSeries("potential energy, eV/atom", time, -4.2 + 1.3e-4 * temperature + 2e-3 * rng.normal(size=N_FRAMES)),
            TimeSeries("conserved quantity, meV/atom", time, 1e-3 * rng.normal(size=N_FRAMES).cumsum()),
        ],
    )


def md_report() -> MdReport:
    rng = np.random.default_rng(3)
    replicas = [
        replica(rng, temperature, mode, energy) for mode, energy in (("UC", 0.28), ("RC", 0.45)) for temperature in (500.0, 700.0, 1000.0)
    ]
    arrhenius = []
    for mode in ("UC", "RC"):
        values = {r.temperature: times_temperature(r.conductivity, r.temperature) for r in replicas if r.mode == mode}
        arrhenius.append(ArrheniusSeries(mode, values, fit_arrhenius(values)))
    return MdReport(
        title="Li3PS4, 128 atoms",
        summary="Six replicas of 150 ps; lithium diffuses from 500 K on, and from 700 K on where the anions cannot turn.",
        replicas=[*replicas, Replica("UC 1200 K", 1200.0, "UC", 3.2, status="stopped: atom 17 too close to atom 40 at step 1612")],
        arrhenius=arrhenius,
        warnings=["Plain Langevin friction does not conserve momentum: no drift was removed."],
        mobile="Li",
        setup={"ensemble": "NVT, Langevin", "timestep, fs": 2.0, "atoms": 128, "friction, 1/ps": 1.0},
        config_text="timestep: 2.0  # fs\nfriction: 1.0  # 1/ps",
    )
