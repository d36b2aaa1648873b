// <picture-viewer>: a finished picture, what it is compared with, and what lies over it.
//
// Its children are <figure data-name data-role> with an image each, the finished one first.
// Without this script they lie side by side. `shortcuts.js` hands it the keys of the page.

import { controlGroup, element } from "./elements.js";
import { Grade } from "./grading.js";
import { Marks } from "./marks.js";
import { Overlays } from "./overlays.js";

const STEP = 1;
const FAR = 10;
const MOST = 16;
const LARGE_FROM = 1.5;
const BLINK = 700; // milliseconds: slower than three flashes a second (WCAG 2.3.1)
const MODES = ["wipe", "side", "blink", "difference"];
const KEYS = { w: "wipe", s: "side", b: "blink", d: "difference" };

class PictureViewer extends HTMLElement {
  #pictures = [];
  #shown = 0; // the picture on its own, or on the right
  #against = -1; // the picture it is compared with; -1 for none
  #mode = "wipe";
  #at = 50;
  #zoom = 1;
  #x = 0;
  #y = 0;
  #timer = 0;
  #large = false;

  connectedCallback() {
    if (this.hasAttribute("ready")) return;
    this.words = JSON.parse(this.dataset.words ?? "{}");
    this.#pictures = [...this.querySelectorAll("figure")].map((figure) => {
      const image = figure.querySelector("img");
      const { name, role, light } = figure.dataset;
      const { large } = image.dataset;
      return { name, role, light: light !== undefined, source: image.getAttribute("src"), large };
    });
    if (!this.#pictures.length) return;
    this.#build();
    this.setAttribute("ready", "");
    this.#update();
  }

  #build() {
    this.bar = element("div", "bar");
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", this.words.label);
    this.stage = element("div", "stage");
    this.stage.tabIndex = -1;
    this.front = new Pane("front");
    this.behind = new Pane("behind");
    this.panes = element("div", "panes");
    this.panes.append(this.front.node, this.behind.node);
    this.divider = this.#makeDivider();
    this.left = element("span", "name left");
    this.right = element("span", "name right");
    this.stage.append(this.panes, this.divider, this.left, this.right);
    this.#buildBar();
    this.tools = element("div", "bar tools");
    this.append(this.bar, this.stage, this.tools);
    this.grade = new Grade(this, this.tools);
    this.overlays = new Overlays(this, this.tools);
    this.marks = new Marks(this, this.tools);
    this.stage.addEventListener("pointerdown", (event) => this.#pan(event));
    this.stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.stage.addEventListener("dblclick", () => this.fit());
    this.front.image.addEventListener("load", () => this.#shape());
    document.addEventListener("fullscreenchange", () => this.#draw());
    addEventListener("resize", () => this.#draw());
  }

  #buildBar() {
    const { words } = this;
    const names = this.#pictures.map(({ name }, index) => [index, `${index + 1} ${name}`]);
    this.picture = this.choice(this.bar, words.picture, names, (value) => this.show(Number(value)));
    this.other = this.choice(this.bar, words.against, [[-1, words.nothing], ...names], (value) => {
      this.compare(Number(value));
    });
    const modes = controlGroup(words.modes);
    this.bar.append(modes);
    this.modes = MODES.map((mode) => this.button(modes, words[mode], () => this.setMode(mode)));
    const zoom = element("span", "group zoom");
    this.zoomed = element("output");
    this.zoomed.setAttribute("aria-label", words.zoom);
    zoom.append(this.zoomed);
    this.button(zoom, "−", () => this.zoomBy(1 / 1.25), words.out);
    this.button(zoom, "+", () => this.zoomBy(1.25), words.in);
    this.button(zoom, words.fit, () => this.fit());
    if (document.fullscreenEnabled) this.button(zoom, words.full, () => this.full());
    this.bar.append(zoom);
  }

  button(parent, text, act, label = text) {
    const button = element("button");
    button.type = "button";
    button.textContent = text;
    if (label !== text) button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    parent.append(button);
    return button;
  }

  choice(parent, text, options, act) {
    const label = element("label", "choice");
    const select = element("select");
    for (const [value, name] of options) select.append(new Option(name, value));
    select.addEventListener("change", () => act(select.value));
    label.append(text, " ", select);
    parent.append(label);
    return select;
  }

  #makeDivider() {
    const divider = element("div", "divider");
    divider.tabIndex = 0;
    divider.setAttribute("role", "slider");
    divider.setAttribute("aria-orientation", "horizontal");
    divider.setAttribute("aria-valuemin", "0");
    divider.setAttribute("aria-valuemax", "100");
    divider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      event.stopPropagation();
      divider.focus();
      divider.setPointerCapture(event.pointerId);
      divider.onpointermove = (move) => {
        const frame = this.stage.getBoundingClientRect();
        this.move(((move.clientX - frame.left) / frame.width) * 100);
      };
      divider.onlostpointercapture = () => {
        divider.onpointermove = null;
      };
    });
    divider.addEventListener("dblclick", (event) => event.stopPropagation());
    return divider;
  }

  get comparing() {
    return this.#against >= 0;
  }

  get amplifies() {
    return this.comparing && this.#mode === "difference";
  }

  get hasLight() {
    return this.#pictures.some(({ light }) => light);
  }

  move(percent) {
    this.#at = Math.min(100, Math.max(0, percent));
    this.#draw();
  }

  show(index) {
    this.#shown = index;
    if (this.#against === index) this.#against = -1;
    this.#update();
  }

  compare(index) {
    this.#against = index === this.#shown ? -1 : index;
    this.#update();
  }

  setMode(mode) {
    const off = this.comparing && this.#mode === mode;
    this.#mode = mode;
    // Without a choice, the version before is what a picture is compared with; else the layout.
    const before = this.#pictures.findIndex(({ role }) => role === "previous");
    const usual = before >= 0 ? before : this.#pictures.length - 1;
    if (off) this.#against = -1;
    else if (!this.comparing && this.#pictures.length > 1) {
      this.#against = usual === this.#shown ? 0 : usual;
    }
    this.#update();
  }

  fit() {
    [this.#zoom, this.#x, this.#y] = [1, 0, 0];
    this.#draw();
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.requestFullscreen();
  }

  // `x` and `y` are the point of a pane that stays where it is, in pixels.
  zoomBy(factor, x, y) {
    const pane = this.front.node;
    const [left, top] = [x ?? pane.clientWidth / 2, y ?? pane.clientHeight / 2];
    const zoom = Math.min(MOST, Math.max(1, this.#zoom * factor));
    const change = zoom / this.#zoom;
    this.#x = left - (left - this.#x) * change;
    this.#y = top - (top - this.#y) * change;
    this.#zoom = zoom;
    if (zoom >= LARGE_FROM && !this.#large) {
      this.#large = true;
      this.load();
    }
    this.#draw();
  }

  // Hand every picture that is seen the file that fits how it is looked at.
  load() {
    const sides = [
      [this.front, this.#shown],
      [this.behind, this.#against],
    ];
    for (const [pane, index] of sides) {
      const picture = this.#pictures[index];
      if (!picture) continue;
      const file = this.#large && picture.large ? picture.large : picture.source;
      const look = this.grade.look(picture);
      pane.load(`${file}${look.query}`, picture.name, look.stops);
    }
    this.grade.apply();
  }

  #wheel(event) {
    if (!event.ctrlKey && this.#zoom === 1) return; // the page scrolls
    event.preventDefault();
    const frame = this.front.node.getBoundingClientRect();
    const side = event.clientX < frame.left ? this.behind.node.getBoundingClientRect() : frame;
    const factor = Math.exp(-event.deltaY / 400);
    this.zoomBy(factor, event.clientX - side.left, event.clientY - side.top);
  }

  #pan(event) {
    if (event.button !== 0 || this.#zoom === 1 || this.marks.tool) return;
    const [x, y] = [this.#x - event.clientX, this.#y - event.clientY];
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.add("dragging");
    this.stage.onpointermove = (move) => {
      [this.#x, this.#y] = [x + move.clientX, y + move.clientY];
      this.#draw();
    };
    this.stage.onlostpointercapture = () => {
      this.stage.onpointermove = null;
      this.stage.classList.remove("dragging");
    };
  }

  // Return whether a key meant something here.
  key(event) {
    const step = event.shiftKey ? FAR : STEP;
    const slides = event.target === this.divider;
    const acts = {
      ...(slides && {
        ArrowLeft: () => this.move(this.#at - step),
        ArrowRight: () => this.move(this.#at + step),
        Home: () => this.move(0),
        End: () => this.move(100),
      }),
      "+": () => this.zoomBy(1.25),
      "=": () => this.zoomBy(1.25),
      "-": () => this.zoomBy(1 / 1.25),
      0: () => this.fit(),
      f: () => this.full(),
      Escape: () => this.marks.put(),
    };
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = /^[1-9]$/.test(name) ? Number(name) - 1 : -1;
    if (number >= 0 && number < this.#pictures.length) {
      this.show(number === this.#shown ? 0 : number);
    } else if (name in KEYS) this.setMode(KEYS[name]);
    else if (name in acts) acts[name]();
    else return false;
    return true;
  }

  // The picture that is looked at gives the stage its shape.
  #shape() {
    const { naturalWidth, naturalHeight } = this.front.image;
    const [width, height] = [naturalWidth || 16, naturalHeight || 9];
    const twice = this.comparing && this.#mode === "side" ? 2 : 1;
    this.stage.style.aspectRatio = `${twice * width} / ${height}`;
    this.#draw();
  }

  #update() {
    const mode = this.comparing ? this.#mode : "";
    this.stage.dataset.mode = mode;
    this.picture.value = this.#shown;
    this.other.value = this.#against;
    this.modes.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(MODES[index] === mode));
    });
    const [name, other] = [this.#pictures[this.#shown].name, this.#pictures[this.#against]?.name];
    const words = this.words.divider.replace("{left}", other).replace("{right}", name);
    this.divider.setAttribute("aria-label", words);
    this.left.textContent = other ?? "";
    this.right.textContent = name;
    if (document.activeElement === this.divider && mode !== "wipe") {
      // A divider that goes takes the focus with it.
      this.stage.focus({ preventScroll: true });
    }
    this.load();
    clearInterval(this.#timer);
    this.stage.classList.remove("other");
    if (mode === "blink") {
      this.stage.classList.add("other");
      this.#timer = setInterval(() => this.stage.classList.toggle("other"), BLINK);
    }
    this.#shape();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.front.node;
    this.#x = Math.min(0, Math.max(width * (1 - this.#zoom), this.#x));
    this.#y = Math.min(0, Math.max(height * (1 - this.#zoom), this.#y));
    const place = `translate(${this.#x}px, ${this.#y}px) scale(${this.#zoom})`;
    for (const pane of [this.front, this.behind]) pane.content.style.transform = place;
    const wipes = this.stage.dataset.mode === "wipe";
    this.behind.node.style.clipPath = wipes ? `inset(0 ${100 - this.#at}% 0 0)` : "none";
    this.divider.style.left = `${this.#at}%`;
    this.divider.setAttribute("aria-valuenow", String(Math.round(this.#at)));
    this.zoomed.textContent = `${Math.round(this.#zoom * 100)} %`;
    this.stage.classList.toggle("zoomed", this.#zoom > 1);
  }
}

// One picture of the stage, with what lies over it.
class Pane {
  constructor(kind) {
    this.node = element("div", `pane ${kind}`);
    this.content = element("div", "content");
    this.image = element("img", "picture");
    this.image.draggable = false;
    this.stops = 0; // of exposure, in the picture that is there
    this.content.append(this.image);
    this.node.append(this.content);
  }

  load(address, name, stops) {
    this.image.alt = name;
    if (this.image.getAttribute("src") === address) return;
    this.image.onload = () => {
      this.stops = stops;
      this.node.dispatchEvent(new Event("picture", { bubbles: true }));
    };
    this.image.src = address;
  }
}

customElements.define("picture-viewer", PictureViewer);
