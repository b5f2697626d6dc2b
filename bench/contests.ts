/**
 * All comparisons: the servers, their load, and the ratios that outlet should reach.
 *
 * @module
 */
import type { Comparison } from "./contest.ts";
import type { Load } from "./measure.ts";
import {
  consoles,
  datagramEchoes,
  echoes,
  logs,
  NCAT_MEMBERS,
  programs,
  proxies,
  type RatioGoals,
  rooms,
  workerCounts,
} from "./recipes.ts";
import type { BenchTools } from "./tools.ts";

/** Parameters of the loads. */
export interface LoadParameters {
  /** Duration of each run, in seconds. */
  readonly seconds: number;
  /** The port of the echo server behind proxies. */
  readonly upstream: number;
}

/** All comparisons, in the order of the results. */
export function comparisons(
  workshop: BenchTools,
  { seconds, upstream }: LoadParameters,
): Comparison[] {
  const roundTrips = (connections: number): Load => ({
    tool: "round_trips",
    args: [connections, 64, seconds],
    count: ({ operations }) => operations,
  });
  const connects: Load = {
    tool: "connects",
    args: [32, seconds],
    count: ({ operations }) => operations,
  };
  const stream: Load = { tool: "stream", args: [seconds], count: ({ bytes }) => bytes / 1e6 };
  const chat = (members: number): Load => ({
    tool: "chat",
    args: [members, seconds],
    count: ({ operations }) => operations,
  });
  const echo = (goals: RatioGoals) => echoes(workshop, goals);
  const forward = (goals: RatioGoals) => proxies(workshop, { upstream, goals });
  return [
    {
      title: "echo: 64-byte round trips on 100 connections",
      unit: "round trips",
      load: roundTrips(100),
      ...echo({ "bare Deno loop": { least: 0.95 }, "Node pipe": { least: 1.2 } }),
    },
    {
      title: "echo: 64-byte round trips on 1,000 connections",
      unit: "round trips",
      load: roundTrips(1000),
      ...only(echo({}), ["C, epoll", "bare Deno loop", "Node pipe"]),
    },
    {
      title: "UDP echo: 64-byte datagrams, 32 in flight",
      unit: "round trips",
      load: {
        tool: "datagrams",
        args: [32, 64, seconds],
        count: ({ operations }) => operations,
      },
      ...datagramEchoes(workshop, { "bare Deno loop": { least: 0.9 }, socat: { least: 2 } }),
    },
    {
      title: "echo: one stream",
      unit: "MB",
      load: stream,
      ...echo({ "bare Deno loop": { least: 0.97 }, "Node pipe": { least: 1.7 } }),
    },
    {
      title: "echo: connect, one word and back, close; 32 in flight",
      unit: "connects",
      load: connects,
      ...echo({
        "bare Deno loop": { least: 0.8 },
        "Node pipe": { least: 1.25 },
        "tcpserver + cat": { least: 6 },
        "ncat -k -e cat": { least: 6 },
        "socat fork": { least: 6 },
      }),
    },
    {
      title: "log: echo, connect, one word and back, close; 32 in flight",
      unit: "connects",
      load: connects,
      ...logs(workshop, { most: 1.15 }),
    },
    {
      title: "console that nobody looks at: 64-byte round trips on 100 connections",
      unit: "round trips",
      load: roundTrips(100),
      ...consoles(workshop, { "outlet without one": { least: 0.97 } }),
    },
    {
      title: "console that nobody looks at: one stream",
      unit: "MB",
      load: stream,
      ...consoles(workshop, { "outlet without one": { least: 0.97 } }),
    },
    {
      title: "forward: 64-byte round trips on 100 connections",
      unit: "round trips",
      load: roundTrips(100),
      ...forward({ "HAProxy, 1 thread": { least: 0.85 } }),
    },
    {
      title: "forward: one stream",
      unit: "MB",
      load: stream,
      ...forward({
        "HAProxy, 1 thread": { least: 1.5 },
        "Node pipe": { least: 3 },
        "socat fork": { least: 3 },
      }),
    },
    {
      title: "forward: connect, one word and back, close; 32 in flight",
      unit: "connects",
      load: connects,
      ...forward({ "HAProxy, 1 thread": { least: 0.55 }, "socat fork": { least: 2 } }),
    },
    {
      title: "exec: cat for every connection; 32 in flight",
      unit: "connects",
      load: connects,
      ...programs(workshop, { "tcpserver + cat": { least: 0.6 }, "ncat -k -e cat": { least: 1 } }),
    },
    {
      title: "exec: one stream through cat",
      unit: "MB",
      load: stream,
      ...programs(workshop, { "tcpserver + cat": { least: 0.4 }, "socat fork": { least: 1 } }),
    },
    {
      title: "chat: one speaker, 1,000 members",
      unit: "deliveries",
      load: chat(1000),
      restarts: true,
      ...rooms(workshop, { goal: { least: 5 }, load: chat(NCAT_MEMBERS) }),
    },
    {
      title: "workers: echo, 64-byte round trips on 100 connections, two workers",
      unit: "round trips",
      load: roundTrips(100),
      ...workerCounts(workshop, 2),
    },
    {
      title: "workers: echo, connects, 32 in flight, two workers",
      unit: "connects",
      load: connects,
      ...workerCounts(workshop, 2),
    },
  ];
}

function only<T extends Pick<Comparison, "rivals">>(contest: T, names: readonly string[]): T {
  return { ...contest, rivals: contest.rivals.filter(({ name }) => names.includes(name)) };
}
