// The keyboard on the review list: j/k or arrows move, a accepts, r returns, x picks, Enter opens.
// Everything is done by the form's own buttons; without this script they are clicked.
(() => {
  const form = document.getElementById("review");
  if (!form) return;
  let rows = [...form.querySelectorAll("article")];
  const reason = form.querySelector("select[name=pick]") || form.querySelector("[name=reason]");
  let here = -1;
  // A key pressed while the next list is on its way must not judge what is no longer looked at.
  let sent = false;
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });

  const go = (to) => {
    if (!rows.length) return;
    here = Math.max(0, Math.min(rows.length - 1, to));
    rows.forEach((row, i) => row.classList.toggle("here", i === here));
    rows[here].focus({ preventScroll: true });
    rows[here].scrollIntoView({ block: "nearest" });
  };
  const box = (row) => row.querySelector("input[type=checkbox]");
  const only = (row) => rows.forEach((one) => { const b = box(one); if (b) b.checked = one === row; });
  const picked = () => rows.filter((row) => box(row) && box(row).checked).length;
  const press = (name) => form.querySelector(`button[value=${name}]`).click();

  const acts = {
    j: () => go(here + 1),
    ArrowDown: () => go(here + 1),
    k: () => go(here - 1),
    ArrowUp: () => go(here - 1),
    x: () => { const b = here >= 0 && box(rows[here]); if (b) b.checked = !b.checked; },
    a: () => { if (here < 0) return; if (!picked()) only(rows[here]); press("accept"); },
    r: () => { if (here < 0) return; if (!picked()) only(rows[here]); reason.focus(); },
    Enter: () => { if (here >= 0) rows[here].querySelector("a").click(); },
  };

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT|BUTTON|A)$/.test(event.target.tagName)
      && event.target.type !== "checkbox";
    if (event.key === "Escape" && typing) { event.target.blur(); go(Math.max(here, 0)); return; }
    if (sent || typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    if (!form.querySelector("button") && event.key !== "Enter" && "arx".includes(event.key)) return;
    event.preventDefault();
    acts[event.key]();
  });
  form.addEventListener("focusin", (event) => {
    const row = event.target.closest("article");
    const at = rows.indexOf(row);
    if (at >= 0 && at !== here) { here = at; rows.forEach((one, i) => one.classList.toggle("here", i === at)); }
  });
  // Rows come and go while the page is open (live.js).
  addEventListener("live", () => {
    const last = rows[here];
    rows = [...form.querySelectorAll("article")];
    here = rows.includes(last) ? rows.indexOf(last) : Math.min(here, rows.length - 1);
    rows.forEach((row, i) => row.classList.toggle("here", i === here));
  });
  go(0);
})();
