/**
 * A port at which connects wait.
 *
 * @module
 */

const LOCAL = { hostname: "127.0.0.1" };

/** A listener whose accept queue is full, so that the kernel drops each SYN. */
export async function silentPort(stack: DisposableStack): Promise<Deno.TcpListener> {
  const listener = stack.use(Deno.listen({ ...LOCAL, port: 0, tcpBacklog: 1 }));
  const { port } = listener.addr;
  for (let i = 0; i < 2; i++) stack.use(await Deno.connect({ ...LOCAL, port }));
  return listener;
}
