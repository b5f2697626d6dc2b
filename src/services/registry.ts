/**
 * The services that can be plugged into. A new one is its file and its line here.
 *
 * @module
 */
import { chargen } from "./chargen.ts";
import { chat } from "./chat.ts";
import { daytime } from "./daytime.ts";
import { discard } from "./discard.ts";
import { echo } from "./echo.ts";
import { forward } from "./forward/forward.ts";
import { qotd } from "./qotd.ts";
import { exec } from "./exec/exec.ts";
import { record } from "./record/record.ts";
import type { Service } from "./service.ts";
import { stdio } from "./stdio.ts";
import { time } from "./time.ts";

/** Every service by its name, in the order in which help shows them. */
export const SERVICES: ReadonlyMap<string, Service> = new Map(
  [chat, echo, discard, chargen, daytime, time, qotd, exec, forward, record, stdio].map((
    service,
  ) => [service.name, service]),
);
