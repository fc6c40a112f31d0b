"""Configs from and to text: config.json of a run, and the TOML files of `skelgnn-tf train --config`."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

from skelgnn_tf.configs.action import ActionConfig
from skelgnn_tf.configs.base import FORMAT, GROUPS, TrainConfig, flag, typed
from skelgnn_tf.configs.lift import LiftConfig

#: The config class of each task.
CONFIGS: dict[str, type[LiftConfig] | type[ActionConfig]] = {"lift": LiftConfig, "action": ActionConfig}

#: What a config.json means that was written before its field existed.
_BEFORE = {"fitness_scenes": "studio"}


def make_config(task: str, values: dict[str, Any]) -> LiftConfig | ActionConfig:
    """The config of a task from values by field name.

    Raises:
        ValueError: An unknown task, a field that is unknown or only valid for the other task, a value that does not
            fit.
    """
    # A file may state anything, such as a list.
    if not isinstance(task, str) or task not in CONFIGS:
        raise ValueError(f"task must be one of {', '.join(CONFIGS)}. Received: {task!r}.")
    check_fields(task, values)
    return CONFIGS[task](**values)


def check_fields(task: str, values: dict[str, Any]) -> None:
    """Raises ValueError for values of fields that the config of a task does not have."""
    own = {field.name for field in dataclasses.fields(CONFIGS[task])}
    for other, cls in CONFIGS.items():
        for field in dataclasses.fields(cls):
            if other != task and field.name in values and field.name not in own:
                raise ValueError(f"{flag(field)} is only valid for {cls.task_name}. This is {CONFIGS[task].task_name}.")
    unknown = sorted(values.keys() - own)
    if unknown:
        raise ValueError(
            f"the config has unknown fields: {', '.join(unknown)[:200]}. A newer version of skelgnn-tf may have "
            "written it."
        )


def check_types(values: dict[str, Any]) -> None:
    """Raises ValueError for a value of another type than its field, in whichever config that is."""
    for cls in CONFIGS.values():
        types = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if field.name in values:
                typed(values[field.name], types[field.name], flag(field))


def from_json(text: str) -> LiftConfig | ActionConfig:
    """The config in the text of a config.json, as `to_json` writes it. Files of version 0.1 have no `format`.

    Raises:
        ValueError: Text that is not such a config; names the field.
    """
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"a config must be a JSON object. Received: {type(values).__name__}.")
    version = values.pop("format", 1)
    if version not in (1, FORMAT):
        raise ValueError(f"the config has format {version!r}; this version reads 1 and {FORMAT}. Update skelgnn-tf.")
    task = values.pop("task", "lift")
    if task == "action":
        values = _BEFORE | values
    return make_config(task, values)


def from_toml(text: str, name: str = "the config") -> dict[str, Any]:
    """The values in a TOML file, `task` among them if it is stated: one `key = value` for each field that is set.

    Args:
        text: Content of the file.
        name: The file, for messages.

    Raises:
        ValueError: Not TOML, or a table where a value is expected.
    """
    import tomlkit
    import tomlkit.exceptions

    try:
        values = tomlkit.parse(text).unwrap()
    except (tomlkit.exceptions.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: must be TOML with one `field = value` per line. Received: {error}.") from error
    tables = [key for key, value in values.items() if isinstance(value, dict)]
    if tables:
        raise ValueError(f"{name}: [{tables[0]}] must be a field with a value, not a table. Remove the table header.")
    return values


def to_toml(config: TrainConfig) -> str:
    """The text of a TOML file that `from_toml` reads back: every field with its help as a comment, in groups."""
    import tomlkit

    document = tomlkit.document()
    document.add("task", tomlkit.item(config.task))
    by_group: dict[str, list[dataclasses.Field]] = {group: [] for group in GROUPS}
    for field in dataclasses.fields(config):
        by_group[field.metadata["group"]].append(field)
    for group, fields in by_group.items():
        document.add(tomlkit.nl())
        document.add(tomlkit.comment(f"{group}"))
        for field in fields:
            value = getattr(config, field.name)
            item = tomlkit.item(list(value) if isinstance(value, tuple) else value)
            item.comment(field.metadata["help"])
            document.add(field.name, item)
    return tomlkit.dumps(document)
