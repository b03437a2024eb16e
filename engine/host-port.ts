/** An IP address and port as one: "192.0.2.1:80", "[2001:db8::1]:80". RFC 3986 section 3.2.2. */
export const hostPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
