/**
 * The stages that a client's stream goes through on its way into an outlet, in their order, and what of the outlet's
 * settings asks for each. `tests/transport/contract_test.ts` tests each of them by its being here.
 *
 * @module
 */
import { acceptStage } from "../transport/layers.ts";
import { readProxyHeader } from "../transport/proxy_header.ts";
import type { Stage } from "../transport/stage.ts";
import type { OutletSettings } from "./settings.ts";

/** Each stage by its name; `undefined` where the settings do not ask for it. */
export const STAGES = {
  proxyHeader: ({ proxies }) => proxies && readProxyHeader,
  layers: ({ layers }) => acceptStage(layers),
  capture: ({ capture }) => capture,
} as const satisfies Readonly<Record<string, (settings: OutletSettings) => Stage | undefined>>;
