// A sentence, or a frame, that follows a form: [data-live] names the address that says it.
for (const place of document.querySelectorAll("[data-live]")) {
  const form = document.forms[place.dataset.of] ?? place.closest("form");
  let asked = 0;
  let timer;
  const ask = async () => {
    const mine = ++asked;
    const values = new URLSearchParams(new FormData(form));
    values.delete("csrf_token");
    if (place.src) return place.contentWindow.location.replace(`${place.dataset.live}?${values}`);
    const answer = await fetch(`${place.dataset.live}?${values}`).catch(() => null);
    if (answer?.ok && !answer.redirected && mine === asked) place.innerHTML = await answer.text();
  };
  document.addEventListener("input", (event) => {
    if (event.target.form !== form) return; // some of a form's fields stand outside of it
    clearTimeout(timer);
    timer = setTimeout(ask, 250);
  });
}
for (const button of document.querySelectorAll("[data-without-js]")) button.hidden = true;
