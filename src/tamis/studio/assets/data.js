// Data: files are sent one by one with their progress, batches are followed as they run, an example becomes a question.
"use strict";

const changedHere = () => document.body.dispatchEvent(new CustomEvent("changed"));
const words = (html) => new DOMParser().parseFromString(html, "text/html").body.textContent.trim();

// A batch: the server draws how far it is, and sends the drawing after each change. Browsers hold six connections to a
// server; the oldest of many batches is let go, and its own page follows it.
const MOST_FOLLOWED = 3;
const followed = [];

function leave(source) {
  source.close();
  if (followed.includes(source)) followed.splice(followed.indexOf(source), 1);
}

function followBatches(root) {
  const panels = [...root.querySelectorAll("[data-events]")];
  if (root.matches?.("[data-events]")) panels.push(root);
  for (const panel of panels) {
    const source = new EventSource(panel.dataset.events);
    followed.push(source);
    if (followed.length > MOST_FOLLOWED) leave(followed[0]);
    source.onmessage = (event) => {
      if (!panel.isConnected) { leave(source); return; }
      const step = JSON.parse(event.data);
      panel.querySelector(".progress").innerHTML = step.html;
      if (!step.is_final) return;
      leave(source);
      said(panel.dataset.ended);
      changedHere();
      if (document.getElementById("failed")) location.reload();
      // By an element of its own: requests of one element wait for each other, and all but the last are dropped.
      else htmx.ajax("GET", panel.dataset.panel, { source: panel, target: panel, swap: "outerHTML" });
    };
  }
}
document.addEventListener("htmx:load", (event) => followBatches(event.detail.elt));

// What happens in a namespace: the server draws each change, and sends the row. It can be stopped while one reads.
const MOST_ROWS = 200;

function followActivity(rows) {
  const pause = document.getElementById("activity-pause");
  const waiting = [];
  const isPaused = () => pause.getAttribute("aria-pressed") === "true";
  const show = () => {
    while (waiting.length) rows.insertAdjacentHTML("afterbegin", waiting.shift());
    while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
    document.getElementById("activity-none").hidden = rows.children.length > 0;
    document.getElementById("activity-table").hidden = !rows.children.length;
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    said(isPaused() ? pause.dataset.paused : pause.dataset.live);
    if (!isPaused()) show();
  });
  new EventSource(rows.dataset.activity).onmessage = (event) => {
    waiting.push(JSON.parse(event.data).html);
    if (waiting.length > MOST_ROWS) waiting.shift();
    if (!isPaused()) show();
  };
}
const activity = document.querySelector("[data-activity]");
if (activity) followActivity(activity);

// A file that is no picture has none to be shown.
document.addEventListener("error", (event) => { if (event.target.matches?.("img")) event.target.classList.add("broken"); }, true);
for (const one of document.images) if (one.complete && one.getAttribute("src") && !one.naturalWidth) one.classList.add("broken");

// An example as a question: the file goes along as text, so that the execution's record has it.
document.addEventListener("change", (event) => {
  if (event.target.id !== "example-file") return;
  const form = event.target.closest("[data-ask]");
  const [file] = event.target.files;
  const name = form.querySelector(".example-name");
  form.elements.example.value = "";
  name.textContent = file ? file.name : name.dataset.empty;
  if (!file) return;
  const result = form.querySelector(".result");
  result.replaceChildren();
  if (file.size > 8e6) {
    const told = document.createElement("p");
    told.className = "problem";
    told.textContent = event.target.dataset.tooLarge;
    result.append(told);
    return;
  }
  const reader = new FileReader();
  reader.onload = () => { form.elements.example.value = reader.result; form.requestSubmit(); };
  reader.readAsDataURL(file);
});

// Uploads: announced, sent and confirmed, three at a time. What fails says why, stays, and can be tried again.
const uploader = document.getElementById("upload");
const AT_ONCE = 3;
const rows = [];

async function post(path, fields) {
  const answer = await fetch(uploader.dataset.upload + path, {
    method: "POST", body: new URLSearchParams({ csrf: uploader.dataset.csrf, ...fields }), headers: { "HX-Request": "true" },
  });
  if (answer.headers.get("hx-redirect")) { location.assign(answer.headers.get("hx-redirect")); throw new Error(""); }
  if (!answer.ok) throw new Error(words(await answer.text()));
  return answer;
}

function send(row, url) {
  return new Promise((resolve, reject) => {
    const request = row.request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("content-type", row.file.type || "application/octet-stream");
    request.upload.onprogress = (event) => { row.bar.value = event.loaded / row.file.size; };
    request.onload = () => {
      if (request.status < 300) { resolve(); return; }
      let told = "";
      try { told = JSON.parse(request.responseText).error.message; } catch { told = request.statusText; }
      reject(new Error(told));
    };
    request.onerror = () => reject(new Error(uploader.dataset.saysBroken));
    request.onabort = () => reject(new Error(""));
    request.send(row.file);
  });
}

function drawn(file) {
  const row = { file, state: "waiting", item: document.createElement("li") };
  const part = (kind, name, text = "") => {
    const made = document.createElement(kind);
    made.className = name;
    made.textContent = text;
    row.item.append(made);
    return made;
  };
  const size = file.size < 1e6 ? `${Math.ceil(file.size / 1e3)} kB` : `${(file.size / 1e6).toFixed(1)} MB`;
  const named = document.createElement("bdi");
  named.textContent = file.name;
  part("span", "upload-name").append(named);
  part("span", "upload-size small", size);
  row.bar = part("progress", "upload-bar");
  row.bar.max = 1;
  row.bar.value = 0;
  row.bar.setAttribute("aria-label", `${uploader.dataset.saysProgress} ${file.name}`);
  row.says = part("span", "upload-says small");
  row.tools = part("span", "upload-tools");
  document.getElementById("uploads").append(row.item);
  return row;
}

function tool(row, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "small-button quiet";
  made.textContent = label;
  made.setAttribute("aria-label", `${label}: ${row.file.name}`);
  made.addEventListener("click", act);
  row.tools.append(made);
}

function mark(row, state, says) {
  row.state = state;
  row.item.dataset.state = state;
  row.says.textContent = says;
  row.tools.replaceChildren();
  const told = uploader.dataset;
  if (state === "sending") tool(row, told.saysStop, () => row.request?.abort());
  if (state === "failed") {
    tool(row, told.saysAgain, () => { mark(row, "waiting", told.saysWaiting); next(); });
    tool(row, told.saysRemove, () => { rows.splice(rows.indexOf(row), 1); row.item.remove(); sum(); });
  }
}

async function take(row) {
  const told = uploader.dataset;
  mark(row, "sending", told.saysSending);
  row.bar.value = 0;
  try {
    const property = uploader.elements.property?.value || "";
    const announced = await (await post("/uploads", {
      filename: row.file.name, content_type: row.file.type, size: row.file.size, property,
    })).json();
    await send(row, announced.url);
    mark(row, "checking", told.saysChecking);
    const made = await (await post(`/uploads/${announced.upload_id}/confirm`, {})).json();
    row.bar.value = 1;
    row.object = made.object_id;
    row.isNew = !made.is_known;
    mark(row, "in", made.is_known ? told.saysKnown : told.saysIn);
  } catch (error) {
    mark(row, "failed", error instanceof TypeError ? told.saysBroken : error.message || told.saysStop);
  }
}

const inState = (...states) => rows.filter((row) => states.includes(row.state));

function next() {
  sum();
  const waiting = inState("waiting");
  for (const row of waiting.slice(0, AT_ONCE - inState("sending", "checking").length)) take(row).then(next);
  if (!waiting.length && !inState("sending", "checking").length) ended();
}

function sum() {
  const says = uploader.dataset.saysSum.replace("{in}", inState("in").length).replace("{all}", rows.length)
    .replace("{failed}", inState("failed").length);
  document.getElementById("upload-said").textContent = says;
  document.getElementById("upload-sum").hidden = !rows.length;
}

function ended() {
  if (!inState("in").length) return;
  changedHere();
  if (uploader.elements.extract?.checked) extract();  // Also what an earlier try could not.
}

// What came in since the last batch, together.
async function extract() {
  const fresh = inState("in").filter((row) => !row.isTaken);
  if (!fresh.length) return;
  for (const row of fresh) row.isTaken = true;
  const place = document.getElementById("batch-now");
  try {
    const objects = JSON.stringify([...new Set(fresh.map((row) => row.object))]);
    place.insertAdjacentHTML("afterbegin", await (await post("/batches", { objects })).text());
    followBatches(place.firstElementChild);
  } catch (error) {
    for (const row of fresh) row.isTaken = false;
    const told = document.createElement("p");
    told.className = "problem";
    told.setAttribute("role", "alert");
    told.textContent = error.message;
    place.prepend(told);
  }
}

function add(files) {
  for (const file of files) {
    const row = drawn(file);
    rows.push(row);
    mark(row, "waiting", uploader.dataset.saysWaiting);
  }
  next();
}

// A folder that is dropped is gone through, whatever is in it.
async function within(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const one of some) if (!one.name.startsWith(".")) found.push(...await within(one));
  }
}

if (uploader) {
  const zone = uploader.querySelector(".drop");
  const input = document.getElementById("files");
  input.addEventListener("change", () => { add(input.files); input.value = ""; });
  document.getElementById("extract-now")?.addEventListener("click", extract);
  uploader.addEventListener("submit", (event) => event.preventDefault());
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.length) { add(event.dataTransfer.files); return; }
    add((await Promise.all(entries.map(within))).flat());
  });
  // Beside the zone a file would be opened in place of the page, and what is on its way would be lost.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  addEventListener("beforeunload", (event) => { if (inState("waiting", "sending", "checking").length) event.preventDefault(); });
}
