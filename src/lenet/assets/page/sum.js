// Where one value comes from: the windows that it looks at, their weights, what they come to, bias, squash.

export const SQUASHES = {
  none: (x) => x,
  relu: (x) => Math.max(0, x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  squash: (x) => 1.7159 * Math.tanh((2 / 3) * x),
};
export const SQUASH_WORDS = { none: "nothing more", relu: "ReLU, 0 for what is below 0", sigmoid: "the sigmoid", squash: "squash, 1.7159 tanh(⅔ a)" };

// The rows (or columns) of the layer before that a row (or column) of a layer looks at.
function windowOf(layer, at) {
  if (layer.kind === "codes") return [0, 1];
  return layer.kind === "convolution" ? [at, at + layer.size] : [2 * at, 2 * at + 2];
}

// `before` are the values of the layer before, `value` what the machine says; place is [map, row, column].
export function sumOf(machine, number, place, layers) {
  const layer = machine.network.layers[number];
  const [map, row, column] = place;
  const [maps, high, wide] = layer.before;
  const before = layers[number];
  const [y0, y1] = windowOf(layer, row);
  const [x0, x1] = windowOf(layer, column);
  const seen = layer.kind === "convolution" ? layer.table?.[map] ?? [...Array(maps).keys()] : layer.kind === "codes" ? [...Array(maps).keys()] : [map % maps];
  const weights = layer.weights ? machine.parameters.subarray(...layer.weights) : layer.codes ? machine.parameters.subarray(...layer.codes) : null;
  const bias = layer.biases ? machine.parameters[layer.biases[0] + map] : 0;
  const terms = seen.map((from) => {
    const values = [];
    const own = [];
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        values.push(before[(from * high + y) * wide + x]);
        if (layer.kind === "convolution") own.push(weights[((map * maps + from) * layer.size + y - y0) * layer.size + x - x0]);
        else if (layer.kind === "codes") own.push(weights[map * maps + from]);
        else if (layer.kind === "trainable") own.push(weights[map]);
        else own.push(layer.kind === "average" ? 0.25 : 1);
      }
    }
    let sum;
    if (layer.kind === "codes") sum = -((values[0] - own[0]) ** 2);
    else if (layer.kind === "max") sum = Math.max(...values);
    else sum = values.reduce((total, each, k) => total + each * own[k], 0);
    return { map: from, values, weights: own, wide: x1 - x0, sum };
  });
  const total = terms.reduce((all, term) => all + term.sum, bias);
  return { layer, number, place, label: machine.network.labels[map], terms, bias, total, window: [x0, y0, x1, y1], activation: layer.activation, value: SQUASHES[layer.activation](total) };
}

// The part of the 32x32 field that a value can be changed by: x0, y0, x1, y1 of the input as the network has it.
export function fieldOf(network, number, row, column) {
  const sides = [column, row].map((at) => {
    let [first, past] = [at, at + 1];
    for (let k = number; k >= 0; k--) {
      const layer = network.layers[k];
      if (layer.kind === "convolution") past += layer.size - 1;
      else if (layer.kind !== "codes") [first, past] = [2 * first, 2 * past];
    }
    return [first, past];
  });
  return [sides[0][0], sides[1][0], sides[0][1], sides[1][1]];
}
