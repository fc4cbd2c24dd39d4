// Holds connections that talk in several ways, and says of each how it ended: `end CODE KIND CLEAN`.
// Runs in a browser, on a page whose fragment is `URI COUNT`, and in Node, with the package `ws`.

const browser = typeof window !== "undefined";
const Socket = browser ? WebSocket : require("ws");
const [uri, count] = browser
  ? decodeURIComponent(location.hash.slice(1)).split(" ")
  : process.argv.slice(2);

const large = "0123456789".repeat(100_000);
const pieces = ["one message ", "in several ", "frames"];
const kinds = ["silent", "small", "large", "pieces"];
let connected = 0;
let ended = 0;

function say(socket, kind, number) {
  if (kind === "silent") return null;
  if (kind === "large") return socket.send(large), large;
  if (kind === "small" || browser) {
    const message = `message ${number}`;
    return socket.send(message), message;
  }
  // A browser sends no fragments by itself.
  pieces.forEach((piece, at) => socket.send(piece, { fin: at + 1 === pieces.length }));
  return pieces.join("");
}

function hold(kind) {
  const socket = new Socket(uri);
  let number = 0;
  let expected;
  socket.onopen = () => {
    connected += 1;
    expected = say(socket, kind, number);
    if (connected === Number(count)) console.log("connected");
  };
  socket.onmessage = ({ data }) => {
    if (data !== expected) console.log(`wrong ${kind}: ${data.length} of ${expected.length}`);
    number += 1;
    expected = say(socket, kind, number);
  };
  socket.onerror = () => {};
  socket.onclose = ({ code, wasClean }) => {
    ended += 1;
    console.log(`end ${code} ${kind} ${wasClean}`);
    if (ended === Number(count)) console.log("all ended");
  };
}

for (let n = 0; n < Number(count); n += 1) hold(kinds[n % kinds.length]);
