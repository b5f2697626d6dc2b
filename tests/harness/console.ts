/**
 * A console inside the test, of a server inside the test.
 *
 * @module
 */
import { Console } from "../../src/console/console.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { readAll, send } from "./bytes.ts";
import { TestServer } from "./server.ts";

/** The console's token. */
export const TOKEN = "a-token-for-tests-alone";

/** An event of the event stream, with its parsed data. */
export interface Streamed {
  readonly event: string;
  readonly id: string | undefined;
  // deno-lint-ignore no-explicit-any -- as any JSON
  readonly data: any;
}

/** An open console, and its server. */
export class TestConsole implements AsyncDisposable {
  readonly console: Console;
  readonly server: TestServer;

  private constructor(console: Console, server: TestServer) {
    this.console = console;
    this.server = server;
  }

  /** Opens `outlet server WORDS… --console :0`. */
  static async open(...args: string[]): Promise<TestConsole> {
    const eventBus = new EventBus();
    const address = { hostname: "127.0.0.1", port: 0 };
    const console = Console.open(address, { eventBus, token: TOKEN, drainTimeout: () => 10_000 });
    const server = await TestServer.openWith(eventBus, args);
    console.watch(server.server);
    return new TestConsole(console, server);
  }

  get origin(): string {
    return this.console.origin;
  }

  get port(): number {
    return Number(new URL(this.origin).port);
  }

  /** Sends a request with the token, unless other headers are given. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.origin + path, {
      redirect: "manual",
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...init.headers },
    });
  }

  /** The answer to a GET request, which must succeed. */
  // deno-lint-ignore no-explicit-any -- as any JSON
  async get(path: string): Promise<any> {
    return await read(await this.ask(path));
  }

  /** The answer to a POST request with a body, which must succeed. */
  // deno-lint-ignore no-explicit-any -- as any JSON
  async post(path: string, body: unknown = {}): Promise<any> {
    const headers = { "content-type": "application/json" };
    return await read(
      await this.ask(path, { method: "POST", body: JSON.stringify(body), headers }),
    );
  }

  /** Sends a request as it is, and reads the whole answer. */
  async raw(request: string): Promise<string> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await send(connection, request.replaceAll("\n", "\r\n"));
    return new TextDecoder().decode(await readAll(connection));
  }

  /** Reads the event stream until its events match. */
  async stream(
    query: string,
    fits: (all: readonly Streamed[]) => boolean,
    headers: Record<string, string> = {},
  ): Promise<Streamed[]> {
    const { body } = await this.ask(`/api/v1/stream${query}`, { headers });
    const all: Streamed[] = [];
    let text = "";
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const messages = (text += chunk).split("\n\n");
      text = messages.pop()!;
      all.push(...messages.map(readMessage));
      if (fits(all)) return all;
    }
    throw new Error(`the stream ended too early: ${JSON.stringify(all)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.console[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

async function read(answer: Response): Promise<unknown> {
  const text = await answer.text();
  if (answer.ok) return text === "" ? undefined : JSON.parse(text);
  throw new Error(`${answer.status}: ${JSON.parse(text).error}`);
}

function readMessage(message: string): Streamed {
  const field = (name: string) =>
    message.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  return {
    event: field("event") ?? "message",
    id: field("id"),
    data: JSON.parse(field("data")!),
  };
}
