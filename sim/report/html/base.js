// What all pages share. Everything that comes from a run is put on the page as text, through these functions: nothing
// here or in the other scripts makes markup out of a string.

/** Makes an element. Attributes named onX are listeners, false and null ones are left out; children are text or nodes. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

function clear(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
}

/** The elements that hold data of this name, in order. */
function dataElements(name) {
  return [...document.querySelectorAll('script[type="application/json"]')].filter((e) => e.dataset.name === name);
}

/** The data of this name. The text is given back to the browser. */
function takeData(name) {
  const [element] = dataElements(name);
  const value = JSON.parse(element.textContent);
  element.remove();
  return value;
}

function badge(result) {
  const kind = result === "passed" ? "good" : result === "failed" || result === "error" ? "bad" : "warn";
  return el("span", { class: "badge " + kind }, result || "no result");
}

/** What is known in words of a text's reason codes, empty if nothing. @param words  reason -> words */
function inWords(words, text) {
  return Object.keys(words).filter((reason) => text.includes(reason)).map((reason) => words[reason]).join(" ");
}

/** A command to copy. */
function command(text, label) {
  const code = el("code", {}, text);
  const said = el("span", { class: "hidden-text", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "copied";
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // the browser does not let pages copy: it is one key then
      button.textContent = "Selected";
    }
  };
  const button = el("button", { type: "button", onclick: copy, "aria-label": "Copy: " + (label || "command") }, "Copy");
  return el("div", { class: "command" }, code, button, said);
}

function table(caption, head, rows, attributes = {}) {
  return el(
    "table",
    attributes,
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, rows.map((row) => (row instanceof Node ? row : el("tr", {}, row.map((cell) => el("td", {}, cell)))))),
  );
}

function facts(pairs) {
  return el("div", { class: "facts" }, pairs.filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => el("span", {}, el("span", { class: "muted" }, name + " "), value)));
}

/** A colour of the style sheet, as it is now. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

/** Calls back when light becomes dark or the other way round. */
function onThemeChange(callback) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}

/** Sizes a canvas for its place on this screen. @returns its context, in CSS pixels */
function fitCanvas(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

function plural(count, one, many) {
  return count + " " + (count === 1 ? one : many || one + "s");
}
