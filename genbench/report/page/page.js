"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const remembered = () => { try { return localStorage.getItem("genbench-theme"); } catch { return null; } };
  const show = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    theme.setAttribute("aria-pressed", String(dark));
  };
  const preference = matchMedia("(prefers-color-scheme: dark)");
  show(remembered() === null ? preference.matches : remembered() === "dark");
  preference.addEventListener("change", (event) => { if (remembered() === null) show(event.matches); });
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme !== "dark";
    show(dark);
    try { localStorage.setItem("genbench-theme", dark ? "dark" : "light"); } catch { /* a page from a disk may not */ }
  });

  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return column === 0 ? cell.textContent.trim().toLowerCase() : null;
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

  for (const results of document.querySelectorAll(".results")) {
    const table = results.querySelector("table");
    const body = table.tBodies[0];
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      heading.querySelector("button").addEventListener("click", () => {
        const before = heading.getAttribute("aria-sort");
        const best = heading.dataset.best === "high" ? "descending" : "ascending";
        const other = best === "ascending" ? "descending" : "ascending";
        const order = before === "none" ? best : before === best ? other : best;
        headings.forEach((each) => each.setAttribute("aria-sort", "none"));
        heading.setAttribute("aria-sort", order);
        const rows = [...body.rows].map((row) => [key(row, column), row]);
        // What has no value stays at the end, whichever way.
        rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : order === "ascending" ? compare(a, b) : compare(b, a)));
        body.append(...rows.map(([, row]) => row));
      });
    });
    const search = results.querySelector("input[type=search]");
    const fixed = results.querySelector(".fixed");
    const filter = () => {
      const wanted = search.value.trim().toLowerCase();
      for (const row of body.rows) {
        const named = row.cells[0].textContent.toLowerCase().includes(wanted);
        row.hidden = !named || (!fixed.checked && !row.classList.contains("trainer"));
      }
    };
    search.addEventListener("input", filter);
    fixed.addEventListener("change", filter);
    const all = results.querySelector(".all-columns");
    if (all) all.addEventListener("change", () => table.classList.toggle("headline-only", !all.checked));
  }

  // A permalink opens what it leads into.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
})();
