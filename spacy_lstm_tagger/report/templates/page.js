"use strict";
// The confusion matrix, and tables that are sorted by a click. What comes from the corpus is put
// into the page as text alone.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);

  function make(name, text, attributes = {}) {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }

  // What the controls say, and what is to be seen of it.
  function chosen() {
    const pipe = data[Number(element("pipeline").value)];
    const rows = new Map(), errors = new Map();
    for (const [gold, guess, count] of pipe.confusion) {
      rows.set(gold, (rows.get(gold) || 0) + count);
      if (gold === guess) continue;
      for (const tag of [gold, guess]) errors.set(tag, (errors.get(tag) || 0) + count);
    }
    const order = element("order").value;
    const rank = order === "errors" ? errors : rows;
    const most = [...pipe.tags].sort((a, b) => (rank.get(b) || 0) - (rank.get(a) || 0));
    const tags = most.slice(0, Number(element("number").value));
    if (order === "name") tags.sort();
    const guesses = pipe.confusion.some((row) => row[1] === "") ? [...tags, ""] : tags;
    return { pipe, rows, tags, guesses };
  }

  function draw() {
    const { pipe, rows, tags, guesses } = chosen();
    const share = element("unit").value === "share";
    const cells = new Map(pipe.confusion.map((row) => [JSON.stringify(row.slice(0, 2)), row[2]]));
    const table = make("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    table.createCaption().textContent = share ? `${pipe.name}, % of the row` : pipe.name;
    head.append(make("th"));
    for (const tag of guesses) {
      const th = make("th", undefined, { scope: "col" });
      th.append(make("span", tag || "no tag", { title: tag }));
      head.append(th);
    }
    for (const gold of tags) {
      const row = body.insertRow();
      row.append(make("th", gold, { scope: "row", title: gold }));
      for (const guess of guesses) {
        const cell = row.insertCell(), count = cells.get(JSON.stringify([gold, guess]));
        if (!count) continue;
        const part = count / rows.get(gold), colour = gold === guess ? "--heat" : "--wrong";
        cell.style.background = `rgba(var(${colour}), ${0.12 + 0.6 * Math.sqrt(part)})`;
        const label = `${gold} tagged as ${guess || "nothing"}: ${count} of ${rows.get(gold)}`;
        const text = share ? (100 * part).toFixed(part < 0.1 ? 1 : 0) : String(count);
        const button = make("button", text, { type: "button", title: label, "aria-label": label });
        button.addEventListener("click", () => show(pipe, gold, guess, label, button));
        cell.append(button);
      }
    }
    element("matrix").replaceChildren(table);
    element("cell").replaceChildren();
  }

  function show(pipe, gold, guess, label, button) {
    for (const other of element("matrix").querySelectorAll("[aria-pressed]")) {
      other.removeAttribute("aria-pressed");
    }
    button.setAttribute("aria-pressed", "true");
    const found = pipe.mistakes.find((row) => row[0] === gold && row[1] === guess);
    const lang = element("cell").dataset.language;
    const list = make("ul", undefined, { class: "sentences", lang });
    for (const sentence of found ? found[2] : []) {
      const item = make("li", undefined, { dir: "auto" });
      for (const [text, note] of sentence.pieces) {
        const piece = note === null ? make("span", text) : make("mark", text);
        if (note !== null) piece.append(" ", tags(note));
        item.append(piece);
      }
      item.append(" ", make("span", `text ${sentence.doc}`, { class: "faint" }));
      list.append(item);
    }
    const right = gold === guess ? "These are right." : "";
    const heading = make("h3"), rest = label.slice(label.lastIndexOf(": "));
    heading.append(make("bdi", gold), " tagged as ", make("bdi", guess || "nothing"), rest);
    element("cell").replaceChildren(heading, make("p", right), list);
  }

  // Each tag for itself: neither the sentence nor another tag turns it or the arrow round.
  function tags(note) {
    const small = make("small", undefined, { dir: "ltr" });
    note.forEach((tag, i) => small.append(i ? " → " : "", make("bdi", tag || "no tag")));
    return small;
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((cell, column) => {
      if (!cell.textContent) return;
      const button = make("button", cell.textContent, { type: "button" });
      let up = column === 0;
      button.addEventListener("click", () => {
        const value = (row) => row.cells[column].textContent;
        const sign = up ? 1 : -1;
        const rows = [...table.tBodies[0].rows].sort((a, b) =>
          sign * (column ? parseFloat(value(a)) - parseFloat(value(b)) : value(a).localeCompare(value(b))));
        table.tBodies[0].append(...rows);
        heads.forEach((head) => head.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
        up = !up;
      });
      cell.replaceChildren(button);
    });
  }

  element("controls").hidden = element("hint").hidden = false;
  for (const id of ["pipeline", "number", "order", "unit"]) {
    element(id).addEventListener("change", draw);
  }
  document.querySelectorAll("table.sortable").forEach(sortable);
  draw();
})();
