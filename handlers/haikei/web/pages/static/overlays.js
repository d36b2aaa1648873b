// Layers over the picture in a viewer: what was read of its layout, and what notes are about.

import { controlGroup, drawingOver, element } from "./elements.js";
import { outline, path } from "./marks.js";

const READ = ["sheet", "regions", "traces", "doubts"];

export class Overlays {
  #noted = drawingOver("marks noted");

  constructor(viewer, bar) {
    this.viewer = viewer;
    const layers = controlGroup(viewer.words.layers);
    viewer.front.content.append(this.#noted);
    if (viewer.dataset.layers) for (const name of READ) this.#layer(layers, name);
    this.all = this.#switch(layers, "notes", () => this.#draw());
    bar.append(layers);
    for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) {
      document.addEventListener(kind, (event) => this.#hint(event));
    }
    document.addEventListener("haikei:swap", () => this.#draw());
    this.#draw();
  }

  #switch(parent, name, act) {
    const label = element("label", "switch");
    const box = element("input");
    box.type = "checkbox";
    box.addEventListener("change", () => act(box.checked));
    label.append(box, " ", this.viewer.words[name]);
    parent.append(label);
    return { label, box };
  }

  // A layer is asked for when it is switched on first: it may have to be made.
  #layer(parent, name) {
    const image = element("img", "overlay");
    image.alt = this.viewer.words[name];
    image.hidden = true;
    image.draggable = false;
    const { label, box } = this.#switch(parent, name, (on) => {
      if (on && !image.getAttribute("src")) {
        label.setAttribute("aria-busy", "true");
        image.src = `${this.viewer.dataset.layers}${name}.png`;
      }
      image.hidden = !on;
    });
    image.addEventListener("load", () => label.removeAttribute("aria-busy"));
    image.addEventListener("error", () => {
      label.removeAttribute("aria-busy");
      box.checked = false;
      box.disabled = true;
      image.hidden = true;
      label.append(` (${this.viewer.words.failed})`);
    });
    this.#noted.before(image);
  }

  #hint(event) {
    const note = event.target.closest?.("[data-spots]");
    if (!note) return;
    const on = event.type === "pointerover" || event.type === "focusin";
    this.#draw(on ? note : null);
  }

  #draw(hinted = null) {
    const notes = [...document.querySelectorAll("[data-spots]")];
    this.all.label.hidden = !notes.length;
    const seen = this.all.box.checked ? notes : hinted ? [hinted] : [];
    this.#noted.replaceChildren(
      ...seen.flatMap((note) =>
        note.dataset.spots
          .split(";")
          .filter(Boolean)
          .map((text) => this.#spot(text.split(",").map(Number))),
      ),
    );
  }

  #spot([left, top, right, bottom]) {
    const isPoint = left === right && top === bottom;
    const foot = [Math.max(0, left - 60), Math.max(0, top - 90)];
    const mark = isPoint
      ? { kind: "arrow", points: [foot, [left, top]] }
      : { kind: "box", points: [[left, top], [right, bottom]] };
    const { image } = this.viewer.front;
    return path(outline(mark, image.naturalWidth / image.naturalHeight || 16 / 9));
  }
}
