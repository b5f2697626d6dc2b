import { Connection } from "../../connection/connection.ts";
import { addressFault } from "../../transport/local_address.ts";
import { givenTime } from "../../transport/keep_alive_options.ts";
import { localHeader, proxyHeader } from "../../transport/proxy_protocol.ts";
import type { TlsClientSettings, TlsConnector } from "../../transport/tls/client_files.ts";
import { closeOnReset } from "../../connection/reset_watch.ts";
import { OwnEnds } from "../own_ends.ts";
import { DATAGRAM_HALF } from "./datagram_half.ts";
import {
  checkOptions,
  FORWARD_OPTIONS,
  tlsSettings,
  TO,
  upstreamKeepAlive,
  upstreamsOf,
  whyIgnored,
} from "./options.ts";
import { noteSession } from "./session_notes.ts";
import type { ConnectOptions, Lease, Pool, PoolOptions } from "./pool.ts";
import { Pools } from "./pools.ts";
import { relayUpstream } from "../relay_upstream.ts";
import { type Service, service } from "../service.ts";

/** The connections of all outlets that forward. */
const ownEnds = new OwnEnds();

/** Forwards every client to an upstream. */
export const forward: Service = service({
  name: "forward",
  summary: "forward each connection to an upstream server: a TCP proxy",
  descriptors: 1,
  options: FORWARD_OPTIONS,
  check: checkOptions,
  whyIgnored,
  upstreams: upstreamsOf,
  keyFile: (options) =>
    options["to-tls-key-password-file"] === undefined
      ? options["to-tls-key"] ?? options["to-tls-cert"]
      : undefined,
  async preflight(options) {
    const { source } = options;
    const fault = source && addressFault(source);
    if (fault) return { option: "source", message: `source ${source}: ${fault}` };
    const times = upstreamKeepAlive(options);
    const why = times && (await import("../../transport/keep_alive.ts")).keepAliveFault();
    if (why) {
      const option = `${TO}${givenTime(times)}`;
      return { option, message: `${option} ${why}` };
    }
    if (!upstreamsOf(options).some(({ tls }) => tls)) return undefined;
    const { readTlsClient } = await import("../../transport/tls/client_files.ts");
    return await readTlsClient(tlsSettings(options), `${TO}tls`).then(
      () => undefined,
      ({ message }: Error) => ({ option: `${TO}tls-cert`, message }),
    );
  },
  datagram: DATAGRAM_HALF,
  open(options, { signal, health, failed, oncePerServer }) {
    const pools = new Pools(options, {
      source: options.source,
      keepAliveTimes: upstreamKeepAlive(options),
      tlsFor: tlsOf(tlsSettings(options), failed),
      balance: options.balance,
      connectTimeout: options["connect-timeout"],
      health,
      signal,
    });
    const { check: every, "send-proxy": version } = options;
    if (every !== undefined) {
      const preface = version && localHeader(version);
      oncePerServer((signal) => pools.check({ every, signal, preface }));
    }
    return async (client) => {
      await ownEnds.refuse(client);
      const chosen = pools.of(client);
      const pool = chosen instanceof Promise ? await chosen : chosen;
      if (!pool) return;
      const preface = version &&
        proxyHeader(version, { source: client.peer, destination: client.local });
      using lease = await leaseFor(client, { pool, preface });
      client.note("upstream", lease.name);
      if (lease.session) noteSession(client, lease.session);
      using upstream = new Connection(lease.socket, { id: client.id });
      using _ownEnd = ownEnds.note(upstream, { hasSource: options.source !== undefined });
      ownEnds.refuseLate(client);
      if (lease.greeting) await client.write(lease.greeting);
      await relayUpstream(client, upstream);
    };
  },
});

/** An upstream connection for a client. A client that resets its connection ends the attempt. */
async function leaseFor(
  client: Connection,
  { pool, preface }: { pool: Pool; preface: ConnectOptions["preface"] },
): Promise<Lease> {
  using _ = closeOnReset(client);
  return await pool.connect({ signal: client.closed, preface, client: client.peer });
}

/** The TLS options for each upstream; the files are read when the first client comes. */
function tlsOf(
  settings: TlsClientSettings,
  onFault: (reason: string) => void,
): PoolOptions["tlsFor"] {
  let opening: Promise<TlsConnector> | undefined;
  const open = async () => {
    const { TlsConnector } = await import("../../transport/tls/client_files.ts");
    return new TlsConnector({ settings, prefix: `${TO}tls`, onFault });
  };
  return async ({ address }) => await (await (opening ??= open())).optionsFor(address);
}
