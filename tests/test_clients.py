"""Every example of docs/service.md, run as it stands against a service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

pytest.importorskip("fastapi")
TEXT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


CURL = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl")]


@pytest.mark.parametrize(
    ("command", "texts"), list(zip(CURL, (["12.750.-"], ["12.750"], ["0"], ["90210", "4736"]), strict=True)), ids=CURL
)
def test_the_curl_examples_read(service: str, command: str, texts: list[str]) -> None:
    """Each prints the JSON of what its pictures say."""
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    ours = command.replace("http://127.0.0.1:8000", service).replace("curl", "curl -s", 1)
    said = json.loads(subprocess.run(ours, shell=True, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    assert [each["text"] for each in said.get("results", [said])] == texts


def test_the_python_example_reads(service: str) -> None:
    """It prints text and confidence."""
    (example,) = blocks("python")
    ours = example.replace("http://127.0.0.1:8000", service)
    done = subprocess.run([sys.executable, "-c", ours], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("12.750.- 0.9")


def test_the_javascript_example_reads(service: str) -> None:
    """In a browser, on a page of the service."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        assert not os.environ.get("LENET_REQUIRE_BROWSER")
        pytest.skip("needs a browser: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api")
    (example,) = blocks("js")
    picture = list((ROOT / "examples" / "amount.jpg").read_bytes())
    with api.sync_playwright() as started:
        page = started.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
        page.goto(service)
        ours = example.replace("http://127.0.0.1:8000", service)
        run = f"async (bytes) => {{ {ours}\n return read(new Uint8Array(bytes)); }}"
        assert page.evaluate(run, picture) == "12.750.-"
        refused = f"async () => {{ {ours}\n return read('hello').catch(error => error.message); }}"
        assert "is not a picture in a known format" in page.evaluate(refused)


def test_every_route_and_status_of_the_table_is_served(service: str) -> None:
    """The tables name what the interface's description has, and all of it."""
    import httpx

    description = httpx.get(f"{service}/openapi.json").json()
    statuses = {
        status for path in description["paths"].values() for route in path.values() for status in route["responses"]
    }
    table = set(
        re.findall(r"\b[2345]\d\d\b", "".join(line for line in TEXT.splitlines() if re.match(r"\| \d{3}", line)))
    )
    assert table | {"200", "405"} == statuses | {"405"}
    for path in description["paths"]:
        assert path in TEXT
