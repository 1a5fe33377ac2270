// Training to be seen: the same network from weights drawn by chance, on drawn digits, step by step or pass by pass.

import { chance } from "./machine.js";
import { make, paint } from "./view.js";

const BATCH = 10;
// Rates that were tried on these digits; with codes, whose slopes are larger, another.
const RATES = { relu: 0.01, squash: 0.02, sigmoid: 0.05 };
const CODED = 0.002;

export class Lesson {
  constructor(box, machine, digits, changed) {
    Object.assign(this, { box, machine, changed });
    this.rate = RATES[machine.network.layers[0].activation] ?? 0.02;
    if (machine.network.layers.at(-1).kind === "codes") this.rate = CODED;
    // Every fifth ten of digits is kept apart, to count on.
    this.train = digits.filter((_digit, k) => Math.floor(k / 10) % 5 !== 4);
    this.test = digits.filter((_digit, k) => Math.floor(k / 10) % 5 === 4);
    this.own = machine.parameters.slice();
    this.kept = machine.floats(machine.at.parameters, machine.parameters.length).slice();
    this.reset();
  }

  reset() {
    this.stop();
    this.pupil ??= this.machine.pupil(1);
    if (this.losses) this.pupil = this.machine.pupil((this.seed = (this.seed ?? 1) + 1));
    this.losses = [];
    this.errors = [this.count()];
    this.steps = 0;
    this.shuffle();
    this.show();
  }

  count() {
    return this.pupil.errors(this.test.map((digit) => digit.glyph), this.test.map((digit) => digit.label));
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
    if (!this.order.length) { this.errors.push(this.count()); this.shuffle(); }
    const rows = this.order.splice(0, BATCH);
    this.losses.push(this.pupil.learn(rows.map((k) => this.train[k].glyph), rows.map((k) => this.train[k].label), this.rate));
    this.steps++;
    if (!this.order.length) { this.errors.push(this.count()); this.shuffle(); }
  }

  pass() {
    const before = this.errors.length;
    const go = () => {
      const until = performance.now() + 30;
      while (this.errors.length === before && performance.now() < until) this.step();
      this.show();
      this.timer = this.errors.length === before ? setTimeout(go, 0) : null;
      if (!this.timer && this.running) this.pass();
      else if (!this.timer) this.show();
    };
    go();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    this.timer = null;
  }

  show() {
    const { box, losses, errors, test, train } = this;
    const passes = errors.length - 1;
    const row = make("div", "", { class: "row" });
    const button = (words, id, act) => {
      const made = make("button", words, { type: "button", id });
      made.addEventListener("click", act);
      row.append(made);
    };
    button("One step", "lesson-step", () => { this.step(); this.show(); });
    button("One pass", "lesson-pass", () => this.timer || this.pass());
    button(this.running ? "Stop" : "Run", "lesson-run", () => { if (this.running) { this.stop(); this.show(); } else { this.running = true; if (!this.timer) this.pass(); } });
    button("Begin anew", "lesson-reset", () => this.reset());
    button(this.using ? "Back to the trained network" : "Look into this one", "lesson-use", () => this.swap());
    const told = make("p", `${passes} passes over ${train.length} drawn digits, ${this.steps} steps of ${BATCH}. Of ${test.length} others ${errors.at(-1)} are wrong.`, { id: "lesson-told", "aria-live": "polite" });
    const kernels = make("div", "", { class: "kernels", role: "img", "aria-label": "the kernels of the first layer" });
    const first = this.machine.network.layers[0];
    const weights = this.pupil.weights(...first.weights);
    const most = Math.max(...weights.map(Math.abs));
    for (let map = 0; map < first.shape[0]; map++) kernels.append(paint(make("canvas"), weights.subarray(25 * map, 25 * map + 25), 5, 5, 0, most, true));
    const curves = make("div", "", { class: "curves" });
    curves.append(
      curve("loss of each step", smooth(losses), Math.max(2.5, ...smooth(losses)), "steps"),
      curve(`wrong of ${test.length}`, errors, test.length, "passes"),
    );
    const focused = document.activeElement?.id;
    box.replaceChildren(told, row, kernels, curves);
    if (focused?.startsWith("lesson-")) document.getElementById(focused)?.focus();
  }

  // Shows the pupil in place of the trained network, or back.
  swap() {
    this.using = !this.using;
    if (this.using) this.pupil.use();
    else this.pupil.use(this.kept);
    const now = this.machine.floats(this.machine.at.parameters, this.machine.parameters.length);
    this.machine.parameters.set(now);
    this.show();
    this.changed();
  }
}

function smooth(values) {
  const by = Math.max(1, Math.floor(values.length / 200));
  const found = [];
  for (let k = 0; k < values.length; k += by) found.push(values.slice(k, k + by).reduce((a, b) => a + b, 0) / Math.min(by, values.length - k));
  return found;
}

// A curve with its axes: from 0 to `top`, over all that there is.
export function curve(words, values, top, unit) {
  const [wide, high, left, foot] = [260, 110, 40, 24];
  const x = (k) => left + (wide - left - 8) * (values.length > 1 ? k / (values.length - 1) : 0);
  const y = (value) => 8 + (high - foot - 8) * (1 - value / (top || 1));
  const svg = [`<svg viewBox="0 0 ${wide} ${high}" role="img" aria-label="${words}: now ${(values.at(-1) ?? 0).toFixed(2)}">`];
  for (const share of [0, 0.5, 1]) {
    const value = share * top;
    svg.push(`<line x1="${left}" x2="${wide - 8}" y1="${y(value)}" y2="${y(value)}" class="axis"/><text x="${left - 5}" y="${y(value) + 4}" text-anchor="end">${top > 10 ? Math.round(value) : value.toFixed(1)}</text>`);
  }
  svg.push(`<text x="${left}" y="${high - 6}">${words}</text><text x="${wide - 8}" y="${high - 6}" text-anchor="end">${Math.max(0, values.length - (unit === "passes" ? 1 : 0))} ${unit}</text>`);
  if (values.length) svg.push(`<polyline points="${values.map((value, k) => `${x(k).toFixed(1)},${y(Math.min(top, value)).toFixed(1)}`).join(" ")}"/><circle cx="${x(values.length - 1)}" cy="${y(Math.min(top, values.at(-1)))}" r="3"/>`);
  const figure = make("figure", "", { class: "curve" });
  figure.innerHTML = `${svg.join("")}</svg>`;
  return figure;
}
