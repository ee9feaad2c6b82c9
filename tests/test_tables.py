from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydrostruct.errors import InputError
from hydrostruct.tables import read_columns, read_text


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.txt"


@pytest.mark.parametrize(
    "text",
    [
        "4.5 10 3\n5.5 20 4\n",
        "4.5\t10\t3\n5.5\t20\t4\n",
        "4.5,10,3\n5.5,20,4\n",
        "4.5, 10, 3\n5.5, 20, 4\n",
        "4.5;10;3\n5.5;20;4\n",
        "4.5 ; 10 ; 3\n5.5 ; 20 ; 4",
        "  4.5   10   3  \n\n  5.5   20   4  \n\n",
        "4,5;10,0;3,0\n5,5;20,0;4,0\n",
        "4,5\t10\t3\n5,5\t20\t4\n",
        "4,5;10;3\n5,5;20;4\n",
        "4,5 10 3\r\n5,5 20 4\r\n",
        "4.5 10 3\r5.5 20 4\r",
        "\ufeff4.5 10 3\n5.5 20 4\n",
        "two_theta,intensity,sigma\n4.5,10,3\n5.5,20,4\n",
        "# made by a program\n4.5 10 3\n# in between\n5.5 20 4\n! at the end\n",
        "Titel: Prüfung\nBetreiber\n  2\n4.5 1e1 3\n5.5 2.0E+1 4\n",
    ],
)
def test_the_same_numbers_are_read_whatever_the_separator_and_the_header(table: Path, text: str) -> None:
    table.write_text(text, encoding="utf-8", newline="")
    values, _ = read_columns(table)
    np.testing.assert_array_equal(values, [[4.5, 10.0, 3.0], [5.5, 20.0, 4.0]])


def test_a_long_header_does_not_hide_a_decimal_comma(table: Path) -> None:
    table.write_text("Kommentar\n" * 50 + "4,5;10\n5,5;20\n6;30\n")
    np.testing.assert_array_equal(read_columns(table)[0], [[4.5, 10], [5.5, 20], [6, 30]])


def test_latin_1_is_read_when_it_is_not_utf_8(table: Path) -> None:
    table.write_bytes("Temperatur in °C\n1 2\n3 4\n".encode("latin-1"))
    values, header = read_columns(table)
    assert header[0] == "Temperatur in °C"
    np.testing.assert_array_equal(values, [[1, 2], [3, 4]])


def test_the_header_is_given_back_line_by_line(table: Path) -> None:
    table.write_text("# a\ntwo_theta intensity\n1 2\n# b\n3 4\n")
    assert [line for line in read_columns(table)[1] if line] == ["# a", "two_theta intensity", "# b"]


def test_nan_in_the_file_is_nan(table: Path) -> None:
    table.write_text("1 nan\n2 NaN\n3 4\n")
    assert np.isnan(read_columns(table)[0][:2, 1]).all()


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.xy: no such file\. Check the path"):
        read_text(tmp_path / "none.xy")


def test_a_folder_is_not_a_text_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path)


@pytest.mark.parametrize("content", [b"", b"  \n\r\n\t"])
def test_an_empty_file_is_said_to_be_empty(table: Path, content: bytes) -> None:
    table.write_bytes(content)
    with pytest.raises(InputError, match="is empty"):
        read_columns(table)


def test_binary_data_is_refused(table: Path) -> None:
    table.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(InputError, match="holds binary data"):
        read_columns(table)


def test_binary_data_without_a_zero_byte_is_refused_too(table: Path) -> None:
    table.write_bytes(np.random.default_rng(1).integers(128, 256, 5000).astype(np.uint8).tobytes())
    with pytest.raises(InputError, match=r"0 row\(s\) of numbers"):
        read_columns(table)


@pytest.mark.parametrize("text", ["4.5 10 3\n", "header\n4.5 10 3", "4.5 10 3\n# nothing more\n"])
def test_one_row_is_not_a_table(table: Path, text: str) -> None:
    table.write_text(text)
    with pytest.raises(InputError, match=r"1 row\(s\) of numbers found"):
        read_columns(table)


def test_a_broken_row_in_mid_file_is_named_by_its_line(table: Path) -> None:
    table.write_text("# x\n1 2\n3 4\n5 oops\n7 8\n")
    with pytest.raises(InputError, match=r"line 4 is '5 oops'. Expected 2 or more numbers"):
        read_columns(table)


def test_a_file_cut_short_in_its_last_row_is_refused(table: Path) -> None:
    table.write_text("1.0 2.0\n3.0 4.0\n5.")
    with pytest.raises(InputError, match="line 3"):
        read_columns(table)


def test_a_row_with_a_column_less_is_named(table: Path) -> None:
    table.write_text("1 2 3\n4 5\n6 7 8\n")
    with pytest.raises(InputError, match=r"has 2 numbers. Expected 3"):
        read_columns(table)


@given(
    rows=st.lists(
        st.tuples(*[st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))] * 3),
        min_size=2,
        max_size=8,
    ),
    separator=st.sampled_from([" ", "\t", ";", " ; ", "  "]),
    comma=st.booleans(),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(tmp_path: Path, rows: list[tuple[float, ...]], separator: str, comma: bool) -> None:
    text = "\n".join(separator.join(f"{value:.6f}" for value in row) for row in rows)
    (tmp_path / "law.txt").write_text(text.replace(".", ",") if comma else text)
    np.testing.assert_array_equal(read_columns(tmp_path / "law.txt")[0], rows)
