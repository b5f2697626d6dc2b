/** TCP options reach the socket through all layers and stages above it. */
import { assertEquals } from "@std/assert";
import { testWith } from "../harness/tools.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { readUntil, send } from "../harness/bytes.ts";
import { outlet, Program } from "../harness/program.ts";

/** The calls that set these socket options, in strace's output. */
async function optionsSet(trace: string, names: readonly string[]): Promise<string[]> {
  const text = await Deno.readTextFile(trace);
  return names.filter((name) => new RegExp(`setsockopt\\(\\d+, \\S+, ${name}, \\[1\\]`).test(text));
}

function straced(trace: string, args: readonly string[]): [string, ...string[]] {
  return ["strace", "-D", "-f", "-qq", "-e", "trace=setsockopt", "-o", trace, ...outlet(...args)];
}

const OPTIONS = ["TCP_NODELAY", "SO_KEEPALIVE"];

testWith(
  ["strace"],
  "TCP_NODELAY and SO_KEEPALIVE are set on a client's socket through a PROXY header, TLS and a capture",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const folder = authority.folder;
    const stages = {
      none: "",
      proxy: "?accept-proxy",
      capture: `?capture=${folder}/captures`,
      both: `?accept-proxy&capture=${folder}/captures`,
      tls: `?accept-proxy&capture=${folder}/captures&tls-cert=${cert}&tls-key=${key}&tls`,
    };
    for (const [name, query] of Object.entries(stages)) {
      const trace = `${folder}/${name}.strace`;
      await using server = new Program(straced(trace, ["server", `echo://:0${query}`]));
      const [, port] = await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/);
      const raw = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      if (query.includes("accept-proxy")) {
        await send(raw, "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n");
      }
      const client = name !== "tls" ? raw : await Deno.startTls(raw, {
        hostname: "localhost",
        caCerts: [await Deno.readTextFile(authority.cert)],
      });
      for (const line of ["first\n", "second\n"]) {
        await send(client, line);
        await readUntil(client, new RegExp(line));
      }
      client.close();
      server.signal("SIGTERM");
      await server.outcome();
      assertEquals(await optionsSet(trace, OPTIONS), OPTIONS, `behind ${name}`);
    }
  },
);
