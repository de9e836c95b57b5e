/** Tells a line that comes again and again only once in so many milliseconds. */
export function tellOnce(tell: (line: string) => void, every: number, now: () => number): (line: string) => void {
  const told = new Map<string, number>();
  return (line) => {
    const at = now();
    if (at - (told.get(line) ?? Number.NEGATIVE_INFINITY) < every) return;
    for (const [old, then] of told) if (at - then >= every) told.delete(old);
    told.set(line, at);
    tell(line);
  };
}
