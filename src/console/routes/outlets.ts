/**
 * The API of services and outlets.
 *
 * @module
 */
import { z } from "zod";
import { addValue } from "../../options/add_value.ts";
import { checkOverlaps, outletName } from "../../config/addresses.ts";
import { findService, outletConfigs, outletTable } from "../../config/outlet_config.ts";
import { ADMISSION_OPTIONS } from "../../config/admission_options.ts";
import type { OutletConfig } from "../../config/server_config.ts";
import { DURATION } from "../../options/kinds.ts";
import type { Option, OptionTable } from "../../options/option.ts";
import { UsageError, withSubject } from "../../options/usage_error.ts";
import { SERVICES } from "../../services/registry.ts";
import type { Service } from "../../services/service.ts";
import { type Address, formatAddress, isUdp, isUnix } from "../../endpoint/address.ts";
import { explain } from "../../transport/errors.ts";
import { preflightOutlet } from "../../server/preflight.ts";
import type { OpenOutlet } from "../../server/handle.ts";
import { DEFAULT_HOST, listensOverUdp, parseListens, readHost } from "../../endpoint/parse.ts";
import type { KernelView } from "../kernel_view.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { HttpError } from "../http_error.ts";
import type { ApiRequest } from "../request.ts";
import type { Routes } from "../router.ts";
import type { ServerView } from "../server_view.ts";
import type { Totals } from "../traffic.ts";

const tasks = new TaskScope("stopping an outlet from the console", {
  consequence: "its connections go on until the server stops",
});

const TEXTS = z.union([z.string(), z.array(z.string())]);

const OPENING = z.strictObject({
  service: z.string(),
  host: z.string().default(""),
  port: z.union([z.string(), z.int()]).transform(String),
  transport: z.enum(["tcp", "udp"]).default("tcp"),
  options: z.record(z.string(), TEXTS).default({}),
});

const STOPPING = z.strictObject({ grace: z.string().optional() });

/** What the routes need. */
export interface OutletRoutesParts {
  /** The server. */
  readonly view: ServerView;
  /** The kernel's tables. */
  readonly kernel: KernelView;
  /** The default drain timeout of a stopped outlet in milliseconds. */
  drainTimeout(): number;
}

/** The routes of services and outlets. */
export function outletRoutes(parts: OutletRoutesParts): Routes {
  const { view } = parts;
  return {
    "GET /services": () => [...SERVICES.values()].map(describeService),
    "GET /outlets": () => listOutlets(parts),
    "POST /outlets": (request) => openOutlet(request, view),
    "POST /outlets/:id/stop": (request) => stopOutlet(request, parts),
  };
}

/** A service with all options of its outlets, from which the page builds a form. */
function describeService(service: Service): object {
  return {
    name: service.name,
    summary: service.summary,
    options: [
      ...describeOptions(service.options, "service"),
      ...describeOptions(
        withoutOf(outletTable(service), service.options, ADMISSION_OPTIONS),
        "outlet",
      ),
      ...describeOptions(ADMISSION_OPTIONS, "admission"),
    ],
  };
}

function withoutOf(table: OptionTable, ...others: OptionTable[]): OptionTable {
  return Object.fromEntries(
    Object.entries(table).filter(([name]) => !others.some((other) => Object.hasOwn(other, name))),
  );
}

function describeOptions(table: OptionTable, group: string): object[] {
  return Object.entries(table).map(([name, option]) => ({
    name,
    group,
    summary: option.summary,
    expects: option.expects,
    placeholder: option.placeholder,
    choices: option.choices,
    repeats: option.repeats,
    default: defaultWords(option),
  }));
}

/** The default as text; `undefined` if there is none. */
function defaultWords({ defaultText, default: value, repeats, write }: Option): string | undefined {
  if (defaultText !== undefined) return defaultText;
  return value === undefined || repeats ? undefined : String(write(value));
}

async function listOutlets({ view, kernel }: OutletRoutesParts): Promise<object[]> {
  const totals = view.traffic.totals();
  const queues = await kernel.acceptQueues();
  return view.outlets.map((outlet) => {
    const { id, address } = outlet;
    return {
      ...describeOutlet(outlet),
      open: [...outlet.connections].length,
      ...(totals.get(id) ?? {} as Partial<Totals>),
      queue: outlet.stopping.aborted ? undefined : queueOf(queues, address),
    };
  });
}

function describeOutlet({ id, name, address, stopping }: OpenOutlet): object {
  return {
    id,
    name,
    address: formatAddress(address),
    state: stopping.aborted ? "draining" : "open",
  };
}

function queueOf(queues: ReadonlyMap<number, number>, address: Address): number | undefined {
  return isUnix(address) || isUdp(address) ? undefined : queues.get(address.port);
}

async function openOutlet(request: ApiRequest, view: ServerView): Promise<Response> {
  const configs = readOpening(await request.body(OPENING));
  await refuseImpossible(configs, view);
  try {
    const outlets = (await view.server.open(...configs)).map(describeOutlet);
    return Response.json(outlets.length > 1 ? outlets : outlets[0], { status: 201 });
  } catch (error) {
    throw new HttpError(409, explain(error), { field: "port" });
  }
}

/** Rejects configurations that are known to fail. */
async function refuseImpossible(
  configs: readonly OutletConfig[],
  { outlets }: ServerView,
): Promise<void> {
  const open = outlets.filter(({ stopping }) => !stopping.aborted);
  const taken = new Set(open.map(({ name }) => name));
  const twice = configs.find(({ name }) => name !== undefined && taken.has(name));
  if (twice) {
    throw new HttpError(409, `there is an outlet with the name ${twice.name}`, { field: "name" });
  }
  const asked = configs.map((config) => ({ name: outletName(config), address: config.listen }));
  try {
    checkOverlaps([...open, ...asked]);
  } catch (error) {
    throw new HttpError(409, explain(error), { field: "port" });
  }
  for (const config of configs) {
    await preflightOutlet(config).catch((error) => {
      throw new HttpError(409, explain(error), { field: error.option ?? "host" });
    });
  }
}

function readOpening(
  { service: name, host, port, transport, options }: z.infer<typeof OPENING>,
): OutletConfig[] {
  const service = inField("service", () => findService(name));
  const hostname = inField("host", () => host === "" ? DEFAULT_HOST : readHost(host, "host"));
  const addresses = inField("port", () => parseListens({ host: hostname, port }));
  const listen = transport === "udp" ? listensOverUdp(addresses) : addresses;
  const table = outletTable(service);
  const values = new Map<string, unknown>();
  for (const [name, texts] of Object.entries(options)) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!option) throw new HttpError(400, `${service.name} has no option ${name}`, { field: name });
    for (const word of [texts].flat()) {
      inField(name, () => addValue({ name, option, word, label: name }, values));
    }
  }
  return inField(undefined, () => outletConfigs(service, { listen, own: values }));
}

/**
 * Converts an error to one about a field of the form: the given field, or the one that the error
 * names.
 */
function inField<T>(name: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const field = name ?? error.option;
    throw new HttpError(400, error.message, field === undefined ? {} : { field });
  }
}

async function stopOutlet(request: ApiRequest, parts: OutletRoutesParts): Promise<Response> {
  const { view, drainTimeout } = parts;
  const { grace: word } = await request.body(STOPPING);
  const outlet = view.outlet(request.id);
  const grace = word === undefined ? drainTimeout() : inField("grace", () => readGrace(word));
  // The outlet leaves the list when it is closed; the request does not wait for that.
  tasks.run(view.server.close(outlet, { grace }));
  return Response.json(describeOutlet(outlet), { status: 202 });
}

function readGrace(word: string): number {
  const grace = DURATION.parse(word);
  if (grace !== undefined) return grace;
  throw withSubject("grace", new UsageError(`expected ${DURATION.expects}`));
}
