// The panels of a run: lists that hold any number of rows, the timeline, the flash map.

const ROW_HEIGHT = 22;
const MOST_PIXELS = 8000000; // browsers end an element's height not far above
const MOST_TEXT = 400; // of a row; the detail shows the whole

/**
 * A list box of which only the rows in sight are elements. Keys: arrows, Page Up and Down, Home, End; Enter chooses.
 * draw(row, element) fills an element; choose(row) is told what was chosen. A row's element stays as long as
 * identity(row) does, so that a press begun on it ends on it, and text marked in it stays marked.
 */
class VirtualList {
  constructor(id, label, draw, choose, identity = (row) => row) {
    this.draw = draw;
    this.choose = choose;
    this.identity = identity;
    this.rows = new Map(); // those in sight, by number
    this.count = 0;
    this.active = -1;
    this.id = id;
    this.space = el("div", { class: "space", role: "presentation" });
    this.element = el("div", { class: "list", id, role: "listbox", tabindex: "0", "aria-label": label, onscroll: () => this.plan(), onkeydown: (e) => this.key(e) }, this.space);
    new ResizeObserver(() => this.plan()).observe(this.element);
  }

  setCount(count) {
    this.count = count;
    this.active = -1;
    for (const row of this.rows.values()) row.shows = undefined;
    this.element.removeAttribute("aria-activedescendant");
    this.height = Math.min(count * ROW_HEIGHT, MOST_PIXELS);
    this.space.style.height = this.height + "px";
    this.element.scrollTop = 0;
    this.show();
  }

  /** Draws once a frame, however often it is asked. */
  plan() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => { this.planned = false; this.show(); });
  }

  /** Rows per pixel of scrolling: 1 / ROW_HEIGHT unless the list is too long for that. */
  get scale() {
    const room = this.element.clientHeight;
    return this.height > room ? (this.count - room / ROW_HEIGHT) / (this.height - room) : 1 / ROW_HEIGHT;
  }

  show() {
    const top = this.element.scrollTop;
    const first = Math.max(0, Math.floor(top * this.scale));
    const last = Math.min(this.count, first + Math.ceil(this.element.clientHeight / ROW_HEIGHT) + 2);
    const offset = top - (top * this.scale - first) * ROW_HEIGHT;
    for (const [i, row] of this.rows) {
      if (i >= first && i < last) continue;
      row.remove();
      this.rows.delete(i);
    }
    for (let i = last - 1, next = null; i >= first; --i) {
      const row = this.row(i);
      row.style.top = offset + (i - first) * ROW_HEIGHT + "px";
      if (row.parentNode !== this.space) this.space.insertBefore(row, next);
      next = row;
    }
    if (this.active >= first && this.active < last) this.element.setAttribute("aria-activedescendant", this.id + "-" + this.active);
  }

  /** The element of a row, which says what the row says now. */
  row(i) {
    let row = this.rows.get(i);
    if (!row) {
      row = el("div", { role: "option", id: this.id + "-" + i, "aria-posinset": i + 1, onclick: () => this.pick(i, true) });
      this.rows.set(i, row);
    }
    const shows = this.identity(i);
    if (row.shows !== shows) {
      row.shows = shows;
      row.className = "row";
      row.removeAttribute("title");
      clear(row);
      this.draw(i, row);
    }
    row.setAttribute("aria-setsize", this.count);
    row.setAttribute("aria-selected", i === this.active ? "true" : "false");
    return row;
  }

  /** Brings a row into sight and marks it. */
  pick(i, isUsers = false) {
    if (i < 0 || i >= this.count) return;
    this.active = i;
    const room = Math.floor(this.element.clientHeight / ROW_HEIGHT);
    const first = this.element.scrollTop * this.scale;
    if (i < first || i >= first + room - 1) this.element.scrollTop = Math.max(0, (i < first && isUsers ? i : i - room / 2) / this.scale);
    this.show();
    if (isUsers) this.choose(i);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 1);
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: this.count - 1, Enter: this.active }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.pick(Math.min(this.count - 1, Math.max(0, to)), true);
  }
}

/** The lanes over time. Wheel and + - zoom, drag and arrows move, 0 shows all; a click chooses the nearest moment. */
class Timeline {
  constructor(model, choose, lanes = LANES) {
    this.model = model;
    this.choose = choose;
    this.lanes = lanes;
    this.rows = null;
    this.cursor = null;
    this.canvas = el("canvas", { id: "timeline", tabindex: "0", role: "img", onkeydown: (e) => this.key(e), onwheel: (e) => this.wheel(e), onpointerdown: (e) => this.down(e), onpointermove: (e) => this.move(e), onpointerup: (e) => this.up(e) });
    this.range = el("span", { class: "muted mono", id: "timeline-range", role: "status" });
    this.all();
    new ResizeObserver(() => this.plan()).observe(this.canvas);
    onThemeChange(() => this.plan());
  }

  all() {
    const margin = (this.model.end - this.model.begin) * 0.01;
    this.setView(this.model.begin - margin, this.model.end + margin);
  }

  setRows(rows) {
    this.rows = rows;
    this.plan();
  }

  setCursor(time) {
    this.cursor = time;
    if (time < this.from || time > this.to) {
      const half = (this.to - this.from) / 2;
      this.setView(time - half, time + half);
    }
    this.plan();
  }

  setView(from, to) {
    const whole = (this.model.end - this.model.begin) * 1.02, least = 20;
    let length = Math.min(Math.max(to - from, least), whole);
    const middle = (from + to) / 2;
    this.from = Math.max(this.model.begin - whole * 0.01, middle - length / 2);
    this.to = this.from + length;
    this.plan();
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    this.setView(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  plan() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => { this.planned = false; this.show(); });
  }

  get left() { return 124; }
  timeAt(x) { return this.from + ((x - this.left) / (this.canvas.clientWidth - this.left)) * (this.to - this.from); }
  xAt(time) { return this.left + ((time - this.from) / (this.to - this.from)) * (this.canvas.clientWidth - this.left); }

  show() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (width < this.left + 10) return;
    const c = fitCanvas(this.canvas, width, height);
    const laneHeight = (height - 24) / this.lanes.length;
    const text = colour("text"), muted = colour("muted"), line = colour("line"), bad = colour("bad"), warn = colour("warn");
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "middle";
    this.lanes.forEach((lane, i) => {
      c.fillStyle = line;
      c.fillRect(0, Math.round((i + 1) * laneHeight), width, 1);
      c.fillStyle = colour("lane-" + lane);
      c.fillRect(0, Math.round(i * laneHeight) + 1, 4, Math.round(laneHeight) - 1);
      c.fillStyle = text;
      c.fillText(LANE_LABELS[lane], 12, (i + 0.5) * laneHeight);
    });
    this.drawScale(c, width, height, muted, line);
    const shown = this.rows ? this.drawMoments(c, width, laneHeight, bad, warn) : 0;
    if (this.cursor !== null && this.cursor >= this.from && this.cursor <= this.to) {
      c.fillStyle = text;
      c.fillRect(Math.round(this.xAt(this.cursor)), 0, 1, height - 22);
    }
    this.range.textContent = seconds(Math.max(0, Math.round(this.from))) + " to " + seconds(Math.round(this.to)) + ", " + plural(shown, "moment");
    this.canvas.setAttribute("aria-label", "Timeline, " + this.range.textContent + ". The list of events has the same.");
  }

  drawScale(c, width, height, muted, line) {
    const about = (this.to - this.from) / Math.max(2, (width - this.left) / 110);
    const power = 10 ** Math.floor(Math.log10(about));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= about);
    for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
      const x = Math.round(this.xAt(at));
      if (x < this.left) continue;
      c.fillStyle = line;
      c.fillRect(x, 0, 1, height - 20);
      c.fillStyle = muted;
      c.fillText(step >= 1e6 ? (at / 1e6).toFixed(0) + " s" : step >= 1e3 ? (at / 1e3).toFixed(0) + " ms" : at.toFixed(0) + " µs", x + 3, height - 10);
    }
  }

  drawMoments(c, width, laneHeight, bad, warn) {
    const model = this.model, rows = this.rows;
    const first = model.lowerBound(this.from, rows), last = model.lowerBound(this.to, rows);
    // Of what falls on one pixel of a lane one stroke is drawn, the most important.
    const columns = Math.max(1, Math.ceil(width - this.left) + 1);
    const strokes = new Uint8Array(columns * this.lanes.length), rowOf = LANES.map((lane) => this.lanes.indexOf(lane));
    for (let k = first; k < last; ++k) {
      const i = rows[k], row = rowOf[model.lane[i]];
      if (row < 0) continue;
      const at = row * columns + Math.min(columns - 1, Math.max(0, Math.round(this.xAt(model.time[i]) - this.left)));
      strokes[at] = Math.max(strokes[at], 1 + (model.mark[i] === 2 ? 2 : model.mark[i]));
    }
    for (let lane = 0; lane < this.lanes.length; ++lane) {
      const plain = colour("lane-" + this.lanes[lane]);
      for (let column = 0; column < columns; ++column) {
        const stroke = strokes[lane * columns + column];
        if (!stroke) continue;
        const x = this.left + column, y = lane * laneHeight;
        c.fillStyle = stroke === 1 ? plain : stroke === 2 ? warn : bad;
        c.fillRect(x - 1, y + (stroke === 1 ? laneHeight * 0.25 : 2), 2, stroke === 1 ? laneHeight * 0.5 : laneHeight - 4);
        if (stroke > 1) { c.beginPath(); c.moveTo(x - 5, y + 1); c.lineTo(x + 5, y + 1); c.lineTo(x, y + 9); c.fill(); }
      }
    }
    return last - first;
  }

  /** The shown moment that is nearest to a place, of the lane there if it has one. */
  nearest(x, y) {
    if (!this.rows || this.rows.length === 0) return -1;
    const time = this.timeAt(x), lane = LANES.indexOf(this.lanes[Math.floor(y / ((this.canvas.clientHeight - 24) / this.lanes.length))]);
    const around = this.model.lowerBound(time, this.rows), reach = 20000;
    let best = -1, distance = Infinity;
    for (let k = Math.max(0, around - reach); k < Math.min(this.rows.length, around + reach); ++k) {
      const i = this.rows[k];
      const away = Math.abs(this.model.time[i] - time) + (this.model.lane[i] === lane ? 0 : 1e15);
      if (away < distance) { distance = away; best = i; }
    }
    return best;
  }

  wheel(event) {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan((event.deltaX || event.deltaY) / this.canvas.clientWidth);
    else this.zoom(Math.exp(event.deltaY / 400), this.timeAt(event.offsetX));
  }
  pan(part) { const by = (this.to - this.from) * part; this.setView(this.from + by, this.to + by); }
  down(event) { this.drag = { x: event.offsetX, from: this.from, to: this.to, moved: false }; this.canvas.setPointerCapture(event.pointerId); }
  move(event) {
    if (!this.drag) return;
    const by = ((this.drag.x - event.offsetX) / (this.canvas.clientWidth - this.left)) * (this.drag.to - this.drag.from);
    if (Math.abs(this.drag.x - event.offsetX) > 3) this.drag.moved = true;
    if (this.drag.moved) this.setView(this.drag.from + by, this.drag.to + by);
  }
  up(event) {
    const { moved } = this.drag || { moved: true };
    this.drag = null;
    const i = moved ? -1 : this.nearest(event.offsetX, event.offsetY);
    if (i >= 0) this.choose(i);
  }
  key(event) {
    const act = { "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.all(), ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2) }[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  }
}

/** The map of one device's flash, and what it held, at the operation that the slider says. */
class FlashPanel {
  constructor(track, name, moved) {
    this.track = track;
    this.part = new PartModel(track);
    this.moved = moved;
    const last = track.operations.length;
    this.slider = el("input", { type: "range", id: "flash-slider", min: "0", max: String(last), value: String(last), "aria-label": "Flash operations done", oninput: () => this.seek(Number(this.slider.value), true) });
    this.said = el("p", { id: "operation", role: "status", class: "mono" });
    this.canvas = el("canvas", { id: "flash-map", role: "img" });
    this.mode = el("select", { id: "flash-mode", onchange: () => this.draw() }, el("option", { value: "content" }, "what is programmed"), el("option", { value: "wear" }, "erases in this run"));
    this.holds = el("div", { id: "flash-table" });
    this.journal = el("div", { id: "flash-journal" });
    const step = (label, title, find) => el("button", { type: "button", title, "aria-label": title, onclick: () => this.seek(find(), true) }, label);
    this.element = el("div", { role: "group", "aria-label": "Flash of " + name },
      el("div", { class: "slider no-print" },
        step("|‹", "Before the first operation", () => 0),
        step("«", "The boot record before", () => this.findRecord(-1)),
        step("‹", "One operation back", () => this.done - 1),
        this.slider,
        step("›", "One operation on", () => this.done + 1),
        step("»", "The next boot record", () => this.findRecord(1)),
        step("›|", "After the last operation", () => this.track.operations.length)),
      this.said,
      el("div", { class: "tools" }, el("label", {}, "Colours show", this.mode), this.legend = el("span", { class: "muted", id: "flash-legend" })),
      this.canvas, this.holds, this.journal);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    onThemeChange(() => this.draw());
    this.seek(last, false);
  }

  findRecord(direction) {
    const operations = this.track.operations;
    for (let i = this.done + direction; i >= 1 && i <= operations.length; i += direction) {
      const partition = !isOtp(this.track, operations[i - 1]) && partitionAt(this.track, operations[i - 1][4]);
      if (partition && partition[0].startsWith("boot-control")) return i;
    }
    return direction < 0 ? 0 : operations.length;
  }

  /** Goes to the operation that was done last at a time. */
  seekTime(time) {
    const operations = this.track.operations;
    let low = 0, high = operations.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (operations[middle][0] <= time) low = middle + 1; else high = middle;
    }
    this.seek(low, false);
  }

  seek(done, isUsers) {
    this.done = Math.min(this.track.operations.length, Math.max(0, done));
    this.part.seek(this.done);
    this.slider.value = String(this.done);
    const row = this.done ? this.track.operations[this.done - 1] : null;
    const text = row ? "operation " + this.done + " of " + this.track.operations.length + ", " + seconds(row[0]) + ": " + operationText(this.track, this.done - 1) : "before the first of " + plural(this.track.operations.length, "operation");
    this.said.textContent = text;
    this.said.classList.toggle("bad", Boolean(row && row[2] !== 0));
    this.slider.setAttribute("aria-valuetext", text);
    this.draw();
    this.tell();
    if (isUsers && row) this.moved(row[0]);
  }

  /** Where each partition's sectors are drawn. */
  layout(width) {
    const left = 150, least = 7, gap = 2;
    const columns = Math.max(16, Math.min(128, Math.floor((width - left - 6) / least)));
    const cell = (width - left - 6) / columns;
    const height = Math.max(8, Math.min(12, cell));
    let y = 6;
    const rows = this.track.partitions.map((partition) => {
      const first = partition[1] / this.track.part.sector, count = partition[2] / this.track.part.sector;
      const at = y, lines = Math.ceil(count / columns);
      y += Math.max(14, lines * height) + gap;
      return { partition, first, count, y: at };
    });
    return { left, columns, cell, height, rows, total: y + 4 };
  }

  draw() {
    const width = this.canvas.clientWidth;
    if (width < 200 || !this.part) return;
    const plan = this.layout(width);
    this.canvas.style.height = plan.total + "px";
    const c = fitCanvas(this.canvas, width, plan.total);
    const isWear = this.mode.value === "wear";
    const row = this.done ? this.track.operations[this.done - 1] : null;
    const current = row && row[6] && !isOtp(this.track, row) ? Math.floor(row[4] / this.track.part.sector) : -1;
    const most = isWear ? Math.max(1, this.part.erases.reduce((a, b) => Math.max(a, b), 0)) : 0;
    const ground = colour("ground"), line = colour("line"), old = colour("muted"), fresh = colour("accent"), hot = colour("bad"), text = colour("text");
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "top";
    let digest = 0;
    for (const { partition, first, count, y } of plan.rows) {
      c.fillStyle = text;
      c.fillText(partition[0], 6, y);
      for (let i = 0; i < count; ++i) {
        const x = plan.left + (i % plan.columns) * plan.cell, top = y + Math.floor(i / plan.columns) * plan.height;
        const { used, isNew } = this.part.sector(first + i);
        const level = isWear ? this.part.erases[first + i] / most : used / this.part.pagesPerSector;
        digest = (digest * 31 + used * 2 + (isNew ? 1 : 0) + this.part.erases[first + i]) % 4294967291;
        c.globalAlpha = 1;
        c.fillStyle = ground;
        c.fillRect(x, top, plan.cell - 1, plan.height - 1);
        if (level > 0) {
          c.globalAlpha = 0.3 + 0.7 * level;
          c.fillStyle = isWear ? hot : isNew ? fresh : old;
          c.fillRect(x, top, plan.cell - 1, plan.height - 1);
          c.globalAlpha = 1;
        } else { c.strokeStyle = line; c.lineWidth = 0.5; c.strokeRect(x + 0.25, top + 0.25, plan.cell - 1.5, plan.height - 1.5); }
        if (first + i === current) { c.strokeStyle = text; c.lineWidth = 2; c.strokeRect(x, top, plan.cell - 1, plan.height - 1); }
      }
    }
    // For those who cannot see it, and for tests: another map has another one.
    this.canvas.dataset.digest = String(digest);
    this.canvas.setAttribute("aria-label", "Map of the flash after operation " + this.done + "; the table below says the same.");
    clear(this.legend, ...(isWear ? [this.swatch(hot), " erased in this run, at most " + most + " times"] : [this.swatch(old), " programmed before the run  ", this.swatch(fresh), " in it  ", this.swatch(ground), " erased"]));
  }

  swatch(fill) {
    const swatch = el("span", { class: "swatch" });
    swatch.style.background = fill;
    return swatch;
  }

  tell() {
    const kib = (bytes) => (bytes / 1024).toFixed(bytes % 1024 ? 1 : 0) + " KiB";
    const rows = this.track.partitions.map((partition) => {
      const { used, erases } = this.part.partition(partition);
      return [partition[0], kib(used) + " of " + kib(partition[2]), String(erases), this.content(partition[0])];
    });
    rows.push(["otp", "", "", this.otp()]);
    clear(this.holds, table("What the flash holds after operation " + this.done, ["Partition", "Programmed", "Erases", "Content"], rows, { class: "holds" }));
    const boot = this.part.state("boot-control", this.done);
    clear(this.journal, boot ? this.records(boot) : null);
  }

  content(name) {
    if (name.startsWith("boot-control")) {
      const boot = this.part.state("boot-control", this.done);
      const force = boot && boot.in_force;
      return force && force.partition === name ? "in force: " + recordText(force) + (boot.settled ? ", settled" : ", not settled yet") : "";
    }
    const slot = this.part.state(name, this.done);
    if (!slot) return "";
    if (!slot.image) return slot.used_bytes ? slot.problem || "no image" : "erased";
    const verified = slot.image.verifies ? "verifies with " + slot.image.signer : "does not verify" + (slot.image.problem ? ": " + slot.image.problem : "");
    return slot.image.kind + " " + slot.image.version + ", counter " + slot.image.security_counter + ", " + verified;
  }

  otp() {
    const otp = this.part.state("otp", this.done);
    if (!otp) return "";
    const revoked = otp.revoked_signers.length ? ", revoked signers " + otp.revoked_signers.join(", ") : "";
    return "floor " + otp.application.floor + " for applications, " + otp.recovery.floor + " for recovery images, " + plural(otp.burned_bits, "bit") + " burned" + revoked;
  }

  records(boot) {
    const rows = [];
    for (const [partition, pages] of Object.entries(boot.pages)) {
      for (const [page, record] of Object.entries(pages)) {
        const isInForce = boot.in_force && boot.in_force.partition === partition && String(boot.in_force.page).padStart(2, "0") === page;
        rows.push(el("tr", isInForce ? { class: "in-force" } : {}, [partition + " " + page, record.problem ? "" : String(record.sequence), record.problem ? "" : record.role, record.problem || recordText(record) + (isInForce ? " (in force)" : "")].map((text) => el("td", {}, text))));
      }
    }
    return el("details", {}, el("summary", {}, "Boot control: " + plural(rows.length, "page") + " that are not blank"),
      table("The journal, page by page", ["Page", "Sequence", "Role", "Says"], rows, { class: "journal" }));
  }
}

function recordText(record) {
  const image = (one) => (one ? " " + one.version : "");
  let text = "committed " + record.committed_slot + image(record.committed);
  if (record.staged_slot !== "none") text += ", staged " + record.staged_slot + image(record.staged) + " " + record.staged_state + ", attempts " + record.attempts;
  if (record.reject_reason && record.reject_reason !== "none") text += ", rejected: " + record.reject_reason;
  return text;
}

/** A payload in words: JSON is set out, CBOR decoded; what is neither is shown as it is. */
function payloadText(members) {
  if (typeof members.payload === "string") {
    try { return ["JSON", JSON.stringify(JSON.parse(members.payload), null, 2)]; } catch { return ["text", members.payload]; }
  }
  if (typeof members.payload_hex === "string") {
    const bytes = Uint8Array.from(members.payload_hex.match(/[0-9a-f]{2}/gi) || [], (pair) => parseInt(pair, 16));
    if (members.payload_bytes) return ["bytes", members.payload_hex];
    try { return ["CBOR", JSON.stringify(decodeCbor(bytes), null, 2)]; } catch (error) { return ["bytes (no CBOR: " + error.message + ")", members.payload_hex]; }
  }
  return null;
}

/** All of one moment. */
function momentDetail(model, i) {
  const members = model.members(i);
  const words = model.summary.words;
  const items = [["time", seconds(model.time[i])], ["event", model.name(i)]];
  if (model.isEvent(i)) items.push(["n", String(model.number(i))]);
  const payload = payloadText(members);
  const blocks = [];
  for (const [name, value] of Object.entries(members)) {
    if (name === "payload" || name === "payload_hex") continue;
    if (value !== null && typeof value === "object") blocks.push(el("h3", {}, name), el("pre", {}, JSON.stringify(value, null, 2)));
    else items.push([name, short(value)]);
  }
  const known = inWords(words, JSON.stringify(members));
  if (known) blocks.unshift(el("p", {}, el("strong", {}, "In words: "), known));
  if (payload) blocks.push(el("h3", {}, "payload, " + payload[0] + (members.payload_bytes ? " (cut; it has " + members.payload_bytes + " bytes)" : "")), el("pre", {}, payload[1]));
  return [el("dl", {}, items.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { class: "mono" }, value)])), ...blocks];
}
