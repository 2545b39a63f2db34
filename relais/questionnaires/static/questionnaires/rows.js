/* Rows of a repeating group ([data-rows]): added from their <template>, removed by being emptied. */

import { rowsOf } from "./collect.js";

/* Add an empty row and return it. */
export function addRow(group) {
  const blank = Array.from(group.children).find((child) => child.hasAttribute("data-row-blank"));
  const made = document.importNode(blank.content, true);
  const number = String(rowsOf(group).length);
  const holder = document.createElement("div");
  holder.appendChild(made);
  // The first __n__ of a name is this group's; those of groups inside stay for their own rows.
  const mark = `${group.dataset.rows}/__n__/`;
  const ids = `q-${mark.replace(/\//g, "-")}`;
  const write = (node) => {
    Array.from(node.querySelectorAll("*")).forEach((element) => {
      Array.from(element.attributes).forEach((attribute) => {
        const text = attribute.value
          .split(mark)
          .join(mark.replace("__n__", number))
          .split(ids)
          .join(ids.replace("__n__", number));
        if (text !== attribute.value) {
          element.setAttribute(attribute.name, text);
        }
      });
      if (element.content) {
        write(element.content);
      }
    });
  };
  write(holder);
  const row = holder.firstElementChild;
  group.insertBefore(row, blank);
  return row;
}

/* A removed row stays, empty and unseen, so that the numbers of the others hold: an empty row is no row. */
function removeRow(row) {
  Array.from(row.querySelectorAll("input, textarea")).forEach((input) => {
    if (/^(radio|checkbox)$/.test(input.type)) {
      input.checked = false;
    } else {
      input.value = "";
    }
  });
  row.hidden = true;
}

export function bindRows(form, changed) {
  Array.from(form.querySelectorAll("[data-row-remove]")).forEach((button) => {
    button.hidden = false;
  });
  form.addEventListener("click", (event) => {
    const add = event.target.closest("[data-row-add]");
    const remove = event.target.closest("[data-row-remove]");
    if (add) {
      event.preventDefault();
      const row = addRow(add.closest("[data-rows]"));
      changed();
      const first = row.querySelector("input, textarea");
      if (first) {
        first.focus();
      }
    } else if (remove) {
      const row = remove.closest("[data-row]");
      const group = row.closest("[data-rows]");
      removeRow(row);
      changed();
      group.focus();
    }
  });
}
