"""`lenet summary`: the table per layer."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from lenet.errors import UsageError
from lenet.network import summary as anatomy
from lenet.network.spec import LINE_NETS, NETS

Layers = tuple[anatomy.LayerFacts, ...]


def summary(
    nets: Annotated[list[str] | None, typer.Argument(metavar="[NET...]", help="Networks; all when none named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per network.")] = False,
) -> None:
    """Show the layers of networks and their totals.

    Each layer has its output, trainable parameters, connections and multiply-accumulates; of lenet-line, which reads
    lines, on a square field.

    Several networks stand below each other, with their totals side by side and where the well-known totals
    60,000, 61,706 and 61,750 come from.

    \b
    Example:
      lenet summary lenet5-1998
    """
    chosen = nets or list(NETS)
    every = NETS | LINE_NETS
    for name in chosen:
        if name not in every:
            raise UsageError(f"network {name!r}", "no such network", f"expected one of {', '.join(every)}")
    if as_json:
        for name in chosen:
            print(json.dumps(_as_json(name, anatomy.layer_facts(every[name]))))
        return
    for name in chosen:
        _print_layers(name, every[name].about, anatomy.layer_facts(every[name]))
    if len(chosen) > 1:
        _print_side_by_side({name: anatomy.layer_facts(every[name]) for name in chosen})
        print("\nwell-known totals of trainable parameters:")
        for line in anatomy.explain_totals():
            print(f"  {line}")


def _as_json(name: str, layers: Layers) -> dict[str, Any]:
    return {
        "net": name,
        "trainable": sum(layer.trainable for layer in layers),
        "connections": sum(layer.connections for layer in layers),
        "macs": sum(layer.macs for layer in layers),
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "output": list(layer.output),
                "trainable": layer.trainable,
                "connections": layer.connections,
                "macs": layer.macs,
            }
            for layer in layers
        ],
    }


def _print_layers(name: str, about: str, layers: Layers) -> None:
    print(f"\n{name}: {about}")
    print(f"  {'layer':<8}{'what':<24}{'output':>12}{'trainable':>12}{'connections':>14}{'macs':>12}")
    for layer in layers:
        maps, height, width = layer.output
        output = f"{maps}@{height}x{width}"
        print(
            f"  {layer.name:<8}{layer.kind:<24}{output:>12}"
            f"{layer.trainable:>12,}{layer.connections:>14,}{layer.macs:>12,}"
        )
    totals = [sum(getattr(layer, what) for layer in layers) for what in ("trainable", "connections", "macs")]
    print(f"  {'total':<44}{totals[0]:>12,}{totals[1]:>14,}{totals[2]:>12,}")


def _print_side_by_side(tables: dict[str, Layers]) -> None:
    names = list(dict.fromkeys(layer.name for layers in tables.values() for layer in layers))
    width = max(map(len, tables)) + 2
    print(f"\ntrainable parameters side by side:\n  {'':<8}" + "".join(f"{name:>{width}}" for name in tables))
    for name in names:
        cells = [next((layer.trainable for layer in layers if layer.name == name), None) for layers in tables.values()]
        print(f"  {name:<8}" + "".join(f"{'-' if cell is None else format(cell, ','):>{width}}" for cell in cells))
    totals = [sum(layer.trainable for layer in layers) for layers in tables.values()]
    print(f"  {'total':<8}" + "".join(f"{total:>{width},}" for total in totals))
