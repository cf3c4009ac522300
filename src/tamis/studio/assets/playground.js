// The playground: stages are moved, a run is followed as it happens, JSON is completed.
"use strict";

const form = document.querySelector("form[data-run]");
const list = document.getElementById("pipeline");
const runButton = document.getElementById("run-button");

const changed = () => form.dispatchEvent(new CustomEvent("moved", { bubbles: true }));

function move(stage, by) {
  const other = by < 0 ? stage.previousElementSibling : stage.nextElementSibling;
  if (!other) return;
  if (by < 0) other.before(stage); else other.after(stage);
  said(`${stage.querySelector(".stage-title").value}: ${[...list.children].indexOf(stage) + 1} / ${list.children.length}`);
  changed();
}

list.addEventListener("click", (event) => {
  const stage = event.target.closest("[data-stage]");
  const mover = event.target.closest("[data-move]");
  if (mover) { move(stage, Number(mover.dataset.move)); mover.focus(); }
  if (event.target.closest("[data-remove]")) {
    const next = stage.nextElementSibling || stage.previousElementSibling;
    stage.remove();
    (next || document.getElementById("add")).focus();
    changed();
  }
});

document.addEventListener("keydown", (event) => {
  const stage = event.target.closest("[data-stage]");
  if (stage && event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    const focused = event.target;
    move(stage, event.key === "ArrowUp" ? -1 : 1);
    focused.focus();
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); form.requestSubmit(); }
});

let dragged = null;
list.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("[data-stage]");
  dragged.classList.add("dragged");
  event.dataTransfer.setDragImage(dragged, 20, 20);
  event.dataTransfer.effectAllowed = "move";
});
list.addEventListener("dragover", (event) => {
  const over = event.target.closest("[data-stage]");
  if (!dragged) return;
  event.preventDefault();
  if (!over || over === dragged) return;
  const box = over.getBoundingClientRect();
  if (event.clientY < box.top + box.height / 2) over.before(dragged); else over.after(dragged);
});
list.addEventListener("drop", (event) => event.preventDefault());
list.addEventListener("dragend", () => { dragged.classList.remove("dragged"); dragged = null; changed(); });

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target === list) {
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    const add = document.getElementById("add");
    if (add.value) { add.value = ""; list.lastElementChild.querySelector(".stage-title").focus(); }
    changed();
  }
});

// A run: server-sent events over one request, so that leaving the page takes the run along.
let running = null;

function light(place, state, says) {
  const stage = list.children[place];
  if (!stage) return;
  stage.querySelector("[data-light]").dataset.state = state;
  stage.querySelector("[data-says]").textContent = says;
}

function problem(text) {
  const told = document.getElementById("run-problem");
  told.textContent = text;
  told.hidden = !text;
}

function ended(data) {
  problem(data.message || "");
  if (data.execution) {
    htmx.ajax("GET", `/playground/outcome?id=${encodeURIComponent(data.execution)}`, { target: "#outcome", swap: "innerHTML" })
      .then(() => document.getElementById("outcome").scrollIntoView());
    history.replaceState(null, "", `/playground?from=${encodeURIComponent(data.execution)}`);
  }
}

async function follow(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    const events = waiting.split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      const found = /^event: (\w+)\ndata: (.*)$/s.exec(event);
      if (!found) continue;
      const data = JSON.parse(found[2]);
      if (found[1] === "stage") light(data.index, data.state, data.says); else ended(data);
    }
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) { running.abort(); return; }
  running = new AbortController();
  problem("");
  for (let place = 0; place < list.children.length; place += 1) light(place, "", "");
  runButton.dataset.running = "";
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form)), signal: running.signal, headers: { "HX-Request": "true" },
    });
    if (answer.headers.get("content-type").startsWith("text/event-stream")) await follow(answer);
    else if (answer.headers.get("hx-redirect")) location.assign(answer.headers.get("hx-redirect"));
    else problem(new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim());
  } catch (error) {
    if (error.name !== "AbortError") problem(String(error));
  } finally {
    running = null;
    delete runButton.dataset.running;
  }
});

// Names in JSON: of stages, and of the parameters that the forms know.
let offered = null;

function names(before) {
  const known = new Set(["stage_name", "config", "stage_id", "parameters", "inputs", "stages", "input_schema"]);
  if (/"stage_id"\s*:\s*"[^"]*$/.test(before)) {
    return [...document.querySelectorAll("#add option[value]")].map((one) => one.value).filter(Boolean);
  }
  for (const field of document.querySelectorAll(".stage-form [name*='.p.']")) known.add(field.name.split(".p.")[1]);
  for (const one of document.querySelectorAll("#features option")) known.add(one.value);
  return [...known];
}

function offer(area) {
  withdraw();
  const before = area.value.slice(0, area.selectionStart);
  const word = /[\w:/@.#-]*$/.exec(before)[0];
  const found = names(before).filter((name) => name.startsWith(word) && name !== word).slice(0, 30);
  if (!found.length) return;
  const box = document.createElement("ul");
  box.className = "offers";
  box.setAttribute("role", "listbox");
  for (const name of found) {
    const item = document.createElement("li");
    item.textContent = name;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(!box.children.length));
    item.addEventListener("mousedown", (event) => { event.preventDefault(); take(name); });
    box.append(item);
  }
  offered = { area, word, box };
  area.after(box);
}

function withdraw() { if (offered) { offered.box.remove(); offered = null; } }

function take(name) {
  const { area, word } = offered;
  const at = area.selectionStart;
  area.setRangeText(name, at - word.length, at, "end");
  withdraw();
}

function choose(by) {
  const items = [...offered.box.children];
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  items[now].setAttribute("aria-selected", "false");
  const next = items[(now + by + items.length) % items.length];
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const area = event.target.closest("textarea[data-complete]");
  if (!area) return;
  if (event.ctrlKey && event.code === "Space") { event.preventDefault(); offer(area); return; }
  if (!offered) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(event.key === "ArrowDown" ? 1 : -1); }
  else if (event.key === "Enter" || event.key === "Tab") {
    event.preventDefault();
    take(offered.box.querySelector('[aria-selected="true"]').textContent);
  } else if (event.key === "Escape") { event.stopPropagation(); withdraw(); }
}, true);
document.addEventListener("input", (event) => { if (offered && event.target === offered.area) offer(offered.area); });
document.addEventListener("focusout", (event) => { if (offered && event.target === offered.area) withdraw(); });
