"""Lines of characters: what a network that says any printable sign says of each, how surely, and where it stands."""

from __future__ import annotations

from dataclasses import replace

from lenet.answers.line import Place, PlacedLine, place_symbols
from lenet.answers.readers import ScoredCandidates
from lenet.decoding.characters import decode_characters, weigh_characters
from lenet.decoding.graph import Automaton
from lenet.engine import Network
from lenet.network.probabilities import log_probabilities
from lenet.network.spec import PRINTABLE


def read_character_lines(
    scored: ScoredCandidates, network: Network, allowed: Automaton | None, best: int
) -> list[PlacedLine]:
    """Return what every line of a page says; `allowed` is an automaton over `PRINTABLE`."""
    scorer = network.weights.character_scorer
    assert scorer is not None
    found = []
    for line in range(len(scored.candidates.lattice.lines)):
        candidates = scored.look(line, again=True)
        log_probs = log_probabilities(scored.probabilities)
        decoded, arcs = decode_characters(candidates.lattice, line, log_probs, scorer, allowed, best)
        share = decoded.confidence
        confidence = weigh_characters(decoded, network.weights.character_trust)
        rest = min(confidence / share, (1 - confidence) / (1 - share)) if 0 < share < 1 else 0.0
        likeliest = tuple(
            (text, confidence if text == decoded.text else rest * chance) for text, chance in decoded.likeliest
        )
        places = [Place(arc, candidates.box(arc), candidates.glyphs[arc]) for arc in arcs.tolist()]
        found.append(place_symbols(replace(decoded, confidence=confidence, likeliest=likeliest), places, PRINTABLE))
    return found
