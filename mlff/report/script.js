"use strict";
// Reading values off the charts, and opening what is folded before printing. Without a script the page loses only these.
(() => {
  const tip = document.getElementById("tip");
  const SVG = "http://www.w3.org/2000/svg";
  const short = (v) => {
    const size = Math.abs(v);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? v.toExponential(2) : String(+v.toPrecision(4));
  };
  const place = (axis, v) => {
    const f = axis.log ? Math.log : (u) => u;
    const t = (f(axis.log ? Math.max(v, axis.low) : v) - f(axis.low)) / (f(axis.high) - f(axis.low));
    return Math.min(1, Math.max(0, t));
  };
  const value = (axis, t) => (axis.log ? axis.low * (axis.high / axis.low) ** t : axis.low + t * (axis.high - axis.low));
  const nearest = (values, at, axis) => {
    let best = -1, gap = Infinity;
    values.forEach((v, i) => { const d = Math.abs(place(axis, v) - at); if (d < gap) { gap = d; best = i; } });
    return best;
  };
  const make = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, v] of Object.entries(attributes)) element.setAttribute(key, v);
    return element;
  };

  function read(chart, tx, ty) { // tx, ty: 0 to 1 from the lower left corner → lines of text and points to mark
    const [name, xUnit = ""] = chart.x.label.split(", "), [other, yUnit = ""] = chart.y.label.split(", ");
    const showX = (v) => `${name} ${short(v)} ${xUnit}`, showY = (title, v) => `${title} ${short(v)} ${yUnit}`;
    if (chart.mode === "plane") {
      return { text: [showX(value(chart.x, tx)), showY(other, value(chart.y, ty))], marks: [] };
    }
    if (chart.mode === "points" || chart.mode === "values") {
      let best = null, gap = 0.003;
      for (const s of chart.series) {
        s.x.forEach((x, i) => {
          const d = (place(chart.x, x) - tx) ** 2 + (place(chart.y, s.y[i]) - ty) ** 2;
          if (d < gap) { gap = d; best = { s, x, y: s.y[i] }; }
        });
      }
      if (!best) return null;
      const text = [best.s.name, showX(best.x), showY(other, best.y)];
      if (chart.mode === "points") text.push(showY("error", best.y - best.x)); // y is predicted, x the reference
      return { text, marks: [[place(chart.x, best.x), place(chart.y, best.y), best.s.colour]] };
    }
    const marks = [], text = [];
    for (const s of chart.series) {
      const i = nearest(s.x, tx, chart.x);
      if (i < 0) continue;
      if (!text.length) text.push(showX(s.x[i]));
      text.push(showY(s.name, s.y[i]));
      marks.push([place(chart.x, s.x[i]), place(chart.y, s.y[i]), s.colour]);
    }
    return marks.length ? { text, marks } : null;
  }

  for (const svg of document.querySelectorAll("svg.chart")) {
    const chart = JSON.parse(svg.dataset.hover), [left, top, width, height] = chart.box;
    const cursor = svg.querySelector(".cursor");
    const leave = () => { cursor.replaceChildren(); tip.hidden = true; };
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const tx = (at.x - left) / width, ty = 1 - (at.y - top) / height;
      const found = tx < 0 || tx > 1 || ty < 0 || ty > 1 ? null : read(chart, tx, ty);
      if (!found) return leave();
      cursor.replaceChildren(...found.marks.map(([x, y, colour]) =>
        make("circle", { class: `c${colour}`, cx: left + width * x, cy: top + height * (1 - y), r: 4 })));
      if (chart.mode === "lines" && found.marks.length) {
        const x = left + width * found.marks[0][0];
        cursor.prepend(make("line", { x1: x, x2: x, y1: top, y2: top + height }));
      }
      tip.textContent = found.text.join("\n");
      tip.hidden = false;
      const box = tip.getBoundingClientRect();
      tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
      tip.style.top = `${Math.max(8, event.clientY - box.height - 12)}px`;
    });
  }
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
})();
