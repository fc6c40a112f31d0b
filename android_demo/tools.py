"""What compiles and tests the Kotlin sources here without Gradle: a compiler from npm, JUnit from Debian or Maven.

    python android_demo/tools.py

puts them into android_demo/.tools; nothing is installed into the system. Wanted are node and npm, and a JRE from 17 on.
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
#: The version of gradle/libs.versions.toml, so that here and on a phone one compiler judges.
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
    """Where the tools lie.

    Args:
        java: The program.
        lib: Folder of the compiler's jars.
        junit: JUnit's console launcher with everything in it.
    """

    java: str
    lib: Path
    junit: Path

    @property
    def test_classpath(self) -> str:
        """What tests are compiled and run with."""
        names = ("kotlin-stdlib", "kotlin-test", "kotlin-test-junit5", "kotlinx-coroutines-core-jvm")
        return ":".join([*(str(self.lib / f"{name}.jar") for name in names), str(self.junit)])

    def compile(self, sources: list[Path], output: Path) -> subprocess.CompletedProcess:
        """Compiles Kotlin files, composable functions included; a warning is an error."""
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
        """Runs the tests among compiled classes; JUnit's XML goes into `reports`."""
        return _run(
            *(self.java, *_MEMORY, f"-Dgolden={golden}", "-jar", str(self.junit), "--disable-banner"),
            *("--disable-ansi-colors", "--details=tree", f"--reports-dir={reports}"),
            *("-cp", f"{classes}:{self.test_classpath}", f"--scan-classpath={classes}"),
        )


def find() -> Tools:
    """The tools on this machine.

    Raises:
        FileNotFoundError: One is missing; says which and how to get it.
    """
    java = shutil.which("java")
    if not java or _java_version(java) < 17:
        raise FileNotFoundError("no java from 17 on; install a JRE, e.g. apt-get install openjdk-17-jre-headless")
    if not (_LIB / "kotlin-compiler.jar").is_file() or (_LIB.parent / "build.txt").read_text().split("-")[0] != KOTLIN:
        raise FileNotFoundError(f"no Kotlin compiler {KOTLIN} in {FOLDER}; run make android-test, which fetches it")
    junit = next((file for file in (FOLDER / _JUNIT, _SYSTEM_JUNIT) if file.is_file()), None)
    if junit is None:
        raise FileNotFoundError(f"no {_JUNIT} in {FOLDER} or {_SYSTEM_JUNIT.parent}; run make android-test")
    return Tools(java, _LIB, junit)


def install() -> None:
    """Fetches what is missing into `.tools`.

    Raises:
        FileNotFoundError: npm is missing.
        ValueError: A download failed.
    """
    if not shutil.which("npm") or not shutil.which("node"):
        raise FileNotFoundError("no node and npm, from which the Kotlin compiler comes; install nodejs")
    FOLDER.mkdir(exist_ok=True)
    version = _LIB.parent / "build.txt"
    if not version.is_file() or version.read_text().split("-")[0] != KOTLIN:
        print(f"fetching the Kotlin compiler {KOTLIN} from npm (94 MB) into {FOLDER}")
        quiet = ("--no-audit", "--no-fund", "--silent")
        done = _run("npm", "install", "--prefix", str(FOLDER), *quiet, f"kotlin-compiler@{KOTLIN}")
        if done.returncode:
            raise ValueError(f"npm install kotlin-compiler@{KOTLIN} failed: {done.stderr.strip()[-300:]}")
    if not _SYSTEM_JUNIT.is_file() and not (FOLDER / _JUNIT).is_file():
        print(f"fetching JUnit into {FOLDER}")
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
        raise ValueError(f"cannot fetch {_CENTRAL_JUNIT}: {error}; put it into {FOLDER} as {_JUNIT}") from error
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
