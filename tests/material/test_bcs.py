"""The BCS gap: Mühlschlegel's numbers and the limits."""

from __future__ import annotations

import numpy as np
import pytest

from hydrostruct.material.bcs import GAP_OVER_KT, gap_ratio, superfluid_density

EXACT = {0.1: 1.0, 0.2: 0.99988, 0.3: 0.99712, 0.4: 0.98503, 0.5: 0.95688, 0.6: 0.90699, 0.7: 0.82877, 0.8: 0.71104,
         0.9: 0.52634, 0.95: 0.38032, 0.98: 0.24358, 0.99: 0.17295}  # fmt: skip


def test_the_gap_is_that_of_the_tables() -> None:
    assert gap_ratio(list(EXACT)) == pytest.approx(list(EXACT.values()), abs=2e-5)
    assert pytest.approx(1.763877, abs=1e-6) == GAP_OVER_KT


def test_superfluid_density_falls_from_1_to_0_as_2_times_what_is_left_near_tc() -> None:
    t = np.linspace(0.0, 1.0, 201)
    density = superfluid_density(t)
    assert density[0] == 1.0
    assert density[-1] == 0.0
    assert np.all(np.diff(density) <= 1e-12)
    assert float(superfluid_density(0.995)) == pytest.approx(2 * 0.005, rel=0.02)


def test_nothing_above_tc_and_nan_for_nan() -> None:
    assert gap_ratio([1.5]).tolist() == [0.0]
    assert np.isnan(gap_ratio([float("nan"), -0.1])).all()
