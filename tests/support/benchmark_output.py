"""Runs a benchmark's command and reads the tables that it prints."""

import re

from click.testing import CliRunner


def run(script, *arguments):
    """What the command of a benchmark's module prints."""
    result = CliRunner().invoke(script.main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def rows(printed):
    """The cells of the tables' rows in a printout."""
    return [[c.strip() for c in line.split("│")[1:-1]] for line in printed.splitlines() if line.startswith("│")]


def number(cell):
    """The number that a cell begins with."""
    return float(re.match("[0-9.,e-]+", cell)[0].replace(",", ""))
