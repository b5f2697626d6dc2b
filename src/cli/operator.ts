/**
 * The operator: a person at the server's terminal, who is in its chat rooms as `host`.
 *
 * @module
 */
import { formatDuration, formatSize } from "../options/quantity.ts";
import type { Member, Room } from "../chat/room.ts";
import type { Rooms } from "../chat/rooms.ts";
import { type Address, formatAddress, portOf } from "../endpoint/address.ts";
import type { LiveConnection } from "../server/handle.ts";

/** What the operator can see and do. */
export interface OperatorContext {
  /** The chat rooms. */
  readonly rooms: Rooms;
  /** Every connection that is open now, with the name of its outlet. */
  connections(): Iterable<
    { outlet: { name: string; address: Address }; connection: LiveConnection }
  >;
  /** How the handshake of a connection went, drawn as text, where that is kept. */
  ladder?(connection: LiveConnection): string | undefined;
  /** Stops the server. */
  quit(): void;
  /** Shows lines to the operator. */
  show(text: string): void;
}

const HELP = [
  "what you type is said in the room as host; besides there are",
  "/kick NAME     send a member away",
  "/connections   who is connected, to what",
  "/quit          stop the server",
];

/** Listens to what the operator types, line by line, until there is no more; then the operator has left. */
export async function operate(
  typed: AsyncIterable<{ text: string }>,
  context: OperatorContext,
): Promise<void> {
  const members = new Set<Member>();
  using _ = context.rooms.visitAll((room) => {
    const member = enter(room, members, context);
    members.add(member);
    return {
      [Symbol.dispose]() {
        members.delete(member);
        member[Symbol.dispose]();
      },
    };
  });
  for await (const { text } of typed) obey(text.trim(), members, context);
}

function enter(room: Room, members: ReadonlySet<Member>, { show }: OperatorContext): Member {
  const decoder = new TextDecoder();
  return room.join({
    send(lines) {
      const text = decoder.decode(lines);
      show(members.size > 1 ? text.replaceAll(/.*\n/g, `[${room.name}] $&`) : text);
    },
    waiting: 0,
    caughtUp: () => Promise.resolve(),
    disconnect: () => {},
  }, { as: "operator" });
}

function obey(text: string, members: ReadonlySet<Member>, context: OperatorContext): void {
  const [, word, argument = ""] = /^(\/\S*)\s*(.*)$/.exec(text) ?? [];
  switch (word) {
    case undefined:
      if (text !== "") { for (const member of members) member.room.say(member, text); }
      break;
    case "/kick":
      context.show(kick(argument, members));
      break;
    case "/connections":
      context.show(tableOf(context));
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
  if (found.length > 0) return `* ${name} was sent away\n`;
  return [...members].some(({ room }) => room.has(name))
    ? `* ${name} is on another server: only its operator can send it away\n`
    : `* there is no ${name} here\n`;
}

function tableOf(context: OperatorContext): string {
  const rows = [...context.connections()].map(({ outlet, connection }) =>
    [
      `#${connection.id}`.padEnd(7),
      `${outlet.name}:${portOf(outlet.address)}`.padEnd(14),
      formatAddress(connection.peer).padEnd(24),
      formatDuration(performance.now() - connection.openedAt).padStart(8),
      `${formatSize(connection.bytesIn)} in`.padStart(12),
      `${formatSize(connection.bytesOut)} out`.padStart(13),
    ].join(" ") + "\n" + (context.ladder?.(connection) ?? "")
  );
  return rows.length > 0 ? rows.join("") : "* nobody is connected\n";
}
