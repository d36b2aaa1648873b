// Keeps which cuts are picked in a gallery, also while cards are loaded anew, and counts them.

const MOST = 400; // cuts of one form, of which the server reads 500 fields

const picked = new Set();
const all = document.getElementById("pick-all");
const output = document.querySelector(".picked output");

function boxes() {
  return [...document.querySelectorAll("#gallery input[form=picked]")];
}

function tell() {
  if (!output) return;
  output.textContent = picked.size ? output.dataset.words.replace("{number}", picked.size) : "";
  if (all) all.checked = picked.size > 0 && boxes().slice(0, MOST).every((one) => one.checked);
}

function restore() {
  const there = boxes();
  const names = new Set(there.map((one) => one.name));
  for (const name of picked) if (!names.has(name)) picked.delete(name);
  for (const one of there) one.checked = picked.has(one.name);
  tell();
}

function keep(box) {
  if (box.checked) picked.add(box.name);
  else picked.delete(box.name);
}

document.addEventListener("change", (event) => {
  if (event.target === all) {
    for (const [index, one] of boxes().entries()) {
      one.checked = all.checked && index < MOST;
      keep(one);
    }
  } else if (event.target.matches?.("#gallery input[form=picked]")) {
    keep(event.target);
    const details = document.querySelector("details.picked");
    if (event.target.checked && details) details.open = true;
  } else return;
  tell();
});
for (const kind of ["haikei:swap", "htmx:after:swap"]) document.addEventListener(kind, restore);
// A browser that goes back keeps what was picked.
for (const one of boxes()) keep(one);
tell();
