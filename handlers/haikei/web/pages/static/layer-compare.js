// <layer-compare>: layers of one picture above each other, with a divider between each two.
//
// Its children are <figure data-name> with an image each, in order. Without this script they lie
// side by side. Keys: arrows move the divider that has the focus (Shift: further), Home and End
// take it to its neighbours, 1–9 show one layer alone, + and - zoom, 0 fits the picture again.

const STEP = 1;
const FAR = 10;
const MOST = 16;
const LARGE_FROM = 1.5;

class LayerCompare extends HTMLElement {
  #layers = [];
  #dividers = [];
  #at = [];
  #alone = -1;
  #zoom = 1;
  #x = 0;
  #y = 0;
  #words = {};

  connectedCallback() {
    if (this.hasAttribute("ready")) return;
    this.#words = JSON.parse(this.dataset.words ?? "{}");
    this.#layers = [...this.querySelectorAll("figure")].map((figure) => ({
      figure,
      name: figure.dataset.name,
      image: figure.querySelector("img"),
      caption: figure.querySelector("figcaption"),
    }));
    if (!this.#layers.length) return;
    this.#at = this.#layers.slice(1).map((_, index) => ((index + 1) * 100) / this.#layers.length);
    this.#build();
    this.setAttribute("ready", "");
    this.#shape();
    this.#draw();
  }

  #build() {
    this.bar = element("div", "bar");
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", this.#words.label);
    this.all = this.#button(this.#words.all, () => this.show(-1));
    this.#layers.forEach((layer, index) => {
      layer.button = this.#button(`${index + 1} ${layer.name}`, () => this.show(index));
      // Inside of the stage a link would take every drag for its own.
      layer.figure.querySelector("a")?.setAttribute("tabindex", "-1");
    });
    this.zoomed = element("output");
    this.zoomed.setAttribute("aria-label", this.#words.zoom);
    this.bar.append(this.zoomed);
    this.#button("−", () => this.zoomBy(1 / 1.25), this.#words.out);
    this.#button("+", () => this.zoomBy(1.25), this.#words.in);
    this.#button(this.#words.fit, () => this.fit());
    this.stage = element("div", "stage");
    this.stage.tabIndex = -1;
    this.stage.append(...this.#layers.map((layer) => layer.figure));
    this.#dividers = this.#at.map((_, index) => this.#divider(index));
    this.stage.append(...this.#dividers);
    this.append(this.bar, this.stage);
    this.addEventListener("keydown", (event) => this.#key(event));
    this.stage.addEventListener("pointerdown", (event) => this.#pan(event));
    this.stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.stage.addEventListener("dblclick", () => this.fit());
    this.#layers.forEach(({ image }) => image.addEventListener("load", () => this.#shape()));
  }

  #button(text, act, label = text) {
    const button = element("button");
    button.type = "button";
    button.textContent = text;
    if (label !== text) button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    this.bar.append(button);
    return button;
  }

  #divider(index) {
    const divider = element("div", "divider");
    divider.tabIndex = 0;
    divider.setAttribute("role", "slider");
    divider.setAttribute("aria-orientation", "horizontal");
    divider.setAttribute("aria-valuemin", "0");
    divider.setAttribute("aria-valuemax", "100");
    const label = this.#words.divider
      .replace("{left}", this.#layers[index].name)
      .replace("{right}", this.#layers[index + 1].name);
    divider.setAttribute("aria-label", label);
    divider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      event.stopPropagation();
      divider.focus();
      divider.setPointerCapture(event.pointerId);
      divider.onpointermove = (move) => {
        const frame = this.stage.getBoundingClientRect();
        this.move(index, ((move.clientX - frame.left) / frame.width) * 100);
      };
      divider.onlostpointercapture = () => {
        divider.onpointermove = null;
      };
    });
    divider.addEventListener("dblclick", (event) => event.stopPropagation());
    return divider;
  }

  // The last layer is what the others led to: it gives the stage its shape.
  #shape() {
    const { image } = this.#layers.at(-1);
    const width = image.naturalWidth || 16;
    const height = image.naturalHeight || 9;
    this.stage.style.aspectRatio = `${width} / ${height}`;
  }

  move(index, percent) {
    const least = index ? this.#at[index - 1] : 0;
    const most = index + 1 < this.#at.length ? this.#at[index + 1] : 100;
    this.#at[index] = Math.min(most, Math.max(least, percent));
    this.#draw();
  }

  show(index) {
    this.#alone = index === this.#alone ? -1 : index;
    const lost = this.#dividers.includes(document.activeElement) && this.#alone >= 0;
    this.#draw();
    // A divider that goes takes the focus with it, and keys would come to nothing.
    if (lost) this.stage.focus({ preventScroll: true });
  }

  fit() {
    [this.#zoom, this.#x, this.#y] = [1, 0, 0];
    this.#draw();
  }

  // `x` and `y` are the point of the stage that stays where it is, in pixels.
  zoomBy(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const zoom = Math.min(MOST, Math.max(1, this.#zoom * factor));
    const change = zoom / this.#zoom;
    this.#x = x - (x - this.#x) * change;
    this.#y = y - (y - this.#y) * change;
    this.#zoom = zoom;
    this.#draw();
  }

  #wheel(event) {
    if (!event.ctrlKey && this.#zoom === 1) return; // the page scrolls
    event.preventDefault();
    const frame = this.stage.getBoundingClientRect();
    const factor = Math.exp(-event.deltaY / 400);
    this.zoomBy(factor, event.clientX - frame.left, event.clientY - frame.top);
  }

  #pan(event) {
    if (event.button !== 0 || this.#zoom === 1) return;
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

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = this.#dividers.indexOf(event.target);
    const step = event.shiftKey ? FAR : STEP;
    const acts = {
      ArrowLeft: () => this.#nudge(index, -step),
      ArrowRight: () => this.#nudge(index, step),
      Home: () => this.#nudge(index, -100),
      End: () => this.#nudge(index, 100),
      "+": () => this.zoomBy(1.25),
      "=": () => this.zoomBy(1.25),
      "-": () => this.zoomBy(1 / 1.25),
      0: () => this.fit(),
    };
    const number = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
    if (number >= 0 && number < this.#layers.length) this.show(number);
    else if (event.key in acts) acts[event.key]();
    else return;
    event.preventDefault();
  }

  #nudge(index, by) {
    if (index >= 0) this.move(index, this.#at[index] + by);
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    this.#x = Math.min(0, Math.max(width * (1 - this.#zoom), this.#x));
    this.#y = Math.min(0, Math.max(height * (1 - this.#zoom), this.#y));
    const compare = this.#alone < 0;
    this.#layers.forEach((layer, index) => {
      const left = compare && index ? this.#at[index - 1] : 0;
      const right = compare && index < this.#at.length ? this.#at[index] : 100;
      layer.figure.hidden = !compare && index !== this.#alone;
      layer.figure.style.clipPath = `inset(0 ${100 - right}% 0 ${left}%)`;
      layer.caption.style.left = `calc(${left}% + .6rem)`;
      layer.image.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#zoom})`;
      if (this.#zoom >= LARGE_FROM && layer.image.dataset.large) {
        layer.image.src = layer.image.dataset.large;
        delete layer.image.dataset.large;
      }
      layer.button.setAttribute("aria-pressed", String(index === this.#alone));
    });
    this.all.setAttribute("aria-pressed", String(compare));
    this.#dividers.forEach((divider, index) => {
      divider.hidden = !compare;
      divider.style.left = `${this.#at[index]}%`;
      divider.setAttribute("aria-valuenow", String(Math.round(this.#at[index])));
    });
    this.zoomed.textContent = `${Math.round(this.#zoom * 100)} %`;
    this.stage.classList.toggle("zoomed", this.#zoom > 1);
  }
}

function element(name, kind = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return made;
}

customElements.define("layer-compare", LayerCompare);
