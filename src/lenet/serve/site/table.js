// A page of numbers: dropped or chosen, read by the service, its cells shown to be looked at and saved.

import { send } from "./service.js";

const byId = (id) => document.getElementById(id);
const says = byId("says");
const drop = byId("drop");

async function read(page) {
  says.textContent = `Reading ${page.name ?? "the page"} …`;
  drop.setAttribute("aria-busy", "true");
  const query = new URLSearchParams({ review: "true" });
  for (const name of ["pattern", "sum"]) if (byId(name).value) query.set(name, byId(name).value);
  try {
    const found = await send(`/table?${query}`, page);
    const counts = {};
    for (const cell of found.cells) {
      cell.path = page.name ?? "";
      counts[cell.state] = (counts[cell.state] ?? 0) + 1;
    }
    const told = Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", ");
    says.textContent = found.cells.length ? `${found.cells.length} cells: ${told}.` : "No table found on this page.";
    byId("found").hidden = !found.cells.length;
    window.startReview(found);
  } catch (error) {
    says.textContent = error.message;
  }
  drop.removeAttribute("aria-busy");
}

byId("file").addEventListener("change", (event) => {
  if (event.target.files.length) read(event.target.files[0]);
});
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) read(event.dataTransfer.files[0]);
});
