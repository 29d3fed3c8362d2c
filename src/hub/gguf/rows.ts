/** Puts rows [from, to) into their order; `bytes` are the file's rows of all groups that they belong to. */
export function orderRows(bytes: Uint8Array, order: Uint32Array, from: number, to: number): ArrayBuffer {
  const group = order.length;
  const first = Math.floor(from / group) * group;
  const size = bytes.length / (Math.ceil(to / group) * group - first);
  const out = new Uint8Array((to - from) * size);
  for (let row = from; row < to; row++) {
    const base = Math.floor((row - first) / group) * group;
    const source = base + order[(row - first) % group]!;
    out.set(bytes.subarray(source * size, (source + 1) * size), (row - from) * size);
  }
  return out.buffer;
}
