/**
 * Welcome sockets for the outlets that are new, with a way back from each step.
 *
 * @module
 */
import { isEqual } from "../config/equal.ts";
import type { OutletConfig } from "../config/server_config.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import type { Outlet } from "../outlet/outlet.ts";
import { WelcomeSocket } from "../outlet/welcome_socket.ts";
import { clearStale, type listenOn } from "../transport/listen.ts";
import { collide, type DesiredOutlet, type DesiredState } from "./desired_state.ts";

/** What is there, and how to listen. */
export interface BindOptions {
  /** The outlets that are open, by number. */
  readonly opened: ReadonlyMap<number, { readonly outlet: Outlet; readonly config: OutletConfig }>;
  /** Listens. */
  readonly listen: typeof listenOn;
  /** Whether others of this process listen at the same addresses. */
  readonly shared: boolean;
  /** Where others of this process have bound the outlets that are new, by number. */
  readonly addresses: ReadonlyMap<number, Address>;
  /** Whether to make sure that no other program listens at an address that is new. */
  readonly alone: boolean;
  /** Takes the way back. */
  readonly undo: AsyncDisposableStack;
}

/** Permission bits without the umask's. */
const ALL_BITS = 0o777;

/**
 * A bound socket for every outlet that is not there yet, by its number.
 *
 * @throws {Error} which names the address that can't be listened on, and the reason
 */
export async function bindSockets(
  next: DesiredState,
  options: BindOptions,
): Promise<ReadonlyMap<number, WelcomeSocket>> {
  const sockets = new Map<number, WelcomeSocket>();
  for (const desired of next.outlets) {
    const { id, takesOver } = desired;
    const there = options.opened.get(id);
    const earlier = takesOver === undefined ? undefined : options.opened.get(takesOver);
    if (there) await changeMode(desired.config, { ...options, there: there.config });
    else if (earlier) sockets.set(id, earlier.outlet.socket);
    else sockets.set(id, await bindOne(desired, { ...options, next }));
  }
  return sockets;
}

async function bindOne(
  { id, address, config }: DesiredOutlet,
  { next, ...options }: BindOptions & { next: DesiredState },
): Promise<WelcomeSocket> {
  const { listen, shared, alone, undo, opened } = options;
  const place = address ?? options.addresses.get(id) ?? config.listen;
  if (isUnix(place)) await clearStale(place.path);
  const near = [...opened.values()].filter(({ outlet }) => collide(outlet.address, place));
  if (!shared) await makeWay(place, { ...options, next });
  const socket = new WelcomeSocket(
    listen(place, { ...listenOptions(config), shared, alone: alone && near.length === 0 }),
  );
  undo.defer(() => socket.close());
  // Nothing that does not accept is ever among those that share a port: the outlet that is there goes on with it.
  const there = near.find(({ outlet }) => isEqual(outlet.address, socket.address));
  if (there) socket.serve(there.outlet);
  return socket;
}

/** Closes the sockets of outlets that are to go where a new one cannot be bound beside them. */
async function makeWay(
  place: Address,
  { next, opened, listen, undo }: BindOptions & { next: DesiredState },
): Promise<void> {
  const stays = new Set(next.outlets.flatMap(({ id, takesOver }) => [id, takesOver]));
  for (const [id, { outlet, config }] of opened) {
    if (stays.has(id) || !collide(outlet.address, place)) continue;
    undo.defer(() =>
      outlet.moveTo(new WelcomeSocket(listen(outlet.address, listenOptions(config))))
    );
    await outlet.socketClosed();
  }
}

/** Gives a Unix socket's file the permission bits that are asked for now. */
async function changeMode(
  { listen, outletOptions: { mode } }: OutletConfig,
  { there, undo }: BindOptions & { there: OutletConfig },
): Promise<void> {
  const before = there.outletOptions.mode;
  if (!isUnix(listen) || mode === before) return;
  const { path } = listen;
  const byDefault = ALL_BITS & ~Deno.umask();
  await Deno.chmod(path, mode ?? byDefault);
  undo.defer(() => Deno.chmod(path, before ?? byDefault));
}

function listenOptions({ outletOptions: { backlog, mode } }: OutletConfig) {
  return { backlog, mode };
}
