// A network looked into: the whole of it side by side, the value that is looked at, its layer in words, the six steps.

import { explainInput, explainSum } from "./explain.js";
import { fieldOf, sumOf } from "./sum.js";
import { Tour } from "./tour.js";
import { make, paint, View } from "./view.js";
import { countLayer, sayLayer, titleOf, withTerms } from "./words.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export class Inside {
  // `boxes` are the elements for the network, the value, the layer and the steps. `told` is called with the field of the
  // value in the drawing, null if it has none, whenever another is looked at; `changed` with a glyph to be shown instead.
  constructor(machine, boxes, { told, changed }) {
    Object.assign(this, { machine, boxes, told, showGlyph: changed });
    this.view = new View(boxes.network, machine, (number, place) => this.explain(number, place));
    this.view.sumOf = (number, place) => this.sum(number, place);
    this.tour = new Tour(boxes.tour, this);
    this.tour.show();
  }

  sum(number, place) {
    return this.layers && number >= 0 ? sumOf(this.machine, number, place, this.layers) : null;
  }

  // The runner-up.
  second() {
    const best = this.view.best;
    return this.probabilities.indexOf(Math.max(...this.probabilities.filter((_each, k) => k !== best)));
  }

  // Empties all that was shown, and says why.
  nothing(words) {
    this.stopSliding();
    this.layers = null;
    this.view.clear();
    this.tour.stop();
    this.boxes.explained.replaceChildren(make("p", words, { class: "quiet" }));
    this.told(null);
  }

  // Runs the network on a glyph and shows all of it.
  read(glyph) {
    this.glyph = glyph;
    this.layers = this.machine.run(glyph);
    this.probabilities = this.machine.probabilities(this.layers);
    this.view.show(this.layers, this.probabilities);
    const { number, place } = this.view.at ?? { number: 0, place: this.view.brightest(0) };
    this.view.at ??= { number, place };
    this.explain(number, place);
    clearTimeout(this.renewing);
    this.renewing = setTimeout(() => this.tour.renew(), 200); // it tries hundreds of changes
  }

  look(number, place) {
    if (!this.layers) return;
    this.view.keep(number, place);
    const { row, parts } = this.view;
    const { part } = parts[number + 1];
    row.scrollTo({ left: part.offsetLeft - row.offsetLeft - (row.clientWidth - part.clientWidth) / 2, behavior: CALM.matches ? "auto" : "smooth" });
  }

  explain(number, place) {
    if (!this.layers) return;
    if (!this.moving) this.stopSliding();
    const { network } = this.machine;
    const layer = network.layers[number];
    const box = this.boxes.explained;
    box.replaceChildren();
    if (number < 0) box.append(explainInput(network, this.glyph, place));
    else {
      const sum = this.sum(number, place);
      const [maps, high, wide] = layer.shape;
      const said = this.layers[number + 1][(place[0] * high + place[1]) * wide + place[2]];
      box.append(explainSum(sum, maps ? said : 0));
    }
    const { about } = this.boxes;
    if (about.dataset.layer !== String(number)) {
      about.dataset.layer = number;
      about.replaceChildren();
      if (number < 0) about.append(make("h2", "Input: 32 × 32"), make("p", "The largest digit is 20 × 20, in the middle of a field of 28 × 28, as MNIST has it. Two pixels of paper more on each side make 32 × 32. So the middles of all that C3 looks at are the 20 × 20 of the digit: the end of a stroke, or a corner, can be in the middle of every window."));
      else {
        const said = make("p");
        said.append(...withTerms(sayLayer(layer, network)));
        about.append(make("h2", titleOf(layer, network)), said, make("p", countLayer(layer), { class: "counted" }));
        if (layer.kind === "convolution" && layer.before[0] === 1) about.append(this.kernels(layer));
        if (layer.table && layer.shape[0] === 16) about.append(this.tableOne(layer, number, place[0]));
        if (layer.kind === "convolution" && layer.shape[1] > 1) about.append(this.slider(number));
      }
    } else if (layer?.table) {
      about.querySelectorAll(".table-one th[scope=col]").forEach((cell, k) => cell.classList.toggle("here", k === place[0]));
    }
    this.told(number < 0 ? [place[2], place[1], place[2] + 1, place[1] + 1] : fieldOf(network, number, place[1], place[2]));
  }

  tableOne(layer, number, map) {
    const table = make("table", "", { class: "table-one" });
    table.append(make("caption", "Table I: which maps of S2 (rows) each map of C3 (columns) sees"));
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

  // The kernels of the first layer as pictures.
  kernels(layer) {
    const figure = make("figure", "", { class: "kernels-now" });
    const box = make("div", "", { class: "kernels", role: "img", "aria-label": `the ${layer.shape[0]} kernels of ${layer.name}` });
    const weights = this.machine.parameters.subarray(...layer.weights);
    const most = Math.max(...weights.map(Math.abs));
    const area = layer.size ** 2;
    for (let map = 0; map < layer.shape[0]; map++) box.append(paint(make("canvas"), weights.subarray(area * map, area * (map + 1)), layer.size, layer.size, 0, most, true));
    figure.append(box, make("figcaption", `Its ${layer.shape[0]} kernels. Orange wants ink there and blue wants paper: each looks for an edge, a bar or a corner of its own.`));
    return figure;
  }

  slider(number) {
    const button = make("button", "Slide the kernel", { type: "button", id: "slide" });
    button.addEventListener("click", () => this.slide(number, button));
    return button;
  }

  // Lays the kernel on one place after the other; without motion, on the next one.
  slide(number, button) {
    if (this.sliding) return this.stopSliding();
    const [, high, wide] = this.machine.network.layers[number].shape;
    const here = this.view.at?.number === number ? this.view.at.place : [0, 0, 0];
    let [y, x] = CALM.matches ? here.slice(1) : [0, -1];
    const next = () => {
      x++;
      if (x >= wide) { x = 0; y++; }
      if (y >= high && CALM.matches) y = 0;
      if (y >= high || !this.layers) return this.stopSliding();
      this.moving = true;
      this.view.keep(number, [here[0], y, x]);
      this.moving = false;
    };
    if (CALM.matches) return next();
    button.textContent = "Stop";
    this.sliding = { button, timer: setInterval(next, 25) };
  }

  stopSliding() {
    if (!this.sliding) return;
    clearInterval(this.sliding.timer);
    this.sliding.button.textContent = "Slide the kernel";
    this.sliding = null;
  }
}
