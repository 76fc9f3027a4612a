// What every page of events does: shows them in a list, filters them, and has all of the chosen one beside it.

/** A page overrides wordsOf(line) if it can say in words what a line means. */
class EventPage {
  constructor(model) {
    this.model = model;
    this.lanes = new Set(LANES);
    this.shown = new Uint32Array(0); // which events the list has, in order
    this.detail = this.detailOf("detail", "event");
  }

  wordsOf() { return ""; }

  /** Where all of a chosen event, or message, is shown. */
  detailOf(id, what) {
    return el("div", { class: "detail", id, tabindex: "0", role: "region", "aria-label": "The chosen " + what }, el("p", { class: "muted" }, "Choose " + (what === "event" ? "an event to see all of it." : "a message to see it decoded.")));
  }

  select(wanted) {
    const rows = [];
    for (let i = 0; i < this.model.count; ++i) if (wanted(i)) rows.push(i);
    return Uint32Array.from(rows);
  }

  /** @returns where event i stands in rows, which are in order; -1: nowhere */
  placeIn(rows, i) {
    let low = 0, high = rows.length;
    while (low < high) { const middle = (low + high) >> 1; if (rows[middle] < i) low = middle + 1; else high = middle; }
    return rows[low] === i ? low : -1;
  }

  drawRow(element, i) {
    const mark = this.model.mark[i], name = this.model.name(i), line = this.model.line(i);
    if (mark) element.classList.add("bad");
    else if (name === "cloud.job_execution" && /"?SUCCEEDED/.test(line)) element.classList.add("good");
    this.explain(element, line);
    element.append(el("span", { class: "when" }, seconds(this.model.time[i])), el("span", { class: "what" }, (mark === 1 ? "▼ " : mark === 2 ? "✖ " : "") + name), line.slice(0, MOST_TEXT));
  }

  drawConsole(element, i, isNamed) {
    const members = this.model.members(i), text = String(members.text);
    this.explain(element, text);
    element.append(el("span", { class: "when" }, seconds(this.model.time[i])), isNamed ? el("span", { class: "what" }, String(members.device)) : "", text.slice(0, MOST_TEXT));
  }

  explain(element, line) {
    const words = this.wordsOf(line);
    if (words) element.title = words;
  }

  /** onWords: while somebody types; onChoice: a lane or a mark. */
  filterTools(lanes, onWords, onChoice) {
    this.query = el("input", { type: "search", id: "filter", placeholder: "words; -word leaves out", "aria-label": "Filter events", oninput: onWords });
    this.onlyMarked = el("input", { type: "checkbox", id: "only-marked", onchange: onChoice });
    this.found = el("span", { class: "muted", id: "found" });
    const boxes = lanes.map((lane) => el("label", {}, el("input", { type: "checkbox", checked: true, "data-lane": lane, onchange: (e) => { if (e.target.checked) this.lanes.add(lane); else this.lanes.delete(lane); onChoice(); } }), LANE_LABELS[lane]));
    return el("div", { class: "tools", role: "search" }, this.query, ...boxes, el("label", {}, this.onlyMarked, "faults and failures only"), this.found);
  }

  zoomButtons() {
    const button = (text, title, act) => el("button", { type: "button", title, "aria-label": title, onclick: act }, text);
    return [button("+", "Zoom in", () => this.timeline.zoom(0.5)), button("−", "Zoom out", () => this.timeline.zoom(2)), button("◀", "Earlier", () => this.timeline.pan(-0.25)), button("▶", "Later", () => this.timeline.pan(0.25))];
  }

  /** An event was chosen: everything else goes to its moment. */
  choose(i) {
    clear(this.detail, momentDetail(this.model, i));
    const at = this.placeIn(this.shown, i);
    if (at >= 0 && this.events.active !== at) this.events.pick(at);
    this.moveTo(this.model.time[i], this.events);
  }

  /** by: the panel that was moved, which stays where it is. */
  moveTo(time, by) {
    this.timeline.setCursor(time);
    this.moveFlash(time, by);
    const line = this.model.lowerBound(time + 0.5, this.consoleLines) - 1;
    if (line >= 0 && this.console.active !== line) this.console.pick(line);
  }
}
