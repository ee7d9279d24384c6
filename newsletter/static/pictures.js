// Pictures from the device, by paste and by drop: each is put where the cursor is, and asked what it shows.
import { renew } from "./editor.js";

const form = document.getElementById("manuscript");
const body = form.elements.body;
const part = document.getElementById("pictures-part");
const said = document.getElementById("pictures-said");
const asked = document.getElementById("asked");
const offers = document.getElementById("offers");
const field = form.elements.pictures;
let wasThere = false; // whether the cursor is where the author has put it

for (const plain of part.querySelectorAll("[data-plain]")) plain.remove();
document.getElementById("pictures-help").append(" You can also paste a picture into the text, or drop it there.");

async function take(files) {
  part.open = true;
  const refused = [];
  let first = null;
  for (const [number, file] of files.entries()) {
    said.textContent = `Uploading ${files.length > 1 ? `${number + 1} of ${files.length}: ` : ""}“${file.name}” …`;
    const answer = await send(file);
    if (answer.address) {
      offers.innerHTML = answer.offers;
      first = place(answer.address, answer.name) ?? first;
    } else refused.push(`“${file.name}”: ${answer.said}`);
  }
  field.value = "";
  const done = files.length - refused.length;
  const success = done === 1 ? "The picture is in the text." : `${done} pictures are in the text.`;
  said.textContent = [...refused, ...(done ? [success] : [])].join(" ");
  first?.focus();
}

async function send(file) {
  if (file.size > part.dataset.heaviest) {
    return { said: `It has ${(file.size / 1048576).toFixed(1)} MB; up to ${part.dataset.heaviest / 1048576} MB work.` };
  }
  let answer = await post(file);
  if (answer && !isJson(answer) && (await renew())) answer = await post(file);
  if (!answer) return { said: "No connection. Try it again." };
  if (!isJson(answer)) return { said: "You are signed out. Sign in in another tab, then try it again." };
  return answer.json();
}

const isJson = (answer) => answer.headers.get("Content-Type")?.startsWith("application/json");

function post(file) {
  const values = new FormData();
  values.set("csrf_token", form.elements.csrf_token.value);
  values.set("picture", file);
  const headers = { Accept: "application/json" };
  return fetch(part.dataset.address, { method: "POST", body: values, headers }).catch(() => null);
}

// A picture is a paragraph of its own. Returns the field that asks what it shows.
function place(address, name) {
  const [start, end] = wasThere ? [body.selectionStart, body.selectionEnd] : [body.value.length, body.value.length];
  const above = body.value.slice(0, start).match(/\n*$/)[0].length;
  const below = body.value.slice(end).match(/^\n*/)[0].length;
  const isFirst = start === above;
  const before = isFirst ? "" : "\n".repeat(Math.max(0, 2 - above));
  const after = "\n".repeat(Math.max(0, 2 - below));
  write(`${before}![](${address})${after}`, start, end);
  return ask(address, name);
}

// As if it had been typed, so that it can be undone with the keys.
function write(text, start, end) {
  body.focus();
  body.setSelectionRange(start, end);
  if (document.execCommand("insertText", false, text)) return;
  body.setRangeText(text, start, end, "end");
  body.dispatchEvent(new Event("input", { bubbles: true }));
}

function ask(address, name) {
  for (const row of asked.children) if (row.dataset.address === address) row.remove();
  const id = `shows-${asked.childElementCount}-${Date.now()}`;
  const row = document.createElement("li");
  row.dataset.address = address;
  row.innerHTML = '<img alt=""><div class="field"><label></label><input type="text" maxlength="500" autocomplete="off"></div>';
  const [image, label, input] = row.querySelectorAll("img, label, input");
  image.src = new URL(address).pathname;
  label.textContent = `What does “${name}” show?`;
  label.htmlFor = input.id = id;
  input.placeholder = "For readers who do not see it";
  let told = "";
  const hear = () => {
    if (input.value === told) return;
    told = input.value; // before anything is written: that takes the focus away, which ends in a change
    tell(address, told);
  };
  input.addEventListener("change", () => setTimeout(hear)); // once the focus is where it was going
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    hear();
    const next = row.nextElementSibling?.querySelector("input");
    if (next) next.focus();
    else goOnBehind(address);
  });
  asked.append(row);
  return input;
}

// Puts the words between the brackets of the picture; the focus and the cursor stay where they are.
function tell(address, words) {
  const at = body.value.lastIndexOf(`](${address}`);
  const start = body.value.lastIndexOf("![", at) + 2;
  const shown = words.replaceAll("[", "(").replaceAll("]", ")").replaceAll("\\", "/").trim();
  if (at < 0 || start < 2 || body.value.slice(start, at) === shown) return;
  const has = document.activeElement;
  const grown = start + shown.length - at;
  const [first, last] = [body.selectionStart, body.selectionEnd].map((each) => (each >= at ? each + grown : each));
  write(shown, start, at);
  body.setSelectionRange(first, last);
  if (has !== body) has.focus();
}

function goOnBehind(address) {
  const line = body.value.indexOf("\n", body.value.lastIndexOf(`](${address}`));
  const at = line < 0 ? body.value.length : Math.min(line + 2, body.value.length);
  body.focus();
  body.setSelectionRange(at, at);
}

// Those of any kind: the server says what is wrong with one.
const picturesIn = (list) => [...(list ?? [])].filter((file) => file.type.startsWith("image/"));

field.addEventListener("change", () => take([...field.files]));
body.addEventListener("focus", () => (wasThere = true));
body.addEventListener("paste", (event) => {
  const files = picturesIn(event.clipboardData?.files);
  if (!files.length || event.clipboardData.getData("text/plain")) return; // words from an office come with a picture of them
  event.preventDefault();
  take(files);
});
body.addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  body.classList.add("is-target");
});
body.addEventListener("dragleave", () => body.classList.remove("is-target"));
body.addEventListener("drop", (event) => {
  body.classList.remove("is-target");
  const files = picturesIn(event.dataTransfer?.files);
  if (!files.length) return;
  event.preventDefault();
  take(files);
});
offers.addEventListener("click", (event) => {
  const offer = event.target.closest(".offer");
  if (!offer) return;
  event.preventDefault();
  place(offer.dataset.address, offer.title)?.focus();
  said.textContent = "The picture is in the text.";
});
