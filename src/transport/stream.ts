/**
 * A stream of bytes in both directions: a TCP or Unix connection, or TLS or a proxy's tunnel over one.
 *
 * @module
 */

/**
 * What a connection needs of a stream, in the words of `Deno.TcpConn`. Nothing is optional: what stands between a
 * socket and its connection passes everything on, and so an option of TCP reaches the socket through all of it.
 */
export type ByteStream =
  & Pick<
    Deno.TcpConn,
    "read" | "write" | "closeWrite" | "close" | "setNoDelay" | "setKeepAlive"
  >
  & {
    /** Our end. */
    readonly localAddr: Deno.Addr;
    /** The other end. */
    readonly remoteAddr: Deno.Addr;
  };

/** A system's socket as a stream. A Unix socket has no options of TCP: setting one does nothing there. */
export function streamOf(socket: Deno.Conn): ByteStream {
  if ("setNoDelay" in socket) return socket as Deno.TcpConn;
  return Object.assign(socket, { setNoDelay() {}, setKeepAlive() {} });
}

/** A stage over a stream: the same stream but for what is overridden, and nothing of it is lost. */
export function wrap(stream: ByteStream, overrides: Partial<ByteStream>): ByteStream {
  return {
    localAddr: stream.localAddr,
    remoteAddr: stream.remoteAddr,
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    closeWrite: () => stream.closeWrite(),
    close: () => stream.close(),
    setNoDelay: (on) => stream.setNoDelay(on),
    setKeepAlive: (on) => stream.setKeepAlive(on),
    ...overrides,
  };
}
