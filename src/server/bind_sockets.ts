/**
 * Binds the listening sockets of new outlets. Every step can be undone.
 *
 * @module
 */
import { byPort, portKey } from "../config/addresses.ts";
import { isEqual } from "../config/equal.ts";
import type { OutletConfig } from "../config/server_config.ts";
import { type Address, isUdp, isUnix } from "../endpoint/address.ts";
import { DatagramWelcomeSocket } from "../outlet/datagram_socket.ts";
import type { Outlet } from "../outlet/outlet.ts";
import { WelcomeSocket } from "../outlet/welcome_socket.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { clearStale } from "../transport/carriers/unix.ts";
import { listenDatagrams } from "../transport/datagrams.ts";
import type { listen } from "../transport/listen.ts";
import { type AnyOutlet, type AnySocket, moveOutlet } from "./serve_outlet.ts";
import { collide, type DesiredOutlet, type DesiredState } from "./desired_state.ts";

/** The open outlets, and how to listen. */
export interface BindOptions {
  /** The open outlets, by id. */
  readonly opened: ReadonlyMap<
    number,
    { readonly outlet: AnyOutlet; readonly config: OutletConfig }
  >;
  /** Listens. */
  readonly listen: typeof listen;
  /** Whether other threads of this process listen at the same addresses (SO_REUSEPORT). */
  readonly shared: boolean;
  /** The addresses at which another thread has bound the new outlets, by id. */
  readonly addresses: ReadonlyMap<number, Address>;
  /** Whether to check that no other program listens at a new address. */
  readonly alone: boolean;
  /** Whether to take the paths of Unix sockets from another thread of this process. */
  readonly takesOver: boolean;
  /** Collects the steps that undo the bind. */
  readonly undo: AsyncDisposableStack;
}

/** Sockets that are bound in one turn of the event loop. */
const TURN = { units: 128, clockEvery: 8 };

/** All permission bits, before the umask. */
const ALL_BITS = 0o777;

/**
 * A bound socket for every new outlet, by id.
 *
 * @throws {Error} which names the address that can't be listened on, and the reason
 */
export async function bindSockets(
  next: DesiredState,
  options: BindOptions,
): Promise<ReadonlyMap<number, AnySocket>> {
  const sockets = new Map<number, AnySocket>();
  const open = byPort(options.opened.values(), ({ outlet }) => outlet.address);
  const stays = new Set(next.outlets.flatMap(({ id, takesOver }) => [id, takesOver]));
  const budget = new TurnBudget(TURN);
  for (const desired of next.outlets) {
    const { id, takesOver } = desired;
    const there = options.opened.get(id);
    const earlier = takesOver === undefined ? undefined : options.opened.get(takesOver);
    if (there) await changeMode(desired.config, { ...options, there: there.config });
    else if (earlier) sockets.set(id, earlier.outlet.socket);
    else {
      const near = open.get(portKey(bindAddress(desired, options))) ?? [];
      sockets.set(id, await bindOne(desired, { ...options, near, stays }));
    }
    const turn = budget.spend();
    if (turn) await turn;
  }
  return sockets;
}

/** Who may be in the way of a new socket. */
interface Neighbours {
  /** The open outlets at its port or path. */
  readonly near: readonly { readonly outlet: AnyOutlet; readonly config: OutletConfig }[];
  /** The ids of outlets that stay, or whose socket is taken over. */
  readonly stays: ReadonlySet<number | undefined>;
}

/** Where an outlet is to listen. */
function bindAddress(
  { id, address, config }: DesiredOutlet,
  { addresses }: Pick<BindOptions, "addresses">,
): Address {
  return address ?? addresses.get(id) ?? config.listen;
}

async function bindOne(
  desired: DesiredOutlet,
  options: BindOptions & Neighbours,
): Promise<AnySocket> {
  const { shared, alone, takesOver, undo } = options;
  const { config } = desired;
  const address = bindAddress(desired, options);
  if (isUnix(address) && !takesOver) await clearStale(address.path);
  const near = options.near.filter(({ outlet }) => collide(outlet.address, address));
  if (!shared) await closeConflicting({ ...options, near });
  const socket = bindAt(address, {
    ...options,
    config,
    shared,
    alone: alone && near.length === 0,
  });
  undo.defer(() => socket.close());
  // Every member of a SO_REUSEPORT group has to accept, so the present outlet serves this socket
  // until the commit.
  const there = near.find(({ outlet }) => isEqual(outlet.address, socket.address));
  if (there && socket instanceof WelcomeSocket) socket.serve(there.outlet as Outlet);
  return socket;
}

/** Binds the sockets of an address. */
function bindAt(
  place: Address,
  { config, listen, ...options }:
    & Pick<BindOptions, "listen">
    & Partial<Pick<BindOptions, "shared" | "alone" | "takesOver">>
    & { readonly config: OutletConfig },
): AnySocket {
  const { shared, alone, takesOver } = options;
  if (isUdp(place)) return new DatagramWelcomeSocket(listenDatagrams(place, { shared, alone }));
  return new WelcomeSocket(
    listen({ address: place }, { ...listenOptions(config), shared, alone, takesOver }),
  );
}

/** Closes the sockets of removed outlets that would prevent the new one from binding. */
async function closeConflicting(
  { near, stays, listen, undo }: BindOptions & Neighbours,
): Promise<void> {
  for (const { outlet, config } of near) {
    if (stays.has(outlet.id)) continue;
    undo.defer(() => moveOutlet(outlet, bindAt(outlet.address, { listen, config })));
    await outlet.socketClosed();
  }
}

/** Sets the permission bits of a Unix socket's file. */
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
