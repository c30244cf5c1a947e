"use strict";
// A canvas with a range of time (or of weight) that is moved and zoomed, by pointer, wheel and keys. What is
// drawn says a model:
//   begin, end, leastSpan   the whole range, and how far it can be zoomed
//   height()                in pixels
//   paint(context, view)    draws view.begin to view.end over view.width, and view.top on over view.height
//   at(view, x, y)          what is there, or null
//   describe(hit)           lines of text
//   outline(view, hit)      [x, y, width, height]
//   step(hit, key)          what the arrow keys choose next, or null
//   rangeOf(hit)            [begin, end]
report.drawing = (box, model) => {
  const canvas = document.createElement("canvas"), inner = document.createElement("div");
  const context = canvas.getContext("2d"), status = report.one(".chosen-text", box.closest("section"));
  const view = { begin: model.begin, end: model.end, width: 0, height: 0, top: 0 };
  let isWaiting = false, hovered = null, chosen = null, drag = null;
  inner.append(canvas);
  box.append(inner);

  function draw() {
    isWaiting = false;
    inner.style.height = `${model.height()}px`;
    box.style.height = `${Math.min(model.height() + 2, 540)}px`;
    const width = box.clientWidth, height = box.clientHeight, ratio = devicePixelRatio || 1;
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    Object.assign(view, { width, height, top: box.scrollTop });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.clearRect(0, 0, width, height);
    model.paint(context, view);
    const ink = getComputedStyle(box).color;
    for (const [hit, thick] of [[hovered, 1], [chosen, 2]]) {
      if (hit === null) continue;
      const [x, y, w, h] = model.outline(view, hit);
      context.strokeStyle = ink;
      context.lineWidth = thick;
      context.strokeRect(Math.max(x, -4), y, Math.min(w, width + 8 - Math.max(x, -4)), h);
    }
  }

  function redraw() {
    if (!isWaiting) { isWaiting = true; requestAnimationFrame(draw); }
  }

  function show(begin, end) {
    const least = Math.min(model.leastSpan, model.end - model.begin);
    const span = Math.min(Math.max(end - begin, least), model.end - model.begin);
    begin = Math.min(Math.max((begin + end - span) / 2, model.begin), model.end - span);
    Object.assign(view, { begin, end: begin + span });
    box.dataset.begin = view.begin;
    box.dataset.end = view.end;
    redraw();
  }
  const zoom = (factor, around = (view.begin + view.end) / 2) =>
    show(around - (around - view.begin) * factor, around + (view.end - around) * factor);
  const pan = (share) => {
    const by = (view.end - view.begin) * share;
    const room = by < 0 ? Math.max(by, model.begin - view.begin) : Math.min(by, model.end - view.end);
    show(view.begin + room, view.end + room);
  };
  const whole = () => show(model.begin, model.end);

  function choose(hit) {
    chosen = hit;
    status.textContent = hit === null ? "" : model.describe(hit).map((line) => line.slice(0, 300)).join(" · ");
    if (hit !== null) {
      const [begin, end] = model.rangeOf(hit), [, y, , h] = model.outline(view, hit);
      if (end < view.begin || begin > view.end) {
        const half = (view.end - view.begin) / 2, middle = (begin + end) / 2;
        show(middle - half, middle + half);
      }
      if (y < 24) box.scrollTop += y - 24;
      else if (y + h > view.height) box.scrollTop += y + h - view.height;
    }
    redraw();
  }
  const zoomTo = (hit) => {
    const [begin, end] = model.rangeOf(hit), margin = model.margin * (end - begin);
    show(begin - margin, end + margin);
  };

  // ---- The pointer

  const tip = report.tip;
  const at = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const timeAt = (x) => view.begin + (view.end - view.begin) * x / view.width;

  box.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (drag !== null) {
      const by = (drag.x - x) / view.width * (drag.end - drag.begin);
      drag.moved ||= Math.abs(drag.x - x) > 3;
      if (drag.moved) show(Math.min(Math.max(drag.begin + by, model.begin), model.end - (drag.end - drag.begin)),
        Math.min(Math.max(drag.end + by, model.begin + (drag.end - drag.begin)), model.end));
    }
    const hit = drag?.moved ? null : model.at(view, x, y);
    if (hit === null) tip.hide();
    else tip.show(model.describe(hit), event.clientX, event.clientY);
    if (JSON.stringify(hit) !== JSON.stringify(hovered)) { hovered = hit; redraw(); }
  });
  box.addEventListener("pointerleave", () => { hovered = null; tip.hide(); redraw(); });
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target !== canvas) return;
    const [x] = at(event);
    drag = { x, begin: view.begin, end: view.end, moved: false };
  });
  addEventListener("pointerup", () => { setTimeout(() => { drag = null; }); });
  box.addEventListener("click", (event) => {
    if (drag?.moved) return;
    const hit = model.at(view, ...at(event));
    choose(hit);
    if (hit !== null && model.zoomsByClick) zoomTo(hit);
  });
  box.addEventListener("dblclick", (event) => {
    const hit = model.at(view, ...at(event));
    if (hit !== null) zoomTo(hit);
  });
  box.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(Math.sign(event.deltaY) * 0.3), timeAt(at(event)[0]));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / view.width);
    else return;
    event.preventDefault();
  }, { passive: false });

  // ---- Keys

  box.addEventListener("keydown", (event) => {
    const arrows = { ArrowLeft: -0.2, ArrowRight: 0.2 };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0" || event.key === "Home") whole();
    else if (event.key === "Escape") { choose(null); whole(); }
    else if (event.key === "Enter" && chosen !== null) zoomTo(chosen);
    else if (event.key.startsWith("Arrow") && (model.zoomsByClick || event.shiftKey)) {
      const next = model.step(chosen, event.key, view);
      if (next !== null) choose(next);
    } else if (event.key in arrows) pan(arrows[event.key]);
    else return;
    event.preventDefault();
  });

  const section = box.closest("section");
  report.one(".zoom-in", section)?.addEventListener("click", () => zoom(0.5));
  report.one(".zoom-out", section)?.addEventListener("click", () => zoom(2));
  report.one(".zoom-all", section)?.addEventListener("click", whole);
  box.addEventListener("scroll", () => { hovered = null; redraw(); });
  new ResizeObserver(redraw).observe(box);
  report.onChange((what) => { if (what === "theme") draw(); else redraw(); });
  show(view.begin, view.end);
  box.dataset.ready = "yes";
  return { redraw, draw, view, show, zoom };
};

// What stands beside the pointer.
report.tip = (() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  addEventListener("DOMContentLoaded", () => document.body.append(tip));
  return {
    hide() { tip.hidden = true; },
    show(lines, x, y) {
      tip.replaceChildren(...lines.map((text) => {
        const line = document.createElement("div"), part = document.createElement("bdi");
        part.textContent = text.length > 300 ? `${text.slice(0, 300)}…` : text;
        line.append(part);
        return line;
      }));
      tip.hidden = false;
      const { offsetWidth: width, offsetHeight: height } = tip;
      tip.style.left = `${Math.max(Math.min(x + 14, innerWidth - width - 8), 4)}px`;
      tip.style.top = `${y + 18 + height > innerHeight ? Math.max(y - height - 8, 4) : y + 18}px`;
    },
  };
})();
