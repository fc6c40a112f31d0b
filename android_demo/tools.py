"""Compiles and tests the Kotlin sources without Gradle: the compiler from npm, JUnit from Debian or Maven.

    python android_demo/tools.py

installs them into android_demo/.tools and changes nothing else. Requires node, npm and a JRE, version 17 or later.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / ".tools"
#: The version from gradle/libs.versions.toml, so that tests and app use the same compiler.
KOTLIN = re.search(r'^kotlin = "(.+)"', (HERE / "gradle" / "libs.versions.toml").read_text(), re.M)[1]
_LIB = FOLDER / "node_modules" / "kotlin-compiler" / "lib"
_JUNIT = "junit-platform-console-standalone.jar"
_SYSTEM_JUNIT = Path("/usr/share/java") / _JUNIT
_CENTRAL_JUNIT = (
    "https://repo1.maven.org/maven2/org/junit/platform/junit-platform-console-standalone/1.13.4/"
    "junit-platform-console-standalone-1.13.4.jar"
)
_MEMORY = ("-Xmx800m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@dataclass(frozen=True)
class Tools:
    """Paths of the tools.

    Args:
        java: The java executable.
        lib: Folder with the compiler's jars.
        junit: JUnit's standalone console launcher.
    """

    java: str
    lib: Path
    junit: Path

    @property
    def test_classpath(self) -> str:
        """Classpath for compiling and running the tests."""
        names = ("kotlin-stdlib", "kotlin-test", "kotlin-test-junit5", "kotlinx-coroutines-core-jvm")
        return ":".join([*(str(self.lib / f"{name}.jar") for name in names), str(self.junit)])

    def compile(self, sources: list[Path], output: Path) -> subprocess.CompletedProcess:
        """Compiles Kotlin files with the Compose plugin and treats warnings as errors."""
        jars = ("kotlin-compiler", "kotlin-stdlib", "kotlin-reflect", "kotlin-script-runtime")
        compiler = ":".join(
            str(self.lib / f"{name}.jar") for name in (*jars, "kotlinx-coroutines-core-jvm", "annotations-13.0")
        )
        return _run(
            *(self.java, *_MEMORY, "-cp", compiler, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"),
            *("-no-stdlib", "-no-reflect", "-jvm-target", "17", "-Werror"),
            *("-classpath", self.test_classpath, f"-Xplugin={self.lib / 'compose-compiler-plugin.jar'}"),
            *("-d", str(output), *map(str, sources)),
        )

    def test(self, classes: Path, golden: Path, reports: Path) -> subprocess.CompletedProcess:
        """Runs all tests in the compiled classes; JUnit writes its XML into `reports`."""
        return _run(
            *(self.java, *_MEMORY, f"-Dgolden={golden}", "-jar", str(self.junit), "--disable-banner"),
            *("--disable-ansi-colors", "--details=tree", f"--reports-dir={reports}"),
            *("-cp", f"{classes}:{self.test_classpath}", f"--scan-classpath={classes}"),
        )


def find() -> Tools:
    """Finds the tools on this machine.

    Raises:
        FileNotFoundError: If a tool is missing. The message says how to install it.
    """
    java = shutil.which("java")
    if not java or _java_version(java) < 17:
        raise FileNotFoundError(
            "java must be version 17 or later. Install a JRE, e.g. apt-get install openjdk-17-jre-headless."
        )
    if not (_LIB / "kotlin-compiler.jar").is_file() or (_LIB.parent / "build.txt").read_text().split("-")[0] != KOTLIN:
        raise FileNotFoundError(
            f"The Kotlin compiler {KOTLIN} must be in {FOLDER}. Run make android-test to install it."
        )
    junit = next((file for file in (FOLDER / _JUNIT, _SYSTEM_JUNIT) if file.is_file()), None)
    if junit is None:
        raise FileNotFoundError(f"{_JUNIT} must be in {FOLDER} or {_SYSTEM_JUNIT.parent}. Run make android-test.")
    return Tools(java, _LIB, junit)


def install() -> None:
    """Installs missing tools into `.tools`.

    Raises:
        FileNotFoundError: If node or npm is missing.
        ValueError: If a download fails.
    """
    if not shutil.which("npm") or not shutil.which("node"):
        raise FileNotFoundError("node and npm must be installed to download the Kotlin compiler. Install nodejs.")
    FOLDER.mkdir(exist_ok=True)
    version = _LIB.parent / "build.txt"
    if not version.is_file() or version.read_text().split("-")[0] != KOTLIN:
        print(f"Downloading the Kotlin compiler {KOTLIN} from npm (94 MB) to {FOLDER}")
        quiet = ("--no-audit", "--no-fund", "--silent")
        done = _run("npm", "install", "--prefix", str(FOLDER), *quiet, f"kotlin-compiler@{KOTLIN}")
        if done.returncode:
            raise ValueError(f"npm install kotlin-compiler@{KOTLIN} failed. Received: {done.stderr.strip()[-300:]}")
    if not _SYSTEM_JUNIT.is_file() and not (FOLDER / _JUNIT).is_file():
        print(f"Downloading JUnit to {FOLDER}")
        if not _junit_from_debian():
            _junit_from_central()


def _junit_from_debian() -> bool:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        if _run("apt-get", "download", "junit5", folder=folder).returncode:
            return False
        for package in Path(folder).glob("junit5_*.deb"):
            _run("dpkg-deb", "-x", str(package), folder)
        jar = Path(folder) / _SYSTEM_JUNIT.relative_to("/")
        if not jar.is_file():
            return False
        shutil.copyfile(jar, FOLDER / _JUNIT)
    return True


def _junit_from_central() -> None:
    try:
        with urllib.request.urlopen(_CENTRAL_JUNIT, timeout=30) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise ValueError(
            f"Cannot download {_CENTRAL_JUNIT}. Received: {error}. Save it as {FOLDER / _JUNIT}."
        ) from error
    (FOLDER / _JUNIT).write_bytes(content)


def _java_version(java: str) -> int:
    found = re.search(r'version "(\d+)', _run(java, "-version").stderr)
    return int(found[1]) if found else 0


def _run(*command: str, folder: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    try:
        install()
        find()
    except (OSError, ValueError) as problem:
        sys.exit(str(problem))
