"""``hydrostruct andreev contact``: is a point contact ballistic?"""

from __future__ import annotations

from typing import Annotated

import typer

from hydrostruct.cli.checks import check_above_zero
from hydrostruct.cli.output import print_json, print_note
from hydrostruct.errors import InputError

_FIELDS = ("radius_um", "resistance_ohm", "sharvin_ohm", "maxwell_ohm", "knudsen", "regime", "warning")


def contact(
    mean_free_path: Annotated[float, typer.Option("--mean-free-path", help="Of the electrons, in nm.")],
    resistivity: Annotated[float, typer.Option("--resistivity", help="Of the sample, in µΩ cm.")],
    resistance: Annotated[
        float | None, typer.Option("--resistance", help="Of the contact in Ω: gives its radius.")
    ] = None,
    radius: Annotated[float | None, typer.Option("--radius", help="Of the contact in µm, instead.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Resistance, radius and regime of a circular contact (Sharvin, Wexler, Maxwell).

    Example: hydrostruct andreev contact --resistance 4.5 --mean-free-path 5 --resistivity 60
    """
    from hydrostruct.andreev.contact import contact_radius, contact_regime

    check_above_zero(mean_free_path=mean_free_path, resistivity=resistivity, resistance=resistance, radius=radius)
    if (resistance is None) == (radius is None):
        raise InputError("--resistance and --radius: expected one of the two. Give the one that was measured.")
    metal = {"resistivity_uohm_cm": resistivity, "mean_free_path_nm": mean_free_path}
    wide = contact_radius(resistance, **metal) if resistance is not None else radius
    assert wide is not None
    found = contact_regime(wide, **metal)
    if json:
        print_json({name: wide if name == "radius_um" else getattr(found, name) for name in _FIELDS})
    else:
        print(f"radius      {1e3 * wide:.4g} nm")
        print(f"resistance  {found.resistance_ohm:.4g} Ω, ballistic {found.sharvin_ohm:.4g}, "
              f"diffusive {found.maxwell_ohm:.4g}")  # fmt: skip
        print(f"regime      {found.regime}: the mean free path is {found.knudsen:.3g} of the radius")
    if found.warning:
        print_note(f"note: {found.warning}")
    return 0
