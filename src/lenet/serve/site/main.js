// The page: what is on the pad is read while it changes; panels that are open look inside the digit that is marked.

import { showAnswer, showGraph, showNothing } from "./answer.js";
import { buildCorrections, correct, tuneWhich } from "./corrections.js";
import { showGallery } from "./gallery.js";
import { showInside } from "./inside.js";
import { buildLesson } from "./lesson.js";
import { element } from "./numbers.js";
import { showMistakes } from "./mistakes.js";
import { Pad } from "./pad.js";
import { get, send } from "./service.js";
import { showWhy } from "./why.js";

const byId = (id) => document.getElementById(id);
const HINT = "Draw a digit or a whole number.";
const panels = { why: showWhy, gallery: showGallery };
// These ask for thousands of scores: they wait until the pen rests, so that the answer follows it.
const slow = new Set(["why", "gallery"]);
const REST = 350;
// The page is shown after so many milliseconds, whatever is still to come.
const LONGEST_BLANK = 1500;
// Networks that slide along a line in place of cutting it.
const sliding = new Set();
let reading = null;
let marked = 0;
let busy = false;
let stale = false;
let resting = 0;
// How often panels were asked to look, and how often by then when they were emptied: what comes later is not shown.
let looked = 0;
let emptied = 0;

const pad = new Pad(byId("pad"), byId("drop"), () => refresh());

// One question at a time: what was drawn meanwhile is asked next.
async function refresh() {
  sessionStorage.setItem("lenet-drawn", pad.kept);
  if (pad.empty) { reading = null; byId("correct").hidden = true; clear(); return showNothing(HINT); }
  if (busy) { stale = true; return; }
  busy = true;
  stale = false;
  if (!reading) byId("sure").textContent = "Reading …";
  byId("answer").ariaBusy = "true";
  const began = performance.now();
  try {
    const sweep = sliding.has(byId("model").value);
    const method = { method: sweep ? "sweep" : "cut", digit: byId("digit").checked && !sweep };
    const options = new URLSearchParams({ model: byId("model").value, ...method });
    const found = await send(`/explain?${options}`, pad.content);
    byId("timing").textContent = `answered in ${Math.round(performance.now() - began)} ms`;
    if (!pad.empty) show(found);
  } catch (error) {
    reading = null;
    showNothing(error.message);
  } finally {
    busy = false;
    byId("answer").ariaBusy = String(stale);
    if (stale) refresh();
  }
}

// Empties the panels, and shows a sample in the network again.
function clear() {
  emptied = looked;
  clearTimeout(resting);
  byId("why").replaceChildren();
  byId("gallery").hidden = true;
  lookInside(null);
}

function lookInside(digit) {
  const words = digit ? `the ${marked + 1}${["st", "nd", "rd"][marked] ?? "th"} digit, read as ${digit.label}` : "";
  showInside(digit?.glyph, byId("model").value, words).catch(() => {}).finally(reveal);
}

// Shows all of the page at once: when the network is there, or has let wait too long.
function reveal() {
  document.body.dataset.shown = "true";
}

function show(found) {
  reading = found;
  marked = Math.min(marked, Math.max(0, reading.digits.length - 1));
  showAnswer(reading, pad, marked, (place) => { marked = place; show(reading); });
  if (byId("graph-panel").open) showGraph(reading, pad);
  byId("correct").hidden = !reading.digits.length;
  lookInside(reading.digits[marked] ?? null);
  for (const name of Object.keys(panels)) if (!slow.has(name)) look(name);
  clearTimeout(resting);
  resting = setTimeout(() => slow.forEach(look), REST);
}

// Shows a panel that is open, for the digit that is marked.
function look(name) {
  const digit = reading?.digits[marked];
  if (!byId(`${name}-panel`).open) return;
  if (!digit) { if (name !== "gallery") byId(name).replaceChildren(element("p", HINT, { class: "quiet" })); return; }
  const number = ++looked;
  panels[name](digit.glyph, byId("model").value, () => number > emptied).catch(() => {});
}

// The network that is shown alive: the chosen one if it comes with lenet, else the paper's.
function shown() {
  const chosen = byId("model").value;
  return chosen.startsWith("lenet5") ? chosen : "lenet5-1998";
}

async function listNetworks(choose) {
  const { networks, default: first } = await get("/models");
  const chosen = choose ?? (byId("model").value || first);
  byId("model").replaceChildren(
    ...networks.map((each) => {
      if (each.reads === "a line, by sliding") sliding.add(each.name);
      const errors = each.errors === null ? "" : `, ${each.errors} of 10,000 wrong`;
      return element("option", `${each.name} (reads ${each.reads}${errors})`, { value: each.name });
    }),
  );
  byId("model").value = chosen;
  if (!byId("model").value) byId("model").value = first;
  tuneWhich(chosen);
  if (!reading) lookInside(null);
}

byId("undo").addEventListener("click", () => pad.undo());
byId("clear").addEventListener("click", () => { marked = 0; pad.clear(); });
byId("width").addEventListener("input", (event) => { pad.width = Number(event.target.value); });
byId("digit").addEventListener("change", refresh);
byId("model").addEventListener("change", (event) => { sessionStorage.setItem("lenet-model", event.target.value); tuneWhich(event.target.value); lookInside(reading?.digits[marked] ?? null); refresh(); });
byId("alive").addEventListener("click", () => { byId("alive").href = `alive?net=${encodeURIComponent(shown())}`; });
for (const id of ["file", "camera"]) {
  byId(id).addEventListener("change", (event) => {
    if (event.target.files.length) pad.show(event.target.files[0]);
    event.target.value = "";
  });
}
for (const name of Object.keys(panels)) byId(`${name}-panel`).addEventListener("toggle", () => look(name));
const showWrong = () => byId("mistakes-panel").open && showMistakes(byId("model").value, (glyph, words) => showInside(glyph, byId("model").value, words).then(() => byId("inside").scrollIntoView({ block: "nearest" })));
byId("mistakes-panel").addEventListener("toggle", showWrong);
byId("model").addEventListener("change", showWrong);
byId("graph-panel").addEventListener("toggle", () => reading && showGraph(reading, pad));
byId("truth").append(...[..."0123456789", "none"].map((each) => element("option", each === "none" ? "no digit" : each, { value: each })));
byId("keep-correction").addEventListener("click", async () => {
  const digit = reading?.digits[marked];
  if (!digit) return;
  await correct(digit.glyph, byId("truth").value);
  byId("corrections-panel").open = true;
});
byId("curl").addEventListener("click", () => {
  const options = new URLSearchParams({ model: byId("model").value, ...(byId("digit").checked ? { digit: "true" } : {}) });
  const command = `curl --data-binary @picture.png '${new URL(`read?${options}`, new URL(".", location.href))}'`;
  const said = (words) => { byId("curl").textContent = words; setTimeout(() => { byId("curl").textContent = "Copy as curl"; }, 4000); };
  if (!navigator.clipboard) return said(command);
  navigator.clipboard.writeText(command).then(() => said("Copied"), () => said(command));
});
document.addEventListener("lenet-back", refresh);

showNothing(HINT);
setTimeout(reveal, LONGEST_BLANK);
await listNetworks(sessionStorage.getItem("lenet-model") ?? undefined);
pad.kept = sessionStorage.getItem("lenet-drawn") ?? "";
if (!pad.empty) refresh();
await Promise.all([buildLesson(listNetworks), buildCorrections()]);
