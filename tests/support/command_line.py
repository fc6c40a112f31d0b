"""The command line as tests call it."""

from pathlib import Path

from click.testing import CliRunner

from skelgnn_tf.cli.main import main


def call(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def mistake(*arguments):
    """The one line that a mistake costs."""
    before = sorted(Path.cwd().rglob("*"))
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == "", result.stdout
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("skelgnn-tf: ") and "Traceback" not in result.output
    assert sorted(Path.cwd().rglob("*")) == before, "something half-written was left"
    return lines[0].removeprefix("skelgnn-tf: ")
