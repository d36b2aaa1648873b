// Exposure, gamma and view of the pictures in a viewer, and the colour under the pointer.
//
// A slider is followed at once by a filter of the browser; the server then makes the picture from
// the full depth of its file, so that dark steps of 16 bits and light above white are seen.

import { element, SVG } from "./elements.js";

const SETTLED = 200; // milliseconds after which a slider is taken to rest

export class Grade {
  #stops = 0;
  #gamma = 1;
  #view = "plain";
  #timer = 0;
  #canvas = element("canvas");
  #drawn = "";

  constructor(viewer, bar) {
    this.viewer = viewer;
    const { words } = viewer;
    const group = element("span", "group");
    this.exposure = this.#slider(group, words.exposure, [-6, 6, 1, 0], (value) => {
      this.#stops = value;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => viewer.load(), SETTLED);
    });
    this.gamma = this.#slider(group, words.gamma, [0.4, 2.5, 0.05, 1], (value) => {
      this.#gamma = value;
    });
    if (viewer.hasLight) {
      const views = ["plain", "aces"].map((name) => [name, words[name]]);
      this.views = viewer.choice(group, words.view, views, (value) => {
        this.#view = value;
        viewer.load();
      });
    }
    viewer.button(group, words.reset, () => this.reset());
    bar.append(group);
    this.pixel = element("output", "pixel");
    this.pixel.setAttribute("aria-label", words.pixel);
    bar.append(this.pixel);
    this.filters = this.#makeFilters();
    viewer.stage.addEventListener("picture", () => this.apply());
    viewer.stage.addEventListener("pointermove", (event) => this.#read(event));
    viewer.stage.addEventListener("pointerleave", () => {
      this.pixel.textContent = "";
    });
  }

  #slider(parent, text, [least, most, step, value], act) {
    const label = element("label", "choice");
    const input = element("input");
    Object.assign(input, { type: "range", min: least, max: most, step, value });
    const output = element("output");
    const tell = () => {
      const number = Number(input.value);
      const stops = `${number > 0 ? "+" : ""}${number}`;
      const words = this.viewer.words.stops;
      output.textContent = step === 1 ? words.replace("{number}", stops) : number.toFixed(2);
    };
    input.addEventListener("input", () => {
      act(Number(input.value));
      tell();
      this.apply();
    });
    tell();
    label.append(text, " ", input, " ", output);
    parent.append(label);
    return { input, tell };
  }

  reset() {
    [this.#stops, this.#gamma, this.#view] = [0, 1, "plain"];
    this.exposure.input.value = 0;
    this.gamma.input.value = 1;
    this.exposure.tell();
    this.gamma.tell();
    if (this.views) this.views.value = "plain";
    this.viewer.load();
  }

  // How the server is asked for a picture, and the exposure that it then has.
  look({ light }) {
    const stops = this.viewer.amplifies ? 0 : this.#stops;
    const view = light ? this.#view : "plain";
    const asked = new URLSearchParams();
    if (view !== "plain") asked.set("view", view);
    if (stops) asked.set("stops", stops);
    return { query: asked.size ? `?${asked}` : "", stops };
  }

  apply() {
    const { front, behind, panes, amplifies } = this.viewer;
    // Of a difference it is the difference that is made brighter, not the pictures.
    this.#set(panes, this.filters.panes, amplifies ? this.#stops : 0, amplifies ? this.#gamma : 1);
    for (const [pane, filter] of [
      [front, this.filters.front],
      [behind, this.filters.behind],
    ]) {
      const missing = amplifies ? 0 : this.#stops - pane.stops;
      this.#set(pane.image, filter, missing, amplifies ? 1 : this.#gamma);
    }
  }

  #set(node, filter, stops, gamma) {
    for (const one of filter.linear) one.setAttribute("slope", String(2 ** stops));
    for (const one of filter.power) one.setAttribute("exponent", String(1 / gamma));
    node.style.filter = stops || gamma !== 1 ? `url("#${filter.id}")` : "none";
  }

  #makeFilters() {
    const root = document.createElementNS(SVG, "svg");
    root.setAttribute("class", "quiet");
    root.setAttribute("aria-hidden", "true");
    const made = {};
    for (const name of ["front", "behind", "panes"]) {
      const filter = document.createElementNS(SVG, "filter");
      filter.id = `grade-${name}`;
      const linear = transfer(filter, "linearRGB", { type: "linear", slope: "1" });
      const power = transfer(filter, "sRGB", { type: "gamma", exponent: "1" });
      root.append(filter);
      made[name] = { id: filter.id, linear, power };
    }
    this.viewer.append(root);
    return made;
  }

  #read(event) {
    const { image } = this.viewer.front;
    const frame = image.getBoundingClientRect();
    const [x, y] = [
      (event.clientX - frame.left) / frame.width,
      (event.clientY - frame.top) / frame.height,
    ];
    if (!image.complete || !image.naturalWidth || x < 0 || y < 0 || x >= 1 || y >= 1) {
      this.pixel.textContent = "";
      return;
    }
    if (this.#drawn !== image.src) {
      [this.#canvas.width, this.#canvas.height] = [image.naturalWidth, image.naturalHeight];
      this.#canvas.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0);
      this.#drawn = image.src;
    }
    const at = [Math.floor(x * this.#canvas.width), Math.floor(y * this.#canvas.height)];
    const [red, green, blue] = this.#canvas.getContext("2d").getImageData(...at, 1, 1).data;
    const code = [red, green, blue].map((one) => one.toString(16).padStart(2, "0")).join("");
    const place = `${(x * 100).toFixed(1)},${(y * 100).toFixed(1)} %`;
    this.pixel.textContent = `${place}  ${red} ${green} ${blue}  #${code}`;
  }
}

function transfer(filter, space, values) {
  const step = document.createElementNS(SVG, "feComponentTransfer");
  step.setAttribute("color-interpolation-filters", space);
  const functions = ["R", "G", "B"].map((channel) => {
    const one = document.createElementNS(SVG, `feFunc${channel}`);
    for (const [name, value] of Object.entries(values)) one.setAttribute(name, value);
    return one;
  });
  step.append(...functions);
  filter.append(step);
  return functions;
}
