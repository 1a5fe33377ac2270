"""What follows from a network's layer records: shapes, parameters, connections, multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass

from lenet.network.spec import INPUT_SIZE, NETS, Convolution, Layer, Net, Subsampling


@dataclass(frozen=True)
class LayerFacts:
    """One layer on a given field.

    `output` is (maps, height, width); `shapes` the trainable tensors by their own short name;
    `connections` counts what the paper counts (weights, biases and the RBF's fixed weights at every
    position; 4 per output for pooling without parameters); `macs` multiplications by a weight.
    """

    name: str
    kind: str
    output: tuple[int, int, int]
    shapes: dict[str, tuple[int, ...]]
    trainable: int
    connections: int
    macs: int


def _describe_layer(layer: Layer, maps: int, height: int, width: int) -> LayerFacts:
    if isinstance(layer, Convolution):
        kernels = maps * layer.maps if layer.table is None else sum(map(len, layer.table))
        (rows, columns), (above, beside) = layer.kernel, layer.padding
        weights = kernels * rows * columns
        out = (layer.maps, height + 2 * above - rows + 1, width + 2 * beside - columns + 1)
        positions = out[1] * out[2]
        shapes = {"weight": (layer.maps, maps, rows, columns), "bias": (layer.maps,)}
        trainable = weights + layer.maps
        return LayerFacts(layer.name, "convolution", out, shapes, trainable, trainable * positions, weights * positions)
    if isinstance(layer, Subsampling):
        maps *= layer.copies
        out = (maps, height // layer.window[0], width // layer.window[1])
        units = out[0] * out[1] * out[2]
        if layer.kind == "trainable":
            shapes = {"coefficient": (maps,), "bias": (maps,)}
            return LayerFacts(layer.name, "trainable subsampling", out, shapes, 2 * maps, 5 * units, units)
        return LayerFacts(layer.name, f"{layer.kind} pooling", out, {}, 0, layer.window[0] * layer.window[1] * units, 0)
    out = (len(layer.characters), height, width)
    weights = out[0] * maps * height * width
    return LayerFacts(layer.name, "RBF codes", out, {}, 0, weights, weights)


def layer_facts(net: Net, height: int = INPUT_SIZE, width: int = INPUT_SIZE) -> tuple[LayerFacts, ...]:
    """Return the facts of each layer of `net` on a field of `height` by `width` pixels.

    Raises ValueError when the field is smaller than 32x32.
    """
    if height < INPUT_SIZE or width < INPUT_SIZE:
        raise ValueError(f"field {height}x{width}: smaller than {INPUT_SIZE}x{INPUT_SIZE}")
    shape = (1, height - 2 * net.margin, width - 2 * net.margin)
    facts = []
    for layer in net.layers:
        facts.append(_describe_layer(layer, *shape))
        shape = facts[-1].output
    return tuple(facts)


def tensor_shapes(net: Net) -> dict[str, tuple[int, ...]]:
    """Return the shape of every trainable tensor by its full name, such as ``c1.weight`` (6, 1, 5, 5).

    A convolution with a connection table has its full weight tensor, with zeros where there is no kernel.
    """
    return {
        f"{facts.name.lower()}.{tensor}": shape for facts in layer_facts(net) for tensor, shape in facts.shapes.items()
    }


def count_trainable(net: Net) -> int:
    """Return the number of trainable parameters."""
    return sum(facts.trainable for facts in layer_facts(net))


def count_batch_normalisation(net: Net) -> int:
    """Return what batch normalisation after the first two convolutions adds: a gain and a shift per map."""
    return sum(2 * layer.maps for layer in find_normalised(net))


def find_normalised(net: Net) -> tuple[Convolution, ...]:
    """Return the layers that batch normalisation follows when a recipe asks for it.

    They are C1 and C3, no other; of a line network all convolutions but the last.
    """
    convolutions = tuple(layer for layer in net.layers if isinstance(layer, Convolution))
    return convolutions[:-1] if net.reads_lines else convolutions[:2]


def explain_totals() -> tuple[str, ...]:
    """Return a line for each of the totals that people quote for "LeNet-5", added up layer by layer."""
    paper, dense, common, modern = (NETS[name] for name in ("lenet5-1998", "lenet5-dense", "lenet5", "lenet5-modern"))
    c3_paper, c3_full = layer_facts(paper)[2].trainable, layer_facts(dense)[2].trainable
    pools = sum(layer_facts(paper)[i].trainable for i in (1, 3))
    output = layer_facts(dense)[-1].trainable
    norm = count_batch_normalisation(modern)
    from_paper = f"{count_trainable(paper):,} + {c3_full - c3_paper:,} (C3 sees all maps) + {output:,} (linear output)"
    return (
        (
            f"{count_trainable(paper):,} the paper's: C3 by Table I has {c3_paper:,}, S2 and S4 {pools}, "
            "the codes are fixed"
        ),
        f"{count_trainable(common):,} = {from_paper} - {pools} (pooling without parameters)",
        f"{count_trainable(dense):,} = {from_paper}: lenet5-dense, which keeps the trainable subsampling",
        (
            f"{count_trainable(modern) + norm:,} = {count_trainable(modern):,} + {norm} "
            "(batch normalisation, while it is trained)"
        ),
    )
