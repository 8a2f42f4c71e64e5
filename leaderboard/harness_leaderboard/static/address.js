// The state of what is shown lives in the fragment of the address, so that a view can be sent, and one opened from
// disk has an address too: #ANCHOR.KEY=VALUE&… A fragment without "=" is an ordinary anchor.
"use strict";

const harnessAddress = {
  /** Every value under a prefix, by key. */
  read(prefix) {
    const found = {};
    for (const [name, value] of this._all()) {
      if (name.startsWith(`${prefix}.`)) found[name.slice(prefix.length + 1)] = value;
    }
    return found;
  },

  /** Replace all values under a prefix; empty ones are left out. */
  write(prefix, values) {
    const all = this._all();
    for (const name of [...all.keys()]) if (name.startsWith(`${prefix}.`)) all.delete(name);
    for (const [key, value] of Object.entries(values)) if (value) all.set(`${prefix}.${key}`, value);
    const fragment = all.toString();
    const plain = location.hash.includes("=") ? "" : location.hash;
    history.replaceState(null, "", fragment ? `#${fragment}` : plain || location.pathname + location.search);
  },

  _all() {
    return new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  },
};
