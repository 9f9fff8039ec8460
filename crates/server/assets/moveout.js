// Small comforts; every page works without this file.
(() => {
  "use strict";

  // Times in the reader's own zone and language; the exact one stays in the tooltip.
  const say = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: "medium", timeStyle: "short" });
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const when = new Date(time.dateTime);
      if (Number.isNaN(when.getTime()) || time.dataset.said) continue;
      time.dataset.said = "1";
      time.title = time.dateTime;
      time.textContent = say.format(when);
    }
  };

  // Copy buttons: shown only where they can work.
  const offerCopies = (root) => {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("button[data-copy]")) {
      button.hidden = false;
      button.onclick = async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        const word = button.textContent;
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = word; }, 1500);
      };
    }
  };

  const dress = (root) => { localise(root); offerCopies(root); };

  // Live parts: <div data-live="5"> is fetched again every five seconds while the page is seen, and replaced when it differs.
  // A part that no longer carries data-live has come to its end.
  const refresh = async (id) => {
    const part = document.getElementById(id);
    if (!part || !part.dataset.live) return;
    const again = () => setTimeout(refresh, Number(part.dataset.live) * 1000, id);
    if (document.hidden || part.contains(document.activeElement)) return again();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (response.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const fresh = page.getElementById(id);
        if (fresh) {
          dress(fresh);
          if (fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
          if (fresh.dataset.live) part.dataset.live = fresh.dataset.live; else delete part.dataset.live;
        }
      }
    } catch { /* offline: try again later */ }
    if (part.dataset.live) again();
  };

  dress(document);
  for (const part of document.querySelectorAll("[data-live][id]")) {
    setTimeout(refresh, Number(part.dataset.live) * 1000, part.id);
  }
})();
