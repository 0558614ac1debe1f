// Interactive charts over uPlot. Each `.charts` element is a group: its charts share axis, smoothing, zoom and cursor.
// A chart's data is the JSON inside its figure (charts.py); until this script has drawn it, its static picture is seen.
(() => {
"use strict";

const root = document.documentElement;
const css = name => getComputedStyle(root).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

const WHOLE = Array.from({length: 13}, (_, power) => [1, 2, 5].map(factor => factor * 10 ** power)).flat();

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Numbers ------------------------------------------------------------------------------------------------------------

function figures(value) {
  if (value == null) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2).replace("e+", "e");
  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
}

function short(value) {
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]])
    if (Math.abs(value) >= size) return Number((value / (size === 1e4 ? 1e3 : size)).toPrecision(5)) + letter;
  return String(Number(value.toPrecision(6)));
}

function duration(seconds) {
  if (seconds < 60) return Number(seconds.toPrecision(3)) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + ":" + String(Math.round(seconds % 60)).padStart(2, "0") + " min";
  return Math.floor(seconds / 3600) + ":" + String(Math.floor(seconds / 60) % 60).padStart(2, "0") + " h";
}

// Few and round: decades, or 1-2-5 where they are few, or even steps where it is less than a decade.
function logSplits(low, high) {
  const decades = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) decades.push(power);
  const stride = Math.ceil(decades.length / 7);
  const tries = [[1], [1, 3], [1, 2, 5]].map(factors => decades.filter((_, at) => at % stride === 0)
    .flatMap(power => factors.map(factor => Number((factor * 10 ** power).toPrecision(1)))).filter(at => at >= low && at <= high));
  const round = tries.find(found => found.length >= 3);
  if (round) return round;
  const step = 10 ** Math.floor(Math.log10((high - low) / 3)), by = [1, 2, 5, 10].map(f => f * step).find(f => (high - low) / f <= 5);
  const even = [];
  for (let at = Math.ceil(low / by); at * by <= high; at++) even.push(Number((at * by).toPrecision(8)));
  return even;
}

function place(axis, value) {
  const whole = Math.round(value).toLocaleString("en");
  return {
    step: () => "step " + whole,
    epoch: () => "epoch " + Number(value.toFixed(2)).toLocaleString("en"),
    samples: () => whole + " samples",
    seconds: () => duration(value),
  }[axis]?.() ?? figures(value);
}

// Debiased exponential average: the weight of a value falls with its distance, by 1/e for each `width`. A break in the
// line stays a break. Without the division by the sum of weights the beginning would be drawn towards zero.
function smooth(xs, ys, width) {
  let mean = 0, weight = 0, before = xs[0];
  return ys.map((value, at) => {
    if (value == null) return null;
    const keep = Math.exp(-(xs[at] - before) / width);
    before = xs[at];
    mean = mean * keep + value;
    weight = weight * keep + 1;
    return mean / weight;
  });
}

// One chart ----------------------------------------------------------------------------------------------------------

class Chart {
  constructor(figure, group) {
    this.figure = figure;
    this.group = group;
    this.data = JSON.parse(figure.querySelector(".chart-data").textContent);
    this.log = this.data.log;
    this.hidden = new Set();
    this.legend = element("div", {class: "legend", role: "group", "aria-label": "Lines of " + this.data.title});
    this.readout = element("output", {class: "readout"});
    this.plot = element("div", {
      class: "plot", tabindex: "0", role: "group",
      "aria-label": this.data.title + ": arrow keys move the cursor, plus and minus zoom, 0 shows all",
    });
    const bar = element("div", {class: "chart-bar"}, this.legend, this.readout, this.logSwitch());
    this.live = element("div", {class: "live"}, bar, this.plot);
    figure.querySelector(".static").before(this.live);
    figure.classList.add("drawn");
    if (this.data.lines.filter(line => !line.faint).length === 1) this.legend.classList.add("single");
    this.buttons = this.data.lines.map((line, at) => line.faint ? null : this.button(line, at));
    this.plot.addEventListener("keydown", event => this.key(event));
  }

  logSwitch() {
    const box = element("input", {type: "checkbox"});
    box.checked = this.log;
    box.addEventListener("change", () => { this.log = box.checked; this.draw(); });
    return element("label", {class: "log"}, box, "log");
  }

  button(line, at) {
    const value = element("span", {class: "value"});
    const button = element("button", {type: "button", "aria-pressed": "true"},
      element("i", {style: `--line: var(--line-${line.color})`, class: line.dashed ? "dashed" : ""}),
      element("span", {}, line.name), value);
    button.addEventListener("click", () => {
      this.hidden.has(at) ? this.hidden.delete(at) : this.hidden.add(at);
      button.setAttribute("aria-pressed", String(!this.hidden.has(at)));
      this.draw();
    });
    this.legend.append(button);
    return value;
  }

  color(line) { return css("--line-" + line.color); }

  // The columns to draw: of each visible line its band, the line itself faint where a smoothed one lies over it, that one.
  columns() {
    const {axis, smoothing} = this.group, columns = [];
    this.data.lines.forEach((line, at) => {
      if (this.hidden.has(at)) return;
      const from = line.averaged || line.trace, first = Object.keys(this.data.axes)[0], steps = from.xs[first];
      const width = smoothing * (steps[steps.length - 1] - steps[0]);
      const smoothed = line.averaged && width > 0 ? smooth(steps, from.ys, width) : null;
      const add = (xs, ys, role) => columns.push({xs: xs[axis], ys, role, line, at});
      if (line.low) { add(line.trace.xs, line.low, "low"); add(line.trace.xs, line.high, "high"); }
      add(line.trace.xs, line.trace.ys, smoothed || line.faint ? "behind" : "main");
      if (smoothed) add(from.xs, smoothed, "main");
    });
    return columns;
  }

  draw() {
    if (this.drawn) this.drawn.destroy();
    this.shown = this.columns();
    const positive = ys => this.log ? ys.map(value => value > 0 ? value : value == null ? value : null) : ys;
    // A join knows the empty places of other lines' positions (undefined) from a line's own breaks (null).
    const tables = this.shown.map(column => [column.xs, positive(column.ys)]);
    const data = tables.length ? uPlot.join(tables, tables.map(() => [0, 2])) : [[], []];
    this.drawn = new uPlot(this.options(), data, this.plot);
    this.tell(null);
  }

  size() {
    const width = Math.max(120, Math.floor(this.plot.clientWidth));
    return {width, height: this.data.small ? 200 : width < 500 ? 260 : 340};
  }

  options() {
    const {axis, key} = this.group, text = () => css("--soft"), grid = {stroke: () => css("--grid"), width: 1};
    const font = "12px " + getComputedStyle(document.body).fontFamily, ticks = {stroke: () => css("--grid"), width: 1, size: 4};
    const label = axis === "seconds" ? duration : short, whole = axis === "step" || axis === "samples";
    this.font = font;
    return {
      ...this.size(),
      padding: [this.rows() * 17 + 8, 14, 0, 0],
      legend: {show: false},
      scales: {
        x: {time: false, distr: this.data.log_x ? 3 : 1, range: () => this.group.shown()},
        y: {distr: this.log ? 3 : 1, range: (_, low, high) => this.range(low, high)},
      },
      axes: [
        {stroke: text, font, grid: {show: false}, ticks, size: 32, gap: 4, space: 64,
          ...(whole ? {incrs: WHOLE} : {}), values: (_, at) => at.map(x => x == null ? "" : label(x))},
        {stroke: text, font, grid, ticks: {show: false}, size: (_, values) => 14 + 7 * Math.max(3, ...(values || []).map(v => v.length)),
          gap: 6, space: 34, filter: (_, splits) => splits, ...(this.log ? {splits: (_, at, low, high) => logSplits(low, high)} : {}), values: (_, at) => at.map(y => y == null ? "" : short(y))},
      ],
      series: [{}, ...(this.shown.length ? this.shown.map(column => this.series(column)) : [{show: false}])],
      bands: this.shown.flatMap((column, at) => column.role !== "high" ? [] :
        [{series: [at + 1, at], fill: this.color(column.line) + "2e"}]),
      cursor: {
        y: false,
        drag: {x: true, y: false, setScale: false},
        points: {show: (_, at) => this.shown[at - 1]?.role === "main" && element("div", {class: "at-cursor"}), fill: () => css("--page")},
        sync: {key, scales: ["x", null], setSeries: false, filters: {pub: type => type === "mousemove" || type === "mouseleave"}},
        bind: {dblclick: () => () => this.group.zoom(null)},
      },
      hooks: {
        drawAxes: [drawn => this.below(drawn)],
        draw: [drawn => this.above(drawn)],
        setCursor: [drawn => this.tell(drawn.cursor.idx == null || drawn.cursor.left < 0 ? null : drawn)],
        setSelect: [drawn => this.select(drawn)],
      },
    };
  }

  series({line, role}) {
    const thin = role !== "main", band = role === "low" || role === "high";
    // A band is filled with the opacity of its edges, so these are there, without a line.
    const alpha = role === "behind" ? 0.32 : 1, few = line.trace.ys.length <= 40;
    return {
      stroke: () => this.color(line), width: band ? 0 : thin ? 1 : 2, alpha, spanGaps: false,
      dash: line.dashed && !thin ? [6, 5] : undefined, paths: line.dots ? () => null : undefined,
      points: {show: line.dots || (few && !band), size: line.dots ? 8 : 4.5, fill: () => this.color(line), stroke: () => this.color(line)},
    };
  }

  range(low, high) {
    const levels = this.data.levels.filter(level => !this.log || level > 0);
    if (low == null) return this.log ? [0.1, 10] : [0, 1];
    if (this.log) {
      const rim = Math.max(Math.pow(high / low, 0.04), 1.05);
      return [low / rim, high * rim];
    }
    if (levels.length && levels.every(level => level < high * 4)) high = Math.max(high, ...levels);
    const rim = (high - low || Math.abs(high) || 1) * 0.06;
    return [this.data.from_zero && low >= 0 ? 0 : low - rim, high + rim];
  }

  // Drawn by hand: what has its place in neither a series nor an axis.
  brush(drawn, work) {
    const context = drawn.ctx, ratio = devicePixelRatio, {left, top, width, height} = drawn.bbox;
    context.save();
    context.lineWidth = ratio;
    context.font = this.font.replace("12px", Math.round(11.5 * ratio) + "px");
    work({context, ratio, left, top, right: left + width, bottom: top + height, x: value => drawn.valToPos(value, "x", true),
      y: value => drawn.valToPos(value, "y", true)});
    context.restore();
  }

  below(drawn) {
    this.brush(drawn, ({context, ratio, left, right, top, bottom, x, y}) => {
      const stroke = (color, dash, ...ends) => {
        context.strokeStyle = color;
        context.setLineDash(dash.map(length => length * ratio));
        context.beginPath();
        context.moveTo(ends[0], ends[1]);
        context.lineTo(ends[2], ends[3]);
        context.stroke();
      };
      for (const level of this.data.levels) {
        const at = y(level);
        if (at >= top && at <= bottom) stroke(css("--line-2"), [4, 3], left, at, right, at);
      }
      for (const {at, tone, row} of this.placed(drawn, x, left, right))
        stroke(css("--" + tone), [2, 3], at, top - (this.rows() - row) * 17 * ratio + 4 * ratio, at, bottom);
    });
  }

  above(drawn) {
    this.brush(drawn, ({context, ratio, left, right, top, bottom, x, y}) => {
      const {axis} = this.group, inside = at => at >= left - 1 && at <= right + 1;
      const tick = (places, color, from, to) => {
        context.strokeStyle = color;
        context.lineWidth = 1.5 * ratio;
        for (const value of places) {
          const at = x(value);
          if (!inside(at)) continue;
          context.beginPath();
          context.moveTo(at, from);
          context.lineTo(at, to);
          context.stroke();
        }
      };
      for (const [at, line] of this.data.lines.entries()) {
        if (this.hidden.has(at)) continue;
        if (line.lost_count) tick(line.lost[axis], css("--bad"), top, top + 9 * ratio);
        if (this.log) tick(line.trace.xs[axis].filter((_, i) => line.trace.ys[i] != null && line.trace.ys[i] <= 0), this.color(line), bottom - 6 * ratio, bottom);
        for (const spot of line.spots) this.spot(context, ratio, line, spot, x(spot.x[axis]), y(this.level(at, spot)), inside);
      }
      context.textBaseline = "middle";
      for (const {at, label, tone, row, flip} of this.placed(drawn, x, left, right)) {
        context.fillStyle = css("--" + tone);
        context.textAlign = flip ? "right" : "left";
        context.fillText(label, at + (flip ? -5 : 5) * ratio, top - (this.rows() - row) * 17 * ratio + 8 * ratio);
      }
      if (!this.data.lines.some(line => line.trace.ys.some(value => value != null))) {
        context.fillStyle = css("--soft");
        context.textAlign = "center";
        context.fillText("no finite value", (left + right) / 2, (top + bottom) / 2);
      }
    });
  }

  // The last value of a smoothed line is that of the smoothed line.
  level(at, spot) {
    const main = this.shown.find(column => column.at === at && column.role === "main");
    return spot.kind === "last" && main && main.line.averaged ? main.ys.findLast(value => value != null) ?? spot.y : spot.y;
  }

  spot(context, ratio, line, spot, at, height, inside) {
    if (!inside(at) || !Number.isFinite(height)) return;
    context.beginPath();
    context.arc(at, height, (spot.kind === "best" ? 5.5 : 3.4) * ratio, 0, 2 * Math.PI);
    context.lineWidth = 2 * ratio;
    context.setLineDash([]);
    context.fillStyle = spot.kind === "best" ? css("--page") : this.color(line);
    context.strokeStyle = this.color(line);
    context.fill();
    if (spot.kind === "best") context.stroke();
  }

  rows() { return this.data.small ? 0 : Math.min(3, this.data.marks.length); }

  // Labels of vertical marks stand above the chart, each in a row of its own, so that none covers another.
  placed(drawn, x, left, right) {
    const {axis} = this.group;
    return this.data.marks.map((mark, order) => {
      const at = x(mark.x[axis]), label = this.rows() ? mark.label : "";
      return {at, label, tone: mark.tone, row: this.rows() ? order % this.rows() : 0, flip: at + drawn.ctx.measureText(label).width + 8 > right};
    }).filter(({at}) => at >= left - 1 && at <= right + 1);
  }

  tell(drawn) {
    this.buttons.forEach((value, at) => {
      if (!value) return;
      const place = this.shown.findIndex(column => column.at === at && column.role === "main");
      const line = this.data.lines[at], index = drawn && place >= 0 ? drawn.cursor.idxs[place + 1] : null;
      const last = this.hidden.has(at) ? null : place >= 0 ? this.shown[place].ys.findLast(y => y != null) : null;
      const lost = line.lost_count ? ` · ${line.lost_count.toLocaleString("en")} not finite` : "";
      value.textContent = line.dots ? "" : figures(index == null ? last : drawn.data[place + 1][index]) + lost;
    });
    this.readout.textContent = drawn ? place(this.group.axis, drawn.posToVal(drawn.cursor.left, "x")) : "";
  }

  select(drawn) {
    const {left, width} = drawn.select;
    if (width < 4) return;
    drawn.setSelect({left: 0, width: 0}, false);
    this.group.zoom([drawn.posToVal(left, "x"), drawn.posToVal(left + width, "x")]);
  }

  key(event) {
    const drawn = this.drawn, width = drawn.over.clientWidth, {left} = drawn.cursor, [low, high] = this.group.shown();
    const move = by => drawn.setCursor({left: Math.min(width, Math.max(0, (left < 0 ? width : left) + by)), top: 0});
    const zoom = by => {
      const at = left < 0 ? (low + high) / 2 : drawn.posToVal(left, "x");
      this.group.zoom([at - (at - low) * by, at + (high - at) * by]);
    };
    const does = {
      ArrowLeft: () => move(event.shiftKey ? -width / 10 : -width / 100), ArrowRight: () => move(event.shiftKey ? width / 10 : width / 100),
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => this.group.zoom(null), Escape: () => this.group.zoom(null),
    }[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does();
  }
}

// A group ------------------------------------------------------------------------------------------------------------

class Group {
  constructor(container, number) {
    this.key = "charts-" + number;
    this.axis = null;
    this.smoothing = 0.005;
    this.zoomed = null;
    this.charts = [...container.querySelectorAll("figure.chart")].map(figure => new Chart(figure, this));
    const [first, ...others] = this.charts.map(chart => chart.data.axes);
    this.axes = Object.entries(first).filter(([key]) => others.every(axes => key in axes));
    this.axis = this.axes[0][0];
    container.prepend(this.controls());
    this.draw();
    const resized = new ResizeObserver(() => this.resize());
    this.charts.forEach(chart => resized.observe(chart.plot));
    dark.addEventListener("change", () => this.draw());
  }

  controls() {
    this.reset = element("button", {type: "button", class: "reset", hidden: ""}, "Show all");
    this.reset.addEventListener("click", () => this.zoom(null));
    const bar = element("div", {class: "controls", role: "group", "aria-label": "Controls of the charts"});
    if (this.axes.length > 1) bar.append(this.axisChoice());
    if (this.charts.some(chart => chart.data.lines.some(line => line.averaged))) bar.append(this.slider());
    bar.append(this.reset, element("span", {class: "hint"}, "Drag to zoom, double-click to see all"));
    return bar;
  }

  axisChoice() {
    const choice = element("span", {class: "choice", role: "radiogroup", "aria-label": "Horizontal axis"});
    for (const [key, word] of this.axes) {
      const radio = element("input", {type: "radio", name: this.key, value: key});
      radio.checked = key === this.axis;
      radio.addEventListener("change", () => { this.axis = key; this.zoomed = null; this.draw(); });
      choice.append(element("label", {}, radio, element("span", {}, word)));
    }
    return choice;
  }

  slider() {
    const range = element("input", {type: "range", min: "0", max: "100", step: "1", "aria-label": "Smoothing"});
    const told = element("output", {});
    // Fine where it is weak: the square of the slider's place, up to a quarter of the curve.
    const tell = () => { told.textContent = this.smoothing ? Number((100 * this.smoothing).toPrecision(2)) + " %" : "off"; };
    range.value = String(Math.round(100 * Math.sqrt(this.smoothing / 0.25)));
    range.addEventListener("input", () => {
      this.smoothing = 0.25 * (range.valueAsNumber / 100) ** 2;
      tell();
      this.draw();
    });
    tell();
    return element("label", {class: "smoothing"}, "Smoothing", range, told);
  }

  full() {
    const places = this.charts.flatMap(chart => chart.data.lines.flatMap(line => {
      const xs = line.trace.xs[this.axis], lost = line.lost[this.axis] || [];
      return [...xs.slice(0, 1), ...xs.slice(-1), ...lost.slice(0, 1), ...lost.slice(-1)];
    }));
    const low = Math.min(...places), high = Math.max(...places);
    if (!places.length) return [0, 1];
    const rim = high > low ? (high - low) * 0.012 : Math.abs(high) || 1;
    return this.charts.some(chart => chart.data.log_x) ? [low / 1.2, high * 1.2] : [low - rim, high + rim];
  }

  shown() { return this.zoomed || this.full(); }

  zoom(range) {
    const [low, high] = this.full();
    this.zoomed = range && (range[0] > low || range[1] < high) ? [Math.max(low, range[0]), Math.min(high, range[1])] : null;
    this.draw();
  }

  draw() {
    this.reset.hidden = !this.zoomed;
    this.charts.forEach(chart => chart.draw());
  }

  resize() {
    for (const chart of this.charts) {
      const size = chart.size();
      if (size.width !== chart.drawn.width || size.height !== chart.drawn.height) chart.drawn.setSize(size);
    }
  }
}

document.querySelectorAll(".charts").forEach((container, number) => {
  if (container.querySelector("figure.chart")) new Group(container, number);
});
root.dataset.charts = "drawn";
})();
