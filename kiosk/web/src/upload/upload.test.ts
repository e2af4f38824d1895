import assert from "node:assert/strict";
import { test } from "node:test";
import { channelNames } from "./channels.ts";
import { sorted, type Gathered } from "./gather.ts";
import { fromDescription, fromResolution } from "./microns.ts";
import { fingerprint, parcels, parts } from "./parcels.ts";
import { guess } from "./scale.ts";

const DATE = 1_700_000_000_000;

function given(path: string, data: BlobPart = "pixels"): Gathered {
  return { path, file: new File([data], path.split("/").at(-1)!, { lastModified: DATE }) };
}

async function bytes(blobs: AsyncIterable<Blob>): Promise<{ sizes: number[]; whole: Buffer }> {
  const pieces: Buffer[] = [];
  for await (const blob of blobs) pieces.push(Buffer.from(await blob.arrayBuffer()));
  return { sizes: pieces.map((piece) => piece.length), whole: Buffer.concat(pieces) };
}

test("each zip is a job of its own, and all other files are one", () => {
  const found = parcels([given("a.zip"), given("x/b.tif"), given("x/c.tif"), given("d.zip")]);
  assert.deepEqual(found.map((each) => each.name), ["a.zip", "d.zip", "x.zip"]);
  assert.deepEqual(found[2]!.files.map((each) => each.path), ["b.tif", "c.tif"]);
  assert.deepEqual(parcels([given("b.tif"), given("c.tif")]).map((each) => each.name), ["images.zip"]);
  assert.deepEqual(parcels([given("x/b.tif")]).map((each) => [each.name, each.packed]), [["b.tif", false]]);
});

test("a packed folder has the size that was promised, and the same bytes each time", async () => {
  const files = Array.from({ length: 5 }, (_, at) => given(`plate/Größe ${at}.tif`, new Uint8Array(1000 * at + 7).fill(at)));
  const [parcel] = parcels(files);
  const [one, other] = [await bytes(parts(parcel!, 4096)), await bytes(parts(parcel!, 4096))];
  assert.equal(one.whole.length, parcel!.size);
  assert.ok(one.whole.equals(other.whole));
  assert.ok(one.sizes.slice(0, -1).every((size) => size === 4096) && one.sizes.at(-1)! <= 4096);
});

test("a single file goes as it is, in parts", async () => {
  const [parcel] = parcels([given("a.tif", "0123456789")]);
  const { sizes, whole } = await bytes(parts(parcel!, 4));
  assert.deepEqual([sizes, whole.toString()], [[4, 4, 2], "0123456789"]);
});

test("the same files have the same fingerprint, and others another", () => {
  const of = (...files: Gathered[]): string => fingerprint(parcels(files)[0]!);
  assert.equal(of(given("x/a.tif"), given("x/b.tif")), of(given("x/a.tif"), given("x/b.tif")));
  assert.notEqual(of(given("x/a.tif"), given("x/b.tif")), of(given("x/a.tif"), given("x/b.tif", "more pixels")));
});

test("from folders what is no image is left out, and what the system leaves there", () => {
  const { sent, left } = sorted([given("x/b.tif"), given("x/notes.txt"), given("x/.DS_Store"), given("x/Thumbs.db"), given("x/a.tif")]);
  assert.deepEqual(sent.map((each) => each.path), ["x/a.tif", "x/b.tif"]);
  assert.deepEqual(left, ["x/notes.txt"]);
  assert.deepEqual(sorted([given("notes.txt")]).sent.length, 1);
});

test("a pixel's size is read where a microscope wrote it, and not where a printer would have", () => {
  assert.equal(fromDescription('<OME><Pixels PhysicalSizeX="650" PhysicalSizeXUnit="nm"/></OME>', undefined), 0.65);
  assert.equal(fromDescription("ImageJ=1.53\nunit=\\u00B5m\n", 2), 0.5);
  assert.equal(fromDescription("ImageJ=1.53\nunit=pixel\n", 2), undefined);
  assert.equal(fromResolution(1e4 / 0.65, 3), 0.65);
  assert.equal(fromResolution(72, 2), undefined);
});

test("the first page of a TIFF tells its resolution", async () => {
  const view = new DataView(new ArrayBuffer(64));
  [0x49, 0x49, 42, 0, 8].forEach((byte, at) => view.setUint8(at, byte));
  view.setUint16(8, 2, true);
  tag(view, 10, 282, 5, 48);
  tag(view, 22, 296, 3, 3);
  view.setUint32(48, 20_000, true);
  view.setUint32(52, 1, true);
  assert.deepEqual(await guess([given("no image.tif"), given("a.tif", view.buffer)]), { pixelSize: 0.5, file: "a.tif" });
});

function tag(view: DataView, at: number, number: number, kind: number, value: number): void {
  view.setUint16(at, number, true);
  view.setUint16(at + 2, kind, true);
  view.setUint32(at + 4, 1, true);
  view.setUint32(at + 8, value, true);
}

test("channels are called what the first image of OME-XML calls them", () => {
  const channel = (name: string): string => `<Channel ID="c" ${name} SamplesPerPixel="1"><LightPath/></Channel>`;
  const image = (...names: string[]): string => `<Image Name="no"><Pixels SizeC="2">${names.map(channel).join("")}<TiffData/></Pixels></Image>`;
  const ome = `<OME xmlns="x">${image(`Name="DAPI &gt; &#956;&amp;m"`, "Name='a > b'", "")}${image(`Name="other"`)}</OME>`;
  assert.deepEqual(channelNames(ome), ["DAPI > μ&m", "a > b", ""]);
  assert.deepEqual(channelNames(`<ome:Pixels><ome:Channel EmissionName="x" Name="GFP"/></ome:Pixels>`), ["GFP"]);
  assert.deepEqual([channelNames("ImageJ=1.54\nchannels=3"), channelNames("")], [[], []]);
  assert.deepEqual(channelNames(`<Pixels><Channel Name="&#99999999999;"/>`), ["&#99999999999;"]);
});
