// Keeps an open page up to date, gently. The page works without it.
//
// How a page gets it: its handler calls `Frame::live(plan, quarter)` and answers `with_script(page)`.
// Then mark what may be replaced:
//   data-live="NAME"   a region; the region of the same name in the page fetched anew replaces it.
//                      All of <main> is one already
//   data-key="KEY"     a row of a region: rows of one key are one row, wherever it stands now
// Focus, selection, scroll, open <details> and whatever was typed or ticked stay as they are. What
// has changed is marked with the class `fresh` for a moment.
(() => {
  const body = document.body;
  const word = document.getElementById("live-word");
  const address = body.dataset.events;
  if (!address || !word || !window.EventSource) return;

  const GENTLE = 3000;       // between two looks, at the least
  const BUSY = 1500;         // nothing moves so soon after a key or a click
  const LONGEST = 60000;     // between two tries to connect
  let since = body.dataset.since;
  let source = null;
  let over = false;
  let tries = 0;
  let retry = 0;
  let look = 0;
  let looked = 0;
  let busy = 0;
  let loading = false;
  let words = [];

  const touched = () => { busy = Date.now(); };
  for (const name of ["keydown", "pointerdown", "input"]) addEventListener(name, touched, true);

  // A tab that nobody sees holds no connection: a browser has six for all its tabs.
  const open = () => {
    clearTimeout(retry);
    if (source || over || document.hidden) return;
    source = new EventSource(address + "&since=" + since);
    source.addEventListener("open", () => { tries = 0; });
    source.addEventListener("news", (event) => {
      const news = JSON.parse(event.data);
      if (news.words) words.push(news.words);
      later();
    });
    source.addEventListener("bye", () => { over = true; close(); tell("登录已结束，本页不再自动更新，请重新登录。"); });
    source.onerror = () => {
      close();
      const pause = Math.min(LONGEST, 2000 * 2 ** Math.min(tries, 5));
      tries += 1;
      retry = setTimeout(open, pause * (0.75 + Math.random() / 2));
    };
  };
  const close = () => { if (source) source.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);

  const later = () => {
    if (look || loading) { if (loading) again = true; return; }
    const now = Date.now();
    look = setTimeout(refresh, Math.max(looked + GENTLE, busy + BUSY, now) - now);
  };
  let again = false;

  const refresh = async () => {
    look = 0;
    if (Date.now() < busy + BUSY) return later();
    loading = true;
    again = false;
    try {
      // The header says that nobody may be there: the session is not made longer by it.
      const answer = await fetch(location.href, { headers: { "X-Cuiban-Live": "1" }, cache: "no-store" });
      if (answer.ok && !answer.redirected) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the next news, or the next connection, tries again */ }
    loading = false;
    looked = Date.now();
    if (again) later();
  };

  const take = (page) => {
    since = page.body.dataset.since || since;
    let changed = false;
    for (const region of document.querySelectorAll("[data-live]")) {
      const name = CSS.escape(region.dataset.live);
      const next = page.querySelector(`[data-live="${name}"]`);
      if (next && !region.parentElement.closest("[data-live]")) changed = morph(region, next) || changed;
    }
    if (page.title) document.title = page.title;
    const said = words.join("；");
    words = [];
    if (changed) dispatchEvent(new Event("live"));
    if (changed && said) tell(said + "，已更新");
  };

  let quiet = 0;
  const tell = (text) => {
    word.textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => { word.textContent = ""; }, 8000);
  };

  // Makes one element like another without putting a new one in its place; says whether it had to.
  const morph = (here, there) => {
    if (here.isEqualNode(there)) return false;
    let changed = attributes(here, there);
    if (here.tagName === "TEXTAREA") {
      if (here.value === here.defaultValue && here !== document.activeElement) here.value = there.defaultValue;
      return changed;
    }
    return children(here, there) || changed;
  };

  const attributes = (here, there) => {
    let changed = false;
    const mine = (name) => (name === "open" && here.tagName === "DETAILS") || name === "checked";
    for (const { name } of [...here.attributes]) {
      if (!there.hasAttribute(name) && !mine(name) && name !== "class") { here.removeAttribute(name); changed = true; }
    }
    for (const { name, value } of there.attributes) {
      if (mine(name) || name === "class" || here.getAttribute(name) === value) continue;
      // A tick was given to what stood there then.
      if (name === "value" && here.type === "checkbox") here.checked = false;
      if (name === "value" && here.tagName === "INPUT" && here.type !== "checkbox" && typed(here)) continue;
      here.setAttribute(name, value);
      changed = true;
    }
    if (own(here).join(" ") !== own(there).join(" ")) {
      // Not className: SVG has another kind of it.
      here.setAttribute("class", [...own(there), ...[...here.classList].filter(passing)].join(" "));
      changed = true;
    }
    return changed;
  };

  const passing = (name) => name === "fresh" || name === "here";
  const own = (node) => [...node.classList].filter((name) => !passing(name));
  const typed = (field) => field === document.activeElement || field.value !== field.defaultValue;

  // Somebody is at work in it: it stays until they are done.
  const held = (node) => node.nodeType === 1 && (node.contains(document.activeElement)
    || [...node.querySelectorAll("input, textarea")].some((field) =>
      field.type === "checkbox" ? field.checked : field.type !== "hidden" && field.value !== field.defaultValue));

  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");

  const key = (node) => node.dataset.key;
  const children = (here, there) =>
    [...here.children, ...there.children].some(key) ? rows(here, there) : parts(here, there);

  // Rows keep their elements; what lies between them is blank.
  const rows = (here, there) => {
    let changed = false;
    const wanted = new Set([...there.children].map(key));
    const known = new Map();
    for (const old of [...here.children]) {
      if (!key(old)) continue;
      if (wanted.has(key(old))) known.set(key(old), old);
      else if (!held(old)) { old.remove(); changed = true; }
    }
    let at = here.firstElementChild;
    const done = new Set();
    for (const next of [...there.children]) {
      while (at && key(at) && !wanted.has(key(at))) at = at.nextElementSibling;
      const old = key(next)
        ? known.get(key(next))
        : [...here.children].find((one) => !key(one) && !done.has(one) && alike(one, next));
      if (!old) {
        const made = document.importNode(next, true);
        here.insertBefore(made, at);
        done.add(made);
        fresh(made);
        changed = true;
        continue;
      }
      done.add(old);
      if (old === at) at = at.nextElementSibling;
      else { here.insertBefore(old, at); changed = true; }
      if (morph(old, next)) { if (key(next)) fresh(old); changed = true; }
    }
    for (const old of [...here.children]) {
      if (!key(old) && !done.has(old) && !held(old)) { old.remove(); changed = true; }
    }
    return changed;
  };

  // Everything else is compared in order. Where something came or went between, what is of the
  // same kind further on is the same.
  const parts = (here, there) => {
    let changed = false;
    const even = here.childElementCount === there.childElementCount;
    let at = here.firstChild;
    for (const next of [...there.childNodes]) {
      let old = at;
      if (!even && next.nodeType === 1) while (old && !same(old, next)) old = old.nextSibling;
      if (!old && at && alike(at, next)) old = at;
      if (!old || !alike(old, next)) {
        here.insertBefore(document.importNode(next, true), at);
        changed = true;
        continue;
      }
      for (; at !== old; changed = true) at = drop(at);
      at = old.nextSibling;
      if (old.nodeType === 1) changed = morph(old, next) || changed;
      else if (old.data !== next.data) { old.data = next.data; changed = true; }
    }
    for (; at; changed = true) at = drop(at);
    return changed;
  };

  const same = (a, b) => alike(a, b) && own(a).join(" ") === own(b).join(" ");
  const drop = (old) => {
    const next = old.nextSibling;
    if (!held(old)) old.remove();
    return next;
  };

  const fresh = (node) => {
    if (node.nodeType !== 1) return;
    node.classList.add("fresh");
    setTimeout(() => {
      node.classList.remove("fresh");
      if (!node.getAttribute("class")) node.removeAttribute("class");
    }, 4000);
  };

  open();
})();
