/**
 * All services. A new service is a file in this directory and a line here.
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

/** All services by name, in the order of help. */
export const SERVICES: ReadonlyMap<string, Service> = new Map(
  [chat, echo, discard, chargen, daytime, time, qotd, exec, forward, record, stdio].map((
    service,
  ) => [service.name, service]),
);
