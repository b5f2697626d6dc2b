/**
 * A worker that compares passwords with hashes, one after the other.
 *
 * @module
 */
import { TaskScope } from "../../../scheduling/task_scope.ts";
import type { PasswordAnswer, PasswordQuestion } from "./password_thread.ts";
import { verifyPassword } from "./verify_password.ts";

/** The worker's global scope, as far as it is used. */
interface Thread {
  onmessage: ((event: MessageEvent<PasswordQuestion>) => void) | null;
  postMessage(answer: PasswordAnswer): void;
}

const thread = globalThis as unknown as Thread;
const tasks = new TaskScope("comparing a password", { consequence: "it counts as wrong" });

thread.onmessage = tasks.guard(({ data }: MessageEvent<PasswordQuestion>) => {
  const { number, password, hash } = data;
  let isRight = false;
  try {
    isRight = verifyPassword(password, hash);
  } finally {
    thread.postMessage({ number, isRight });
  }
});
