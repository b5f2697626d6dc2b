/**
 * A stream of bytes in both directions: a TCP or Unix connection, or TLS or a proxy's tunnel over one.
 *
 * @module
 */

/** What `Deno.TcpConn` offers of a stream, and all that a connection needs of it. */
export type ByteStream =
  & Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close" | "localAddr" | "remoteAddr">
  & Partial<Pick<Deno.TcpConn, "setNoDelay">>;
