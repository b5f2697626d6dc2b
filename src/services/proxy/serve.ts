/**
 * Serves the clients of a proxy: the first byte tells the protocol.
 *
 * @module
 */
import { Connection, type Handler } from "../../connection/connection.ts";
import { formatAddress } from "../../endpoint/address.ts";
import { formatProxy, type Proxy } from "../../endpoint/proxy.ts";
import { explain } from "../../transport/errors.ts";
import { OwnEnds } from "../own_ends.ts";
import { relayUpstream } from "../relay_upstream.ts";
import { ClientReader } from "./client_reader.ts";
import { type ConnectorOptions, connectTarget } from "./connector.ts";
import { Refusal } from "./refusal.ts";
import type { Authenticator, ProxyProtocol, ProxyRequest } from "./request.ts";

/** What clients are served with. */
export interface ProxySettings extends ConnectorOptions {
  /** Checks passwords; absent if none is needed. */
  readonly authenticator: Authenticator | undefined;
}

/** A client and its request. */
interface Exchange {
  /** The connections of the outlet, which it would otherwise serve again and again. */
  readonly ownEnds: OwnEnds;
  readonly client: Connection;
  readonly protocol: ProxyProtocol;
  readonly request: ProxyRequest;
}

/** Serves a client: reads its request, and does what it asks for. */
export function serveProxy(settings: ProxySettings): Handler {
  const ownEnds = new OwnEnds();
  return async (client) => {
    using reader = new ClientReader(client);
    let protocol: ProxyProtocol | undefined;
    try {
      protocol = await protocolOf(await reader.byte(), noting(client, settings.authenticator));
      const request = await protocol.readRequest(reader);
      reader[Symbol.dispose]();
      reader.giveBack();
      client.note("request", request.name);
      client.note("target", formatAddress(request.target));
      await COMMANDS[request.command]({ client, protocol, request, ownEnds }, settings);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!reader.isBegun) return;
      client.endAs(`refused: ${error.message}`);
      const answer = error.answer ?? protocol?.refused(error);
      if (answer) await client.write(answer);
    }
  };
}

/** The same, noting the user whose password is right. */
function noting(
  client: Connection,
  authenticator: Authenticator | undefined,
): Authenticator | undefined {
  return authenticator && {
    async check(user, password) {
      await authenticator.check(user, password);
      client.note("user", user);
    },
  };
}

/** The protocol of a client that starts with this byte. Each is loaded with its first client. */
async function protocolOf(
  first: number,
  authenticator: Authenticator | undefined,
): Promise<ProxyProtocol> {
  if (first === 4) return (await import("./socks4.ts")).socks4(authenticator);
  if (first === 5) return (await import("./socks5.ts")).socks5(authenticator);
  const isLetter = first >= 0x41 && first <= 0x5a;
  if (isLetter) return (await import("./http.ts")).http(first, authenticator);
  throw new Refusal(
    "malformed",
    first === 0x16
      ? "a TLS ClientHello, and this port does not speak TLS"
      : "neither SOCKS 4 or 5 nor HTTP",
  );
}

type Command = (exchange: Exchange, settings: ProxySettings) => Promise<void>;

const COMMANDS: Readonly<Record<ProxyRequest["command"], Command>> = {
  connect,
  bind,
  associate,
};

async function connect(exchange: Exchange, settings: ProxySettings): Promise<void> {
  const { client, request, ownEnds } = exchange;
  const { via, source } = settings;
  if (request.target.port === 0) throw new Refusal("malformed", "port 0 cannot be connected to");
  await withoutLoop(() => ownEnds.refuse(client));
  const stream = await connectTarget(request.target, { ...settings, client });
  using upstream = new Connection(stream, { id: client.id });
  client.note("upstream", via ? formatProxy(via) : formatAddress(upstream.peer));
  using _ownEnd = ownEnds.note(upstream, { hasSource: source !== undefined });
  await withoutLoop(() => ownEnds.refuseLate(client));
  if (request.message) await sendMessage(upstream, { head: request.message.head, via });
  const answer = exchange.protocol.granted(request, upstream.local);
  if (answer.length > 0) await client.write(answer);
  await relayUpstream(client, upstream, request.message);
}

/** A client through which the outlet is connected to itself gets an answer, too. */
async function withoutLoop(refuse: () => void | Promise<void>): Promise<void> {
  try {
    await refuse();
  } catch (cause) {
    throw new Refusal("not allowed", explain(cause), { cause });
  }
}

/** Nothing was answered yet, so a failure still can be. */
async function sendMessage(
  upstream: Connection,
  { head, via }: { head: Uint8Array; via: Proxy | undefined },
): Promise<void> {
  try {
    await upstream.write(head);
  } catch (cause) {
    const place = via ? formatProxy(via) : formatAddress(upstream.peer);
    throw new Refusal("failed", `${place}: ${explain(cause)}`, { cause });
  }
}

async function bind(
  { client, protocol, request }: Exchange,
  { via, destinations, source }: ProxySettings,
): Promise<void> {
  refuseWith(via, "BIND");
  const { acceptTarget } = await import("./bind.ts");
  using upstream = await acceptTarget(request.target, {
    client,
    destinations,
    source,
    listening: (address) => client.write(protocol.granted(request, address)),
  });
  client.note("upstream", formatAddress(upstream.peer));
  await client.write(protocol.granted(request, upstream.peer));
  await relayUpstream(client, upstream);
}

async function associate(
  { client, protocol, request }: Exchange,
  { via, destinations, source }: ProxySettings,
): Promise<void> {
  refuseWith(via, "UDP ASSOCIATE");
  const { Association } = await import("./association.ts");
  using association = new Association({ client, origin: request.target, destinations, source });
  client.note("relay", formatAddress(association.address));
  await client.write(protocol.granted(request, association.address));
  await association.relay();
}

/** Refuses what cannot be done through another proxy. */
function refuseWith(via: Proxy | undefined, command: string): void {
  if (via) {
    throw new Refusal("not supported", `${command} cannot go through the ${formatProxy(via)}`);
  }
}
