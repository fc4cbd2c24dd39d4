// Reads lines of requests in hexadecimal, each what one connection carried, and says what llhttp takes them for, which
// is Node's parser: a line of `METHOD TARGET LENGTH` between semicolons, and `! REASON` where it refuses the rest.

const http = require("http");
const { Duplex } = require("stream");

// An end amid a request is no fault of it.
const ENDS = ["HPE_INVALID_EOF_STATE", "ECONNRESET"];

function read(data) {
  return new Promise((resolve) => {
    const [found, refused] = [[], []];
    const server = http.createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 0 });
    server.httpAllowHalfOpen = true;
    server.on("request", (request, response) => {
      let length = 0;
      request.on("data", (piece) => (length += piece.length));
      request.on("end", () => {
        found.push(`${request.method} ${request.url} ${length}`);
        response.end();
      });
      request.on("error", () => {});
    });
    const socket = new Duplex({ read() {}, write: (_piece, _encoding, done) => done() });
    server.on("clientError", (error) => {
      if (!ENDS.includes(error.code)) refused.push(`! ${error.code} ${error.reason}`);
    });
    socket.on("close", () => resolve([...found, ...refused].join(";")));
    server.emit("connection", socket);
    socket.push(data);
    // What it makes of them comes in the turns after this one.
    let turns = 0;
    const turn = () => {
      turns += 1;
      if (turns === 8) socket.push(null);
      if (turns < 16) setImmediate(turn);
      else socket.destroy();
    };
    setImmediate(turn);
  });
}

async function main() {
  const lines = require("fs").readFileSync(0, "latin1").split("\n").slice(0, -1);
  for (const line of lines) {
    process.stdout.write(Buffer.from((await read(Buffer.from(line, "hex"))) + "\n", "latin1"));
  }
}

main();
