/**
 * Requirements for everything that carries bytes: every carrier, with every layer, through every
 * proxy, and every stage. A new one is tested by being in its table, and `combinations.ts` does not compile
 * until it has options for it. The resource sanitizer checks in each test that no descriptor is
 * left open.
 */
import { assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { dial } from "../../src/transport/dial.ts";
import { libc } from "../../src/transport/libc.ts";
import { sendReset } from "../../src/transport/reset.ts";
import type { ByteStream } from "../../src/transport/stream.ts";
import { noise, readAll, readText, send } from "../harness/bytes.ts";
import { testWith } from "../harness/tools.ts";
import { type Combination, COMBINATIONS, OpenEnds, TIMEOUT } from "./combinations.ts";

// Loaded once per process, so the sanitizer of the first test would report it as a leak.
libc();

function contract(
  combination: Combination,
  sentence: string,
  run: (open: OpenEnds, combination: Combination) => Promise<void>,
): void {
  testWith(
    combination.layers.includes("tls") ? ["openssl"] : [],
    `${combination.name}: ${sentence}`,
    async () => {
      await using open = await OpenEnds.make(combination);
      await run(open, combination);
    },
  );
}

for (const combination of COMBINATIONS) {
  contract(
    combination,
    "bytes pass in both directions, and a half-close leaves the other direction open",
    async (open) => {
      const { client, server } = await open.connect();
      const [up, down] = [noise(300_000, 1), noise(300_000, 2)];
      const sent = send(client, up).then(() => client.closeWrite());
      assertEquals(await readAll(server), up);
      await sent;
      const answered = send(server, down).then(() => server.closeWrite());
      assertEquals(await readAll(client), down);
      await answered;
      client.close();
      server.close();
    },
  );

  contract(combination, "reads of one byte lose nothing", async (open) => {
    const { client, server } = await open.connect();
    for (const [from, to] of [[client, server], [server, client]] as const) {
      const sent = send(from, "hello").then(() => from.closeWrite());
      assertEquals(await readSingly(to), "hello");
      await sent;
    }
    client.close();
    server.close();
  });

  contract(
    combination,
    "closing ends a pending read on the same side, and is seen by the other side",
    async (open) => {
      const { client, server } = await open.connect();
      const waiting = assertRejects(() => server.read(new Uint8Array(8)));
      server.close();
      await waiting;
      await client.read(new Uint8Array(8)).then(
        (length) => assertEquals(length, null),
        (error) => assertInstanceOf(error, Error),
      );
      client.close();
    },
  );

  contract(combination, "TCP options are passed through, or have no effect", async (open) => {
    const { client, server } = await open.connect();
    for (const end of [client, server]) {
      end.setNoDelay(true);
      end.setKeepAlive(true);
    }
    const sent = send(client, "x").then(() => client.closeWrite());
    assertEquals(await readText(server), "x");
    await sent;
    client.close();
    server.close();
  });

  contract(
    combination,
    "a reset is distinguished from an orderly end, if the carrier has resets",
    async (open) => {
      const { client, server, raw } = await open.connect();
      const isReset = sendReset(raw);
      assertEquals(isReset, combination.carrier === "tcp" && Deno.build.os === "linux");
      raw.close();
      const ending = client.read(new Uint8Array(8));
      // Without a RST, only a layer with an end of its own can tell a truncated stream.
      if (isReset || combination.layers.length > 0) await assertRejects(() => ending);
      else assertEquals(await ending, null);
      client.close();
      if (server !== raw) closeAgain(server);
    },
  );

  if (!combination.stage) {
    contract(
      combination,
      "dialling an address without a listener reports the reason",
      async (open) => {
        const { message } = await assertRejects(
          () => dial(open.unused, { timeout: TIMEOUT }),
          Error,
        );
        assertMatch(message, open.refusal);
      },
    );

    contract(
      combination,
      "dialling stops at once when aborted, whatever it waits for",
      async (open) => {
        const stop = new AbortController();
        const reason = new Error("no longer wanted");
        if (combination.layers.length === 0) stop.abort(reason);
        const dialling = assertRejects(
          () => dial(open.endpoint, { timeout: TIMEOUT, signal: stop.signal }),
          Error,
          "no longer wanted",
        );
        if (combination.layers.length > 0) {
          // The client's hello is not answered.
          const accepted = await open.acceptRaw();
          stop.abort(reason);
          await dialling;
          accepted.close();
        }
        await dialling;
      },
    );
  }
}

async function readSingly(stream: ByteStream): Promise<string> {
  const byte = new Uint8Array(1);
  let text = "";
  while (await stream.read(byte) !== null) text += String.fromCharCode(byte[0]!);
  return text;
}

/** Closes a stage whose socket is already closed. */
function closeAgain(stream: ByteStream): void {
  try {
    stream.close();
  } catch {
    // It reports that it is closed.
  }
}
