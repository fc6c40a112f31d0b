"""Options that several commands share, and those that are made from the fields of the configs."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.configs import CONFIGS
from skelgnn_tf.configs.base import GROUPS, flag

PATH = click.Path(path_type=Path)


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each field of the configs, with its default, choices and help.

    A field of both tasks is in the panel of its group, a field of one task in a panel of that task.
    """
    by_name: dict[str, dict[str, dataclasses.Field]] = {}
    for task, cls in CONFIGS.items():
        for field in dataclasses.fields(cls):
            by_name.setdefault(field.name, {})[task] = field
    # Panels of one task come after those of both. Decorators apply from the last to the first.
    order = sorted(by_name.items(), key=lambda one: (-len(one[1]), _group(one[1])))
    for name, fields in reversed(order):
        command = _option(name, fields)(command)
    return command


def _group(fields: dict[str, dataclasses.Field]) -> int:
    return GROUPS.index(next(iter(fields.values())).metadata["group"])


def _option(name: str, fields: dict[str, dataclasses.Field]) -> Callable[..., Any]:
    task, field = next(iter(fields.items()))
    wanted = typing.get_type_hints(CONFIGS[task])[name]
    declaration = flag(field)
    shown: dict[str, Any] = {"default": None, "show_default": False}
    if wanted is bool:
        declaration += "/--no-" + name.replace("_", "-")
        shown["type"] = bool
    elif typing.get_origin(wanted) is tuple:
        shown["multiple"] = True
    else:
        choices = tuple(dict.fromkeys(choice for one in fields.values() for choice in one.metadata["choices"]))
        shown["type"] = click.Choice(choices) if choices else wanted
    panel = field.metadata["group"] if len(fields) == len(CONFIGS) else CONFIGS[task].task_name.capitalize() + " only"
    return click.option(declaration, name, help=_help(fields), panel=panel, **shown)


def _help(fields: dict[str, dataclasses.Field]) -> str:
    """The help of a field and its defaults, by task where the tasks differ."""
    about = _by_task({task: field.metadata["help"] for task, field in fields.items()}, "For {task}: {text}", " ")
    defaults = {task: _default(field) for task, field in fields.items()}
    if not any(defaults.values()):
        return about
    return f"{about}  [default: {_by_task(defaults, '{text} for {task}', '; ')}]"


def _by_task(texts: dict[str, str], template: str, between: str) -> str:
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    parts = (template.format(task=CONFIGS[task].task_name, text=text) for task, text in texts.items())
    return between.join(parts)


def _default(field: dataclasses.Field) -> str:
    """A default in words: "on", "0.002 with --recipe modern, 0.1 with --recipe paper"."""
    if field.metadata["by"] is not None:
        other, defaults = field.metadata["by"]
        return ", ".join(f"{value} with --{other} {name}" for name, value in defaults.items())
    value = field.default
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The options that the user gave."""
    return {name: value for name, value in values.items() if value is not None and value != ()}


def last_run() -> Path:
    """The newest run."""
    last = Path("runs/last")
    if not last.exists():
        raise FileNotFoundError(
            "runs/last must be a run. Nothing was found. Name a model, or train one: skelgnn-tf train"
        )
    return last.resolve().relative_to(Path.cwd()) if last.resolve().is_relative_to(Path.cwd()) else last.resolve()


def wide_console() -> Any:
    """A console for tables: a pipe gets whole lines, for names and addresses are copied from them."""
    from rich.console import Console

    console = Console()
    console.width = console.width if console.is_terminal else 160
    return console


def import_quietly(module: str = "keras") -> None:
    """Imports what brings TensorFlow in without its start-up notices, which come from C++, past Python's stderr."""
    import importlib
    import os

    from skelgnn_tf.quiet import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        importlib.import_module(module)
