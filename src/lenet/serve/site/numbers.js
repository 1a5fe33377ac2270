// Bytes and float16 numbers as the service packs them, and small pictures of them.

export function bytes(text) {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

export function halves(text) {
  const view = new DataView(bytes(text).buffer);
  const found = new Float32Array(view.byteLength / 2);
  for (let i = 0; i < found.length; i++) {
    const half = view.getUint16(2 * i, true);
    const sign = half & 0x8000 ? -1 : 1;
    const power = (half >> 10) & 31;
    const part = half & 1023;
    found[i] = sign * (power ? (1 + part / 1024) * 2 ** (power - 15) : part * 2 ** -24);
  }
  return found;
}

// Draws values (high by wide) on a canvas, `low` as paper and `high` as ink, each `times` pixels large.
export function picture(values, wide, high, low, top, times, canvas = document.createElement("canvas")) {
  canvas.className = "pixels";
  canvas.width = wide;
  canvas.height = high;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(wide, high);
  for (let i = 0; i < wide * high; i++) {
    const grey = 255 * (1 - Math.min(1, Math.max(0, (values[i] - low) / (top - low || 1))));
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
  canvas.style.width = `${wide * times}px`;
  canvas.style.height = `${high * times}px`;
  return canvas;
}

// The same with a colour for either sign: orange above zero, blue below.
export function signed(values, wide, high, most, times) {
  const canvas = picture(values, wide, high, 0, 1, times);
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(wide, high);
  for (let i = 0; i < wide * high; i++) {
    const share = Math.min(1, Math.abs(values[i]) / (most || 1));
    const full = values[i] > 0 ? [194, 65, 12] : [14, 116, 144];
    image.data.set([...full.map((each) => 255 - (255 - each) * share), 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

export function element(name, words = "", attributes = {}) {
  const made = document.createElement(name);
  if (words) made.textContent = words;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function drawn(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function percent(share) {
  return share > 0.9999 ? "over 99.99 %" : `${(100 * share).toFixed(share > 0.99 ? 2 : 1)} %`;
}
