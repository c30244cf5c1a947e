"use strict";
// The timeline: of each thread and task its calls, in lines by depth. html/timeline_data.py says what there is.
report.timeline = (() => {
  const HEAD = 22, LINE = 17, LANE = 20, AXIS = 24;

  // ---- Levels of detail: in each, what is shorter than its width is put together with its neighbours

  async function base(data) {
    const [counts, gap, length, calls, idle, region] = await Promise.all(
      ["counts", "gap", "length", "calls", "idle", "region"].map((name) => report.unpack(data[name])));
    const offset = new Uint32Array(data.lines + 1), n = gap.length;
    const level = { width: data.width, offset, start: gap, end: length, calls, busy: idle,
      region: Int32Array.from(region) };
    let at = 0;
    for (let line = 0; line < data.lines; line++) {
      offset[line] = at;
      let end = data.begin;
      for (const last = at + counts[line]; at < last; at++) {
        level.start[at] = end + gap[at];
        level.busy[at] = length[at] - idle[at];
        level.end[at] = end = level.start[at] + length[at];
        level.calls[at] += 1;
      }
    }
    offset[data.lines] = n;
    return level;
  }

  function coarser(level, width) {
    const n = level.start.length, offset = new Uint32Array(level.offset.length);
    const start = new Float64Array(n), end = new Float64Array(n), calls = new Float64Array(n);
    const busy = new Float64Array(n), region = new Int32Array(n), most = new Float64Array(n);
    let to = -1;
    for (let line = 0; line + 1 < offset.length; line++) {
      offset[line] = to + 1;
      let stretch = null;
      for (let at = level.offset[line]; at < level.offset[line + 1]; at++) {
        const isLong = level.end[at] - level.start[at] >= width;
        const place = Math.floor(level.start[at] / width);
        if (isLong || place !== stretch) {
          to++;
          start[to] = level.start[at];
          most[to] = -1;
          stretch = isLong ? null : place;
        }
        end[to] = level.end[at];
        calls[to] += level.calls[at];
        busy[to] += level.busy[at];
        if (level.busy[at] > most[to]) { most[to] = level.busy[at]; region[to] = level.region[at]; }
      }
    }
    offset[offset.length - 1] = to + 1;
    const cut = (column) => column.slice(0, to + 1);
    return { width, offset, start: cut(start), end: cut(end), calls: cut(calls), busy: cut(busy), region: cut(region) };
  }

  function levelsOf(first, span) {
    const levels = [first];
    for (let width = Math.max(4 * first.width, span / (1 << 18)); width < span / 256; width *= 4) {
      levels.push(coarser(levels.at(-1), width));
    }
    return levels;
  }

  // The first that ends after a time.
  function firstAfter(level, line, time) {
    let low = level.offset[line], high = level.offset[line + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (level.end[middle] <= time) low = middle + 1; else high = middle;
    }
    return low;
  }

  // ---- What is drawn

  async function model(data, names) {
    const levels = levelsOf(await base(data), data.end - data.begin);
    const tops = []; // of each line, in pixels
    let y = AXIS;
    for (const lane of data.lanes) {
      lane.top = y;
      y += LANE;
      for (let line = 0; line < lane.lines; line++, y += LINE) tops.push(y);
      y += 4;
    }
    const height = y;
    const lineAt = (place) => {
      let low = 0, high = tops.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (tops[middle] <= place) low = middle + 1; else high = middle;
      }
      return low - 1;
    };
    const levelFor = (view) => {
      const pixel = (view.end - view.begin) / view.width;
      return levels.findLast((level) => level.width <= 1.5 * pixel) || levels[0];
    };

    function paint(context, view) {
      const { begin, end, width, top } = view, scale = width / (end - begin), level = levelFor(view);
      const style = getComputedStyle(document.body), ink = style.color;
      const colours = names.map((_, region) => report.colour(region));
      const isFound = report.isSearching() ? names.map(report.matches) : null;
      const last = Math.min(lineAt(top + view.height) + 1, tops.length);
      for (let line = Math.max(lineAt(top), 0); line < last; line++) {
        const place = tops[line] - top;
        let drawn = -1;
        for (let at = firstAfter(level, line, begin); at < level.offset[line + 1] && level.start[at] < end; at++) {
          const from = Math.max((level.start[at] - begin) * scale, -2);
          const to = Math.min((level.end[at] - begin) * scale, width + 2);
          if (to < drawn + 0.4) continue;
          const region = level.region[at], wide = Math.max(to - from, 1);
          const cover = level.calls[at] > 1 ? level.busy[at] / (level.end[at] - level.start[at] || 1) : 1;
          context.globalAlpha = (isFound && !isFound[region] ? 0.18 : 1) * (0.35 + 0.65 * Math.min(cover, 1));
          context.fillStyle = colours[region];
          context.fillRect(from, place, wide > 3 ? wide - 0.5 : wide, LINE - 2);
          drawn = to;
          if (wide > 24) {
            const many = level.calls[at] > 1 ? `${report.count(level.calls[at])} × ` : "";
            context.globalAlpha = isFound && !isFound[region] ? 0.4 : 1;
            context.fillStyle = ink;
            const begins = Math.max(from, 0) + 3;
            context.fillText(report.fitting(context, many + names[region], Math.min(to, width) - begins - 3),
              begins, place + LINE / 2 - 0.5);
          }
        }
      }
      context.globalAlpha = 1;
      context.font = "600 12px system-ui, sans-serif";
      for (const lane of data.lanes) {
        const place = lane.top - top;
        if (place > view.height || place < -LANE) continue;
        context.fillStyle = ink;
        const process = data.lanes.some((each) => each.process !== data.lanes[0].process) ? `${lane.process}: ` : "";
        context.fillText(report.fitting(context, process + lane.name, width - 12), 4, place + LANE / 2 + 2);
      }
      context.font = "12px system-ui, sans-serif";
      axis(context, view);
    }

    function axis(context, { begin, end, width, height: tall }) {
      const style = getComputedStyle(document.body);
      context.fillStyle = getComputedStyle(report.one("section")).backgroundColor;
      context.fillRect(0, 0, width, HEAD);
      const span = end - begin, raw = span / Math.max(width / 110, 1), ten = 10 ** Math.floor(Math.log10(raw));
      const step = [1, 2, 5, 10].map((times) => times * ten).find((each) => each >= raw);
      // Beside the first mark stands how far it is from the begin; the others say how far from there.
      context.fillStyle = context.strokeStyle = style.color;
      context.lineWidth = 1;
      const origin = data.isLayout ? 0 : Math.ceil(begin / step) * step;
      for (let time = origin; time < end; time += step) {
        const x = Math.round((time - begin) / span * width) + 0.5;
        context.globalAlpha = 0.12;
        context.beginPath();
        context.moveTo(x, HEAD);
        context.lineTo(x, tall);
        context.stroke();
        context.globalAlpha = 0.8;
        const far = Math.abs(time) > 1000 * step && time !== origin;
        const text = far ? `+${label(time - origin, step)}` : label(time, step);
        if (x + context.measureText(text).width < width) context.fillText(text, x + 3, HEAD / 2);
      }
      context.globalAlpha = 1;
    }

    const found = (level, line, at) => ({ level: levels.indexOf(level), line, at });
    return {
      begin: data.begin, end: data.end, leastSpan: 200, margin: 0.15, zoomsByClick: false,
      height: () => height, paint,
      at(view, x, y) {
        if (y < AXIS) return null;
        const line = lineAt(y + view.top);
        if (line < 0 || y + view.top > tops[line] + LINE - 1) return null;
        const level = levelFor(view), pixel = (view.end - view.begin) / view.width, time = view.begin + x * pixel;
        const at = firstAfter(level, line, time - pixel);
        const isThere = at < level.offset[line + 1] && level.start[at] <= time + pixel;
        return isThere ? found(level, line, at) : null;
      },
      describe({ level: number, at }) {
        const level = levels[number], name = names[level.region[at]], time = report.time;
        const place = data.isLayout ? "" : `, ${time(level.start[at])} after the begin`;
        const length = level.end[at] - level.start[at];
        if (data.isLayout) return [name, `${time(length)} in ${report.count(level.calls[at])} calls`];
        if (level.calls[at] === 1) return [name, time(length) + place];
        return [`${report.count(level.calls[at])} calls, too short to be drawn here`,
          `${time(level.busy[at])} of ${time(length)}${place}`, `the longest: ${name}`];
      },
      outline(view, { level: number, line, at }) {
        const level = levels[number], scale = view.width / (view.end - view.begin);
        return [(level.start[at] - view.begin) * scale, tops[line] - view.top,
          Math.max((level.end[at] - level.start[at]) * scale, 1), LINE - 2];
      },
      rangeOf: ({ level, at }) => [levels[level].start[at], levels[level].end[at]],
      step(hit, key, view) {
        const level = levelFor(view);
        if (hit === null) {
          const line = Math.max(lineAt(view.top + AXIS), 0), at = firstAfter(level, line, view.begin);
          return at < level.offset[line + 1] ? found(level, line, at) : null;
        }
        const old = levels[hit.level], [begin, end] = [old.start[hit.at], old.end[hit.at]];
        if (key === "ArrowLeft" || key === "ArrowRight") {
          const now = firstAfter(level, hit.line, begin), at = now + (key === "ArrowRight" ? 1 : -1);
          const isThere = at >= level.offset[hit.line] && at < level.offset[hit.line + 1];
          return isThere ? found(level, hit.line, at) : null;
        }
        for (let line = hit.line, by = key === "ArrowDown" ? 1 : -1; ;) {
          line += by;
          if (line < 0 || line >= tops.length) return null;
          const at = firstAfter(level, line, begin);
          if (at < level.offset[line + 1] && level.start[at] <= Math.max(end, begin + 1)) return found(level, line, at);
        }
      },
    };
  }

  // As exact as the marks are apart.
  function label(time, step) {
    for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]]) {
      if (Math.abs(time) >= size || size === 1 || (time === 0 && step >= size)) {
        return `${(time / size).toFixed(Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9)))} ${unit}`;
      }
    }
  }

  addEventListener("DOMContentLoaded", async () => {
    for (const run of report.all(".run")) {
      const box = report.one(".timeline", run), { timeline, names } = report.data.runs[run.dataset.run];
      if (box) box.drawing = report.drawing(box, await model(timeline, names));
    }
  });
  return { coarser };
})();
