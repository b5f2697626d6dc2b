/**
 * Asks at the terminal for the secrets that a config needs and does not give, so that none has to stand on a command line.
 *
 * @module
 */
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import type { ServerConfig } from "../config/server_config.ts";
import type { TlsServerConfig } from "../config/tls_server_options.ts";
import { formatProxy, takesPassword } from "../endpoint/proxy.ts";
import { printable } from "../terminal/printable.ts";
import { askSecret } from "../terminal/secret_prompt.ts";
import { stderr } from "../terminal/stdio.ts";
import { isEncrypted, knownPassphrases, rememberPassphrase } from "../transport/tls/passphrases.ts";

/** How often a passphrase is asked for. */
const TRIES = 3;

/** The config with the proxy's password, and with the key's passphrase known. What is not given is refused later. */
export async function askClientSecrets(config: ClientConfig): Promise<ClientConfig> {
  for (const file of keyFilesOf(config.options)) await askPassphrase(file);
  return { ...config, options: await askPassword(config.options) };
}

/** Learns the passphrases of the keys of a server. What is not given is refused later. */
export async function askServerSecrets({ outlets, options }: ServerConfig): Promise<void> {
  // A client, which loads this file too, has no services.
  const { SERVICES } = await import("../services/registry.ts");
  for (const { service, serviceOptions, outletOptions } of outlets) {
    for (const file of keyFilesOf(outletOptions)) await askPassphrase(file);
    await askPassphrase(SERVICES.get(service)!.keyFile?.(serviceOptions));
  }
  await askPassphrase(options["console-key"] ?? options["console-cert"]);
}

/** The key files whose passphrases may have to be asked for. */
function keyFilesOf(
  options: ClientOptions | TlsServerConfig,
): readonly (string | undefined)[] {
  if (options["tls-key-password-file"] !== undefined) return [];
  const more = "tls-sni-cert" in options ? options["tls-sni-cert"] : [];
  return [options["tls-key"] ?? options["tls-cert"], ...more];
}

/** Asks for the proxy's password, if it has a user without one. */
async function askPassword(options: ClientOptions): Promise<ClientOptions> {
  const { proxy } = options;
  const credentials = options["proxy-auth"] ?? proxy?.credentials;
  if (!proxy || !credentials || credentials.password !== undefined) return options;
  if (!takesPassword(proxy)) return options;
  const password = await askSecret(printable(`password for the ${formatProxy(proxy)}:`));
  return { ...options, "proxy-auth": { ...credentials, password } };
}

/** Asks for the passphrase of a key, if it is encrypted. A file that cannot be read is reported later. */
async function askPassphrase(keyFile: string | undefined): Promise<void> {
  if (keyFile === undefined) return;
  const pem = await Deno.readTextFile(keyFile).catch(() => "");
  if (!isEncrypted(pem) || knownPassphrases.has(keyFile)) return;
  const { canDecrypt } = await import("../transport/tls/key_pair.ts");
  for (let tries = 0; tries < TRIES; tries++) {
    const passphrase = await askSecret(printable(`passphrase of ${keyFile}:`));
    if (passphrase === undefined) return;
    if (canDecrypt(pem, passphrase)) return rememberPassphrase(keyFile, passphrase);
    stderr.writeLine(printable(`outlet: ${keyFile}: this passphrase does not decrypt it`));
  }
}
