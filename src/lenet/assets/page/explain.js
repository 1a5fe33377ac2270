// The explanation beside the pointer: what the value is, its windows times their kernels, the sum, what becomes of it.

import { SQUASH_WORDS } from "./sum.js";
import { make, paint } from "./view.js";

// Digits behind the point: enough that the numbers that are shown add up to the sum that is shown.
const EXACT = 3;
const SHOWN_TERMS = 6;

export function explainInput(network, glyph, place) {
  const [, row, column] = place;
  const box = make("div");
  const y = row + network.margin - 2;
  const x = column + network.margin - 2;
  const inside = y >= 0 && y < 28 && x >= 0 && x < 28;
  const grey = inside ? glyph[28 * y + x] : 0;
  box.append(
    make("h2", `Input, row ${row}, column ${column}`),
    make("p", `Ink of ${grey} of 255 becomes −0.1 + 1.275 × ${grey} / 255 = ${minus((-0.1 + 1.275 * grey / 255).toFixed(3))}. Paper is −0.1 and the darkest pen 1.175: then the mean of all pixels is about 0, and learning is faster.`),
  );
  return box;
}

export function explainSum(sum, said) {
  const { layer, place, terms, bias, total, activation } = sum;
  const [map, row, column] = place;
  const box = make("div");
  const single = layer.shape[1] * layer.shape[2] === 1;
  const where = single ? `value ${map}` : `map ${map}, row ${row}, column ${column}`;
  box.append(make("h2", layer.kind === "codes" ? `The code of ${sum.label}` : `${layer.name}, ${where}`));
  const formula = { convolution: terms[0].values.length > 1 ? "window × kernel, added up, plus the bias" : "values × weights, added up, plus the bias", trainable: "four values added up, times the coefficient, plus the bias", average: "a quarter of each of four values", max: "the largest of four values", codes: "each difference squared, added up, with a minus sign" }[layer.kind];
  box.append(make("p", `${formula}:`, { class: "how" }));
  const list = make("div", "", { class: "terms" });
  const ordered = [...terms].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  const wide = terms[0].values.length > 1;
  if (!wide && terms.length > SHOWN_TERMS) {
    list.append(pair(terms.map((term) => term.values[0]), terms.map((term) => term.weights[0]), terms.length === 84 ? 7 : 12, layer));
  }
  const lines = wide ? list : make("div", "", { class: "lines" });
  if (!wide) list.append(lines);
  for (const term of ordered.slice(0, SHOWN_TERMS)) lines.append(wide ? grid(term, layer) : line(term, layer));
  const rest = ordered.slice(SHOWN_TERMS).reduce((all, term) => all + term.sum, 0);
  if (ordered.length > SHOWN_TERMS) lines.append(make("p", `and ${ordered.length - SHOWN_TERMS} more, together ${signed(rest)}`, { class: "rest", "data-sum": rest.toFixed(EXACT + 3) }));
  box.append(list);
  const adds = make("p", "", { class: "adds" });
  const sums = ordered.slice(0, SHOWN_TERMS).map((term) => term.sum);
  if (ordered.length > SHOWN_TERMS) sums.push(rest);
  const parts = layer.kind === "max" ? "the largest" : sums.map(signed).join(" ");
  const has = layer.kind === "convolution" || layer.kind === "trainable";
  adds.append(make("span", `${parts}${has ? ` ${signed(bias)} (bias)` : ""} = `), make("b", minus(total.toFixed(EXACT)), { class: "total" }));
  box.append(adds);
  const value = make("p", "", { class: "becomes" });
  if (activation !== "none") value.append(`${SQUASH_WORDS[activation]} makes it `, make("b", minus(said.toFixed(EXACT)), { class: "value" }), ".");
  else value.append(layer.kind === "codes" ? `So the squared distance of F6 to the code of ${sum.label} is ${(-said).toFixed(1)}. The smallest of the ${layer.shape[0]} is the answer; softmax of them all, with their minus signs, gives the bars.` : "That is the value.");
  box.append(value);
  return box;
}

// A number with the sign that print has, and no zero below zero.
function minus(text) {
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

function signed(value) {
  return `${value < 0 ? "−" : "+"} ${Math.abs(value).toFixed(EXACT)}`;
}

// A window and its kernel as small tables of numbers.
function grid(term, layer) {
  const figure = make("figure", "", { class: "term-sum" });
  const tables = make("div", "", { class: "tables" });
  const most = Math.max(...term.weights.map(Math.abs), 1e-6);
  const top = Math.max(...term.values.map(Math.abs), 1e-6);
  const grid = table(term.values, term.wide, top, false);
  if (layer.kind === "max") grid.querySelectorAll("td")[term.values.indexOf(term.sum)].classList.add("wins");
  tables.append(grid);
  if (layer.kind !== "max") tables.append(make("span", "×"), table(term.weights, term.wide, most, true));
  const before = layer.before[0] > 1 ? `map ${term.map}` : "the drawing";
  figure.append(tables, make("figcaption", `${before}: ${signed(term.sum)}`, { "data-sum": term.sum.toFixed(EXACT + 3) }));
  return figure;
}

function table(values, wide, most, isSigned) {
  const made = make("table", "", { class: "numbers" });
  for (let k = 0; k < values.length; k += wide) {
    const row = make("tr");
    for (let j = k; j < k + wide; j++) {
      const cell = make("td", minus(values[j].toFixed(2)), { title: minus(values[j].toFixed(5)) });
      const share = Math.min(1, Math.abs(values[j]) / most);
      cell.style.setProperty("--share", `${Math.round(70 * share)}%`);
      cell.className = values[j] < 0 ? "minus" : isSigned ? "plus" : "ink";
      row.append(cell);
    }
    made.append(row);
  }
  return made;
}

// One value and its weight in a line.
function line(term, layer) {
  const [value] = term.values;
  const [weight] = term.weights;
  const told = layer.kind === "codes" ? `(${minus(value.toFixed(2))} ${weight < 0 ? "+" : "−"} 1)² → ${signed(term.sum)}` : `value ${term.map}: ${value.toFixed(3)} × ${weight.toFixed(3)} = ${signed(term.sum)}`;
  return make("p", told.replaceAll("-", "−"), { class: "term-line", "data-sum": term.sum.toFixed(EXACT + 3) });
}

// All values beside all weights, as pictures.
function pair(values, weights, across, layer) {
  const box = make("div", "", { class: "tables" });
  const high = Math.ceil(values.length / across);
  const fill = (numbers) => Float32Array.from({ length: across * high }, (_each, k) => numbers[k] ?? 0);
  const [low, top] = layer.kind === "codes" ? [-1.2, 1.2] : [Math.min(...values), Math.max(...values)];
  const first = paint(make("canvas", "", { class: "pair", role: "img", "aria-label": "the values" }), fill(values), across, high, low, top);
  const most = Math.max(...weights.map(Math.abs));
  const second = paint(make("canvas", "", { class: "pair", role: "img", "aria-label": layer.kind === "codes" ? "the code" : "the weights" }), fill(weights), across, high, layer.kind === "codes" ? -1.2 : 0, layer.kind === "codes" ? 1.2 : most, layer.kind !== "codes");
  box.append(first, make("span", layer.kind === "codes" ? "beside" : "×"), second);
  return box;
}
