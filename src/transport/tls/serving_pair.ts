/**
 * Reads a certificate and its key, and tests them before clients connect.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { duplexPair } from "node:stream";
import { connect, createServer } from "node:tls";
import { createPrivateKey } from "node:crypto";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { refuseOldRuntime } from "../runtime_check.ts";
import { type KeyPair, type KeyPairFiles, readKeyPair } from "./key_pair.ts";

const tasks = new TaskScope("the test of a certificate", { consequence: "the file is refused" });

/**
 * Reads a certificate and its key, and tests them with one handshake in memory. Errors name the
 * files by their options, which start with `prefix`. A `known` pair is not tested again.
 * @throws {UsageError} which file is invalid, and why
 */
export async function readServingPair(
  { known, ...files }: KeyPairFiles & { readonly known?: KeyPair | undefined },
): Promise<KeyPair> {
  refuseOldRuntime(createServer(), "TLS");
  const pair = await readKeyPair(files);
  if (pair.cert === known?.cert && pair.key === known.key) return pair;
  if (await canServe(pair)) return pair;
  const { certFile, keyFile = certFile, prefix = "tls", option = `${prefix}-key` } = files;
  throw new UsageError(
    `${option} ${keyFile} cannot be used: it is ${kindOf(pair.key)}; supported are ` +
      "RSA of 2048 bits or more (not RSA-PSS), EC with P-256, P-384 or P-521, and Ed25519",
  );
}

/** Whether a client without certificate checks completes a handshake with it. */
async function canServe({ cert, key }: KeyPair): Promise<boolean> {
  const [ours, theirs] = duplexPair();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const failed = tasks.guard(() => resolve(false));
  try {
    const server = createServer({ cert, key }, tasks.guard(() => resolve(true)));
    server.on("tlsClientError", failed).emit("connection", ours);
    const client = connect({ socket: theirs, rejectUnauthorized: false });
    client.on("error", failed).on("close", failed);
    return await promise;
  } catch {
    // The library rejects the key.
    return false;
  } finally {
    ours.destroy();
    theirs.destroy();
  }
}

/** The kind of a key, without secrets. */
function kindOf(pem: string): string {
  const { asymmetricKeyType = "unknown", asymmetricKeyDetails = {} } = createPrivateKey(pem);
  const { namedCurve, modulusLength } = asymmetricKeyDetails;
  if (namedCurve !== undefined) return `EC with ${namedCurve}`;
  const name = asymmetricKeyType.replace(/^rsa/, "RSA").replace("-pss", "-PSS").replace("ed", "Ed");
  return modulusLength === undefined ? name : `${name} of ${modulusLength} bits`;
}
