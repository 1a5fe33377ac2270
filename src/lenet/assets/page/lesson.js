// Training to be seen: the same network from weights drawn by chance, on drawn digits, step by step or pass by pass.

import { chance } from "./machine.js";
import { make, paint } from "./view.js";

const BATCH = 10;
// Rates that were tried on these digits; with codes, whose slopes are larger, another.
const RATES = { relu: 0.01, squash: 0.02, sigmoid: 0.05 };
const CODED = 0.002;
const BUTTONS = { step: "One step", pass: "One pass", run: "Run", reset: "Begin anew", use: "Look into this one" };

export class Lesson {
  // `changed` is called when the network that is looked at has other weights, with words for it, or none for its own.
  constructor(box, machine, digits, changed) {
    Object.assign(this, { box, machine, changed });
    const coded = machine.network.layers.at(-1).kind === "codes";
    this.rate = coded ? CODED : RATES[machine.network.layers[0].activation] ?? 0.02;
    // Every fifth ten of digits is kept apart, to count on.
    this.train = digits.filter((_digit, k) => Math.floor(k / 10) % 5 !== 4);
    this.test = digits.filter((_digit, k) => Math.floor(k / 10) % 5 === 4);
    this.temperature = machine.network.temperature;
    this.kept = machine.floats(machine.at.parameters, machine.parameters.length).slice();
    this.pupil = machine.pupil();
    this.seed = 0;
    this.build(coded);
    this.reset();
  }

  // Builds the panel once: a button that is pressed must be there when it is let go.
  build(coded) {
    this.told = make("p", "", { id: "lesson-told" });
    this.row = make("div", "", { class: "row" });
    this.buttons = {};
    for (const [name, words] of Object.entries(BUTTONS)) {
      this.buttons[name] = make("button", words, { type: "button", id: `lesson-${name}` });
      this.buttons[name].addEventListener("click", () => this[`on_${name}`]());
      this.row.append(this.buttons[name]);
    }
    const first = this.machine.network.layers[0];
    this.kernels = Array.from({ length: first.shape[0] }, () => make("canvas"));
    const kernels = make("figure", "", { class: "kernels-now" });
    const pictures = make("div", "", { class: "kernels", role: "img", "aria-label": `the ${first.shape[0]} kernels of ${first.name}` });
    pictures.append(...this.kernels);
    kernels.append(pictures, make("figcaption", `The ${first.shape[0]} kernels of ${first.name}: orange wants ink, blue wants paper.`));
    this.curves = make("div", "", { class: "curves" });
    const how = `A step shows ${BATCH} digits: a forward pass, the loss of the answers (minus the logarithm of the right digit's probability), its gradient back through all layers, and a step of every weight against its gradient, with nine tenths of the step before (momentum). A pass is all ${this.train.length} digits once. They were drawn by a program; nothing here is MNIST.`;
    const slow = coded ? " With codes little happens in the first two passes: F6 has to find the drawings first." : "";
    this.box.replaceChildren(make("p", how + slow, { class: "quiet" }), this.told, this.row, kernels, this.curves);
  }

  reset() {
    this.stop();
    this.pupil.begin(++this.seed);
    this.losses = [];
    this.errors = [this.count()];
    this.steps = 0;
    this.shuffle();
    this.show(true);
  }

  count() {
    return this.pupil.errors(this.test.map((digit) => digit.glyph), this.test.map((digit) => digit.target));
  }

  shuffle() {
    const drawn = chance(7 + this.errors.length);
    this.order = [...this.train.keys()];
    for (let k = this.order.length - 1; k > 0; k--) {
      const other = Math.floor(drawn() * (k + 1));
      [this.order[k], this.order[other]] = [this.order[other], this.order[k]];
    }
  }

  // One batch; a pass ends when all digits were shown.
  step() {
    const rows = this.order.splice(0, BATCH);
    this.losses.push(this.pupil.learn(rows.map((k) => this.train[k].glyph), rows.map((k) => this.train[k].target), this.rate));
    this.steps++;
    if (!this.order.length) { this.errors.push(this.count()); this.shuffle(); }
  }

  on_step() { this.step(); this.show(true); }
  on_pass() { if (!this.timer) this.pass(); }
  on_run() { if (this.running) { this.stop(); this.show(true); } else { this.running = true; if (!this.timer) this.pass(); this.show(); } }
  on_reset() { this.reset(); }
  on_use() { this.swap(); }

  pass() {
    const before = this.errors.length;
    const go = () => {
      const until = performance.now() + 30;
      while (this.errors.length === before && performance.now() < until) this.step();
      const ended = this.errors.length > before;
      this.timer = ended ? null : setTimeout(go, 0);
      this.show(ended);
      if (ended && this.running) this.timer = setTimeout(() => this.pass(), 0);
    };
    go();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    this.timer = null;
  }

  // Shows where it is; what is read aloud changes when a pass has ended, or somebody pressed a button.
  show(ended = false) {
    const { losses, errors, test, train, steps, pupil } = this;
    const many = (count, word) => `${count} ${word}${count === 1 ? "" : "es".slice(word === "step" ? 1 : 0)}`;
    const passes = errors.length - 1;
    this.told.setAttribute("aria-live", ended ? "polite" : "off");
    this.told.textContent = `${many(passes, "pass")} over ${train.length} drawn digits, ${many(steps, "step")} of ${BATCH}. Of ${test.length} others ${errors.at(-1)} are wrong.`;
    this.buttons.run.textContent = this.running ? "Stop" : "Run";
    this.buttons.use.textContent = this.using ? "Back to the trained network" : "Look into this one";
    const weights = pupil.weights(...this.machine.network.layers[0].weights);
    const most = Math.max(...weights.map(Math.abs));
    const area = this.machine.network.layers[0].size ** 2;
    this.kernels.forEach((canvas, map) => paint(canvas, weights.subarray(area * map, area * (map + 1)), 5, 5, 0, most, true));
    const smoothed = smooth(losses);
    this.curves.replaceChildren(curve("loss", smoothed, Math.max(2.5, ...smoothed), many(steps, "step")), curve(`wrong of ${test.length}`, errors, test.length, many(passes, "pass")));
    if (this.using) this.put(this.machine.floats(pupil.parameters, this.machine.parameters.length), `in training: ${many(passes, "pass")}`);
  }

  // Shows the pupil in place of the trained network, or back.
  swap() {
    this.using = !this.using;
    if (!this.using) this.put(this.kept, "");
    this.show();
  }

  put(parameters, words) {
    this.machine.floats(this.machine.at.parameters, parameters.length).set(parameters);
    this.machine.parameters.set(parameters);
    this.machine.network.temperature = words ? 1 : this.temperature; // the pupil's scores are as its loss has them
    this.changed(words);
  }
}

function smooth(values) {
  const by = Math.max(1, Math.floor(values.length / 200));
  const found = [];
  for (let k = 0; k < values.length; k += by) found.push(values.slice(k, k + by).reduce((a, b) => a + b, 0) / Math.min(by, values.length - k));
  return found;
}

// A curve with its axes: from 0 to `top`, over all that there is.
function curve(words, values, top, over) {
  const [wide, high, left, foot] = [260, 110, 40, 24];
  const x = (k) => left + (wide - left - 8) * (values.length > 1 ? k / (values.length - 1) : 0);
  const y = (value) => 8 + (high - foot - 8) * (1 - value / (top || 1));
  const svg = [`<svg viewBox="0 0 ${wide} ${high}" role="img" aria-label="${words}: now ${(values.at(-1) ?? 0).toFixed(2)}">`];
  for (const share of [0, 0.5, 1]) {
    const value = share * top;
    svg.push(`<line x1="${left}" x2="${wide - 8}" y1="${y(value)}" y2="${y(value)}" class="axis"/><text x="${left - 5}" y="${y(value) + 4}" text-anchor="end">${top > 10 ? Math.round(value) : value.toFixed(1)}</text>`);
  }
  svg.push(`<text x="${left}" y="${high - 6}">${words}</text><text x="${wide - 8}" y="${high - 6}" text-anchor="end">${over}</text>`);
  if (values.length) svg.push(`<polyline points="${values.map((value, k) => `${x(k).toFixed(1)},${y(Math.min(top, value)).toFixed(1)}`).join(" ")}"/><circle cx="${x(values.length - 1)}" cy="${y(Math.min(top, values.at(-1)))}" r="3"/>`);
  const figure = make("figure", "", { class: "curve" });
  figure.innerHTML = `${svg.join("")}</svg>`;
  return figure;
}
