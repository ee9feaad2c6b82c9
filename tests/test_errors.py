from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrostruct.errors import InputError, nearest_name


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert str(InputError("a.xy: row 3 is\n'1\t2'.\r\n  Expected 3.")) == "a.xy: row 3 is '1 2'. Expected 3."


def test_the_error_can_be_caught_as_a_value_error() -> None:
    with pytest.raises(ValueError, match="wrong"):
        raise InputError("wrong")


def test_an_error_made_from_an_error_keeps_its_words() -> None:
    assert str(InputError(ValueError("x  y"))) == "x y"


@given(st.text())
def test_no_text_makes_a_message_of_two_lines(text: str) -> None:
    assert "\n" not in str(InputError(text))


def test_the_nearest_name_is_found_without_regard_to_case() -> None:
    assert nearest_name("ceh9-p63MMC", ["CeH9-P63mmc", "Pt"]) == "Did you mean 'CeH9-P63mmc'?"


def test_nothing_is_suggested_when_nothing_is_near_or_known() -> None:
    assert nearest_name("quartz", ["Pt", "Au"]) == ""
    assert nearest_name("quartz", []) == ""


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
def test_a_known_name_is_its_own_nearest(names: list[str]) -> None:
    folded = [name.casefold() for name in names]
    if len(set(folded)) == len(folded):
        assert nearest_name(names[0], names) == f"Did you mean {names[0]!r}?"


def test_names_that_begin_with_the_word_come_before_those_that_look_like_it() -> None:
    names = ["CeH8", "CeH9-F43m", "CeH9-P63mmc", "CeH10-Fm3m", "Re", "Renium"]
    assert nearest_name("CeH10", names) == "Did you mean 'CeH10-Fm3m'?"
    assert nearest_name("ceh9", names) == "Did you mean 'CeH9-F43m' or 'CeH9-P63mmc'?"
    assert nearest_name("re", names) == "Did you mean 'Re'?"
    assert nearest_name("", names) == ""
