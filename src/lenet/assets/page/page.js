// The page: a drawing or a sample goes through the network while it changes; what is looked at is explained.

import { Inside } from "./inside.js";
import { Lesson } from "./lesson.js";
import { chooseMachine, inflate, Machine, unpackDigits } from "./machine.js";
import { Pen, SIDE } from "./pen.js";
import { listFigures, saveFigure } from "./save.js";
import { Tip } from "./tip.js";
import { make, paint, percent } from "./view.js";
import { sayWhole, TERMS } from "./words.js";

const byId = (id) => document.getElementById(id);
// How many digits MNIST has to be tested on.
const MNIST = 10000;
// Samples to click: the first of each digit, one of them faint; and what is read wrong, if anything.
const SAMPLES = 10, FAINT = 13, FAINTNESS = 0.4;

class Page {
  constructor(machine, digits) {
    this.machine = machine;
    this.digits = digits;
    const boxes = { drawing: byId("draw"), network: byId("network"), explained: byId("explained"), about: byId("about-layer"), tour: byId("tour") };
    this.inside = new Inside(machine, boxes, { told: (field) => this.field(field), changed: (glyph) => this.showGlyph(glyph) });
    this.view = this.inside.view;
    this.pen = new Pen(byId("pad"), () => this.drawn());
    this.sampled = null;
  }

  get glyph() {
    return this.inside.glyph;
  }

  drawn() {
    if (this.pen.empty) { this.sampled = null; return this.nothing("Draw a digit, or choose one below."); }
    if (this.pen.untouched) return this.read(this.pen.sample);
    this.sampled = null;
    const glyph = this.machine.glyphOf(this.pen.greys, SIDE, SIDE);
    if (!glyph) return this.nothing("That is too little to be a digit.");
    this.read(glyph);
  }

  nothing(words) {
    byId("answer").textContent = "";
    byId("sure").textContent = words;
    this.inside.nothing(words);
  }

  // Shows a glyph that was not drawn: a sample, or one with a change.
  showGlyph(glyph, sampled = null) {
    this.sampled = sampled;
    this.pen.show(glyph);
    this.read(glyph);
  }

  read(glyph) {
    this.inside.read(glyph);
    const { probabilities, view } = this.inside;
    const { labels } = this.machine.network;
    const best = view.best;
    const sure = probabilities[best];
    const second = this.inside.second();
    const digit = labels[best] === "none" ? "no digit" : labels[best];
    byId("answer").textContent = sure >= 0.5 ? digit : `${digit} or ${labels[second]}?`;
    byId("sure").textContent = sure >= 0.5 ? `${percent(sure)} sure. Next: ${labels[second]}, ${percent(probabilities[second])}.` : `Not sure: ${labels[best]} ${percent(sure)}, ${labels[second]} ${percent(probabilities[second])}.`;
    const meant = this.sampled === null ? null : this.digits[this.sampled].label;
    if (meant !== null && meant !== best) byId("sure").append(` It was drawn as a ${meant}.`);
    if (!byId("code").hidden) byId("code").textContent = asPython(this);
  }

  // Frames the part of the drawing that a value can be changed by, where the pad shows the glyph itself.
  field(found) {
    const around = 2 - this.machine.network.margin;
    const frame = byId("field");
    frame.hidden = !found || !this.pen.untouched;
    if (found) {
      const shown = (value) => Math.min(28, Math.max(0, value - around)) / 28 * 100;
      const [left, top, right, foot] = found.map(shown);
      Object.assign(frame.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${foot - top}%` });
    }
    this.remember();
  }

  // Keeps what is shown in the address, so that it can be copied, and is there after a reload.
  remember() {
    const at = this.view.at ? `&at=${this.view.at.number < 0 ? "input" : this.machine.network.layers[this.view.at.number].name},${this.view.at.place.join(",")}` : "";
    const what = this.sampled !== null ? `digit=${this.sampled}` : this.pen.empty ? "empty=1" : this.pen.untouched ? `glyph=${packGlyph(this.pen.sample)}` : `drawn=${this.pen.text}`;
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
    const glyph = unpackGlyph(state.get("glyph") ?? "");
    if (glyph) return this.showGlyph(glyph);
    if (state.get("empty")) return this.pen.clear();
    const digit = Number(state.get("digit") ?? 2);
    this.sample(this.digits[digit] ? digit : 2);
  }

  sample(number) {
    this.showGlyph(this.digits[number].glyph, number);
  }
}

// A glyph as a short text, 16 greys to a pixel; and back, null for what is none.
function packGlyph(glyph) {
  const pairs = Array.from({ length: 392 }, (_each, k) => 16 * Math.round(glyph[2 * k] / 17) + Math.round(glyph[2 * k + 1] / 17));
  return btoa(String.fromCharCode(...pairs)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function unpackGlyph(text) {
  try {
    const pairs = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    if (pairs.length !== 392) return null;
    return Uint8Array.from({ length: 784 }, (_each, k) => 17 * ((pairs.charCodeAt(k >> 1) >> (k % 2 ? 0 : 4)) & 15));
  } catch {
    return null;
  }
}

// Lets the browser draw and hear, when it had no time for so many milliseconds.
const BREATH = 10;
function breathing() {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < BREATH) return;
    await new Promise((done) => setTimeout(done, 0));
    since = performance.now();
  };
}

async function buildSamples(page) {
  const box = byId("samples");
  const add = (number, words, short) => {
    const button = make("button", "", { type: "button", class: "sample", "aria-label": words, title: words });
    button.append(paint(make("canvas"), page.digits[number].glyph, 28, 28, 0, 255), make("small", short));
    button.addEventListener("click", () => page.sample(number));
    box.append(button);
  };
  for (let number = 0; number < SAMPLES; number++) add(number, `a drawn ${page.digits[number].label}`, "");
  add(FAINT, `a faint ${page.digits[FAINT].label}`, "faint");
  // What this network gets wrong of the drawn digits, the surest mistakes first.
  const wrong = [];
  const breathe = breathing();
  for (const [number, digit] of page.digits.entries()) {
    const found = page.machine.probabilities(page.machine.run(digit.glyph));
    const best = found.indexOf(Math.max(...found));
    if (best !== digit.target) wrong.push({ number, best, sure: found[best], label: digit.label });
    await breathe();
  }
  wrong.sort((a, b) => b.sure - a.sure);
  byId("mistakes-told").textContent = `Of ${page.digits.length} digits, which a program drew, this network gets ${wrong.length} wrong.`;
  for (const { number, best, label } of wrong.slice(0, 1)) add(number, `a ${label} that is read as ${page.machine.network.labels[best]}`, `${label} → ${page.machine.network.labels[best]}`);
  for (const { number, best, label, sure } of wrong.slice(0, 8)) {
    const button = make("button", "", { type: "button", class: "sample", "aria-label": `a ${label} that is read as ${page.machine.network.labels[best]}` });
    button.append(paint(make("canvas"), page.digits[number].glyph, 28, 28, 0, 255), make("small", `${label} → ${page.machine.network.labels[best]} ${percent(sure)}`));
    button.addEventListener("click", () => { page.sample(number); byId("stage").scrollIntoView({ block: "start" }); });
    byId("mistakes").append(button);
  }
}

function buildWords(networks, own) {
  const row = (cells, kind, about) => {
    const made = make("tr", "", { class: about === own ? "own" : "" });
    made.append(...cells.map((words, k) => make(kind, words, kind === "th" ? { scope: "col" } : k === 0 ? { class: "name" } : {})));
    return made;
  };
  byId("networks").append(row(["network", "what it is", "parameters", "wrong"], "th"), ...networks.map(({ name, about, trainable, errors, of }) => row([name, about, trainable.toLocaleString("en"), of === MNIST ? String(errors) : `${errors.toLocaleString("en")} of ${of.toLocaleString("en")}`], "td", name)));
  const list = byId("glossary");
  for (const [term, words] of Object.entries(TERMS)) list.append(make("dt", term), make("dd", words));
}

// Offers what can be saved now: the layer that is looked at first, unless another figure was chosen.
function buildSaving(page) {
  const box = byId("figure");
  const figures = () => listFigures(page.view, byId("lesson"));
  const fill = () => {
    const names = figures().map(([name]) => name);
    const chosen = names.includes(box.value) && box.selectedIndex > 0 ? box.value : names[0];
    box.replaceChildren(...names.map((name) => make("option", name, { value: name })));
    box.value = chosen;
  };
  for (const event of ["pointerdown", "focus"]) box.addEventListener(event, fill);
  for (const [id, kind] of [["save", "png"], ["save-svg", "svg"]]) {
    byId(id).addEventListener("click", () => {
      fill();
      saveFigure(figures().find(([name]) => name === box.value), page.machine.network.name, kind);
    });
  }
  fill();
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
  const codes = data("machine");
  const machine = await Machine.load(await chooseMachine((name) => inflate(codes[name])), told);
  const digits = await unpackDigits(data("digits"));
  digits[FAINT].glyph = digits[FAINT].glyph.map((grey) => Math.round(FAINTNESS * grey));
  const { network } = machine;
  for (const digit of digits) digit.target = network.labels.indexOf(String(digit.label));
  document.title = `${network.name}, alive`;
  byId("name").textContent = network.name;
  byId("about").textContent = `${network.about[0].toUpperCase()}${network.about.slice(1)}. ${sayWhole(network)}`;
  const page = new Page(machine, digits);
  window.lenet = page;
  byId("undo").addEventListener("click", () => page.pen.undo());
  byId("clear").addEventListener("click", () => page.pen.clear());
  byId("python").addEventListener("click", () => {
    byId("code").textContent = asPython(page);
    byId("code").hidden = false;
    const said = (words) => { byId("python").textContent = words; setTimeout(() => { byId("python").textContent = "Copy as Python"; }, 2000); };
    if (!navigator.clipboard) { byId("code").scrollIntoView({ block: "nearest" }); return said("It stands below"); }
    navigator.clipboard.writeText(asPython(page)).then(() => said("Copied"), () => said("It stands below"));
  });
  new Tip(byId("tip"));
  byId("present").addEventListener("click", () => { document.body.classList.toggle("present"); byId("present").setAttribute("aria-pressed", document.body.classList.contains("present")); page.view.drawEdges(); });
  if (new URLSearchParams(location.search).has("embed")) document.body.classList.add("embed");
  addEventListener("hashchange", () => page.recall());
  page.recall();
  buildSaving(page);
  document.body.dataset.shown = "true";
  requestAnimationFrame(() => setTimeout(async () => {
    buildWords(told.networks, network.name);
    await buildSamples(page);
    const panel = byId("lesson-panel");
    panel.addEventListener("toggle", () => {
      if (!panel.open) return page.lesson?.stop();
      page.lesson ??= new Lesson(byId("lesson"), machine, digits, (words) => {
        byId("training").textContent = words;
        for (const id of ["python", "mistakes-panel"]) byId(id).hidden = Boolean(words);
        delete byId("about-layer").dataset.layer; // its kernels are others now
        if (page.inside.layers) page.read(page.glyph);
      });
    });
    document.body.dataset.ready = "true";
  }, 0));
}

begin().catch((error) => {
  document.body.dataset.shown = "true";
  byId("sure").textContent = `This browser cannot run the network (${error.message}). It needs WebAssembly and DecompressionStream: Chrome 80, Firefox 113, Safari 16.4, or later.`;
});
