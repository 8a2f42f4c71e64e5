// The overview's tables: sort by any column or several, search, filter, choose columns, export the view. The state of
// each lives in the address. The static table stays until this one is there.
"use strict";

(() => {
  const WHOLE = 100; // rows that are shown without pages
  const PAGE = 50; // of more, since a browser takes long to lay out wide tables
  const { fixed, missing } = harnessFormats;
  const filterable = (column) => column.filter;
  const numeric = (column) => column.kind !== "text" && column.kind !== "method";

  // What is missing stands last, whichever way a column is sorted.
  DataTable.type("measured", {
    detect: () => false,
    order: {
      asc: (a, b) => (a === null) - (b === null) || a - b,
      desc: (a, b) => (a === null) - (b === null) || b - a,
    },
  });

  /** A value as it is printed. */
  function shown(column, value) {
    if (value === null || value === undefined || value === "") return missing;
    if (!numeric(column)) return Array.isArray(value) ? value.join(", ") : String(value);
    const scaled = value / (column.scale ?? 1);
    if (column.kind === "share") return `${fixed(100 * scaled, 1)} %`;
    return fixed(scaled, column.decimals ?? 0);
  }

  function methodCell(cell, row) {
    const name = harnessElement("a", { class: "name", href: row.page }, harnessElement("bdi", {}, row.name));
    cell.replaceChildren(name);
    for (const badge of row.badges) cell.append(" ", harnessElement("span", { class: "badge" }, badge));
    if (row.apart) cell.append(" ", harnessElement("bdi", { class: "apart" }, row.apart));
  }

  function valueCell(cell, column, row) {
    const value = row.values[column.id] ?? null;
    const mark = row.marks?.[column.id];
    const spread = row.spreads?.[column.id];
    const note = row.notes?.[column.id];
    cell.replaceChildren(...(mark === "tied" ? [harnessElement("span", { class: "sign", "aria-hidden": "true" }, "≈")] : []), note ?? shown(column, value));
    if (mark) {
      cell.classList.add(mark);
      cell.append(harnessElement("span", { class: "unseen" }, mark === "best" ? " best" : " not told apart from the best"));
    }
    if (value === null) cell.classList.add("none");
    if (typeof spread === "number") {
      cell.append(harnessElement("span", { class: "spread" },
        harnessElement("span", { class: "unseen" }, ", standard deviation "), `±${fixed(spread, 4)}`));
    }
  }

  function columnOf(column) {
    const read = (row) => (column.kind === "method" ? row.label : row.values[column.id] ?? null);
    return {
      name: column.id,
      title: harnessEscaped(column.label) + (column.unit ? ` <span class="unit">${harnessEscaped(column.unit)}</span>` : ""),
      className: numeric(column) ? "number" : column.kind === "method" ? "method" : "",
      cellType: column.kind === "method" ? "th" : "td",
      visible: column.shown,
      searchable: !numeric(column),
      type: numeric(column) ? "measured" : "string",
      orderSequence: numeric(column) && !column.low ? ["desc", "asc", ""] : ["asc", "desc", ""],
      data: (row, kind) => {
        const value = read(row);
        if (kind === "display") return ""; // what is shown is made of nodes, below
        return kind === "filter" ? shown(column, value) : value ?? (numeric(column) ? null : "");
      },
      createdCell: (cell, _, row) => {
        if (column.kind === "method") {
          cell.setAttribute("scope", "row");
          methodCell(cell, row);
        } else valueCell(cell, column, row);
      },
    };
  }

  /** The file has a row's values in the order of the columns; here they go by the columns' ids. */
  function named(content) {
    const ids = content.columns.map((column) => column.id);
    for (const row of content.rows) row.values = Object.fromEntries(ids.map((id, place) => [id, row.values[place]]));
    return content;
  }

  class Board {
    constructor(place, content) {
      this.place = place;
      this.anchor = place.dataset.anchor;
      this.columns = content.columns;
      this.content = content;
      this.filters = new Map();
      const table = harnessElement("table", { class: "overview" }, harnessElement("caption", {}, content.caption));
      place.querySelector(".scroll").replaceChildren(table);
      this.table = new DataTable(table, {
        data: content.rows, columns: content.columns.map(columnOf),
        order: [], autoWidth: false, deferRender: true, orderMulti: true, pageLength: PAGE, lengthChange: false,
        paging: content.rows.length > WHOLE,
        layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: content.rows.length > WHOLE ? "paging" : null },
        language: { info: "_START_ to _END_ of _TOTAL_ methods", infoFiltered: "(_MAX_ in all)", infoEmpty: "no method", zeroRecords: "No method is like that." },
        createdRow: (element, row) => { if (row.role && row.role !== "method") element.classList.add("reference"); },
      });
      this.table.on("draw", () => this.drawGroups());
      this.place.prepend(this.controls());
      if (Object.keys(harnessAddress.read(this.anchor)).length) this.restore();
      else this.drawGroups();
      this.table.on("order search column-visibility page", () => this.remember());
      window.addEventListener("hashchange", () => this.restore());
    }

    column(id) {
      return this.table.column(`${id}:name`);
    }

    /** A line between rank groups, where the rows stand in their order. */
    drawGroups() {
      const ordered = this.table.order().every(([, way]) => !way);
      let before;
      for (const index of this.table.rows({ page: "current", search: "applied", order: "applied" }).indexes().toArray()) {
        const { group } = this.content.rows[index].values;
        this.table.row(index).node().classList.toggle("cut", ordered && before !== undefined && before !== group);
        before = group;
      }
    }

    controls() {
      this.search = harnessElement("input", { type: "search", autocomplete: "off" });
      this.search.addEventListener("input", () => this.table.search(this.search.value).draw());
      const filters = this.columns.filter(filterable).map((column) => this.filter(column)).filter(Boolean);
      const buttons = [["CSV", "csv", "text/csv", "csv"], ["LaTeX", "latex", "application/x-tex", "tex"], ["Markdown", "markdown", "text/markdown", "md"]]
        .map(([label, format, type, ending]) => this.button(label, () =>
          harnessDownload(`${this.anchor}.${ending}`, type, harnessExports[format](this.view()))));
      return harnessElement("form", { class: "controls", role: "search", "aria-label": `Choose what is shown of ${this.content.title}` },
        harnessElement("label", {}, "Search ", this.search),
        harnessElement("details", { class: "filters", open: matchMedia("(min-width: 40rem)").matches },
          harnessElement("summary", {}, "Filters"), harnessElement("div", {}, ...filters)),
        this.chooser(),
        harnessElement("span", { class: "group", role: "group", "aria-label": "This view as a file" }, ...buttons),
        this.button("Reset", () => this.reset()));
    }

    button(label, act) {
      const button = harnessElement("button", { type: "button" }, label);
      button.addEventListener("click", act);
      return button;
    }

    /** A choice among the values of a column; none if there is nothing to choose. */
    filter(column) {
      const values = new Set(this.content.rows.flatMap((row) => row.values[column.id] ?? []));
      if (values.size < 2) return null;
      const sorted = [...values].sort((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
      const select = harnessElement("select", {}, harnessElement("option", { value: "" }, "all"),
        ...sorted.map((value) => harnessElement("option", { value }, String(value))));
      select.addEventListener("change", () => {
        this.apply(column, select.value);
        this.table.draw();
      });
      this.filters.set(column.id, { column, select });
      return harnessElement("label", {}, `${column.label} `, select);
    }

    apply(column, wanted) {
      const fits = (row) => [row.values[column.id] ?? []].flat().map(String).includes(wanted);
      this.table.search.fixed(column.id, wanted ? (_, row) => fits(row) : null);
    }

    chooser() {
      this.boxes = this.columns.filter((column) => column.kind !== "method").map((column) => {
        const box = harnessElement("input", { type: "checkbox", value: column.id });
        box.checked = column.shown;
        box.addEventListener("change", () => this.column(column.id).visible(box.checked));
        return box;
      });
      const labels = this.boxes.map((box) => harnessElement("label", {}, box, ` ${this.columns.find((found) => found.id === box.value).label}`));
      return harnessElement("details", { class: "chooser" }, harnessElement("summary", {}, "Columns"), harnessElement("div", {}, ...labels));
    }

    /** What is shown, as texts and as exact numbers, in the order shown. */
    view() {
      const columns = this.columns.filter((column) => this.column(column.id).visible());
      const rows = this.table.rows({ search: "applied", order: "applied" }).data().toArray();
      const read = (row, column) => (column.kind === "method" ? row.label : row.values[column.id] ?? null);
      const plain = (value) => (Array.isArray(value) ? value.join(", ") : value);
      return {
        caption: `${this.content.title}: ${this.content.caption}`,
        heads: columns.map((column) => (column.unit ? `${column.label} (${column.unit})` : column.label)),
        numeric: columns.map(numeric),
        exact: rows.map((row) => columns.map((column) => plain(read(row, column)))),
        shown: rows.map((row) => columns.map((column) => row.notes?.[column.id] ?? shown(column, read(row, column)))),
      };
    }

    remember() {
      if (this.restoring) return;
      const order = this.table.order().filter(([, way]) => way).map(([number, way]) => `${this.columns[number].id} ${way}`);
      const changed = this.columns.filter((column) => this.column(column.id).visible() !== column.shown);
      const values = { sort: order.join(","), q: this.table.search(), columns: changed.map((column) => column.id).join(",") };
      for (const [id, { select }] of this.filters) values[`is-${id}`] = select.value;
      const page = this.table.page();
      harnessAddress.write(this.anchor, { ...values, page: page ? String(page + 1) : "" });
    }

    restore() {
      this.restoring = true;
      const state = harnessAddress.read(this.anchor);
      const places = new Map(this.columns.map((column, number) => [column.id, number]));
      const order = (state.sort ?? "").split(",").map((part) => part.split(" ")).filter(([id]) => places.has(id));
      const changed = new Set((state.columns ?? "").split(","));
      for (const box of this.boxes) {
        const column = this.columns[places.get(box.value)];
        box.checked = column.shown !== changed.has(column.id);
        if (this.column(column.id).visible() !== box.checked) this.column(column.id).visible(box.checked);
      }
      for (const [id, { column, select }] of this.filters) {
        select.value = state[`is-${id}`] ?? "";
        if (select.selectedIndex < 0) select.value = "";
        this.apply(column, select.value);
      }
      this.search.value = state.q ?? "";
      this.table.search(this.search.value).order(order.map(([id, way]) => [places.get(id), way === "asc" ? "asc" : "desc"])).draw();
      const page = Number.parseInt(state.page ?? "1", 10) - 1;
      if (page > 0 && page < this.table.page.info().pages) this.table.page(page).draw("page");
      this.restoring = false;
    }

    reset() {
      harnessAddress.write(this.anchor, {});
      this.restore();
    }
  }

  for (const place of document.querySelectorAll(".board")) {
    harnessLoad(place.dataset.table).then(
      (content) => {
        new Board(place, named(content));
        place.dataset.ready = "";
      },
      (error) => console.warn("the table stays as it is:", error.message),
    );
  }
})();
