// Every layer live: maps with one scale each, F6 beside the codes, and for any value its field and the sum behind it.

import { element, halves, picture, signed } from "./numbers.js";
import { post } from "./service.js";

const byId = (id) => document.getElementById(id);
const TIMES = { 32: 3, 28: 2, 24: 2, 14: 3, 12: 3, 10: 4, 8: 4, 5: 6, 4: 6, 1: 12 };
let asked = 0;

export async function showLayers(glyph, model) {
  const found = await post("/activations", { glyph, model });
  byId("unit").replaceChildren();
  const rows = found.layers.map((layer) => row(layer, found, glyph, model));
  byId("layers").replaceChildren(...rows);
}

// How the maps of a layer are laid out: so many in a row, each so large, a pixel between them.
function layout(layer) {
  const [maps, high, wide] = layer.shape;
  const single = high * wide === 1;
  const across = single ? (maps === 84 ? 7 : Math.min(maps, maps > 20 ? 20 : maps)) : Math.min(maps, Math.max(1, Math.floor(34 * 8 / (wide + 1))));
  return { maps, high, wide, across, gap: single ? 0 : 1, times: TIMES[wide] ?? 3 };
}

function row(layer, found, glyph, model) {
  const { maps, high, wide, across, gap, times } = layout(layer);
  const values = halves(layer.values);
  const columns = across * (wide + gap) - gap;
  const rows = Math.ceil(maps / across) * (high + gap) - gap;
  const field = new Float32Array(columns * rows).fill(layer.low);
  for (let map = 0; map < maps; map++) {
    const left = (map % across) * (wide + gap);
    const top = Math.floor(map / across) * (high + gap);
    for (let y = 0; y < high; y++) {
      field.set(values.subarray(map * high * wide + y * wide, map * high * wide + (y + 1) * wide), (top + y) * columns + left);
    }
  }
  const made = element("div", "", { class: "layer" });
  const name = element("p");
  name.append(element("b", layer.name), `${maps} of ${high}×${wide}`, element("br"), `${layer.low.toFixed(2)} to ${layer.high.toFixed(2)}`);
  const canvas = picture(field, columns, rows, layer.low, layer.high, times);
  divide(canvas, layout(layer), columns, rows);
  canvas.style.margin = "0";
  canvas.style.height = "auto";
  canvas.id = `layer-${layer.name}`;
  const beside = element("div", "", { class: "codes" });
  beside.append(canvas);
  if (layer.name === "F6" && found.codes.length) beside.append(...codes(values, found));
  made.append(name, beside);
  if (layer.name !== "input") point(canvas, layer, layout(layer), columns, rows, glyph, model);
  return made;
}

// Draws the lines between the maps of a layer.
function divide(canvas, { high, wide, gap }, columns, rows) {
  if (!gap) return;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#c9c5bb";
  for (let x = wide; x < columns; x += wide + gap) pen.fillRect(x, 0, gap, rows);
  for (let y = high; y < rows; y += high + gap) pen.fillRect(0, y, columns, gap);
}

// F6 stands beside the ten codes: 7 by 12, and how far it is from each.
function codes(f6, found) {
  const apart = found.codes.map((code) => code.reduce((sum, each, i) => sum + (each - f6[i]) ** 2, 0));
  const nearest = Math.min(...apart);
  return found.codes.map((code, digit) => {
    const figure = element("figure", "", { class: apart[digit] === nearest ? "best" : "" });
    figure.append(picture(code, 7, 12, -1, 1, 4), element("figcaption", `${found.labels[digit]}: ${apart[digit].toFixed(1)}`));
    return figure;
  });
}

function point(canvas, layer, { maps, high, wide, across, gap }, columns, rows, glyph, model) {
  let place = [0, 0, 0];
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `values of ${layer.name}; the arrow keys choose one`);
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) * columns / box.width);
    const y = Math.floor((event.clientY - box.top) * rows / box.height);
    const map = Math.floor(y / (high + gap)) * across + Math.floor(x / (wide + gap));
    const found = [map, y % (high + gap), x % (wide + gap)];
    return map >= 0 && map < maps && found[1] < high && found[2] < wide ? found : null;
  };
  const look = (found) => {
    if (!found || String(found) === String(place) && byId("unit").dataset.layer === layer.name) return;
    place = found;
    showUnit(layer.name, place, glyph, model);
  };
  canvas.addEventListener("pointermove", (event) => look(at(event)));
  canvas.addEventListener("pointerdown", (event) => look(at(event)));
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    let [map, y, x] = place;
    const [down, right] = moves[event.key];
    y += down;
    x += right;
    // Over the edge of a map the next one begins.
    if (x < 0 || x >= wide) { map += right; x = x < 0 ? wide - 1 : 0; }
    if (y < 0 || y >= high) { map += down * (high === 1 ? across : 1); y = y < 0 ? high - 1 : 0; }
    if (map >= 0 && map < maps) look([map, y, x]);
  });
}

async function showUnit(layer, place, glyph, model) {
  const number = ++asked;
  const found = await post("/unit", { glyph, model, layer, place }).catch(() => null);
  if (!found || number !== asked) return;
  frame(found.field);
  const [map, y, x] = place;
  const f = found.activation && found.activation !== "none" ? `; ${found.activation} makes it ${found.value.toFixed(3)}` : "";
  const words = `${layer}, map ${map}, row ${y}, column ${x}: ${found.kind} of ${found.before} = ${found.sum.toFixed(3)} (bias ${found.bias.toFixed(3)})${f}`;
  const most = Math.max(...found.terms.flatMap((term) => term.weights.flat().map(Math.abs)));
  const sums = element("div", "", { class: "sums" });
  for (const term of [...found.terms].sort((a, b) => Math.abs(b.comes_to) - Math.abs(a.comes_to)).slice(0, 16)) {
    const [high, wide] = [term.values.length, term.values[0].length];
    const figure = element("figure");
    const flat = term.values.flat();
    const pair = element("div", "", { class: "row" });
    const times = wide === 1 ? 14 : 7;
    pair.append(picture(flat, wide, high, Math.min(...flat, -0.1), Math.max(...flat, 1), times), signed(term.weights.flat(), wide, high, most, times));
    figure.append(pair, element("figcaption", `map ${term.map}: ${term.comes_to >= 0 ? "+" : ""}${term.comes_to.toFixed(3)}`));
    sums.append(figure);
  }
  const unit = byId("unit");
  unit.dataset.layer = layer;
  unit.replaceChildren(element("p", words), sums);
  if (found.terms.length > 16) unit.append(element("p", `and ${found.terms.length - 16} more`, { class: "quiet" }));
}

// Frames the part of the input that a value can be changed by.
function frame([x0, y0, x1, y1]) {
  const canvas = byId("layer-input");
  if (!canvas) return;
  canvas.parentElement.querySelector(".field")?.remove();
  const box = element("div", "", { class: "field" });
  const times = canvas.clientWidth / 32;
  Object.assign(box.style, {
    position: "absolute", left: `${x0 * times}px`, top: `${y0 * times}px`, width: `${(x1 - x0) * times}px`,
    height: `${(y1 - y0) * times}px`, outline: "2px solid var(--accent)", pointerEvents: "none",
  });
  canvas.parentElement.style.position = "relative";
  canvas.parentElement.append(box);
}
