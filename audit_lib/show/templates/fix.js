"use strict";
(() => {
  const { data, byId, ranked, plural, element, sortable, listed, figures } = ctx;
  const badge = (outcome) => element("span", { class: `badge ${outcome.replaceAll(" ", "-")}` }, outcome);

  // Code: comments, strings and keywords of Go are told apart, as far as one line tells them.
  const token = new RegExp([
    "(?<comment>//.*|/\\*.*?(?:\\*/|$))",
    "(?<string>\"(?:\\\\.|[^\"\\\\])*\"?|`[^`]*`?|'(?:\\\\.|[^'\\\\])*'?)",
    "(?<word>\\b(?:break|case|chan|const|continue|default|defer|else|fallthrough|for|func|go|goto|if|import"
      + "|interface|map|package|range|return|select|struct|switch|type|var)\\b)",
  ].join("|"), "g");
  function code(text) {
    const parts = [];
    let done = 0;
    for (const found of text.matchAll(token)) {
      const name = Object.keys(found.groups).find((key) => found.groups[key] !== undefined);
      parts.push(text.slice(done, found.index), element("span", { class: name }, found[0]));
      done = found.index + found[0].length;
    }
    return [...parts, text.slice(done)].filter((part) => part !== "");
  }

  function side(pair, cell, name, mark) {
    if (!cell) return [element("td", { class: "number" }), element("td")];
    if (pair.kind === "same") {
      return [element("td", { class: "number" }, String(cell.line)), element("td", {}, element("code", {}, ...code(cell.text)))];
    }
    // Offsets count characters as Python does, not halves of them.
    const chars = Array.from(cell.text);
    const part = (start, end) => chars.slice(start, end).join("");
    const inner = [...code(part(0, cell.start)),
      ...(cell.end > cell.start ? [element("mark", {}, part(cell.start, cell.end))] : []), ...code(part(cell.end))];
    return [element("td", { class: `number ${name}` }, `${mark} ${cell.line}`),
      element("td", { class: name }, element("code", {}, ...inner))];
  }

  function sides(file, hunk) {
    const head = ["", "before", "", "after"].map((text) => element("th", { scope: "col" }, text));
    const rows = hunk.rows.map((pair) =>
      element("tr", {}, ...side(pair, pair.before, "gone", "−"), ...side(pair, pair.after, "come", "+")));
    const title = hunk.heading ? `${file} · ${hunk.heading}` : file;
    return element("div", { class: "sides", tabindex: "0", role: "region", "aria-label": title },
      element("table", {}, element("caption", {}, element("code", {}, title)),
        element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)));
  }

  // The sites.
  const rows = data.sites.map((site, index) => ({
    ...site, index,
    haystack: [site.file, site.function, site.callee, site.reason, site.component, site.where, ...site.path].join("\n").toLowerCase(),
  }));
  const columns = [
    { title: "Place", key: (row) => row.index, cell: (row) => element("td", { class: "place" }, `${row.file}:${row.line}`) },
    { title: "Function", key: (row) => row.function, cell: (row) => element("td", { class: "function" }, row.function) },
    { title: "Outcome", key: ranked("outcome"), cell: (row) => element("td", {}, ...(row.outcome ? [badge(row.outcome)] : [])) },
    { title: "How", key: (row) => row.fix_kind, cell: (row) => element("td", {}, row.fix_kind) },
    { title: "Phase", key: ranked("phase"), cell: (row) => element("td", {}, row.phase) },
    { title: "Priority", key: ranked("priority"), cell: (row) => element("td", { class: `priority-${row.priority}` }, row.priority) },
    { title: "Component", key: (row) => row.component, cell: (row) => element("td", { class: "function" }, row.component) },
    { title: "Why", key: (row) => row.reason, cell: (row) => element("td", { class: "reason" }, row.reason) },
  ];
  const filters = ["outcome", "fix_kind", "phase", "category", "priority"];
  function count(found) {
    const tally = (outcome) => found.reduce((n, row) => n + (row.outcome === outcome), 0);
    byId("counts").replaceChildren(
      element("span", {}, element("strong", {}, String(found.length)), ` of ${plural(rows.length, "site")}`),
      ...data.orders.outcome.map((outcome) =>
        element("span", {}, element("strong", {}, String(tally(outcome))), " ", badge(outcome))));
  }

  function detail(row) {
    const facts = element("dl");
    const fact = (name, value) => value && facts.append(element("dt", {}, name), element("dd", {}, value));
    fact("Why", row.verdict_reason);
    if (row.reason !== row.verdict_reason) fact("Not done, since", row.reason);
    fact("Where that is", row.reason === row.verdict_reason ? "" : row.where);
    fact("Component", row.component);
    fact("From the source", row.path.join(" → "));
    fact("Rule", row.rule);
    fact("Fingerprint", row.fingerprint);
    return [facts, ...row.hunks.map(([file, hunk]) => sides(data.diff[file].file, data.diff[file].hunks[hunk]))];
  }

  listed({ rows, columns, filters, count, detail, noun: "site", labels: "Before and after of" });

  // The components.
  const number = (name) => ({ title: name, number: true, key: (row) => row[name] ?? -1,
    cell: (row) => element("td", { class: "n" }, row[name] === null ? "" : String(row[name])) });
  const how = (row) => (row.guarded ? `${row.kinds}, guarded` : row.kinds);
  const componentColumns = [
    { title: "component", key: (row) => row.component, cell: (row) => element("th", { scope: "row" }, element("code", {}, row.component)) },
    { title: "phase", key: ranked("phase"), cell: (row) => element("td", {}, row.phase) },
    ...["sites", "roots", "signatures", "files", "moved"].map(number),
    { title: "how", key: how, cell: (row) => element("td", {}, how(row)) },
    { title: "to look at", key: (row) => row.notes, cell: (row) => element("td", {},
      ...row.notes.split("\n").filter(Boolean).map((note) => element("div", {}, note))) },
  ];
  const sortedComponents = sortable(byId("component-table"), componentColumns, { column: 2, up: false }, showComponents);
  function showComponents() {
    byId("component-table").tBodies[0].replaceChildren(...sortedComponents(data.components).map((row) =>
      element("tr", {}, ...componentColumns.map((column) => column.cell(row)))));
  }
  showComponents();

  // The diff: a file's code is made when it is opened.
  const files = [...document.querySelectorAll("#diff details")];
  for (const box of files) {
    box.addEventListener("toggle", () => {
      const file = data.diff[Number(box.dataset.file)];
      if (box.open && box.children.length === 1) box.append(...file.hunks.map((hunk) => sides(file.file, hunk)));
    });
  }
  const all = (open) => () => files.forEach((box) => { box.open = open; });
  byId("unfold")?.addEventListener("click", all(true));
  byId("fold")?.addEventListener("click", all(false));

  figures();
})();
