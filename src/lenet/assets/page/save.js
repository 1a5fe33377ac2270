// Figures to take along, as SVG or as PNG: a layer's maps, the whole network with its edges, the sum of the value that is
// looked at, kernels, Table I, the curves of a training.

import { make } from "./view.js";

const SVG_NAMES = "http://www.w3.org/2000/svg";
// A value of a map is drawn so many pixels wide; a PNG has so many pixels for each of an SVG.
const FIGURE_CELL = 8, FIGURE_DENSITY = 2;

function svgPart(name, attributes) {
  const made = document.createElementNS(SVG_NAMES, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function svgSheet(wide, high) {
  const made = svgPart("svg", { xmlns: SVG_NAMES, viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, "font-family": "system-ui, sans-serif", "font-size": 12 });
  made.append(svgPart("rect", { width: wide, height: high, fill: "#ffffff" }));
  return made;
}

// The pixels of a canvas as squares, those of one colour and row that touch as one.
function svgSquares(canvas, left, top, wide, high) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const group = svgPart("g", { "shape-rendering": "crispEdges", transform: `translate(${left} ${top}) scale(${wide / width} ${high / height})` });
  for (let y = 0; y < height; y++) {
    for (let x = 0, end; x < width; x = end) {
      const colour = (at) => data.slice(4 * (y * width + at), 4 * (y * width + at) + 4).join();
      for (end = x + 1; end < width && colour(end) === colour(x); end++);
      const [red, green, blue, alpha] = data.slice(4 * (y * width + x));
      if (alpha) group.append(svgPart("rect", { x, y, width: end - x, height: 1, fill: `rgb(${red} ${green} ${blue})` }));
    }
  }
  return group;
}

function svgWords(text, x, y, more = {}) {
  const made = svgPart("text", { x, y, fill: "#1a1a1f", ...more });
  made.textContent = text;
  return made;
}

function drawLayer({ canvas, layer }) {
  const [wide, high] = [canvas.width * FIGURE_CELL, canvas.height * FIGURE_CELL];
  const made = svgSheet(wide + 32, high + 48);
  made.append(svgSquares(canvas, 16, 16, wide, high), svgWords(`${layer.name}: ${layer.shape.join(" × ")}`, 16, high + 38));
  return made;
}

// The network as it stands on the page, the edges of the value that is looked at over it.
function drawNetwork(view) {
  const origin = view.row.getBoundingClientRect();
  const moved = view.row.scrollLeft;
  const made = svgSheet(view.row.scrollWidth + 16, view.row.clientHeight + 16);
  const all = svgPart("g", { transform: "translate(8 8)" });
  const placed = (each) => {
    const box = each.getBoundingClientRect();
    return { x: box.left - origin.left + moved, y: box.top - origin.top, width: box.width, height: box.height };
  };
  for (const { canvas, part } of view.parts) {
    if (canvas) {
      const { x, y, width, height } = placed(canvas);
      all.append(svgSquares(canvas, x, y, width, height));
    }
    for (const each of part.querySelectorAll(".layer-name, figcaption small")) {
      const { x, y, width, height } = placed(each);
      all.append(svgWords(each.textContent, x + width / 2, y + Math.min(height, 24) / 2 + 4, { "text-anchor": "middle" }));
    }
  }
  for (const { item, bar, told } of view.answers) {
    const [label, track, number] = [item.querySelector("b"), bar.parentElement, told].map(placed);
    const long = placed(bar).width;
    all.append(svgWords(item.querySelector("b").textContent, label.x, label.y + 14), svgPart("rect", { x: track.x, y: track.y, width: track.width, height: track.height, fill: "#eeeeea", rx: 4 }));
    all.append(svgPart("rect", { x: track.x, y: track.y, width: long, height: track.height, fill: item.classList.contains("best") ? "#b93a08" : "#5b5b66", rx: 4 }), svgWords(told.textContent, number.x, number.y + 13));
  }
  const edges = view.edges.getBoundingClientRect();
  const lit = svgPart("g", { transform: `translate(${edges.left - origin.left + moved} ${edges.top - origin.top})` });
  for (const each of view.edges.children) {
    const { stroke, strokeWidth, opacity } = getComputedStyle(each);
    const copy = each.cloneNode();
    for (const [key, value] of Object.entries({ stroke, "stroke-width": strokeWidth, opacity, fill: "none" })) copy.setAttribute(key, value);
    copy.removeAttribute("class");
    copy.removeAttribute("style");
    lit.append(copy);
  }
  all.append(lit);
  made.append(all);
  return made;
}

function drawCurve(curve) {
  const made = curve.cloneNode(true);
  const { width, height } = curve.getBoundingClientRect();
  made.setAttribute("xmlns", SVG_NAMES);
  made.setAttribute("width", width);
  made.setAttribute("height", height);
  const copies = made.querySelectorAll("*");
  curve.querySelectorAll("*").forEach((each, k) => {
    const { stroke, strokeWidth, fill } = getComputedStyle(each);
    for (const [key, value] of Object.entries({ stroke, "stroke-width": strokeWidth, fill })) copies[k].setAttribute(key, value);
  });
  made.setAttribute("font", getComputedStyle(curve).font);
  made.prepend(svgPart("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }));
  return made;
}

// The words of a text as they stand on the page, one of each line: what it says, and where.
function linesOf(node) {
  const range = document.createRange();
  const lines = [];
  for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const { left, right, top, bottom } = range.getBoundingClientRect();
    const last = lines.at(-1);
    if (last && Math.abs(last.top - top) < 2) Object.assign(last, { words: `${last.words} ${word}`, right });
    else lines.push({ words: word, left, right, top, bottom });
  }
  return lines;
}

// A part of the page as it stands there: its coloured boxes, its pictures, its words. Buttons stay behind.
function drawPart(part) {
  const origin = part.getBoundingClientRect();
  const made = svgSheet(Math.ceil(origin.width) + 32, Math.ceil(origin.height) + 32);
  made.querySelector("rect").setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  const all = svgPart("g", { transform: `translate(${16 - origin.left} ${16 - origin.top})` });
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => node.tagName === "BUTTON" ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const { color, fontSize, fontFamily, fontWeight } = getComputedStyle(node.parentElement);
      const look = { fill: color, "font-size": fontSize, "font-family": fontFamily, "font-weight": fontWeight, "dominant-baseline": "central" };
      for (const { words, left, right, top, bottom } of linesOf(node)) all.append(svgWords(words, left, (top + bottom) / 2, { ...look, textLength: right - left }));
      continue;
    }
    const { left: x, top: y, width, height } = node.getBoundingClientRect();
    const { backgroundColor, borderRadius, outlineStyle, outlineColor, outlineWidth } = getComputedStyle(node);
    if (node.tagName === "CANVAS") all.append(svgSquares(node, x, y, width, height));
    else if (width && !/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)) all.append(svgPart("rect", { x, y, width, height, fill: backgroundColor, rx: borderRadius.endsWith("%") ? width / 2 : 0 }));
    if (outlineStyle !== "none") all.append(svgPart("rect", { x, y, width, height, fill: "none", stroke: outlineColor, "stroke-width": outlineWidth }));
  }
  made.append(all);
  return made;
}

// What beside the network can be saved while it stands there, by the name of the figure.
const PARTS = { sum: "#explained > div", kernels: "#about-layer .kernels-now", "table-one": ".table-one", glyph: ".boxed-figure", "kernels-that-learn": "#lesson .kernels-now" };

// What can be saved now: its name, and what draws it.
export function listFigures(view, lesson) {
  const looked = view.parts[(view.at?.number ?? 0) + 1];
  const figures = looked.canvas ? [[looked.layer.name, () => drawLayer(looked)]] : [];
  figures.push(["network", () => drawNetwork(view)]);
  for (const [name, place] of Object.entries(PARTS)) {
    const part = document.querySelector(place);
    if (part?.getClientRects().length) figures.push([name, () => drawPart(part)]);
  }
  for (const curve of lesson.querySelectorAll(".curve svg")) {
    const name = curve.closest(".curve").querySelector("figcaption, h3")?.textContent ?? curve.getAttribute("aria-label") ?? "curve";
    figures.push([name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 30), () => drawCurve(curve)]);
  }
  return figures;
}

async function asPng(text, wide, high) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas");
  [canvas.width, canvas.height] = [wide * FIGURE_DENSITY, high * FIGURE_DENSITY];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

// Saves a figure as a file NETWORK-FIGURE.svg or .png.
export async function saveFigure([name, draw], network, kind) {
  const figure = draw();
  const text = new XMLSerializer().serializeToString(figure);
  const href = kind === "png" ? await asPng(text, Number(figure.getAttribute("width")), Number(figure.getAttribute("height"))) : URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  make("a", "", { href, download: `${network}-${name}.${kind}` }).click();
}
