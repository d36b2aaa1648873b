// Keeps a page true while jobs and reviews go on, by the events that the server sends.

const QUIET = 400; // milliseconds in which what happens together is looked at together
const AGAIN = 2000; // and until a note is looked for that is about to be answered
const MANY = 20; // cards beyond which the whole gallery is loaded anew
const LIVE = new Set(["waiting", "running"]);
const { project, cut, key } = document.body.dataset;
const cards = new Set();
let timer = 0;
let everything = false;

function cutOf({ episode, sequence, shot }) {
  return `${episode ? `${episode}/` : ""}${sequence}/${shot}`;
}

function placeOf(job) {
  return `${cutOf(job)}/${job.season}/${job.time}`;
}

function cardAt(place) {
  return document.querySelector(`[data-place="${CSS.escape(place)}"]`);
}

function soon() {
  timer ||= setTimeout(refresh, QUIET);
}

async function refresh() {
  timer = 0;
  const [whole, places] = [everything || cards.size > MANY, [...cards]];
  everything = false;
  cards.clear();
  if (cut !== undefined && !key) location.reload();
  else if (cut !== undefined) {
    await swap(["#variants", "#standing", "#around"]);
    if (document.querySelector("#standing[data-unsettled]")) timer ||= setTimeout(refresh, AGAIN);
  } else if (whole) await swap(["#gallery"]);
  else for (const place of places) await refreshCard(place);
}

async function swap(selectors) {
  // A cut's address leads to its newest version, which may not be the one that is looked at.
  const address = key ? `/versions/${encodeURIComponent(key)}` : location.href;
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const selector of selectors) {
    const [old, fresh] = [document.querySelector(selector), page.querySelector(selector)];
    // What somebody is using right now stays under their hands.
    if (!old || !fresh || old.contains(document.activeElement)) continue;
    old.replaceWith(fresh);
    globalThis.htmx?.process(fresh);
  }
  document.dispatchEvent(new Event("haikei:swap"));
}

async function refreshCard(place) {
  const [time, season, shot, sequence, episode = ""] = place.split("/").reverse();
  const query = new URLSearchParams({ episode, sequence, shot, season, time });
  const answer = await fetch(`/shows/${encodeURIComponent(project)}/card?${query}`);
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const fresh = holder.content.querySelector("li");
  const old = cardAt(place);
  if (!fresh || !old) return;
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (hadFocus) fresh.querySelector("a")?.focus();
  document.dispatchEvent(new Event("haikei:swap"));
}

function onJob(job) {
  if (job.project !== project) return;
  for (const work of document.querySelectorAll(`[data-job="${CSS.escape(job.job)}"]`)) {
    const bar = work.querySelector("progress");
    if (bar) bar.value = job.progress;
  }
  if (cut !== undefined) {
    const mine = cutOf(job) === cut;
    const known = document.querySelector(`[data-job="${CSS.escape(job.job)}"]`);
    if (mine && !(known && LIVE.has(job.state) && known.dataset.step === job.step)) soon();
    return;
  }
  const place = placeOf(job);
  const card = cardAt(place);
  if (card?.querySelector(`[data-step="${job.step}"]`) && LIVE.has(job.state)) return;
  if (card) cards.add(place);
  else everything = true;
  soon();
}

function onReview({ background }) {
  if (cut === undefined) everything = true;
  else if (background !== key) return;
  soon();
}

const offline = document.getElementById("offline");
document.addEventListener("htmx:error", () => {
  offline.hidden = false;
});
document.addEventListener("htmx:after:swap", () => {
  offline.hidden = true;
});

function listen() {
  const source = new EventSource("/events");
  source.addEventListener("open", () => {
    offline.hidden = true;
  });
  source.addEventListener("error", () => {
    offline.hidden = false;
  });
  source.addEventListener("job", (event) => onJob(JSON.parse(event.data)));
  source.addEventListener("review", (event) => onReview(JSON.parse(event.data)));
  source.addEventListener("reload", () => {
    everything = true;
    soon();
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}

if (project !== undefined) {
  listen();
  addEventListener("pageshow", (event) => {
    // The browser had kept the page while one was elsewhere, and brings it back as it was.
    if (!event.persisted) return;
    listen();
    everything = true;
    soon();
  });
}
