// One tip for all terms, beside the one that is pointed at, tapped or focused, and always on the screen.

export class Tip {
  constructor(box) {
    this.box = box;
    const termOf = (event) => event.target.closest?.(".term");
    // What is pointed at counts, and else what has the focus.
    document.addEventListener("pointerover", (event) => this.show(termOf(event) ?? document.activeElement?.closest(".term") ?? null));
    document.addEventListener("focusin", (event) => this.show(termOf(event)));
    document.addEventListener("click", (event) => this.show(termOf(event)));
    document.addEventListener("focusout", () => this.show(null));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.show(null));
    addEventListener("scroll", () => this.show(this.term), { passive: true });
  }

  show(term) {
    this.term = term;
    this.box.hidden = !term;
    if (!term) return;
    this.box.textContent = term.dataset.tip;
    const at = term.getBoundingClientRect();
    const { offsetWidth: wide, offsetHeight: high } = this.box;
    const below = at.bottom + 6 + high < innerHeight;
    this.box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - wide - 8))}px`;
    this.box.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - high - 6)}px`;
  }
}
