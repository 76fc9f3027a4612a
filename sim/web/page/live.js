// The live page: a connection that comes back by itself, and what it brings, drawn a few times a second.

const page = document.getElementById("page");
const REDRAW_MS = 250;
const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 10000;
const MOST_NOW = 8;

/** The WebSocket: says where it left off when it comes back, and waits longer from failure to failure. */
class Connection {
  constructor(handlers) {
    this.handlers = handlers;
    this.log = "";
    this.nextCall = 1;
    this.calls = new Map();
    this.wait = FIRST_WAIT_MS;
    this.open();
  }

  open() {
    this.socket = new WebSocket("ws://" + location.host + "/live");
    this.socket.onopen = () => this.send({ type: "hello", log: this.log, after: this.handlers.last() });
    this.socket.onmessage = (message) => this.take(JSON.parse(message.data));
    this.socket.onclose = () => this.lost();
  }

  send(message) { this.socket.send(JSON.stringify(message)); }

  take(message) {
    if (message.type === "answer") return this.answer(message);
    if (message.type === "welcome") { this.wait = FIRST_WAIT_MS; this.log = message.log; this.hasEnded = false; }
    if (message.type === "bye") this.hasEnded = true;
    this.handlers.take(message);
  }

  answer(message) {
    const call = this.calls.get(message.id);
    this.calls.delete(message.id);
    if (!call) return;
    if (message.error) call.reject(Object.assign(new Error(message.error.message), { hint: message.error.hint }));
    else call.resolve(message.result);
  }

  /** @returns a promise of the command's result */
  call(command, args) {
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) return reject(new Error("The lab cannot be reached."));
      const id = this.nextCall++;
      this.calls.set(id, { resolve, reject });
      this.send({ type: "command", id, command, arguments: args });
    });
  }

  async lost() {
    for (const call of this.calls.values()) call.reject(Object.assign(new Error("The connection was lost before the answer came."), { hint: "Look at the device's state before you try again." }));
    this.calls.clear();
    this.handlers.lost(this.hasEnded, await this.refusal());
    setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  /** Why a lab that is there does not let this page in: a WebSocket is not told. */
  async refusal() {
    try { return { 403: "stranger", 503: "full" }[(await fetch("/live", { cache: "no-store", redirect: "error" })).status]; } catch { return undefined; }
  }
}

class LivePage extends EventPage {
  constructor() {
    super(new LiveModel());
    this.consoleLines = new Uint32Array(0);
    this.cards = new Map();
    this.faults = [];
    this.now = [];
    this.build();
    this.connection = new Connection({ last: () => this.model.last, take: (message) => this.take(message), lost: (hasEnded, refusal) => this.lost(hasEnded, refusal) });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.plan(); });
  }

  build() {
    const call = (command, args) => this.connection.call(command, args);
    this.status = el("span", { class: "badge warn", id: "status", role: "status" }, "connecting");
    this.labFacts = el("div", {});
    this.notice = el("div", { class: "notice", id: "notice", role: "alert", hidden: true });
    this.logNotice = el("div", { class: "notice", id: "log-notice", role: "alert", hidden: true });
    this.cardList = el("div", { class: "cards", id: "devices" });
    this.moreDevices = el("p", { class: "muted", id: "more-devices", hidden: true });
    this.noDevices = el("p", { class: "muted", hidden: true }, "No devices yet. In a terminal: otasim device add thing-1");
    this.jobs = new JobTable(call);
    this.nowList = el("ol", { class: "now", id: "now", role: "log", "aria-live": "polite", "aria-label": "What has just happened" });
    this.followBox = el("input", { type: "checkbox", id: "follow", checked: true, onchange: () => this.timeline.follow(this.followBox.checked) });
    this.timeline = new LiveTimeline(this.model, (i) => this.choose(i), (isOn) => { this.followBox.checked = isOn; });
    this.events = new LiveList("events", "Events", (row, element) => this.drawRow(element, this.shown[row]), (row) => this.choose(this.shown[row]), (row) => this.model.rowAt(this.shown[row]));
    this.console = new LiveList("console", "Console", (row, element) => this.drawConsole(element, this.consoleLines[row]), (row) => this.choose(this.consoleLines[row]), (row) => this.model.rowAt(this.consoleLines[row]));
    this.flashPlace = el("div", { id: "flash" }, el("p", { class: "muted" }, "Choose a device."));
    this.watchChoice = el("select", { id: "watched", onchange: () => this.watch(this.watchChoice.value) });
    const section = (id, title, ...content) => el("section", { "aria-labelledby": id, class: id === "events-title" ? "no-print" : null }, el("h2", { id }, title), ...content);
    clear(page,
      el("a", { class: "skip", href: "#events" }, "Skip to the events"),
      el("header", { class: "top" }, el("h1", {}, "otasim lab"), this.status), this.labFacts, this.notice, this.logNotice,
      section("devices-title", "Devices", this.noDevices, this.cardList, this.moreDevices),
      el("div", { class: "two" }, section("now-title", "What happens", this.nowList), section("jobs-title", "Jobs", this.jobs.element)),
      section("time-title", "Timeline", this.filterTools(LIVE_LANES, () => this.plan(), () => this.plan()), this.timeline.canvas, el("div", { class: "tools" }, this.followTools(), this.zoomButtons(), this.timeline.range)),
      section("events-title", "Events", el("div", { class: "panes" }, this.events.element, this.detail)),
      section("flash-title", "Flash and console", el("div", { class: "tools" }, el("label", {}, "Device", this.watchChoice)),
        el("div", { class: "panes" }, this.flashPlace, el("div", {}, el("h3", {}, "Console"), this.console.element))));
  }

  followTools() {
    const span = el("select", { id: "span", "aria-label": "How much the timeline shows", onchange: () => { this.timeline.span = Number(span.value); this.timeline.isFollowing = false; this.timeline.follow(true); } },
      [["10e6", "10 s"], ["60e6", "1 min"], ["600e6", "10 min"], ["Infinity", "all"]].map(([value, text]) => el("option", { value, selected: value === "60e6" }, text)));
    return [el("label", {}, this.followBox, "follow"), span];
  }

  take(message) {
    switch (message.type) {
      case "welcome": return this.welcome(message);
      case "events": return this.takeEvents(message);
      case "devices": return this.takeDevices(message.list, message.left_off);
      case "jobs": return this.jobs.show(message.list, message.left_off);
      case "faults": this.faults = message.list; return this.showCards();
      case "flash": return this.takeFlash(message);
      case "operations": return this.takeOperations(message);
      case "bye": return undefined;
    }
    return undefined;
  }

  welcome(message) {
    if (!message.resumed) { this.model.forget(); this.now = []; this.watched = undefined; }
    const lab = message.lab;
    clear(this.labFacts, facts([["folder", lab.folder], ["AWS interface", lab.aws_endpoint], ["MQTT port", String(lab.mqtt_port)], ["account", lab.account]]));
    this.setStatus("live", "good");
    this.notice.hidden = true;
    this.tellLog(lab.log_problem);
    this.enable(true);
    if (this.watched) this.connection.send({ type: "watch", device: this.watched });
    document.documentElement.dataset.state = "ready";
    this.plan();
  }

  /** A lab without its log goes on; what happens is nowhere but here. */
  tellLog(problem) {
    this.logNotice.hidden = !problem;
    clear(this.logNotice, problem ? "The lab keeps no log any more: " + problem : "");
  }

  setStatus(text, kind) {
    this.status.textContent = text;
    this.status.className = "badge " + kind;
  }

  enable(isOn) {
    for (const card of this.cards.values()) card.fields.disabled = !isOn;
    this.jobs.fields.disabled = !isOn;
  }

  lost(hasEnded, refusal) {
    this.enable(false);
    this.setStatus(hasEnded ? "the lab is down" : "not connected", "bad");
    document.documentElement.dataset.state = hasEnded ? "ended" : "lost";
    this.notice.hidden = false;
    if (refusal === "full") clear(this.notice, "The lab shows itself to as many pages as it can. Close one of them; this one tries again by itself.");
    else if (refusal === "stranger") clear(this.notice, "The lab was started anew. Open the address that it has printed; ", el("code", {}, "otasim web"), " prints it again.");
    else if (hasEnded) clear(this.notice, "The lab has ended. What it did stays here. ", el("code", {}, "otasim up --web"), " starts it again.");
    else clear(this.notice, "The connection to the lab is lost; the page tries again by itself. If the lab has ended, ", el("code", {}, "otasim up --web"), " starts it again.");
  }

  takeEvents(message) {
    this.model.missed += message.missed;
    for (const event of message.events) {
      this.note(this.model.addEvent(event));
      if (event.source === "lab" && event.event === "log_ended") this.tellLog(String(event.text));
    }
    this.plan();
  }

  /** The short list of what matters. */
  note(row) {
    const name = this.model.names[row[1]];
    if (!KEY_EVENTS.test(name)) return;
    // A fault of the link strikes frame after frame: the last one stands for them.
    const last = this.now[this.now.length - 1];
    if (name === "link.fault" && last && this.model.names[last[1]] === name) this.now.pop();
    this.now.push(row);
    if (this.now.length > MOST_NOW) this.now.shift();
    this.isNowNew = true;
  }

  takeDevices(list, leftOff) {
    this.devices = list;
    this.moreDevices.hidden = leftOff === 0;
    this.moreDevices.textContent = plural(leftOff, "device") + " more: otasim device list";
    this.noDevices.hidden = list.length > 0;
    const names = list.map((device) => device.name);
    for (const [name, card] of this.cards) if (!names.includes(name)) { card.element.remove(); this.cards.delete(name); }
    for (const name of names) {
      if (this.cards.has(name)) continue;
      const card = new DeviceCard(name, (command, args) => this.connection.call(command, args), () => { this.watch(name); this.flashPlace.scrollIntoView({ block: "center" }); });
      this.cards.set(name, card);
      this.cardList.append(card.element);
    }
    this.showCards();
    const choices = JSON.stringify(names);
    if (choices !== this.choices) {
      this.choices = choices;
      clear(this.watchChoice, names.map((name) => el("option", { value: name, selected: name === this.watched }, name)));
    }
    if (names.length && !names.includes(this.watched)) this.watch(names[0]);
    document.documentElement.dataset.devices = String(list.length);
  }

  showCards() {
    for (const device of this.devices || []) this.cards.get(device.name).show(device, this.faults.filter((fault) => fault.device === device.name));
  }

  watch(device) {
    this.watched = device;
    this.watchChoice.value = device;
    for (const [name, card] of this.cards) card.element.classList.toggle("watched", name === device);
    this.model.setTrack(device, null);
    this.flash = null;
    clear(this.flashPlace, el("p", { class: "muted" }, "Reading the flash of " + device + "…"));
    this.connection.send({ type: "watch", device });
    this.plan();
  }

  takeFlash({ device, track }) {
    if (device !== this.watched) return;
    if (!track.operations) { this.model.setTrack(device, null); return clear(this.flashPlace, el("p", { class: "muted" }, track.problem)); }
    this.model.setTrack(device, track);
    this.flash = new LiveFlash(track, device, (time) => this.moveTo(time, this.flash));
    clear(this.flashPlace, el("h3", {}, device + ", " + track.part.name), this.flash.element);
    this.plan();
  }

  takeOperations({ device, from, rows, states }) {
    if (device !== this.watched || !this.flash || this.flash.track.operations.length !== from) return;
    this.flash.extend(rows, states);
    this.isFlashNew = true;
    this.plan();
  }

  /** Draws soon, however often it is asked; not what nobody sees. */
  plan() {
    if (this.planned || document.hidden) return;
    this.planned = true;
    const wait = Math.max(0, (this.drawn || 0) + REDRAW_MS - performance.now());
    setTimeout(() => requestAnimationFrame(() => { this.planned = false; this.drawn = performance.now(); this.draw(); }), wait);
  }

  draw() {
    const model = this.model;
    model.settle();
    this.shown = model.filter(this.query.value, this.lanes, this.onlyMarked.checked);
    this.found.textContent = this.shown.length + " of " + model.count + (model.missed ? "; " + model.missed + " earlier ones are in the lab's folder" : "");
    this.timeline.grow(this.shown);
    this.consoleLines = this.select((i) => LANES[model.lane[i]] === "console" && model.summary.event_devices[model.event(i)[2]] === this.watched);
    const chosen = this.chosen ? model.find(this.chosen) : -1;
    this.events.grow(this.shown.length, this.placeIn(this.shown, chosen));
    this.console.grow(this.consoleLines.length, this.placeIn(this.consoleLines, chosen));
    if (this.flash && this.isFlashNew) this.flash.show();
    this.isFlashNew = false;
    this.drawNow();
  }

  drawNow() {
    if (!this.isNowNew) return;
    this.isNowNew = false;
    // What stays is not touched: it would be read out again.
    for (const child of [...this.nowList.children]) if (!this.now.includes(child.row)) child.remove();
    const known = new Set([...this.nowList.children].map((child) => child.row));
    this.nowList.append(...this.now.filter((row) => !known.has(row)).map((row) => this.nowRow(row)));
  }

  nowRow(row) {
    const name = this.model.names[row[1]], i = this.model.find(row);
    const line = i >= 0 ? this.nowText(i) : "";
    const kind = i >= 0 && this.model.mark[i] ? "bad" : /SUCCEEDED/.test(line) ? "good" : "";
    const element = el("li", { class: kind }, el("span", { class: "when" }, seconds(row[0])), el("span", {}, name), el("span", { class: "line" }, line.slice(0, MOST_TEXT)));
    element.row = row;
    return element;
  }

  /** What of an event matters here. */
  nowText(i) {
    const name = this.model.name(i), members = this.model.members(i);
    if (name === "cloud.job_execution") {
      const details = Object.entries(members.details || {}).filter(([key]) => key !== "updatedBy").map(([key, value]) => key + " " + short(value)).join(", ");
      return members.thing + ": " + members.status + (details ? " (" + details + ")" : "") + ", " + members.job;
    }
    if (name.startsWith("broker.client_")) return [members.clientId, members.disconnectReason, members.message].filter((text) => typeof text === "string").join(": ");
    if (name.endsWith(".fault")) return [members.device, members.fault].filter((text) => typeof text === "string").join(": ");
    return this.model.line(i);
  }

  choose(i) {
    this.chosen = this.model.rowAt(i);
    super.choose(i);
  }

  moveFlash(time, by) {
    if (this.flash && this.flash !== by) this.flash.seekTime(time);
  }
}

document.documentElement.dataset.state = "connecting";
new LivePage();
