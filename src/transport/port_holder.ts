/**
 * Who has a port that cannot be listened on.
 *
 * @module
 */

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** Number, local address and port, the peer's, state: proc(5). */
const LINE = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /gm;

const LISTEN = "0A";

/** Whether a port is listened on, or is our end of a connection; `undefined` where the kernel does not tell. */
export function portHolder(port: number): "listener" | "connection" | undefined {
  const states = TABLES.flatMap((table) =>
    [...read(table).matchAll(LINE)].flatMap(([, local, state]) =>
      parseInt(local!, 16) === port ? [state] : []
    )
  );
  if (states.length === 0) return undefined;
  return states.includes(LISTEN) ? "listener" : "connection";
}

function read(table: string): string {
  try {
    return Deno.readTextFileSync(table);
  } catch {
    return "";
  }
}
