// Cards far down a long page hold their pictures in `noscript`: to prepare thousands of pictures
// would take longer than all the rest of the page. They are put in while the browser is idle, and
// it then loads each one when its card comes near, as it does with those at the top.

const TOGETHER = 100; // of them, before the browser is asked again whether it is idle
const SOON = 500; // milliseconds after which they are put in even if it is not

const idle = globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 1));
let waiting = [];

function look() {
  const begin = waiting.length === 0;
  waiting = [...document.querySelectorAll("#gallery noscript")].reverse();
  if (begin && waiting.length) idle(putIn, { timeout: SOON });
}

function putIn() {
  for (const one of waiting.splice(-TOGETHER)) {
    // Its content is text on a page that was loaded, and elements on one that a script parsed.
    if (one.firstElementChild) one.replaceWith(...one.childNodes);
    else one.outerHTML = one.textContent;
  }
  if (waiting.length) idle(putIn, { timeout: SOON });
}

function putInAll() {
  while (waiting.length) putIn();
}

look();
document.addEventListener("htmx:after:swap", look);
document.addEventListener("haikei:swap", look);
addEventListener("beforeprint", putInAll);
