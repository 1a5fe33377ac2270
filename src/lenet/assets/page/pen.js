// The pad: strokes of a finger, a pen, a mouse or the keyboard, as they are drawn, kept and put into an address.

const INK = "#14141a";
export const SIDE = 256;

export class Pen {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    canvas.width = canvas.height = SIDE;
    this.pen = canvas.getContext("2d", { willReadFrequently: true });
    this.width = 20;
    this.strokes = [];
    this.undone = [];
    this.point = null; // where the keyboard's pen is
    this.down = null; // its stroke, while it is down
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => { if (event.pointerId === this.pointer) this.stroke = this.pointer = null; });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.down = null; this.draw(); });
    canvas.addEventListener("focus", () => this.draw());
    this.draw();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const inside = (value) => Math.min(SIDE - 1, Math.max(0, Math.round(value)));
    return [inside((event.clientX - box.left) * SIDE / box.width), inside((event.clientY - box.top) * SIDE / box.height)];
  }

  begin(event) {
    if (event.button > 0 || this.stroke) return; // one finger draws
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { width: this.width, points: [this.place(event)] };
    this.add(this.stroke);
  }

  move(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) this.stroke.points.push(this.place(each));
    this.soon();
  }

  // Draws and reads once for all moves between two frames.
  soon() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(); this.changed(); });
  }

  add(stroke) {
    // A stroke begins a digit of one's own; undo brings the one that was shown back.
    this.cleared = this.sample ? [[], this.sample] : this.strokes.length ? this.cleared : null;
    this.sample = null;
    this.strokes.push(stroke);
    this.undone = [];
    this.draw();
    this.changed();
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") { event.preventDefault(); return void (event.shiftKey ? this.redo() : this.undo()); }
    const step = event.shiftKey ? 2 : 8;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (!(event.key in moves) && event.key !== " ") return;
    event.preventDefault();
    if (event.key === " " && event.repeat) return;
    this.point ??= [SIDE / 2, SIDE / 4];
    if (event.key === " ") {
      if (this.down) this.down = null;
      else this.add(this.down = { width: this.width, points: [[...this.point]] });
    } else {
      this.point = this.point.map((each, k) => Math.min(SIDE - 1, Math.max(0, each + moves[event.key][k])));
      this.down?.points.push([...this.point]);
    }
    this.draw();
    if (this.down) this.changed();
  }

  undo() {
    if (this.strokes.length) this.undone.push(this.strokes.pop());
    else if (this.cleared) { [this.strokes, this.sample] = this.cleared; this.cleared = null; }
    this.down = null;
    this.draw();
    this.changed();
  }

  redo() {
    const again = this.undone.pop();
    if (again) this.strokes.push(again);
    this.draw();
    this.changed();
  }

  clear() {
    if (!this.empty) this.cleared = [this.strokes, this.sample];
    this.strokes = [];
    this.undone = [];
    this.down = this.sample = null;
    this.draw();
    this.changed();
  }

  // Shows a glyph in place of strokes, until somebody draws.
  show(glyph) {
    this.cleared = this.empty ? null : [this.strokes, this.sample];
    this.strokes = [];
    this.undone = [];
    this.sample = glyph;
    this.draw();
  }

  get empty() {
    return !this.strokes.length && !this.sample;
  }

  // Whether a glyph is shown as it is.
  get untouched() {
    return Boolean(this.sample) && !this.strokes.length;
  }

  draw(marked = document.activeElement === this.canvas) {
    const { pen } = this;
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, SIDE, SIDE);
    if (this.sample) {
      const side = SIDE / 28;
      for (let k = 0; k < 784; k++) {
        const grey = 255 - this.sample[k];
        pen.fillStyle = `rgb(${grey},${grey},${grey})`;
        if (grey < 255) pen.fillRect((k % 28) * side, Math.floor(k / 28) * side, side + 0.5, side + 0.5);
      }
    }
    pen.strokeStyle = INK;
    pen.lineCap = pen.lineJoin = "round";
    for (const { width, points } of this.strokes) {
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(...points[0]);
      for (const point of points.length > 1 ? points.slice(1) : points) pen.lineTo(...point);
      pen.stroke();
    }
    if (marked && this.point) {
      pen.strokeStyle = "#b93a08";
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(this.point[0], this.point[1], this.width / 2 + 3, 0, 7);
      pen.stroke();
    }
  }

  // The greys of what is drawn, without the mark of the keyboard's pen.
  get greys() {
    this.draw(false);
    const { data } = this.pen.getImageData(0, 0, SIDE, SIDE);
    const greys = Uint8Array.from({ length: SIDE * SIDE }, (_each, k) => Math.round(0.299 * data[4 * k] + 0.587 * data[4 * k + 1] + 0.114 * data[4 * k + 2]));
    this.draw();
    return greys;
  }

  // The strokes as a short text, each as its width and its points, thinned to one every few pixels; a long one is several.
  get text() {
    const bytes = this.strokes.flatMap(({ width, points }) => {
      const kept = [points[0]];
      for (const point of points) if (Math.hypot(point[0] - kept.at(-1)[0], point[1] - kept.at(-1)[1]) >= 3) kept.push(point);
      if (points.length > 1) kept.push(points.at(-1));
      const parts = [];
      for (let k = 0; k < kept.length; k += 249) parts.push(kept.slice(k, k + 250));
      return parts.flatMap((part) => [width, part.length, ...part.flat()]);
    });
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  set text(text) {
    this.strokes = [];
    this.sample = null;
    try {
      const bytes = Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
      while (bytes.length > 3) {
        const [width, count] = bytes.splice(0, 2);
        const flat = bytes.splice(0, 2 * count);
        const points = Array.from({ length: Math.floor(flat.length / 2) }, (_each, k) => [flat[2 * k], flat[2 * k + 1]]);
        if (points.length) this.strokes.push({ width, points });
      }
    } catch {
      this.strokes = [];
    }
    this.draw();
  }
}
