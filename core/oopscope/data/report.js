(() => {
  "use strict";
  const all = (where, what) => [...where.querySelectorAll(what)];
  const soon = (run) => { let timer; return () => { clearTimeout(timer); timer = setTimeout(run, 120); }; };
  document.documentElement.classList.add("js");

  // Tables: a click on a heading sorts, a second one turns the order; what is absent comes last.
  const value = (row, i) => {
    const cell = row.cells[i], text = cell.textContent;
    if (text === "-") return null;
    const number = Number(cell.dataset.v ?? text);
    return Number.isNaN(number) ? text.toLowerCase() : number;
  };
  const compare = (a, b) => typeof a === typeof b
    ? (typeof a === "number" ? a - b : a.localeCompare(b)) : typeof a === "number" ? -1 : 1;
  const sort = (table, heading, i) => {
    const down = heading.ariaSort ? heading.ariaSort === "ascending" : heading.classList.contains("n");
    all(table, "th").forEach((th) => th.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [value(row, i), row]);
    rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : down ? compare(b, a) : compare(a, b));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };
  all(document, "table").forEach((table) => all(table, "th").forEach((th, i) => {
    th.tabIndex = 0;
    th.onclick = () => sort(table, th, i);
    th.onkeydown = (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); th.click(); } };
  }));
  all(document, "input[data-for]").forEach((input) => {
    const rows = [...document.getElementById(input.dataset.for).tBodies[0].rows];
    const output = input.parentElement.querySelector("output");
    input.oninput = soon(() => {
      const wanted = input.value.trim().toLowerCase().split(/\s+/);
      let shown = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        shown += !(row.hidden = !wanted.every((word) => text.includes(word)));
      });
      output.value = input.value.trim() ? `${shown} of ${rows.length}` : "";
    });
  });

  // The log: hits are marked and counted; text is only ever put back as text.
  const box = document.getElementById("log-lines");
  if (box) {
    const tools = document.getElementById("log-tools");
    const [input, only] = all(tools, "input"), select = tools.querySelector("select");
    const output = tools.querySelector("output"), lines = all(box, "p");
    let hits = [], now = -1;
    const plain = (line) => { if (line.querySelector("mark")) { all(line, "mark").forEach((m) => m.replaceWith(m.textContent)); line.normalize(); } };
    const mark = (line, wanted) => {
      const node = line.lastChild, text = node.data, low = text.toLowerCase(), parts = [];
      if (low.length !== text.length) return low.includes(wanted);
      let from = 0, at = low.indexOf(wanted);
      if (at < 0) return false;
      for (; at >= 0; from = at + wanted.length, at = low.indexOf(wanted, from)) {
        const hit = document.createElement("mark");
        hit.textContent = text.slice(at, at + wanted.length);
        parts.push(text.slice(from, at), hit);
        hits.push(hit);
      }
      node.replaceWith(...parts, text.slice(from));
      return true;
    };
    const show = () => {
      hits.forEach((hit, i) => hit.classList.toggle("now", i === now));
      if (now >= 0) {
        const hit = hits[now].getBoundingClientRect(), view = box.getBoundingClientRect();
        if (hit.top < view.top || hit.bottom > view.bottom) box.scrollTop += hit.top - view.top - view.height / 2;
      }
      output.value = !input.value ? "" : hits.length ? `${now + 1} of ${hits.length} hits` : "no hits";
    };
    const step = (by) => { if (hits.length) { now = (now + by + hits.length) % hits.length; show(); } };
    const search = () => {
      const wanted = input.value.toLowerCase(), level = Number(select.value);
      hits = [];
      lines.forEach((line) => {
        plain(line);
        const seen = Number(line.className[1]) <= level;
        const found = seen && wanted !== "" && mark(line, wanted);
        line.hidden = !seen || (only.checked && wanted !== "" && !found);
      });
      now = hits.length ? 0 : -1;
      show();
    };
    input.oninput = soon(search);
    only.onchange = select.onchange = search;
    input.onkeydown = (e) => { if (e.key === "Enter") { e.preventDefault(); step(e.shiftKey ? -1 : 1); } };
    all(tools, "button").forEach((button) => { button.onclick = () => step(Number(button.dataset.step)); });
    const end = box.querySelector(".ev") ?? lines.at(-1);
    if (end) box.scrollTop = end.offsetTop - box.offsetTop - 60;
  }

  // A link into something folded opens it; what is printed is open, but for the tables.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target || null; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) { target.hidden = false; target.scrollIntoView({ block: "center" }); }
  };
  addEventListener("hashchange", reveal);
  reveal();
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all(document, "details:not([open])").filter((d) => !d.querySelector("table"));
    opened.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));
})();
