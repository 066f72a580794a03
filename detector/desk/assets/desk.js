"use strict";
// Keeps the page current: fetches itself and swaps only what changed, so that scroll position, focus and
// pictures that are already there stay as they are. Without this script the page works and is reloaded by hand.

const everyMs = Number(document.body.dataset.refreshS) * 1000;
const served = new WeakMap(); // element -> the HTML the server sent for it (pictures alter themselves on error)

function remember(root) {
  for (const child of root.querySelectorAll("[data-live] > [data-key]")) served.set(child, child.outerHTML);
}

function watchPictures(root) {
  for (const image of root.querySelectorAll(".shot img")) {
    const gone = () => image.closest(".shot").classList.add("gone");
    if (image.complete && image.naturalWidth === 0 && image.loading !== "lazy") gone();
    image.addEventListener("error", gone);
  }
}

function merge(region, fresh) {
  const present = new Map(Array.from(region.children, (child) => [child.dataset.key, child]));
  let place = region.firstElementChild;
  for (const wanted of Array.from(fresh.children)) {
    const old = present.get(wanted.dataset.key);
    present.delete(wanted.dataset.key);
    if (old && served.get(old) === wanted.outerHTML) {
      if (old === place) place = place.nextElementSibling;
      else region.insertBefore(old, place);
      continue;
    }
    const html = wanted.outerHTML;
    const next = document.adoptNode(wanted);
    served.set(next, html);
    if (old) {
      const focused = old === document.activeElement;
      if (old === place) place = place.nextElementSibling;
      old.remove();
      region.insertBefore(next, place);
      if (focused) next.focus({ preventScroll: true });
    } else {
      region.insertBefore(next, place);
      if (next.matches(".card")) next.classList.add("fresh");
    }
    watchPictures(next);
  }
  for (const left of present.values()) left.remove();
}

async function refresh() {
  const beat = document.querySelector(".beat");
  const text = document.getElementById("beat-text");
  try {
    const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const region of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(region.id);
      if (fresh) merge(region, fresh);
    }
    text.textContent = page.getElementById("beat-text").textContent;
    beat.classList.remove("lost");
    beat.classList.add("alive");
  } catch {
    beat.classList.add("lost");
    if (!text.textContent.startsWith("no answer")) text.textContent = `no answer, ${text.textContent}`;
  }
}

async function act(form, button) {
  const said = form.querySelector("output");
  const text = (name) => form.elements[name]?.value.trim() || null;
  const wanted = { note: text("note") };
  if (form.matches(".moves")) Object.assign(wanted, { move: button.value, department: text("department") });
  else {
    wanted.decision = button.value;
    if (button.value === "reject") wanted.reason = text("reason");
    if (button.value === "relabel") Object.assign(wanted, { category: text("category"), label: text("label") });
    if (button.value === "merge") wanted.into = text("into");
    if (button.value === "split" && text("problem")) wanted.problems = [text("problem")];
  }
  button.disabled = true;
  try {
    const answer = await fetch(`/cases/${form.dataset.case}/${form.className}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wanted),
      signal: AbortSignal.timeout(10000),
    });
    const body = await answer.json();
    said.textContent = answer.ok ? "" : complaint(body.detail);
    if (answer.ok) await refresh();
  } catch {
    said.textContent = "the desk does not answer; nothing is known to have changed";
  } finally {
    button.disabled = false;
  }
}

function complaint(detail) {
  if (typeof detail === "string") return detail;
  return Array.isArray(detail) && detail[0]?.msg ? detail[0].msg : "this cannot be done";
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".moves, .verdicts")) return;
  event.preventDefault();
  if (event.submitter) act(event.target, event.submitter);
});

remember(document);
watchPictures(document);
for (const choice of document.querySelectorAll(".filters select")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}
if (everyMs > 0) {
  document.querySelector(".beat").classList.add("alive");
  (async () => {
    for (;;) {
      await new Promise((done) => setTimeout(done, everyMs));
      if (!document.hidden) await refresh();
    }
  })();
}
