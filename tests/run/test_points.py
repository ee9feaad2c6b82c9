"""Positions and monitors: each image gets the row that names it, and a table that does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.run.config import MapSection
from hydrostruct.run.points import map_points, monitor_values

FILES = ["xrd/p_2.tif", "xrd/p_10.tif", "xrd/p_11.tif"]


def write(folder: Path, text: str) -> str:
    (folder / "positions.csv").write_text(text)
    return "positions.csv"


def test_rows_are_matched_by_file_in_whatever_order_they_stand(tmp_path: Path) -> None:
    name = write(tmp_path, "file,x_um,y_um,i0\np_11.tif,3,30,0.5\np_2.tif,1,10,2\nxrd/p_10.tif,2,20,1\n")
    points = map_points(MapSection(positions=name), tmp_path, FILES)
    assert [(point.point, point.x_um, point.y_um) for point in points] == [(1, 1, 10), (2, 2, 20), (3, 3, 30)]
    values = monitor_values("i0", name, tmp_path, FILES)
    assert values is not None
    np.testing.assert_array_equal(values, [2, 1, 0.5])


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_rows_without_file_stand_in_the_order_of_the_images(tmp_path: Path, separator: str) -> None:
    rows = [["x_um", "y_um"], ["1", "10"], ["2", "20"], ["3", "30"]]
    name = write(tmp_path, "# made by hand\n" + "\n".join(separator.join(row) for row in rows))
    points = map_points(MapSection(positions=name), tmp_path, FILES)
    assert [point.x_um for point in points] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x_um,y_um\n1,2\n", "1 rows, but 3 images"),
        ("file,x_um,y_um\np_2.tif,1,2\np_10.tif,1,2\n", "no row for xrd/p_11.tif"),
        ("file,x_um,y_um\np_2.tif,1,2\np_2.tif,1,2\n", "stands there twice"),
        ("x_um,z_um\n1,2\n1,2\n1,2\n", "no column 'y_um'"),
        ("x_um,y_um\n1,2\n1,two\n1,2\n", "'two'"),
        ("x_um,y_um\n", "no row"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, text: str, said: str) -> None:
    name = write(tmp_path, text)
    with pytest.raises(InputError, match=said):
        map_points(MapSection(positions=name), tmp_path, FILES)


@pytest.mark.parametrize(
    ("text", "said"), [("monitor\n1\n0\n1\n", "0 at point 2"), ("a,b\n1,1\n1,1\n1,1\n", "called 'monitor'")]
)
def test_a_monitor_without_beam_or_without_a_name_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "i0.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        monitor_values("i0.csv", None, tmp_path, FILES)


def test_a_monitor_that_is_neither_file_nor_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        monitor_values("i0", None, tmp_path, FILES)
    name = write(tmp_path, "x_um,y_um,ion\n1,1,1\n2,2,2\n3,3,3\n")
    with pytest.raises(InputError, match="no column 'i0'"):
        monitor_values("i0", name, tmp_path, FILES)
