// The preview without pressing reload: asks for changes, takes the new page's parts, and gives each frame its letter's height.
"use strict";

const status = document.getElementById("status");
const main = () => document.getElementById("main");

function say(words, bad) {
  status.textContent = words;
  status.classList.toggle("bench__status--bad", Boolean(bad));
}

function fit(frame) {
  const page = frame.contentDocument;
  if (!page || !page.body) return;
  frame.style.height = "0";
  frame.style.height = Math.max(200, page.documentElement.scrollHeight + 2) + "px";
}

function dress() {
  for (const frame of document.querySelectorAll("iframe")) {
    frame.addEventListener("load", () => fit(frame));
    if (frame.contentDocument && frame.contentDocument.readyState === "complete") fit(frame);
  }
}

// Takes the parts of the page at this address; what is on the screen stays until they are here.
async function show(address) {
  const answer = await fetch(address, { cache: "no-store" });
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement && document.activeElement.getAttribute("href");
  const heights = [...document.querySelectorAll("iframe")].map((frame) => frame.style.height);
  const place = window.scrollY;
  document.title = next.title;
  main().replaceWith(next.getElementById("main"));
  document.querySelectorAll("iframe").forEach((frame, at) => { if (heights[at]) frame.style.height = heights[at]; });
  window.scrollTo(0, place);
  if (focused) {
    const same = [...main().querySelectorAll("a")].find((link) => link.getAttribute("href") === focused);
    if (same) same.focus({ preventScroll: true });
  }
  dress();
}

async function watch() {
  say("Shows what you save.");
  for (;;) {
    try {
      const known = main().dataset.version;
      const answer = await fetch("/changed?since=" + encodeURIComponent(known), { cache: "no-store" });
      const now = await answer.text();
      if (now !== known) {
        await show(location.href);
        say("Changed at " + new Date().toLocaleTimeString() + ".");
      } else if (status.classList.contains("bench__status--bad")) {
        say("Shows what you save.");
      }
    } catch {
      say("The preview has ended; start it again.", true);
      await new Promise((again) => setTimeout(again, 1000));
    }
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".choose a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show(link.href).catch(() => location.assign(link.href));
});
window.addEventListener("popstate", () => show(location.href).catch(() => location.reload()));
window.addEventListener("resize", () => document.querySelectorAll("iframe").forEach(fit));

dress();
watch();
