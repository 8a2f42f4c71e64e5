// The compare page: choices above, what they say below. Everything is computed here from values by query, which are
// loaded when they are asked for.
"use strict";

(() => {
  const MOST = 5; // queries whose documents are shown at once
  const place = document.getElementById("compare");
  if (!place) return;
  const form = place.querySelector("form");
  const fields = Object.fromEntries(["section", "task", "measure", "a", "b"].map((name) => [name, form.elements[name]]));
  const status = place.querySelector("[role=status]");
  const outcome = place.querySelector(".outcome");
  const { fixed, signed, p: pText, missing } = harnessFormats;
  let newest = 0;

  function fill(select, options, wanted) {
    select.replaceChildren(...options.map(([value, label]) => harnessElement("option", { value }, label)));
    if (options.some(([value]) => value === wanted)) select.value = wanted;
  }

  const chosen = () => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]));
  const linked = (method) => [harnessElement("a", { href: method.page }, harnessElement("bdi", {}, method.label))];

  /** Offer what is there for what is chosen so far; the state of the address wins once. */
  async function offer(index, wanted) {
    fill(fields.section, index.sections.map((section) => [section.anchor, section.title]), wanted.section);
    const section = index.sections.find((found) => found.anchor === fields.section.value);
    fill(fields.task, section.tasks.map((task) => [task.key, task.label]), wanted.task);
    const task = section.tasks.find((found) => found.key === fields.task.value);
    const listing = await harnessLoad(task.file);
    fill(fields.measure, listing.measures.map((name) => [name, name]), wanted.measure || listing.main);
    const methods = listing.methods.map((method, number) => [method.key, `${number + 1}. ${method.label}`]);
    fill(fields.a, methods, wanted.a);
    fill(fields.b, methods, wanted.b);
    if (fields.a.value === fields.b.value) fields.b.selectedIndex = fields.a.selectedIndex ? 0 : 1;
    return listing;
  }

  /** A method's values of a measure, the mean over its seeds, in the order of the queries. */
  async function valuesOf(method, measure) {
    const seeds = await Promise.all(method.values.map(harnessLoad));
    const found = seeds.map((seed) => seed.values[measure]);
    return found[0].map((_, query) => harnessStatistics.mean(found.map((values) => values[query])));
  }

  async function show(index, wanted = chosen()) {
    const turn = ++newest;
    status.textContent = "Loading …";
    try {
      const listing = await offer(index, wanted);
      const { measure, a: keyA, b: keyB } = chosen();
      harnessAddress.write("compare", chosen());
      const [a, b] = [keyA, keyB].map((key) => listing.methods.find((method) => method.key === key));
      const [valuesA, valuesB, { query_ids: queries, texts }] = await Promise.all(
        [valuesOf(a, measure), valuesOf(b, measure), harnessLoad(listing.queries)]);
      const tops = await Promise.all([a, b].map((method) => (method.top ? harnessLoad(method.top) : null)));
      if (turn !== newest) return;
      const differences = harnessStatistics.differences(valuesA, valuesB);
      const rows = queries.map((query, number) => ({
        query, a: valuesA[number], b: valuesB[number], difference: differences[number],
        text: texts[number] ?? "",
      }));
      outcome.hidden = false;
      summarise(a, b, measure, valuesA, valuesB, differences);
      draw(rows);
      list(rows);
      showTops(rows, a, b, tops);
      status.textContent = `${a.label} and ${b.label} compared on ${queries.length} queries.`;
    } catch (error) {
      outcome.hidden = true;
      status.textContent = error.message;
    }
  }

  function summarise(a, b, measure, valuesA, valuesB, differences) {
    const [low, high] = harnessStatistics.interval(differences);
    const count = (test) => differences.filter(test).length;
    const body = [
      [linked(a), fixed(harnessStatistics.mean(valuesA), 4)],
      [linked(b), fixed(harnessStatistics.mean(valuesB), 4)],
      [["Difference, first less second"], signed(harnessStatistics.mean(differences), 4)],
      [["95 % bootstrap interval of the difference"], `${signed(low, 4)} – ${signed(high, 4)}`],
      [["p, paired randomisation test, this pair alone"], pText(harnessStatistics.randomisation(differences))],
      [["Queries on which the first is better"], String(count((value) => value > 0))],
      [["Queries on which both are equal"], String(count((value) => value === 0))],
      [["Queries on which the second is better"], String(count((value) => value < 0))],
    ];
    const head = harnessElement("thead", {}, harnessElement("tr", {},
      harnessElement("th", { scope: "col" }, "All queries"), harnessElement("th", { scope: "col", class: "number" }, measure)));
    const rows = body.map(([name, value]) => harnessElement("tr", {},
      harnessElement("th", { scope: "row" }, ...name), harnessElement("td", { class: "number" }, value)));
    const caption = harnessElement("caption", {}, "Means over all queries and seeds.");
    place.querySelector(".summary").replaceChildren(harnessElement("table", {}, caption, head, harnessElement("tbody", {}, ...rows)));
  }

  function draw(rows) {
    const sorted = [...rows].sort((one, other) => other.difference - one.difference);
    const spec = {
      data: { values: sorted.map(({ query, difference }, number) => ({ query, difference, number })) },
      width: 640, height: 180,
      config: {
        background: "transparent", view: { stroke: "transparent" },
        axis: { labelColor: "var(--soft)", titleColor: "var(--ink)", gridColor: "var(--line)", domainColor: "var(--strong)", titleFontWeight: "normal" },
      },
      mark: { type: "bar", tooltip: true },
      encoding: {
        x: { field: "number", type: "ordinal", axis: null, title: "queries" },
        y: { field: "difference", type: "quantitative", title: "difference" },
        color: { condition: { test: "datum.difference < 0", value: "var(--bad)" }, value: "var(--link)" },
        tooltip: [{ field: "query", type: "nominal" }, { field: "difference", type: "quantitative", format: "+.4f" }],
      },
    };
    harnessDraw(place.querySelector(".drawing"), spec);
  }

  function list(rows) {
    const table = harnessElement("table", {}, harnessElement("caption", {}, "The largest differences first; a head sorts by its column."));
    place.querySelector(".queries").replaceChildren(table);
    const words = (value, kind) => (kind === "display" ? `<bdi>${harnessEscaped(value || missing)}</bdi>` : value);
    const number = (name, label, print) => ({
      data: name, title: label, className: "number", type: "num",
      render: (value, kind) => (kind === "display" ? print(value) : value),
    });
    new DataTable(table, {
      data: rows,
      columns: [
        { data: "query", title: "Query", cellType: "th", render: words },
        { data: "text", title: "Text", className: "text", render: words },
        number("a", "First", (value) => fixed(value, 4)),
        number("b", "Second", (value) => fixed(value, 4)),
        number("difference", "Difference", (value) => signed(value, 4)),
        { data: (row) => Math.abs(row.difference), visible: false, searchable: false },
      ],
      order: [[5, "desc"]], pageLength: 20, lengthChange: false, autoWidth: false,
      layout: { topStart: null, topEnd: "search", bottomStart: "info", bottomEnd: "paging" },
    });
  }

  function showTops(rows, a, b, tops) {
    const target = place.querySelector(".tops");
    if (!tops[0] && !tops[1]) {
      target.replaceChildren(harnessElement("p", { class: "note" }, "Their runs are not at hand: this board was made from figures alone."));
      return;
    }
    const most = [...rows].sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference)).slice(0, MOST);
    const told = most.filter((row) => row.difference !== 0).map((row) => harnessElement("section", { class: "query" },
      harnessElement("h3", {}, harnessElement("bdi", {}, row.text || row.query)),
      harnessElement("p", { class: "minor" }, `query ${row.query}, difference ${signed(row.difference, 4)}`),
      harnessElement("div", { class: "sides" }, side(a, row.a, tops[0], row.query), side(b, row.b, tops[1], row.query))));
    target.replaceChildren(...(told.length ? told : [harnessElement("p", {}, "They don’t differ on any query.")]));
  }

  function side(method, value, top, query) {
    const head = harnessElement("h4", {}, harnessElement("bdi", {}, method.label), harnessElement("span", { class: "minor" }, ` ${fixed(value, 4)}`));
    if (!top) return harnessElement("div", {}, head, harnessElement("p", { class: "note" }, "The top of this run is not in the store."));
    const documents = top.queries[query] ?? [];
    if (!documents.length) return harnessElement("div", {}, head, harnessElement("p", {}, "Nothing was found."));
    return harnessElement("div", {}, head, harnessElement("ol", { class: "found" }, ...documents.map(([id, grade]) => {
      const judged = grade === null ? "not judged" : grade > 0 ? `relevant, ${grade}` : "not relevant";
      return harnessElement("li", { class: grade > 0 ? "relevant" : null },
        harnessElement("bdi", {}, top.titles[id] || id), harnessElement("span", { class: "minor" }, ` ${id} · ${judged}`));
    })));
  }

  (async () => {
    const index = await harnessLoad(place.dataset.index);
    if (!index.sections.length) return;
    place.hidden = false;
    for (const field of Object.values(fields)) field.addEventListener("change", () => show(index));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.elements.swap.addEventListener("click", () => {
      [fields.a.value, fields.b.value] = [fields.b.value, fields.a.value];
      show(index);
    });
    window.addEventListener("hashchange", () => show(index, { ...chosen(), ...harnessAddress.read("compare") }));
    await show(index, harnessAddress.read("compare"));
  })();
})();
