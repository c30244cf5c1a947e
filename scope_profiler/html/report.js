"use strict";
// The page: theme, search, tables, tree, parts. Other scripts add charts, by report.onChange().
const report = (() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const one = (selector, inside = document) => inside.querySelector(selector);
  const data = JSON.parse(one("#data").textContent);
  const listeners = [];
  let matches = null; // what is searched for, as a function of a name; null for nothing

  const changed = (what) => listeners.forEach((listener) => listener(what));
  const currentRun = () => one(".run:not([hidden])");

  // ---- Light and dark

  const themes = ["auto", "light", "dark"];
  const schemes = { auto: "light dark", light: "light", dark: "dark" };
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  let theme = "auto", isPrinted = false;

  function setTheme(name) {
    theme = themes.includes(name) ? name : "auto";
    document.documentElement.style.colorScheme = schemes[theme];
    one("#theme").textContent = `Theme: ${theme}`;
    colourSwatches();
    changed("theme");
  }
  const isDark = () => !isPrinted && (theme === "dark" || (theme === "auto" && systemIsDark.matches));

  // Neighbours in the table get colours that are far apart.
  const colour = (region) =>
    isDark() ? `hsl(${(region * 137.508 + 210) % 360} 42% ${36 + (region % 3) * 5}%)`
             : `hsl(${(region * 137.508 + 210) % 360} 62% ${74 - (region % 3) * 5}%)`;

  function colourSwatches() {
    for (const row of all("tr[data-region]")) {
      one(".swatch", row).style.background = colour(row.dataset.region);
    }
  }

  function initTheme() {
    let known = null;
    try { known = localStorage.getItem("scope-profiler-theme"); } catch { /* a file may have no storage */ }
    setTheme(known);
    one("#theme").addEventListener("click", () => {
      setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);
      try { localStorage.setItem("scope-profiler-theme", theme); } catch { /* the same */ }
    });
    systemIsDark.addEventListener("change", () => setTheme(theme));
    for (const [event, printed] of [["beforeprint", true], ["afterprint", false]]) {
      addEventListener(event, () => { isPrinted = printed; colourSwatches(); changed("theme"); });
    }
  }

  // ---- Search

  function matcher(text) {
    text = text.trim();
    if (!text) return null;
    const pattern = /^\/(.*)\/$/s.exec(text);
    if (pattern) {
      try { const regex = new RegExp(pattern[1], "iu"); return (name) => regex.test(name); } catch { /* as text */ }
    }
    text = text.toLowerCase();
    return (name) => name.toLowerCase().includes(text);
  }

  function search(text) {
    matches = matcher(text);
    for (const run of all(".run")) {
      const names = data.runs[run.dataset.run].names;
      const found = matches && names.map(matches);
      for (const row of all(".flat tbody tr", run)) row.hidden = Boolean(found) && !found[row.dataset.region];
      const tree = one(".tree", run);
      if (tree) showTree(tree, found);
    }
    const rows = all(".flat tbody tr", currentRun());
    one("#found").textContent = matches ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
    changed("search");
  }

  function initSearch() {
    const input = one("#search");
    let waiting;
    input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => search(input.value), 80); });
    input.addEventListener("keydown", (event) => { if (event.key === "Escape") { input.value = ""; search(""); } });
    addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        input.focus();
      }
    });
  }

  // ---- The table of regions

  function sortBy(table, place) {
    const heads = all("thead th", table), head = heads[place], body = table.tBodies[0];
    const down = head.ariaSort === "none" ? place > 0 : head.ariaSort === "ascending";
    heads.forEach((each) => { each.ariaSort = "none"; });
    head.ariaSort = down ? "descending" : "ascending";
    const sign = down ? -1 : 1;
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[place];
      return [row, place === 0 ? cell.textContent : cell.dataset.v === undefined ? null : Number(cell.dataset.v)];
    });
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    keyed.sort(([, a], [, b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // unknown ones come last
      return sign * (place === 0 ? compare(a, b) : a - b);
    });
    body.append(...keyed.map(([row]) => row));
  }

  function initTables() {
    for (const table of all(".flat")) {
      all("thead th", table).forEach((head, place) => {
        if (head.dataset.column === "total") head.ariaSort = "descending";
        one("button", head).addEventListener("click", () => sortBy(table, place));
      });
    }
    for (const box of all(".columns input")) {
      box.addEventListener("change", () => {
        const table = one("table", box.closest("section"));
        const place = all("thead th", table).findIndex((head) => head.dataset.column === box.dataset.column);
        for (const row of table.rows) row.cells[place].hidden = !box.checked;
      });
    }
    addEventListener("click", (event) => {
      for (const menu of all(".columns[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
  }

  // ---- The tree

  // Rows are shown whose parents all are open; where something is searched for, those that match, and
  // what they are below.
  function showTree(table, found) {
    const rows = [...table.tBodies[0].rows];
    const wanted = found && new Uint8Array(rows.length);
    if (found) {
      for (let at = rows.length - 1; at >= 0; at--) {
        if (found[rows[at].dataset.region]) wanted[at] = 1;
        if (wanted[at] && rows[at].dataset.parent >= 0) wanted[rows[at].dataset.parent] = 1;
      }
    }
    const below = new Uint8Array(rows.length); // whether what is below a row is shown
    rows.forEach((row, at) => {
      const parent = Number(row.dataset.parent);
      const isShown = found ? Boolean(wanted[at]) : parent < 0 || Boolean(below[parent]);
      const toggle = one(".toggle", row);
      row.hidden = !isShown;
      below[at] = isShown && toggle !== null && toggle.ariaExpanded === "true";
    });
  }

  function initTrees() {
    for (const table of all(".tree")) {
      const toggles = all(".toggle", table), section = table.closest("section");
      const setAll = (isOpen) => {
        toggles.forEach((toggle) => { toggle.ariaExpanded = String(isOpen); });
        showTree(table, null);
      };
      if (table.tBodies[0].rows.length > 60) {
        for (const toggle of toggles) {
          toggle.ariaExpanded = String(toggle.closest("tr").style.getPropertyValue("--depth") < 2);
        }
        showTree(table, null);
      }
      one(".expand", section).addEventListener("click", () => setAll(true));
      one(".collapse", section).addEventListener("click", () => setAll(false));
      const switchTo = (toggle, isOpen) => {
        toggle.ariaExpanded = String(isOpen);
        showTree(table, null);
      };
      table.addEventListener("click", ({ target }) => {
        if (target.matches(".toggle")) switchTo(target, target.ariaExpanded !== "true");
      });
      table.addEventListener("keydown", (event) => {
        const { target, key } = event, shown = all("tr:not([hidden]) .toggle", table), at = shown.indexOf(target);
        if (at < 0) return;
        if (key === "ArrowRight" || key === "ArrowLeft") switchTo(target, key === "ArrowRight");
        else if (key === "ArrowDown" || key === "ArrowUp") shown[at + (key === "ArrowDown" ? 1 : -1)]?.focus();
        else return;
        event.preventDefault();
      });
    }
  }

  // ---- Runs, and the parts of each

  function initParts() {
    for (const run of all(".run")) {
      const list = one(".parts ul", run);
      for (const section of all("section", run)) {
        const link = document.createElement("a"), item = document.createElement("li");
        link.href = `#${section.id}`;
        link.textContent = section.dataset.part;
        item.append(link);
        list.append(item);
      }
      const links = new Map(all("a", list).map((link) => [link.hash.slice(1), link]));
      const seen = new Set();
      const observer = new IntersectionObserver((entries) => {
        for (const { target, isIntersecting } of entries) seen[isIntersecting ? "add" : "delete"](target.id);
        const current = [...links.keys()].find((id) => seen.has(id));
        for (const [id, link] of links) {
          if (id === current) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      }, { rootMargin: "-10% 0px -70% 0px" });
      all("section", run).forEach((section) => observer.observe(section));
    }
  }

  function initRuns() {
    const buttons = all(".runs button");
    const choose = (number) => {
      for (const run of all(".run")) run.hidden = run.dataset.run !== number;
      for (const button of buttons) button.ariaPressed = String(button.dataset.run === number);
      search(one("#search").value);
      changed("run");
    };
    for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.run));
    if (buttons.length) choose("0");
  }

  // ---- For the charts

  // A column that html/packed.py has packed: Float64Array.
  async function unpack({ n, width, zip }) {
    const bytes = await inflate(zip), column = new Float64Array(n);
    for (let plane = width - 1; plane >= 0; plane--) {
      for (let at = 0, from = plane * n; at < n; at++) column[at] = column[at] * 256 + bytes[from + at];
    }
    return column;
  }

  async function inflate(zip) {
    const packed = Uint8Array.from(atob(zip), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // As report/style.py writes it.
  function time(ns) {
    for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (Math.abs(ns) >= size) {
        const value = ns / size, whole = String(Math.trunc(Math.abs(value))).length;
        return `${value.toFixed(Math.max(0, 4 - whole))} ${unit}`;
      }
    }
    return `${Math.round(ns)} ns`;
  }
  const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, " ");

  // What is drawn is cut to what could be seen of it anyway, as canvases are slow with long texts.
  function fitting(context, name, room) {
    const widest = Math.floor(room / 3.5);
    if (widest < 2) return "";
    let text = name.length > widest ? `${name.slice(0, widest)}…` : name;
    while (text.length > 1 && context.measureText(text).width > room) {
      text = `${text.slice(0, Math.floor((text.length - 1) * 0.85))}…`;
      if (text === "…") return "";
    }
    return text;
  }

  addEventListener("DOMContentLoaded", () => {
    initTheme(); initSearch(); initTables(); initTrees(); initParts(); initRuns();
    document.documentElement.dataset.ready = "yes";
  });
  return { all, one, data, colour, isDark, unpack, inflate, time, count, fitting, currentRun,
    matches: (name) => matches !== null && matches(name), isSearching: () => matches !== null,
    onChange: (listener) => listeners.push(listener) };
})();
