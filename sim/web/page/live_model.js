// The run that is going on: the reports' model (run_model.js), to which events and operations are added.

const MOST_EVENTS = 20000; // with more, the oldest are let go of
const DROPPED_AT_ONCE = 4000;
const KEY_EVENTS = /^(device\.(power_on|power_off|reset|exit|fault)|boot\.(start|commit|reject|halt|refused|failure)|cloud\.(job_created|job_execution|fault)|flash\.fault|broker\.(client_connected|client_disconnected|fault|client_refused)|link\.(fault|fault_cleared))$/;

/** Of too many rows the oldest go. @returns how many */
function letGo(rows) {
  return rows.length > MOST_EVENTS ? rows.splice(0, rows.length - MOST_EVENTS + DROPPED_AT_ONCE).length : 0;
}

class LiveModel extends RunModel {
  constructor() {
    super({ names: [], event_devices: [], devices: [], words: {} }, [], []);
    this.fresh = []; // what has come since moments were laid out: until then they count in what was there
    this.nameNumbers = new Map();
    this.deviceNumbers = new Map();
    this.last = 0; // number of the last event
    this.missed = 0;
    this.settle();
  }

  numberOf(numbers, texts, text) {
    if (!numbers.has(text)) { numbers.set(text, texts.length); texts.push(text); }
    return numbers.get(text);
  }

  /** Takes an event as the log has it. @returns its row */
  addEvent(event) {
    const { t_us, n, source, event: kind, device, log_version, epoch_us, ...members } = event;
    const name = this.numberOf(this.nameNumbers, this.names, source + "." + kind);
    const of = typeof device === "string" ? this.numberOf(this.deviceNumbers, this.summary.event_devices, device) : -1;
    const isLine = source === "uart" && kind === "line" && typeof members.text === "string";
    const row = [t_us, name, of, isLine ? members.text : members, n];
    this.fresh.push(row);
    this.last = n;
    this.missed += letGo(this.fresh); // nobody looks: nothing is drawn
    return row;
  }

  /** Another log begins: the lab was started anew. */
  forget() {
    this.isForgotten = true;
    this.fresh = [];
    this.last = 0;
    this.missed = 0;
  }

  setTrack(device, track) {
    this.nextTrack = track ? { devices: [device], flash: [track] } : { devices: [], flash: [] };
  }

  settle() {
    if (this.isForgotten) this.events = [];
    this.isForgotten = false;
    for (const row of this.fresh) this.events.push(row);
    this.fresh = [];
    this.missed += letGo(this.events);
    if (this.nextTrack) { this.summary.devices = this.nextTrack.devices; this.flash = this.nextTrack.flash; }
    this.nextTrack = null;
    super.settle();
    this.texts = null;
  }

  rowAt(i) {
    return this.isEvent(i) ? this.events[this.index[i]] : this.flash[this.device[i]].operations[this.index[i]];
  }

  /** Where a row stands now; -1 if it is gone. */
  find(row) {
    for (let i = this.lowerBound(row[0]); i < this.count && this.time[i] === row[0]; ++i) if (this.rowAt(i) === row) return i;
    return -1;
  }

  isKey(i) {
    return this.isEvent(i) && (this.mark[i] !== 0 || KEY_EVENTS.test(this.name(i)));
  }
}
