/**
 * Byte streams: a TCP or Unix connection, or TLS or a proxy's tunnel over one.
 *
 * @module
 */

/**
 * A byte stream, with the method names of `Deno.TcpConn`. Every method is required, so that
 * wrappers pass TCP options on to the socket.
 */
export type ByteStream =
  & Pick<
    Deno.TcpConn,
    "read" | "write" | "closeWrite" | "close" | "setNoDelay" | "setKeepAlive"
  >
  & {
    /** The local address. */
    readonly localAddr: Deno.Addr;
    /** The remote address. */
    readonly remoteAddr: Deno.Addr;
  };

/** A Deno socket as a stream. TCP options have no effect on Unix sockets. */
export function streamOf(socket: Deno.Conn): ByteStream {
  if ("setNoDelay" in socket) return socket as Deno.TcpConn;
  return Object.assign(socket, { setNoDelay() {}, setKeepAlive() {} });
}

/** The same stream with some methods overridden. */
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
