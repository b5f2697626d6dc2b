import { assertEquals, assertMatch } from "@std/assert";
import { EventBus } from "../../src/events/event_bus.ts";
import { notifySystemd, systemdOptions } from "../../src/telemetry/systemd.ts";

/** A service manager's notification socket. */
class Manager implements Disposable {
  readonly #socket: Deno.DatagramConn;
  constructor(path: string) {
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
  }
  async hears(): Promise<string> {
    const [bytes] = await this.#socket.receive();
    return new TextDecoder().decode(bytes);
  }
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function environment(variables: Record<string, string>): Pick<Deno.Env, "get"> {
  return { get: (name) => variables[name] };
}

for (const kind of ["a path", "an abstract name"]) {
  Deno.test(`systemd is notified of the server's state at ${kind}`, async () => {
    const folder = await Deno.makeTempDir();
    const name = `${folder}/notify`;
    using manager = new Manager(kind === "a path" ? name : `\0${name}`);
    const socket = kind === "a path" ? name : `@${name}`;
    const eventBus = new EventBus();
    await using _ = notifySystemd(eventBus, { socket });
    eventBus.publish({ event: "ready", outlets: 2, maxConnections: 9, descriptors: 9 });
    assertEquals(await manager.hears(), "READY=1\nSTATUS=2 outlets open");
    eventBus.publish({ event: "reloading" });
    assertMatch(await manager.hears(), /^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=reloading$/);
    eventBus.publish({ event: "rejected", reason: "no\nsuch\nREADY=0" });
    assertEquals(await manager.hears(), "READY=1\nSTATUS=config rejected: no such READY=0");
    eventBus.publish({ event: "draining", connections: 3, timeout: 1000 });
    assertEquals(await manager.hears(), "STOPPING=1\nSTATUS=draining 3 connections");
    await Deno.remove(folder, { recursive: true });
  });
}

Deno.test("the watchdog is notified within its interval", async () => {
  const name = `@${crypto.randomUUID()}`;
  using manager = new Manager(name.replace("@", "\0"));
  await using _ = notifySystemd(new EventBus(), { socket: name, watchdog: 20 });
  assertEquals(await manager.hears(), "WATCHDOG=1");
  assertEquals(await manager.hears(), "WATCHDOG=1");
});

Deno.test({
  name: "a missing or unresponsive service manager blocks nothing",
  // A pending send to a full socket cannot be cancelled, and outlives the test.
  sanitizeOps: false,
  async fn() {
    const name = `@${crypto.randomUUID()}`;
    using _deaf = new Manager(name.replace("@", "\0"));
    for (const socket of [name, "/nowhere/at/all"]) {
      const eventBus = new EventBus();
      await using _ = notifySystemd(eventBus, { socket });
      for (let i = 0; i < 1000; i++) eventBus.publish({ event: "reloading" });
    }
  },
});

Deno.test("the environment names the socket, and the process that the watchdog watches", () => {
  const socket = "/run/systemd/notify";
  const read = (variables: Record<string, string>) => systemdOptions(environment(variables));
  assertEquals(read({}), undefined);
  assertEquals(read({ NOTIFY_SOCKET: "vsock:2:1234" }), undefined);
  assertEquals(read({ NOTIFY_SOCKET: socket }), { socket, watchdog: undefined });
  assertEquals(read({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "3000000" }), {
    socket,
    watchdog: 3000,
  });
  assertEquals(
    read({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "3000000", WATCHDOG_PID: "1" })?.watchdog,
    undefined,
  );
});
