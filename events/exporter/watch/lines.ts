/** No object in etcd comes near: 1.5 MB each. */
const MAX_LINE = 64 * 1024 * 1024;

/**
 * Splits a stream of bytes into lines of text. A line is decoded whole, so a character split over two chunks survives. What follows the last
 * newline is not a line: the sender died while writing it. Throws when a line exceeds 64 MiB.
 */
export async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let held = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...pieces, chunk.subarray(start, end)]).toString('utf8');
      pieces = [];
      held = 0;
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    if (start === chunk.length) continue;
    pieces.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > MAX_LINE) throw new Error(`A line of the watch is longer than ${MAX_LINE} bytes.`);
  }
}
