/**
 * Finds out what occupies a port.
 *
 * @module
 */

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** Slot, local address and port, remote address and port, state: proc(5). */
const LINE = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /gm;

const LISTEN = "0A";

/**
 * Whether the port belongs to a listener or to the local end of a connection; `undefined` if the
 * kernel's tables cannot be read.
 */
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
