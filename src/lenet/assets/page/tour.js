// Six steps from the drawing to the answer, and to what would change it. Each looks at a place of the network.

import { make, paint, percent } from "./view.js";
import { withTerms } from "./words.js";

const ONE_COLUMN = matchMedia("(max-width: 979px)");

export class Tour {
  // `page` has the machine, the view, the glyph and its probabilities; `look` shows a value.
  constructor(box, page) {
    this.box = box;
    this.page = page;
    this.step = -1;
  }

  get steps() {
    const { network } = this.page.machine;
    const named = (name) => network.layers.findIndex((layer) => layer.name === name);
    const first = network.layers[0];
    const second = network.layers[2];
    const last = network.layers.at(-1);
    const codes = last.kind === "codes";
    return [
      ["The drawing becomes 28 × 28", "What you drew is brought to a box of 20 × 20 pixels, and its centre of mass to the middle of a field of 28 × 28, as MNIST's digits were. Two more pixels of paper all around make 32 × 32, so that the end of a stroke can be seen in the middle of a window. Paper is −0.1 and ink up to 1.175.", () => this.page.look(-1, [0, 12, 15]), () => this.box20()],
      [`${first.name}: a kernel slides`, `Each of the ${first.shape[0]} [map]s has one [kernel] of ${first.size} × ${first.size} weights. It is laid on every place of the drawing, and what lies under it is multiplied and added up. Press “Slide the kernel”, and watch one map come about.`, () => this.page.look(0, this.page.view.brightest(0))],
      [`${network.layers[1].name}: half as large`, "Four neighbours become one value, so that a digit that was drawn a little to the side looks nearly the same. That is [subsampling].", () => this.page.look(1, this.page.view.brightest(1))],
      [`${second.name}: patterns of patterns`, second.table ? "A map of C3 sees three, four or all six maps of S2, by [Table I]: the lines show which. Maps that see different things must learn different things." : `Each map of ${second.name} sees all maps of ${network.layers[1].name}: the lines show how much each gives.`, () => this.page.look(2, this.page.view.brightest(2))],
      codes
        ? ["F6 draws the answer", "The values of F6 are to become a picture of 7 × 12 pixels: the [code] of an answer. The [distance] to each of the codes is the output; the nearest is the answer. The codes of signs that look alike are alike too, which helps when nobody can tell.", () => this.page.look(network.layers.length - 1, [this.page.view.best, 0, 0])]
        : [`${network.layers.at(-2).shape[0]} values become ${last.shape[0]} scores`, `Each answer adds up the ${network.layers.at(-2).shape[0]} values of ${network.layers.at(-2).name}, each times a weight. The highest score is the answer; [softmax] makes probabilities of them. The network of 1998 measured distances to drawn codes instead: the page of lenet5-1998 shows them.`, () => this.page.look(network.layers.length - 1, [this.page.view.best, 0, 0])],
      ["What would change its mind?", () => this.mind(), () => this.page.look(named("F6") >= 0 ? network.layers.length - 1 : network.layers.length - 1, [this.page.second(), 0, 0])],
    ];
  }

  go(step) {
    this.step = step;
    if (step < 0 || step >= this.steps.length) { this.step = -1; return this.show(); }
    this.steps[step][2]();
    this.show();
  }

  // Ends the steps: what they spoke of is gone.
  stop() {
    if (this.step < 0) return;
    this.step = -1;
    this.show();
  }

  // Says anew what depends on the drawing.
  renew() {
    if (this.step === this.steps.length - 1) this.show();
  }

  show() {
    const { box, steps, step } = this;
    box.replaceChildren();
    if (step < 0) {
      const begin = make("button", "Show me, in six steps", { type: "button", class: "first", id: "tour-begin" });
      begin.addEventListener("click", () => this.walk(0));
      box.append(begin);
      return;
    }
    const [title, text, , picture] = steps[step];
    box.append(make("h2", `${step + 1} of ${steps.length}: ${title}`, { tabindex: "-1" }));
    const said = make("p");
    said.append(...(typeof text === "function" ? text() : withTerms(text)));
    const row = make("div", "", { class: "row" });
    const back = make("button", "Back", { type: "button" });
    back.addEventListener("click", () => this.walk(step - 1));
    const next = make("button", step === steps.length - 1 ? "Done" : "Next", { type: "button", class: "first", id: "tour-next" });
    next.addEventListener("click", () => this.walk(step + 1));
    row.append(back, next);
    box.append(said, ...(picture ? [picture()] : []), row);
  }

  // Goes to a step because somebody asked for it: the words come into view, and are read.
  walk(step) {
    this.go(step);
    const to = this.box.querySelector("h2, button");
    to?.focus({ preventScroll: true });
    const { network, drawing } = this.page.boxes;
    const ofDrawing = this.step === 0 || this.step === this.steps.length - 1;
    const shown = ofDrawing && drawing ? drawing : network;
    // On a narrow screen the words lie over its lower half: what they speak of goes above them.
    if (ONE_COLUMN.matches && this.step >= 0) return shown.scrollIntoView({ block: "start" });
    shown.scrollIntoView({ block: "nearest" });
    this.box.scrollIntoView({ block: "nearest" });
  }

  // The glyph with its box of 20 x 20 and its centre of mass.
  box20() {
    const { glyph } = this.page;
    let [mass, down, across] = [0, 0, 0];
    glyph.forEach((grey, k) => { mass += grey; down += grey * Math.floor(k / 28); across += grey * (k % 28); });
    const canvas = paint(make("canvas", "", { class: "boxed", role: "img", "aria-label": "the glyph of 28 x 28 with its box of ink and its centre of mass" }), glyph, 28, 28, 0, 255);
    const figure = make("figure", "", { class: "boxed-figure" });
    const inked = [...glyph.keys()].filter((k) => glyph[k] > 0);
    const [rows, columns] = [inked.map((k) => Math.floor(k / 28)), inked.map((k) => k % 28)];
    const frame = make("i", "", { class: "box" });
    const dot = make("i", "", { class: "dot" });
    const at = (value) => `${100 * value / 28}%`;
    const [top, foot, left, right] = [Math.min(...rows), Math.max(...rows) + 1, Math.min(...columns), Math.max(...columns) + 1];
    Object.assign(frame.style, { left: at(left), top: at(top), width: at(right - left), height: at(foot - top) });
    Object.assign(dot.style, { left: at(across / mass + 0.5), top: at(down / mass + 0.5) });
    const holder = make("div", "", { class: "boxed-holder" });
    holder.append(canvas, frame, dot);
    figure.append(holder, make("figcaption", `Its ink is ${right - left} wide and ${foot - top} high; its centre of mass is at row ${(down / mass).toFixed(1)}, column ${(across / mass).toFixed(1)} of 0 to 27.`));
    return figure;
  }

  // The one patch of ink or of paper, some five pixels wide, that makes the runner-up likeliest: shown, its effect told.
  mind() {
    const { machine, glyph, probabilities } = this.page;
    const labels = machine.network.labels;
    const likeliest = (found) => found.indexOf(Math.max(...found));
    const best = likeliest(probabilities);
    const second = this.page.second();
    let found = null;
    for (let y = 2; y < 26; y += 2) {
      for (let x = 2; x < 26; x += 2) {
        for (const grey of [0, 255]) {
          const changed = patched(glyph, x, y, grey);
          if (!changed) continue;
          const now = machine.probabilities(machine.run(changed));
          if (!found || now[second] > found.now[second]) found = { x, y, grey, changed, now };
        }
      }
    }
    if (!found) return [document.createTextNode("Draw something first.")];
    const said = likeliest(found.now);
    const { margin } = machine.network;
    this.page.told([found.x - margin, found.y - margin, found.x + 5 - margin, found.y + 5 - margin]);
    const what = found.grey ? "a blot of ink" : "wiping a bit of ink";
    const button = make("button", "Make that change", { type: "button", id: "make-change" });
    button.addEventListener("click", () => this.page.showGlyph(found.changed));
    const words = `It says ${labels[best]} (${percent(probabilities[best])}); ${labels[second]} comes second (${percent(probabilities[second])}). Of all small changes, ${what} around row ${found.y + 2}, column ${found.x + 2} of the input (both from 0 to 31), framed in the drawing, speaks most for ${labels[second]}: it rises to ${percent(found.now[second])}. `;
    const then = said === second ? `So a ${labels[best]} becomes a ${labels[second]}. ` : said === best ? `The answer stays ${labels[best]}: it would take more. ` : `But then it says ${labels[said]}. `;
    return [document.createTextNode(words + then), button];
  }
}

function patched(glyph, x, y, grey) {
  const changed = glyph.slice();
  let differs = 0;
  for (let down = -2; down <= 2; down++) {
    for (let across = -2; across <= 2; across++) {
      if (down * down + across * across > 5) continue;
      const at = 28 * (y + down) + x + across;
      differs += Math.abs(changed[at] - grey);
      changed[at] = grey;
    }
  }
  return differs > 600 ? changed : null;
}
