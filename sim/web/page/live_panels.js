// The reports' panels (run_panels.js), as they grow; and the cards of devices and jobs.

/** A lab that stays up plays no scenario. */
const LIVE_LANES = LANES.filter((lane) => lane !== "scenario");

/** A list to which rows are added: it stays where it is, or at its end if that was in sight. */
class LiveList extends VirtualList {
  constructor(...parts) {
    super(...parts);
    this.follows = true;
    this.element.addEventListener("scroll", () => { this.follows = this.element.scrollTop + this.element.clientHeight >= this.height - ROW_HEIGHT; });
    this.element.addEventListener("pointerdown", () => { this.isPressed = true; });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { this.isPressed = false; });
  }
  /** Nothing moves away under a finger, or while text is marked. */
  get isHeld() {
    const marked = getSelection();
    return this.isPressed || (!marked.isCollapsed && this.element.contains(marked.anchorNode));
  }
  grow(count, active = this.active) {
    this.count = count;
    this.active = active;
    this.height = Math.min(count * ROW_HEIGHT, MOST_PIXELS);
    this.space.style.height = this.height + "px";
    if (this.follows && !this.isHeld) this.element.scrollTop = this.height;
    this.show();
  }
}

/** The timeline, with its right end at now until somebody moves it. */
class LiveTimeline extends Timeline {
  constructor(model, choose, followed) {
    super(model, choose, LIVE_LANES);
    this.span = 60e6;
    this.followed = followed;
    this.follow(true);
  }
  grow(rows) {
    this.rows = rows;
    if (this.isFollowing) this.toNow();
    this.plan();
  }
  toNow() {
    const margin = Math.min(this.span, this.model.end - this.model.begin) * 0.02;
    if (this.span === Infinity) super.all();
    else super.setView(Math.max(this.model.begin, this.model.end - this.span), this.model.end + margin);
  }
  follow(isOn) {
    if (this.isFollowing === isOn) return;
    this.isFollowing = isOn;
    if (isOn) this.toNow();
    this.followed(isOn);
  }
  all() { if (this.followed) this.follow(false); super.all(); }
  pan(part) { this.follow(false); super.pan(part); }
  zoom(factor, at) { this.follow(false); super.zoom(factor, at); }
  setCursor(time) {
    if (time < this.from || time > this.to) this.follow(false);
    super.setCursor(time);
  }
  move(event) {
    super.move(event);
    if (this.drag && this.drag.moved) this.follow(false);
  }
}

/** A flash panel whose slider's end moves on. */
class LiveFlash extends FlashPanel {
  constructor(track, name, moved) {
    super(track, name, moved);
    this.said.setAttribute("aria-live", "off"); // it would never be silent
  }
  get isAtEnd() { return this.done === Number(this.slider.max); }
  extend(rows, states) {
    for (const row of rows) this.track.operations.push(row);
    for (const [subject, list] of Object.entries(states)) {
      if (!Object.hasOwn(this.track.states, subject)) this.track.states[subject] = [];
      this.track.states[subject].push(...list);
    }
  }
  /** Shows what has come, unless somebody looks at an earlier moment. */
  show() {
    const wasAtEnd = this.isAtEnd, length = this.track.operations.length;
    this.slider.max = String(length);
    this.seek(wasAtEnd ? length : this.done, false);
  }
}

const LINK_FAULTS = [
  { fault: "link.blackhole", text: "nothing passes" },
  { fault: "link.loss", text: "frames are lost", measure: "percent", unit: "%", value: 20, least: 1, most: 100 },
  { fault: "link.corrupt", text: "frames have a wrong bit", measure: "percent", unit: "%", value: 5, least: 1, most: 100 },
  { fault: "link.duplicate", text: "frames come twice", measure: "percent", unit: "%", value: 20, least: 1, most: 100 },
  { fault: "link.latency", text: "frames are late", measure: "latency_ms", unit: "ms", value: 300, least: 0, most: 60000 },
  { fault: "link.rate", text: "the wire is slow", measure: "bits_per_second", unit: "bit/s", value: 64000, least: 1000, most: 1000000000 },
  { fault: "link.half_open", text: "open connections go dead" },
  { fault: "link.reset", text: "open connections are reset" },
];

function measureOf(fault) {
  const kind = LINK_FAULTS.find((one) => one.fault === fault.fault);
  return kind && kind.measure ? " " + fault[kind.measure] + " " + kind.unit : "";
}

function button(text, act, attributes = {}) {
  return el("button", { type: "button", onclick: act, ...attributes }, text);
}

function stateBadge(text, kind) {
  return el("span", { class: "badge " + kind }, text);
}

/** One device: what it is, what it does, and what may be done to it. call(command, arguments) gives a promise. */
class DeviceCard {
  constructor(name, call, watch) {
    this.name = name;
    this.call = call;
    const id = "card-" + name;
    this.badges = el("span", { class: "badges" });
    this.facts = el("div", {});
    this.problem = el("p", { class: "problem", hidden: true });
    this.said = el("p", { class: "said", role: "status" });
    this.failed = el("div", { class: "failed", role: "alert" });
    this.buttons = {};
    const act = (key, text, command, attributes) => (this.buttons[key] = button(text, () => this.run(command, { name }, text), attributes));
    this.faultKind = el("select", { onchange: () => this.showMeasure() }, LINK_FAULTS.map((one, i) => el("option", { value: i }, one.fault.slice(5) + ": " + one.text)));
    this.measure = el("input", { type: "number", "aria-label": "How much" });
    this.unit = el("span", { class: "muted" });
    this.armed = el("ul", { class: "armed", "aria-label": "Faults on the link of " + name });
    this.version = el("input", { type: "text", value: "", size: 8, spellcheck: "false", autocomplete: "off", onkeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); this.update(); } } });
    this.buttons.update = button("Start update", () => this.update(), { class: "main" });
    this.fields = el("fieldset", {}, el("legend", { class: "hidden-text" }, "What may be done to " + name),
      el("div", { class: "controls" }, act("start", "Power on", "device.start", { class: "main" }), act("stop", "Stop in order", "device.stop"),
        button("Show flash and console", watch)),
      el("div", { class: "controls danger", role: "group", "aria-label": "Break " + name }, el("span", { class: "label" }, "Break"),
        act("cut", "Power cut", "device.cut"), act("reset", "Reset", "device.reset"), act("kick", "Kick from the broker", "device.kick")),
      el("div", { class: "controls", role: "group", "aria-label": "Link of " + name }, el("label", {}, el("span", { class: "label" }, "Link"), this.faultKind), this.measure, this.unit,
        (this.buttons.arm = button("Arm", () => this.arm(), { "aria-label": "Arm this fault on the link of " + name })), this.armed),
      el("div", { class: "controls" }, el("label", {}, el("span", { class: "label" }, "Update to"), this.version), this.buttons.update));
    this.element = el("article", { class: "card", id, "data-device": name, "aria-labelledby": id + "-name" },
      el("header", {}, el("h3", { id: id + "-name" }, name), this.badges), this.facts, this.problem, this.fields, this.said, this.failed);
    this.showMeasure();
  }

  showMeasure() {
    const kind = LINK_FAULTS[Number(this.faultKind.value)];
    this.measure.hidden = !kind.measure;
    this.unit.textContent = kind.measure ? kind.unit : "";
    if (!kind.measure) return;
    this.measure.min = kind.least;
    this.measure.max = kind.most;
    this.measure.value = kind.value;
  }

  async run(command, args, what) {
    clear(this.failed);
    this.said.textContent = what + "…";
    try {
      const result = await this.call(command, args);
      this.said.textContent = what + ": done.";
      return result;
    } catch (error) {
      this.said.textContent = "";
      clear(this.failed, el("strong", {}, what + ": "), error.message, error.hint ? el("p", { class: "muted" }, error.hint) : null);
      return null;
    }
  }

  arm() {
    const kind = LINK_FAULTS[Number(this.faultKind.value)];
    const args = { device: this.name, fault: kind.fault };
    if (kind.measure) args[kind.measure] = Math.round(Number(this.measure.value));
    this.run("fault.arm", args, "Arm " + kind.fault);
  }

  async update() {
    const version = this.version.value.trim();
    const made = await this.run("job.update", { device: this.name, version }, "Update to " + version);
    if (made) this.said.textContent = "Job " + made.id + " offers " + made.version + ".";
  }

  show(device, faults) {
    this.device = device;
    const isOn = device.power === "on";
    clear(this.badges, stateBadge(device.power, isOn ? "good" : "warn"), " ", stateBadge(device.connected ? "connected" : "not connected", device.connected ? "good" : "warn"));
    clear(this.facts, facts([["runs", device.running ? device.running + (device.in_recovery ? " (recovery)" : "") : ""], ["board", device.board], ["groups", (device.groups || []).join(", ")]]));
    this.problem.hidden = !device.problem;
    this.problem.textContent = device.problem || "";
    this.buttons.start.disabled = device.power !== "off";
    this.buttons.stop.disabled = !isOn;
    this.buttons.cut.disabled = device.power === "off";
    this.buttons.reset.disabled = !isOn;
    this.buttons.kick.disabled = !device.connected;
    if (this.suggested !== device.running) this.suggest(device.running || device.factory_version);
    const text = JSON.stringify(faults);
    if (text === this.faultText) return; // a button under somebody's finger stays
    this.faultText = text;
    clear(this.armed, faults.map((fault) => el("li", {}, fault.fault + measureOf(fault) + " ",
      button("Clear", () => this.run("fault.clear", { id: fault.id }, "Clear " + fault.fault), { "aria-label": "Clear " + fault.fault + " of " + this.name }))));
  }

  /** The next minor version, unless somebody has written another one. */
  suggest(running) {
    const was = this.version.value;
    if (was && was !== this.offered) return;
    const parts = /^(\d+)\.(\d+)\.\d+/.exec(running || "");
    this.suggested = running;
    this.offered = parts ? parts[1] + "." + (Number(parts[2]) + 1) + ".0" : "1.1.0";
    this.version.value = this.offered;
  }
}

/** The jobs, the newest first. */
class JobTable {
  constructor(call) {
    this.call = call;
    this.failed = el("div", { class: "failed", role: "alert" });
    this.body = el("tbody", {});
    this.table = el("table", { id: "jobs" }, el("caption", { class: "hidden-text" }, "Jobs, the newest first"),
      el("thead", {}, el("tr", {}, ["Job", "Status", "Executions", "Action"].map((text) => el("th", { scope: "col" }, text)))), this.body);
    this.none = el("p", { class: "muted" }, "No jobs yet. Start an update of a device, or otasim job create.");
    this.fields = el("fieldset", {}, el("legend", { class: "hidden-text" }, "Jobs"), this.table);
    this.more = el("p", { class: "muted", id: "more-jobs", hidden: true });
    this.element = el("div", {}, this.none, this.fields, this.more, this.failed);
    this.show([], 0);
  }

  show(jobs, leftOff) {
    this.more.hidden = leftOff === 0;
    this.more.textContent = plural(leftOff, "older job") + " more: otasim job list";
    this.none.hidden = jobs.length > 0;
    this.fields.hidden = jobs.length === 0;
    const text = JSON.stringify(jobs);
    if (text === this.text) return;
    this.text = text;
    clear(this.body, jobs.map((job) => this.row(job)));
  }

  row(job) {
    const counts = Object.entries(job.counts || {}).filter(([, count]) => count > 0).map(([status, count]) => count + " " + status).join(", ");
    const isOver = ["COMPLETED", "CANCELED", "DELETION_IN_PROGRESS"].includes(job.status);
    const bad = ["FAILED", "REJECTED", "TIMED_OUT"].some((status) => (job.counts || {})[status] > 0);
    const kind = job.status === "COMPLETED" ? (bad ? "bad" : "good") : "warn";
    return el("tr", { "data-job": job.id }, el("td", { class: "mono" }, job.id), el("td", {}, stateBadge(job.status, kind)), el("td", {}, counts || "none"),
      el("td", {}, isOver ? el("span", { class: "muted" }, "over") : button("Cancel job", () => this.cancel(job), { class: "danger-button", "aria-label": "Cancel job " + job.id })));
  }

  async cancel(job) {
    clear(this.failed);
    try {
      // What a device has begun is canceled only by force.
      await this.call("job.cancel", { id: job.id, force: ((job.counts || {}).IN_PROGRESS || 0) > 0 });
    } catch (error) {
      clear(this.failed, el("strong", {}, "Cancel " + job.id + ": "), error.message, error.hint ? el("p", { class: "muted" }, error.hint) : null);
    }
  }
}
