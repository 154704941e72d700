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
    if (chart.mode === "map") { // the rows of values begin below
      const rows = chart.map.values, row = rows[Math.min(rows.length - 1, Math.floor(ty * rows.length))];
      const v = row[Math.min(row.length - 1, Math.floor(tx * row.length))], [title, unit = ""] = chart.map.label.split(", ");
      const seen = v === null ? "nothing known" : `${title} ${short(v)} ${unit}`;
      return { text: [showX(value(chart.x, tx)), showY(other, value(chart.y, ty)), seen], marks: [] };
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

  // What lies in space: a canvas in place of the picture, turned by dragging or with the arrow keys.
  for (const box of document.querySelectorAll(".scene")) {
    const scene = JSON.parse(box.dataset.scene), canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    const ends = scene.cell.flatMap(([a, b, c, d, e, f]) => [[a, b, c], [d, e, f]]);
    const middle = [0, 1, 2].map((k) => ends.reduce((sum, r) => sum + r[k], 0) / ends.length);
    const reach = Math.max(...ends.map((r) => Math.hypot(...r.map((v, k) => v - middle[k]))));
    let turn = -0.5, tilt = 0.35, asked = false;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${box.querySelector("img").alt}; drag or press arrow keys to turn`);
    function paint() {
      asked = false;
      const width = box.clientWidth, height = Math.round(width * 0.72), ratio = devicePixelRatio || 1;
      canvas.width = width * ratio; canvas.height = height * ratio; canvas.style.height = `${height}px`;
      context.setTransform(ratio, 0, 0, ratio, width / 2 * ratio, height / 2 * ratio);
      const scale = 0.48 * height / reach, [ct, st, cx, sx] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
      const see = (x, y, z) => {
        const [a, b, c] = [x - middle[0], y - middle[1], z - middle[2]], u = ct * a - st * b, v = st * a + ct * b;
        return [scale * u, -scale * (cx * c + sx * v), cx * v - sx * c]; // right, down, depth
      };
      const ink = getComputedStyle(box).color, things = [];
      for (const [a, b, c, d, e, f] of scene.cell) things.push([1e9, see(a, b, c), see(d, e, f), 0.8]);
      for (const [a, b, c, d, e, f, w, colour] of scene.lines) { const p = see(a, b, c), q = see(d, e, f); things.push([(p[2] + q[2]) / 2, p, q, 0.4 + 3 * w, colour]); }
      for (const group of scene.points) for (const [x, y, z, colour, size] of group) { const p = see(x, y, z); things.push([p[2], p, colour, size]); }
      things.sort((p, q) => q[0] - p[0]);
      for (const [, p, other, size, colour] of things) {
        context.beginPath();
        if (typeof other === "string") {
          context.fillStyle = other; context.globalAlpha = 0.75;
          context.arc(p[0], p[1], size * scale / 14, 0, 2 * Math.PI); context.fill();
        } else {
          context.strokeStyle = colour || ink; context.globalAlpha = colour ? 0.8 : 0.45; context.lineWidth = size;
          context.moveTo(p[0], p[1]); context.lineTo(other[0], other[1]); context.stroke();
        }
      }
    }
    const repaint = () => { if (!asked) { asked = true; requestAnimationFrame(paint); } };
    let held = null;
    canvas.addEventListener("pointerdown", (event) => { held = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointerup", () => { held = null; });
    canvas.addEventListener("pointercancel", () => { held = null; });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      turn += (event.clientX - held[0]) / 120; tilt = Math.min(1.57, Math.max(-1.57, tilt + (event.clientY - held[1]) / 120));
      held = [event.clientX, event.clientY];
      repaint();
    });
    box.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
      if (!step) return;
      turn += step[0]; tilt = Math.min(1.57, Math.max(-1.57, tilt + step[1]));
      event.preventDefault();
      repaint();
    });
    box.prepend(canvas);
    box.classList.add("turning");
    new ResizeObserver(repaint).observe(box);
  }
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
})();
