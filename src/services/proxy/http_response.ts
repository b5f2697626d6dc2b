/**
 * The response to a request that was sent on.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import type { RelayFilter } from "../../connection/relay.ts";
import { HeadError, HeadReader, type HttpHead } from "../../transport/http_head.ts";
import { answerTo } from "./http_answer.ts";
import { forwardedResponse } from "./http_message.ts";

const NOTHING = new Uint8Array(0);

/** What was asked for. */
interface Asked {
  readonly method: string;
  readonly version: string;
  readonly target: string;
}

/** Rewrites the head of the response, and passes on the body. What is no response becomes a 502. */
export class ResponseFilter implements RelayFilter {
  readonly #asked: Asked;
  #reader = new HeadReader("response");
  #state: "head" | "body" | "failed" = "head";

  /** Expects a response to this request. */
  constructor(asked: Asked) {
    this.#asked = asked;
  }

  /** Passes on the bytes of the response. */
  pass(bytes: Uint8Array): Uint8Array {
    if (this.#state === "body") return bytes;
    if (this.#state === "failed") return NOTHING;
    try {
      return this.#passHead(bytes);
    } catch (error) {
      if (error instanceof HeadError) return this.#fail(`sent ${error.message}`);
      throw error;
    }
  }

  /** Answers if no response came. */
  end(): Uint8Array {
    return this.#state === "head" ? this.#fail("closed without a response") : NOTHING;
  }

  /** Interim responses (1xx) come before the response, but HTTP/1.0 does not have them. */
  #passHead(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let found = this.#reader.push(bytes); found; found = this.#reader.push(found.rest)) {
      const { head, rest } = found;
      this.#reader = new HeadReader("response");
      if (!isInterim(head)) {
        this.#state = "body";
        parts.push(forwardedResponse(head, { isLast: true }), rest);
        break;
      }
      if (head.start.includes(" 101")) throw new HeadError("a switch of protocols");
      const isKnown = this.#asked.version !== "HTTP/1.0";
      if (isKnown) parts.push(forwardedResponse(head, { isLast: false }));
    }
    return concat(parts);
  }

  #fail(how: string): Uint8Array {
    this.#state = "failed";
    const { method, target } = this.#asked;
    const message = `${target} ${how}`;
    return answerTo({ kind: "failed", message }, { isHead: method === "HEAD" });
  }
}

function isInterim({ start }: HttpHead): boolean {
  return /^HTTP\/1\.\d 1\d\d/.test(start);
}
