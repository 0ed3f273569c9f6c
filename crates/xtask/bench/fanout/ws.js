// npm's ws as it is meant to be used: what arrives on /say goes to everybody else.
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
const listening = new Set();
server.on("connection", (socket, request) => {
  if (request.url !== "/say") {
    listening.add(socket);
    socket.on("close", () => listening.delete(socket));
    return;
  }
  socket.on("message", (data) => {
    const text = data.toString();
    for (const each of listening) each.send(text);
  });
});
