// The machine: a network as data, run and trained by WebAssembly made of the C export (export/c). No request is made.

const GLYPH_SIDE = 28;
// A record of `engine.c` has so many whole numbers; this one of them says where a layer's values begin.
const FIELDS = 12;
const OUT = 10;

// Bytes that were deflated and written in base64.
export async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Which machine this browser can run: the one with SIMD, if it has that. `read` gives the code of either, by name.
export async function chooseMachine(read) {
  const code = await read("simd");
  return WebAssembly.validate(code) ? { code, simd: true } : { code: await read("plain"), simd: false };
}

// The drawn digits of the page: glyphs of 16 greys, two pixels a byte, deflated.
export async function unpackDigits({ glyphs, labels }) {
  const bytes = await inflate(glyphs);
  return labels.map((label, k) => {
    const glyph = new Uint8Array(784);
    for (let j = 0; j < 392; j++) {
      const pair = bytes[392 * k + j];
      glyph[2 * j] = (pair >> 4) * 17;
      glyph[2 * j + 1] = (pair & 15) * 17;
    }
    return { label, glyph };
  });
}

export class Machine {
  // `told` has the description, the records of `engine.c`, the masks, and the parameters as float32 or as 8 bits.
  static async load({ code, simd }, told) {
    const [{ instance }, parameters] = await Promise.all([WebAssembly.instantiate(code), unpack(told)]);
    return new Machine(instance.exports, told, parameters, simd);
  }

  constructor(exports, told, parameters, simd) {
    Object.assign(this, { exports, parameters, simd });
    this.network = told.description;
    this.free = exports.__heap_base.value;
    this.count = told.records.length / FIELDS;
    this.values = told.values;
    this.at = {
      records: this.put(new Int32Array(told.records)),
      masks: this.put(Uint8Array.from(told.masks)),
      parameters: this.put(this.parameters),
      values: this.reserve(4 * told.values),
    };
    this.outs = [0];
    for (let k = 0; k < this.count; k++) this.outs.push(told.records[FIELDS * k + OUT]);
  }

  // The place of so many bytes more.
  reserve(size) {
    const place = (this.free + 15) & ~15;
    this.free = place + size;
    const missing = this.free - this.exports.memory.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / 65536));
    return place;
  }

  put(array) {
    const place = this.reserve(array.byteLength);
    new Uint8Array(this.exports.memory.buffer, place, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return place;
  }

  floats(place, count) {
    return new Float32Array(this.exports.memory.buffer, place, count);
  }

  // Writes a glyph, 784 greys from 0 for paper to 255 for pen, into the field: paper is -0.1, the pen 1.175.
  enter(glyph, values = this.at.values) {
    const { margin } = this.network;
    const side = 32 - 2 * margin;
    const around = 2 - margin;
    const field = this.floats(values, side * side).fill(-0.1);
    for (let y = 0; y < GLYPH_SIDE; y++) {
      for (let x = 0; x < GLYPH_SIDE; x++) field[(y + around) * side + x + around] = -0.1 + 1.275 * glyph[GLYPH_SIDE * y + x] / 255;
    }
  }

  // Runs the network; returns the values of the input and of every layer, copied.
  run(glyph) {
    this.enter(glyph);
    this.exports.network_run(this.at.records, this.count, this.at.parameters, this.at.values);
    const all = this.floats(this.at.values, this.values).slice();
    return this.outs.map((from, k) => all.subarray(from, this.outs[k + 1] ?? this.values));
  }

  // Calibrated probabilities of what `run` returned.
  probabilities(layers) {
    const scores = Array.from(layers.at(-1), (score) => score / this.network.temperature);
    const top = Math.max(...scores);
    const odds = scores.map((score) => Math.exp(score - top));
    const sum = odds.reduce((a, b) => a + b, 0);
    return odds.map((each) => each / sum);
  }

  // The glyph of a drawing, width * height greys; null if nothing is drawn, or if it is no clean drawing.
  glyphOf(greys, width, height) {
    const before = this.free;
    const memory = this.reserve(this.exports.drawing_memory(width, height));
    const page = this.put(greys);
    const out = this.reserve(GLYPH_SIDE * GLYPH_SIDE);
    const found = this.exports.drawing_glyph(memory, page, width, height, out);
    const glyph = new Uint8Array(this.exports.memory.buffer, out, GLYPH_SIDE * GLYPH_SIDE).slice();
    this.free = before;
    return found ? glyph : null;
  }

  // A copy that learns, beginning with weights drawn by chance.
  pupil() {
    return new Pupil(this);
  }
}

async function unpack({ parameters, scales }) {
  const bytes = await inflate(parameters);
  if (!scales) {
    const count = bytes.length / 4;
    const floats = new Uint8Array(bytes.length);
    for (let k = 0; k < bytes.length; k++) floats[4 * (k % count) + Math.floor(k / count)] = bytes[k];
    return new Float32Array(floats.buffer);
  }
  const found = new Float32Array(bytes.length);
  const whole = new Int8Array(bytes.buffer);
  for (const [from, past, scale] of scales) for (let k = from; k < past; k++) found[k] = whole[k] * scale;
  return found;
}

// Numbers by chance, the same for the same seed (Mulberry32).
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Pupil {
  constructor(machine) {
    this.machine = machine;
    this.count = machine.network.learned;
    const size = 4 * machine.parameters.length;
    for (const place of ["parameters", "gradient", "velocity"]) this[place] = machine.reserve(size);
    for (const place of ["values", "slopes"]) this[place] = machine.reserve(4 * machine.values);
    this.own = machine.parameters.slice();
  }

  // Draws its weights anew. Appendix A of the paper: evenly within 2.4 over the number of inputs; with ReLU within the root
  // of 6 over it. Coefficients begin as an average does, biases with 0; what a table leaves out stays 0, and codes as they are.
  begin(seed) {
    const drawn = chance(seed);
    const start = this.own.slice();
    for (const layer of this.machine.network.layers) {
      if (!layer.weights) continue;
      const [from, past] = layer.weights;
      const reach = layer.activation === "squash" ? 2.4 / layer.fan_in : Math.sqrt(6 / layer.fan_in);
      for (let k = from; k < past; k++) start[k] = layer.kind === "trainable" ? 0.25 + 0.1 * (drawn() - 0.5) : start[k] === 0 ? 0 : (2 * drawn() - 1) * reach;
      start.fill(0, ...layer.biases);
    }
    this.machine.floats(this.parameters, start.length).set(start);
    for (const place of ["gradient", "velocity"]) this.machine.floats(this[place], start.length).fill(0);
  }

  // Shows some digits and takes one step down their gradient; returns the mean loss.
  learn(glyphs, labels, rate) {
    const { exports, at, count } = this.machine;
    let loss = 0;
    glyphs.forEach((glyph, k) => {
      this.machine.enter(glyph, this.values);
      exports.network_run(at.records, count, this.parameters, this.values);
      loss += exports.network_back(at.records, count, this.parameters, at.masks, this.values, labels[k], this.slopes, this.gradient);
    });
    exports.network_step(this.parameters, this.gradient, this.velocity, this.count, rate / glyphs.length, 0.9);
    return loss / glyphs.length;
  }

  // How many of some digits are wrong.
  errors(glyphs, labels) {
    const { exports, at, count, network } = this.machine;
    return glyphs.filter((glyph, k) => {
      this.machine.enter(glyph, this.values);
      exports.network_run(at.records, count, this.parameters, this.values);
      const outs = this.machine.floats(this.values + 4 * this.machine.outs.at(-1), network.labels.length);
      return outs.indexOf(Math.max(...outs)) !== labels[k];
    }).length;
  }

  weights(from, past) {
    return this.machine.floats(this.parameters + 4 * from, past - from).slice();
  }
}
