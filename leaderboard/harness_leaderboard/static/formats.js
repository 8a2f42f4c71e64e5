// Numbers as the pages print them: fixed decimals in a column, a true minus, thousands set apart.
"use strict";

const harnessFormats = (() => {
  const made = new Map(); // a formatter takes long to make
  const formatter = (decimals) => {
    if (!made.has(decimals)) made.set(decimals, new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
    return made.get(decimals);
  };
  const unsigned = (value, decimals) => formatter(decimals).format(Math.abs(value));
  const fixed = (value, decimals) => {
    const text = unsigned(value, decimals);
    return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
  };
  return {
    missing: "–",
    fixed,
    signed: (value, decimals) => (value > 0 && /[1-9]/.test(unsigned(value, decimals)) ? `+${fixed(value, decimals)}` : fixed(value, decimals)),
    p: (value) => (value < 0.0001 ? "<0.0001" : value.toFixed(4)),
  };
})();
