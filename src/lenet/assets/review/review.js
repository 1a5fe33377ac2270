// Doubtful cells first, each with its picture: type over, Enter, Tab; then save a table and corrections to train on.
// The page calls startReview with the columns of its table and its cells, as often as there are new ones.
"use strict";
let columns = [], cells = [], unsaved = false;

function isDoubtful(cell) {
  return !["read", "empty"].includes(cell.state);
}

function tell() {
  const doubtful = cells.filter(isDoubtful), left = doubtful.filter(cell => !cell.confirmed).length;
  document.getElementById("left").textContent = `${left} of ${doubtful.length} doubtful cells left.`;
}

function confirm(cell, box, text) {
  cell.corrected = text.trim();
  cell.confirmed = true;
  box.classList.add("done");
  unsaved = true;
  tell();
}

function show(cell, place) {
  const box = document.createElement("div");
  box.className = "cell";
  const picture = document.createElement("img");
  picture.src = cell.crop;
  picture.alt = `cell in row ${cell.row}, column ${cell.column}`;
  const input = document.createElement("input");
  input.value = cell.text || cell.guess;
  input.setAttribute("aria-label", `text of row ${cell.row}, column ${cell.column}`);
  input.inputMode = "decimal";
  const words = document.createElement("small");
  const named = cell.field ? `${cell.field}, ` : "";
  const sure = `${cell.state}, ${Math.floor(100 * cell.confidence)} %`;
  words.textContent = `${named}table ${cell.table}, row ${cell.row}, column ${cell.column}: ${sure}. ${cell.path}`;
  input.addEventListener("change", () => confirm(cell, box, input.value));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", event => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    confirm(cell, box, input.value);
    const all = [...document.querySelectorAll(".cell input")];
    const next = all.slice(all.indexOf(input) + 1).find(each => each.offsetParent !== null);
    if (next) next.focus();
  });
  box.append(picture, input, words);
  place.append(box);
}

function quote(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function rows(table) {
  return table.map(row => row.map(quote).join(",") + "\n").join("");
}

function corrected(cell) {
  if (!cell.confirmed) return cell;
  const text = cell.corrected;
  return {...cell, text, guess: "", state: text ? "read" : "empty", confidence: 1};
}

function csv() {
  return rows([columns, ...cells.map(corrected).map(cell => columns.map(name => cell[name]))]);
}

function bytes(address) {
  return Uint8Array.from(atob(address.split(",")[1]), sign => sign.charCodeAt(0));
}

const TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xEDB88320 ^ (sum >>> 1) : sum >>> 1;
  return sum >>> 0;
});

function crc(data) {
  let sum = 0xFFFFFFFF;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xFFFFFFFF) >>> 0;
}

// An archive of files that are stored as they are: PKWARE's APPNOTE, 4.3.7, 4.3.12 and 4.3.16.
function zip(files) {
  const parts = [], entries = [];
  let offset = 0;
  for (const {name, data} of files) {
    const named = new TextEncoder().encode(name), sum = crc(data);
    const common = view => {
      view.setUint16(0, 20, true); view.setUint16(2, 0x800, true); view.setUint16(4, 0, true);
      view.setUint32(6, 0x00210000, true); view.setUint32(10, sum, true);
      view.setUint32(14, data.length, true); view.setUint32(18, data.length, true);
      view.setUint16(22, named.length, true);
    };
    const head = new Uint8Array(30), entry = new Uint8Array(46);
    new DataView(head.buffer).setUint32(0, 0x04034B50, true);
    common(new DataView(head.buffer, 4));
    new DataView(entry.buffer).setUint32(0, 0x02014B50, true);
    new DataView(entry.buffer).setUint16(4, 20, true);
    common(new DataView(entry.buffer, 6));
    new DataView(entry.buffer).setUint32(42, offset, true);
    parts.push(head, named, data);
    entries.push(entry, named);
    offset += head.length + named.length + data.length;
  }
  const size = entries.reduce((sum, each) => sum + each.length, 0), end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054B50, true);
  view.setUint16(8, files.length, true); view.setUint16(10, files.length, true);
  view.setUint32(12, size, true); view.setUint32(16, offset, true);
  return new Blob([...parts, ...entries, end], {type: "application/zip"});
}

// Digits as the network saw them, with what a person says they are, as `lenet train --data` takes them; and whole cells.
function corrections() {
  const labels = [["path", "label"]], whole = [["path", "text"]], files = [];
  const add = (name, data) => files.push({name, data});
  cells.filter(cell => cell.confirmed).forEach((cell, row) => {
    const number = String(row + 1).padStart(6, "0"), text = cell.corrected;
    whole.push([`cells/${number}.png`, text]);
    add(`cells/${number}.png`, bytes(cell.crop));
    const digits = text.replace(/\D/g, "");
    if (digits.length !== cell.glyphs.length) return;
    cell.glyphs.forEach((glyph, place) => {
      const name = `${number}-${place + 1}-${digits[place]}.png`;
      labels.push([name, digits[place]]);
      add(name, bytes(glyph));
    });
  });
  const encode = text => new TextEncoder().encode(text);
  return zip([{name: "labels.csv", data: encode(rows(labels))}, {name: "cells.csv", data: encode(rows(whole))}, ...files]);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  unsaved = false;
}

document.getElementById("csv").addEventListener("click", () => save(new Blob([csv()], {type: "text/csv"}), "corrected.csv"));
document.getElementById("zip").addEventListener("click", () => save(corrections(), "corrections.zip"));
window.addEventListener("beforeunload", event => { if (unsaved) event.preventDefault(); });
document.querySelector("details").addEventListener("toggle", () => {
  const place = document.getElementById("others");
  if (!place.children.length) cells.filter(cell => !isDoubtful(cell)).forEach(cell => show(cell, place));
});

function startReview(given) {
  ({columns, cells} = given);
  unsaved = false;
  for (const name of ["doubtful", "others"]) document.getElementById(name).replaceChildren();
  document.querySelector("details").open = false;
  cells.filter(isDoubtful).forEach(cell => show(cell, document.getElementById("doubtful")));
  tell();
  const first = document.querySelector("#doubtful input");
  if (first) first.focus();
}
