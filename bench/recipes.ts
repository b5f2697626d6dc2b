/**
 * All measured servers, by service.
 *
 * @module
 */
import type { Competitor } from "./contest.ts";
import { CONSOLE, deno, outletServer, type Recipe } from "./subject.ts";
import type { Goal } from "./table.ts";
import { BENCH, type BenchTools } from "./tools.ts";

/** The ratios that outlet should reach, by the name of the other server. */
export type RatioGoals = Readonly<Record<string, Competitor["goal"]>>;

/** The name of outlet in every table. */
export const OUTLET = "outlet";

/** outlet as its users run it: with console and metrics, and the log in a file. */
export function outlet(workshop: BenchTools, spec: (port: number) => readonly string[]): Recipe {
  const log = workshop.path("outlet.log");
  return { name: OUTLET, command: (port) => outletServer(log, ...CONSOLE, ...spec(port)) };
}

/** Echo servers with and without a console. */
export function consoles(
  workshop: BenchTools,
  goals: RatioGoals,
): { ours: Recipe; rivals: Competitor[] } {
  const name = "outlet without one";
  const log = workshop.path("without.log");
  const spec = (port: number) => `echo://127.0.0.1:${port}`;
  return {
    ours: outlet(workshop, (port) => [spec(port)]),
    rivals: [{ name, command: (port) => outletServer(log, spec(port)), goal: goals[name] }],
  };
}

/** Echo servers with the default log, and with warnings only. */
export function logs(
  workshop: BenchTools,
  costGoal: Goal,
): { ours: Recipe; rivals: Competitor[] } {
  const log = workshop.path("warnings.log");
  const quiet = ["--log-level", "warning"];
  return {
    ours: outlet(workshop, (port) => [`echo://:${port}`]),
    rivals: [{
      name: "outlet with warnings only",
      command: (port) => outletServer(log, ...CONSOLE, ...quiet, `echo://:${port}`),
      costGoal,
    }],
  };
}

/** Echo servers. */
export function echoes(
  workshop: BenchTools,
  goals: RatioGoals,
): { ours: Recipe; rivals: Competitor[] } {
  const listen = (port: number) => `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=4096`;
  return {
    ours: outlet(workshop, (port) => [`echo://:${port}`]),
    rivals: withGoals(goals, [
      { name: "C, epoll", command: (port) => [workshop.path("echo"), String(port)] },
      { name: "bare Deno loop", command: (port) => deno("subjects/bare_echo.ts", port, 4096) },
      { name: "Deno pipeTo", command: (port) => deno("subjects/pipe_echo.ts", port) },
      {
        name: "Node pipe",
        needs: ["node"],
        command: (port) => ["node", `${BENCH}subjects/node_echo.mjs`, String(port)],
      },
      {
        name: "tcpserver + cat",
        needs: ["tcpserver"],
        command: (port) => tcpserver(port, "cat"),
      },
      {
        name: "ncat -k -e cat",
        needs: ["ncat"],
        command: (
          port,
        ) => ["ncat", "-l", "-k", "-m", "4000", "-e", "/bin/cat", "127.0.0.1", String(port)],
      },
      {
        name: "socat fork",
        needs: ["socat"],
        command: (port) => ["socat", listen(port), "EXEC:cat"],
      },
    ]),
  };
}

/** Echo servers of UDP datagrams. */
export function datagramEchoes(
  workshop: BenchTools,
  goals: RatioGoals,
): { ours: Recipe; rivals: Competitor[] } {
  const udp = true;
  return {
    ours: { ...outlet(workshop, (port) => [`echo+udp://:${port}`]), udp },
    rivals: withGoals(goals, [
      {
        name: "bare Deno loop",
        udp,
        command: (port) => deno("subjects/bare_datagrams.ts", port),
      },
      {
        name: "socat",
        needs: ["socat"],
        udp,
        command: (port) => ["socat", `UDP4-RECVFROM:${port},bind=127.0.0.1,fork`, "PIPE"],
      },
    ]),
  };
}

/** Servers that run `cat` for every client. */
export function programs(
  workshop: BenchTools,
  goals: RatioGoals,
): { ours: Recipe; rivals: Competitor[] } {
  const { rivals } = echoes(workshop, goals);
  return {
    ours: outlet(workshop, (port) => [`exec://:${port}`, "--", "cat"]),
    rivals: rivals.filter(({ needs }) => needs && !needs.includes("node")),
  };
}

/** Proxies to the echo server on `upstream`. */
export function proxies(
  workshop: BenchTools,
  { upstream, goals }: { upstream: number; goals: RatioGoals },
): { ours: Recipe; rivals: Competitor[] } {
  const socatListen = (port: number) =>
    `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=4096`;
  return {
    ours: outlet(workshop, (port) => [`forward://:${port}?to=127.0.0.1:${upstream}`]),
    rivals: withGoals(goals, [
      {
        name: "HAProxy, 1 thread",
        needs: ["haproxy"],
        command: (port) => ["haproxy", "-db", "-f", haproxyConfig(workshop, { port, upstream })],
      },
      {
        name: "bare Deno loop",
        command: (port) => deno("subjects/bare_forward.ts", port, upstream),
      },
      {
        name: "Node pipe",
        needs: ["node"],
        command: (port) => ["node", `${BENCH}subjects/node_forward.mjs`, `${port}`, `${upstream}`],
      },
      {
        name: "socat fork",
        needs: ["socat"],
        command: (port) => ["socat", socatListen(port), `TCP:127.0.0.1:${upstream}`],
      },
    ]),
  };
}

/** The maximum number of members of ncat's chat: with more, it ends. */
export const NCAT_MEMBERS = 200;

/** Chat servers. */
export function rooms(
  workshop: BenchTools,
  { goal, load }: Required<Pick<Competitor, "goal" | "load">>,
): { ours: Recipe; rivals: Competitor[] } {
  return {
    ours: outlet(workshop, (port) => [`chat://:${port}`]),
    rivals: [{
      name: `ncat --chat, ${NCAT_MEMBERS} members`,
      needs: ["ncat"],
      goal,
      load,
      command: (port) => ["ncat", "-l", "--chat", "-m", "1100", "127.0.0.1", String(port)],
    }],
  };
}

/** The same server with several workers, and with one. */
export function workerCounts(
  workshop: BenchTools,
  workers: number,
): { ours: Recipe; rivals: Competitor[] } {
  return {
    ours: outlet(workshop, (port) => [`echo://:${port}`, "--workers", String(workers)]),
    rivals: [{
      ...outlet(workshop, (port) => [`echo://:${port}`]),
      name: "outlet, one thread",
      goal: { least: 1 },
    }],
  };
}

function tcpserver(port: number, program: string): string[] {
  return [
    "tcpserver",
    "-H",
    "-R",
    "-l",
    "0",
    "-b",
    "4096",
    "-c",
    "4000",
    "127.0.0.1",
    `${port}`,
    program,
  ];
}

function withGoals(goals: RatioGoals, rivals: readonly Recipe[]): Competitor[] {
  return rivals.map((rival) => ({ ...rival, goal: goals[rival.name] }));
}

function haproxyConfig(
  workshop: BenchTools,
  { port, upstream }: { port: number; upstream: number },
): string {
  const path = workshop.path(`haproxy-${port}.cfg`);
  Deno.writeTextFileSync(
    path,
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend back
backend back
  server upstream 127.0.0.1:${upstream}
`,
  );
  return path;
}
