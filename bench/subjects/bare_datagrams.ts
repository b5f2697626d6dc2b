/** A minimal UDP echo in Deno: one buffer, one socket. Arguments: PORT. */
const [port] = Deno.args.map(Number);
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: port! });
const buffer = new Uint8Array(2_049);
for (;;) {
  const [datagram, from] = await socket.receive(buffer);
  await socket.send(datagram, from);
}
