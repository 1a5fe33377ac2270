// The service: every request of the page goes through here; says when the server is gone, and when it wants its token.

const gone = document.getElementById("gone");
const form = document.getElementById("ask-token");
// A shared address brings the token behind a #, which no server sees; it is kept for this tab, and taken off.
const shared = new URLSearchParams(location.hash.slice(1)).get("token");
if (shared) {
  sessionStorage.setItem("lenet-token", shared);
  history.replaceState(null, "", location.pathname + location.search);
}
let token = sessionStorage.getItem("lenet-token") ?? "";
let looking = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  token = document.getElementById("token").value;
  sessionStorage.setItem("lenet-token", token);
  location.reload();
});

function headers(more) {
  return token ? { authorization: `Bearer ${token}`, ...more } : { ...more };
}

// Where the service is: behind a proxy it may have a path of its own, and all addresses are beside the page's.
function beside(address) {
  return new URL(address.replace(/^\//, ""), new URL(".", location.href));
}

// Returns the answer of a request; throws an Error with the one line that the service gives.
async function answer(address, options = {}) {
  let found;
  try {
    found = await fetch(beside(address), { ...options, headers: headers(options.headers) });
  } catch {
    sayGone();
    throw new Error("the server does not answer");
  }
  if (found.ok) return found;
  if (found.status === 401) form.hidden = false;
  const told = await found.json().catch(() => ({ error: `status ${found.status}` }));
  throw new Error(told.error);
}

export async function get(address) {
  return (await answer(address)).json();
}

export async function raw(address) {
  return (await answer(address)).arrayBuffer();
}

export async function post(address, body) {
  const json = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) };
  return (await answer(address, json)).json();
}

export async function remove(address) {
  return (await answer(address, { method: "DELETE" })).json();
}

export async function send(address, picture) {
  const type = picture.type.startsWith("image/") ? picture.type : "application/octet-stream";
  return (await answer(address, { method: "POST", headers: { "content-type": type }, body: picture })).json();
}

// Calls `told` with each event of the training until it has ended.
export async function follow(address, told) {
  const stream = (await answer(address)).body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let part;
    try {
      part = await stream.read();
    } catch {
      return sayGone();
    }
    if (part.done) return;
    text += part.value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) told(JSON.parse(data.slice(6)));
    }
  }
}

function sayGone() {
  gone.textContent = "The server does not answer: is lenet serve still running? Your drawing is kept; looking for it …";
  gone.hidden = false;
  if (looking) return;
  looking = true;
  const timer = setInterval(async () => {
    const there = await fetch(beside("/health")).catch(() => null);
    if (!there?.ok) return;
    clearInterval(timer);
    looking = false;
    gone.hidden = true;
    document.dispatchEvent(new Event("lenet-back"));
  }, 1500);
}
