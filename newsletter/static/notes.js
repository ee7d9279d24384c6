// A footnote opens beside its number. Without this module the number leads to the note and back.
const references = document.querySelectorAll(".note-reference");
const panel = document.createElement("div");
panel.className = "note-panel";
panel.setAttribute("role", "note");

if (references.length && "popover" in panel) {
  panel.popover = "auto";
  document.body.append(panel);
  for (const reference of references) {
    reference.addEventListener("click", (event) => {
      const note = document.getElementById(reference.hash.slice(1));
      if (!note) return;
      event.preventDefault();
      panel.replaceChildren(...[...note.cloneNode(true).childNodes]);
      for (const back of panel.querySelectorAll(".note-back, .note-return, [id]")) {
        if (back.matches("[id]")) back.removeAttribute("id");
        else back.remove();
      }
      panel.setAttribute("aria-label", reference.getAttribute("aria-label"));
      panel.showPopover();
      place(reference);
    });
  }
}

function place(reference) {
  const at = reference.getBoundingClientRect();
  const width = panel.offsetWidth;
  const left = Math.min(Math.max(16, at.left - width / 2), innerWidth - width - 16);
  const below = at.bottom + 8;
  const fitsBelow = below + panel.offsetHeight < innerHeight;
  const top = fitsBelow ? below : Math.max(16, at.top - panel.offsetHeight - 8);
  panel.style.left = `${left + scrollX}px`;
  panel.style.top = `${top + scrollY}px`;
}
