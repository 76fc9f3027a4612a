// A run as the panels see it: one sequence of moments (events, flash operations, frames) on one clock.

const LANES = ["scenario", "cloud", "messages", "link", "boot", "console", "flash"];
const LANE_LABELS = { scenario: "Scenario", cloud: "Cloud", messages: "MQTT and HTTP", link: "Link", boot: "Boot and power", console: "Console", flash: "Flash" };
const MESSAGE_EVENTS = new Set(["mqtt_request", "mqtt_answer", "mqtt_message", "stream_request", "object_request", "api_request"]);
const FROM_EVENTS = 0, FROM_FLASH = 1, FROM_FRAMES = 2;

function laneOf(name) {
  const [source, event] = name.split(".");
  switch (source) {
    case "run": return "scenario";
    case "cloud": return MESSAGE_EVENTS.has(event) ? "messages" : "cloud";
    case "broker": return "messages";
    case "link": return "link";
    case "uart": return "console";
    case "flash": return "flash";
    case "boot": case "device": return "boot";
    default: return "scenario";
  }
}

function seconds(us) {
  return (us / 1e6).toFixed(us % 1000 === 0 && us !== 0 ? 3 : 6) + " s";
}

function hex(number) {
  return "0x" + number.toString(16);
}

/** A value in one line. */
function short(value) {
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

class RunModel {
  constructor(summary, flash, frames) {
    this.summary = summary;
    this.flash = flash;
    this.frames = frames;
    this.names = summary.names;
    this.events = [];
    this.texts = null;
  }

  /** Takes a chunk of event rows. */
  addEvents(rows) {
    for (const row of rows) this.events.push(row);
  }

  /** Lays events, operations and frames on one clock; call when all events are here. */
  settle() {
    const laneNumber = this.names.map((name) => LANES.indexOf(laneOf(name)));
    const isFault = this.names.map((name) => /\.(fault|fault_failed|strikes_lost)$/.test(name));
    const isFailure = this.names.map((name) => /^(run\.(failed|verdict)|boot\.(halt|reject|refused|failure))$/.test(name));
    const moments = [];
    const events = this.events;
    let count = events.length;
    this.flash.forEach((track) => { count += track.operations ? track.operations.length : 0; });
    this.frames.forEach((capture) => { count += capture.rows.length; });
    this.count = count;
    this.time = new Float64Array(count);
    this.lane = new Uint8Array(count);
    this.mark = new Uint8Array(count); // 1: fault, 2: failure
    this.from = new Uint8Array(count);
    this.device = new Int16Array(count);
    this.index = new Uint32Array(count);
    let at = 0;
    const put = (time, lane, mark, from, device, index) => {
      this.time[at] = time; this.lane[at] = lane; this.mark[at] = mark;
      this.from[at] = from; this.device[at] = device; this.index[at] = index;
      ++at;
    };
    events.forEach((row, i) => put(row[0], laneNumber[row[1]], isFault[row[1]] ? 1 : isFailure[row[1]] ? 2 : 0, FROM_EVENTS, 0, i));
    const sorted = [at];
    this.flash.forEach((track, device) => {
      (track.operations || []).forEach((row, i) => put(row[0], LANES.indexOf("flash"), row[2] !== 0 ? 2 : 0, FROM_FLASH, device, i));
      sorted.push(at);
    });
    this.frames.forEach((capture, device) => {
      capture.rows.forEach((row, i) => put(row[0], LANES.indexOf("link"), 0, FROM_FRAMES, device, i));
      sorted.push(at);
    });
    if (sorted[sorted.length - 1] !== events.length) this.sortByTime(count);
    this.begin = count ? this.time[0] : 0;
    this.end = count ? Math.max(this.begin + 1, this.time[count - 1]) : 1;
    return moments;
  }

  sortByTime(count) {
    const order = new Uint32Array(count);
    for (let i = 0; i < count; ++i) order[i] = i;
    const time = this.time;
    order.sort((a, b) => time[a] - time[b] || a - b);
    for (const field of ["time", "lane", "mark", "from", "device", "index"]) {
      const old = this[field];
      const sorted = new old.constructor(count);
      for (let i = 0; i < count; ++i) sorted[i] = old[order[i]];
      this[field] = sorted;
    }
  }

  /** First moment that is not before a time. */
  lowerBound(time, list = null) {
    let low = 0, high = list ? list.length : this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[list ? list[middle] : middle] < time) low = middle + 1; else high = middle;
    }
    return low;
  }

  isEvent(i) { return this.from[i] === FROM_EVENTS; }
  event(i) { return this.events[this.index[i]]; }

  name(i) {
    if (this.from[i] === FROM_EVENTS) return this.names[this.event(i)[1]];
    if (this.from[i] === FROM_FRAMES) return "link.frame";
    const track = this.flash[this.device[i]];
    return "flash." + (track.kinds[track.operations[this.index[i]][1]] || "operation");
  }

  /** The event's members, as the log has them; of an operation or frame the like. */
  members(i) {
    const members = {};
    const index = this.index[i];
    if (this.from[i] === FROM_EVENTS) {
      const row = this.events[index];
      if (row[2] >= 0) members.device = this.summary.event_devices[row[2]];
      return Object.assign(members, typeof row[3] === "string" ? { text: row[3] } : row[3]);
    }
    members.device = this.summary.devices[this.device[i]];
    if (this.from[i] === FROM_FRAMES) {
      const capture = this.frames[this.device[i]];
      const row = capture.rows[index];
      return Object.assign(members, { direction: ["from the device", "to the device", "to everybody"][row[1]], frame: capture.kinds[row[2]], bytes: row[3] });
    }
    return Object.assign(members, operationMembers(this.flash[this.device[i]], index));
  }

  number(i) {
    const row = this.from[i] === FROM_EVENTS ? this.events[this.index[i]] : null;
    return row ? row[4] || this.index[i] + 1 : this.index[i];
  }

  /** One line about a moment, without time and name. */
  line(i) {
    if (this.from[i] === FROM_EVENTS) {
      const row = this.events[this.index[i]];
      if (typeof row[3] === "string") return row[3];
      const values = Object.entries(row[3]).map(([name, value]) => name === "text" ? short(value) : name + "=" + short(value));
      if (row[2] >= 0 && this.summary.event_devices.length > 1) values.unshift(this.summary.event_devices[row[2]]);
      return values.join(" ");
    }
    if (this.from[i] === FROM_FLASH) return operationText(this.flash[this.device[i]], this.index[i]);
    const members = this.members(i);
    return members.frame + " " + members.direction + ", " + members.bytes + " bytes";
  }

  /** What a filter is looked for in. Made once, when first asked for. */
  searchTexts() {
    if (!this.texts) {
      this.texts = new Array(this.count);
      for (let i = 0; i < this.count; ++i) this.texts[i] = (this.name(i) + " " + this.line(i)).toLowerCase();
    }
    return this.texts;
  }

  /** Moments in these lanes that hold every word, and none that begins with "-". */
  filter(query, lanes, onlyMarked) {
    const words = query.toLowerCase().split(/\s+/).filter((word) => word && word !== "-");
    const wanted = words.filter((word) => !word.startsWith("-"));
    const unwanted = words.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
    const texts = words.length ? this.searchTexts() : null;
    const isOn = LANES.map((lane) => lanes.has(lane));
    const found = new Uint32Array(this.count);
    let n = 0;
    for (let i = 0; i < this.count; ++i) {
      if (!isOn[this.lane[i]] || (onlyMarked && this.mark[i] === 0)) continue;
      if (texts && !(wanted.every((word) => texts[i].includes(word)) && !unwanted.some((word) => texts[i].includes(word)))) continue;
      found[n++] = i;
    }
    return found.subarray(0, n);
  }
}

function partitionAt(track, offset) {
  return track.partitions.find(([, begin, size]) => offset >= begin && offset < begin + size);
}

function isOtp(track, row) {
  return /^otp/.test(track.kinds[row[1]] || "");
}

function placeText(track, row) {
  if (isOtp(track, row)) return "otp +" + hex(row[4]);
  const partition = partitionAt(track, row[4]);
  return partition ? partition[0] + " +" + hex(row[4] - partition[1]) : hex(row[4]);
}

function operationText(track, index) {
  const row = track.operations[index];
  const parts = [(track.kinds[row[1]] || "operation " + row[1]), placeText(track, row), row[5] + " bytes", "by " + (track.sources[row[3]] || "unknown")];
  if (row[8]) parts.push("(" + row[8] + ")");
  if (row[2] !== 0) parts.push("status " + (row[2] === 7 ? "power was cut here" : track.statuses[row[2]] || row[2]) + ", " + row[6] + " bytes done");
  return parts.join(" ");
}

function operationMembers(track, index) {
  const row = track.operations[index];
  return {
    operation: row[7], kind: track.kinds[row[1]] || row[1], place: placeText(track, row), offset: hex(row[4]),
    length: row[5], applied: row[6], status: row[2] === 7 ? "power was cut in it" : track.statuses[row[2]] || row[2],
    source: track.sources[row[3]] || "unknown", ...(row[8] ? { did: row[8] } : {}),
  };
}

/** The pages of a part at any operation: what is programmed, and how often sectors were erased in this run. */
class PartModel {
  constructor(track) {
    this.track = track;
    this.pages = Math.floor(track.part.size / track.part.page);
    this.pagesPerSector = track.part.sector / track.part.page;
    this.sectors = Math.floor(track.part.size / track.part.sector);
    this.reset();
    // So many operations apart, states are kept: going back costs no more than that.
    this.stride = Math.max(512, Math.ceil(track.operations.length / 32));
    this.kept = [];
  }

  reset() {
    this.done = 0;
    this.page = new Uint8Array(this.pages); // 0 erased, 1 programmed before, 2 in this run
    this.erases = new Uint32Array(this.sectors);
    for (const [begin, count] of this.track.before) this.page.fill(1, begin, begin + count);
  }

  seek(target) {
    if (target < this.done) {
      const kept = this.kept.filter((one) => one.done <= target).pop();
      if (kept) { this.done = kept.done; this.page.set(kept.page); this.erases.set(kept.erases); } else this.reset();
    }
    while (this.done < target) {
      if (this.done % this.stride === 0 && this.done && !this.kept.some((one) => one.done === this.done))
        this.kept.push({ done: this.done, page: this.page.slice(), erases: this.erases.slice() });
      this.apply(this.track.operations[this.done++]);
    }
  }

  apply(row) {
    const [, kind, , , offset, , applied] = row;
    if (applied === 0 || isOtp(this.track, row)) return;
    const name = this.track.kinds[kind] || "";
    const size = this.track.part.page;
    if (name.includes("erase")) {
      this.page.fill(0, Math.ceil(offset / size), Math.floor((offset + applied) / size));
      const last = Math.floor((offset + applied - 1) / this.track.part.sector);
      for (let sector = Math.floor(offset / this.track.part.sector); sector <= last && sector < this.sectors; ++sector) ++this.erases[sector];
    } else if (name === "program") {
      this.page[Math.floor(offset / size)] = 2;
    }
  }

  /** @returns how many pages of a sector are programmed, and whether in this run */
  sector(sector) {
    let used = 0, isNew = false;
    for (let page = sector * this.pagesPerSector; page < (sector + 1) * this.pagesPerSector; ++page) {
      if (this.page[page]) { ++used; isNew = isNew || this.page[page] === 2; }
    }
    return { used, isNew };
  }

  partition([, offset, size]) {
    let used = 0, erases = 0;
    const page = this.track.part.page, sector = this.track.part.sector;
    for (let i = offset / page; i < (offset + size) / page; ++i) if (this.page[i]) ++used;
    for (let i = offset / sector; i < (offset + size) / sector; ++i) erases += this.erases[i];
    return { used: used * page, erases };
  }

  /** What a subject held when so many operations were done. */
  state(subject, done) {
    const states = this.track.states[subject] || [];
    let low = 0, high = states.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (states[middle][0] <= done) low = middle + 1; else high = middle;
    }
    return low ? states[low - 1][1] : null;
  }
}

/** CBOR (RFC 8949) as values that print as JSON; throws at what is none. */
function decodeCbor(bytes) {
  const MOST_DEPTH = 32;
  let at = 0;
  const need = (count) => { if (count > bytes.length - at) throw new Error("it ends in the middle"); };
  const byte = () => { need(1); return bytes[at++]; };
  const number = (extra) => {
    if (extra < 24) return extra;
    if (extra > 27) throw new Error("a length that is not defined");
    let value = 0;
    for (let left = 1 << (extra - 24); left > 0; --left) value = value * 256 + byte();
    return value;
  };
  const take = (count) => { need(count); at += count; return bytes.subarray(at - count, at); };
  const hexText = (data) => "h'" + [...data].map((b) => b.toString(16).padStart(2, "0")).join("") + "'";
  const item = (depth) => {
    if (depth > MOST_DEPTH) throw new Error("it is nested too deeply");
    const first = byte(), major = first >> 5, extra = first & 31;
    const isOpen = extra === 31 && major >= 2 && major <= 5;
    const atEnd = () => bytes[at] === 0xff && (++at, true);
    if (isOpen && major <= 3) {
      const parts = [];
      while (!atEnd()) parts.push(item(depth + 1));
      return parts.join("");
    }
    if (first === 0xff) throw new Error("an end of nothing");
    if (major === 7) {
      if (extra === 20) return false;
      if (extra === 21) return true;
      if (extra === 22 || extra === 23) return null;
      if (extra >= 25 && extra <= 27) return float(take(1 << (extra - 24)));
      return "simple(" + number(extra) + ")";
    }
    const count = isOpen ? Infinity : number(extra);
    switch (major) {
      case 0: return count;
      case 1: return -1 - count;
      case 2: return hexText(take(count));
      case 3: return new TextDecoder().decode(take(count));
      case 4: {
        const list = [];
        while (list.length < count && !(isOpen && atEnd())) list.push(item(depth + 1));
        return list;
      }
      case 5: {
        const map = new Map();
        for (let i = 0; i < count && !(isOpen && atEnd()); ++i) { const key = item(depth + 1); map.set(short(key), item(depth + 1)); }
        return Object.fromEntries(map);
      }
      default: return { tag: count, value: item(depth + 1) };
    }
  };
  const float = (data) => {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    if (data.length === 8) return view.getFloat64(0);
    if (data.length === 4) return view.getFloat32(0);
    const half = view.getUint16(0), exponent = (half >> 10) & 31, fraction = half & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return half & 0x8000 ? -size : size;
  };
  const value = item(0);
  if (at !== bytes.length) throw new Error("something stands behind it");
  return value;
}
