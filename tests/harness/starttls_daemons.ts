/**
 * Servers of others that begin TLS when they are asked for it, each with a configuration of its own.
 *
 * @module
 */
import type { Identity } from "./certificates.ts";
import { freePort, isOpen } from "./ports.ts";
import { Program } from "./program.ts";

/** A running server, with the protocol that its port speaks. */
export type StartTlsDaemon = { readonly port: number } & AsyncDisposable;

/** What each server is started with. */
interface Place extends Identity {
  readonly port: number;
  readonly folder: string;
}

/** The command line of a server and the text of its configuration. */
type Setup = (place: Place) => {
  readonly command: readonly [string, ...string[]];
  readonly lines: readonly string[];
};

const AIOSMTPD = `import asyncio, ssl, sys
from aiosmtpd.controller import Controller
class Sink: pass
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2], sys.argv[3])
Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]), tls_context=context).start()
asyncio.new_event_loop().run_forever()`;

/** The servers by protocol, which run as root. */
const SETUPS: Readonly<Record<string, Setup>> = {
  smtp: ({ port, cert, key, folder }) => ({
    command: ["/usr/bin/python3", `${folder}/server.cfg`, String(port), cert, key],
    lines: [AIOSMTPD],
  }),
  imap: (place) => dovecot("imap", place),
  pop3: (place) => dovecot("pop3", place),
  ftp: ({ port, cert, key, folder }) => ({
    command: ["vsftpd", `${folder}/server.cfg`],
    lines: [
      ...["listen=YES", "background=NO", "listen_address=127.0.0.1", `listen_port=${port}`],
      ...["anonymous_enable=YES", "ssl_enable=YES", `rsa_cert_file=${cert}`],
      ...[`rsa_private_key_file=${key}`, "ssl_ciphers=HIGH", "allow_anon_ssl=YES"],
      ...[`secure_chroot_dir=${folder}`, `anon_root=${folder}`, "seccomp_sandbox=NO"],
    ],
  }),
  ldap: ({ port, cert, key, folder }) => ({
    command: ["slapd", "-f", `${folder}/server.cfg`, "-h", `ldap://127.0.0.1:${port}`, "-d", "0"],
    lines: [
      ...[`TLSCertificateFile ${cert}`, `TLSCertificateKeyFile ${key}`],
      ...[`pidfile ${folder}/pid`, `argsfile ${folder}/args`],
    ],
  }),
  postgres: ({ port, cert, key, folder }) => ({
    command: ["sh", "-e", `${folder}/server.cfg`],
    lines: [
      ...[`cd ${folder}`, `cp ${cert} cert`, `cp ${key} key`, "chmod 600 key", "mkdir data"],
      ...["chown postgres cert key data", "bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)"],
      "runuser -u postgres -- $bin/initdb -A trust -D data >&2",
      `exec runuser -u postgres -- $bin/postgres -D data -p ${port} -h 127.0.0.1 -k '' -c ssl=on ` +
      `-c ssl_cert_file=${folder}/cert -c ssl_key_file=${folder}/key`,
    ],
  }),
  xmpp: ({ port, cert, key, folder }) => ({
    command: ["prosody", "--root", "-F", "--config", `${folder}/server.cfg.lua`],
    lines: [
      ...["run_as_root = true", `data_path = "${folder}"`, `pidfile = "${folder}/pid"`],
      ...[`modules_enabled = { "tls", "saslauth" }`, `modules_disabled = { "s2s" }`],
      ...[
        `interfaces = { "127.0.0.1" }`,
        `c2s_ports = { ${port} }`,
        "c2s_require_encryption = true",
      ],
      ...[`VirtualHost "localhost"`, `ssl = { certificate = "${cert}"; key = "${key}"; }`],
    ],
  }),
};

function dovecot(protocol: "imap" | "pop3", { port, cert, key, folder }: Place) {
  return {
    command: ["dovecot", "-F", "-c", `${folder}/server.cfg`] as const,
    lines: [
      ...[`base_dir = ${folder}/run`, `state_dir = ${folder}/run`, "log_path = /dev/stderr"],
      ...[`protocols = ${protocol}`, "listen = 127.0.0.1", "ssl = required"],
      ...[`ssl_cert = <${cert}`, `ssl_key = <${key}`, "mail_location = maildir:/tmp"],
      ...[`service ${protocol}-login {`, `inet_listener ${protocol} {`, `port = ${port}`, "}"],
      ...[`inet_listener ${protocol}s {`, "port = 0", "}", "}"],
      ...["passdb {", "driver = static", "args = password=x", "}"],
    ],
  };
}

/** Starts the server of a protocol. */
export async function startTlsDaemon(
  protocol: string,
  identity: Identity,
): Promise<StartTlsDaemon> {
  const port = freePort();
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o755);
  const { command, lines } = SETUPS[protocol]!({ ...identity, port, folder });
  await Deno.writeTextFile(`${folder}/server.cfg`, lines.join("\n") + "\n");
  // Prosody insists on a name of its own.
  await Deno.symlink("server.cfg", `${folder}/server.cfg.lua`);
  const program = new Program([...command]);
  await isOpen(port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      program.signal("SIGTERM");
      await program.outcome();
      await program[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
