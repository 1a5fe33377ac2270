"""What lenet brings along: pinned to the byte, under licences that anybody may pass on, and silent on the network."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from conftest import ROOT

PINNED = (ROOT / "pinned.txt").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([\w.-]+)==([\w.]+)", PINNED, re.MULTILINE))
# Licences that ask for no more than their own text in what is passed on.
FREE = re.compile(r"\b(MIT|MIT-CMU|BSD|Apache|HPND|ISC|PSF|Python Software Foundation|Unlicense|Zlib)\b")


def find_licence(name: str) -> str:
    """What a distribution says of its licence."""
    told = metadata(name)
    classifiers = [each for each in told.get_all("Classifier") or [] if each.startswith("License")]
    return " ".join([told["License-Expression"] or "", (told["License"] or "")[:300], *classifiers])


def test_each_pin_has_its_hashes_and_is_the_one_that_is_tested() -> None:
    """A release installs what the suite ran with, and nothing else under its name."""
    blocks = re.split(r"^(?=[\w.-]+==)", PINNED, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(PINS) > 25
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    found = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    tested = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}
    assert {name: version for name, version in PINS.items() if tested.get(name, version) != version} == {}
    assert set(PINS) - set(tested) <= {"colorama"}  # of Windows alone


def test_the_image_and_the_release_take_the_pins() -> None:
    """The image installs with hashes alone; a release is looked up for known faults, and lists what is in it."""
    assert "--require-hashes --requirement /src/pinned.txt" in (ROOT / "Dockerfile").read_text()
    release = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert "pip-audit --require-hashes --requirement pinned.txt" in release
    assert "cyclonedx-py requirements pinned.txt" in release


@pytest.mark.parametrize("name", sorted(PINS))
def test_all_that_is_brought_along_may_be_passed_on(name: str) -> None:
    """Every distribution that runs beside lenet has a permissive licence."""
    try:
        licence = find_licence(name)
    except PackageNotFoundError:
        pytest.skip("is not installed here")
    assert FREE.search(licence), licence


_LISTENING = """
import sys

def hear(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        print("NETWORK", event, arguments, file=sys.stderr)

sys.addaudithook(hear)
from lenet.cli import main
main()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "examples/zip.jpg", "--json"],
        ["read", "examples/thin.png", "--digit", "--annotate", "OUT.png"],
        ["table", "examples/pages/class-list.jpg", "--out", "OUT.csv"],
        ["explain", "examples/zip.jpg", "--out", "OUT.png"],
        ["summary", "lenet5"],
        ["export", "lenet5", "--format", "c", "--check", "examples", "-o", "OUT.c"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_but_fetch_asks_the_network(arguments: list[str], tmp_path: Path) -> None:
    """Not even for a name: an audit hook of the interpreter hears every socket that is asked for."""
    words = [str(ROOT / each) if each.startswith("examples/") else each for each in arguments]
    words = [each.replace("OUT", str(tmp_path / "out")) for each in words]
    found = subprocess.run([sys.executable, "-c", _LISTENING, *words], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "NETWORK" not in found.stderr


def test_the_hook_hears_who_asks(tmp_path: Path) -> None:
    """The same hook, on the command that does fetch."""
    environment = {"LENET_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "http_proxy": "http://127.0.0.1:9"}
    found = subprocess.run(
        [sys.executable, "-c", _LISTENING, "data", "fetch", "mnist"],
        env=environment | {"https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NETWORK urllib.Request" in found.stderr
