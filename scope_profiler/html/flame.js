"use strict";
// The flame graph: the call tree, each node as wide as it took time; upside down an icicle.
report.flame = (() => {
  const ROW = 19;

  function model(data, names) {
    const { parent, region, weight, total, own, calls } = data, n = parent.length;
    const depth = new Int32Array(n), begin = new Float64Array(n), ahead = new Float64Array(n), children = [];
    let whole = 0, deepest = 0;
    const roots = [];
    for (let at = 0; at < n; at++) {
      children.push([]);
      if (parent[at] < 0) {
        begin[at] = ahead[at] = whole;
        whole += weight[at];
        roots.push(at);
      } else {
        const above = parent[at];
        depth[at] = depth[above] + 1;
        begin[at] = ahead[at] = ahead[above];
        ahead[above] += weight[at];
        children[above].push(at);
        deepest = Math.max(deepest, depth[at]);
      }
    }
    const height = () => (deepest + 1) * ROW + 2;
    let isFlame = false;
    const top = (at, view) =>
      (isFlame ? Math.max(height(), view.height) - (depth[at] + 1) * ROW - 1 : depth[at] * ROW + 1) - view.top;

    return {
      begin: 0, end: whole || 1, leastSpan: Math.max(whole / 1e6, 1), margin: 0, zoomsByClick: true, height,
      turn(toFlame) { isFlame = toFlame; },
      paint(context, view) {
        const scale = view.width / (view.end - view.begin), ink = getComputedStyle(document.body).color;
        for (let at = 0; at < n; at++) {
          const from = Math.max((begin[at] - view.begin) * scale, -2);
          const to = Math.min((begin[at] + weight[at] - view.begin) * scale, view.width + 2);
          const y = top(at, view);
          if (to - from < 0.4 || to < 0 || from > view.width || y > view.height || y < -ROW) continue;
          const name = names[region[at]], isOut = report.isSearching() && !report.matches(name);
          context.globalAlpha = isOut ? 0.22 : 1;
          context.fillStyle = report.colour(region[at]);
          context.fillRect(from, y, Math.max(to - from - 0.7, 0.5), ROW - 1.5);
          if (to - from < 22) continue;
          context.globalAlpha = isOut ? 0.5 : 1;
          context.fillStyle = ink;
          const x = Math.max(from, 0) + 4;
          context.fillText(report.fitting(context, name, Math.min(to, view.width) - x - 4), x, y + ROW / 2 - 0.5);
        }
        context.globalAlpha = 1;
      },
      at(view, x, y) {
        const place = view.begin + x * (view.end - view.begin) / view.width;
        const row = isFlame ? Math.floor((Math.max(height(), view.height) - 1 - y - view.top) / ROW)
          : Math.floor((y + view.top - 1) / ROW);
        for (let at = 0; at < n; at++) {
          if (depth[at] === row && begin[at] <= place && place < begin[at] + weight[at]) return at;
        }
        return null;
      },
      describe(at) {
        const lines = [names[region[at]], `${report.time(total[at])} in ${report.count(calls[at])} call${calls[at] === 1 ? "" : "s"}`];
        if (own[at] !== null) lines.push(`own ${report.time(own[at])}`);
        if (whole) lines.push(`${(100 * weight[at] / whole).toFixed(1)} % of what is shown`);
        return lines;
      },
      outline(view, at) {
        const scale = view.width / (view.end - view.begin);
        return [(begin[at] - view.begin) * scale, top(at, view), weight[at] * scale, ROW - 1.5];
      },
      rangeOf: (at) => [begin[at], begin[at] + weight[at]],
      step(at, key) {
        if (at === null) return roots[0] ?? null;
        const [down, up] = isFlame ? ["ArrowUp", "ArrowDown"] : ["ArrowDown", "ArrowUp"];
        if (key === down) return children[at][0] ?? null;
        if (key === up) return parent[at] < 0 ? null : parent[at];
        const beside = parent[at] < 0 ? roots : children[parent[at]];
        return beside[beside.indexOf(at) + (key === "ArrowRight" ? 1 : -1)] ?? null;
      },
    };
  }

  addEventListener("DOMContentLoaded", () => {
    for (const run of report.all(".run")) {
      const box = report.one(".flame", run), { flame, names } = report.data.runs[run.dataset.run];
      if (!box) continue;
      const drawn = model(flame, names), turn = report.one(".turn", run);
      box.drawing = report.drawing(box, drawn);
      turn.addEventListener("click", () => {
        const isFlame = turn.ariaPressed !== "true";
        turn.ariaPressed = String(isFlame);
        drawn.turn(isFlame);
        box.scrollTop = isFlame ? box.scrollHeight : 0;
        box.drawing.redraw();
      });
    }
  });
})();
