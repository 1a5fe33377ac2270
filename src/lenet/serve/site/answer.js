// The answer: the text, how sure it is, the notes, the digits as the network saw them, and the boxes over the picture.

import { bytes, drawn, element, percent, picture } from "./numbers.js";

const SILENT = { blank: "nothing written", "not a number": "no number in it", "too small": "too small to read", "too blurred": "too blurred to read" };
// Other texts are named from this probability on.
const LEAST = 0.001;
const byId = (id) => document.getElementById(id);

// Shows a reading; `chosen` is called with the digit that is looked at from then on.
export function showAnswer(reading, pad, marked, chosen) {
  const text = byId("answer");
  const shown = reading.text || reading.guess;
  // What is withheld is no answer in large type: the likeliest texts of its line are named.
  const others = reading.lines.length === 1 ? (reading.lines[0].likeliest ?? []).slice(1, 4).filter((each) => each.confidence >= LEAST) : [];
  const second = others.find((each) => each.text)?.text;
  text.textContent = reading.text || (shown ? `not sure: ${shown}${second ? ` or ${second}` : ""}?` : SILENT[reading.state] || reading.state);
  text.classList.toggle("unsure", reading.abstained !== false);
  const named = others.map((each) => `${each.text || "nothing"} (${percent(each.confidence)})`);
  byId("sure").textContent = shown ? `All of it is right with ${percent(reading.confidence)}.${named.length ? ` Else it is ${named.join(", ")}.` : ""}` : "";
  byId("notes").replaceChildren(...reading.notes.map((each) => element("li", each)));
  byId("tiles").replaceChildren(...reading.digits.map((digit, place) => tile(digit, place === marked, () => chosen(place))));
  boxes(reading, pad, marked);
}

export function showNothing(words) {
  byId("answer").textContent = "";
  byId("sure").textContent = words;
  byId("answer").classList.remove("unsure");
  byId("timing").textContent = "";
  for (const id of ["notes", "tiles", "overlay", "graph"]) byId(id).replaceChildren();
}

function tile(digit, marked, choose) {
  const made = element("button", "", { type: "button", class: "tile", "aria-pressed": String(marked) });
  const runnerUp = `${digit.runner_up.label} ${percent(digit.runner_up.confidence)}`;
  made.setAttribute("aria-label", `${digit.label} ${percent(digit.confidence)} or ${runnerUp}: this digit by itself`);
  made.append(picture(bytes(digit.glyph), 28, 28, 0, 255, 2), element("b", digit.label), element("div", percent(digit.confidence)));
  if (digit.runner_up.confidence >= LEAST) made.append(element("div", `or ${runnerUp}`));
  made.addEventListener("click", choose);
  return made;
}

function boxes(reading, pad, marked) {
  const overlay = byId("overlay");
  const { scale, left, top } = pad.fit;
  overlay.setAttribute("viewBox", `0 0 ${pad.canvas.width} ${pad.canvas.height}`);
  // A picture that the browser cannot show has no place on the pad.
  if (pad.picture && !pad.image) return overlay.replaceChildren();
  const shown = reading.digits.map((digit, place) => {
    const [x0, y0, x1, y1] = digit.box;
    const size = { width: (x1 - x0) * scale, height: (y1 - y0) * scale };
    return drawn("rect", { x: left + x0 * scale, y: top + y0 * scale, ...size, class: place === marked ? "marked" : "" });
  });
  const cuts = reading.cuts.map(([x, y]) => drawn("circle", { cx: left + x * scale, cy: top + y * scale, r: 1.6 }));
  overlay.replaceChildren(...shown, ...cuts);
}

// Frames a candidate over the picture, while it is pointed at.
function point(candidate, pad) {
  byId("overlay").querySelector(".candidate")?.remove();
  if (!candidate || (pad.picture && !pad.image)) return;
  const { scale, left, top } = pad.fit;
  const [x0, y0, x1, y1] = candidate.box;
  const size = { width: (x1 - x0) * scale, height: (y1 - y0) * scale };
  byId("overlay").append(drawn("rect", { x: left + x0 * scale, y: top + y0 * scale, ...size, class: "candidate" }));
}

// The graph of candidates: a column for each piece that one begins at, a row for each length.
export function showGraph(reading, pad) {
  const graph = byId("graph");
  if (!reading.candidates.length) return graph.replaceChildren(element("p", "No candidates: nothing was cut."));
  const firsts = [...new Set(reading.candidates.map((each) => each.pieces[0]))].sort((a, b) => a - b);
  const longest = Math.max(...reading.candidates.map((each) => each.pieces[1] - each.pieces[0]));
  const table = element("table");
  for (let length = 1; length <= longest; length++) {
    const row = element("tr");
    for (const first of firsts) {
      const found = reading.candidates.find((each) => each.pieces[0] === first && each.pieces[1] === first + length);
      const cell = element("td");
      if (found) {
        cell.className = found.chosen ? "chosen" : "";
        cell.append(picture(bytes(found.glyph), 28, 28, 0, 255, 1.4), element("div", found.label === "not a digit" ? "none" : found.label));
        cell.append(element("div", percent(found.confidence)));
        cell.tabIndex = 0;
        cell.setAttribute("aria-label", `${found.label}, ${percent(found.confidence)}${found.chosen ? ", on the path" : ""}`);
        for (const name of ["pointerenter", "focus"]) cell.addEventListener(name, () => point(found, pad));
        for (const name of ["pointerleave", "blur"]) cell.addEventListener(name, () => point(null, pad));
      }
      row.append(cell);
    }
    table.append(row);
  }
  graph.replaceChildren(table);
}
