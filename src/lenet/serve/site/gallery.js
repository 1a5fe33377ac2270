// What it bears: sliders change the digit at hand, curves show the probabilities along each of them.

import { bytes, drawn, element, percent, picture } from "./numbers.js";
import { post } from "./service.js";

const CHANGES = {
  right: [-12, 12, 0, 0.5, "to the right, pixels"],
  down: [-12, 12, 0, 0.5, "down, pixels"],
  size: [0.4, 1.6, 1, 0.02, "size, times"],
  turn: [-60, 60, 0, 1, "turn, degrees clockwise"],
  squeeze: [0.5, 2, 1, 0.02, "squeeze, times as wide"],
  slant: [-45, 45, 0, 1, "slant, degrees"],
  strokes: [-2, 3, 0, 0.1, "stroke width, pixels added on every side"],
  noise: [0, 40, 0, 1, "noise, per cent of the pixels inverted"],
};
const gallery = document.getElementById("gallery");
const sliders = {};
const curves = {};
let now = null;
let busy = false;
let again = null;

function build() {
  const shown = element("div", "", { class: "shown" });
  const canvas = element("canvas", "", { id: "changed", "aria-label": "the changed digit" });
  const bars = element("div", "", { class: "bars", id: "bars" });
  const reset = element("button", "As written", { type: "button" });
  reset.addEventListener("click", () => {
    for (const [name, [, , unchanged]] of Object.entries(CHANGES)) sliders[name].value = unchanged;
    refresh(null);
  });
  const play = element("button", "Let it move", { type: "button" });
  play.addEventListener("click", () => move(play));
  const buttons = element("div");
  buttons.append(reset, " ", play);
  shown.append(canvas, bars, buttons);
  const all = element("div", "", { class: "changes" });
  for (const [name, [low, high, unchanged, step, words]] of Object.entries(CHANGES)) {
    const slider = element("input", "", { type: "range", min: low, max: high, step, id: `change-${name}` });
    slider.value = unchanged;
    slider.addEventListener("input", () => refresh(name));
    const label = element("label", words);
    label.append(slider);
    curves[name] = drawn("svg", { class: "curve", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": `probabilities along ${name}` });
    const box = element("div");
    const ends = element("div", "", { class: "ends", "aria-hidden": "true" });
    ends.append(element("span", String(low)), element("span", "probability, 0 to 100 %"), element("span", String(high)));
    box.append(label, curves[name], ends);
    all.append(box);
    sliders[name] = slider;
  }
  gallery.replaceChildren(shown, element("p", "", { id: "legend", class: "quiet" }), all);
}

export async function showGallery(glyph, model) {
  if (!gallery.children.length) build();
  gallery.hidden = false;
  now = { glyph, model };
  await refresh(null);
}

// Asks for the curve along what moves, or for all; one request at a time, the newest wish last.
async function refresh(along) {
  if (!now) return;
  if (busy) { again = { along: again && again.along !== along ? null : along }; return; }
  busy = true;
  const amounts = Object.fromEntries(Object.entries(sliders).map(([name, slider]) => [name, Number(slider.value)]));
  try {
    show(await post("/vary", { ...now, amounts, along }), amounts);
  } finally {
    busy = false;
    const next = again;
    again = null;
    if (next) refresh(next.along);
    else if (along) refresh(null);
  }
}

function show(found, amounts) {
  picture(bytes(found.field), 32, 32, 0, 255, 5, document.getElementById("changed"));
  const order = found.probabilities.map((_, label) => label).sort((a, b) => found.probabilities[b] - found.probabilities[a]);
  const bars = order.slice(0, 5).flatMap((label) => {
    const bar = element("i");
    bar.style.width = `${100 * found.probabilities[label]}%`;
    return [element("span", found.labels[label]), bar, element("span", percent(found.probabilities[label]))];
  });
  document.getElementById("bars").replaceChildren(...bars);
  document.getElementById("legend").textContent = `Orange: ${found.labels[order[0]]}. Blue: ${found.labels[order[1]]}. The dashed line is where the slider stands.`;
  for (const [name, curve] of Object.entries(found.curves)) {
    const [low, high] = CHANGES[name];
    const x = (amount) => 100 * (amount - low) / (high - low);
    const lines = found.labels.map((_, label) => {
      const points = curve.amounts.map((amount, i) => `${x(amount)},${38 - 36 * curve.probabilities[i][label]}`).join(" ");
      return drawn("polyline", { points, class: label === order[0] ? "is" : label === order[1] ? "next" : "" });
    });
    const at = drawn("line", { x1: x(amounts[name]), x2: x(amounts[name]), y1: 0, y2: 40 });
    const told = `${found.labels[order[0]]} ${percent(found.probabilities[order[0]])} at ${amounts[name]}`;
    curves[name].setAttribute("aria-label", `probabilities along ${name}: ${told}`);
    curves[name].replaceChildren(...lines, at);
  }
}

// Moves one change after the other through its range and back.
async function move(button) {
  if (button.dataset.moving) { delete button.dataset.moving; return; }
  button.dataset.moving = "yes";
  button.textContent = "Stop";
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const [name, [low, high, unchanged]] of Object.entries(CHANGES)) {
    for (let step = 0; step <= 40 && button.dataset.moving; step++) {
      const share = Math.sin((step / 20) * Math.PI);
      sliders[name].value = unchanged + Math.abs(share) * ((share > 0 ? high : low) - unchanged);
      if (!busy) await refresh(name);
      await new Promise((done) => setTimeout(done, still ? 250 : 45));
    }
    sliders[name].value = unchanged;
  }
  delete button.dataset.moving;
  button.textContent = "Let it move";
  refresh(null);
}
