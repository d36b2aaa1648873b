// Elements of the page, made by scripts.

export const SVG = "http://www.w3.org/2000/svg";

export function element(name, kind = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return made;
}

// Controls that belong together, under a label for screen readers.
export function controlGroup(label) {
  const made = element("span", "group");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  return made;
}

// A drawing over a picture, in thousandths of its width and height.
export function drawingOver(kind) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("class", kind);
  made.setAttribute("viewBox", "0 0 1000 1000");
  made.setAttribute("preserveAspectRatio", "none");
  made.setAttribute("aria-hidden", "true");
  return made;
}
