// Two methods on the same queries: how far apart they are, and how sure that is. The same definitions as
// harness/statistics; drawn from another generator, so that p and interval differ in their last digits.
"use strict";

const harnessStatistics = (() => {
  const EQUAL = 1e-12; // values nearer than this are the same: what rounding makes of equal numbers
  const SAMPLES = 10000;

  /** Evenly distributed 32-bit numbers from a seed: mulberry32. */
  function chance(seed) {
    let state = seed | 0;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return (mixed ^ (mixed >>> 14)) >>> 0;
    };
  }

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;

  /** The differences a − b, query by query; those that only rounding made are 0. */
  function differences(a, b) {
    return a.map((value, place) => (Math.abs(value - b[place]) < EQUAL ? 0 : value - b[place]));
  }

  /** Two-sided p of Fisher's paired randomisation test: all sign patterns of few queries, else random ones. */
  function randomisation(given) {
    const found = given.filter((value) => value !== 0);
    if (!found.length) return 1;
    const total = sum(found);
    const observed = Math.abs(total) - EQUAL * found.length;
    const all = 2 ** found.length <= SAMPLES;
    const patterns = all ? 2 ** found.length : SAMPLES;
    const next = chance(20260301);
    let extreme = 0;
    for (let pattern = 0; pattern < patterns; pattern++) {
      let flipped = 0;
      for (let start = 0; start < found.length; start += 32) {
        const end = Math.min(start + 32, found.length);
        let signs = all ? pattern : next();
        for (let place = start; place < end; place++, signs >>>= 1) if (signs & 1) flipped += found[place];
      }
      if (Math.abs(total - 2 * flipped) >= observed) extreme++;
    }
    return all ? extreme / patterns : (extreme + 1) / (patterns + 1);
  }

  /** 95 % percentile bootstrap interval of the mean. */
  function interval(values) {
    const next = chance(20260302);
    const means = new Float64Array(SAMPLES);
    for (let sample = 0; sample < SAMPLES; sample++) {
      let total = 0;
      for (let drawn = 0; drawn < values.length; drawn++) total += values[next() % values.length];
      means[sample] = total / values.length;
    }
    means.sort();
    const at = (share) => {
      const place = share * (SAMPLES - 1);
      const low = Math.floor(place);
      return means[low] + (place - low) * ((means[low + 1] ?? means[low]) - means[low]);
    };
    return [at(0.025), at(0.975)];
  }

  return { mean, differences, randomisation, interval };
})();
