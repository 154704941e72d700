import dataclasses
import html
import json
import re

import numpy as np

from mlff.report.plots import error_distributions


def test_a_frame_far_off_is_counted_outside_and_leaves_the_others_apart(content):
    samples = content.samples["test"]
    errors = np.random.default_rng(0).normal(size=len(samples.energy_ref))  # meV/atom
    errors[7] = 40.0
    wrong = dataclasses.replace(samples, energy_pred=samples.energy_ref + 1e-3 * errors)
    _, energies, _ = error_distributions(dataclasses.replace(content, samples={"test": wrong}))
    assert f"Outside this window: {100 / len(errors):.3g} % test." in energies.caption
    (series,) = json.loads(html.unescape(re.search(r"data-hover='(.*?)'", energies.svg)[1]))["series"]
    assert max(series["y"]) < 30  # percent in one bin
    assert sum(series["y"]) < 100
