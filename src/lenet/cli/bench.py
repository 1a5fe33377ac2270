"""`lenet bench`: a table for people, or one line of JSON."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer


def bench(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Measure the engine and reading beside others, in one run.

    The engine beside other frameworks, reading beside PP-OCRv6, in turn.

    It takes some minutes. Peers that are not installed are skipped: pip install 'lenet[peers]'. Every figure is a
    median; a ratio is the contender's speed over the engine's. On a busy machine the ratios suffer too.

    \b
    Example:
      lenet bench --json
    """
    from lenet.bench.run import bench as run

    found = run(lambda line: print(line, file=sys.stderr, flush=True))
    if as_json:
        print(json.dumps(found))
        return
    for line in _table(found):
        print(line)


def _table(found: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {value or 'absent'}" for name, value in found["versions"].items())
    lines = [f"{found['machine']}; {found['threads']} threads", versions, ""]
    lines.append(f"{'work':<16}{'network':<15}{'batch':>6}  {'contender':<15}{'images/s':>12}{'of engine':>11}")
    for row in found["results"]:
        work = row["work"] if row["replicas"] == 1 else f"{row['work']} x{row['replicas']}"
        speed, ratio = f"{row['per_second']:,.0f}", f"{row['ratio_to_engine']:.3f}"
        lines.append(f"{work:<16}{row['net']:<15}{row['batch']:>6}  {row['contender']:<15}{speed:>12}{ratio:>11}")
    lines += ["", f"{'reading':<10}{'reader':<26}{'ms a picture':>14}{'times lenet':>13}{'right':>10}"]
    for row in found["reading"]:
        right = f"{row['right']} of {row['n']}"
        lines.append(
            f"{row['pictures']:<10}{row['reader']:<26}{row['ms']:>14.2f}{row['times_lenet']:>13.2f}{right:>10}"
        )
    lines += ["", f"{'growth':<18}{'ms by size':<54}{'exponent':>9}"]
    for row in found["growth"]:
        times = ", ".join(f"{size:,}: {ms:,.0f}" for size, ms in zip(row["sizes"], row["ms"], strict=True))
        lines.append(f"{row['axis']:<18}{times:<54}{row['exponent']:>9.2f}")
    lines.append("")
    if found["fma_peak_share"] is not None:
        lines.append(f"forward, lenet5-modern, 1,024: {100 * found['fma_peak_share']:.1f} % of the measured FMA peak")
    if found["cold_start_ratio"] is not None:
        lines.append(f"a cold lenet read takes {found['cold_start_ratio']:.2f} of the time of import torch")
    lines.append("stages of reading: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in found["stages"].items()))
    memory = ", ".join(f"{name} {mb:,.0f} MB" for name, mb in found["peak_mb"].items() if mb is not None)
    lines.append(f"peak memory, scoring 1,024 images: {memory}")
    return lines
