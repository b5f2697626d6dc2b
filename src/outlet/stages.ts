/**
 * The stages of an accepted stream, in order. `tests/transport/contract_test.ts` tests every
 * stage of this table.
 *
 * @module
 */
import { acceptStage } from "../transport/layers.ts";
import { readProxyHeader } from "../transport/proxy_header.ts";
import type { Stage } from "../transport/stage.ts";
import type { OutletSettings } from "./settings.ts";

/** Each stage by name; `undefined` if the settings do not ask for it. */
export const STAGES = {
  proxyHeader: ({ proxies }) => proxies && readProxyHeader,
  layers: ({ layers }) => acceptStage(layers),
  capture: ({ capture }) => capture,
  output: ({ output }) => output,
} as const satisfies Readonly<Record<string, (settings: OutletSettings) => Stage | undefined>>;
