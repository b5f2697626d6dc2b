/** A minimal proxy in Deno: two buffers per client. Arguments: PORT UPSTREAM_PORT. */
const [port, upstream] = Deno.args.map(Number);
const listener = Deno.listen({ hostname: "127.0.0.1", port: port!, tcpBacklog: 4096 });
for (;;) {
  try {
    join(await listener.accept()).catch(() => {});
  } catch {
    // The client disconnected before it was accepted.
  }
}

async function join(client: Deno.TcpConn): Promise<void> {
  using _client = client;
  client.setNoDelay(true);
  using server = await Deno.connect({ hostname: "127.0.0.1", port: upstream! });
  server.setNoDelay(true);
  await Promise.all([carry(client, server), carry(server, client)]).catch(() => {});
}

async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
    for (let sent = 0; sent < n;) sent += await to.write(buffer.subarray(sent, n));
  }
  await to.closeWrite();
}
