/** Authentication, TLS and permissions on a NATS server. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
} from "@nats-io/jwt";
import { textLine } from "../../src/telemetry/text_line.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { ChatClient } from "../harness/chat_client.ts";
import { NatsServer } from "../harness/nats.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

const NEEDS = ["nats-server"];
const SPEC = "chat://:0?room=all";

testWith(
  NEEDS,
  "a NATS server that needs a password receives it, and a wrong one is reported",
  async () => {
    await using nats = await NatsServer.start({ args: ["--user", "u:ser", "--pass", "p@ss"] });
    const as = (who: string) => nats.url.replace("//", `//${who}@`);
    await using right = await TestServer.open(SPEC, "--bus", as("u%3Aser:p%40ss"));
    assertEquals((await right.event("bus-connected")).bus, nats.url);
    await using wrong = await TestServer.open(SPEC, "--bus", as("u%3Aser:pass"));
    assertMatch((await wrong.event("bus-disconnected")).reason, /authorization violation/i);
  },
);

testWith(
  ["nats-server", "openssl"],
  "a NATS server with TLS is used if its certificate authority is trusted, and refused otherwise",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    await using nats = await NatsServer.start({
      args: ["--tls", "--tlscert", cert, "--tlskey", key],
    });
    const url = nats.url.replace("nats:", "tls:");
    await using right = await TestServer.open(SPEC, "--bus", url, "--bus-ca", authority.cert);
    await right.event("bus-connected");
    await using wrong = await TestServer.open(SPEC, "--bus", url);
    assertMatch((await wrong.event("bus-disconnected")).reason, /certificate|issuer/i);
  },
);

testWith(
  NEEDS,
  "credentials of a user of the server's operator are accepted, and no others",
  async () => {
    const operator = await Operator.found();
    await using nats = await NatsServer.start({ config: operator.config });
    await using files = new AsyncDisposableStack();
    const fileOf = async (operator: Operator) => {
      const path = await Deno.makeTempFile();
      files.defer(() => Deno.remove(path));
      await Deno.writeFile(path, await operator.credentials());
      return path;
    };
    const [ours, foreign] = [await fileOf(operator), await fileOf(await Operator.found())];
    const open = (credentials: string) =>
      TestServer.open(SPEC, "--bus", nats.url, "--bus-credentials", credentials);
    await using one = await open(ours);
    await using other = await open(ours);
    await one.event("bus-connected");
    await other.event("bus-connected");
    using alice = await ChatClient.join(one.port());
    using bob = await ChatClient.join(other.port());
    await alice.countsMembers(2);
    await alice.sendLine("may I?");
    await bob.until(() => bob.messages.some((line) => line.endsWith("> may I?")));
    for (const args of [["--bus-credentials", foreign], []]) {
      await using wrong = await TestServer.open(SPEC, "--bus", nats.url, ...args);
      assertMatch((await wrong.event("bus-disconnected")).reason, /authorization violation/i);
    }
  },
);

for (const [operation, word] of [["publish", "publish to"], ["subscribe", "subscribe to"]]) {
  testWith(
    NEEDS,
    `a missing permission to ${operation} is reported in one line, and the rooms connect once it is granted`,
    async () => {
      const config = (allowed: string) =>
        `authorization { users = [{ user: u, password: p, permissions: { ${operation}: "${allowed}" } }] }`;
      await using nats = await NatsServer.start({ config: config("elsewhere.>") });
      const url = nats.url.replace("//", "//u:p@");
      await using one = await TestServer.open(SPEC, "--bus", url);
      await using other = await TestServer.open(SPEC, "--bus", url);
      const denied = await one.event("bus-permission-denied");
      assertMatch(
        textLine(denied, { at: new Date(), colour: false }),
        new RegExp(
          `bus       permission denied nats://127.0.0.1:${nats.port}: no permission to ` +
            String
              .raw`${word} outlet\.room\.all\S*; rooms need to publish and subscribe on outlet\.>$`,
        ),
      );
      using alice = await ChatClient.join(one.port());
      using ada = await ChatClient.join(one.port());
      using bob = await ChatClient.join(other.port());
      await alice.sendLine("here?");
      await ada.until(() => ada.messages.length === 1);
      assertEquals(bob.messages, []);
      assertEquals(one.events.filter(({ event }) => event === "bus-permission-denied").length, 1);
      assertEquals(one.server.roomsStatus().buses[0]!.denied, denied.reason);

      nats.configure(config("outlet.>"));
      await nats.kill();
      await nats.start();
      await alice.countsMembers(3);
      await alice.sendLine("there?");
      await bob.until(() => bob.messages.some((line) => line.endsWith("> there?")));
      assertEquals(one.server.roomsStatus().buses[0]!.denied, undefined);
    },
  );
}

Deno.test("credential and CA files that cannot be used keep the server from starting", async () => {
  const empty = await Deno.makeTempFile();
  const certificate = await Deno.makeTempFile();
  await Deno.writeTextFile(
    certificate,
    "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
  );
  const cases = [
    ["/none", "no such file"],
    [empty, "no PEM block in it (-----BEGIN …)"],
    [certificate, "expected a user's JWT and the seed of its key, as nsc writes them"],
  ] as const;
  for (const [path, reason] of cases) {
    const error = await assertRejects(
      () => TestServer.open(SPEC, "--bus", "nats://127.0.0.1", "--bus-credentials", path),
      Error,
    );
    assertEquals(error.message, `bus-credentials ${path}: ${reason}`);
  }
  for (const path of [empty, certificate]) await Deno.remove(path);
});

/** A NATS operator with one account, as `nsc` creates them. */
class Operator {
  readonly #account = createAccount();
  #config = "";

  static async found(): Promise<Operator> {
    const operator = new Operator();
    const key = createOperator();
    const account = await encodeAccount("rooms", operator.#account, {
      limits: { subs: -1, conn: -1, data: -1, payload: -1, imports: -1, exports: -1, leaf: -1 },
    }, { signer: key });
    operator.#config = `
      operator: ${await encodeOperator("test", key)}
      resolver: MEMORY
      resolver_preload: { ${operator.#account.getPublicKey()}: ${account} }
    `;
    return operator;
  }

  /** The config of a server that trusts this operator. */
  get config(): string {
    return this.#config;
  }

  /** The credentials file of a new user: its JWT, and the seed of its key. */
  async credentials(): Promise<Uint8Array> {
    const user = createUser();
    return fmtCreds(await encodeUser("outlet", user, this.#account), user);
  }
}
