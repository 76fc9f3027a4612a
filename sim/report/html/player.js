// Plays an asciicast, version 2: a terminal's screen, and the buttons under it. Nothing moves until it is asked to.

const MOST_COLUMNS = 400, MOST_ROWS = 200, MOST_PARAMETERS = 32;
const BASIC_COLOURS = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5", "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"];

/** A colour of the 256 that terminals have. */
function paletteColour(n) {
  if (n < 16) return BASIC_COLOURS[n];
  if (n >= 232) { const grey = 8 + 10 * (n - 232); return "rgb(" + [grey, grey, grey].join(",") + ")"; }
  const level = (part) => (part === 0 ? 0 : 55 + 40 * part);
  const at = n - 16;
  return "rgb(" + [level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6)].join(",") + ")";
}

/**
 * A terminal's screen: text, cursor moves, erasing, colours. Other sequences are passed over. What is written is
 * anybody's: parameters are bounded, and nothing grows but the one sequence that is not whole yet.
 */
class TerminalScreen {
  constructor(columns, rows) {
    this.columns = Math.min(MOST_COLUMNS, Math.max(1, columns | 0));
    this.rows = Math.min(MOST_ROWS, Math.max(1, rows | 0));
    this.reset();
  }

  reset() {
    this.cells = Array.from({ length: this.rows }, () => this.blankRow());
    this.x = this.y = 0;
    this.style = "";
    this.attributes = { fg: null, bg: null, bold: false, dim: false, underline: false, reverse: false };
    this.pending = "";
    this.mustScroll = false; // what ends the last row scrolls when something follows, so that a picture's end stays whole
    this.changed = new Set(this.cells.keys());
  }

  blankRow() {
    return Array.from({ length: this.columns }, () => [" ", ""]);
  }

  write(text) {
    const all = this.pending + text;
    this.pending = "";
    for (let i = 0; i < all.length;) {
      if (all[i] !== "\x1b") { i += this.character(all, i); continue; }
      const length = this.sequence(all, i);
      if (length === 0) { this.pending = all.slice(i, i + 256); return; }
      i += length;
    }
  }

  /** @returns how many code units it took */
  character(text, i) {
    const one = String.fromCodePoint(text.codePointAt(i));
    if (one === "\r") this.x = 0;
    else if (one === "\n") this.feed();
    else if (one === "\b") this.x = Math.max(0, this.x - 1);
    else if (one === "\t") this.x = Math.min(this.columns - 1, (this.x | 7) + 1);
    else if (one >= " " && one !== "\x7f") this.put(one);
    return one.length;
  }

  put(one) {
    this.scroll();
    if (this.x >= this.columns) { this.x = 0; this.feed(); this.scroll(); }
    this.cells[this.y][this.x++] = [one, this.style];
    this.changed.add(this.y);
  }

  feed() {
    if (this.y + 1 < this.rows) { ++this.y; return; }
    this.scroll();
    this.mustScroll = true;
  }

  scroll() {
    if (!this.mustScroll) return;
    this.mustScroll = false;
    this.cells.shift();
    this.cells.push(this.blankRow());
    for (let y = 0; y < this.rows; ++y) this.changed.add(y);
  }

  /** @returns its length; 0 if it is not whole yet */
  sequence(text, i) {
    if (i + 1 >= text.length) return 0;
    if (text[i + 1] === "]") {
      const end = text.slice(i).search(/\x07|\x1b\\/);
      return end < 0 ? (text.length - i > 4096 ? 2 : 0) : end + (text[i + end] === "\x07" ? 1 : 2);
    }
    if (text[i + 1] !== "[") return 2;
    let end = i + 2;
    while (end < text.length && /[0-?]/.test(text[end])) ++end;
    while (end < text.length && /[ -/]/.test(text[end])) ++end;
    if (end >= text.length) return end - i > 256 ? end - i : 0;
    this.control(text.slice(i + 2, end), text[end]);
    return end - i + 1;
  }

  control(parameters, final) {
    if (parameters.startsWith("?")) { if (parameters === "?1049" && final === "h") this.erase(2); return; }
    const numbers = parameters.split(";", MOST_PARAMETERS).map((part) => Math.min(65535, parseInt(part, 10) || 0));
    const by = Math.max(1, numbers[0]);
    const moves = {
      A: () => this.go(this.x, this.y - by), B: () => this.go(this.x, this.y + by), C: () => this.go(this.x + by, this.y), D: () => this.go(this.x - by, this.y),
      G: () => this.go(by - 1, this.y), d: () => this.go(this.x, by - 1),
      H: () => this.go(Math.max(1, numbers[1] || 1) - 1, by - 1), f: () => this.go(Math.max(1, numbers[1] || 1) - 1, by - 1),
      J: () => this.erase(numbers[0]), K: () => this.eraseLine(this.y, numbers[0]), m: () => this.render(numbers),
    };
    if (!Object.hasOwn(moves, final)) return;
    if (final !== "m") this.scroll();
    moves[final]();
  }

  go(x, y) {
    this.x = Math.min(this.columns - 1, Math.max(0, x));
    this.y = Math.min(this.rows - 1, Math.max(0, y));
  }

  erase(what) {
    if (what < 2) this.eraseLine(this.y, what);
    const from = what === 0 ? this.y + 1 : 0, to = what === 1 ? this.y : this.rows;
    for (let y = from; y < to; ++y) this.eraseLine(y, 2);
  }

  eraseLine(y, what) {
    const from = what === 0 ? this.x : 0, to = what === 1 ? Math.min(this.columns, this.x + 1) : this.columns;
    for (let x = from; x < to; ++x) this.cells[y][x] = [" ", this.attributes.bg ? this.style : ""];
    this.changed.add(y);
  }

  /** Select graphic rendition. */
  render(numbers) {
    const a = this.attributes;
    for (let i = 0; i < numbers.length; ++i) {
      const n = numbers[i];
      if (n === 0) Object.assign(a, { fg: null, bg: null, bold: false, dim: false, underline: false, reverse: false });
      else if (n === 1) a.bold = true;
      else if (n === 2) a.dim = true;
      else if (n === 4) a.underline = true;
      else if (n === 7) a.reverse = true;
      else if (n === 22) a.bold = a.dim = false;
      else if (n === 24) a.underline = false;
      else if (n === 27) a.reverse = false;
      else if (n === 38 || n === 48) {
        const isPalette = numbers[i + 1] === 5;
        const colour = isPalette ? paletteColour(Math.min(255, numbers[i + 2] || 0)) : numbers[i + 1] === 2 ? "rgb(" + [2, 3, 4].map((k) => Math.min(255, numbers[i + k] || 0)).join(",") + ")" : null;
        a[n === 38 ? "fg" : "bg"] = colour;
        i += isPalette ? 2 : numbers[i + 1] === 2 ? 4 : 0;
      } else if (n === 39) a.fg = null;
      else if (n === 49) a.bg = null;
      else if (n >= 30 && n <= 37) a.fg = paletteColour(n - 30);
      else if (n >= 40 && n <= 47) a.bg = paletteColour(n - 40);
      else if (n >= 90 && n <= 97) a.fg = paletteColour(n - 82);
      else if (n >= 100 && n <= 107) a.bg = paletteColour(n - 92);
    }
    const [fg, bg] = a.reverse ? [a.bg || "#101418", a.fg || "#e4e9ee"] : [a.fg, a.bg];
    this.style = fg || bg || a.bold || a.dim || a.underline ? JSON.stringify([fg, bg, a.bold, a.dim, a.underline]) : "";
  }

  text() {
    return this.cells.map((row) => row.map((cell) => cell[0]).join("").trimEnd()).join("\n").trimEnd();
  }

  /** Puts what has changed since the last call on the page. */
  show(element) {
    while (element.childElementCount < this.rows) element.append(el("div", { class: "terminal-row" }));
    for (const y of this.changed) {
      const runs = [];
      let style = null, text = "";
      const end = () => { if (text) runs.push(this.run(text, style)); };
      for (const [one, its] of this.cells[y]) {
        if (its !== style) { end(); style = its; text = ""; }
        text += one;
      }
      end();
      element.children[y].replaceChildren(...runs);
    }
    this.changed.clear();
  }

  run(text, style) {
    const span = el("span", {}, text);
    if (!style) return span;
    const [fg, bg, bold, dim, underline] = JSON.parse(style);
    if (fg) span.style.color = fg;
    if (bg) span.style.background = bg;
    if (bold) span.style.fontWeight = "700";
    if (dim) span.style.opacity = "0.7";
    if (underline) span.style.textDecoration = "underline";
    return span;
  }
}

/** Reads a cast. Lines that are no events are passed over. @returns null if it is none of version 2 */
function parseCast(text) {
  const lines = text.split("\n");
  let header;
  try { header = JSON.parse(lines[0]); } catch { return null; }
  if (!header || header.version !== 2 || !(header.width > 0) || !(header.height > 0)) return null;
  const idle = header.idle_time_limit > 0 ? header.idle_time_limit : Infinity;
  const events = [];
  let at = 0, before = 0;
  for (const line of lines.slice(1)) {
    let event;
    try { event = JSON.parse(line); } catch { continue; }
    if (!Array.isArray(event) || !Number.isFinite(event[0]) || typeof event[2] !== "string" || (event[1] !== "o" && event[1] !== "m")) continue;
    at += Math.min(idle, Math.max(0, event[0] - before));
    before = Math.max(before, event[0]);
    events.push({ at, kind: event[1], text: event[2] });
  }
  return { columns: header.width, rows: header.height, events, length: at, markers: events.filter((event) => event.kind === "m") };
}

/** Keys: Space plays, arrows move by five seconds, [ and ] by steps, Home and End. */
class CastPlayer {
  constructor(cast) {
    this.cast = cast;
    this.screen = new TerminalScreen(cast.columns, cast.rows);
    this.next = 0;
    this.at = 0;
    this.speed = 1;
    this.isPlaying = false;
    this.terminal = el("div", { class: "terminal", role: "img", id: "terminal" });
    this.terminal.style.setProperty("--columns", this.screen.columns);
    this.button = el("button", { type: "button", id: "cast-play", onclick: () => this.toggle() }, "▶ Play");
    this.slider = el("input", { type: "range", id: "cast-slider", min: "0", max: String(Math.round(cast.length * 1000)), value: "0", "aria-label": "Place in the recording", oninput: () => { this.pause(); this.seek(Number(this.slider.value) / 1000); } });
    this.said = el("span", { class: "mono muted", id: "cast-time" });
    const speed = el("select", { id: "cast-speed", onchange: () => { this.speed = Number(speed.value); } }, [0.5, 1, 2, 4, 8].map((one) => el("option", { value: one, selected: one === 1 }, one + "×")));
    const step = (label, title, act) => el("button", { type: "button", title, "aria-label": title, onclick: act }, label);
    this.steps = el("ol", { class: "steps", id: "cast-steps" }, cast.markers.map((marker) => el("li", {}, el("button", { type: "button", onclick: () => { this.pause(); this.seek(marker.at); } }, this.clock(marker.at) + " ", marker.text || "step"))));
    this.element = el("div", { class: "player", role: "group", "aria-label": "Recording", onkeydown: (e) => this.key(e) },
      el("div", { class: cast.markers.length ? "player-main" : "" },
        el("div", { class: "terminal-frame", role: "group", tabindex: "0", "aria-label": "Terminal; Space plays, arrow keys move" }, this.terminal),
        cast.markers.length ? el("div", { class: "step-list", tabindex: "0", role: "group", "aria-label": "Steps" }, this.steps) : null),
      el("div", { class: "slider no-print" }, this.button, step("«", "The step before", () => this.toMarker(-1)), step("»", "The next step", () => this.toMarker(1)), this.slider, this.said, el("label", {}, el("span", { class: "hidden-text" }, "Speed"), speed)),
      el("details", { ontoggle: (e) => { if (e.target.open) this.tell(); } }, el("summary", {}, "The screen as text"), this.transcript = el("pre", { id: "cast-text" })));
    this.seek(cast.length);
  }

  clock(at) {
    return Math.floor(at / 60) + ":" + (at % 60).toFixed(1).padStart(4, "0");
  }

  /** Shows the screen as it was at a time. */
  seek(at) {
    at = Math.min(this.cast.length, Math.max(0, at));
    if (at < this.at) { this.screen.reset(); this.next = 0; }
    const events = this.cast.events;
    for (; this.next < events.length && events[this.next].at <= at; ++this.next) if (events[this.next].kind === "o") this.screen.write(events[this.next].text);
    this.at = at;
    this.screen.show(this.terminal);
    this.slider.value = String(Math.round(at * 1000));
    this.said.textContent = this.clock(at) + " / " + this.clock(this.cast.length);
    const passed = this.cast.markers.filter((marker) => marker.at <= at);
    const step = passed.length ? ", at the step: " + passed[passed.length - 1].text : "";
    this.slider.setAttribute("aria-valuetext", this.clock(at) + " of " + this.clock(this.cast.length) + step);
    this.terminal.setAttribute("aria-label", "The recorded terminal at " + this.clock(at) + step + ". Its text is below.");
    [...this.steps.children].forEach((one, i) => one.classList.toggle("now", i === passed.length - 1));
    if (this.transcript && this.transcript.parentElement.open) this.tell();
  }

  tell() {
    this.transcript.textContent = this.screen.text();
  }

  toggle() {
    if (this.isPlaying) return this.pause();
    if (this.at >= this.cast.length) this.seek(0);
    this.isPlaying = true;
    this.button.textContent = "⏸ Pause";
    let before = performance.now();
    // Who wants less motion sees a picture a second.
    const least = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 0;
    const tick = (now) => {
      if (!this.isPlaying) return;
      if (now - before >= least) {
        this.seek(this.at + (Math.max(0, now - before) / 1000) * this.speed);
        before = now;
      }
      if (this.at >= this.cast.length) return this.pause();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause() {
    this.isPlaying = false;
    this.button.textContent = "▶ Play";
  }

  toMarker(direction) {
    this.pause();
    const times = this.cast.markers.map((marker) => marker.at);
    const to = direction > 0 ? times.find((at) => at > this.at + 0.001) : times.reverse().find((at) => at < this.at - 0.001);
    this.seek(to === undefined ? (direction > 0 ? this.cast.length : 0) : to);
  }

  key(event) {
    const isControl = /^(BUTTON|SELECT|INPUT|SUMMARY)$/.test(event.target.tagName);
    const act = { " ": () => this.toggle(), ArrowLeft: () => this.seek(this.at - 5), ArrowRight: () => this.seek(this.at + 5), "[": () => this.toMarker(-1), "]": () => this.toMarker(1), Home: () => this.seek(0), End: () => this.seek(this.cast.length) }[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey || (isControl && event.key !== "[" && event.key !== "]")) return;
    event.preventDefault();
    act();
  }
}
