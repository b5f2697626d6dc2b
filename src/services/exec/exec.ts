import { choice, directory, DURATION, type OptionKind, TEXT } from "../../options/kinds.ts";
import { option, repeatable } from "../../options/option.ts";
import { quote, UsageError } from "../../options/usage_error.ts";
import { parseEnvironment } from "./environment.ts";
import { programFault } from "./program_fault.ts";
import { ClientCounter, runSession } from "./session.ts";
import { LineRate } from "./stderr_log.ts";
import { type Service, service } from "../service.ts";

/** The search path where outlet has no `PATH`. */
const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

const VARIABLE: OptionKind<string> = {
  expects: "NAME or NAME=VALUE",
  placeholder: "NAME[=VALUE]",
  parse: (word) => /^[A-Za-z_]\w*(=|$)/.test(word) ? word : undefined,
};

/** The name or the path of a program. */
const PROGRAM: OptionKind<string> = {
  ...TEXT,
  expects: "a program",
  placeholder: "PROGRAM",
  path: "run",
};

/** The program or one of its arguments, which may be empty. */
const WORD: OptionKind<string> = {
  expects: "text",
  placeholder: "WORD",
  path: "run",
  parse: (word) => word,
};

/** Runs a program for each client, with the connection as its stdin and stdout. */
export const exec: Service = service({
  name: "exec",
  summary: "run a program for each client, with the connection as its stdin and stdout",
  // Three pipes, and the pidfd or wait handle of the process.
  descriptors: 4,
  datagram: { refused: "a program's stdin and stdout are streams, which datagrams are not" },
  options: {
    run: option(PROGRAM, "program to run, without arguments", { excludes: ["command"] }),
    command: repeatable(WORD, "program and arguments, one word each; as flags: all words after --"),
    env: repeatable(VARIABLE, "environment variable to set, or to pass on from outlet"),
    cwd: option(directory("work-in"), "working directory of the program"),
    stdio: option(
      choice(["pipes", "socket"]),
      "type of its stdin and stdout; a few programs require a socket (rsync --daemon)",
      { default: "pipes" },
    ),
    stderr: option(choice(["log", "client"]), "destination of its stderr", { default: "log" }),
    "kill-after": option(
      DURATION,
      "time between SIGTERM and SIGKILL when the client has disconnected",
      {
        default: 5_000,
        defaultText: "5s",
      },
    ),
  },
  command: "command",
  check({ run, command }) {
    if (run === undefined && command.length === 0) {
      throw new UsageError("exec needs a program: run, or command with its arguments", {
        option: "run",
      });
    }
  },
  preflight({ run, command: [first = ""], env }) {
    const name = run ?? first;
    const fault = programFault(name, searchPath(env));
    return fault === undefined ? undefined : {
      option: run === undefined ? "command" : "run",
      message: `cannot run ${quote(name)}: ${fault}`,
    };
  },
  open({ run, command, env, cwd, stdio, stderr, "kill-after": killAfter }, { output }) {
    const settings = {
      command: run === undefined ? command : [run],
      env: { ...parseEnvironment(env), PATH: searchPath(env) },
      cwd,
      stdio,
      stderr,
      killAfter,
      clients: new ClientCounter(),
      rate: new LineRate(),
      output,
    };
    return (connection) => runSession(connection, settings);
  },
});

/** The program's own PATH, which it is also looked up in. */
function searchPath(env: readonly string[]): string {
  return { PATH: SEARCH_PATH, ...parseEnvironment(["PATH"]), ...parseEnvironment(env) }.PATH;
}
