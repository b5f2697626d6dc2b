/** The least that an echo can be in Deno: what outlet's is measured against. */
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
  tcpBacklog: 4096,
});
for (;;) {
  const conn = await listener.accept();
  conn.setNoDelay(true);
  echo(conn);
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      for (let sent = 0; sent < n;) sent += await conn.write(buffer.subarray(sent, n));
    }
  } catch {
    // The client has gone.
  } finally {
    conn.close();
  }
}
