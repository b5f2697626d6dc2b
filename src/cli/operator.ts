/**
 * The operator: the person at the server's terminal, a member named `host` of all chat rooms.
 *
 * @module
 */
import { formatDuration, formatSize } from "../options/quantity.ts";
import type { Member, Room } from "../chat/room.ts";
import type { Rooms } from "../chat/rooms.ts";
import { type Address, formatAddress, portOf } from "../endpoint/address.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { LiveConnection } from "../server/handle.ts";

/** What the operator sees and controls. */
export interface OperatorContext {
  /** The chat rooms. */
  readonly rooms: Rooms;
  /** All open connections, with their outlets. */
  connections(): Iterable<
    { outlet: { name: string; address: Address }; connection: LiveConnection }
  >;
  /** The ladder of the connection's handshake as text, where it is kept. */
  ladder?(connection: LiveConnection): string | undefined;
  /** Stops the server. */
  quit(): void;
  /** Writes lines to the operator's terminal. */
  show(text: string): void;
}

const HELP = [
  "what you type is sent to the room as host; commands:",
  "/kick NAME     disconnect a member",
  "/connections   list the open connections",
  "/quit          stop the server",
];

/** Joins all rooms and runs what the operator types, until the input ends; then leaves the rooms. */
export async function runOperator(
  typed: AsyncIterable<{ text: string }>,
  context: OperatorContext,
): Promise<void> {
  const members = new Set<Member>();
  using _ = context.rooms.visitAll((room) => {
    const member = joinRoom(room, members, context);
    members.add(member);
    return {
      [Symbol.dispose]() {
        members.delete(member);
        member[Symbol.dispose]();
      },
    };
  });
  for await (const { text } of typed) await runCommand(text.trim(), members, context);
}

function joinRoom(room: Room, members: ReadonlySet<Member>, { show }: OperatorContext): Member {
  const decoder = new TextDecoder();
  return room.join({
    send(lines) {
      const text = decoder.decode(lines);
      show(members.size > 1 ? text.replaceAll(/.*\n/g, `[${room.name}] $&`) : text);
    },
    waiting: 0,
    caughtUp: () => Promise.resolve(),
    isClosed: false,
    disconnect: () => {},
  }, { as: "operator" });
}

async function runCommand(
  text: string,
  members: ReadonlySet<Member>,
  context: OperatorContext,
): Promise<void> {
  const [, word, argument = ""] = /^(\/\S*)\s*(.*)$/.exec(text) ?? [];
  switch (word) {
    case undefined:
      if (text !== "") { for (const member of members) member.room.say(member, text); }
      break;
    case "/kick":
      context.show(kick(argument, members));
      break;
    case "/connections":
      await listConnections(context);
      break;
    case "/quit":
      context.quit();
      break;
    default:
      context.show(HELP.map((line) => `* ${line}\n`).join(""));
  }
}

function kick(name: string, members: ReadonlySet<Member>): string {
  const found = [...members].flatMap(({ room }) => room.find(name) ?? []);
  for (const { subscriber } of found) subscriber.disconnect("closed by the operator");
  if (found.length > 0) return `* ${name} was disconnected\n`;
  return [...members].some(({ room }) => room.has(name))
    ? `* ${name} is on another server: only its operator can disconnect it\n`
    : `* no member is named ${name}\n`;
}

/** The most connections that are listed: more would scroll away. */
const MAX_LISTED = 1_000;

/** A ladder takes long to make, so the clock is read for each connection. */
const LIST_TURN = { units: 100, clockEvery: 1 };

/** Lists the open connections, in turns of the event loop. */
async function listConnections(context: OperatorContext): Promise<void> {
  const budget = new TurnBudget(LIST_TURN);
  let count = 0;
  for (const { outlet, connection } of [...context.connections()]) {
    if (++count > MAX_LISTED) continue;
    context.show(rowOf(outlet, connection) + (context.ladder?.(connection) ?? ""));
    const turn = budget.spend();
    if (turn) await turn;
  }
  if (count === 0) context.show("* no open connections\n");
  if (count > MAX_LISTED) context.show(`* and ${count - MAX_LISTED} more\n`);
}

function rowOf(outlet: { name: string; address: Address }, connection: LiveConnection): string {
  return [
    `#${connection.id}`.padEnd(7),
    `${outlet.name}:${portOf(outlet.address)}`.padEnd(14),
    formatAddress(connection.peer).padEnd(24),
    formatDuration(performance.now() - connection.openedAt).padStart(8),
    `${formatSize(connection.bytesIn)} in`.padStart(12),
    `${formatSize(connection.bytesOut)} out`.padStart(13),
  ].join(" ") + "\n";
}
