/**
 * BIND: the target connects to the proxy, and the proxy relays it to the client (RFC 1928, section
 * 4). Programs use it for a second connection, such as that of FTP in active mode.
 *
 * @module
 */
import { Connection } from "../../connection/connection.ts";
import { closeOnReset } from "../../connection/reset_watch.ts";
import {
  type Address,
  addressOf,
  formatAddress,
  type InternetAddress,
  isUnix,
  peerOf,
} from "../../endpoint/address.ts";
import { DEFAULT_HOST } from "../../endpoint/parse.ts";
import { formatDuration } from "../../options/quantity.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { lookUp } from "../../transport/dial_address.ts";
import { listen, type Listener } from "../../transport/listen.ts";
import type { ByteStream } from "../../transport/stream.ts";
import { refusalOf } from "./connector.ts";
import type { Destinations } from "./destinations.ts";
import { Refusal } from "./refusal.ts";

const tasks = new TaskScope("waiting for the connection of a BIND request", {
  consequence: "it waits until its client disconnects",
});

/** How long the target may take to connect, in milliseconds. */
const BIND_TIMEOUT = 60_000;

/** The address that stands for a target that is not known yet. */
const ANYBODY = "0.0.0.0";

/** Options of {@linkcode acceptTarget}. */
export interface BindOptions {
  /** The client that asks. */
  readonly client: Connection;
  /** Who may connect. */
  readonly destinations: Destinations;
  /** The address to listen on; by default the one where the client came in. */
  readonly source: string | undefined;
  /** Called with the address that the target has to connect to. */
  listening(address: Address): Promise<void>;
}

/**
 * Listens, and resolves to the connection of the target. Connections of others are closed.
 * @throws {Refusal} if it does not come
 */
export async function acceptTarget(
  target: InternetAddress,
  { client, destinations, source, listening }: BindOptions,
): Promise<Connection> {
  const expected = await addressesOf(target, { client, destinations });
  const listener = listenNear(client, source);
  using waiting = closeInTime(listener, client);
  using _ = closeOnReset(client);
  await listening(addressOf(listener.addr));
  for (let others = 1;; others++) {
    const stream = await accept(listener, { client, waiting });
    const peer = peerOf(stream);
    if (isExpected(peer, { expected, client, destinations })) {
      return new Connection(stream, { id: client.id });
    }
    stream.close();
    client.note("bind-refused", others);
  }
}

/** The addresses that may connect; `undefined` for all that the rules allow. */
async function addressesOf(
  { hostname }: InternetAddress,
  { client, destinations }: Pick<BindOptions, "client" | "destinations">,
): Promise<readonly string[] | undefined> {
  if (hostname === ANYBODY || hostname === "::") return undefined;
  const addresses = await lookUp(hostname, { signal: client.closed }).catch((error) => {
    client.closed.throwIfAborted();
    throw refusalOf(error);
  });
  return destinations.allowed(addresses, { client: client.peer, name: hostname });
}

function isExpected(
  peer: Address,
  { expected, client, destinations }: {
    expected: readonly string[] | undefined;
  } & Pick<BindOptions, "client" | "destinations">,
): boolean {
  if (isUnix(peer)) return false;
  if (expected) return expected.includes(peer.hostname);
  try {
    destinations.allowed([peer.hostname], { client: client.peer, name: peer.hostname });
    return true;
  } catch {
    return false;
  }
}

function listenNear({ local }: Connection, source: string | undefined): Listener {
  const hostname = source ?? (isUnix(local) ? DEFAULT_HOST : local.hostname);
  try {
    return listen({ address: { hostname, port: 0 } }, { backlog: 8 });
  } catch (error) {
    throw refusalOf(error as Error);
  }
}

/** Closes the listener with its time limit, or when its client ends or is disconnected. */
function closeInTime(
  listener: Listener,
  client: Connection,
): Disposable & { readonly isLate: boolean } {
  let isOpen = true;
  let isLate = false;
  const close = () => {
    if (isOpen) listener.close();
    isOpen = false;
  };
  const gone = tasks.guard(close);
  const timer = setTimeout(
    tasks.guard(() => {
      isLate = true;
      close();
    }),
    BIND_TIMEOUT,
  );
  client.closed.addEventListener("abort", gone);
  // What is read here is the next read's; a reset closes the client.
  tasks.run(
    client.readAhead().then(() => client.peerEnded && close(), () => {}),
  );
  return {
    get isLate() {
      return isLate;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      client.closed.removeEventListener("abort", gone);
      close();
    },
  };
}

async function accept(
  listener: Listener,
  { client, waiting }: { client: Connection; waiting: { readonly isLate: boolean } },
): Promise<ByteStream> {
  try {
    return await listener.accept();
  } catch (error) {
    if (client.peerEnded) throw new Refusal("failed", "ended before anybody connected");
    if (!waiting.isLate) throw error;
    const place = formatAddress(addressOf(listener.addr));
    throw new Refusal(
      "timed out",
      `nobody connected to ${place} in ${formatDuration(BIND_TIMEOUT)}`,
    );
  }
}
