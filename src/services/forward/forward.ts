import { choice, DURATION } from "../../options/kinds.ts";
import { list, option, type OptionValues } from "../../options/option.ts";
import { UsageError } from "../../options/usage_error.ts";
import { Connection } from "../../connection/connection.ts";
import { isUnix } from "../../endpoint/address.ts";
import { SOURCE_ADDRESS, sourceConflict } from "../../endpoint/source.ts";
import { addressFault } from "../../transport/local_address.ts";
import { formatRemote, REMOTE } from "../../endpoint/remote.ts";
import { TLS_OVER_UDP } from "../../endpoint/transport.ts";
import { prefixOptions, withoutPrefix } from "../../options/prefix.ts";
import { localHeader, proxyHeader } from "../../transport/proxy_protocol.ts";
import { TLS_CLIENT_OPTIONS } from "../../transport/tls/client_options.ts";
import type { TlsClientSettings, TlsConnector } from "../../transport/tls/client_files.ts";
import { closeOnReset } from "../../connection/reset_watch.ts";
import { OwnEnds } from "../own_ends.ts";
import { openDatagrams } from "./datagrams.ts";
import { noteSession } from "./session_notes.ts";
import { type ConnectOptions, type Lease, Pool, type PoolOptions } from "./pool.ts";
import { relayUpstream } from "../relay_upstream.ts";
import { type Service, service } from "../service.ts";

/** The TLS options of upstreams are those of a client after this: `to-tls-ca`. */
const TO = "to-";

const { tls: _, ...TLS_OPTIONS } = TLS_CLIENT_OPTIONS;
const TO_OPTIONS = prefixOptions(TLS_OPTIONS, { prefix: TO, about: "upstreams with TLS" });

/** The connections of all outlets that forward. */
const ownEnds = new OwnEnds();

/** Forwards every client to an upstream. */
export const forward: Service = service({
  name: "forward",
  summary: "forward each connection to an upstream server: a TCP proxy",
  descriptors: 1,
  options: {
    to: list(
      REMOTE,
      "upstream server; tls:// and ws:// speak TLS and WebSocket to it; several share the connections",
    ),
    balance: option(
      choice(["round-robin", "least-connections", "first", "source"]),
      "upstream of a connection: round-robin, least-connections, first (that is up), or source " +
        "(by the client's address)",
      { default: "round-robin", placeholder: "ALGORITHM" },
    ),
    "connect-timeout": option(
      DURATION,
      "time limit for connecting to an upstream; then the next is tried",
      {
        default: 5_000,
        defaultText: "5s",
      },
    ),
    source: option(SOURCE_ADDRESS, "address of this machine that connections come from"),
    check: option(DURATION, "interval of health checks, by connecting", {
      defaultText: "off",
    }),
    "send-proxy": option(
      choice(["v1", "v2"]),
      "send a PROXY protocol header with the client's address",
    ),
    ...TO_OPTIONS,
  },
  check({ to, check, source, "connect-timeout": timeout }) {
    if (check === 0) throw new UsageError("check cannot be 0: leave it out", { option: "check" });
    if (timeout === 0) {
      throw new UsageError("connect-timeout cannot be 0: it must be positive", {
        option: "connect-timeout",
      });
    }
    if (to.length === 0) {
      throw new UsageError("forward needs an upstream: to, a HOST:PORT", { option: "to" });
    }
    for (const { address } of source === undefined ? [] : to) {
      const conflict = isUnix(address) ? undefined : sourceConflict({ hostname: source }, address);
      if (conflict) throw new UsageError(`source: ${conflict}`, { option: "source" });
    }
  },
  whyIgnored(name, { to, balance, source, ...options }) {
    if (name === "source" && source !== undefined && to.every(({ address }) => isUnix(address))) {
      return "needs an upstream with an IP address";
    }
    if (name === "balance" && balance !== "round-robin" && to.length === 1) {
      return "needs several upstreams: to has only one";
    }
    const [first] = to;
    if (!first || to.some(({ tls }) => tls)) return undefined;
    if (!isTlsOption(name) || !isGiven(options[name])) return undefined;
    return `needs an upstream with TLS: to=${formatRemote({ ...first, tls: true })}`;
  },
  upstreams: ({ to }) => to,
  keyFile: (options) =>
    options["to-tls-key-password-file"] === undefined
      ? options["to-tls-key"] ?? options["to-tls-cert"]
      : undefined,
  async preflight({ to, source, ...options }) {
    const fault = source && addressFault(source);
    if (fault) return { option: "source", message: `source ${source}: ${fault}` };
    if (!to.some(({ tls }) => tls)) return undefined;
    const { readTlsClient } = await import("../../transport/tls/client_files.ts");
    return await readTlsClient(tlsSettings(options), `${TO}tls`).then(
      () => undefined,
      ({ message }: Error) => ({ option: `${TO}tls-cert`, message }),
    );
  },
  datagram: {
    answers: "relayed",
    unused: {
      check: "a datagram socket connects to nothing",
      "connect-timeout": "a datagram socket connects to nothing",
      ...Object.fromEntries(
        Object.keys(TO_OPTIONS).map((name) => [name, TLS_OVER_UDP]),
      ),
    },
    check({ to, "send-proxy": version }) {
      if (to.some(({ address, tls, ws }) => isUnix(address) || tls || ws !== undefined)) {
        throw new UsageError("datagrams are forwarded to UDP only: give a HOST:PORT", {
          option: "to",
        });
      }
      if (version !== "v1") return;
      throw new UsageError("send-proxy=v1 is a line of TCP: use v2 for datagrams", {
        option: "send-proxy",
      });
    },
    open: openDatagrams,
  },
  open(options, { signal, health, failed, oncePerServer }) {
    const pool = new Pool({
      remotes: options.to,
      source: options.source,
      tlsFor: tlsOf(tlsSettings(options), failed),
      balance: options.balance,
      connectTimeout: options["connect-timeout"],
      health,
      signal,
    });
    const { check: every, "send-proxy": version } = options;
    if (every !== undefined) {
      const preface = version && localHeader(version);
      oncePerServer((signal) => pool.check({ every, signal, preface }));
    }
    return async (client) => {
      await ownEnds.refuse(client);
      const preface = version &&
        proxyHeader(version, { source: client.peer, destination: client.local });
      using lease = await leaseFor(client, { pool, preface });
      client.note("upstream", lease.name);
      if (lease.session) noteSession(client, lease.session);
      using upstream = new Connection(lease.socket, { id: client.id });
      using _ownEnd = ownEnds.note(upstream, { hasSource: options.source !== undefined });
      ownEnds.refuseLate(client);
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

type TlsOption = keyof typeof TO_OPTIONS;

function isTlsOption(name: string): name is TlsOption {
  return Object.hasOwn(TO_OPTIONS, name);
}

/** Whether a value of a TLS option, all of which are off by default, turns something on. */
function isGiven(value: string | boolean | readonly string[] | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function tlsSettings(options: Pick<OptionValues<typeof TO_OPTIONS>, TlsOption>): TlsClientSettings {
  return withoutPrefix(options, TO);
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
