/** A server that is killed: its members are removed on the others after missed heartbeats. */
import { ChatClient } from "../harness/chat_client.ts";
import { NatsServer } from "../harness/nats.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

testWith(
  ["nats-server"],
  "members of a killed server are removed on the other servers, and their names are free",
  async () => {
    await using nats = await NatsServer.start();
    await using here = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
    const port = freePort();
    await using there = new Program(
      outlet("server", `chat://:${port}?room=all`, "--bus", nats.url),
    );
    await there.logs(/bus +connected/);
    using alice = await ChatClient.join(here.port());
    using bob = await ChatClient.join(port);
    // The other server must know the default name first: a name in a server's snapshot is not
    // announced as a change.
    await alice.countsMembers(2);
    await bob.sendLine("/name bob");
    await alice.receivesNotice(/is now bob$/);
    there.signal("SIGKILL");
    await alice.receivesNotice(/^\* left with their server: bob$/);
    await alice.countsMembers(1);
    await alice.sendLine("/name bob");
    await alice.receivesNotice(/^\* you are bob$/);
  },
);
