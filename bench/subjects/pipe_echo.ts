/** An echo as Deno's documentation shows it, with streams. Words: PORT. */
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
for (;;) {
  try {
    const conn = await listener.accept();
    conn.setNoDelay(true);
    conn.readable.pipeTo(conn.writable).catch(() => {});
  } catch {
    // The client was gone before it was accepted.
  }
}
