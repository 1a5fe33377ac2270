"""`lenet serve` under mixed load for hours: right answers, flat memory, nothing lost.

    python benchmarks/soak_service.py [--minutes 120] [--json FILE]

Six clients at once, each with a pause behind a request, so that a core is left to others: digits, numbers and tables
(each answer must be the first answer to that picture, to the byte, or 503 with a reason), bad bodies (cut, not a
picture, a picture of 40,000 pixels a side, a wrong chunk, a client that leaves), corrections (each that was answered
200 must be a file and a row of labels.csv in the end, with the pixels that were sent), and trainings, one behind the
other, stopped, thrown away or kept. Every 20 seconds a reader is killed. Memory is what the service and its readers
have written (no pages of files, which others may share), without the training's process, each minute.
"""

from __future__ import annotations

import argparse
import base64
import csv
import http.client
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
# Seconds between two killed readers, and between two measurements of memory.
KILL_EVERY, MEASURE_EVERY = 20.0, 60.0
# A process is known as a reader after so many seconds.
SETTLED = 5.0
# What a right answer may be besides the right one: a reader was killed, or too much was asked.
EXCUSED = (429, 503)


class Soak:
    """The service that is asked, what it answered, and when to stop."""

    def __init__(self, folder: Path, minutes: float) -> None:
        self.folder = folder
        self.until = time.monotonic() + 60 * minutes
        serve = "from lenet.cli import main; main()"
        self.log = (folder / "log.jsonl").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-c", serve, "serve", "--port", "0", "--folder", str(folder / "kept")],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = urlsplit(self.process.stdout.readline().strip())
        self.lock = threading.Lock()
        self.told: dict[str, Counter[str]] = {}
        self.wrong: list[str] = []
        self.kept: dict[str, int] = {}
        self.killed = 0
        self.memory: list[float] = []
        self.slowest = 0.0

    def going(self) -> bool:
        """Tell whether there is time left, and the service runs."""
        return time.monotonic() < self.until and self.process.poll() is None

    def ask(self, kind: str, method: str, path: str, body: bytes = b"", media: str = "") -> tuple[int, bytes]:
        """Ask once, on a connection of its own; count the status."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection(str(self.address.hostname), self.address.port, timeout=60)
        try:
            connection.request(method, path, body or None, {"content-type": media} if media else {})
            answer = connection.getresponse()
            found = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            found = 0, type(error).__name__.encode()
        finally:
            connection.close()
        with self.lock:
            self.told.setdefault(kind, Counter())[str(found[0])] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
        return found

    def blame(self, line: str) -> None:
        """Note what should not have happened."""
        with self.lock:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {line}"[:300])

    def children(self) -> list[int]:
        """Return the processes that the service has begun."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [int(each) for task in tasks.iterdir() for each in (task / "children").read_text().split()]

    def readers(self) -> list[int]:
        """Return its processes that read: a training's is nicer than they are."""
        own = os.getpriority(os.PRIO_PROCESS, self.process.pid)
        return [each for each in self.children() if _is_reader(each, own)]


def _is_reader(pid: int, nice: int) -> bool:
    try:
        named = b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return named and os.getpriority(os.PRIO_PROCESS, pid) == nice
    except OSError:
        return False


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024


def read_right(soak: Soak, path: str, pictures: list[tuple[str, bytes]], pause: float) -> None:
    """Ask for pictures by turns; each answer is to be the first one's, to the byte."""
    first: dict[str, bytes] = {}
    turn = 0
    while soak.going():
        name, data = pictures[turn % len(pictures)]
        turn += 1
        status, body = soak.ask(path, "POST", path, data, "application/octet-stream")
        if status == 200:
            if first.setdefault(name, body) != body:
                soak.blame(f"{path} {name}: another answer {body[:120]!r}")
        elif status not in EXCUSED:
            soak.blame(f"{path} {name}: {status} {body[:120]!r}")
        time.sleep(pause)


def send_bad(soak: Soak, good: bytes, pause: float) -> None:
    """Send what is no picture, in six ways; each is to be refused with one line, and soon."""
    rng = random.Random(1)
    huge = io.BytesIO()
    Image.new("1", (40_000, 40_000)).save(huge, "PNG")
    while soak.going():
        cut = good[: rng.randrange(1, len(good))]
        flipped = bytearray(good)
        for _change in range(8):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        for kind, data, allowed in (
            ("cut", cut, (200, 415, 422)),
            ("flipped", bytes(flipped), (200, 415, 422, 413)),
            ("noise", rng.randbytes(rng.randrange(1, 5_000)), (415, 422)),
            ("huge", huge.getvalue(), (413,)),
        ):
            status, body = soak.ask(f"bad: {kind}", "POST", "/read", data, "image/png")
            if status not in (*allowed, *EXCUSED):
                soak.blame(f"bad {kind}: {status} {body[:120]!r}")
            time.sleep(pause)
        for kind, rest in (
            ("wrong chunk", b"transfer-encoding: chunked\r\n\r\nzz\r\n"),
            ("left early", b"content-length: 5000\r\n\r\nabc"),
        ):
            send_raw(soak, kind, b"POST /read HTTP/1.1\r\nhost: localhost\r\n" + rest)
            time.sleep(pause)


def send_raw(soak: Soak, kind: str, data: bytes) -> None:
    """Send bytes and leave; what is answered within a second is counted."""
    answer = b""
    try:
        with socket.create_connection((soak.address.hostname, soak.address.port), timeout=1) as line:
            line.sendall(data)
            if kind == "wrong chunk":
                answer = line.recv(100)
    except OSError as error:
        answer = type(error).__name__.encode()
    with soak.lock:
        soak.told.setdefault(f"bad: {kind}", Counter())[answer[9:12].decode("ascii", "replace") or "none"] += 1


def correct(soak: Soak, pause: float) -> None:
    """Send glyphs that are all different, and remember those that were taken."""
    rng = np.random.default_rng(2)
    while soak.going():
        glyph = rng.integers(0, 256, 784, dtype=np.uint8)
        label = str(rng.integers(10))
        asked = json.dumps({"glyph": base64.b64encode(glyph.tobytes()).decode(), "label": label}).encode()
        status, body = soak.ask("corrections", "POST", "/corrections", asked, "application/json")
        if status == 200:
            soak.kept[glyph.tobytes().hex()] = int(label)
        elif status not in EXCUSED:
            soak.blame(f"correction: {status} {body[:120]!r}")
        time.sleep(pause)


def train(soak: Soak) -> None:
    """Train again and again; end it in one of three ways."""
    rng = random.Random(3)
    while soak.going():
        asked = json.dumps({"recipe": "quick", "passes": 1}).encode()
        status, body = soak.ask("train", "POST", "/train", asked, "application/json")
        if status != 200:
            soak.blame(f"train: {status} {body[:120]!r}")
            time.sleep(5)
            continue
        ending = rng.choice(("wait", "stop", "throw away"))
        begun = time.monotonic()
        while soak.going() and time.monotonic() < begun + (600 if ending == "wait" else rng.uniform(5, 30)):
            state = json.loads(soak.ask("train state", "GET", "/train")[1] or b"{}").get("state")
            if state != "running":
                break
            time.sleep(2)
        if ending == "stop":
            soak.ask("train stop", "POST", "/train/stop")
        if ending != "throw away":
            status, body = soak.ask("train keep", "POST", "/train/keep")
            while status == 409 and b"still runs" in body and soak.going():
                time.sleep(2)
                status, body = soak.ask("train keep", "POST", "/train/keep")
            if status != 200 and soak.going():
                soak.blame(f"keep after {ending}: {status} {body[:120]!r}")
        soak.ask("train thrown away", "DELETE", "/train")
        time.sleep(60)


def kill_readers(soak: Soak) -> None:
    """End a reader now and then, as a machine short of memory would."""
    rng = random.Random(4)
    while soak.going():
        time.sleep(KILL_EVERY - SETTLED)
        before = soak.readers()
        time.sleep(SETTLED)
        # A training that has just begun is not nice yet: until then it looks like a reader.
        readers = [each for each in soak.readers() if each in before]
        if readers:
            os.kill(rng.choice(readers), signal.SIGKILL)
            soak.killed += 1


def measure(soak: Soak) -> None:
    """Note the memory of the service and its readers."""
    while soak.going():
        time.sleep(MEASURE_EVERY)
        soak.memory.append(_megabytes(soak.process.pid) + sum(map(_megabytes, soak.readers())))


def missing_corrections(soak: Soak) -> tuple[int, int]:
    """Return how many corrections were lost, and how many files or rows there are too many."""
    folder = soak.folder / "kept" / "corrections"
    with (folder / "labels.csv").open(newline="") as file:
        rows = {row["path"]: row["label"] for row in csv.DictReader(file)}
    found = Counter(
        (np.asarray(Image.open(folder / name).convert("L")).tobytes().hex(), int(label)) for name, label in rows.items()
    )
    inverted = Counter({(bytes(255 - each for each in bytes.fromhex(g)).hex(), n): c for (g, n), c in found.items()})
    wanted = Counter(soak.kept.items())
    best = min((found, inverted), key=lambda each: sum((wanted - each).values()))
    files = sum(1 for _file in folder.glob("*.png"))
    return sum((wanted - best).values()), sum((best - wanted).values()) + abs(files - len(rows))


def encode(picture: Image.Image) -> bytes:
    """Return the bytes of a PNG."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def main() -> None:
    """Soak, and print what was found; the status is 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    examples = ROOT / "examples"
    names = ("zip.jpg", "amount.jpg", "phone.jpg", "fax.tif", "canvas.png", "touching.jpg")
    numbers = [(name, (examples / name).read_bytes()) for name in names]
    digits = [(name, (examples / name).read_bytes()) for name in ("thin.png", "tiny.bmp", "marker.png")]
    tables = [(file.name, file.read_bytes()) for file in sorted((examples / "pages").glob("*.jpg"))[:2]]
    with tempfile.TemporaryDirectory() as place:
        soak = Soak(Path(place), options.minutes)
        work: list[Callable[[], None]] = [
            lambda: read_right(soak, "/read?digit=true", digits, 0.05),
            lambda: read_right(soak, "/read", numbers, 0.2),
            lambda: read_right(soak, "/table", tables, 5.0),
            lambda: send_bad(soak, numbers[0][1], 0.3),
            lambda: correct(soak, 0.5),
            lambda: train(soak),
            lambda: kill_readers(soak),
            lambda: measure(soak),
        ]
        threads = [threading.Thread(target=each) for each in work]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        alive = soak.process.poll() is None
        lost, more = missing_corrections(soak)
        soak.process.terminate()
        status = soak.process.wait(60)
        left = [line for line in (Path(place) / "log.jsonl").read_text().splitlines() if not line.startswith("{")]
    half = soak.memory[len(soak.memory) // 2 :]
    found = {
        "minutes": options.minutes,
        "requests": {kind: dict(sorted(each.items())) for kind, each in sorted(soak.told.items())},
        "readers_killed": soak.killed,
        "wrong": soak.wrong,
        "corrections": {"kept": len(soak.kept), "lost": lost, "too_many": more},
        "slowest_s": round(soak.slowest, 1),
        "megabytes": [round(each) for each in soak.memory],
        "megabytes_a_hour": round(float(np.polyfit(range(len(half)), half, 1)[0]) * 60, 1) if len(half) > 1 else None,
        "alive_to_the_end": alive,
        "status": status,
        "log_lines_that_are_no_json": left[:20],
    }
    text = json.dumps(found, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    sys.exit(bool(soak.wrong or lost or more or left or status or not alive))


if __name__ == "__main__":
    main()
