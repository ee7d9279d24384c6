// Saves two seconds after the last key, shows the preview again, and never lets go of what is not saved.
const form = document.getElementById("manuscript");
const said = document.getElementById("saved");
const frame = document.querySelector(".frame");
const picture = frame?.querySelector("iframe");
const reader = document.getElementById("as");
const show = document.getElementById("show");
let saved = text();
let timer;
let busy = null;

function text() {
  const values = new FormData(form);
  for (const name of ["csrf_token", "revision", "view", "as", "then", "pictures", "shows"]) values.delete(name);
  return JSON.stringify([...values]);
}

async function save() {
  clearTimeout(timer);
  if (busy) await busy;
  const now = text();
  if (now === saved) return true;
  busy = send(now);
  const done = await busy;
  busy = null;
  return done;
}

async function send(now) {
  said.textContent = "· saving …";
  let answer = await post();
  if (answer && !isJson(answer) && (await renew())) answer = await post();
  if (!isJson(answer)) {
    said.textContent = answer
      ? "· not saved: you are signed out. Sign in in another tab; the next key here then saves."
      : "· not saved: no connection. Your text stays here; the next key tries again.";
    return false;
  }
  const words = await answer.json();
  said.textContent = `· ${words.said}`;
  if (!answer.ok) return false;
  saved = now;
  form.elements.revision.value = words.revision;
  document.getElementById("problems").innerHTML = words.problems;
  tell(words.links);
  form.action = words.url; // the first save gives a new post its own address
  history.replaceState(null, "", words.url);
  if (picture) look();
  return true;
}

const isJson = (answer) => answer?.headers.get("Content-Type")?.startsWith("application/json");

function post() {
  const values = new FormData(form);
  values.delete("pictures"); // they go their own way: pictures.js
  const body = new URLSearchParams(values);
  return fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
}

// Who has signed in again has a new token: fetch it. False while nobody is signed in.
export async function renew() {
  const page = await fetch(location.href).catch(() => null);
  if (!page?.ok || page.redirected) return false;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  form.elements.csrf_token.value = fresh.querySelector("[name=csrf_token]").value;
  return true;
}

// Pages that the text names are read by a worker: look every two seconds, for a minute, whether their cards are there.
const links = document.getElementById("links");
const reading = () => links.querySelectorAll("[data-reading]").length;
let looks = 0;
let waiting;

function tell(told) {
  const before = reading();
  if (links.innerHTML !== told) links.innerHTML = told;
  if (picture && reading() < before) look();
  watch(30);
}

function watch(times) {
  clearTimeout(waiting);
  looks = times;
  if (reading() && looks > 0) waiting = setTimeout(ask, 2000);
}

async function ask() {
  const left = looks - 1;
  const answer = await fetch(`${form.action}/links`).catch(() => null);
  if (answer?.ok && !answer.redirected) {
    const before = reading();
    const told = await answer.text();
    const fresh = document.createElement("div");
    fresh.innerHTML = told;
    if (fresh.innerHTML !== links.innerHTML) links.replaceChildren(...fresh.childNodes);
    if (picture && reading() < before) look();
  }
  watch(left);
}

links.addEventListener("submit", async (event) => {
  if (text() === saved) return;
  event.preventDefault();
  const wanted = event.target.getAttribute("action");
  if (await save()) links.querySelector(`form[action="${wanted}"]`)?.submit();
});
watch(30);

function look() {
  const view = form.elements.view.value;
  frame.className = `frame is-${view}`;
  fit();
  picture.src = `${picture.dataset.address}${view}?as=${reader.value}`;
}

// Mail on a desk is 660 wide: where there is less room, it is shown smaller rather than cut.
function fit() {
  const scale = frame.classList.contains("is-mail") ? Math.min(1, frame.clientWidth / 660) : 1;
  picture.style.transform = scale < 1 ? `scale(${scale})` : "";
  picture.style.height = scale < 1 ? `${100 / scale}%` : "";
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(save, 2000);
});
form.addEventListener("save-now", (event) => {
  event.preventDefault();
  save();
});
form.addEventListener("submit", () => {
  clearTimeout(timer);
  saved = text();
});
form.elements.title.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    form.elements.subtitle.focus();
  }
});
addEventListener("beforeunload", (event) => {
  if (text() !== saved) event.preventDefault();
});
document.querySelector("[data-up]").addEventListener("click", async (event) => {
  if (text() === saved) return;
  event.preventDefault();
  if (await save()) location.assign(event.target.href);
});
// A finding names its line: go there. Each line of the text is as high as the text field draws it, so it is measured.
function jump(line) {
  const field = form.elements.body;
  const lines = field.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  const mirror = field.cloneNode();
  mirror.removeAttribute("id");
  mirror.style.cssText = "position:absolute;visibility:hidden;height:0;min-height:0;overflow:hidden";
  mirror.style.width = `${field.offsetWidth}px`;
  mirror.value = field.value.slice(0, start);
  field.after(mirror);
  const above = mirror.scrollHeight;
  mirror.remove();
  field.focus({ preventScroll: true });
  field.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  field.scrollTop = above - field.clientHeight / 2;
  const inField = Math.min(above - field.scrollTop, field.clientHeight);
  scrollTo({ top: scrollY + field.getBoundingClientRect().top + inField - innerHeight / 2 });
}
document.getElementById("problems").addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  jump(Number(link.dataset.line));
});
const asked = /^#line-(\d+)$/.exec(location.hash);
if (asked) jump(Number(asked[1]));

if (picture) {
  show.hidden = true;
  frame.style.overflow = "hidden";
  new ResizeObserver(fit).observe(frame);
  for (const choice of form.elements.view) choice.addEventListener("change", look);
  reader.addEventListener("change", look);
}
