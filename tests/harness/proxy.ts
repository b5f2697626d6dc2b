/**
 * A proxy inside the test for all schemes. It connects to the requested target and relays,
 * including half-closes and resets. (`tests/transport/proxy_test.ts` has real proxies.)
 *
 * @module
 */
import { Connection } from "../../src/connection/connection.ts";
import { relay } from "../../src/connection/relay.ts";
import type { Proxy } from "../../src/endpoint/proxy.ts";
import { readFull } from "../../src/transport/proxy/read_full.ts";
import { send } from "./bytes.ts";

/** A client's request in one of the schemes, and the answers to it. */
interface ProxyRequest {
  readonly hostname: string;
  readonly port: number;
  readonly granted: Uint8Array | string;
  readonly refused: Uint8Array | string;
}

/** A listening proxy. When it is disposed, its connections are closed. */
export class TestProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #scheme: Proxy["scheme"];
  readonly #open = new Set<Connection>();
  readonly #served: Promise<void>[] = [];
  readonly #accepting: Promise<void>;

  constructor(scheme: Proxy["scheme"]) {
    this.#scheme = scheme;
    this.#accepting = this.#acceptAll();
  }

  /** Its endpoint for a client. */
  get proxy(): Proxy {
    const { hostname, port } = this.#listener.addr;
    return { scheme: this.#scheme, address: { hostname, port }, credentials: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#open) connection.close("server closed");
    await Promise.all(this.#served);
  }

  async #acceptAll(): Promise<void> {
    for await (const client of this.#listener) {
      this.#served.push(this.#serve(client).catch(() => {}));
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    using inner = this.#connection(client);
    const asked = await askedOf(client, this.#scheme);
    const { hostname, port } = asked;
    const target = await Deno.connect({ hostname, port }).catch(() => undefined);
    if (!target) return await send(client, asked.refused);
    using outer = this.#connection(target);
    await send(client, asked.granted);
    await relay(inner, outer);
  }

  #connection(socket: Deno.TcpConn): Connection {
    socket.setNoDelay(true);
    const connection = new Connection(socket, { id: 0 });
    this.#open.add(connection);
    return connection;
  }
}

async function askedOf(client: Deno.TcpConn, scheme: Proxy["scheme"]): Promise<ProxyRequest> {
  if (scheme === "http") return await askedOfHttp(client);
  return await (scheme.startsWith("socks4") ? askedOfSocks4 : askedOfSocks5)(client);
}

async function askedOfHttp(client: Deno.TcpConn): Promise<ProxyRequest> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += textOf(await readFull(client, 1));
  const [, hostname = "", port] = /^CONNECT (.*):(\d+) HTTP/.exec(head)!;
  return {
    hostname,
    port: Number(port),
    granted: "HTTP/1.1 200 OK\r\n\r\n",
    refused: "HTTP/1.1 502 connection refused\r\n\r\n",
  };
}

async function askedOfSocks4(client: Deno.TcpConn): Promise<ProxyRequest> {
  const head = await readFull(client, 8);
  await textToZero(client);
  const address = [...head.subarray(4)];
  const isName = address.slice(0, 3).every((byte) => byte === 0);
  return {
    hostname: isName ? await textToZero(client) : address.join("."),
    port: head[2]! << 8 | head[3]!,
    granted: Uint8Array.of(0, 90, 0, 0, 0, 0, 0, 0),
    refused: Uint8Array.of(0, 91, 0, 0, 0, 0, 0, 0),
  };
}

async function askedOfSocks5(client: Deno.TcpConn): Promise<ProxyRequest> {
  const [, methods = 0] = await readFull(client, 2);
  await readFull(client, methods);
  await send(client, Uint8Array.of(5, 0));
  const [, , , kind] = await readFull(client, 4);
  const hostname = kind === 3
    ? textOf(await readFull(client, (await readFull(client, 1))[0]!))
    : [...await readFull(client, 4)].join(".");
  const [high = 0, low = 0] = await readFull(client, 2);
  const answer = (reply: number) => Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0);
  return { hostname, port: high << 8 | low, granted: answer(0), refused: answer(5) };
}

async function textToZero(client: Deno.TcpConn): Promise<string> {
  let text = "";
  for (;;) {
    const byte = await readFull(client, 1);
    if (byte[0] === 0) return text;
    text += textOf(byte);
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
