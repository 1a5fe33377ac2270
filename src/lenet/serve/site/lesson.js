// Training, seen: the filters of C1 as they form, the test error as it falls; stop it, keep it, throw it away.

import { drawn, element, halves, signed } from "./numbers.js";
import { follow, get, post, remove } from "./service.js";

const lesson = document.getElementById("lesson");
const parts = {};
let errors = [];
let kept = () => {};

export async function buildLesson(whenKept) {
  kept = whenKept;
  const found = await get("/train");
  const choose = element("select", "", { id: "recipe" });
  for (const name of found.recipes) choose.append(element("option", name, { value: name }));
  const label = element("label", "recipe ", { class: "inline" });
  label.append(choose);
  const passes = element("input", "", { type: "number", min: 1, max: 100, id: "passes", placeholder: "as it says" });
  const many = element("label", "passes ", { class: "inline" });
  many.append(passes);
  const row = element("div", "", { class: "row" });
  const button = (name, words, act) => {
    parts[name] = element("button", words, { type: "button", id: `lesson-${name}` });
    parts[name].addEventListener("click", () => act().catch((error) => say(error.message)));
    row.append(parts[name]);
  };
  row.append(label, many);
  button("train", "Train", () => start("/train", { recipe: choose.value, passes: passes.value ? Number(passes.value) : null }));
  parts.train.className = "first";
  button("stop", "Stop", async () => state((await post("/train/stop")).state));
  button("keep", "Keep it", keep);
  button("drop", "Throw away", async () => { clear(); state((await remove("/train")).state); });
  parts.words = element("p", "", { "aria-live": "polite", id: "lesson-words" });
  parts.bar = element("progress", "", { max: 1, value: 0, "aria-label": "passes done" });
  parts.filters = element("div", "", { class: "filters", "aria-label": "C1's filters", role: "img" });
  parts.curve = drawn("svg", { class: "curve", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": "test errors" });
  lesson.replaceChildren(row, parts.words, parts.bar, parts.filters, parts.curve);
  if (!found.mnist) say("MNIST is not on this machine: lenet data fetch mnist brings it.");
  parts.train.disabled = !found.mnist;
  state(found.state);
  if (found.state !== "none") listen();
}

// Starts what an address starts, and shows it here.
export async function start(address, body) {
  clear();
  state((await post(address, body)).state);
  await listen();
}

async function keep() {
  const { name } = await post("/train/keep");
  say(`Kept as ${name}; it can be chosen above.`);
  state("kept");
  kept(name);
}

function clear() {
  errors = [];
  parts.bar.value = 0;
  parts.filters.replaceChildren();
  parts.curve.replaceChildren();
  say("");
}

function say(words) {
  parts.words.textContent = words;
}

function state(name) {
  const runs = name === "running";
  parts.train.disabled = runs;
  parts.stop.hidden = !runs;
  parts.keep.hidden = !["finished", "stopped"].includes(name);
  parts.drop.hidden = !["finished", "stopped", "failed"].includes(name);
}

async function listen() {
  say("Getting ready …");
  await follow("/train/events", told);
  // What was told may be of a training that was kept since.
  state((await get("/train")).state);
}

function told(event) {
  if (event.event === "failed") { say(event.error); return state("failed"); }
  if (event.event === "stopped") { say("Stopped. What it has learned can be kept."); return state("stopped"); }
  if (event.event === "finished") { say(outcome(event.result)); return state("finished"); }
  parts.bar.value = (event.pass - 1 + event.done / event.total) / event.passes;
  const [count, high, wide] = event.filters.shape;
  const values = halves(event.filters.values);
  const most = Math.max(...values.map(Math.abs));
  const size = high * wide;
  parts.filters.replaceChildren(...Array.from({ length: count }, (_, i) => signed(values.slice(i * size, (i + 1) * size), wide, high, most, 9)));
  say(`pass ${event.pass} of ${event.passes}, ${event.done.toLocaleString("en")} of ${event.total.toLocaleString("en")} digits, on ${event.runs_on}`);
  if (event.event === "pass" && event.test_errors) {
    errors.push(event.test_errors[0]);
    chart(event.passes);
  }
}

function chart(passes) {
  const most = Math.max(...errors);
  const points = errors.map((each, i) => `${passes > 1 ? 100 * i / (passes - 1) : 50},${38 - 34 * each / most}`);
  const level = (share, words) => { const text = drawn("text", { x: 1, y: 38 - 34 * share, class: "level" }); text.textContent = words; return text; };
  parts.curve.replaceChildren(drawn("polyline", { points: points.join(" "), class: "is" }), level(1, `${most} wrong`), level(0, "0"));
  parts.curve.setAttribute("aria-label", `test errors of 10,000 by pass: ${errors.join(", ")}`);
  say(`${parts.words.textContent}; ${errors.at(-1)} of 10,000 test digits wrong`);
}

function outcome(result) {
  if (!result.before) return `${result.errors} of ${result.n.toLocaleString("en")} test digits wrong after ${result.passes} passes, ${result.seconds} s.`;
  const told = [["own", "your digits"], ["mnist", "MNIST's"]].map(([kind, words]) =>
    `${words}: ${result.before[kind].errors} wrong before, ${result.after[kind].errors} after, of ${result.after[kind].n.toLocaleString("en")} kept apart`);
  const worse = ["own", "mnist"].some((kind) => result.after[kind].errors > result.before[kind].errors);
  return `${told.join("; ")}. ${worse ? "It got worse at one of them: it is better to throw it away." : "Keep it?"}`;
}
