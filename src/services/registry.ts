/**
 * The list of services. A new service is a file in this directory and a line here.
 *
 * @module
 */
import { chargen } from "./chargen.ts";
import { chat } from "./chat.ts";
import { daytime } from "./daytime.ts";
import { discard } from "./discard.ts";
import { echo } from "./echo.ts";
import { exec } from "./exec/exec.ts";
import { forward } from "./forward/forward.ts";
import { proxy } from "./proxy/proxy.ts";
import { qotd } from "./qotd.ts";
import { record } from "./record/record.ts";
import type { Service } from "./service.ts";
import { stdio } from "./stdio.ts";
import { time } from "./time.ts";

/** All services, in the order of help. */
const ALL: readonly Service[] = [
  chat,
  echo,
  discard,
  chargen,
  daytime,
  time,
  qotd,
  exec,
  forward,
  proxy,
  record,
  stdio,
];

/** All services by name, in the order of help. */
export const SERVICES: ReadonlyMap<string, Service> = new Map(
  ALL.map((service) => [service.name, service]),
);
