/**
 * The options about files that connections are written to, of clients and of outlets.
 *
 * @module
 */
import { file } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";

/** The values of {@linkcode OUTPUT_OPTIONS}. */
export interface OutputConfig {
  /** The file for received bytes. */
  readonly output: string | undefined;
  /** Whether sent bytes go there, too. */
  readonly "output-sent": boolean;
  /** The file for a hex dump of both directions; `-` is stdout. */
  readonly "hex-dump": string | undefined;
  /** Whether the files are appended to; they are overwritten by default. */
  readonly "append-output": boolean;
}

/** The options about output files. */
export const OUTPUT_OPTIONS: TableOf<OutputConfig> = {
  output: option(file("append"), "also write received data to this file", { short: "o" }),
  "output-sent": flag("write sent data to the output file, too", { needs: ["output"] }),
  "hex-dump": option(
    file("append-or-stdout"),
    "write a hex dump of both directions to this file; - is stdout",
    {
      short: "x",
    },
  ),
  "append-output": flag("append to these files instead of overwriting them", {
    needs: ["output", "hex-dump"],
  }),
};
