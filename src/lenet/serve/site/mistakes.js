// What a network gets wrong of MNIST's test digits, of the copy on this machine: each is looked into when it is chosen.

import { bytes, element, percent, picture } from "./numbers.js";
import { get } from "./service.js";

const told = document.getElementById("mistakes-told");
const place = document.getElementById("mistakes");
let shown = "";

// `choose(glyph, words)` shows a glyph in the network.
export async function showMistakes(model, choose) {
  if (shown === model) return;
  shown = model;
  place.replaceChildren();
  told.textContent = "Reading 10,000 digits …";
  let found;
  try {
    found = await get(`/mistakes?model=${encodeURIComponent(model)}`);
  } catch (error) {
    shown = "";
    told.textContent = error.message;
    return;
  }
  if (shown !== model) return;
  told.textContent = `Of MNIST's ${found.of.toLocaleString("en")} test digits it gets ${found.errors} wrong. These it is surest of:`;
  for (const { glyph, label, answer, probability, number } of found.mistakes) {
    const words = `a ${label} that is read as ${answer}`;
    const button = element("button", "", { type: "button", class: "tile", "aria-label": `${words}, ${percent(probability)}`, title: `test digit ${number}` });
    button.append(picture(bytes(glyph), 28, 28, 0, 255, 2), element("small", `${label} → ${answer === "not a digit" ? "none" : answer} ${percent(probability)}`));
    button.addEventListener("click", () => choose(glyph, words));
    place.append(button);
  }
}
