/**
 * TLS that ends without close_notify may be truncated, and is distinguished from TLS that ended.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { EventBus } from "../../../src/events/event_bus.ts";
import { CertificateAuthority } from "../../harness/certificates.ts";
import { run } from "../../harness/program.ts";
import { TestServer } from "../../harness/server.ts";
import { testWith } from "../../harness/tools.ts";

const CLIENT = new URL("tls_client.py", import.meta.url).pathname;

const CUT_OFF = "cut off: the peer closed TCP without close_notify";

const ENDS = [
  ["close-notify", "peer closed"],
  ["fin", CUT_OFF],
  ["after-two-bytes", CUT_OFF],
  ["inside-a-record", CUT_OFF],
] as const;

for (const version of ["TLSv1_3", "TLSv1_2"]) {
  for (const [how, reason] of ENDS) {
    testWith(
      ["openssl", "python3"],
      `a ${version} client that ends by ${how} is logged as "${reason}"`,
      async () => {
        await using authority = await CertificateAuthority.make();
        const { cert, key } = await authority.sign();
        const eventBus = new EventBus();
        using metrics = new Metrics(eventBus);
        const args = ["echo://:0?tls", "--tls-cert", cert, "--tls-key", key];
        await using server = await TestServer.openWith(eventBus, args);
        const { stdout, stderr } = await run([
          ...["python3", CLIENT, String(server.port()), how, version] as const,
        ]);
        assertMatch(stdout, /^b'hi\\n'/, stderr);
        assertEquals((await server.event("closed")).reason, reason);
        // It has a label of its own in the metrics.
        const counted = reason === CUT_OFF ? "cut off" : reason;
        const line = new RegExp(`outlet_connections_closed_total\\{.*reason="${counted}"\\} 1`);
        assertMatch(await metrics.text(), line);
      },
    );
  }
}

testWith(
  ["openssl", "python3"],
  "forward does not take a truncated client connection for a complete one",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    await using upstream = await TestServer.open("echo://:0");
    await using server = await TestServer.open(
      `forward://:0?to=127.0.0.1:${upstream.port()}&tls`,
      ...["--tls-cert", cert, "--tls-key", key],
    );
    await run(["python3", CLIENT, String(server.port()), "fin", "TLSv1_3"]);
    assertEquals((await server.event("closed")).reason, CUT_OFF);
    // Where resets can be forwarded, as on Linux, the upstream is reset.
    assertEquals((await upstream.event("closed")).reason, "peer reset");
  },
);
