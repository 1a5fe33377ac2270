"""Requests a second of `lenet serve` under load, beside a bare FastAPI route that answers the same bytes.

    python benchmarks/serve_load.py [--seconds 60] [--connections 16] [--json]

wrk (Debian's) asks both in turn over loopback, with a PNG of one digit; the service reads it (`/read?digit=true`, and
`/read` as a number), the bare route receives it and answers what the service had answered. Also: errors, and the
service's memory before and after.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from lenet.training.synthetic.styles import draw_style

BARE = """
import socket, sys, uvicorn
from fastapi import FastAPI, Request, Response
app, body = FastAPI(), sys.argv[1].encode()
@app.post("/read")
async def read(request: Request) -> Response:
    await request.body()
    return Response(body, media_type="application/json")
listening = socket.socket(); listening.bind(("127.0.0.1", 0)); listening.listen(512)
print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listening])
"""


@contextmanager
def running(*command: str) -> Iterator[tuple[str, int]]:
    """Start a service; yield its address and its process's number."""
    process = subprocess.Popen(
        [sys.executable, "-c", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait()


def memory(pid: int) -> float:
    """Return the megabytes of a process and its children."""
    children = [
        each for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]
    status = [Path(f"/proc/{each}/status").read_text() for each in (pid, *children)]
    return sum(int(found.group(1)) for each in status if (found := re.search(r"VmRSS:\s+(\d+)", each))) / 1024


def asked(address: str, seconds: int, connections: int, script: Path) -> dict[str, float]:
    """Have wrk ask, and return what it says."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def milliseconds(share: str) -> float:
        value, unit = re.findall(rf"{share}%\s+([\d.]+)(us|ms|s)", said)[0]
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    wrong = re.findall(r"Non-2xx or 3xx responses: (\d+)", said) + re.findall(
        r"(?:connect|read|write|timeout) (\d+)", said
    )
    return {
        "per_second": float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]),
        "median_ms": milliseconds("50"),
        "p99_ms": milliseconds("99"),
        "errors": sum(map(int, wrong)),
    }


def main() -> None:
    """Ask the service and the bare route, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt-get install wrk")
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        body = small_digit(Path(folder) / "digit.png")
        script = Path(folder) / "post.lua"
        script.write_text(
            f'local file = io.open("{body}", "rb")\nwrk.body = file:read("*a")\nfile:close()\n'
            'wrk.method = "POST"\nwrk.headers["Content-Type"] = "image/png"\n'
        )
        serve = ("from lenet.cli import main; main()", "serve", "--port", "0", "--folder", folder)
        with running(*serve) as (address, pid):
            answer = urllib.request.urlopen(
                urllib.request.Request(f"{address}/read?digit=true", body.read_bytes(), {"Content-Type": "image/png"})
            ).read()
            with running(BARE, answer.decode()) as (bare, _pid):
                for name, path in {"digit": "/read?digit=true", "number": "/read"}.items():
                    asked(address + path, 2, options.connections, script)
                    before = memory(pid)
                    found[name] = asked(address + path, options.seconds, options.connections, script)
                    found[name] |= {"mb_before": round(before, 1), "mb_after": round(memory(pid), 1)}
                found["bare route"] = asked(f"{bare}/read", max(2, options.seconds // 4), options.connections, script)
    for each in found.values():
        each["ratio_to_bare"] = round(each["per_second"] / found["bare route"]["per_second"], 3)
    if options.json:
        print(json.dumps(found))
        return
    for name, each in found.items():
        print(name, ", ".join(f"{key} {value:g}" for key, value in each.items()))


def small_digit(out: Path) -> Path:
    """Write a crossed 7 as a PNG of 56x56 pixels, dark on white."""
    glyph = draw_style("crossed 7", np.random.default_rng(7))[0]
    Image.fromarray(255 - glyph).resize((56, 56)).save(out)
    return out


if __name__ == "__main__":
    main()
