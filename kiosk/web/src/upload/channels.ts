/** What a file calls its channels, where it says so in OME-XML. */

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Names of the first image's channels, in order; empty where one has none. */
export function channelNames(description: string): string[] {
  const [pixels = ""] = /<(?:\w+:)?Pixels\b[^]*?(?:<\/(?:\w+:)?Pixels>|$)/.exec(description) ?? [];
  const channels = pixels.match(/<(?:\w+:)?Channel\b(?:"[^"]*"|'[^']*'|[^<>"'])*>/g) ?? [];
  return channels.map((each) => {
    const [, double, single] = /\sName\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(each) ?? [];
    return plain(double ?? single ?? "").trim();
  });
}

function plain(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, code: string) => {
    if (!code.startsWith("#")) return ENTITIES[code] ?? whole;
    const point = /^#x/i.test(code) ? parseInt(code.slice(2), 16) : Number(code.slice(1));
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
