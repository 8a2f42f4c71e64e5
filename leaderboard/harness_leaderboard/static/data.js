// Data files call harnessData with their path and content, so that a page opened from disk, where nothing can be
// fetched, loads them as scripts, and only when somebody asks for them.
"use strict";

const harnessFiles = new Map();

function harnessSlot(path) {
  if (!harnessFiles.has(path)) {
    const slot = {};
    slot.content = new Promise((resolve, reject) => Object.assign(slot, { resolve, reject }));
    harnessFiles.set(path, slot);
  }
  return harnessFiles.get(path);
}

/** Called by a data file. */
function harnessData(path, content) {
  harnessSlot(path).resolve(content);
}

/** The content of `data/<path>.js`, as a promise. */
function harnessLoad(path) {
  const slot = harnessSlot(path);
  if (!slot.asked) {
    slot.asked = true;
    const script = document.createElement("script");
    script.src = `${document.documentElement.dataset.root}data/${path}.js`;
    script.addEventListener("error", () => slot.reject(new Error(`data/${path}.js could not be loaded`)));
    document.head.append(script);
  }
  return slot.content;
}

/** An element with attributes and children; texts are texts, never markup. */
function harnessElement(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A text as markup that shows it, for the table library, which takes all texts for markup. */
function harnessEscaped(text) {
  return harnessElement("span", {}, text).innerHTML.replaceAll('"', "&quot;");
}

/** Offer a text as a file. */
function harnessDownload(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = harnessElement("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
