// The page of a power-cut sweep: failures first, then for each recording a heat map of its operations and the kinds of
// cuts that were tried at each.

const sweep = takeData("sweep");
const page = document.getElementById("page");
const KINDS = ["before", "torn", "marginal", "after", "later"];
const KIND_LABELS = { before: "before it", torn: "inside it", marginal: "inside, marginal", after: "after it", later: "a later cut" };
const MOST_FAILURES = 200;
const ROW = 26, LEFT = 130, TOP = 18;

const completions = sweep.completions || {};

function count(counts, kind) {
  return (counts && counts[kind]) || 0;
}

function total(counts) {
  return KINDS.reduce((sum, kind) => sum + count(counts, kind), 0);
}

function operationName(operation) {
  return "operation " + operation.operation + ": " + operation.kind + " " + operation.partition + " " + "0x" + operation.offset.toString(16) + ", " + operation.length + " bytes, by " + operation.source;
}

/** Operations along, kinds of cuts down. Arrow keys choose one, as a click does. */
class HeatMap {
  constructor(recording) {
    this.operations = recording.results;
    this.chosen = -1;
    this.step = Math.max(2, Math.min(12, Math.floor(16000 / Math.max(1, this.operations.length))));
    this.canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": "Heat map of " + recording.recording + ": " + plural(this.operations.length, "operation") + ", " + plural(recording.failures, "failure") + ". The table below sums it up; arrow keys choose an operation.",
      onclick: (e) => this.choose(Math.floor((e.offsetX - LEFT) / this.step)), onkeydown: (e) => this.key(e), onpointermove: (e) => this.hover(e) });
    this.said = el("p", { class: "chosen mono", role: "status" }, "Choose an operation to see its cases.");
    this.scroll = el("div", { class: "heat" }, this.canvas);
    this.element = el("div", {}, this.scroll, this.said);
    onThemeChange(() => this.draw());
  }

  draw() {
    const width = Math.max(LEFT + this.operations.length * this.step + 4, this.scroll.clientWidth || 0), height = TOP + KINDS.length * ROW + 4;
    this.canvas.style.width = width + "px";
    this.canvas.style.height = height + "px";
    const c = fitCanvas(this.canvas, width, height);
    const text = colour("text"), good = colour("good"), bad = colour("bad"), line = colour("line"), accent = colour("accent"), muted = colour("muted");
    const most = this.operations.reduce((sum, one) => Math.max(sum, ...KINDS.map((kind) => count(one.cases, kind))), 1);
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "middle";
    KINDS.forEach((kind, row) => { c.fillStyle = text; c.fillText(KIND_LABELS[kind], 6, TOP + (row + 0.5) * ROW); });
    let source = null;
    this.operations.forEach((operation, i) => {
      const x = LEFT + i * this.step;
      const place = operation.source + " " + operation.partition;
      if (place !== source) { c.fillStyle = line; c.fillRect(x, 0, 1, height); source = place; }
      KINDS.forEach((kind, row) => {
        const cases = count(operation.cases, kind), failures = count(operation.failures, kind), y = TOP + row * ROW;
        if (!cases) return;
        c.globalAlpha = failures ? 1 : 0.3 + 0.6 * (Math.log2(1 + cases) / Math.log2(1 + most));
        c.fillStyle = failures ? bad : good;
        c.fillRect(x, failures ? y + 1 : y + 5, this.step - (this.step > 3 ? 1 : 0), failures ? ROW - 2 : ROW - 10);
        c.globalAlpha = 1;
      });
      if (i % 100 === 0) { c.fillStyle = muted; c.fillText(String(i), x + 2, 8); }
      if (i === this.chosen) { c.strokeStyle = accent; c.lineWidth = 2; c.strokeRect(x - 1, TOP - 2, this.step + 2, KINDS.length * ROW + 2); }
    });
  }

  text(i) {
    const operation = this.operations[i];
    const parts = KINDS.filter((kind) => count(operation.cases, kind)).map((kind) => KIND_LABELS[kind] + " " + plural(count(operation.cases, kind), "case") + (count(operation.failures, kind) ? ", " + count(operation.failures, kind) + " FAILED" : ""));
    return operationName(operation) + " — " + (parts.join("; ") || "changes no cells: not cut");
  }

  choose(i) {
    if (i < 0 || i >= this.operations.length) return;
    this.chosen = i;
    this.said.textContent = this.text(i);
    const x = LEFT + i * this.step;
    if (x < this.scroll.scrollLeft || x > this.scroll.scrollLeft + this.scroll.clientWidth - 20) this.scroll.scrollLeft = x - this.scroll.clientWidth / 2;
    this.draw();
  }

  hover(event) {
    const i = Math.floor((event.offsetX - LEFT) / this.step);
    this.canvas.title = i >= 0 && i < this.operations.length ? this.text(i) : "";
  }

  key(event) {
    const to = { ArrowRight: this.chosen + 1, ArrowLeft: this.chosen - 1, Home: 0, End: this.operations.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.choose(Math.min(this.operations.length - 1, Math.max(0, to)));
  }
}

function sums(recording) {
  const groups = new Map();
  for (const operation of recording.results) {
    const key = [operation.source, operation.kind, operation.partition].join(" ");
    const group = groups.get(key) || { operations: 0, cases: {}, failures: {} };
    ++group.operations;
    for (const kind of KINDS) {
      group.cases[kind] = count(group.cases, kind) + count(operation.cases, kind);
      group.failures[kind] = count(group.failures, kind) + count(operation.failures, kind);
    }
    groups.set(key, group);
  }
  const cell = (group, kind) => (count(group.cases, kind) ? String(count(group.cases, kind)) + (count(group.failures, kind) ? " (" + count(group.failures, kind) + " failed)" : "") : "–");
  const rows = [...groups].map(([key, group]) => [key, String(group.operations), ...KINDS.map((kind) => cell(group, kind)), String(total(group.failures))]);
  return table("Cases by who wrote what and where", ["Operations", "Number", ...KINDS.map((kind) => KIND_LABELS[kind]), "Failures"], rows);
}

function failures() {
  const failed = Array.isArray(sweep.failed_cases) ? sweep.failed_cases : [];
  const completed = completions.failed_cases || [];
  if (!failed.length && !completed.length) return null;
  return el("section", { "aria-labelledby": "failed" }, el("h2", { id: "failed" }, "Cases that broke an invariant"),
    failed.slice(0, MOST_FAILURES).map((one) => el("article", { class: "failures" }, el("h3", {}, one.recording + ", cut at " + one.case),
      el("ul", {}, (one.violations || []).map((text) => el("li", {}, text))), command(one.repeat, "the command that repeats the case " + one.case),
      el("details", {}, el("summary", {}, "Consoles of the boots"), el("div", { class: "consoles" }, (one.consoles || []).map((lines, i) => [el("h3", {}, "boot " + (i + 1)), el("pre", {}, Array.isArray(lines) ? lines.join("\n") : String(lines))]))))),
    completed.slice(0, MOST_FAILURES).map((one) => el("article", { class: "failures" }, el("h3", {}, one.recording + ", completed after a cut at " + one.case + (one.delivered ? "" : ", the last message lost")),
      el("ul", {}, (one.violations || []).map((text) => el("li", {}, text))), one.repeat ? command(one.repeat, "the command that repeats the case") : null)),
    failed.length > MOST_FAILURES ? el("p", {}, failed.length - MOST_FAILURES + " more are in sweep.json.") : null);
}

const maps = [];
function recordingPart(recording) {
  const map = new HeatMap({ ...recording, results: recording.results || [] });
  maps.push(map);
  return el("section", {}, el("h2", {}, recording.recording, " ", badge(recording.failures ? "failed" : recording.complete === false ? "interrupted" : "passed")),
    facts([["board", recording.board], ["operations", String(recording.operations)], ["cuts", String(recording.cuts)], ["granularity", recording.granularity], ["seed", String(recording.seed)], ["cases", String(recording.cases)],
      ["boots", String(recording.boots)], ["distinct states", String(recording.distinct_states)], ["took", Number(recording.seconds).toFixed(1) + " s"]]),
    recording.link ? el("p", {}, el("a", { href: recording.link }, "The recorded run")) : null,
    map.element, sums({ ...recording, results: recording.results || [] }));
}

const allFailures = sweep.failures + (completions.failures || 0);
const result = allFailures ? "failed" : sweep.complete === false ? "interrupted" : "passed";
clear(page,
  el("header", {}, el("div", { class: "verdict " + (result === "passed" ? "good" : result === "failed" ? "bad" : "warn") }, el("p", {}, badge(result)), el("h1", {}, plural(sweep.cases, "power cut") + ", " + plural(allFailures, "failure"))),
    facts([["completed updates", completions.cases === undefined ? "" : String(completions.cases)], ["boots", String(sweep.boots)], ["distinct states", String(sweep.distinct_states)], ["took", Number(sweep.seconds).toFixed(1) + " s"], ["cases per second", Number(sweep.cases_per_s).toFixed(0)], ["folder", sweep.run]])),
  failures(), sweep.recordings.map((recording) => recordingPart(recording)),
  el("p", { class: "muted" }, "Each column is an operation, each row a kind of cut; green was tried and held, darker for more cases; red and full height failed."));
maps.forEach((map) => map.draw());
document.documentElement.dataset.state = "ready";
