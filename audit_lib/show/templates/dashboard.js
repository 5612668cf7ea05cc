"use strict";
(() => {
  const { data, byId, ranked, plural, element, sortable, listed, figures } = ctx;
  const badge = (verdict) => element("span", { class: `badge ${verdict}` }, verdict);

  // The findings.
  const rows = data.findings.map((finding, index) => ({
    ...finding, index,
    haystack: [finding.file, finding.function, finding.callee, finding.reason, finding.recommendation, finding.source,
      finding.rule, ...finding.path].join("\n").toLowerCase(),
  }));
  const columns = [
    { title: "Place", key: (row) => row.index, cell: (row) => element("td", { class: "place" }, `${row.file}:${row.line}`) },
    { title: "Function", key: (row) => row.function, cell: (row) => element("td", { class: "function" }, row.function) },
    { title: "Call", key: (row) => row.callee, cell: (row) => element("td", { class: "function" }, row.callee) },
    { title: "Category", key: ranked("category"), cell: (row) => element("td", {}, row.category) },
    { title: "Verdict", key: ranked("verdict"), cell: (row) => element("td", {}, badge(row.verdict)) },
    { title: "Priority", key: ranked("priority"), cell: (row) => element("td", { class: `priority-${row.priority}` }, row.priority) },
    { title: "Phase", key: ranked("phase"), cell: (row) => element("td", {}, row.phase) },
    { title: "Reason", key: (row) => row.reason, cell: (row) => element("td", { class: "reason" }, row.reason) },
  ];
  const filters = ["verdict", "priority", "category", "phase", "kind", "production"];
  function count(found) {
    const tally = (name, value) => found.reduce((n, row) => n + (row[name] === value), 0);
    const part = (n, what) => element("span", {}, element("strong", {}, String(n)), ` ${what}`);
    byId("counts").replaceChildren(
      part(found.length, `of ${plural(rows.length, "site")}`),
      part(tally("kind", "root"), "roots"), part(tally("kind", "bare_call"), "bare calls"),
      part(tally("production", true), "in production code"), part(tally("production", false), "in tests"),
      ...data.orders.verdict.map((verdict) => {
        const shown = part(tally("verdict", verdict), "");
        shown.append(badge(verdict));
        return shown;
      }),
      part(tally("priority", "critical"), "critical"));
  }

  function route(row) {
    const words = { source: "source", static: "static call", interface: "interface", value: "function value",
      closure: "closure", go: "in a goroutine", defer: "deferred", site: "the site" };
    const list = element("ol", { class: "route" });
    for (const step of row.steps) {
      const how = [words[step.kind] ?? step.kind, step.detail].filter(Boolean).join(": ");
      const item = element("li", {}, element("strong", {}, step.function), " ",
        element("code", {}, `${step.file}:${step.line}`), " ", element("span", { class: "how" }, how));
      if (step.code) item.append(element("code", { class: "line" }, step.code));
      list.append(item);
    }
    return list;
  }

  function excerpt(row) {
    const block = element("pre", { class: "excerpt", tabindex: "0" });
    row.excerpt.lines.forEach((text, index) => {
      const number = row.excerpt.first + index;
      block.append(element("span", number === row.line ? { class: "at" } : {},
        element("span", { class: "number" }, String(number)), text));
    });
    return block;
  }

  function detail(row) {
    const facts = element("dl");
    const fact = (name, value) => value && facts.append(element("dt", {}, name), element("dd", {}, value));
    fact("Recommendation", row.recommendation);
    fact("Reason", row.reason);
    fact("Source", row.source && `${row.source} (${row.lifetime})`);
    fact("Threading it changes", row.radius && Object.entries(row.radius).filter(([, n]) => n)
      .map(([what, n]) => (n === 1 ? `1 ${what.slice(0, -1)}` : `${n} ${what}`)).join(", "));
    for (const note of row.notes) fact("Note", note);
    fact("Outcome", row.outcome);
    fact("Rule", row.rule);
    fact("Fingerprint", row.fingerprint);
    const parts = [facts];
    if (row.steps.length) parts.push(element("h3", {}, "From the source to the site"), route(row));
    if (row.excerpt) parts.push(element("h3", {}, "Code"), excerpt(row));
    else if (data.sources) parts.push(element("p", {}, "No excerpt: the file is not there, or has changed since the audit."));
    return parts;
  }

  listed({ rows, columns, filters, count, detail, noun: "finding", labels: "Details of" });

  // The packages.
  const packageTable = byId("package-table");
  const numbers = ["sites", "production", "critical", ...data.orders.verdict];
  const packageColumns = [
    { title: "package", key: (row) => row.package, cell: (row) => element("th", { scope: "row" }, element("code", {}, row.package)) },
    ...numbers.map((name) => ({ title: name, number: true, key: (row) => row[name],
      cell: (row) => element("td", { class: "n" }, String(row[name])) })),
  ];
  const sortedPackages = sortable(packageTable, packageColumns, { column: 1, up: false }, showPackages);
  function showPackages() {
    packageTable.tBodies[0].replaceChildren(...sortedPackages(data.packages).map((row) =>
      element("tr", {}, ...packageColumns.map((column) => column.cell(row)))));
  }
  showPackages();

  figures();
})();
