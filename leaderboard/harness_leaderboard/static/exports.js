// A table of texts → CSV, LaTeX and Markdown.
"use strict";

const harnessExports = (() => {
  const LATEX = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "_": "\\_", "%": "\\%",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "–": "--", "−": "$-$", "±": "$\\pm$", "≈": "$\\approx$", "…": "\\ldots{}",
  };
  const latexText = (text) => text.replace(/[\\{}$&#_%~^–−±≈…]/g, (sign) => LATEX[sign]);
  const markdownText = (text) => text.replace(/[\\`*_{}[\]<>|#!~&]/g, "\\$&").replace(/\s+/g, " ");

  // What a spreadsheet would take for a formula gets an apostrophe in front, unless it is a number.
  function csvText(value) {
    if (typeof value === "number") return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  return {
    /** Numbers as the page has them, rounded to five decimals at most; what is missing is empty. */
    csv: ({ heads, exact }) => [heads, ...exact].map((row) => row.map((value) => csvText(value ?? "")).join(",")).join("\n") + "\n",

    /** As printed, with rules of the booktabs package. */
    latex({ heads, numeric, shown, caption }) {
      const line = (cells) => `${cells.map(latexText).join(" & ")} \\\\`;
      return [
        "% \\usepackage{booktabs}",
        "\\begin{table}", "\\centering", `\\caption{${latexText(caption)}}`,
        `\\begin{tabular}{${numeric.map((right) => (right ? "r" : "l")).join("")}}`,
        "\\toprule", line(heads), "\\midrule", ...shown.map(line), "\\bottomrule",
        "\\end{tabular}", "\\end{table}", "",
      ].join("\n");
    },

    /** As printed. */
    markdown({ heads, numeric, shown }) {
      const line = (cells) => `| ${cells.map(markdownText).join(" | ")} |`;
      const rule = `| ${numeric.map((right) => (right ? "---:" : "---")).join(" | ")} |`;
      return [line(heads), rule, ...shown.map(line), ""].join("\n");
    },
  };
})();
