/** The options of services beside those of every outlet. */
import { assertEquals } from "@std/assert";
import { ADMISSION_OPTIONS } from "../../src/config/admission_options.ts";
import { OUTLET_OPTIONS } from "../../src/config/outlet_options.ts";
import { SERVER_OPTIONS } from "../../src/config/server_config.ts";
import { SERVICES } from "../../src/services/registry.ts";

Deno.test("no option of a service has the name of one that every outlet has", () => {
  const common = { ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS, ...SERVER_OPTIONS };
  const twice = [...SERVICES.values()].flatMap(({ name, options }) =>
    Object.keys(options).filter((option) => option in common).map((option) => `${name} ${option}`)
  );
  assertEquals(twice, []);
});
