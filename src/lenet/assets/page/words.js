// What is said of each layer, and of the terms: a sentence, and a formula whose numbers are counted from the network.

export const TERMS = {
  convolution: "The same small window of weights, the kernel, is laid on every place of a map. Each time its weights are multiplied by what they lie on, and all is added up.",
  kernel: "5 × 5 weights that look for one small pattern, such as an edge or the end of a stroke. LeNet-5's first layer has six.",
  map: "A picture of where a kernel's pattern was found: a large value means “here”. The paper calls it a feature map.",
  subsampling: "Four neighbours become one value. Where exactly a pattern was matters less and less. Today it is called pooling.",
  "trainable subsampling": "The four values are added up, multiplied by one learned coefficient for the map, and one learned bias is added. Then it is squashed.",
  bias: "A number that is added to every sum of a map. It is learned, as the weights are.",
  squash: "1.7159 tanh(⅔ a): sums of any size become values between −1.7159 and 1.7159; 1 stays 1.",
  connections: "How many multiplications and additions of a weight one picture takes. One weight has many connections, for it is used at every place.",
  parameters: "The numbers that are learned. Weights that are shared by all places of a map count once. The network of 1998 has 60,000. Its modern form has 61,706: S2 and S4 learn nothing (44 fewer), C3 sees all of S2 (900 more), and the output learns 84 × 10 weights and 10 biases (850 more).",
  pass: "All digits that are learned from, shown once.",
  step: "Some digits are shown, the gradients of their losses are added up, and every weight goes a little against its gradient.",
  momentum: "A part of the step before is taken again, so that steps that agree grow longer.",
  "trainable coefficient": "The one number by which the sum of the four is multiplied. It is learned, as the bias is.",
  code: "The drawing of a digit, 7 × 12 pixels of −1 and +1, that F6 is to become. Fig. 3 of the paper drew them by hand.",
  distance: "84 differences between F6 and a code, squared and added up. The nearest code is the answer (equation 7).",
  "receptive field": "The part of the drawing that a value can be changed by. It grows from layer to layer.",
  softmax: "Scores become probabilities that add up to 100 %: e to the power of each, over the sum of all.",
  "Table I": "Each map of C3 sees only some maps of S2. So maps must learn different things, and there are fewer connections.",
  ReLU: "A sum below 0 becomes 0, any other stays as it is. Most networks of today have it in place of the squash.",
  "max pooling": "Of four neighbours the largest is kept. Average pooling takes their mean. Neither learns anything.",
  "batch normalisation": "While a network learns, the sums of each map are brought to mean 0 and deviation 1 over some digits at a time. Afterwards it is a part of the weights.",
  "linear output": "Each digit has a weight for every value of F6; the products, added up, are its score. The network of 1998 has drawn codes instead (RBF: distances to them).",
  MNIST: "70,000 handwritten digits of some 500 writers, 60,000 to learn from and 10,000 to be tested on.",
  "forward pass": "From the drawing to the answer, one layer after the other.",
  loss: "How wrong an answer is: minus the logarithm of the probability of the right digit.",
  gradient: "For each weight, how fast the loss grows when the weight does. A step goes the other way.",
};

const number = (value) => value.toLocaleString("en");

// A layer's first letter says what it is.
export function titleOf(layer, network) {
  const last = layer === network.layers.at(-1);
  if (last) return layer.kind === "codes" ? `Output: distances to ${layer.shape[0]} codes` : `Output: ${layer.shape[0]} scores`;
  if (layer.kind !== "convolution") return `${layer.name}: subsampling`;
  return layer.before[1] === layer.size && layer.before[1] > 1 ? `${layer.name}: convolution over all of it` : layer.before[1] === 1 ? `${layer.name}: fully connected` : `${layer.name}: convolution`;
}

export function sayLayer(layer, network) {
  const [maps, high, wide] = layer.shape;
  const [from, above] = layer.before;
  const last = layer === network.layers.at(-1);
  const side = layer.size;
  if (layer.kind === "codes") {
    return `Each answer has a [code], a drawing of 7 × 12 pixels. The output is the [distance] between F6 and that code, with a minus sign: the nearest code has the highest score. The codes are fixed: nothing is learned here.`;
  }
  if (layer.kind !== "convolution") {
    const how = layer.kind === "trainable" ? `adds four neighbours up, times a [trainable coefficient], plus a [bias]; then comes the [squash]` : layer.kind === "average" ? "takes the mean of four neighbours" : "takes the largest of four neighbours";
    return `S stands for [subsampling]. Each value ${how}. ${above} × ${above} becomes ${high} × ${wide}: where a pattern is matters less than that it is there.`;
  }
  if (last) return `Each answer has ${number(from)} weights, one for each value of ${before(network, layer)}. The products are added up: that is its score. [softmax] makes probabilities of the scores.`;
  if (high === 1 && above === 1) {
    return maps === 84
      ? `F stands for fully connected: each value sees all ${from} of ${before(network, layer)}. There are 84, because 84 = 7 × 12: ${network.layers.at(-1).kind === "codes" ? "they are to become the drawing of a digit, its [code]." : "in 1998 they were to become the drawing of a digit."}`
      : `F stands for fully connected: each value sees all ${from} of ${before(network, layer)}.`;
  }
  if (high === 1) return `C stands for [convolution]. A kernel of ${side} × ${side} has one place on a map of ${above} × ${above}: one value is left of each map. On a larger picture C5 would have more, which is why it is called a convolution.`;
  const table = layer.table && maps === 16 ? ` [Table I] says which maps of ${before(network, layer)} each of the 16 sees: 3, 4 or all 6.` : from > 1 ? ` Each map has a kernel for every map of ${before(network, layer)}.` : "";
  const kernels = layer.table ? layer.table.reduce((sum, seen) => sum + seen.length, 0) : maps * from;
  return `C stands for [convolution]: ${kernels} [kernel]s of ${side} × ${side} slide over ${from === 1 ? "the drawing" : `${before(network, layer)} and make ${maps} maps`}.${table} A kernel has ${above} − ${side} + 1 = ${high} places on each side.`;
}

function before(network, layer) {
  const at = network.layers.indexOf(layer);
  return at > 0 ? network.layers[at - 1].name : "the drawing";
}

// The counted formula of a layer's parameters and connections.
export function countLayer(layer) {
  const [maps, high, wide] = layer.shape;
  const [from] = layer.before;
  const area = layer.size ** 2;
  const places = high * wide;
  if (layer.kind === "codes") return `0 parameters; ${maps} × ${from} = ${number(layer.connections)} connections`;
  if (layer.kind === "trainable") return `${maps} × (1 coefficient + 1 bias) = ${number(layer.trainable)} parameters; ${maps} × ${places} × (4 + 1) = ${number(layer.connections)} connections`;
  if (layer.kind !== "convolution") return `0 parameters; ${number(layer.connections)} connections`;
  const kernels = layer.table ? layer.table.reduce((sum, seen) => sum + seen.length, 0) : maps * from;
  const weights = area === 1 ? `${maps} × ${from}` : layer.table ? `${kernels} kernels × ${layer.size} × ${layer.size}` : `${maps} × ${from > 1 ? `${from} × ` : ""}${layer.size} × ${layer.size}`;
  const each = places > 1 ? `; at ${high} × ${wide} places: ${number(layer.connections)} connections` : `; as many connections`;
  return `${weights} weights + ${maps} biases = ${number(layer.trainable)} parameters${each}`;
}

export function sayWhole(network) {
  const sums = network.layers.filter((layer) => layer.trainable).map((layer) => `${layer.name} ${number(layer.trainable)}`).join(" + ");
  const test = network.errors === null ? "" : ` Of ${network.tested_on} it gets ${number(network.errors)} wrong.`;
  return `${sums} = ${number(network.trainable)} parameters, ${number(network.connections)} connections.${test}`;
}

// A text in which [terms] become buttons that explain themselves.
export function withTerms(text) {
  return text.split(/(\[[^\]]+\])/).filter(Boolean).map((part) => {
    if (!part.startsWith("[")) return document.createTextNode(part);
    const term = part.slice(1, -1);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "term";
    button.textContent = term;
    const plain = TERMS[term] ?? TERMS[term.replace(/s$/, "")];
    button.dataset.tip = plain;
    button.setAttribute("aria-label", `${term}: ${plain}`);
    return button;
  });
}
