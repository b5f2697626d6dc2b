/**
 * The API of chat rooms, their members, and the buses between servers.
 *
 * @module
 */
import type { Presence } from "../../chat/remote_members.ts";
import type { RoomStatus, ServerShare } from "../../chat/status.ts";
import { filterTerms } from "../connection_list.ts";
import { HttpError } from "../http_error.ts";
import type { ApiRequest } from "../request.ts";
import type { Routes } from "../router.ts";
import type { ServerView } from "../server_view.ts";

/** The maximum and the default number of members in a response. */
const LIMIT = { most: 1_000, usual: 100 };

/** The maximum number of names for each room in the list, and of servers for one room. */
const SHOWN = { names: 12, servers: 100 };

/** The routes of rooms. */
export function roomRoutes(view: ServerView): Routes {
  return {
    "GET /rooms": () => describeRooms(view),
    "GET /rooms/:id": (request) => describeRoom(request, view),
  };
}

/** All rooms with the first names of each, and all buses. */
export function describeRooms({ server }: ServerView): object {
  const { rooms, buses } = server.roomsStatus();
  return {
    rooms: rooms.map((room) => {
      const everyone = server.rooms.numbered(room.number)!.everyone();
      return { ...summary(room), names: everyone.take(SHOWN.names).map(nameOf).toArray() };
    }),
    buses,
  };
}

/** One room with the requested members. */
function describeRoom(request: ApiRequest, { server }: ServerView): object {
  const status = server.roomsStatus().rooms.find(({ number }) => number === request.id);
  if (!status) throw new HttpError(404, `there is no room ${request.id}`);
  const terms = filterTerms(request.query.get("filter") ?? "");
  const matching = [...server.rooms.numbered(status.number)!.everyone()]
    .filter((member) => fits(member, terms));
  const offset = request.wholeNumber("offset", 0);
  const limit = Math.min(request.wholeNumber("limit", LIMIT.usual), LIMIT.most);
  return {
    ...summary(status),
    largest: status.elsewhere.toSorted((a, b) => b.members - a.members).slice(0, SHOWN.servers),
    matching: matching.length,
    offset,
    members: matching.slice(offset, offset + limit),
  };
}

function summary({ number: id, name, isPublic, here, elsewhere }: RoomStatus): object {
  const members = elsewhere.reduce((sum: number, share: ServerShare) => sum + share.members, 0);
  return { id, name, isPublic, here, elsewhere: members, servers: elsewhere.length };
}

/** Whether each word of the filter occurs in the name or in the server's name. */
function fits({ name, server = "" }: Presence, terms: readonly string[]): boolean {
  const text = `${name} ${server}`.toLowerCase();
  return terms.every((word) => text.includes(word));
}

function nameOf({ name }: Presence): string {
  return name;
}
