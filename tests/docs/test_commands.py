"""Every command and option that README, docs and recipes of use name exists in the command line."""

from __future__ import annotations

import re
import shlex
from functools import cache

import click
import pytest

from skelgnn_tf.cli.main import main
from support.documents import ROOT, code_of, pages, read

CODE = [(page, code) for page in pages() for code in code_of(read(page))]


def commands(group: click.Group = main, above: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """{("detector", "download"): command} of the whole tree."""
    found: dict[tuple[str, ...], click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found[(*above, name)] = command
        if isinstance(command, click.Group):
            found |= commands(command, (*above, name))
    return found


@cache
def options() -> dict[tuple[str, ...], set[str]]:
    """The options of each command."""
    return {
        name: {"--help", "-h"}
        | {
            option
            for one in command.params
            if isinstance(one, click.Option)
            for option in one.opts + one.secondary_opts
        }
        for name, command in commands().items()
    }


def calls(program: str) -> list[tuple[str, list[str]]]:
    """(page, arguments) of each call of a program in the pages."""
    found = []
    for page, code in CODE:
        code = code.removeprefix("$ ")
        if code.startswith(program + " "):
            found.append((str(page), shlex.split(code.removeprefix(program), comments=True)))
    return found


def options_in(arguments: list[str]) -> set[str]:
    """What begins with two dashes."""
    return {argument.partition("=")[0] for argument in arguments if re.match(r"--[a-z]", argument)}


@pytest.mark.parametrize(("page", "arguments"), calls("skelgnn-tf"))
def test_a_command_of_the_pages_exists_with_its_options(page, arguments):
    if arguments[0].startswith("-"):
        assert arguments[0] in ("--help", "--version")
        return
    name = next((tuple(arguments[:n]) for n in (2, 1) if tuple(arguments[:n]) in options()), None)
    assert name is not None, f"{page}: skelgnn-tf has no command {arguments[0]}"
    assert options_in(arguments) - options()[name] == set(), f"{page}: skelgnn-tf {' '.join(name)}"


def test_an_option_by_itself_is_one_of_some_command():
    everything = set().union(*options().values(), {"--version"})
    named = {
        (str(page), option)
        for page, code in CODE
        # A line that begins with an option, not the options of another program.
        if code.startswith("--")
        for option in options_in(shlex.split(code))
    }
    assert len(named) > 20
    # Options of benchmarks stand next to their command.
    assert {(page, option) for page, option in named if option not in everything} == set()


@pytest.mark.parametrize(("page", "arguments"), calls("python"))
def test_a_script_of_the_pages_exists_with_its_options(page, arguments):
    if arguments[0] == "-c":
        compile(arguments[1], page, "exec")
        return
    if arguments[0] == "-m":
        module = arguments[1].removeprefix("skelgnn_tf.").split(".")
        folder = ROOT if module[0] in ("training", "export") else ROOT / "skelgnn_tf"
        script = folder.joinpath(*module).with_suffix(".py")
    else:
        script = ROOT / arguments[0]
    assert script.exists(), f"{page} names {script}"
    source = script.read_text(encoding="utf-8")
    assert [option for option in sorted(options_in(arguments)) if f'"{option}' not in source] == []


def test_the_pages_call_every_command():
    called = {arguments[0] for _, arguments in calls("skelgnn-tf")}
    assert {name[0] for name in commands()} - called == set()
