"use strict";
// Charts by plotly, whose script is unpacked when the first of them comes into sight.
(() => {
  let loading = null;
  const load = () => (loading ??= (async () => {
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(await report.inflate(report.one("#plotly").textContent));
    document.head.append(script);
    await new Promise((done) => { setTimeout(done); });
  })());

  const seconds = (column) => column.map((ns) => (ns === null ? null : ns / 1e9));
  const esc = (text) => (text.length > 80 ? `${text.slice(0, 80)}…` : text)
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"); // plotly reads some tags

  function layout(more) {
    const style = getComputedStyle(document.body), ink = style.color;
    const line = report.isDark() ? "#363b41" : "#dfe2e6";
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
    const base = {
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", height: 300, showlegend: false,
      font: { color: ink, family: style.fontFamily, size: 12 }, margin: { l: 60, r: 20, t: 14, b: 48 },
      hoverlabel: { align: "left" }, ...more,
    };
    base.xaxis = { ...axis, ...more.xaxis };
    base.yaxis = { ...axis, ...more.yaxis };
    return base;
  }
  const config = { responsive: true, displayModeBar: false };
  const times = { tickformat: "~s", ticksuffix: "s" };

  // A logarithmic axis of times from the least to the most of some columns, in nanoseconds.
  function logarithmic(...columns) {
    const known = columns.flat().filter((ns) => ns > 0);
    const [low, high] = [Math.min(...known), Math.max(...known)], vals = [];
    const steps = high / low > 1000 ? [1] : [1, 2, 5];
    for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10) vals.push(...steps.map((step) => step * ten));
    const text = (ns) => report.time(Math.round(ns)).replace(/\.0+ /, " ");
    return { type: "log", tickvals: vals.map((ns) => ns / 1e9), ticktext: vals.map(text) };
  }
  const plot = (box, traces, more) => Plotly.react(box, traces, layout(more), config);

  function drawHistogram(box, data, colour) {
    const { edges, counts, marks } = data;
    const middle = counts.map((_, at) => Math.sqrt(edges[at] * edges[at + 1]) / 1e9);
    const ink = getComputedStyle(document.body).color, most = Math.max(...counts);
    const text = counts.map((count, at) =>
      `${report.count(count)} call${count === 1 ? "" : "s"}<br>${report.time(edges[at])} to ${report.time(edges[at + 1])}`);
    plot(box, [{
      type: "bar", x: middle, y: counts, width: counts.map((_, at) => (edges[at + 1] - edges[at]) / 1e9),
      marker: { color: colour }, text, textposition: "none", hovertemplate: "%{text}<extra></extra>",
    }], {
      bargap: 0, xaxis: { ...logarithmic(edges), title: { text: "Duration" } },
      yaxis: { title: { text: "Calls" }, rangemode: "tozero" },
      shapes: marks.filter(([, ns]) => ns > 0).map(([, ns]) => ({ type: "line", x0: ns / 1e9, x1: ns / 1e9, y0: 0, y1: most,
        line: { color: ink, width: 1, dash: "dot" } })),
      annotations: marks.filter(([, ns]) => ns > 0).map(([name, ns, said], at) => ({ x: Math.log10(ns / 1e9), y: most,
        yshift: 8 - 14 * at, text: `${name} ${said}`, showarrow: false, xanchor: "right", font: { size: 11 } })),
    });
  }

  function drawSeries(box, data, against, colour) {
    if (against < 0) {
      const { start, mean, least, most, calls } = data.series, x = seconds(start), isSingle = !calls;
      const said = (column, word) => column.map((ns, at) => `${word} ${report.time(ns)}` +
        (isSingle ? "" : ` of ${report.count(calls[at])} calls`));
      const trace = (column, word, more) => ({ type: x.length > 2000 ? "scattergl" : "scatter", x, y: seconds(column),
        text: said(column, word), hovertemplate: "%{text}<br>%{x:~s}s after the begin<extra></extra>", ...more });
      const traces = isSingle ? [trace(mean, "", { mode: "markers", marker: { color: colour, size: 5 } })] : [
        trace(least, "shortest", { mode: "lines", line: { width: 0 } }),
        trace(most, "longest", { mode: "lines", line: { width: 0.6, color: colour }, fill: "tonexty" }),
        trace(mean, "average", { mode: "lines", line: { width: 1.6, color: getComputedStyle(document.body).color } }),
      ];
      plot(box, traces, { xaxis: { title: { text: "Start, since the begin" }, ...times },
        yaxis: { ...logarithmic(least ?? mean, most ?? mean),
          title: { text: isSingle ? "Duration" : "Shortest, average, longest" } } });
      return;
    }
    const group = data.keys[against], isNumber = group.values.every((value) => value !== "" && isFinite(value) || value.startsWith("(no "));
    const x = group.values.map((value) => (isNumber && isFinite(value) ? Number(value) : esc(value)));
    const order = x.map((_, at) => at);
    if (isNumber) order.sort((a, b) => x[a] - x[b]);
    const ink = getComputedStyle(document.body).color;
    const trace = (column, word, more) => ({ type: isNumber ? "scatter" : "bar", name: word, x: order.map((at) => x[at]),
      y: order.map((at) => (column[at] === null ? null : column[at] / 1e9)),
      text: order.map((at) => `${word} ${report.time(column[at])} of ${report.count(group.calls[at])} calls`),
      textposition: "none", hovertemplate: "%{x}<br>%{text}<extra></extra>", ...more });
    plot(box, [
      trace(group.p50, "p50", { marker: { color: colour }, line: { color: colour }, mode: "lines+markers" }),
      trace(group.p95, "p95", { marker: { color: ink, opacity: 0.6 }, line: { color: ink, dash: "dot" }, mode: "lines+markers" }),
      trace(group.max, "longest", { type: "scatter", mode: "markers", marker: { color: ink, symbol: "line-ew-open", size: 12 } }),
    ], { showlegend: true, xaxis: { title: { text: esc(group.key) }, type: isNumber ? "-" : "category" },
      yaxis: { ...logarithmic(group.p50, group.max), title: { text: "Duration" } } });
  }

  function drawDurations(section, { durations, names }) {
    const data = durations[report.one(".choose-region", section).value];
    const against = report.one(".choose-against", section), colour = report.colour(data.region);
    const [left, right] = report.all(".plot", section);
    left.hidden = !data.edges;
    right.hidden = !data.series;
    if (data.edges) drawHistogram(left, data, colour);
    if (data.series) drawSeries(right, data, Number(against.value), colour);
  }

  function initDurations(section, data) {
    const region = report.one(".choose-region", section), against = report.one(".choose-against", section);
    const option = (value, text) => new Option(text.length > 60 ? `${text.slice(0, 60)}…` : text, value);
    region.append(...data.durations.map((each, at) => option(at, data.names[each.region])));
    region.value = Math.max(data.durations.findIndex(({ counts }) => counts?.length > 1), 0);
    const fill = () => {
      const { keys } = data.durations[region.value];
      against.replaceChildren(option(-1, "time"), ...keys.map(({ key }, at) => option(at, key)));
      against.disabled = keys.length === 0;
    };
    fill();
    const draw = () => drawDurations(section, data);
    region.addEventListener("change", () => { fill(); draw(); });
    against.addEventListener("change", draw);
    return draw;
  }

  function drawImbalance(section, { imbalance, names }) {
    const mean = (row) => {
      const known = row.filter((ns) => ns);
      return known.reduce((sum, ns) => sum + ns, 0) / (known.length || 1);
    };
    const z = imbalance.total.map((row) => row.map((ns) => (ns ? 100 * (ns / mean(row) - 1) : null)));
    const most = Math.max(1, ...z.flat().map((value) => Math.abs(value)));
    const box = report.one(".plot", section), dark = report.isDark();
    plot(box, [{
      type: "heatmap", z, x: imbalance.ranks.map(String), y: imbalance.regions.map((region) => region),
      text: imbalance.total.map((row) => row.map((ns) => (ns === null ? "not called" : report.time(ns)))),
      customdata: imbalance.regions.map((region, at) => imbalance.ranks.map(() => esc(names[region]))),
      hovertemplate: "%{customdata}<br>rank %{x}: %{text}, %{z:+.1f} % of the mean<extra></extra>",
      zmin: -most, zmax: most, xgap: 1, ygap: 1,
      colorscale: [[0, dark ? "#4f8fd6" : "#2b6cb0"], [0.5, dark ? "#2a2e33" : "#f4f4f2"], [1, dark ? "#ff9a4d" : "#c2500a"]],
      colorbar: { ticksuffix: " %", thickness: 12 },
    }], { height: 110 + 24 * imbalance.regions.length, xaxis: { title: { text: "Rank" }, type: "category" },
      yaxis: { autorange: "reversed", type: "category", tickvals: imbalance.regions,
        ticktext: imbalance.regions.map((region) => esc(names[region].slice(0, 40))) } });
  }

  function drawCounters(section, { counters }) {
    const type = report.one(".logarithmic", section).checked ? "log" : "linear";
    const style = getComputedStyle(document.body);
    report.all(".plot", section).forEach((box, at) => {
      const { curves } = counters[at];
      const traces = curves.flatMap(({ rank, time, least, most }, which) => {
        const colour = curves.length > 1 ? report.colour(which) : style.color, name = `rank ${rank}`;
        const trace = (y, more) => ({ type: time.length > 2000 ? "scattergl" : "scatter", mode: "lines", name, x: time, y,
          line: { width: 1.2, color: colour, shape: most ? "linear" : "hv" },
          hovertemplate: `%{y:.4~g}${curves.length > 1 ? `, ${name}` : ""}<br>%{x:~s}s after the begin<extra></extra>`, ...more });
        if (!most) return [trace(least, time.length <= 60 ? { mode: "lines+markers", marker: { color: colour, size: 4 } } : {})];
        return [trace(least, { showlegend: false }), trace(most, { fill: "tonexty" })];
      });
      plot(box, traces, { height: 220, showlegend: curves.length > 1, yaxis: { type, exponentformat: "power" },
        xaxis: { title: { text: "Since the begin of the run" }, ...times } });
    });
  }

  function initCounters(section, data) {
    const draw = () => drawCounters(section, data);
    report.one(".logarithmic", section).addEventListener("change", draw);
    return draw;
  }

  const inits = { Durations: initDurations, Ranks: (section, data) => () => drawImbalance(section, data), Counters: initCounters };

  addEventListener("DOMContentLoaded", () => {
    for (const section of report.all("section.charts")) {
      const data = report.data.runs[section.closest(".run").dataset.run];
      const draw = inits[section.dataset.part](section, data);
      let isDrawn = false;
      const first = async (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        await load();
        isDrawn = true;
        draw();
        section.dataset.drawn = "yes";
      };
      const seen = new IntersectionObserver(first, { rootMargin: "300px" });
      seen.observe(section);
      report.onChange((what) => { if (isDrawn && what === "theme") draw(); });
    }
  });
})();
