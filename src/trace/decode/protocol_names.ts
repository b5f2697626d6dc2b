/**
 * Names of link types, EtherTypes and protocol numbers that hold no decodable TCP.
 *
 * @module
 */
/** Protocol names by number. */
export interface ProtocolNames {
  /** Protocols that do not carry TCP. */
  readonly withoutTcp: ReadonlyMap<number, string>;
  /** Protocols that may carry TCP in a form that is not decoded. */
  readonly undecodable: ReadonlyMap<number, string>;
}

/** EtherTypes (IEEE 802). */
export const ETHER_TYPES: ProtocolNames = {
  withoutTcp: new Map([
    [0x0806, "ARP"],
    [0x0842, "wake-on-LAN"],
    [0x2000, "CDP"],
    [0x2001, "NHRP"],
    [0x8035, "RARP"],
    [0x809b, "AppleTalk"],
    [0x80f3, "AppleTalk ARP"],
    [0x8137, "IPX"],
    [0x8808, "Ethernet flow control"],
    [0x8809, "LACP"],
    [0x8863, "PPPoE discovery"],
    [0x888e, "802.1X"],
    [0x8892, "PROFINET"],
    [0x88a4, "EtherCAT"],
    [0x88cc, "LLDP"],
    [0x88f7, "PTP"],
    [0x8902, "CFM"],
    [0x8906, "FCoE"],
    [0x8914, "FCoE initialization"],
    [0x8915, "RoCE"],
    [0x9000, "Ethernet loopback"],
  ]),
  undecodable: new Map([
    [0x22f3, "TRILL"],
    [0x88e5, "MACsec"],
    [0x893f, "802.1BR"],
    [0x894f, "NSH"],
  ]),
};

/** Service access points (IEEE 802.2). */
export const LLC_SAPS: ProtocolNames = {
  withoutTcp: new Map([
    [0x42, "spanning tree"],
    [0xe0, "IPX"],
    [0xf0, "NetBIOS"],
    [0xfe, "OSI routing"],
    [0xff, "IPX"],
  ]),
  undecodable: new Map(),
};

/** PPP protocols. */
export const PPP_PROTOCOLS: ProtocolNames = {
  withoutTcp: new Map([
    [0x0023, "OSI routing"],
    [0x002b, "IPX"],
    [0x8021, "PPP control"],
    [0x8057, "PPP control"],
    [0x80fd, "PPP control"],
    [0x8281, "PPP control"],
    [0xc021, "PPP control"],
    [0xc023, "PPP control"],
    [0xc223, "PPP control"],
    [0xc025, "PPP control"],
    [0xc227, "PPP control"],
  ]),
  undecodable: new Map([
    [0x002d, "Van Jacobson compressed TCP"],
    [0x002f, "Van Jacobson uncompressed TCP"],
    [0x003d, "multilink"],
    [0x0053, "encrypted"],
    [0x00fd, "compressed"],
  ]),
};

/** IP protocols (IANA). */
export const IP_PROTOCOLS: ProtocolNames = {
  withoutTcp: new Map([
    [1, "ICMP"],
    [2, "IGMP"],
    [8, "EGP"],
    [17, "UDP"],
    [33, "DCCP"],
    [46, "RSVP"],
    [58, "ICMPv6"],
    [59, "IPv6 without a payload"],
    [88, "EIGRP"],
    [89, "OSPF"],
    [103, "PIM"],
    [112, "VRRP"],
    [132, "SCTP"],
    [136, "UDP-Lite"],
  ]),
  undecodable: new Map([
    [50, "ESP, encrypted"],
    [55, "minimal encapsulation"],
    [94, "IPIP"],
    [108, "IPComp"],
    [115, "L2TPv3"],
    [142, "ROHC"],
  ]),
};

/** Link types (<https://www.tcpdump.org/linktypes.html>) that are not decoded. */
export const LINK_TYPES: ReadonlyMap<number, string> = new Map([
  [3, "AX.25"],
  [6, "token ring"],
  [7, "ARCNET"],
  [8, "SLIP"],
  [10, "FDDI"],
  [106, "ATM, Linux"],
  [107, "frame relay"],
  [109, "OpenBSD enc"],
  [114, "LocalTalk"],
  [117, "OpenBSD pflog"],
  [122, "IP over Fibre Channel"],
  [123, "SunATM"],
  [129, "ARCNET, Linux"],
  [143, "DOCSIS"],
  [144, "IrDA"],
  [147, "user 0"],
  [157, "IBM SP"],
  [177, "LAPD, Linux"],
  [187, "Bluetooth HCI H4"],
  [189, "USB, Linux"],
  [195, "802.15.4"],
  [201, "Bluetooth HCI"],
  [220, "USB, Linux"],
  [224, "Fibre Channel"],
  [225, "Fibre Channel"],
  [227, "CAN"],
  [230, "802.15.4"],
  [231, "D-Bus"],
  [243, "MPEG-2 transport stream"],
  [247, "InfiniBand"],
  [248, "SCTP"],
  [249, "USBPcap"],
  [251, "Bluetooth LE"],
  [252, "Wireshark upper PDU"],
  [253, "netlink"],
  [256, "Bluetooth LE"],
  [258, "macOS pktap"],
  [271, "vsock"],
  [272, "Nordic BLE"],
  [280, "ELEE"],
  [283, "802.15.4 TAP"],
]);
