// Watch a mailing: fetch the changing part every two seconds and exchange what has changed.
const place = document.getElementById("progress");
const parts = (root) => new Map([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));

function exchange(fresh) {
  const old = parts(place);
  for (const [name, part] of parts(fresh)) {
    const before = old.get(name);
    // What can be pressed keeps its focus: it is exchanged only when there is something else to press.
    const same = part.dataset.version ? part.dataset.version === before.dataset.version : part.innerHTML === before.innerHTML;
    if (same) continue;
    if (name === "said") {
      before.textContent = part.textContent;
      continue;
    }
    const held = before.contains(document.activeElement) && document.activeElement.getAttribute("href");
    before.replaceWith(part);
    if (held) part.querySelector(`[href="${CSS.escape(held)}"]`)?.focus();
  }
}

async function watch() {
  const answer = document.hidden ? null : await fetch(place.dataset.address).catch(() => null);
  if (answer?.redirected) return location.reload(); // signed out meanwhile
  if (answer?.ok) {
    const fresh = document.createElement("template");
    fresh.innerHTML = await answer.text();
    const isOver = fresh.content.querySelector("[data-over=yes]") !== null;
    exchange(fresh.content);
    if (isOver) return;
  }
  setTimeout(watch, 2000);
}
setTimeout(watch, 2000);
