// What is drawn on the picture in a viewer: boxes, arrows and free lines, for the note beside it.
//
// Points are thousandths of the picture's width and height. They go into the form's field `marks`
// as JSON; the server draws them on the published picture and attaches that to the Note.

import { controlGroup, drawingOver, element, SVG } from "./elements.js";

const TOOLS = ["box", "arrow", "line"];
const MOST_MARKS = 20;
const MOST_POINTS = 400;
const LEAST = 8; // thousandths: what is smaller is a slip of the hand
const HEAD = 40;
const TURN = (28 * Math.PI) / 180;

export class Marks {
  #made = [];
  #drawing = null;
  #drawn = drawingOver("marks");
  tool = "";

  constructor(viewer, bar) {
    this.viewer = viewer;
    viewer.front.content.append(this.#drawn);
    const { words } = viewer;
    const tools = controlGroup(words.draw);
    this.buttons = TOOLS.map((tool) =>
      viewer.button(tools, words[tool], () => this.#take(this.tool === tool ? "" : tool)),
    );
    this.back = viewer.button(tools, words.undo, () => this.#change(() => this.#made.pop()));
    this.none = viewer.button(tools, words.clear, () => this.clear());
    this.output = element("output", "drawn");
    // Who may not decide has no note to draw for.
    if (this.#field()) bar.append(tools, this.output);
    viewer.stage.addEventListener("pointerdown", (event) => this.#begin(event));
    viewer.front.image.addEventListener("load", () => this.#draw());
    document.addEventListener("htmx:after:swap", () => this.#taken());
    this.#restore();
    this.#take("");
  }

  put() {
    this.#drawing = null;
    this.#take("");
    this.#draw();
  }

  clear() {
    this.#change(() => {
      this.#made = [];
    });
  }

  #field() {
    return document.querySelector("#decision [name=marks]");
  }

  // A form that was refused brings back what was drawn.
  #restore() {
    const sent = this.#field()?.value;
    try {
      this.#made = sent ? JSON.parse(sent) : [];
    } catch {
      this.#made = [];
    }
    this.#change(() => {});
  }

  // After a decision stands, its drawing is the Note's, and the next begins without one.
  #taken() {
    if (document.querySelector("#decide .notice.good")) this.#made = [];
    this.#change(() => {});
  }

  #take(tool) {
    this.tool = tool;
    this.viewer.stage.classList.toggle("draws", Boolean(tool));
    this.buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(TOOLS[index] === tool));
    });
  }

  #change(act) {
    act();
    const field = this.#field();
    if (field) field.value = this.#made.length ? JSON.stringify(this.#made) : "";
    const words = this.viewer.words.drawn.replace("{number}", this.#made.length);
    this.output.textContent = this.#made.length ? words : "";
    this.back.disabled = this.none.disabled = !this.#made.length;
    this.#draw();
  }

  #point(event) {
    const frame = this.viewer.front.content.getBoundingClientRect();
    const share = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1000);
    return [
      share((event.clientX - frame.left) / frame.width),
      share((event.clientY - frame.top) / frame.height),
    ];
  }

  #begin(event) {
    if (!this.tool || event.button !== 0 || this.#made.length >= MOST_MARKS) return;
    event.preventDefault();
    const { stage } = this.viewer;
    const start = this.#point(event);
    this.#drawing = { kind: this.tool, points: [start, start] };
    stage.setPointerCapture(event.pointerId);
    stage.onpointermove = (move) => {
      if (!this.#drawing) return;
      const at = this.#point(move);
      const { kind, points } = this.#drawing;
      if (kind !== "line") points[1] = at;
      else if (points.length < MOST_POINTS && distance(points.at(-1), at) > 3) points.push(at);
      this.#draw();
    };
    stage.onlostpointercapture = () => {
      stage.onpointermove = null;
      const mark = this.#drawing;
      this.#drawing = null;
      this.#change(() => {
        if (mark && extent(mark.points) >= LEAST) this.#made.push(mark);
      });
    };
  }

  #draw() {
    const { image } = this.viewer.front;
    const ratio = image.naturalWidth / image.naturalHeight || 16 / 9;
    const marks = this.#drawing ? [...this.#made, this.#drawing] : this.#made;
    this.#drawn.replaceChildren(...marks.map((mark) => path(outline(mark, ratio))));
  }
}

function distance([x1, y1], [x2, y2]) {
  return Math.hypot(x2 - x1, y2 - y1);
}

function extent(points) {
  const [across, down] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return Math.hypot(
    Math.max(...across) - Math.min(...across),
    Math.max(...down) - Math.min(...down),
  );
}

// The line of a mark, as the server draws it as well.
export function outline({ kind, points }, ratio) {
  const [first, last] = [points[0], points.at(-1)];
  if (kind === "box") {
    return [first, [last[0], first[1]], last, [first[0], last[1]], first];
  }
  if (kind !== "arrow") return points;
  const [across, down] = [(last[0] - first[0]) * ratio, last[1] - first[1]];
  const length = Math.max(Math.hypot(across, down), 1e-6);
  const barb = Math.min(HEAD, length / 2) / length;
  const line = [first, last];
  for (const turn of [TURN, -TURN]) {
    const x = -(across * Math.cos(turn) - down * Math.sin(turn)) * barb;
    const y = -(across * Math.sin(turn) + down * Math.cos(turn)) * barb;
    line.push([last[0] + x / ratio, last[1] + y], last);
  }
  return line;
}

export function path(points) {
  const group = document.createElementNS(SVG, "g");
  const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
  for (const kind of ["edge", "ink"]) {
    const made = document.createElementNS(SVG, "path");
    made.setAttribute("class", kind);
    made.setAttribute("d", `M${line}`);
    group.append(made);
  }
  return group;
}
