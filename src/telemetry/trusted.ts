import { BlockList, isIP } from "node:net";

/** Names that Fastify's TRUST_PROXY knows. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  linklocal: ["169.254.0.0/16", "fe80::/10"],
  uniquelocal: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

/** Whether who connects to us is a proxy of the operator's, by TRUST_PROXY: then its word is taken for where a trace began. */
export function trustsPeer(trustProxy: boolean | number | string): (address: string | undefined) => boolean {
  if (typeof trustProxy !== "string") return () => trustProxy === true || Number(trustProxy) > 0;
  const list = new BlockList();
  for (const entry of trustProxy.split(",").map((text) => text.trim())) {
    for (const range of NAMED[entry] ?? [entry]) add(list, range);
  }
  return (address = "") => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/iu, "");
    return isIP(plain) > 0 && list.check(plain, familyOf(plain));
  };
}

function add(list: BlockList, range: string): void {
  const [network = "", prefix] = range.split("/");
  if (isIP(network) === 0) return;
  list.addSubnet(network, Number(prefix ?? (isIP(network) === 4 ? 32 : 128)), familyOf(network));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
