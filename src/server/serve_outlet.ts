/**
 * Creates outlets for streams or for datagrams, and applies their settings.
 *
 * @module
 */
import type { Admission } from "../admission/admission.ts";
import type { OutletConfig } from "../config/server_config.ts";
import { MAX_SESSIONS, SESSION_IDLE_TIMEOUT } from "../config/udp_rules.ts";
import type { Handler } from "../connection/connection.ts";
import type { DatagramHandler } from "../connection/session.ts";
import { isUdp } from "../endpoint/address.ts";
import type { EventBus } from "../events/event_bus.ts";
import { DatagramOutlet } from "../outlet/datagram_outlet.ts";
import type { DatagramSettings } from "../outlet/datagram_settings.ts";
import { DatagramWelcomeSocket } from "../outlet/datagram_socket.ts";
import { Outlet } from "../outlet/outlet.ts";
import type { WelcomeSocket } from "../outlet/welcome_socket.ts";
import { SERVICES } from "../services/registry.ts";
import { explain } from "../transport/errors.ts";
import type { TlsAcceptor } from "../transport/tls/acceptor.ts";
import { admissionOptions, outletSettings } from "./settings.ts";

/** An outlet for streams or for datagrams. */
export type AnyOutlet = Outlet | DatagramOutlet;

/** The sockets of an outlet. */
export type AnySocket = WelcomeSocket | DatagramWelcomeSocket;

/** What serves the clients of an outlet. */
export type AnyHandler = Handler | DatagramHandler;

/** An open outlet with its service. */
export interface OpenedOutlet {
  /** The outlet. */
  readonly outlet: AnyOutlet;
  /** Its config. */
  readonly config: OutletConfig;
  /** Its service. */
  readonly handler: AnyHandler;
  /** Accepts its TLS connections; `undefined` without TLS. */
  readonly tls: TlsAcceptor | undefined;
  /** Aborted when the service is opened anew with other options. */
  readonly replaced: AbortController;
}

/** What an outlet is created with. */
export interface OutletParts {
  /** Its id. */
  readonly id: number;
  /** Its name. */
  readonly name: string;
  /** Its sockets. */
  readonly socket: AnySocket;
  /** Receives its events. */
  readonly eventBus: EventBus;
  /** Limits and access rules. */
  readonly admission: Admission;
  /** Returns the next connection id. */
  readonly number: (() => number) | undefined;
}

/** Creates the outlet that fits the sockets. */
export function createOutlet({ socket, ...parts }: OutletParts): AnyOutlet {
  return socket instanceof DatagramWelcomeSocket
    ? new DatagramOutlet({ ...parts, socket })
    : new Outlet({ ...parts, socket });
}

/** Moves an outlet to other sockets of the same kind. */
export function moveOutlet(outlet: AnyOutlet, socket: AnySocket): void {
  if (outlet instanceof DatagramOutlet) outlet.moveTo(socket as DatagramWelcomeSocket);
  else outlet.moveTo(socket as WelcomeSocket);
}

/** Applies the settings of its config to an outlet, which starts to serve the first time. */
export function applySettings(
  { outlet, config, handler, tls }: OpenedOutlet,
  failed: (reason: string) => void,
): void {
  outlet.admission.change(limitsOf(config));
  if (outlet instanceof DatagramOutlet) {
    outlet.serve(datagramSettings(config, { handler: handler as DatagramHandler, failed }));
  } else {
    outlet.serve(outletSettings(config, { handler: handler as Handler, tls, failed }));
  }
}

/** The limits of an outlet. The number of UDP sessions always has one. */
export function limitsOf(config: OutletConfig): ReturnType<typeof admissionOptions> {
  const limits = admissionOptions(config.admissionOptions);
  if (!isUdp(config.listen)) return limits;
  return { ...limits, maxConnections: limits.maxConnections ?? MAX_SESSIONS };
}

function datagramSettings(
  { name, service, outletOptions }: OutletConfig,
  { handler, failed }: { handler: DatagramHandler; failed(reason: string): void },
): DatagramSettings {
  const { datagram } = SERVICES.get(service)!;
  const answers = "answers" in datagram ? datagram.answers : "none";
  const { capture: directory, "capture-limit": limit } = outletOptions;
  return {
    handler,
    answers: answers !== "none",
    limitsAnswers: answers !== "relayed" && !outletOptions.amplify,
    maxDatagram: outletOptions["max-datagram"],
    rate: outletOptions["datagram-rate"],
    ...directory === undefined ? {} : {
      capture: async (session: number) => {
        const { openCapture } = await import("../connection/capture.ts");
        return await openCapture(session, {
          directory,
          name: name ?? service,
          limit,
          onFault: (error) => failed(`cannot capture to ${directory}: ${explain(error)}`),
        });
      },
    },
    deadlines: {
      idle: outletOptions["idle-timeout"] ?? SESSION_IDLE_TIMEOUT,
      lifetime: outletOptions.lifetime,
    },
  };
}
