// Why not the runner-up: what each patch of the digit does for it, and the smallest patch that changes the answer.

import { bytes, element, halves, picture, signed } from "./numbers.js";
import { post } from "./service.js";

export async function showWhy(glyph, model, wanted) {
  const found = await post("/why", { glyph, model });
  if (!wanted()) return;
  const maps = { paper: halves(found.maps.paper), pen: halves(found.maps.pen) };
  const most = Math.max(...maps.paper.map(Math.abs), ...maps.pen.map(Math.abs));
  const pictures = element("div", "", { class: "heat" });
  const figure = (canvas, words) => {
    const made = element("figure");
    made.append(canvas, element("figcaption", words));
    pictures.append(made);
  };
  const seen = bytes(found.flips ? changed(glyph, found.flips) : glyph);
  figure(picture(bytes(glyph), 28, 28, 0, 255, 5), `${found.answer}, as it was seen`);
  for (const what of ["paper", "pen"]) {
    const side = 28 - found.patch + 1;
    figure(signed(maps[what].map((each) => -each), side, side, most, 5), `set to ${what}`);
  }
  if (found.flips) figure(picture(seen, 28, 28, 0, 255, 5), `${found.flips.becomes}`);
  const words = element("p", `${found.answer} is ${found.margin > 14 ? "over a million" : Math.round(Math.exp(found.margin)).toLocaleString("en")} times as likely as ${found.runner_up === "not a digit" ? "no digit" : found.runner_up}. `
    + `Orange: a ${found.patch}×${found.patch} patch there, set to paper or pen, brings ${found.runner_up} nearer; blue: it speaks for ${found.answer}.`);
  const last = found.flips
    ? `The smallest patch that changes the answer is ${found.flips.box[2] - found.flips.box[0]} × ${found.flips.box[3] - found.flips.box[1]} pixels, set to ${found.flips.set_to}: it becomes ${found.flips.becomes}.`
    : "No patch of up to 12 pixels changes the answer.";
  document.getElementById("why").replaceChildren(words, pictures, element("p", last));
}

function changed(glyph, { set_to, box: [x0, y0, x1, y1] }) {
  const values = bytes(glyph);
  for (let y = y0; y < y1; y++) values.fill(set_to === "pen" ? 255 : 0, 28 * y + x0, 28 * y + x1);
  return btoa(String.fromCharCode(...values));
}
