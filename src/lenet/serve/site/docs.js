// The description of the interface, from openapi.json.

import { element } from "./numbers.js";
import { get } from "./service.js";

const api = await get("/openapi.json");
const routes = document.getElementById("routes");

function type(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return schema.anyOf.map(type).join(" or ");
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(", ");
  if (schema.type === "array") return `list of ${type(schema.items) || "anything"}`;
  return schema.format ?? schema.type ?? "";
}

// What an option is for; where it may be left out, one of its kinds says so.
function words(schema) {
  return schema.description ?? schema.anyOf?.find((each) => each.description)?.description ?? "";
}

function table(head, rows) {
  const made = element("table", "", { class: "terms" });
  const top = element("tr");
  top.append(...head.map((each) => element("th", each, { scope: "col" })));
  made.append(top, ...rows.map((row) => {
    const line = element("tr");
    line.append(...row.map((each) => element("td", each)));
    return line;
  }));
  return made;
}

for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, route] of Object.entries(methods)) {
    const box = element("details");
    const head = element("summary");
    head.append(element("code", `${method.toUpperCase()} ${path}`), ` ${route.description ?? ""}`);
    box.append(head);
    const body = route.requestBody?.content;
    if (body) {
      const kinds = Object.entries(body).map(([kind, { schema }]) => `${kind} (${type(schema) || "object"})`);
      box.append(element("p", `body: ${kinds.join("; ")}`));
    }
    if (route.parameters?.length) {
      box.append(table(["option", "type", "what"], route.parameters.map((each) => [each.name, type(each.schema), words(each.schema)])));
    }
    box.append(table(["status", "what", "body"], Object.entries(route.responses).map(([status, { description, content }]) =>
      [status, description, Object.entries(content ?? {}).map(([kind, { schema }]) => `${kind} ${type(schema)}`).join(", ")])));
    routes.append(box);
  }
}
