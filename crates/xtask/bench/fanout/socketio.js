// Socket.IO over its WebSocket transport: what arrives as "say" is emitted to everybody in the room.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { transports: ["websocket"], pingInterval: 600_000, perMessageDeflate: false });
io.on("connection", (socket) => {
  socket.join("listening");
  socket.on("say", (text) => io.to("listening").emit("fact", text));
});
http.listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
