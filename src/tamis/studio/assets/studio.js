// What the pages do beyond links, forms and htmx. Every page works without it, but for copying.
"use strict";

const said = (text) => { document.getElementById("said").textContent = text; };

document.addEventListener("click", (event) => {
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    const source = document.querySelector(copier.dataset.copy);
    const text = source.value ?? source.textContent;
    navigator.clipboard.writeText(text).then(() => said("✓"));
  }
  // A menu closes when something beside it is clicked.
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// For menus that ask for their content when they are opened; `toggle` itself does not bubble.
document.addEventListener("toggle", (event) => {
  if (event.target.matches("details.menu") && event.target.open) event.target.dispatchEvent(new CustomEvent("opened"));
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form) form.requestSubmit();
});

// What was asked for in a menu is done and shown elsewhere: the menu closes, its form is empty again.
document.body.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form[data-closes]");
  if (!form || event.detail.xhr.status >= 400) return;
  form.reset();
  form.closest("details.menu").open = false;
});

// On a narrow screen the page that one is on is to be seen in the row of links, too.
for (const here of document.querySelectorAll(".tabs [aria-current]")) {
  const row = here.parentElement;
  row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

// The address that the server prints has the key behind the #, which browsers send to nobody.
const door = document.querySelector("form[data-key-from-address]");
function takeKey() {
  if (!door || !location.hash.startsWith("#sk_")) return;
  door.elements.key.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  door.requestSubmit();
}
addEventListener("hashchange", takeKey);
takeKey();

// A renewal that fails leaves the page as it was, and says so; the next one that works takes the word back.
const trouble = document.getElementById("trouble");
document.body.addEventListener("htmx:sendError", () => {
  const told = document.createElement("p");
  told.className = "problem";
  told.textContent = document.body.dataset.offline;
  trouble.replaceChildren(told);
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) trouble.replaceChildren();
});
