import { assertEquals } from "@std/assert";
import { overlaps } from "../../src/endpoint/overlap.ts";
import { codeOf } from "../../src/transport/errors.ts";

const HOSTS = ["0.0.0.0", "::", "127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"];

/** Whether the kernel refuses to listen at `other` while a socket listens at `one`. */
function isTaken(one: string, other: string): boolean {
  using first = Deno.listen({ hostname: one, port: 0 });
  try {
    Deno.listen({ hostname: other, port: (first.addr as Deno.NetAddr).port }).close();
    return false;
  } catch (error) {
    assertEquals(codeOf(error), "EADDRINUSE");
    return true;
  }
}

Deno.test("two addresses overlap if the kernel refuses the second as in use", () => {
  for (const one of HOSTS) {
    for (const other of HOSTS) {
      const port = 7000;
      const answer = overlaps({ hostname: one, port }, { hostname: other, port });
      assertEquals([one, other, answer], [one, other, isTaken(one, other)]);
    }
  }
});

Deno.test("port 0 overlaps with nothing, nor do different ports, and a path only with itself", () => {
  const hostname = "127.0.0.1";
  assertEquals(overlaps({ hostname, port: 0 }, { hostname, port: 0 }), false);
  assertEquals(overlaps({ hostname, port: 1 }, { hostname, port: 2 }), false);
  assertEquals(overlaps({ path: "/run/x" }, { path: "/run/x" }), true);
  assertEquals(overlaps({ path: "/run/x" }, { hostname, port: 1 }), false);
});

Deno.test("a name overlaps with itself and with all addresses, and otherwise has to be looked up", () => {
  const at = (hostname: string) => ({ hostname, port: 7000 });
  assertEquals(overlaps(at("LOCALHOST"), at("localhost")), true);
  assertEquals(overlaps(at("localhost"), at("::")), true);
  assertEquals(overlaps(at("localhost"), at("127.0.0.1")), false);
});
