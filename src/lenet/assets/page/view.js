// The whole network side by side: every layer's maps, the edges of the value pointed at, and the answer.

export function make(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Draws values as greys of ink: `low` is paper, `high` ink; or, signed, from blue over paper to orange.
export function paint(canvas, values, wide, high, low, top, signed = false) {
  canvas.width = wide;
  canvas.height = high;
  const pen = canvas.getContext("2d", { willReadFrequently: true }); // figures are saved from it
  const image = pen.createImageData(wide, high);
  for (let k = 0; k < wide * high; k++) {
    image.data.set(signed ? signedColour(values[k] / (top || 1)) : inkColour((values[k] - low) / (top - low || 1)), 4 * k);
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

function inkColour(share) {
  const s = Math.min(1, Math.max(0, share));
  return [Math.round(253 - 233 * s), Math.round(252 - 232 * s), Math.round(250 - 224 * s), 255];
}

function signedColour(share) {
  const s = Math.min(1, Math.abs(share));
  const end = share < 0 ? [29, 78, 216] : [194, 65, 12];
  return [...end.map((each) => Math.round(250 + (each - 250) * s)), 255];
}

// How many maps stand beside each other, on a desk and on a phone, and how large a value is drawn, in pixels.
const SHAPES = { 1: [1, 1], 4: [1, 1], 6: [1, 2], 8: [1, 2], 12: [2, 2], 16: [2, 4], 18: [2, 3], 48: [4, 8], 84: [7, 7], 120: [8, 8], 360: [12, 12], 252: [12, 12] };
const NARROW = 700;
const CELL = { 32: 4, 28: 2, 24: 2, 14: 3, 12: 3, 10: 3, 8: 3, 5: 5, 4: 5 };

export function layoutOf(shape) {
  const [maps, high, wide] = shape;
  const single = high * wide === 1;
  const across = SHAPES[maps]?.[innerWidth < NARROW ? 1 : 0] ?? (single ? 8 : Math.ceil(maps / 8));
  const cell = single ? (maps === 84 ? 13 : 11) : maps === 1 ? 4 : CELL[wide] ?? 3;
  return { maps, high, wide, across, gap: single ? 0 : 1, cell, single };
}

// Of more answers than this the likeliest ones are shown, so many.
const MOST_ANSWERS = 11, LIKELIEST = 10;

export class View {
  // `chosen(number, place)` is told which value of which layer is looked at; -1 is the input.
  constructor(box, machine, chosen) {
    this.box = box;
    this.machine = machine;
    this.chosen = chosen;
    this.at = null;
    this.parts = [];
    box.replaceChildren();
    this.row = make("div", "", { class: "layers" });
    this.edges = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.edges.setAttribute("class", "edges");
    this.edges.setAttribute("aria-hidden", "true");
    box.append(this.row, this.edges);
    const { layers } = machine.network;
    const side = 32 - 2 * machine.network.margin;
    this.add({ name: "input", shape: [1, side, side] }, -1);
    layers.slice(0, -1).forEach((layer, number) => this.add(layer, number));
    this.addOutput(layers.at(-1), layers.length - 1);
    new ResizeObserver(() => this.fit()).observe(box);
    this.row.addEventListener("scroll", () => this.drawEdges(), { passive: true });
  }

  // Draws maps smaller where that brings the whole network onto a screen that is not small.
  fit() {
    const { row } = this;
    row.style.removeProperty("--zoom");
    const full = Number(getComputedStyle(row).getPropertyValue("--zoom")) || 1;
    const fixed = this.parts.length * 24 + 150; // about what gaps and bars take, which stay as they are
    // A few times, for what stays is not known to the pixel; below three fifths it is scrolled instead.
    for (let turn = 0, zoom = full; turn < 4 && innerWidth >= NARROW && row.scrollWidth > row.clientWidth; turn++) {
      zoom *= 0.99 * (row.clientWidth - fixed) / (row.scrollWidth - fixed);
      if (zoom < 0.6 * full) { row.style.removeProperty("--zoom"); break; }
      row.style.setProperty("--zoom", zoom.toFixed(3));
    }
    this.drawEdges();
  }

  add(layer, number) {
    const [maps, high, wide] = layer.shape;
    const part = make("figure", "", { class: "layer", id: `layer-${layer.name}` });
    const caption = make("figcaption");
    const button = make("button", layer.name === "input" ? "Input" : layer.name, { type: "button", class: "layer-name" });
    button.addEventListener("click", () => this.pin(number, number < 0 ? [0, 12, 15] : this.brightest(number)));
    caption.append(button, make("small", high * wide === 1 ? `${maps}` : `${maps > 1 ? `${maps} @ ` : ""}${high} × ${wide}`));
    const layout = layoutOf(layer.shape);
    const canvas = make("canvas", "", { class: "maps", tabindex: "0", role: "application", "aria-label": `values of ${layer.name === "input" ? "the drawing" : layer.name}; the arrow keys choose one` });
    canvas.style.setProperty("--across", layout.across * (wide + layout.gap) - layout.gap);
    canvas.style.setProperty("--cell", `${layout.cell}px`);
    part.append(canvas, caption);
    this.row.append(part);
    this.parts.push({ layer, number, layout, canvas, part });
    this.listen(this.parts.at(-1));
  }

  addOutput(layer, number) {
    const part = make("figure", "", { class: "layer output", id: `layer-${layer.name}` });
    const list = make("ol", "", { class: "answers", "aria-label": "probability of each answer" });
    this.answers = this.machine.network.labels.map((label, k) => {
      const item = make("li");
      const button = make("button", "", { type: "button", "aria-label": label });
      const code = layer.kind === "codes" ? make("canvas", "", { class: "code", "aria-hidden": "true" }) : null;
      const bar = make("i");
      const told = make("span", "", { class: "told" });
      button.append(make("b", label), ...(code ? [code] : []), make("span", "", { class: "track" }), told);
      button.querySelector(".track").append(bar);
      button.addEventListener("click", () => this.pin(number, [k, 0, 0]));
      button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !this.pinned && this.choose(number, [k, 0, 0]));
      item.append(button);
      item.hidden = k >= LIKELIEST && this.machine.network.labels.length > MOST_ANSWERS;
      list.append(item);
      if (code) paint(code, this.machine.parameters.subarray(layer.codes[0] + 84 * k, layer.codes[0] + 84 * (k + 1)), 7, 12, -1, 1);
      return { item, button, bar, told };
    });
    const caption = make("figcaption");
    const name = make("button", "Output", { type: "button", class: "layer-name" });
    name.addEventListener("click", () => this.pin(number, [this.best ?? 0, 0, 0]));
    caption.append(name, make("small", layer.kind === "codes" ? "bar: probability; number: squared distance to the code" : "probability of each"));
    part.append(list, caption);
    this.row.append(part);
    this.parts.push({ layer, number, layout: null, canvas: null, part });
  }

  listen({ number, layout, canvas }) {
    const { maps, high, wide, across, gap } = layout;
    const columns = across * (wide + gap) - gap;
    const rows = Math.ceil(maps / across) * (high + gap) - gap;
    const placeOf = (event) => {
      const box = canvas.getBoundingClientRect();
      const x = Math.floor((event.clientX - box.left) * columns / box.width);
      const y = Math.floor((event.clientY - box.top) * rows / box.height);
      const map = Math.floor(y / (high + gap)) * across + Math.floor(x / (wide + gap));
      const found = [map, y % (high + gap), x % (wide + gap)];
      return map >= 0 && map < maps && found[1] < high && found[2] < wide ? found : null;
    };
    const look = (event) => {
      const place = placeOf(event);
      if (place && !(this.at?.number === number && String(this.at.place) === String(place))) this.choose(number, place);
    };
    canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && !this.pinned && look(event));
    canvas.addEventListener("pointerdown", (event) => {
      const place = placeOf(event);
      if (place) this.pin(number, place);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return this.unpin();
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      let [map, y, x] = this.at?.number === number ? this.at.place : [0, 0, 0];
      y += step[0];
      x += step[1];
      // Over the edge of a map the next one begins.
      if (x < 0 || x >= wide) { map += step[1]; x = x < 0 ? wide - 1 : 0; }
      if (y < 0 || y >= high) { map += step[0] * across; y = y < 0 ? high - 1 : 0; }
      if (map >= 0 && map < maps) this.keep(number, [map, y, x]);
    });
  }

  // Looks at a value until another is chosen; chosen again, it is let go, and the pointer is followed.
  pin(number, place) {
    if (this.pinned && this.at?.number === number && String(this.at.place) === String(place)) return this.unpin();
    this.keep(number, place);
  }

  keep(number, place) {
    this.pinned = true;
    this.choose(number, place);
  }

  unpin() {
    this.pinned = false;
    this.drawEdges();
  }

  // Shows what the machine said: values of the input and of every layer, and the probabilities.
  show(layers, probabilities) {
    this.layers = layers;
    for (const { layer, number, layout, canvas } of this.parts) {
      if (!canvas) continue;
      const values = layers[number + 1];
      const { maps, high, wide, across, gap } = layout;
      const low = number < 0 ? -0.1 : layer.activation === "relu" ? 0 : Math.min(...values);
      const top = number < 0 ? 1.175 : Math.max(...values, low + 1e-6);
      const columns = across * (wide + gap) - gap;
      const rows = Math.ceil(maps / across) * (high + gap) - gap;
      const field = new Float32Array(columns * rows).fill(NaN);
      for (let map = 0; map < maps; map++) {
        const left = (map % across) * (wide + gap);
        const above = Math.floor(map / across) * (high + gap);
        for (let y = 0; y < high; y++) field.set(values.subarray((map * high + y) * wide, (map * high + y + 1) * wide), (above + y) * columns + left);
      }
      paint(canvas, field, columns, rows, low, top);
      const pen = canvas.getContext("2d");
      for (let x = wide; gap && x < columns; x += wide + gap) pen.clearRect(x, 0, gap, rows);
      for (let y = high; gap && y < rows; y += high + gap) pen.clearRect(0, y, columns, gap);
    }
    this.best = probabilities.indexOf(Math.max(...probabilities));
    const scores = layers.at(-1);
    const coded = this.machine.network.layers.at(-1).kind === "codes";
    this.showLikeliest(probabilities);
    this.answers.forEach(({ item, bar, told, button }, k) => {
      item.classList.toggle("best", k === this.best);
      bar.style.width = `${100 * probabilities[k]}%`;
      told.textContent = coded ? `${(-scores[k]).toFixed(1)}` : percent(probabilities[k]);
      button.setAttribute("aria-label", `${this.machine.network.labels[k]}: ${percent(probabilities[k])}${coded ? `, distance ${(-scores[k]).toFixed(1)}` : ""}`);
    });
    this.drawEdges();
  }

  // Of many answers the likeliest stand there, the first above, and the one that is looked at.
  showLikeliest(probabilities) {
    if (this.answers.length <= MOST_ANSWERS) return;
    const ranked = [...this.answers.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
    const looked = this.at?.number === this.machine.network.layers.length - 1 ? this.at.place[0] : this.best;
    ranked.forEach((k, rank) => {
      this.answers[k].item.hidden = rank >= LIKELIEST && k !== looked;
      this.answers[k].item.style.order = rank;
    });
  }

  clear() {
    this.layers = null;
    for (const { canvas } of this.parts) if (canvas) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    this.answers.forEach(({ item, bar, told, button }, k) => {
      item.classList.remove("best");
      bar.style.width = "0";
      told.textContent = "";
      button.setAttribute("aria-label", this.machine.network.labels[k]);
    });
    this.edges.replaceChildren();
  }

  // Where a layer's value is largest; of squashed ones the largest that is not all squash, so that the sum tells something.
  brightest(number) {
    const values = this.layers?.[number + 1];
    const { shape: [, high, wide], activation } = this.parts[number + 1].layer;
    const open = values && activation === "squash" ? values.map((value) => (value < 1.6 ? value : -Infinity)) : values;
    const most = open ? Math.max(...open) : 0;
    const at = !values ? 0 : most > 0 ? open.indexOf(most) : values.indexOf(Math.max(...values));
    return [Math.floor(at / (high * wide)), Math.floor(at / wide) % high, at % wide];
  }

  choose(number, place) {
    this.at = { number, place };
    this.drawEdges();
    this.chosen(number, place);
  }

  // The box of a part of a map, in pixels of the whole.
  boxOf(number, map, x0, y0, x1, y1) {
    const { canvas, layout, part } = this.parts[number + 1];
    const origin = this.box.getBoundingClientRect();
    if (!canvas) {
      const item = this.answers[map].item.getBoundingClientRect();
      return { x: item.left - origin.left, y: item.top - origin.top, width: item.width, height: item.height };
    }
    const box = canvas.getBoundingClientRect();
    const { high, wide, across, gap, maps } = layout;
    const scale = box.width / (across * (wide + gap) - gap);
    const left = (map % across) * (wide + gap) + x0;
    const top = Math.floor(map / across) * (high + gap) + y0;
    return { x: box.left - origin.left + left * scale, y: box.top - origin.top + top * scale, width: (x1 - x0) * scale, height: (y1 - y0) * scale };
  }

  // Frames the value that is looked at and the windows that it comes from, and joins them.
  drawEdges() {
    const { edges, at } = this;
    edges.replaceChildren();
    if (!at || !this.layers) return;
    edges.setAttribute("viewBox", `0 0 ${this.box.clientWidth} ${this.box.clientHeight}`);
    if (at.number < 0) return this.frame(this.boxOf(-1, 0, at.place[2], at.place[1], at.place[2] + 1, at.place[1] + 1), "here");
    const sum = this.sumOf?.(at.number, at.place);
    if (!sum) return;
    const [map, row, column] = at.place;
    const to = this.boxOf(at.number, map, column, row, column + 1, row + 1);
    const most = Math.max(...sum.terms.map((term) => Math.abs(term.sum)), 1e-9);
    const [x0, y0, x1, y1] = sum.window;
    const shown = [...sum.terms].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, 40);
    for (const term of shown) {
      const from = this.boxOf(at.number - 1, term.map, x0, y0, x1, y1);
      const share = 0.15 + 0.85 * Math.abs(term.sum) / most;
      const kind = term.sum < 0 ? "minus" : "plus";
      if (sum.terms.length <= 16) this.frame(from, `window ${kind}`);
      for (const [a, b] of sum.terms.length <= 16 ? [[0, 0], [1, 1]] : [[0.5, 0.5]]) {
        const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
        line.setAttribute("x1", from.x + from.width);
        line.setAttribute("y1", from.y + a * from.height);
        line.setAttribute("x2", to.x);
        line.setAttribute("y2", to.y + b * to.height);
        line.setAttribute("class", kind);
        line.style.opacity = share;
        edges.append(line);
      }
    }
    this.frame(to, this.pinned ? "here pinned" : "here");
  }

  frame({ x, y, width, height }, kind) {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ x: x - 1, y: y - 1, width: width + 2, height: height + 2, class: kind })) rect.setAttribute(key, value);
    this.edges.append(rect);
  }
}

export function percent(share) {
  if (share >= 0.9995) return ">\u00a099.9\u00a0%";
  return share < 0.0005 ? "<\u00a00.1\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`;
}
