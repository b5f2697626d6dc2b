/** A minimal echo server in Deno: one buffer per connection. Arguments: PORT [BACKLOG]. */
const [port, backlog] = Deno.args.map(Number);
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: port!,
  ...backlog ? { tcpBacklog: backlog } : {},
});
for (;;) {
  try {
    echo(await listener.accept());
  } catch {
    // The client disconnected before it was accepted.
  }
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      for (let sent = 0; sent < n;) sent += await conn.write(buffer.subarray(sent, n));
    }
  } catch {
    // The client has disconnected.
  } finally {
    conn.close();
  }
}
