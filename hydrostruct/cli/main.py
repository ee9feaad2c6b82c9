"""The application: its commands, and what an error looks like to a user."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated

import typer

from hydrostruct.cli.andreev import andreev
from hydrostruct.cli.calibrate import calibrate_widths
from hydrostruct.cli.demo import demo
from hydrostruct.cli.integrate import integrate
from hydrostruct.cli.lebail import lebail
from hydrostruct.cli.phases import phases
from hydrostruct.cli.raman import raman
from hydrostruct.cli.run import run
from hydrostruct.cli.transport import transport
from hydrostruct.errors import InputError

_PAIR_OPTIONS = ("--exclude",)
_SHOW_TRACEBACK = "HYDROSTRUCT_TRACEBACK"

app = typer.Typer(
    name="hydrostruct",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("calibrate-widths")(calibrate_widths)
app.command()(demo)
app.command()(integrate)
app.command()(lebail)
app.command()(phases)
app.add_typer(raman)
app.command()(run)
app.add_typer(transport)
app.add_typer(andreev)


def _print_version(asked: bool) -> None:
    if asked:
        from hydrostruct import __version__

        typer.echo(f"hydrostruct {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """From raw diffraction images of a diamond anvil cell to phases and cells with honest uncertainties."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The words after the program's name; those of the process when left out.

    Returns
    -------
    int
        Exit status: 0 done; 1 done, but something needs attention; 2 wrong input, with one line on standard error.
    """
    words = _joined_pairs(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        status = app(args=words, prog_name="hydrostruct", standalone_mode=False)
    except InputError as error:
        return _complain(str(error))
    except typer.Abort:
        return _complain("interrupted")
    except BrokenPipeError:  # the reader of a pipe has gone, as `head` does: not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complain(f"{error.filename or 'file'}: {error.strerror or error}")
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            if os.environ.get(_SHOW_TRACEBACK):
                raise
            return _complain(
                f"hydrostruct itself failed ({type(error).__name__}: {error}). Expected an answer or a plain error. "
                f"Report it with the command; {_SHOW_TRACEBACK}=1 shows where."
            )
        return _complain(f"{_with_value(message(), words)} See 'hydrostruct --help'.")
    return int(status or 0)


def _with_value(message: str, words: list[str]) -> str:
    """The parser's message as a sentence that quotes what was given to the option it names."""
    found = re.match(r"Invalid value for '(--[a-z-]+)'", message)
    if found and found[1] in words:
        at = len(words) - words[::-1].index(found[1])
        given = " ".join(words[at : at + (2 if found[1] == "--range" else 1)])
        message = f"{found[0]} ({given}){message[found.end() :]}"
    return message.rstrip(".") + "."


def _joined_pairs(arguments: list[str]) -> list[str]:
    """``--exclude LO HI`` as one word: the parser cannot repeat an option that takes two."""
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        joined.append(word)
        if word in _PAIR_OPTIONS and len(rest) >= 2 and " " not in rest[0]:
            joined.append(f"{rest.pop(0)} {rest.pop(0)}")
    return joined


def _complain(message: str) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return 2
