"""Codes, serial numbers and words of capitals by writers that nothing was learned from or chosen on, read by lenet.

    python benchmarks/read_codes.py [--model lenet5-ascii] [--n 500] [--beside NAME|FILE]

Each is drawn with the characters that one of UNIPEN's writers of the part "dev" wrote one by one. It is read with its
format (a pattern, or the list of all words) and without. With `--beside` a second network says which confusions of
look-alikes it makes, among all characters of these writers.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import lenet
from lenet.engine import Network, load
from lenet.network.spec import code
from lenet.training.synthetic.characters import draw_apart
from lenet.training.synthetic.codes import CodeMaker

FORMS = {
    "AA9999": r"[A-Z]{2}\d{4}",
    "AAA99999": r"[A-Z]{3}\d{5}",
    "A9A9A9": r"[A-Z]\d[A-Z]\d[A-Z]\d",
    "999999": r"\d{6}",
}
# Words of a list: towns of three to nine letters.
WORDS = """AMSTERDAM ANKARA ATHENS BANGKOK BEIRUT BERLIN BERN BOGOTA BRUSSELS CAIRO DAKAR DELHI DUBLIN HAVANA HELSINKI
JAKARTA KABUL KIEV LAGOS LIMA LISBON LONDON MADRID MANILA MINSK MOSCOW NAIROBI OSLO OTTAWA PARIS PRAGUE QUITO RABAT
RIGA ROME SEOUL SOFIA TALLINN TEHRAN TIRANA TOKYO TUNIS VIENNA VILNIUS WARSAW ZAGREB""".split()
# What the codes of Fig. 3 were made alike for.
ALIKE = ("0Oo", "1lI|", "5Ss", "2Zz")


def main() -> None:
    """Print a table of what is read, and one of look-alikes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lenet5-ascii")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--beside")
    options = parser.parse_args()
    network = load(options.model)
    maker, rng = CodeMaker("dev"), np.random.default_rng(30)
    print("| what | exact with the format | answered, of those wrong | exact without | answered, of those wrong |")
    print("|---|---|---|---|---|")
    for form, pattern in FORMS.items():
        codes = [maker.make_code(rng, form) for _code in range(options.n)]
        tell(f"`{form}`", network, [(each.page, each.text) for each in codes], {"pattern": pattern})
    words = [maker.make_word(str(rng.choice(WORDS)), rng) for _word in range(options.n)]
    tell(f"one of {len(WORDS)} words", network, [(word.page, word.text) for word in words if word], {"choices": WORDS})
    networks = [network, *([load(options.beside)] if options.beside else [])]
    tell_nearness(networks)
    tell_alike(networks)


def tell(name: str, network: Network, pictures: list[tuple[np.ndarray, str]], asked: dict[str, Any]) -> None:
    """Read pictures with their format and without, and print a row."""
    cells = []
    for options in (asked, {}):
        readings = [lenet.read(page, model=network, **options) for page, _text in pictures]
        exact = sum(reading.best_text == text for reading, (_page, text) in zip(readings, pictures, strict=True))
        answered = [(reading.text, text) for reading, (_page, text) in zip(readings, pictures, strict=True) if reading]
        wrong = sum(read != text for read, text in answered)
        cells += [f"{100 * exact / len(pictures):.1f} %", f"{len(answered)}, {wrong}"]
    print(f"| {name}, {len(pictures)} | {' | '.join(cells)} |", flush=True)


def tell_nearness(networks: list[Network]) -> None:
    """Print how near the codes of what is read are to those of what is written, and how many guesses hold what is."""
    apart, signs = draw_apart(), networks[0].net.signs
    codes = np.array([code(ord(sign)) for sign in signs])
    pixels = (codes[:, None] != codes[None]).sum(axis=2)
    every = pixels[np.triu_indices(len(signs), 1)]
    print(
        "\n| network | wrong | pixels apart when wrong | all pairs | wrong among the nearest tenth of pairs | ", end=""
    )
    print("right among the first 1, 2, 3, 5 |\n|---|---|---|---|---|---|")
    for network in networks:
        ranked = np.argsort(-network.scores(apart.glyphs), axis=1, kind="stable")
        wrong = ranked[:, 0] != apart.labels
        near = pixels[apart.labels[wrong], ranked[wrong, 0]]
        held = [100 * float((ranked[:, :n] == apart.labels[:, None]).any(axis=1).mean()) for n in (1, 2, 3, 5)]
        share = 100 * float((near < np.quantile(every, 0.1)).mean())
        print(f"| {network.weights.name} | {wrong.sum():,} of {len(wrong):,} | {near.mean():.1f} | ", end="")
        print(f"{every.mean():.1f} | {share:.0f} % | {', '.join(f'{each:.1f}' for each in held)} % |", flush=True)


def tell_alike(networks: list[Network]) -> None:
    """Print how often each look-alike is read as another, and in how many of 84 pixels their codes differ."""
    apart = draw_apart()
    answers = [network.scores(apart.glyphs).argmax(axis=1) for network in networks]
    print(f"\n| is > read as | pixels apart | {' | '.join(network.weights.name for network in networks)} |")
    print(f"|---|---|{'---|' * len(networks)}")
    signs = networks[0].net.signs
    for group in ALIKE:
        for is_ in group:
            own = apart.labels == signs.index(is_)
            for said in group.replace(is_, ""):
                pixels = sum(a != b for a, b in zip(code(ord(is_)), code(ord(said)), strict=True))
                counts = [int((each[own] == signs.index(said)).sum()) for each in answers]
                row = " | ".join(f"{count} of {own.sum()}" for count in counts)
                print(f"| `{is_}` > `{said}` | {pixels} | {row} |".replace("`|`", "`\\|`"))


if __name__ == "__main__":
    main()
