import { DURATION, integer, type OptionKind } from "../options/kinds.ts";
import { option } from "../options/option.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { printable } from "../terminal/printable.ts";
import { HISTORY_LIMIT, HISTORY_SIZE } from "../chat/history.ts";
import { SendQueue } from "../chat/send_queue.ts";
import type { Member, Room } from "../chat/room.ts";
import type { Connection } from "../connection/connection.ts";
import { readLines } from "../connection/line_reader.ts";
import type { Line } from "../connection/lines.ts";
import { type Service, service } from "./service.ts";

/** The most bytes of a line that are read; the rest is dropped. */
const MAX_LINE = 4 * 1024;

/** The most names in one reply; the console lists all. */
const NAMES_SHOWN = 1_000;

/** The budget for farewells in one turn of the event loop; each is a system call. */
const FAREWELLS = { units: 256, clockEvery: 16 };

const encoder = new TextEncoder();

const tasks = new TaskScope("announcing the end of a chat room", {
  consequence: "members get no notice",
});

/** A room's name: short, and printable as it is. */
const ROOM: OptionKind<string> = {
  expects: "a name of 1 to 64 characters, none of them a control",
  placeholder: "NAME",
  parse: (word) => word !== "" && word.length <= 64 && printable(word) === word ? word : undefined,
};

/** A chat room: lines in, `name> text` out to everyone else. */
export const chat: Service = service({
  name: "chat",
  summary: "chat room: send each client's lines to all others; /help lists commands",
  options: {
    room: option(ROOM, "name of the room; outlets with the same name share it", {
      defaultText: "a room per outlet",
    }),
    history: option(
      integer({ min: 0, max: HISTORY_LIMIT }),
      `number of past lines shown to new members, up to ${HISTORY_SIZE / 1024} KiB`,
      { default: 0 },
    ),
    "line-timeout": option(
      DURATION,
      "time limit from the first byte of a line to its newline",
      { default: 60_000, defaultText: "60s" },
    ),
  },
  datagram: {
    refused: "a room needs to know who is there, and every line whole and in order",
  },
  open({ room: name, history, "line-timeout": timeout }, { address, rooms, signal: inUse }) {
    const room = name === undefined
      ? rooms.openPrivate(address, { history, signal: inUse })
      : rooms.open(name, { history, signal: inUse });
    const farewells = new Farewells();
    return async (connection, signal) => {
      await using queue = new SendQueue(connection);
      using member = join(room, { connection, queue });
      const reply = (text: string) => {
        room.catchUp(member);
        queue.post(encoder.encode(text));
      };
      const farewell = () => reply("* the server is stopping\n");
      farewells.add(farewell, signal);
      try {
        reply(welcome(room, member) + recentLines(room, history));
        for await (const line of readLines(connection, { limit: MAX_LINE, timeout })) {
          if (handleLine(line, { member, history, reply }) === "leave") {
            connection.endAs("peer quit");
            break;
          }
          await room.pace();
        }
      } finally {
        farewells.delete(farewell);
      }
    };
  },
});

/** The farewells of one outlet, sent in turns of the event loop because there may be thousands. */
class Farewells {
  readonly #pending = new Set<() => void>();
  #signal: AbortSignal | undefined;

  /** Calls `send` once the signal is aborted, which must be the same for all. */
  add(send: () => void, signal: AbortSignal): void {
    this.#pending.add(send);
    if (this.#signal === signal) return;
    this.#signal = signal;
    signal.addEventListener("abort", tasks.guard(() => this.#sendAll()), { once: true });
  }

  delete(send: () => void): void {
    this.#pending.delete(send);
  }

  async #sendAll(): Promise<void> {
    const budget = new TurnBudget(FAREWELLS);
    for (const send of this.#pending) {
      send();
      const turn = budget.spend();
      if (turn) await turn;
    }
  }
}

/** A command: its member, its argument, and how to reply. */
interface Command {
  readonly member: Member;
  readonly argument: string;
  /** How many lines new members are shown. */
  readonly history: number;
  reply(text: string): void;
}

/** The commands; help is derived from this table. */
const COMMANDS: Readonly<Record<string, { help: string; run(command: Command): "leave" | void }>> =
  {
    "/name": {
      help: "/name NAME   change your name",
      run({ member, argument, reply }) {
        const problem = member.room.rename(member, argument);
        reply(problem ? `* ${problem}\n` : `* you are ${member.name}\n`);
      },
    },
    "/who": {
      help: "/who         list the members",
      run({ member, reply }) {
        reply(memberList(member.room));
      },
    },
    "/history": {
      help: "/history     show recent lines",
      run({ member, history, reply }) {
        reply(recentLines(member.room, history) || "* no history\n");
      },
    },
    "/me": {
      help: "/me TEXT     describe what you do",
      run({ member, argument, reply }) {
        if (argument === "") reply("* /me needs text\n");
        else member.room.act(member, argument);
      },
    },
    "/quit": {
      help: "/quit        leave",
      run({ reply }) {
        reply("* goodbye\n");
        return "leave";
      },
    },
    "/help": {
      help: "/help        show this list",
      run({ reply }) {
        reply(Object.values(COMMANDS).map(({ help }) => `* ${help}\n`).join(""));
      },
    },
  };

function join(
  room: Room,
  { connection, queue }: { connection: Connection; queue: SendQueue },
): Member {
  return room.join({
    send: (lines) => queue.post(lines),
    get isClosed() {
      return queue.isClosed;
    },
    get waiting() {
      return queue.waiting;
    },
    caughtUp: () => queue.sent(),
    disconnect: (reason) => connection.close(reason),
  });
}

function memberList(room: Room): string {
  const names = Iterator.from(room.everyone()).take(NAMES_SHOWN).map(({ name }) => name);
  const more = room.count - NAMES_SHOWN;
  return `* ${room.count} here: ${names.toArray().join(", ")}${
    more > 0 ? ` and ${more} more` : ""
  }\n`;
}

function welcome(room: Room, member: Member): string {
  const others = room.count - 1;
  const company = others === 0 ? "nobody else is here" : `${others} more here`;
  return `* welcome to ${
    printable(room.name)
  }: you are ${member.name}, ${company}; /help lists commands\n`;
}

/** The last lines of the room under a heading; empty where there are none. */
function recentLines(room: Room, history: number): string {
  const lines = room.history.last(history);
  if (lines.length === 0) return "";
  return `* ${lines.length === 1 ? "the last line" : `the last ${lines.length} lines`}:\n` +
    lines.join("");
}

/** Runs a command, or sends the line to the room. */
function handleLine(
  { text, isTruncated }: Line,
  { member, history, reply }: Omit<Command, "argument">,
): "leave" | void {
  if (isTruncated) reply(`* your line was truncated to ${MAX_LINE} bytes\n`);
  if (text.trim() === "") return;
  if (!text.startsWith("/")) return member.room.say(member, text);
  const [, word = "", argument = ""] = /^(\S+)\s*(.*?)\s*$/s.exec(text) ?? [];
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (command) return command.run({ member, argument, history, reply });
  reply(`* unknown command ${printable(word)}; /help lists commands\n`);
}
