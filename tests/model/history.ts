/**
 * Histories of a server: changes at any time, workers that die and clients that connect, in a
 * pseudo-random order, with a simple list as the model of the expected result.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { OutletConfig, ServerConfig } from "../../src/config/server_config.ts";
import { formatAddress } from "../../src/endpoint/address.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import type { OutletEvent } from "../../src/events/events.ts";
import type { ServerHandle } from "../../src/server/handle.ts";
import { Server } from "../../src/server.ts";
import { Supervisor } from "../../src/workers/supervisor.ts";
import { configOf } from "../harness/server.ts";
import { Kernel, type ModelClient } from "./kernel.ts";
import { Scheduler } from "./scheduler.ts";
import { ModelThread } from "./threads.ts";

const HOST = "127.0.0.1";
/** Ports for outlets; the last one is in use by another program. */
const PORTS = [30_001, 30_002, 30_003, 30_004, 30_009];
const OCCUPIED = 30_009;
/** Valid services, and services whose preflight fails: a certificate, a directory. */
const SERVICES = ["echo", "discard", "echo", "discard", "time", "daytime"];
const BROKEN = new Map([["time", "the certificate is broken"], ["daytime", "no such directory"]]);
/** Why a valid change is refused: all workers have died, and the server stops. */
const NO_WORKERS = /^no worker is there any more: the server is stopping$/;
/** Why not all workers were replaced. */
const ENDED = /^worker \d is gone$|the server (is stopping|has stopped)/;
const BASE = configOf([`echo://${HOST}:1`]);
const SPECS = new Map(
  [...new Set(SERVICES)].map((service) => [
    service,
    configOf([`${service}://${HOST}:1`]).outlets[0]!,
  ]),
);

/** An outlet that should be open. */
interface Entry {
  readonly name: string;
  readonly id: number | undefined;
}

/** A requested change. */
interface Request {
  readonly what: string;
  readonly settled: Promise<void>;
  /** The list after the change, or `undefined` if the change is invalid. */
  apply(list: readonly Entry[], create: (name: string) => Entry): readonly Entry[] | undefined;
  outcome: "made" | string | undefined;
}

/** One history. */
export class History {
  readonly #scheduler: Scheduler;
  readonly #kernel: Kernel;
  readonly #events: OutletEvent[] = [];
  readonly #asked: Request[] = [];
  readonly #clients: ModelClient[] = [];
  readonly #lost = new Set<ModelClient>();
  readonly #threads: ModelThread[] = [];
  readonly #workers: number;
  readonly #log: string[] = [];
  readonly #faults: string[] = [];
  #server!: ServerHandle;
  #isStopping = false;

  constructor(seed: number, { workers }: { workers: number }) {
    this.#scheduler = new Scheduler(seed);
    this.#kernel = new Kernel(this.#scheduler);
    this.#kernel.occupied.add(`${HOST}:${OCCUPIED}`);
    this.#workers = workers;
  }

  /** Runs the history; throws if its result differs from the model. */
  async run(): Promise<void> {
    try {
      await this.#start();
      await this.#live();
      await this.#waitUntil(() => this.#asked.every(({ outcome }) => outcome !== undefined));
      if (!this.#isStopping) await this.#checkWhileOpen();
      await this.#end();
      this.#checkEvents();
    } catch (error) {
      throw new Error(`${(error as Error).message}\nhistory:\n  ${this.#log.join("\n  ")}`, {
        cause: error,
      });
    }
  }

  async #start(): Promise<void> {
    const eventBus = new EventBus();
    eventBus.subscribe((event) => this.#events.push(event));
    const config = this.#config(["echo", "discard"], [PORTS[0]!, PORTS[1]!]);
    const inspect = (asked: ServerConfig | OutletConfig) => this.#inspect(asked);
    const opened = this.#workers === 0
      ? Server.open(config, { eventBus, inspect, listen: this.#kernel.listenFor("the server") })
      : Supervisor.open(config, {
        workers: this.#workers,
        eventBus,
        inspect,
        joinRooms: false,
        spawn: (index) => this.#spawn(index),
        wait: (_, { signal }) => this.#wait(signal),
      });
    let isOpen = false;
    opened.then(() => isOpen = true, () => isOpen = true);
    await this.#waitUntil(() => isOpen);
    this.#server = await opened;
    this.#asked.push({
      what: "start",
      settled: Promise.resolve(),
      apply: (_, create) => config.outlets.map(nameOf).map(create),
      outcome: "made",
    });
  }

  async #live(): Promise<void> {
    const { below, step } = bound(this.#scheduler);
    for (let changes = 4 + below(8); changes > 0;) {
      if (below(5) > 0 && step()) await turn();
      else {
        changes--;
        this.#happen();
        await turn();
      }
    }
  }

  #happen(): void {
    const chance = this.#scheduler.below(20);
    if (chance < 5) this.#reload();
    else if (chance < 8) this.#open();
    else if (chance < 10) this.#close();
    else if (chance < 13) this.#kill();
    else if (chance < 17) this.#connect();
    else if (chance < 19) this.#leave();
    else if (this.#server instanceof Supervisor && this.#scheduler.below(2) === 0) {
      this.#restart(this.#server);
    } else this.#stop();
  }

  #reload(): void {
    const count = this.#scheduler.below(4);
    const ports = PORTS.filter(() => this.#scheduler.below(2) === 0).slice(0, count + 1);
    const services = ports.map(() => this.#scheduler.pick(SERVICES));
    const config = this.#config(services, ports);
    const names = config.outlets.map(nameOf);
    this.#ask(
      `reload ${names}`,
      () => this.#server.change(config),
      (list, create) =>
        config.outlets.every(isValid)
          ? names.map((name) => list.find((there) => there.name === name) ?? create(name))
          : undefined,
    );
  }

  #open(): void {
    const [outlet] = this.#config([this.#scheduler.pick(SERVICES)], [this.#scheduler.pick(PORTS)])
      .outlets;
    const name = nameOf(outlet!);
    this.#ask(
      `open ${name}`,
      () => this.#server.open(outlet!),
      (list, create) =>
        isValid(outlet!) && !list.some((there) => portIn(there.name) === portIn(name))
          ? [...list, create(name)]
          : undefined,
    );
  }

  #close(): void {
    const outlets = [...this.#server.outlets];
    if (outlets.length === 0) return;
    const outlet = this.#scheduler.pick(outlets);
    // When it is this change's turn, the outlet may be closed, and another one may have its name.
    this.#ask(
      `close ${outlet.name} ${formatAddress(outlet.address)}`,
      () => this.#server.close(outlet, { grace: 0 }),
      (list) => list.filter(({ id }) => id !== outlet.id),
    );
  }

  #kill(): void {
    const alive = this.#threads.filter(({ isAlive }) => isAlive);
    if (alive.length === 0 || this.#isStopping) return;
    const thread = this.#scheduler.pick(alive);
    this.#log.push(`worker ${this.#threads.indexOf(thread)} dies`);
    for (const client of thread.die()) this.#lost.add(client);
  }

  #connect(): void {
    const outlets = [...this.#server.outlets];
    if (outlets.length === 0) return;
    const client = this.#kernel.connect(this.#scheduler.pick(outlets).address);
    if (client) this.#clients.push(client);
  }

  #leave(): void {
    const client = this.#clients.shift();
    client?.leave();
    if (client) this.#clients.push(client);
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#ask("stop", () => this.#server.stop({ grace: 0 }), () => []);
  }

  /** Restarts all workers; a worker that dies before it has replaced another one ends that. */
  #restart(server: Supervisor): void {
    this.#log.push("restart");
    server.restart({ grace: 0 }).then(
      () => this.#log.push("restarted"),
      ({ message }) => {
        this.#log.push(`restart: ${message}`);
        if (!ENDED.test(message)) this.#faults.push(`restart: ${message}`);
      },
    );
  }

  #ask(what: string, ask: () => Promise<unknown>, apply: Request["apply"]): void {
    const isLate = this.#isStopping && what !== "stop";
    const asked: Request = {
      what,
      apply: isLate ? () => undefined : apply,
      outcome: undefined,
      settled: ask().then(
        () => void (asked.outcome = "made"),
        (error) => void (asked.outcome = (error as Error).message),
      ),
    };
    this.#log.push(`ask: ${what}`);
    asked.settled.then(() => this.#log.push(`${what}: ${asked.outcome}`));
    this.#asked.push(asked);
  }

  /**
   * The outlets that should be open; throws if an invalid change was made, or a valid one was not.
   */
  #expected(): readonly string[] {
    // The events of outlets with equal names are in the order in which they were opened.
    const published = Map.groupBy(
      this.#events.flatMap((event) =>
        event.event === "listening"
          ? [{ name: `${event.outlet} ${formatAddress(event.address)}`, id: event.id }]
          : []
      ),
      ({ name }) => name,
    );
    const create = (name: string) => ({ name, id: published.get(name)?.shift()?.id });
    let list: readonly Entry[] = [];
    for (const { what, apply, outcome } of this.#asked) {
      if (outcome === "made") {
        const after = apply(list, create);
        check(after !== undefined, `${what} was made, and cannot be`);
        list = after!;
      } else if (!NO_WORKERS.test(outcome ?? "") || !this.#isStopping) {
        const could = apply(list, (name) => ({ name, id: undefined })) !== undefined;
        check(!could, `${what} was not made: ${outcome}`);
      }
    }
    return list.map(({ name }) => name);
  }

  async #checkWhileOpen(): Promise<void> {
    const expected = this.#expected();
    const each = Math.max(1, this.#workers);
    const listening = () => [...this.#kernel.listening()].map(([key, count]) => `${key} ${count}`);
    const wanted = expected.map((name) => `${name.split(" ")[1]} ${each}`);
    await this.#waitUntil(
      () => same(listening(), wanted),
      () => `listening: ${listening()}, and should be: ${wanted}`,
    );
    const listed = [...this.#server.outlets].map(({ name, address }) =>
      `${name} ${formatAddress(address)}`
    );
    check(listed.join() === expected.join(), `listed: ${listed}, and should be: ${expected}`);
    check(this.#server.state === "ready", `it is ${this.#server.state}`);
  }

  async #end(): Promise<void> {
    for (const client of this.#clients) client.leave();
    const count = this.#asked.length;
    this.#isStopping = true;
    this.#ask("the last stop", () => this.#server.stop({ grace: 0 }), () => []);
    await this.#waitUntil(() => this.#asked[count]!.outcome !== undefined);
    check(
      this.#asked[count]!.outcome === "made",
      `it did not stop: ${this.#asked[count]!.outcome}`,
    );
    check(this.#server.state === "stopped", `it is ${this.#server.state}`);
    const left = [...this.#kernel.listening().keys()];
    check(left.length === 0, `still listening after the stop: ${left}`);
    check(this.#faults.length === 0, this.#faults.join("; "));
    check([...this.#server.draining].length === 0, "still draining after the stop");
    check([...this.#server.connections()].length === 0, "still connected after the stop");
    const reset = this.#clients.filter((client) => client.isReset && !this.#lost.has(client));
    check(reset.length === 0, `${reset.length} clients were reset in a queue`);
  }

  /**
   * Each outlet has one `listening` and one `stopped` event, and all its events are between them.
   */
  #checkEvents(): void {
    const open = new Map<number, Set<number>>();
    const stopped = new Set<number>();
    for (const event of this.#events) {
      if (!("outlet" in event)) continue;
      const { id } = event;
      check(!stopped.has(id), `${event.event} of outlet ${id} after it had stopped`);
      if (event.event === "listening") {
        check(!open.has(id), `outlet ${id} was told twice`);
        open.set(id, new Set());
      }
      const connections = open.get(id);
      check(connections !== undefined, `${event.event} of outlet ${id}, which was never told`);
      if (event.event === "opened") connections!.add(event.connection);
      if (event.event === "closed") {
        check(connections!.delete(event.connection), `closed, and was not open`);
      }
      if (event.event === "stopped") {
        check(connections!.size === 0, `${connections!.size} connections after the end`);
        stopped.add(id);
      }
    }
    check(
      stopped.size === open.size,
      `${open.size} outlets, of which ${stopped.size} have stopped`,
    );
  }

  async #inspect(asked: ServerConfig | OutletConfig): Promise<void> {
    await this.#scheduler.turn("inspect");
    for (const { service } of "outlets" in asked ? asked.outlets : [asked]) {
      if (BROKEN.has(service)) throw new Error(BROKEN.get(service));
    }
  }

  #spawn(index: number): ModelThread {
    const name = `worker ${index} (${this.#threads.length})`;
    const thread = new ModelThread({ scheduler: this.#scheduler, kernel: this.#kernel, name });
    this.#threads.push(thread);
    return thread;
  }

  #wait(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    return Promise.race([this.#scheduler.turn("wait"), aborted]);
  }

  /** Runs pending steps until `holds` is true. */
  async #waitUntil(holds: () => boolean, otherwise = () => "it never settles"): Promise<void> {
    for (let idle = 0; !holds();) {
      if (this.#scheduler.step()) {
        await turn();
        continue;
      }
      // Closing sockets takes some turns of the real event loop.
      check(++idle < 2_000, otherwise());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #config(services: readonly string[], ports: readonly number[]): ServerConfig {
    return {
      ...BASE,
      options: { ...BASE.options, "drain-timeout": 0, workers: Math.max(1, this.#workers) },
      outlets: services.map((service, at) => ({
        ...SPECS.get(service)!,
        listen: { hostname: HOST, port: ports[at]! },
      })),
    };
  }
}

function bound(scheduler: Scheduler) {
  return { below: scheduler.below.bind(scheduler), step: scheduler.step.bind(scheduler) };
}

function isValid({ service, listen }: OutletConfig): boolean {
  return !BROKEN.has(service) && "port" in listen && listen.port !== OCCUPIED;
}

function nameOf({ service, listen }: OutletConfig): string {
  return `${service} ${formatAddress(listen)}`;
}

function portIn(name: string): string {
  return name.split(":")[1]!;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.toSorted().join() === other.toSorted().join();
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
