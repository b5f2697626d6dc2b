/** Counts the turns of the event loop in which work was done, and the most work in one of them. */
export class TurnCounter implements Disposable {
  longest = 0;
  turns = 0;
  #count = 0;
  #timer = setInterval(() => {
    this.longest = Math.max(this.longest, this.#count);
    if (this.#count > 0) this.turns++;
    this.#count = 0;
  }, 0);

  readonly add = () => void this.#count++;

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
