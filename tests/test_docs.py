"""The documents say what the commands do: every shown output, every --help, every JSON key."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from make_cli import COMMANDS

import lenet
from lenet.cli import main
from lenet.network.weights import list_shipped, load_weights
from test_cli import run

from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
NETWORKS = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
HISTORY = (ROOT / "docs" / "1998.md").read_text(encoding="utf-8")


def shown_commands() -> list[tuple[str, str]]:
    """The commands behind "$ " in the README's and the tables' console blocks, each with the output shown below it."""
    found = []
    tables = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", README + tables, flags=re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), shown_commands(), ids=[command for command, _ in shown_commands()])
@pytest.mark.engine
def test_the_documents_show_what_their_commands_print(
    command: str, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word for word; confidences may differ in the last digit from machine to machine."""
    monkeypatch.chdir(ROOT)
    name, *arguments = shlex.split(command)
    assert name == "lenet"
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert not left.value.code
    printed = capsys.readouterr().out
    mask = re.compile(r"\b[01]\.\d{4}\b")
    assert mask.sub("#", printed) == mask.sub("#", output)
    for shown, found in zip(mask.findall(output), mask.findall(printed), strict=True):
        assert float(found) == pytest.approx(float(shown), abs=2e-4)


def test_the_two_commands_are_marked_for_ci() -> None:
    """.ci/run takes the README's two commands by their marks."""
    for mark in ("run", "test"):
        assert len(re.findall(rf"<!-- ci: {mark} -->\n```sh\n[^\n]+\n```", README)) == 1


def test_cli_md_is_what_help_says() -> None:
    """`python docs/make_cli.py` would change nothing."""
    from make_cli import page

    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("command", ["read", "table", "summary", "evaluate", "train"])
@pytest.mark.engine
def test_every_json_key_is_documented(
    command: str, capsys: pytest.CaptureFixture[str], blob_folder: Path, tmp_path: Path
) -> None:
    """Each key that a command prints stands in its section of docs/json.md."""
    arguments = {
        "read": [str(ROOT / "examples" / "pen.png")],
        "table": [str(ROOT / "examples" / "pages" / "log-sheet.jpg"), "--sum", "last-row", "--best", "2"],
        "summary": ["lenet5-1998"],
        "evaluate": [],
        "train": ["--passes", "1", "--out", str(tmp_path / "run")],
    }[command]
    with pytest.raises(SystemExit):
        main([command, *arguments, "--json"])
    printed = json.loads(capsys.readouterr().out)
    document = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = document.split(f"## lenet {command}\n")[1].split("\n## ")[0]

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(keys(each) for each in value.values()))
        return set().union(*(keys(each) for each in value)) if isinstance(value, list) else set()

    missing = {key for key in keys(printed) if f"`{key}`" not in section}
    assert not missing


@pytest.mark.parametrize("name", list(list_shipped()))
def test_the_model_cards_and_the_document_carry_the_files_own_figures(name: str) -> None:
    """Errors, and of how many, in the weights file, in its model card and in docs/networks.md are the same."""
    card = load_weights(name).card
    errors = card["test"]["errors"]
    document = list_shipped()[name].with_suffix(".md").read_text(encoding="utf-8")
    assert f"**{errors} errors out of {card['test']['n']:,}**" in document
    seeds = ", ".join(str(each["errors"]) for each in card["seeds"])
    assert f"| `{name}` | {errors} | {card['median_errors']:g} ({seeds}) |" in NETWORKS


def test_links_lead_somewhere() -> None:
    """Every relative link in the documents is a file of the project."""
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_document_carries_the_reproduction_s_own_figures() -> None:
    """Mean, spread, interval and replicas in the table of docs/1998.md are those of its results.json."""
    found = json.loads((ROOT / "docs" / "reproduction" / "results.json").read_text(encoding="utf-8"))
    assert found["unit"] == "per cent"
    for part in ("paper", "distorted_as_written", "distorted"):
        each = found[part]
        figures = f"{each['mean']:.2f} ± {each['std']:.2f} | {{:.2f}} to {{:.2f}} | {each['replicas']} |"
        assert figures.format(*each["interval95"]) in HISTORY, part
    assert abs(found["paper"]["mean"] - 0.95) <= 0.10
    assert found["paper"]["replicas"] >= 16


def help_of(command: str) -> str:
    """What a command says of itself, on 80 columns."""
    section = re.search(rf"^## lenet {command}\n\n```text\n(.*?)```", CLI, flags=re.DOTALL | re.MULTILINE)
    assert section, command
    return section[1]


def test_every_command_is_summed_up_in_a_line() -> None:
    """None is cut off in `lenet --help`."""
    listed = CLI.split("Commands:")[1].split("```")[0].strip().splitlines()
    assert len(listed) == 13
    assert not [line for line in listed if line.endswith("...")]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name and not name.startswith("data")])
def test_every_command_has_an_example_that_it_understands(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its options are the command's: unknown ones would be refused before the help is shown."""
    examples = [line.strip() for line in help_of(command).splitlines() if line.startswith(f"    lenet {command}")]
    assert examples
    for example in examples:
        assert run(capsys, *shlex.split(example)[1:], "--help")[0] == 0


def test_python_m_lenet_is_the_command() -> None:
    """The same line as `lenet --version`."""
    done = subprocess.run([sys.executable, "-m", "lenet", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"lenet {lenet.__version__}\n"


def test_names_are_completed() -> None:
    """In bash, zsh and fish, as Typer has it."""
    words = {"COMP_WORDS": "lenet ex", "COMP_CWORD": "1", "_LENET_COMPLETE": "complete_bash"}
    command = [sys.executable, "-c", "from lenet.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **words})
    assert done.stdout.split() == ["explain", "export"]
