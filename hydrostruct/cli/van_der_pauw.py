"""``hydrostruct transport van-der-pauw``: two resistances → sheet resistance."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from hydrostruct.cli.checks import check_above_zero, check_not_negative
from hydrostruct.cli.output import format_value, print_json
from hydrostruct.errors import InputError


def van_der_pauw(
    first: Annotated[float, typer.Argument(help="Resistance of the first configuration in Ω.")],
    second: Annotated[float, typer.Argument(help="Resistance of the second in Ω, contacts shifted by one.")],
    first_sigma: Annotated[float, typer.Option("--first-sigma", help="Its uncertainty in Ω.")] = 0.0,
    second_sigma: Annotated[float, typer.Option("--second-sigma", help="Its uncertainty in Ω.")] = 0.0,
    thickness: Annotated[float | None, typer.Option("--thickness", help="In µm: gives the resistivity.")] = None,
    thickness_sigma: Annotated[float, typer.Option("--thickness-sigma", help="In µm.")] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Sheet resistance of a flat sample from two configurations of four contacts, exactly.

    Example: hydrostruct transport van-der-pauw 0.135 0.21 --first-sigma 0.001 --second-sigma 0.001
    """
    from hydrostruct.transport.van_der_pauw import sheet_resistance, sheet_resistance_sigma

    for ohm in (first, second):
        if not 0 < ohm < math.inf:
            raise InputError(f"a resistance is {ohm:g} Ω. Expected above 0. No homogeneous sheet gives another one.")
    check_above_zero(thickness=thickness)
    check_not_negative(first_sigma=first_sigma, second_sigma=second_sigma, thickness_sigma=thickness_sigma)
    sheet = float(sheet_resistance(first, second))
    sigma = float(sheet_resistance_sigma(first, second, first_sigma_ohm=first_sigma, second_sigma_ohm=second_sigma))
    unit = math.nan if thickness is None else 100.0 * thickness  # Ω × µm = 100 µΩ cm
    resistivity, resistivity_sigma, systematic = unit * sheet, unit * sigma, 100.0 * thickness_sigma * sheet
    if json:
        print_json({
            "first_ohm": first, "second_ohm": second, "sheet_resistance_ohm": sheet,
            "sheet_resistance_sigma_ohm": sigma, "resistivity_uohm_cm": resistivity,
            "resistivity_sigma_uohm_cm": resistivity_sigma,
            "resistivity_systematic_uohm_cm": math.nan if thickness is None else systematic,
        })  # fmt: skip
        return 0
    print(f"sheet resistance  {format_value(sheet, sigma)} Ω per square")
    if thickness is not None:
        common = f"; the thickness moves it by {systematic:.2g} more" if systematic > 0 else ""
        print(f"resistivity       {format_value(resistivity, resistivity_sigma)} µΩ cm{common}")
    return 0
