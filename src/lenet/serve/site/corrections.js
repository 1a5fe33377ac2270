// Corrections: digits with what they really say, kept on this machine; one button teaches them to a network.

import { bytes, element, picture } from "./numbers.js";
import { get, post, remove } from "./service.js";
import { start } from "./lesson.js";

const place = document.getElementById("corrections");
let model = "";

export function tuneWhich(name) {
  model = name;
}

export async function buildCorrections() {
  show(await get("/corrections"));
}

export async function correct(glyph, label) {
  show(await post("/corrections", { glyph, label }));
}

// The last corrections as they are kept, each with what it is said to be; one click takes one back.
function showLatest(latest) {
  const made = element("div", "", { class: "row", id: "kept" });
  for (const { name, label, glyph } of latest) {
    const what = label === "none" ? "no digit" : `a ${label}`;
    const button = element("button", "", { type: "button", class: "tile", "aria-label": `kept as ${what}; take it back`, title: "take it back" });
    button.append(picture(bytes(glyph), 28, 28, 0, 255, 2), element("small", `${label} ×`));
    button.addEventListener("click", async () => show(await remove(`/corrections/${encodeURIComponent(name)}`)));
    made.append(button);
  }
  return made;
}

function show({ folder, counts, latest }) {
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const each = Object.entries(counts).map(([label, count]) => `${label}: ${count}`).join(", ");
  const words = element("p", total
    ? `${total} corrected digits (${each}) in ${folder}.`
    : "Draw, mark a digit that was misread, and say what it is: it is kept on this machine.", { id: "corrections-words" });
  const row = element("div", "", { class: "row" });
  const problem = element("p", "", { class: "bad", role: "alert" });
  const tune = element("button", "Fine-tune on them", { type: "button", class: "first", id: "finetune" });
  tune.disabled = total < 3;
  tune.addEventListener("click", () => {
    document.getElementById("train-panel").open = true;
    document.getElementById("train-panel").scrollIntoView();
    start("/finetune", { model }).catch((error) => { problem.textContent = error.message; });
  });
  const forget = element("button", "Forget them", { type: "button" });
  forget.disabled = !total;
  forget.addEventListener("click", async () => {
    if (confirm(`Forget ${total} corrected digits? They cannot be brought back.`)) show(await remove("/corrections"));
  });
  row.append(tune, forget);
  place.replaceChildren(words, showLatest(latest), row, problem);
}
