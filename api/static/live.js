// Keeps the page up to date: when something happened that we may see, its content is fetched again.
// Without this file everything works; it is only as old as its last load.
"use strict";
(() => {
  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;
  const EVERY = 2000; // ms between two updates at least
  let waiting = false;
  let last = 0;

  const busy = () => {
    const field = document.activeElement;
    const typing = field && field.form && field.tagName !== "BUTTON" && document.getElementById("main").contains(field);
    return document.hidden || typing;
  };

  const update = async () => {
    waiting = false;
    if (busy()) return later();
    last = Date.now();
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected || !answer.ok) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    const main = document.getElementById("main");
    if (!fresh || busy() || fresh.innerHTML === main.innerHTML) return undefined;
    const note = main.querySelector(".note");
    if (note && !fresh.querySelector(".note")) fresh.prepend(note);
    main.replaceChildren(...fresh.childNodes);
    return undefined;
  };

  const later = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => update().catch(() => later()), Math.max(300, last + EVERY - Date.now()));
  };

  const source = new EventSource(address);
  source.onmessage = later;
  let cut = false;
  source.onerror = () => { cut = true; };
  source.onopen = () => { if (cut) later(); cut = false; };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting) later(); });
})();
