// The page of a run: the verdict at once, the rest when the events are read.

const summary = takeData("summary");
const page = document.getElementById("page");
const MOST_KEY_MOMENTS = 120;
const KEY_EVENTS = /^(run\.(do|step|fault|fault_over|fault_failed|failed|verdict|clean_boot)|device\.(power_on|power_off|reset|exit|fault)|boot\.(start|commit|reject|halt|refused|failure)|cloud\.(job_created|job_execution|update_refused|fault)|flash\.fault|broker\.(fault|client_refused)|link\.fault)$/;

function header() {
  const result = summary.result || {};
  const failures = Array.isArray(result.failures) ? result.failures : [];
  const title = result.scenario || summary.folder;
  const jobs = Array.isArray(result.jobs) ? result.jobs : [];
  const devices = Array.isArray(result.devices) ? result.devices : [];
  const verdict = result.result || (result.job_status ? result.job_status : "no result");
  const kind = verdict === "passed" ? "good" : verdict === "failed" || verdict === "error" ? "bad" : "warn";
  const warnings = [...(Array.isArray(result.warnings) ? result.warnings : []), ...summary.problems];
  const withWords = (text) => [text, inWords(summary.words, text) ? el("p", { class: "words" }, inWords(summary.words, text)) : null];
  return el("header", {},
    el("a", { class: "skip", href: "#events" }, "Skip to the events"),
    el("div", { class: "verdict " + kind }, el("p", {}, badge(verdict)), el("h1", {}, title)),
    facts([["board", result.board], ["data", result.data], ["seed", result.seed], ["class", result.class], ["took", result.wall_ms === undefined ? "" : result.wall_ms + " ms"], ["events", String(summary.event_count)],
      ["began", summary.epoch_us === null ? "" : new Date(summary.epoch_us / 1000).toISOString()]]),
    failures.length ? el("div", { class: "failures", role: "group", "aria-label": "What did not hold" }, el("h2", {}, "What did not hold"), el("ol", {}, failures.map((text) => el("li", {}, withWords(text))))) : null,
    result.repeat ? [el("h2", {}, "To repeat it"), command(result.repeat, "the command that repeats the run")] : null,
    result.debug ? [el("h2", {}, "To look into it"), command(result.debug, "the command that opens the run in a debugger")] : null,
    result.replay ? [el("h2", {}, "To step backwards in it"), command(result.replay, "the command that replays a recording of the run")] : null,
    warnings.length ? el("ul", { class: "warnings", "aria-label": "What is missing" }, warnings.map((text) => el("li", {}, text))) : null,
    jobs.length ? table("Jobs", ["Job", "Device", "Status", "Reason", "In words"], jobs.map((job) => [job.job, job.device, job.status, job.reason || "", Object.hasOwn(summary.words, job.reason) ? summary.words[job.reason] : ""])) : null,
    devices.length ? table("Devices at the end", ["Device", "Starts next", "Slot", "Standing", "Clean boots"], devices.map((device) => [device.device, device.starts_next, device.slot, device.standing,
      (device.clean_boots || []).map((boot) => boot.slot + " " + boot.version + " " + boot.state).join(", then ")])) : null,
    summary.skipped_lines ? el("p", { class: "muted" }, plural(summary.skipped_lines, "line") + " of the event log could not be read: torn or damaged.") : null);
}

const loading = el("p", { role: "status", id: "loading" }, "Reading the events…");
clear(page, header(), loading);
document.documentElement.dataset.state = "summary";

/** Reads the events a chunk at a time, so that the page answers meanwhile. */
async function readEvents(model) {
  const chunks = dataElements("events");
  for (let i = 0; i < chunks.length; ++i) {
    model.addEvents(JSON.parse(chunks[i].textContent));
    chunks[i].remove();
    loading.textContent = "Reading the events… " + Math.round((100 * (i + 1)) / chunks.length) + " %";
    await new Promise((resume) => setTimeout(resume));
  }
}

class RunPage extends EventPage {
  constructor(model) {
    super(model);
    this.timeline = new Timeline(model, (i) => this.choose(i));
    this.events = new VirtualList("events", "Events", (row, element) => this.drawRow(element, this.shown[row]), (row) => this.choose(this.shown[row]));
    this.consoleLines = this.select((i) => LANES[model.lane[i]] === "console");
    this.console = new VirtualList("console", "Console", (row, element) => this.drawConsole(element, this.consoleLines[row], summary.event_devices.length > 1), (row) => this.choose(this.consoleLines[row]));
    this.messages = this.select((i) => LANES[model.lane[i]] === "messages" || (model.isEvent(i) && model.name(i) === "cloud.job_execution"));
    this.messageDetail = this.detailOf("message", "message");
    this.messageList = new VirtualList("messages", "Messages", (row, element) => this.drawRow(element, this.messages[row]), (row) => {
      clear(this.messageDetail, momentDetail(model, this.messages[row]));
      this.moveTo(model.time[this.messages[row]], this.messageList);
    });
    this.flashPanels = model.flash.map(() => null); // made when they are first shown
  }

  wordsOf(line) { return inWords(summary.words, line); }

  sections() {
    return [
      el("section", { "aria-labelledby": "what" }, el("h2", { id: "what" }, "What happened"), this.keyMoments()),
      this.recording(),
      el("section", { "aria-labelledby": "time" }, el("h2", { id: "time" }, "Timeline"), this.searchTools(), this.timeline.canvas,
        el("div", { class: "tools" }, this.zoomButtons(), el("button", { type: "button", title: "Show all of the run", "aria-label": "Show all of the run", onclick: () => this.timeline.all() }, "All"), this.timeline.range), this.framesLeftOff()),
      el("section", { id: "events-section", class: "no-print", "aria-label": "Events" }, el("h2", {}, "Events"), el("div", { class: "panes" }, this.events.element, this.detail)),
      el("section", { "aria-labelledby": "flash-title" }, el("h2", { id: "flash-title" }, "Flash and console"),
        el("div", { class: "panes" }, el("div", {}, this.flashParts()), el("div", {}, el("h3", {}, "Console"), this.console.element, el("p", { class: "muted" }, "The console follows the slider, and the slider what is chosen elsewhere.")))),
      el("section", { id: "messages-section", class: "no-print", "aria-label": "Messages" }, el("h2", {}, "Messages"), el("div", { class: "panes" }, this.messageList.element, this.messageDetail)),
    ];
  }

  framesLeftOff() {
    return this.model.frames.map((capture, i) => capture.left_off ? el("p", { class: "muted" }, "Not on this page: " + plural(capture.left_off, "later frame") + " of " + summary.devices[i] + "; otasim events has all of them.") : null);
  }

  recording() {
    const text = takeData("cast");
    const cast = typeof text === "string" ? parseCast(text) : null;
    return cast ? el("section", { "aria-labelledby": "recording" }, el("h2", { id: "recording" }, "Recording"), new CastPlayer(cast).element) : null;
  }

  keyMoments() {
    const rows = [];
    let left = 0;
    for (let i = 0; i < this.model.count; ++i) {
      const name = this.model.name(i);
      const isKey = this.model.isEvent(i) ? this.model.mark[i] !== 0 || KEY_EVENTS.test(name) : this.model.mark[i] !== 0;
      if (!isKey) continue;
      if (rows.length >= MOST_KEY_MOMENTS) { ++left; continue; }
      const text = this.keyText(i), known = inWords(summary.words, text);
      const words = known ? " — " + known : "";
      rows.push([el("button", { type: "button", "aria-label": "Go to " + seconds(this.model.time[i]), onclick: () => this.choose(i) }, seconds(this.model.time[i])), (this.model.mark[i] ? "▼ " : "") + name, text + words]);
    }
    const caption = plural(rows.length, "step") + ", boots, faults and changes of jobs" + (left ? "; " + left + " more are in the list of events" : "");
    const story = el("details", { open: summary.result === null || summary.result.result !== "passed" }, el("summary", {}, caption), table("In order", ["Time", "Event", "What"], rows, { id: "key-moments" }));
    addEventListener("beforeprint", () => { story.open = true; });
    return story;
  }

  /** What of an event matters in a story. */
  keyText(i) {
    const name = this.model.name(i), members = this.model.members(i);
    if (name === "cloud.job_execution") {
      const details = Object.entries(members.details || {}).map(([key, value]) => key + " " + short(value)).join(", ");
      return members.job + " on " + members.thing + ": " + members.status + (details ? " (" + details + ")" : "");
    }
    if (name === "run.do") return members.step + " " + JSON.stringify(members.arguments);
    return this.model.line(i).slice(0, MOST_TEXT);
  }

  searchTools() {
    const tools = this.filterTools(LANES, () => this.planFilter(), () => this.filter());
    this.found.setAttribute("role", "status"); // it changes only when somebody filters
    return tools;
  }

  flashParts() {
    const shown = el("div", {});
    const show = (i) => {
      const track = this.model.flash[i];
      if (!track.operations) return clear(shown, el("p", { class: "muted" }, "No flash history. " + (track.problem || "")));
      if (!this.flashPanels[i]) this.flashPanels[i] = new FlashPanel(track, summary.devices[i], (time) => this.moveTo(time, this.flashPanels[i]));
      clear(shown, this.flashPanels[i].element, this.flashNotes(track));
      if (this.time !== undefined) this.flashPanels[i].seekTime(this.time);
    };
    const names = summary.devices.map((name, i) => name + (this.model.flash[i].part ? ", " + this.model.flash[i].part.name : ""));
    if (names.length === 0) return el("p", { class: "muted" }, "The run's folder has no devices.");
    show(0);
    if (names.length === 1) return [el("h3", {}, names[0]), shown];
    const choice = el("select", { id: "flash-device", onchange: () => show(Number(choice.value)) }, names.map((name, i) => el("option", { value: i }, name)));
    return [el("div", { class: "tools" }, el("label", {}, "Device", choice)), shown];
  }

  flashNotes(track) {
    const note = (text) => el("p", { class: "muted" }, text);
    const erases = track.cells ? Object.entries(track.cells.partitions).map(([partition, one]) => partition + " " + one.most_erases).join(", ") : "";
    return [
      summary.epoch_us === null ? note("The event log does not say when its clock began: operations are in order, but stand at its start on the timeline.") : null,
      track.torn ? note("The op log's end is torn: operations may be missing.") : null,
      track.cells ? note("At the end, of the part's whole life: " + plural(track.cells.power_ons, "power-on") + "; most erases of a sector: " + (erases || "none") + ".") : null,
    ];
  }

  planFilter() {
    clearTimeout(this.filterTimer);
    this.filterTimer = setTimeout(() => this.filter(), 120);
  }

  filter() {
    this.shown = this.model.filter(this.query.value, this.lanes, this.onlyMarked.checked);
    this.found.textContent = this.shown.length + " of " + this.model.count;
    this.timeline.setRows(this.shown);
    this.events.setCount(this.shown.length);
  }

  moveTo(time, by) {
    this.time = time;
    super.moveTo(time, by);
  }

  moveFlash(time, by) {
    for (const panel of this.flashPanels) if (panel && panel !== by) panel.seekTime(time);
  }
}

async function start() {
  const model = new RunModel(summary, takeData("flash"), takeData("frames"));
  await readEvents(model);
  model.settle();
  const run = new RunPage(model);
  loading.remove();
  page.append(...run.sections().filter((section) => section !== null));
  run.console.setCount(run.consoleLines.length);
  run.messageList.setCount(run.messages.length);
  run.filter();
  run.console.pick(run.consoleLines.length - 1); // where the slider stands
  document.documentElement.dataset.state = "ready";
}

start().catch((error) => {
  loading.textContent = "The report could not be shown: " + error.message;
  document.documentElement.dataset.state = "failed";
  throw error;
});
