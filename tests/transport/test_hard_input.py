"""Whatever the numbers, an answer with a verdict or a plain error; files from strangers break nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hydrostruct as hs

SHAPES = {
    "noise": lambda x, random: random.normal(0, 1, x.size),
    "nothing": lambda x, random: 0.0 * x,
    "constant": lambda x, random: 5e-7 + 0.0 * x,
    "step": lambda x, random: np.where(x > np.median(x), 1.0, 0.0),
    "fall": lambda x, random: np.where(x < np.median(x), 1e-12, 0.0),
    "huge": lambda x, random: 1e12 * x**3,
    "power": lambda x, random: 1e-6 * (x / np.max(np.abs(x))) ** 21,
}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SHAPES)), st.integers(2, 80), st.integers(0, 2**31), st.booleans())
def test_any_numbers_give_a_verdict_or_an_input_error(shape: str, size: int, seed: int, rounded: bool) -> None:
    random = np.random.default_rng(seed)
    temperature, current = random.uniform(1, 300, size), random.uniform(-1, 1, size)
    if rounded:
        temperature, current = np.round(temperature, -1) + 1, np.round(current, 1) + 0.05
    values = SHAPES[shape](temperature, random)
    found = hs.find_tc(hs.ResistanceCurve(temperature_k=temperature, resistance_ohm=values))
    assert found.verdict in hs.Verdict
    assert np.isnan(found.tc_k) == (not found.steps)
    curve = hs.VoltageCurve(current_a=current, voltage_v=SHAPES[shape](current, random))
    fitted = hs.fit_voltage_current(curve)
    assert fitted.verdict in hs.Verdict
    if fitted.verdict in ("absent", "failed", "not converged"):
        assert np.isnan(fitted.ic_a)
        assert fitted.reason


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"temperature_k,resistance_ohm\n", b"a,b\n1,2\n", b"\xff\xfe9"]
)
def test_broken_files_are_input_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    for read in (hs.read_resistance, hs.read_voltage_current, hs.read_critical_currents):
        with pytest.raises(hs.InputError, match=r"broken\.csv"):
            read(path)
    with pytest.raises(hs.InputError, match="no such file"):
        hs.read_resistance(tmp_path / "missing.csv")


def test_a_temperature_in_the_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vi.csv"
    rows = "\n".join(f"{i},{i**15}" for i in np.linspace(0, 1, 20))
    path.write_text(f"# temperature_k = 61.5\ncurrent_a,voltage_v\n{rows}\n")
    assert hs.read_voltage_current(path).temperature_k == 61.5


def test_records_refuse_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(hs.InputError, match=r"a temperature is -1 K"):
        hs.ResistanceCurve(temperature_k=[-1.0, 2.0], resistance_ohm=[1.0, 2.0])
    with pytest.raises(hs.InputError, match="two of one length"):
        hs.VoltageCurve(current_a=[1.0, 2.0], voltage_v=[1.0])
    with pytest.raises(hs.InputError, match="current_a is 0"):
        hs.ResistanceCurve(temperature_k=[1.0, 2.0], resistance_ohm=[1.0, 2.0], current_a=0.0)
    curve = hs.ResistanceCurve(temperature_k=[1.0, 2.0], resistance_ohm=[1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        curve.resistance_ohm[0] = 3.0
    assert hs.fit_normal_state(curve, 1.5) == ()
    with pytest.raises(hs.InputError, match="above_k is nan"):
        hs.fit_normal_state(curve, float("nan"))
    path = tmp_path / "ic.csv"
    path.write_text("temperature,current\n1,2\n3,4\n")
    with pytest.raises(hs.InputError, match="Expected temperature_k with ic_a"):
        hs.read_critical_currents(path)
