"""Export every shipped network in every format, and write what came of it into docs/deploy.md and docs/exports/.

python docs/make_deploy.py (some minutes; needs a C compiler, and for the chip gcc-arm-none-eabi, newlib and QEMU)
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from lenet.export import export
from lenet.network.weights import list_shipped

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- docs/make_deploy.py writes this -->", "<!-- end of exports -->"
FORMS = (("onnx", False), ("c", False), ("c", True), ("pytorch", False))
COLUMNS = (
    "network",
    "format",
    "bytes",
    "digits a second",
    "other answers",
    "errors there (here)",
    "scores apart",
    "on a chip",
)


def row(report: dict[str, Any]) -> str:
    """Return a report as a row of the table."""
    chip = report.get("cortex_m", "")
    if isinstance(chip, dict):
        chip = f"{chip['vectors']}; {chip['code_and_constants_bytes']:,} bytes of code and constants"
    memory = f", {report['value_bytes']:,} for values" if "value_bytes" in report else ""
    return (
        f"| `{report['net']}` | {report['format']} | {report['bytes']:,}{memory} | {report['digits_per_second']:,} | "
        f"{report['answers_that_differ']} | {report['errors']} ({report['errors_here']}) | "
        f"{report['largest_difference_of_a_score']:.2g} | {chip} |"
    )


def main() -> None:
    """Export all, keep the reports, write the table."""
    rows = []
    (HERE / "exports").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in list_shipped():
            for form, int8 in FORMS:
                out = Path(folder) / f"{name}-{form}{'-int8' * int8}{'.onnx' * (form == 'onnx')}"
                report = export(name, form, out, int8=int8)
                report["out"] = out.name
                (HERE / "exports" / f"{name}-{report['format']}.json").write_text(json.dumps(report, indent=2) + "\n")
                rows.append(row(report))
                print(rows[-1], flush=True)
    head = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    page = HERE / "deploy.md"
    before, _old, after = page.read_text(encoding="utf-8").replace(END, BEGIN).split(BEGIN)
    page.write_text("\n".join([before + BEGIN, *head, *rows, END + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
