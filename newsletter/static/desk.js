// Keys and small comforts. Every page does all it does without this file.
const keys = document.getElementById("keys");
const places = { p: "posts", r: "readers", s: "sends", m: "money", e: "settings/" };
let leader = "";

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");
const areOn = () => localStorage.getItem("keys") !== "off";

function back() {
  const open = document.querySelector("details[open]:not(.sheet details)");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
    return;
  }
  document.querySelector("[data-up]")?.click();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    const form = document.getElementById("manuscript");
    if (form) {
      event.preventDefault();
      form.dispatchEvent(new CustomEvent("save-now", { cancelable: true })) && form.requestSubmit();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || keys?.open) return;
  if (event.key === "Escape") {
    if (isTyping(event.target)) event.target.blur();
    else back();
    return;
  }
  if (isTyping(event.target) || !areOn()) return;
  if (leader === "g" && places[event.key]) location.assign(`/desk/${places[event.key]}`);
  else if (event.key === "?") keys?.showModal();
  else if (event.key === "c") location.assign("/desk/posts/new");
  else if (event.key === "/" && document.querySelector("[type=search]")) {
    event.preventDefault();
    document.querySelector("[type=search]").focus();
  }
  leader = event.key === "g" ? "g" : "";
});

document.querySelector("[data-keys]")?.addEventListener("click", (event) => {
  event.preventDefault();
  event.target.closest("details").open = false;
  keys.showModal();
});

const toggle = document.getElementById("keys-on");
if (toggle) {
  toggle.checked = areOn();
  toggle.addEventListener("change", () => localStorage.setItem("keys", toggle.checked ? "on" : "off"));
}

document.addEventListener("click", (event) => {
  const menu = document.querySelector(".account[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});
