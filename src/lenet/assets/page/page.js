// The page: a drawing or a sample goes through the network while it changes; what is looked at is explained.

import { explainInput, explainSum } from "./explain.js";
import { Lesson } from "./lesson.js";
import { fromBase64, Machine } from "./machine.js";
import { Pen, SIDE } from "./pen.js";
import { fieldOf, sumOf } from "./sum.js";
import { Tour } from "./tour.js";
import { make, paint, percent, View } from "./view.js";
import { countLayer, sayLayer, sayWhole, TERMS, titleOf, withTerms } from "./words.js";

const byId = (id) => document.getElementById(id);
// Samples to click: the first of each digit, one of them faint; and what is read wrong, if anything.
const SAMPLES = 10, FAINT = 13, FAINTNESS = 0.4;
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

class Page {
  constructor(machine, digits) {
    this.machine = machine;
    this.digits = digits;
    this.glyph = digits[0].glyph;
    this.view = new View(byId("network"), machine, (number, place) => this.explain(number, place));
    this.view.sumOf = (number, place) => this.sum(number, place);
    this.pen = new Pen(byId("pad"), () => this.drawn());
    this.tour = new Tour(byId("tour"), this);
    this.sampled = null;
  }

  sum(number, place) {
    return this.layers && number >= 0 ? sumOf(this.machine, number, place, this.layers) : null;
  }

  // The runner-up.
  second() {
    const best = this.view.best;
    return this.probabilities.indexOf(Math.max(...this.probabilities.filter((_each, k) => k !== best)));
  }

  drawn() {
    this.sampled = null;
    if (this.pen.empty) return this.nothing("Draw a digit, or choose one below.");
    const glyph = this.machine.glyphOf(this.pen.greys, SIDE, SIDE);
    if (!glyph) return this.nothing("That is too little to be a digit.");
    this.read(glyph);
  }

  nothing(words) {
    this.layers = null;
    this.view.clear();
    byId("answer").textContent = "";
    byId("sure").textContent = words;
    byId("explained").replaceChildren(make("p", words, { class: "quiet" }));
    this.remember();
  }

  // Shows a glyph that was not drawn: a sample, or one with a change.
  showGlyph(glyph, sampled = null) {
    this.sampled = sampled;
    this.pen.show(glyph);
    this.read(glyph);
  }

  read(glyph) {
    this.glyph = glyph;
    this.layers = this.machine.run(glyph);
    this.probabilities = this.machine.probabilities(this.layers);
    this.view.show(this.layers, this.probabilities);
    const { labels } = this.machine.network;
    const best = this.view.best;
    const sure = this.probabilities[best];
    const second = this.second();
    const digit = labels[best] === "none" ? "no digit" : labels[best];
    byId("answer").textContent = sure >= 0.5 ? digit : `${digit} or ${labels[second]}?`;
    byId("sure").textContent = sure >= 0.5 ? `${percent(sure)} sure. Next: ${labels[second]}, ${percent(this.probabilities[second])}.` : `Not sure: ${labels[best]} ${percent(sure)}, ${labels[second]} ${percent(this.probabilities[second])}.`;
    const { number, place } = this.view.at ?? { number: 0, place: this.view.brightest(0) };
    this.view.at ??= { number, place };
    this.explain(number, place);
  }

  look(number, place) {
    if (!this.layers) return;
    this.view.choose(number, place);
    this.view.parts[number + 1].part.scrollIntoView({ behavior: CALM.matches ? "auto" : "smooth", block: "nearest", inline: "nearest" });
  }

  explain(number, place) {
    if (!this.layers) return;
    const { network } = this.machine;
    const layer = network.layers[number];
    const box = byId("explained");
    box.replaceChildren();
    if (number < 0) box.append(explainInput(network, this.glyph, place));
    else {
      const sum = this.sum(number, place);
      const [maps, high, wide] = layer.shape;
      const said = this.layers[number + 1][(place[0] * high + place[1]) * wide + place[2]];
      box.append(explainSum(sum, maps ? said : 0));
      this.field(fieldOf(network, number, place[1], place[2]));
    }
    const about = byId("about-layer");
    if (about.dataset.layer !== String(number)) {
      about.dataset.layer = number;
      about.replaceChildren();
      if (number < 0) about.append(make("h2", "Input: 32 × 32"), make("p", "The field is larger than any digit in it: so the end of a stroke, or a corner, can be in the middle of a window."));
      else {
        const said = make("p");
        said.append(...withTerms(sayLayer(layer, network)));
        about.append(make("h2", titleOf(layer, network)), said, make("p", countLayer(layer), { class: "counted" }));
        if (layer.table && layer.shape[0] === 16) about.append(this.tableOne(layer, number, place[0]));
        if (layer.kind === "convolution" && layer.shape[1] > 1) about.append(this.slider(number));
      }
    } else if (layer?.table) {
      about.querySelectorAll(".table-one th[scope=col]").forEach((cell, k) => cell.classList.toggle("here", k === place[0]));
    }
    this.remember();
  }

  // Frames the part of the drawing that a value can be changed by.
  field([x0, y0, x1, y1]) {
    const around = 2 - this.machine.network.margin;
    const frame = byId("field");
    const shown = (value) => Math.min(28, Math.max(0, value - around)) / 28 * 100;
    const whole = this.sampled !== null || this.pen.empty;
    frame.hidden = !whole;
    Object.assign(frame.style, { left: `${shown(x0)}%`, top: `${shown(y0)}%`, width: `${shown(x1) - shown(x0)}%`, height: `${shown(y1) - shown(y0)}%` });
  }

  tableOne(layer, number, map) {
    const table = make("table", "", { class: "table-one" });
    table.append(make("caption", "Table I: which maps of S2 each map of C3 sees"));
    const head = make("tr");
    head.append(make("td", ""), ...layer.table.map((_seen, k) => make("th", String(k), { scope: "col", class: k === map ? "here" : "" })));
    table.append(head);
    for (let from = 0; from < layer.before[0]; from++) {
      const row = make("tr");
      row.append(make("th", String(from), { scope: "row" }), ...layer.table.map((seen) => make("td", seen.includes(from) ? "×" : "")));
      table.append(row);
    }
    return table;
  }

  slider(number) {
    const button = make("button", "Slide the kernel", { type: "button", id: "slide" });
    button.addEventListener("click", () => this.slide(number, button));
    return button;
  }

  // Lays the kernel on one place after the other; without motion, on the next one.
  slide(number, button) {
    const [, high, wide] = this.machine.network.layers[number].shape;
    const map = this.view.at?.number === number ? this.view.at.place[0] : 0;
    if (this.sliding) { clearInterval(this.sliding); this.sliding = null; button.textContent = "Slide the kernel"; return; }
    let [y, x] = CALM.matches && this.view.at?.number === number ? this.view.at.place.slice(1) : [0, -1];
    const next = () => {
      x++;
      if (x >= wide) { x = 0; y++; }
      if (y >= high || !this.layers) { clearInterval(this.sliding); this.sliding = null; button.textContent = "Slide the kernel"; return; }
      this.view.choose(number, [map, y, x]);
    };
    if (CALM.matches) return next();
    button.textContent = "Stop";
    this.sliding = setInterval(next, 60);
  }

  // Keeps what is shown in the address, so that it can be copied, and is there after a reload.
  remember() {
    const at = this.view.at ? `&at=${this.view.at.number < 0 ? "input" : this.machine.network.layers[this.view.at.number].name},${this.view.at.place.join(",")}` : "";
    const what = this.sampled !== null ? `digit=${this.sampled}` : this.pen.empty ? "digit=0" : `drawn=${this.pen.text}`;
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => history.replaceState(null, "", `#${what}${at}`), 150);
  }

  recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    const [name, ...place] = (state.get("at") ?? "").split(",");
    const number = name === "input" ? -1 : this.machine.network.layers.findIndex((layer) => layer.name === name);
    const numbers = place.map(Number);
    const shape = number >= 0 ? this.machine.network.layers[number].shape : [1, 32, 32];
    if ((number >= 0 || name === "input") && numbers.length === 3 && numbers.every((each, k) => Number.isInteger(each) && each >= 0 && each < shape[k])) this.view.at = { number, place: numbers };
    if (state.get("drawn")) {
      this.pen.text = state.get("drawn");
      if (!this.pen.empty) return this.drawn();
    }
    const digit = Number(state.get("digit") ?? 2);
    this.sample(this.digits[digit] ? digit : 2);
  }

  sample(number) {
    this.showGlyph(this.digits[number].glyph, number);
  }
}

function buildSamples(page) {
  const box = byId("samples");
  const add = (number, words) => {
    const button = make("button", "", { type: "button", class: "sample", "aria-label": words, title: words });
    button.append(paint(make("canvas"), page.digits[number].glyph, 28, 28, 0, 255));
    button.addEventListener("click", () => page.sample(number));
    box.append(button);
  };
  for (let number = 0; number < SAMPLES; number++) add(number, `a drawn ${page.digits[number].label}`);
  add(FAINT, `a faint ${page.digits[FAINT].label}`);
  // What this network gets wrong of the drawn digits, the surest mistakes first.
  const wrong = [];
  page.digits.forEach((digit, number) => {
    const found = page.machine.probabilities(page.machine.run(digit.glyph));
    const best = found.indexOf(Math.max(...found));
    if (best !== digit.label) wrong.push({ number, best, sure: found[best], label: digit.label });
  });
  wrong.sort((a, b) => b.sure - a.sure);
  byId("mistakes-told").textContent = `Of ${page.digits.length} drawn digits this network gets ${wrong.length} wrong.`;
  for (const { number, best, label } of wrong.slice(0, 1)) add(number, `a ${label} that is read as ${page.machine.network.labels[best]}`);
  for (const { number, best, label, sure } of wrong.slice(0, 8)) {
    const button = make("button", "", { type: "button", class: "sample", "aria-label": `a ${label} that is read as ${page.machine.network.labels[best]}` });
    button.append(paint(make("canvas"), page.digits[number].glyph, 28, 28, 0, 255), make("small", `${label} → ${page.machine.network.labels[best]} ${percent(sure)}`));
    button.addEventListener("click", () => page.sample(number));
    byId("mistakes").append(button);
  }
}

function buildWords() {
  const list = byId("glossary");
  for (const [term, words] of Object.entries(TERMS)) list.append(make("dt", term), make("dd", words));
}

// Saves the picture of a layer, its maps as large as they are shown.
function savePicture(page) {
  const number = page.view.at?.number ?? 0;
  const part = page.view.parts[number + 1];
  if (!part.canvas) return;
  const times = 8;
  const large = make("canvas");
  large.width = part.canvas.width * times;
  large.height = part.canvas.height * times;
  const pen = large.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(part.canvas, 0, 0, large.width, large.height);
  const link = make("a", "", { href: large.toDataURL("image/png"), download: `${page.machine.network.name}-${part.layer.name}.png` });
  link.click();
}

function asPython(page) {
  const at = page.view.at ?? { number: 0, place: [0, 0, 0] };
  const layer = at.number < 0 ? "input" : page.machine.network.layers[at.number].name;
  const bytes = btoa(String.fromCharCode(...page.glyph));
  return `import base64, numpy, lenet\nglyph = numpy.frombuffer(base64.b64decode("${bytes}"), numpy.uint8).reshape(28, 28)\nnetwork = lenet.load("${page.machine.network.name}")\nprint(network.activations(glyph)["${layer}"][0, ${at.place.join(", ")}])\n`;
}

async function begin() {
  const data = (id) => JSON.parse(byId(id).textContent);
  const told = data("told");
  const machine = await Machine.load(fromBase64(data("machine")), told);
  const packed = fromBase64(data("digits").glyphs);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const greys = new Uint8Array(await new Response(stream).arrayBuffer());
  const digits = data("digits").labels.map((label, k) => ({ label, glyph: Uint8Array.from(greys.subarray(392 * k, 392 * (k + 1))).reduce((all, byte, j) => { all[2 * j] = (byte >> 4) * 17; all[2 * j + 1] = (byte & 15) * 17; return all; }, new Uint8Array(784)) }));
  digits[FAINT].glyph = digits[FAINT].glyph.map((grey) => Math.round(FAINTNESS * grey));
  const { network } = machine;
  document.title = `${network.name}, alive`;
  byId("name").textContent = network.name;
  byId("about").textContent = `${network.about[0].toUpperCase()}${network.about.slice(1)}. ${sayWhole(network)}`;
  const page = new Page(machine, digits);
  window.lenet = page;
  byId("undo").addEventListener("click", () => page.pen.undo());
  byId("clear").addEventListener("click", () => page.pen.clear());
  byId("save").addEventListener("click", () => savePicture(page));
  byId("python").addEventListener("click", () => {
    byId("code").textContent = asPython(page);
    byId("code").hidden = false;
    navigator.clipboard?.writeText(asPython(page)).catch(() => {}); // without leave to copy it stands there all the same
  });
  byId("present").addEventListener("click", () => { document.body.classList.toggle("present"); byId("present").setAttribute("aria-pressed", document.body.classList.contains("present")); page.view.drawEdges(); });
  if (new URLSearchParams(location.search).has("embed")) document.body.classList.add("embed");
  addEventListener("hashchange", () => page.recall());
  page.recall();
  page.tour.show();
  buildWords();
  requestAnimationFrame(() => setTimeout(() => { buildSamples(page); byId("lesson-panel").addEventListener("toggle", () => { if (byId("lesson-panel").open && !page.lesson) page.lesson = new Lesson(byId("lesson"), machine, digits, () => { if (page.layers) page.read(page.glyph); }); }); document.body.dataset.ready = "true"; }, 0));
}

begin();
