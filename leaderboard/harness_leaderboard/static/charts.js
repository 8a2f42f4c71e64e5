// Puts an interactive chart in the place of each picture that has its specification beside it. Without this script, or
// if it fails, the picture stays. Nothing is evaluated from text (`ast`), and nothing writes a style element, so that
// the page's Content-Security-Policy holds.
"use strict";

/** Draws a Vega-Lite specification in an element, in the page's fonts; a promise of vega-embed's result. */
function harnessDraw(place, spec) {
  const font = getComputedStyle(document.body).fontFamily;
  const config = { ...spec.config, font };
  return vegaEmbed(place, { ...spec, config }, {
    actions: false,
    ast: true,
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true, theme: "site" },
  });
}

(() => {
  /** The picture goes when the chart is whole. */
  async function replace(drawing, source) {
    const place = document.createElement("div");
    place.hidden = true;
    place.setAttribute("aria-hidden", "true"); // its figure says what it shows
    drawing.append(place);
    try {
      await harnessDraw(place, JSON.parse(source.textContent));
      drawing.querySelector(".picture").remove();
      place.hidden = false;
      drawing.dataset.interactive = "";
    } catch (error) {
      place.remove();
      console.warn("a chart stays a picture:", error);
    }
  }

  // Charts are drawn when they come into view: a page may have many.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      seen.unobserve(entry.target);
      replace(entry.target, entry.target.parentElement.querySelector("script.chart"));
    }
  }, { rootMargin: "300px" });

  for (const source of document.querySelectorAll("figure > script.chart")) {
    seen.observe(source.parentElement.querySelector(".drawing"));
  }
})();
