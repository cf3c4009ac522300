// A published search page without this is whole: it tells what was clicked, and a page around it how high it is.
"use strict";

document.addEventListener("click", (event) => {
  const result = event.target.closest(".result");
  if (!result || !event.target.closest("a, video, audio")) return;
  const list = result.parentElement;
  const place = list.start - 1 + [...list.children].indexOf(result);
  const told = new URLSearchParams({ document: result.dataset.document, place, execution: list.dataset.execution });
  fetch(document.body.dataset.tell, { method: "POST", body: told, keepalive: true });
});

if (window.parent !== window) {
  const tell = () => window.parent.postMessage({ tamisHeight: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(tell).observe(document.documentElement);
}
