"use strict";
(function () {
  var svg = document.documentElement;
  var inner = Number(svg.getAttribute("data-inner"));
  var margin = Number(svg.getAttribute("data-margin"));
  var letter = Number(svg.getAttribute("data-letter"));
  var details = document.getElementById("details");
  var atRest = details.textContent;
  var boxes = Array.prototype.map.call(document.querySelectorAll(".box"), function (group) {
    return {
      group: group,
      rect: group.querySelector("rect"),
      text: group.querySelector("text"),
      title: group.querySelector("title").textContent,
      name: group.getAttribute("data-n"),
      begin: Number(group.getAttribute("data-b")),
      length: Number(group.getAttribute("data-l"))
    };
  });
  if (!boxes.length) return;
  var all = boxes[0], shown = all;

  function fitting(name, room) {
    var letters = Math.floor(room / letter);
    if (name.length <= letters) return name;
    return letters >= 3 ? name.slice(0, letters - 1) + "\u2026" : "";
  }

  // Show what lies in the box over the whole width, what is around it dimmed.
  function show(wanted) {
    shown = wanted;
    var end = wanted.begin + wanted.length;
    var depth = Number(wanted.rect.getAttribute("y"));
    boxes.forEach(function (box) {
      var isAround = Number(box.rect.getAttribute("y")) < depth;
      var isThere = isAround
        ? box.begin <= wanted.begin && box.begin + box.length >= end
        : box.begin >= wanted.begin && box.begin + box.length <= end;
      box.group.style.display = isThere ? "" : "none";
      box.group.classList.toggle("around", isThere && isAround);
      if (!isThere) return;
      var x = isAround ? margin : margin + (box.begin - wanted.begin) / wanted.length * inner;
      var width = isAround ? inner : box.length / wanted.length * inner;
      box.rect.setAttribute("x", x.toFixed(2));
      box.rect.setAttribute("width", width.toFixed(2));
      box.text.setAttribute("x", (x + 3).toFixed(2));
      box.text.textContent = fitting(box.name, width - 6);
    });
  }

  function search() {
    var wanted = window.prompt("Show boxes whose name has (a regular expression):", "");
    if (wanted === null) return;
    var pattern = null;
    try {
      pattern = wanted === "" ? null : new RegExp(wanted);
    } catch (error) {
      window.alert(error.message);
      return;
    }
    // What a box inside another has counts once.
    var found = 0, until = -1;
    boxes.forEach(function (box) {
      var isFound = pattern !== null && pattern.test(box.name);
      box.group.classList.toggle("found", isFound);
      if (isFound && box.begin >= until) {
        found += box.length;
        until = box.begin + box.length;
      }
    });
    atRest = pattern === null ? "" : "found: " + (100 * found / all.length).toFixed(1) + " %";
    details.textContent = atRest;
  }

  // As wide as the window.
  function widen() {
    var width = Math.max(window.innerWidth - 20, 300);
    svg.setAttribute("width", width);
    svg.setAttribute("viewBox", "0 0 " + width + " " + svg.getAttribute("height"));
    inner = width - 2 * margin;
    document.getElementById("search").setAttribute("x", width - margin);
    document.getElementById("reset").setAttribute("x", width - margin - 70);
    show(shown);
  }

  boxes.forEach(function (box) {
    box.group.addEventListener("click", function () { show(box); });
    box.group.addEventListener("mouseover", function () { details.textContent = box.title; });
    box.group.addEventListener("mouseout", function () { details.textContent = atRest; });
  });
  document.getElementById("search").addEventListener("click", search);
  document.getElementById("reset").addEventListener("click", function () { show(all); });
  if (svg.getAttribute("data-scalable") === "true") {
    window.addEventListener("resize", widen);
    widen();
  }
  window.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") {
      event.preventDefault();
      search();
    } else if (event.key === "Escape") {
      show(all);
    }
  });
})();
