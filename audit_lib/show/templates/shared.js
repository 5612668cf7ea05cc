"use strict";
// What the dashboards share. Everything shown comes from a target that is not to be trusted: text goes in as text.
const ctx = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const ranks = Object.fromEntries(
    Object.entries(data.orders).map(([name, order]) => [name, new Map(order.map((value, rank) => [value, rank]))]));
  const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

  // Characters that cannot be seen, or that turn text round, are spelled out: names must read as what they are.
  const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) =>
    (c === "\t" ? c : `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`));

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.map((child) => (typeof child === "string" ? printable(child) : child)));
    return made;
  }

  // A table with heads that sort. `columns` say what a cell holds and what it sorts by.
  function sortable(table, columns, start, changed) {
    const state = { column: start.column, up: start.up };
    const heads = columns.map((column, index) => {
      const head = element("th", { scope: "col", class: column.number ? "n" : "" });
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => {
        state.up = state.column === index ? !state.up : !column.number;
        state.column = index;
        show();
        changed();
      });
      head.append(button);
      return head;
    });
    function show() {
      heads.forEach((head, index) => {
        if (index === state.column) head.setAttribute("aria-sort", state.up ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
    }
    table.tHead.append(element("tr", {}, ...(start.lead ? [element("td")] : []), ...heads));
    show();
    return (rows) => {
      const key = columns[state.column].key;
      const sign = state.up ? 1 : -1;
      return rows.map((row, index) => [key(row), index, row])
        .sort(([a, i], [b, j]) => (a < b ? -sign : a > b ? sign : i - j))
        .map(([, , row]) => row);
    };
  }

  const ranked = (name) => (row) => ranks[name].get(row[name]) ?? -1;

  // A table of many rows: filtered by the form, sorted, in pages, each row with details below it. A row has an index, and
  // a haystack in which the words of the form's search are looked for.
  function listed({ rows, columns, filters, noun, count, detail, labels }) {
    const body = byId("table").tBodies[0];
    const opened = new Set();
    let page = 0;

    function chosen() {
      const words = byId("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = filters.map((name) => [name, byId(`f-${name}`).value]).filter(([, value]) => value);
      return rows.filter((row) => wanted.every(([name, value]) => String(row[name]) === value)
        && words.every((word) => row.haystack.includes(word)));
    }

    function below(row) {
      const cell = element("td", { colspan: String(columns.length + 1) }, ...detail(row));
      return element("tr", { class: "detail", id: `detail-${row.index}` }, cell);
    }

    function line(row) {
      const isOpen = opened.has(row.index);
      const button = element("button", { type: "button", class: "open", "aria-expanded": String(isOpen),
        "aria-controls": `detail-${row.index}`, "aria-label": `${labels} ${row.file}:${row.line}` }, isOpen ? "▾" : "▸");
      const shown = element("tr", {}, element("td", {}, button), ...columns.map((column) => column.cell(row)));
      button.addEventListener("click", () => {
        if (opened.delete(row.index)) shown.nextSibling.remove();
        else { opened.add(row.index); shown.after(below(row)); }
        button.setAttribute("aria-expanded", String(opened.has(row.index)));
        button.textContent = opened.has(row.index) ? "▾" : "▸";
      });
      return isOpen ? [shown, below(row)] : [shown];
    }

    const again = () => { page = 0; show(); };
    const sorted = sortable(byId("table"), columns, { column: 0, up: true, lead: true }, again);

    function show() {
      const found = sorted(chosen());
      const size = Number(byId("size").value);
      const pages = Math.max(Math.ceil(found.length / size), 1);
      page = Math.min(page, pages - 1);
      const part = found.slice(page * size, (page + 1) * size);
      const none = element("tr", {}, element("td", { colspan: String(columns.length + 1) }, `No ${noun} matches the filter.`));
      body.replaceChildren(...(part.length ? part.flatMap(line) : [none]));
      byId("page").textContent = `page ${page + 1} of ${pages}`;
      byId("previous").disabled = page === 0;
      byId("next").disabled = page === pages - 1;
      count(found);
    }

    byId("filters").addEventListener("input", again);
    byId("filters").addEventListener("reset", () => setTimeout(again));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("size").addEventListener("change", again);
    byId("previous").addEventListener("click", () => { page -= 1; show(); });
    byId("next").addEventListener("click", () => { page += 1; show(); });
    show();
  }

  // The figures, in the page's colours.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  function dressed(layout) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: color("--line"), linecolor: color("--quiet"), zerolinecolor: color("--line") };
    const full = { ...layout, height: undefined, autosize: true, paper_bgcolor: color("--ground"), plot_bgcolor: color("--ground"),
      font: { ...layout.font, color: color("--ink") }, xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis } };
    full.title = { ...layout.title, font: { ...layout.title.font, size: 15 } };
    return full;
  }
  const options = { responsive: true, displaylogo: false };
  const draw = (method) => data.figures.forEach((figure) =>
    setTimeout(() => Plotly[method](byId(`figure-${figure.name}`), figure.data, dressed(figure.layout), options)));
  // Heights first: a figure fills its row of the grid, and a row is as high as its highest.
  function figures() {
    for (const { name, layout } of data.figures) if (layout.height) byId(`figure-${name}`).style.height = `${layout.height}px`;
    draw("newPlot");
    dark.addEventListener("change", () => draw("react"));
  }

  return { data, byId, ranked, plural, element, sortable, listed, figures };
})();
