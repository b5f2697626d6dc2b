// A typical proxy in Node. Arguments: PORT UPSTREAM_PORT.
import { connect, createServer } from "node:net";

const [port, upstream] = process.argv.slice(2).map(Number);
createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const server = connect({ host: "127.0.0.1", port: upstream, noDelay: true, allowHalfOpen: true });
  client.on("error", () => server.destroy());
  server.on("error", () => client.destroy());
  client.pipe(server).pipe(client);
}).listen({ host: "127.0.0.1", port, backlog: 4096 });
