// The page of a matrix: what failed first, then the grid of scenarios and boards, each cell a link to its run.

const matrix = takeData("matrix");
const page = document.getElementById("page");

function failedCells() {
  const failed = matrix.cells.filter((cell) => cell.result !== "passed");
  if (!failed.length) return null;
  return el("section", { "aria-labelledby": "failed" }, el("h2", { id: "failed" }, "What did not pass"),
    failed.map((cell) => el("article", { class: "failures" },
      el("h3", {}, badge(cell.result), " ", cell.link ? el("a", { href: cell.link }, cellName(cell)) : cellName(cell)),
      el("ul", {}, (cell.failures || []).map((text) => el("li", {}, text))), command(cell.repeat, "the command that repeats " + cellName(cell)))));
}

function cellName(cell) {
  return [cell.scenario, cell.board, cell.data].join("/") + (cell.seed === 1 ? "" : ", seed " + cell.seed);
}

/** One place of the grid: a scenario on a board over a protocol, once for each seed. */
function place(cells) {
  if (!cells) return el("td", { class: "cell muted" }, "–");
  const bad = cells.filter((cell) => cell.result !== "passed");
  const shown = bad[0] || cells[0];
  const kind = bad.length === 0 ? "good" : shown.result === "interrupted" ? "warn" : "bad";
  const text = (bad.length ? "✖ " + shown.result : "✔ passed") + (cells.length > 1 ? " " + (cells.length - bad.length) + "/" + cells.length : "");
  const title = shown.wall_ms + " ms" + (shown.reason ? ": " + shown.reason : "");
  return el("td", { class: "cell" }, shown.link ? el("a", { class: kind, href: shown.link, title }, text) : el("span", { class: kind, title }, text));
}

function grid() {
  const columns = [...new Set(matrix.cells.map((cell) => cell.board + "/" + cell.data))].sort();
  const scenarios = new Map();
  for (const cell of matrix.cells) {
    const places = scenarios.get(cell.scenario) || new Map();
    const column = cell.board + "/" + cell.data;
    places.set(column, [...(places.get(column) || []), cell]);
    scenarios.set(cell.scenario, places);
  }
  const rows = [...scenarios].map(([scenario, places]) => {
    const all = [...places.values()].flat();
    const row = el("tr", {}, el("th", { scope: "row" }, scenario, el("span", { class: "muted class" }, all[0].class || "")), columns.map((column) => place(places.get(column))));
    row.isFailed = all.some((cell) => cell.result !== "passed");
    row.searched = (scenario + " " + (all[0].class || "") + " " + all.map((cell) => cell.reason || "").join(" ")).toLowerCase();
    return row;
  });
  const found = el("span", { class: "muted", role: "status", id: "found" });
  const query = el("input", { type: "search", id: "filter", placeholder: "scenario, class or reason", "aria-label": "Filter scenarios", oninput: () => filter() });
  const onlyFailed = el("input", { type: "checkbox", id: "only-failed", onchange: () => filter() });
  function filter() {
    let shown = 0;
    for (const row of rows) {
      row.hidden = (onlyFailed.checked && !row.isFailed) || !row.searched.includes(query.value.toLowerCase().trim());
      shown += row.hidden ? 0 : 1;
    }
    found.textContent = shown + " of " + plural(rows.length, "scenario");
  }
  filter();
  return el("section", { "aria-labelledby": "grid" }, el("h2", { id: "grid" }, "Scenarios and boards"),
    el("div", { class: "tools", role: "search" }, query, el("label", {}, onlyFailed, "failed only"), found),
    el("div", { class: "scroll" }, table("Each cell links to the report of its run, where there is one.", ["Scenario", ...columns.map((column) => column.replace("/", "\n"))], rows, { class: "grid" })));
}

const result = matrix.complete === false ? "interrupted" : matrix.failed ? "failed" : "passed";
const slowest = [...matrix.cells].sort((a, b) => (b.wall_ms || 0) - (a.wall_ms || 0)).slice(0, 10);
clear(page,
  el("header", {}, el("div", { class: "verdict " + (result === "passed" ? "good" : result === "failed" ? "bad" : "warn") }, el("p", {}, badge(result)), el("h1", {}, matrix.passed + " of " + plural(matrix.cells.length, "cell") + " passed")),
    facts([["took", (matrix.wall_ms / 1000).toFixed(1) + " s"], ["failed", String(matrix.failed)], ["folder", matrix.run]])),
  failedCells(), grid(),
  el("section", {}, el("h2", {}, "Slowest"), table("Cells that took longest", ["Cell", "Took"], slowest.map((cell) => [cellName(cell), (cell.wall_ms || 0) + " ms"]))));
document.documentElement.dataset.state = "ready";
