import { TaskScope } from "../../scheduling/task_scope.ts";
import { choice, DURATION } from "../../options/kinds.ts";
import { list, option } from "../../options/option.ts";
import { UsageError } from "../../options/usage_error.ts";
import { Connection } from "../../connection/connection.ts";
import { isUnix } from "../../endpoint/address.ts";
import { ENDPOINT } from "../../endpoint/parse.ts";
import { proxyHeader } from "../../transport/proxy_protocol.ts";
import { relay } from "../../connection/relay.ts";
import { closeOnReset } from "../../connection/reset_watch.ts";
import { noteOwnEnd, refuseOwnEnd, refuseOwnEndLate } from "./own_ends.ts";
import { openDatagrams } from "./datagrams.ts";
import { type Lease, Pool } from "./pool.ts";
import { type Service, service } from "../service.ts";

const tasks = new TaskScope("resetting an upstream whose client has disconnected", {
  consequence: "it is closed at the next write",
});

/** Forwards every client to an upstream. */
export const forward: Service = service({
  name: "forward",
  summary: "forward each connection to an upstream server: a TCP proxy",
  descriptors: 1,
  options: {
    to: list(ENDPOINT, "upstream server, or unix:PATH; several share the connections"),
    balance: option(
      choice(["round-robin", "least-connections", "first"]),
      "how to choose the upstream of a connection",
      { default: "round-robin" },
    ),
    "connect-timeout": option(
      DURATION,
      "time limit for connecting to an upstream; then the next is tried",
      {
        default: 5_000,
        defaultText: "5s",
      },
    ),
    check: option(DURATION, "interval of health checks, by connecting", {
      defaultText: "off",
    }),
    "send-proxy": option(
      choice(["v1", "v2"]),
      "send a PROXY protocol header with the client's address",
    ),
  },
  check({ to, balance, check, "connect-timeout": timeout }) {
    if (check === 0) throw new UsageError("check cannot be 0: leave it out", { option: "check" });
    if (timeout === 0) {
      throw new UsageError("connect-timeout cannot be 0: it must be positive", {
        option: "connect-timeout",
      });
    }
    if (to.length === 0) {
      throw new UsageError("forward needs an upstream: to, a HOST:PORT", { option: "to" });
    }
    if (to.length === 1 && balance !== "round-robin") {
      throw new UsageError("balance needs several upstreams: to has only one", {
        option: "balance",
      });
    }
  },
  upstreams: ({ to }) => to,
  datagram: {
    answers: "relayed",
    unused: {
      check: "a datagram socket connects to nothing",
      "connect-timeout": "a datagram socket connects to nothing",
    },
    check({ to, "send-proxy": version }) {
      if (to.some(isUnix)) {
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
  open(options, { signal, health, oncePerServer }) {
    const pool = new Pool({
      addresses: options.to,
      balance: options.balance,
      connectTimeout: options["connect-timeout"],
      health,
      signal,
    });
    const { check: every } = options;
    if (every !== undefined) oncePerServer((signal) => pool.check({ every, signal }));
    const version = options["send-proxy"];
    return async (client) => {
      await refuseOwnEnd(client);
      using lease = await leaseFor(client, pool);
      client.note("upstream", lease.name);
      using upstream = new Connection(lease.socket, { id: client.id });
      using _ownEnd = noteOwnEnd(upstream);
      refuseOwnEndLate(client);
      client.sink = { name: "upstream", flow: upstream };
      const cut = tasks.guard(() => upstream.reset(client.reason!));
      client.closed.addEventListener("abort", cut);
      if (version) {
        await upstream.write(
          proxyHeader(version, { source: client.peer, destination: client.local }),
        );
      }
      await relay(client, upstream);
    };
  },
});

/** An upstream connection for a client. A client that resets its connection ends the attempt. */
async function leaseFor(client: Connection, pool: Pool): Promise<Lease> {
  using _ = closeOnReset(client);
  return await pool.connect(client.closed);
}
