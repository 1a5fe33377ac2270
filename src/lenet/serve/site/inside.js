// The network of the digit that is marked, all of it at once: the modules of the static page, fed by the service.

import { Inside } from "./net/inside.js";
import { chooseMachine, Machine, unpackDigits } from "./net/machine.js";
import { Tip } from "./net/tip.js";
import { bytes } from "./numbers.js";
import { get, raw } from "./service.js";

const byId = (id) => document.getElementById(id);
// The sample that is shown while nothing is drawn: a 2.
const SAMPLE = 2;
const CODES = { simd: "machine-simd.wasm", plain: "machine.wasm" };
const machines = new Map();
let code = null;
let sample = null;
let shown = null;
let asked = 0;

new Tip(byId("tip"));

async function machineOf(name) {
  code ??= chooseMachine((kind) => raw(`/page/net/${CODES[kind]}`));
  if (!machines.has(name)) machines.set(name, Promise.all([code, get(`/network?net=${encodeURIComponent(name)}`)]).then(([chosen, told]) => Machine.load(chosen, told)));
  return machines.get(name);
}

// Shows a glyph in base64 in a network by name; without one, a sample.
export async function showInside(glyph, name, words) {
  const number = ++asked;
  const machine = await machineOf(name);
  if (!glyph) sample ??= (await unpackDigits(await get("/page/net/digits.json")))[SAMPLE].glyph;
  if (number !== asked) return;
  if (shown?.machine !== machine) {
    const boxes = { network: byId("network"), explained: byId("explained"), about: byId("about-layer"), tour: byId("tour") };
    delete boxes.about.dataset.layer;
    shown = new Inside(machine, boxes, { told: () => {}, changed: (changed) => { shown.read(changed); byId("inside-of").textContent = "the changed digit"; } });
  }
  byId("inside-of").textContent = glyph ? words : "a sample";
  shown.read(glyph ? Uint8Array.from(bytes(glyph)) : sample);
}
