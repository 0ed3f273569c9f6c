// Bun's own publish: what arrives on /say goes to the topic.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch: (request, server) => (server.upgrade(request, { data: { says: request.url.endsWith("/say") } }) ? undefined : new Response("no")),
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    open(socket) {
      if (!socket.data.says) socket.subscribe("facts");
    },
    message(socket, text) {
      if (socket.data.says) server.publish("facts", text);
    },
  },
});
