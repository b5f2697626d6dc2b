/** An echo server as in Deno's documentation, with streams. Arguments: PORT. */
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
for (;;) {
  try {
    const conn = await listener.accept();
    conn.setNoDelay(true);
    conn.readable.pipeTo(conn.writable).catch(() => {});
  } catch {
    // The client disconnected before it was accepted.
  }
}
