/**
 * An IP datagram in every supported encapsulation.
 *
 * @module
 */
import { ethernet, u16, u32 } from "./wire.ts";
import {
  frame,
  join,
  label,
  overIpv4,
  overIpv6,
  overUdp,
  pppoe,
  SNAP,
  typeOf,
} from "./encapsulate.ts";

/** An encapsulated datagram, its link type, and the expected tunnels. */
export interface Encapsulated {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly tunnels: readonly string[];
  /** `false` if tshark does not decode it. */
  readonly tshark?: false;
}

/** Encapsulates an IP datagram in every supported way. */
export function everyEncapsulation(ip: Uint8Array): Encapsulated[] {
  return [...byLink(ip), ...byEtherType(ip), ...overIp(ip), ...overPorts(ip), ...inRadio(ip)];
}

function byLink(ip: Uint8Array): Encapsulated[] {
  const ppp = typeOf(ip) === 0x0800 ? [0, 0x21] : [0, 0x57];
  const type = u16(typeOf(ip));
  const links: [name: string, link: number, ...parts: (readonly number[] | Uint8Array)[]][] = [
    ["PPP", 9, [0xff, 3], ppp, ip],
    ["PPP without address and control", 9, ppp, ip],
    ["PPP in HDLC", 50, [0xff, 3], ppp, ip],
    ["Cisco's HDLC behind PPP's link type", 50, [0x0f, 0], type, ip],
    ["PPP with a direction", 204, [1, 0xff, 3], ppp, ip],
    ["Cisco's HDLC", 104, [0x0f, 0], type, ip],
    ["IP over InfiniBand", 242, new Array<number>(40).fill(0), type, [0, 0], ip],
    ["PPP with a short protocol", 9, ppp.slice(1), ip],
    ["IP over IEEE 1394", 138, new Array<number>(16).fill(1), type, ip],
    ["RFC 2684", 100, SNAP, type, ip],
    ["PPI in front of Ethernet", 192, [0, 0, 8, 0, 1, 0, 0, 0], ethernet(ip)],
    ["NFLOG", 239, nflog(ip)],
    [
      "a cooked capture of 802.2",
      113,
      [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 4],
      SNAP,
      type,
      ip,
    ],
  ];
  const own: [string, number, ...(readonly number[] | Uint8Array)[]][] = [
    ["pppd's PPP", 166, [1, 3], ppp, ip],
    ["Cisco's HDLC with a direction", 205, [1, 0x0f, 0], type, ip],
    ["IP over InfiniBand without a routing header", 242, type, [0, 0], ip],
    ["big-endian NFLOG", 239, nflog(ip, u16)],
  ];
  return [
    ...links.map(([name, link, ...parts]) => ({ name, link, bytes: join(...parts), tunnels: [] })),
    ...own.map(([name, link, ...parts]) => ({
      ...{ name, link, bytes: join(...parts), tunnels: [], tshark: false as const },
    })),
    {
      ...{ name: "MPLS", link: 219, bytes: join(label(7, true), ip) },
      ...{ tunnels: ["MPLS 7"], tshark: false as const },
    },
    { name: "PPPoE's link type", link: 51, bytes: pppoe(ip), tunnels: ["PPPoE 4660"] },
  ];
}

function nflog(ip: Uint8Array, half = (value: number) => u16(value).toReversed()): Uint8Array {
  const family = typeOf(ip) === 0x0800 ? 2 : 10;
  const packetHeader = [...half(8), ...half(1), ...u16(typeOf(ip)), 1, 0];
  const prefix = [...half(5), ...half(10), 0x78, 0, 0, 0];
  return join([family, 0, 0, 5], packetHeader, prefix, half(4 + ip.length), half(9), ip);
}

function byEtherType(ip: Uint8Array): Encapsulated[] {
  const type = u16(typeOf(ip));
  const types: [name: string, bytes: Uint8Array, tunnels: string[]][] = [
    ["a VLAN", ethernet(ip, [100]), ["VLAN 100"]],
    ["QinQ", frame(0x88a8, join(u16(200), u16(0x8100), u16(100), type, ip)), [
      "VLAN 200",
      "VLAN 100",
    ]],
    ["a priority without a VLAN", ethernet(ip, [0xe000]), []],
    ["802.2 and SNAP", frame(8 + ip.length, join(SNAP, type, ip)), []],
    ["802.2's own number for IP", frame(3 + ip.length, join([6, 6, 3], ip)), []],
    ["MPLS", frame(0x8847, join(label(16_004, false), label(42, true), ip)), ["MPLS 42"]],
    [
      "an Ethernet pseudowire",
      frame(0x8847, join(label(43, true), [0, 0, 0, 0], ethernet(ip, [5]))),
      ["MPLS 43", "VLAN 5"],
    ],
    ["PPPoE", frame(0x8864, pppoe(ip)), ["PPPoE 4660"]],
    ["802.1ah", frame(0x88e7, join([0], [0, 0, 77], ethernet(ip))), ["802.1ah 77"]],
    [
      "802.1ah in a backbone's VLAN",
      frame(0x88a8, join(u16(9), u16(0x88e7), [0], [0, 0, 78], ethernet(ip, [3]))),
      ["VLAN 9", "802.1ah 78", "VLAN 3"],
    ],
  ];
  return types.map(([name, bytes, tunnels]) => ({ name, bytes, link: 1, tunnels }));
}

const ENDS = "10.9.0.1–10.9.0.2";
const ENDS_V6 = "fd09::1–fd09::2";

function overIp(ip: Uint8Array): Encapsulated[] {
  const version = typeOf(ip) === 0x0800 ? 4 : 6;
  const protocol = version === 4 ? 4 : 41;
  const gre = (flags: number, type: number, ...parts: (readonly number[] | Uint8Array)[]) =>
    overIpv4(47, join(u16(flags), u16(type), ...parts));
  const authentication = join([protocol, 4, 0, 0], u32(7), u32(1), new Array<number>(12).fill(0));
  const wrapped: [name: string, bytes: Uint8Array, tunnels: string[]][] = [
    ["IP in IPv4", overIpv4(protocol, ip), [`${version}in4 ${ENDS}`]],
    ["IP in IPv6", overIpv6(protocol, ip), [`${version}in6 ${ENDS_V6}`]],
    ["an authentication header", overIpv4(51, join(authentication, ip)), [
      "AH",
      `${version}in4 ${ENDS}`,
    ]],
    ["GRE", gre(0, typeOf(ip), ip), [`GRE ${ENDS}`]],
    ["GRE with a key", gre(0x2000, typeOf(ip), u32(7), ip), ["GRE 7"]],
    [
      "GRE with checksum, key and sequence number",
      gre(0xb000, typeOf(ip), [0, 0, 0, 0], u32(8), u32(1), ip),
      ["GRE 8"],
    ],
    ["Ethernet over GRE", gre(0x2000, 0x6558, u32(9), ethernet(ip)), ["GRE 9"]],
    [
      "ERSPAN II",
      gre(0x1000, 0x88be, u32(1), u16(0x1005), u16(0x0803), u32(0), ethernet(ip)),
      [`GRE ${ENDS}`, "ERSPAN 3"],
    ],
    [
      "ERSPAN III",
      gre(0x1000, 0x22eb, u32(1), u16(0x2005), u16(0x0804), u32(0), u32(0), ethernet(ip)),
      [`GRE ${ENDS}`, "ERSPAN 4"],
    ],
    ["MPLS over IP", overIpv4(137, join(label(5, true), ip)), ["MPLS 5"]],
    ["EtherIP", overIpv4(97, join([0x30, 0], ethernet(ip))), [`EtherIP ${ENDS}`]],
    [
      "PPTP",
      overIpv4(
        47,
        join(
          u16(0x3081),
          u16(0x880b),
          u16(4 + ip.length),
          u16(1),
          u32(1),
          u32(2),
          version === 4 ? [0xff, 3, 0, 0x21] : [0xff, 3, 0, 0x57],
          ip,
        ),
      ),
      [`PPTP ${ENDS}`],
    ],
  ];
  return wrapped.map(([name, bytes, tunnels]) => ({ name, bytes, link: 101, tunnels }));
}

function overPorts(ip: Uint8Array): Encapsulated[] {
  const vni = (number: number) => u32(number * 256);
  const vxlan = (number: number, inner: Uint8Array) =>
    overUdp(4789, join([8, 0, 0, 0], vni(number), inner));
  const gtp = [...u16(ip.length), ...u32(0x11)];
  const extension = [0x34, 0xff, ...u16(ip.length + 8), ...u32(0x12), 0, 0, 0, 0x85, 1, 0, 9, 0];
  const wrapped: [name: string, bytes: Uint8Array, tunnels: string[]][] = [
    ["VXLAN", vxlan(42, ethernet(ip)), ["VXLAN 42"]],
    ["VXLAN of a VLAN", vxlan(43, ethernet(ip, [5])), ["VXLAN 43", "VLAN 5"]],
    ["VXLAN in VXLAN", vxlan(1, frame(0x0800, vxlan(2, ethernet(ip)))), ["VXLAN 1", "VXLAN 2"]],
    ["VXLAN-GPE", overUdp(4790, join([12, 0, 0, typeOf(ip) === 0x0800 ? 1 : 2], vni(44), ip)), [
      "VXLAN 44",
    ]],
    ["Geneve", overUdp(6081, join([0, 0], u16(0x6558), vni(45), ethernet(ip))), ["Geneve 45"]],
    [
      "Geneve of IP with options",
      overUdp(6081, join([2, 0], u16(typeOf(ip)), vni(46), [0, 1, 2, 1, 9, 9, 9, 9], ip)),
      ["Geneve 46"],
    ],
    ["GTP-U", overUdp(2152, join([0x30, 0xff], gtp, ip)), ["GTP-U 0x11"]],
    ["GTP-U with an extension header", overUdp(2152, join(extension, ip)), ["GTP-U 0x12"]],
    ["MPLS over UDP", overUdp(6635, join(label(6, true), ip)), ["MPLS 6"]],
    [
      "GRE in IPv6 in a VLAN, and VXLAN in that",
      frame(
        0x8100,
        join(u16(9), u16(0x86dd), overIpv6(47, join([0, 0, 8, 0], vxlan(3, ethernet(ip))))),
      ),
      ["VLAN 9", `GRE ${ENDS_V6}`, "VXLAN 3"],
    ],
  ];
  return wrapped.map(([name, bytes, tunnels]) => ({
    ...{ name, bytes, tunnels },
    link: name.includes("in a VLAN,") ? 1 : 101,
  }));
}

function inRadio(ip: Uint8Array): Encapsulated[] {
  const payload = [...SNAP, ...u16(typeOf(ip)), ...ip];
  const addresses = new Array<number>(18).fill(2);
  const plain = join([0x08, 0x01, 0, 0], addresses, [0x10, 0], payload);
  const quality = join([0x88, 0x02, 0, 0], addresses, [0x10, 0], [0, 0], payload);
  const relayed = join(
    [0x08, 0x03, 0, 0],
    addresses,
    [0x10, 0],
    new Array<number>(6).fill(2),
    payload,
  );
  // Version, length, present flags (TSFT and Flags), alignment, TSFT, Flags.
  const radiotap = (
    flags: number,
  ) => [0, 0, 17, 0, 3, 0, 0, 0, ...new Array<number>(8).fill(1), flags];
  const padded = join([0x88, 0x02, 0, 0], addresses, [0x10, 0], [0, 0], [0, 0], payload);
  const frames: [name: string, link: number, ...parts: (readonly number[] | Uint8Array)[]][] = [
    ["802.11", 105, plain],
    ["802.11 with quality of service", 105, quality],
    ["802.11 between stations of a relay", 105, relayed],
    ["radiotap", 127, radiotap(0), plain],
    ["radiotap with a check sequence", 127, radiotap(0x10), quality, [1, 2, 3, 4]],
    ["radiotap with a padded header", 127, radiotap(0x20), padded],
  ];
  return frames.map(([name, link, ...parts]) => ({
    ...{ name, link, bytes: join(...parts), tunnels: [] },
  }));
}
