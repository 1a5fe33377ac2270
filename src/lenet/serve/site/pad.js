// The pad: strokes of a finger, a pen, a mouse or the arrow keys, or a picture that was dropped, pasted, chosen or taken.

const INK = "#14141a";
// The longer side of a picture that is sent, in pixels.
const LARGEST = 2400;

export class Pad {
  constructor(canvas, frame, changed) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.changed = changed;
    this.width = 18;
    this.strokes = [];
    this.picture = null; // the file that was given, as it is
    this.image = null;
    this.point = null; // where the keyboard's pen is
    this.keyboard = null; // its stroke, while it is down
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.end(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.point = this.keyboard = null; this.draw(); });
    canvas.addEventListener("focus", () => this.draw());
    frame.addEventListener("dragover", () => frame.classList.add("over"));
    frame.addEventListener("dragleave", () => frame.classList.remove("over"));
    // A picture that falls beside the pad is meant for it too, and takes nobody off the page.
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      frame.classList.remove("over");
      if (event.dataTransfer?.files.length) this.show(event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
      if (file) this.show(file);
    });
    this.draw();
  }

  get empty() {
    return !this.picture && !this.strokes.length;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.canvas.width / box.width, (event.clientY - box.top) * this.canvas.height / box.height];
  }

  begin(event) {
    if (event.button > 0 || this.stroke || this.picture) return; // one finger draws; a picture is taken away by Clear
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { id: event.pointerId, width: this.width, points: [this.place(event)] };
    this.strokes.push(this.stroke);
    this.draw();
    this.changed(false);
  }

  move(event) {
    if (this.stroke?.id !== event.pointerId) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) this.stroke.points.push(this.place(each));
    this.draw();
    this.changed(false);
  }

  end(event) {
    if (this.stroke?.id !== event.pointerId) return;
    this.stroke = null;
    this.changed(true);
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); return this.undo(); }
    const step = event.shiftKey ? 2 : 8;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (!(event.key in moves) && event.key !== " ") return;
    event.preventDefault();
    if (this.picture || (event.key === " " && event.repeat)) return;
    this.point ??= [this.canvas.width / 2, this.canvas.height / 4];
    if (event.key === " ") {
      if (this.keyboard) this.keyboard = null;
      else {
        this.keyboard = { width: this.width, points: [[...this.point]] };
        this.strokes.push(this.keyboard);
      }
    } else {
      const [x, y] = moves[event.key];
      this.point = [Math.min(this.canvas.width, Math.max(0, this.point[0] + x)), Math.min(this.canvas.height, Math.max(0, this.point[1] + y))];
      this.keyboard?.points.push([...this.point]);
    }
    this.draw();
    this.changed(true);
  }

  undo() {
    if (this.picture || this.strokes.length) {
      if (this.picture) this.picture = this.image = null;
      else this.strokes.pop();
    } else if (this.cleared) {
      Object.assign(this, this.cleared);
      this.cleared = null;
    }
    this.keyboard = null;
    this.draw();
    this.changed(true);
  }

  clear() {
    if (!this.empty) this.cleared = { strokes: this.strokes, picture: this.picture, image: this.image };
    this.strokes = [];
    this.picture = this.image = this.keyboard = null;
    this.draw();
    this.changed(true);
  }

  // Shows a picture as it is; what a browser cannot show is read all the same.
  async show(file) {
    this.strokes = [];
    this.picture = file;
    this.image = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
    if (this.image && Math.max(this.image.width, this.image.height) > LARGEST) await this.shrink();
    this.draw();
    this.changed(true);
  }

  // A photograph of a phone is made smaller here: it has more pixels than are read, and takes long to be sent.
  async shrink() {
    const share = LARGEST / Math.max(this.image.width, this.image.height);
    const smaller = document.createElement("canvas");
    smaller.width = Math.round(share * this.image.width);
    smaller.height = Math.round(share * this.image.height);
    smaller.getContext("2d").drawImage(this.image, 0, 0, smaller.width, smaller.height);
    this.picture = await new Promise((done) => smaller.toBlob(done, "image/jpeg", 0.92));
    this.image = await createImageBitmap(smaller);
  }

  // How the picture lies on the pad: its scale and its left and top.
  get fit() {
    if (!this.picture) return { scale: 1, left: 0, top: 0 };
    const { width, height } = this.image ?? this.canvas;
    const scale = Math.min(this.canvas.width / width, this.canvas.height / height);
    return { scale, left: (this.canvas.width - width * scale) / 2, top: (this.canvas.height - height * scale) / 2 };
  }

  draw(marked = document.activeElement === this.canvas) {
    const { pen, canvas } = this;
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (this.image) {
      const { scale, left, top } = this.fit;
      pen.drawImage(this.image, left, top, this.image.width * scale, this.image.height * scale);
    } else if (this.picture) {
      pen.fillStyle = INK;
      pen.font = "20px system-ui";
      pen.fillText(`${this.picture.name ?? "a picture"} (this browser cannot show it)`, 20, 40);
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
    if (marked && this.point) { // where the keyboard's pen is: for people, never part of what is read
      pen.strokeStyle = "#b93a08";
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(...this.point, this.width / 2 + 4, 0, 7);
      pen.stroke();
    }
  }

  // What is drawn, as a text that a tab keeps; a picture is not kept.
  get kept() {
    return this.picture ? "" : JSON.stringify(this.strokes.map(({ width, points }) => ({ width, points })));
  }

  set kept(text) {
    this.strokes = JSON.parse(text || "[]");
    this.draw();
  }

  // What is to be read: the picture as it was given, or the strokes as a PNG. Encoded here and now: canvas.toBlob waits
  // until the browser is idle, which on a slow machine is a second or more after the pen rests.
  get content() {
    if (this.picture) return this.picture;
    this.draw(false);
    const encoded = atob(this.canvas.toDataURL("image/png").split(",")[1]);
    this.draw();
    return new Blob([Uint8Array.from(encoded, (letter) => letter.charCodeAt(0))], { type: "image/png" });
  }
}
