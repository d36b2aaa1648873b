// Single keys on the page of a cut: decide, go to the next cut, and all keys of the viewer.
//
// They can be switched off, as WCAG 2.1.4 asks, and do nothing while somebody writes.

const KEPT = "haikei-keys";
const box = document.getElementById("keys");

function isOn() {
  return box?.checked ?? false;
}

if (box) {
  box.checked = localStorage.getItem(KEPT) !== "off";
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
}

function writes(target) {
  return target.matches?.("textarea, select, input:not([type=checkbox], [type=radio])") ?? false;
}

function decide(decision) {
  document.querySelector(`#decision button[value=${decision}]`)?.click();
}

function retake() {
  const note = document.getElementById("note");
  const marks = document.querySelector("#decision [name=marks]");
  if (!note) return;
  if (note.value.trim() || marks?.value) decide("retake");
  else note.focus();
}

const acts = {
  a: () => decide("approve"),
  r: retake,
  p: () => document.querySelector("a[rel=prev]")?.click(),
  n: () => document.querySelector("a[rel=next]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (writes(event.target)) return;
  const slides = event.target.matches?.(".divider");
  if (!isOn() && !slides && event.key !== "Escape") return;
  const viewer = document.querySelector("picture-viewer[ready]");
  const name = event.key.toLowerCase();
  if (name in acts && !event.repeat) acts[name]();
  else if (!viewer?.key(event)) return;
  event.preventDefault();
});
